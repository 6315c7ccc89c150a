// Three nodes with a network between them that breaks, under a stream of private
// events: nodes taken for dead, events lost by tabs, and the return to order.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { startBalancer } from './support/balancer.mjs';
import { closeAll, connect } from './support/clients.mjs';
import { Cluster } from './support/cluster.mjs';
import { slow, until, within } from './support/deadline.mjs';
import { deliver, user } from './support/ingest.mjs';
import { metric } from './support/metrics.mjs';
import { Network, missing } from './support/netns.mjs';
import { startSite } from './support/site.mjs';
import { Stream, same, watch } from './support/stream.mjs';

const numbers = [1, 2, 3];
const people = Array.from({ length: 16 }, (_, i) => `user-${i}`);
const MiB = 1024 * 1024;
const skip = missing();

let network;
let site;
let cluster;
let balancer;
let stream;
let stopped;

before(async () => {
  if (skip)
    return;
  network = new Network(numbers.length);
  site = await startSite({ host: network.here });
  cluster = await Cluster.start({
    site,
    place: (n) => ({ host: network.address(n), through: network.inside(n) }),
    changes: {
      presence: { 'leave-grace': '0s' },
      limits: { 'per-ip-rate': 10000 },
      router: { 'drain-seconds': 1 },
      log: { level: 'info' },
    },
  });
  balancer = await startBalancer(cluster.fronts);
});

after(async () => {
  await balancer?.close();
  await cluster?.stop();
  await site?.close();
  network?.close();
});

afterEach(() => {
  stream?.stop();
  stream = undefined;
  closeAll();
  stopped?.('SIGCONT');
  stopped = undefined;
  if (network)
    numbers.forEach((n) => network.heal(n));
});

const at = (n) => cluster.node(n);
const nodesOf = (tab) => tab.lives.map((x) => x.node);

// A tab of every user at every node; they reconnect by the balancer.
async function everybody() {
  const tabs = await Promise.all(people.flatMap((session) => numbers.map(async (n) =>
    watch(await connect(at(n).publicUrl, { session, reconnection: true,
      reconnectionDelay: 50, reconnectionDelayMax: 500 }), session, balancer.url))));
  await agreed(tabs);
  return tabs;
}

// Resolves when all nodes tell the same of every user, and that is true.
function agreed(tabs) {
  const wanted = (id) => tabs.filter((x) => x.user === id).map((x) => x.socket.id).sort();
  const tell = async (n, id) => {
    const { version, ...record } = await user(at(n), id);
    record.connections.sort((x, y) => (x.id < y.id ? -1 : 1));
    return { version, ...record };
  };
  let last;
  return until(async () => {
    for (const id of people) {
      const told = await Promise.all(cluster.numbers.map((n) => tell(n, id)));
      const ids = told.map((x) => x.connections.map((y) => y.id));
      last = { wanted: wanted(id), ids, versions: told.map((x) => x.version) };
      if (!told.every((x) => JSON.stringify(x) === JSON.stringify(told[0]))
        || JSON.stringify(ids[0]) !== JSON.stringify(wanted(id)))
        return false;
    }
    return true;
  }, 10000, 'all nodes to know all connections').catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}`);
  });
}

const back = (tabs) => until(() => tabs.every((x) => x.socket.connected), 15000,
  'all tabs to be back');

// Resolves when the nodes agree on which nodes live.
const settled = (...nodes) => until(async () => {
  const told = await Promise.all(nodes.map(async (n) =>
    (await fetch(`${at(n).operationsUrl}/api/v1/cluster`)).json()));
  return told.every((x) => x.settled);
}, 10000, `nodes ${nodes} to agree`);

// Resolves when the one says of the other that it is dead.
const givenUp = (of, by) => until(async () => await cluster.state(of, by) === 'dead', 6000,
  `node ${by} to give up node ${of}`);

// Watches the memory of nodes until the function it returns is called, which
// resolves to { most, trend } of each: by how many bytes it grew at most, and by
// how many it still grew after the fifth second.
function weigh(nodes) {
  const begin = performance.now();
  const samples = nodes.map(() => []);
  let over = false;
  const all = (async () => {
    for (; !over; await new Promise((resolve) => { setTimeout(resolve, 250); }))
      for (const [i, n] of nodes.entries())
        samples[i].push({ ms: performance.now() - begin,
          bytes: await metric(at(n), 'resident_memory_bytes') });
  })();
  all.catch(() => {});
  return async () => {
    over = true;
    await all;
    return samples.map((list) => {
      const bytes = list.map((x) => x.bytes);
      const late = list.filter((x) => x.ms >= 5000).map((x) => x.bytes);
      const part = Math.ceil(late.length / 3);
      return { most: Math.max(...bytes) - bytes[0], trend: late.length < 6 ? 0
        : Math.min(...late.slice(-part)) - Math.max(...late.slice(0, part)) };
    });
  };
}

// Runs a test; if it fails, the nodes tell what they saw.
async function told(t, run) {
  const begin = new Map(cluster.numbers.map((n) => [n, at(n)?.log().length ?? 0]));
  try {
    await run();
  } catch (error) {
    for (const n of cluster.numbers) {
      const log = at(n)?.log() ?? '';
      const from = log.length < begin.get(n) ? 0 : begin.get(n);
      t.diagnostic(`node ${n}:\n${log.slice(from).slice(-4000)}`);
    }
    throw error;
  }
}

// One fault, from which all recovers. `bring` lets it come and `heal` takes it
// away after `ms`; `dead` are those taken for dead as [of, by]; `hurt` are
// nodes cut off from node 1.
const trial = (t, fault) => told(t, () => endure(t, fault));

async function endure(t, { bring, heal, dead = [], hurt = [], ms = 8000, dies = false }) {
  const tabs = await everybody();
  stream = new Stream(cluster, people);
  await stream.flow();
  const whole = numbers.filter((n) => !hurt.includes(n));
  const senders = [1, 2];
  const weighed = weigh(senders);
  const before = stream.posted;
  const begin = performance.now();
  await bring();
  await Promise.all(dead.map(([of, by]) => givenUp(of, by)));
  const found = performance.now() - begin;
  // Events posted in a settled view reach all tabs.
  const live = tabs.filter((x) => dies || !hurt.includes(x.at));
  let calm;
  if (hurt.length > 0 && dead.length > 0) {
    await settled(...whole);
    await back(live);
    calm = stream.posted;
    const answer = await deliver(at(1), { type: 'nothing', payload: 0, to: { users: people } });
    assert.deepEqual([answer.partial, answer.unreachable], [true, hurt]);
  }
  await until(() => performance.now() - begin >= ms, ms, 'the fault to have lasted');
  const upset = stream.posted;
  const healed = performance.now();
  await heal(tabs);
  await cluster.formed();
  await agreed(tabs);
  const mended = performance.now() - healed;
  assert.ok(mended < 10000 * slow, `all was well only after ${mended} ms`);
  const again = stream.posted;
  await stream.flow();
  const { rate } = stream;
  await stream.end(tabs);
  t.diagnostic(`${stream.accepted.size} events, ${rate.toFixed(0)} a second; `
    + `${dead.length > 0 ? `found after ${found.toFixed(0)} ms, ` : ''}`
    + `mended within ${mended.toFixed(0)} ms`);

  assert.deepEqual(stream.failures, []);
  for (const tab of tabs) {
    stream.checkOrder(tab);
    stream.checkAll(tab, again);
    stream.checkAll(tab, 0, dies && tab.lives.length > 1 ? 0 : before);
    if (calm !== undefined && live.includes(tab))
      stream.checkAll(tab, calm, upset);
    if (whole.includes(tab.lives[0].node)) {
      assert.deepEqual(nodesOf(tab), [tab.lives[0].node], 'a bystander was disconnected');
      stream.checkAll(tab);
    } else if (dies) {
      stream.checkGaps(tab);
    } else {
      checkHole(tab, before, calm);
    }
  }
  for (const [i, { most, trend }] of (await weighed()).entries()) {
    t.diagnostic(`node ${senders[i]} grew by ${(most / MiB).toFixed(1)} MiB at most, `
      + `by ${(trend / MiB).toFixed(1)} MiB after 5 s`);
    if (slow === 1)
      assert.ok(most < 32 * MiB && trend < 4 * MiB, `${most} ${trend}`);
  }
}

// A tab of a node that lived on misses only what was posted until the node was
// there again, in one piece; and answers said so. What was sent before the node
// was given up came late.
function checkHole(tab, before, calm) {
  const all = stream.of(tab.user);
  const lost = all.filter((n) => !tab.seen.has(n));
  if (lost.length === 0)
    return;
  assert.ok(lost[0] >= before, `${tab} missed ${lost[0]}`);
  assert.ok(all.some((n) => n >= before && n < calm && tab.seen.has(n)),
    `${tab} got nothing of what was sent to its node`);
  const from = all.indexOf(lost[0]);
  assert.ok(same(lost, all.slice(from, from + lost.length)),
    `${tab} missed ${lost.length} from ${lost[0]} to ${lost.at(-1)}, but got others there`);
  const unsaid = lost.filter((n) => !stream.accepted.get(n).unreachable.includes(tab.at));
  assert.ok(unsaid.length === 0, `${tab} missed ${unsaid.length} events of ${lost.length} `
    + `(${lost[0]} to ${lost.at(-1)}) whose answers were whole, such as ${unsaid[0]}`);
}

const gone = [[3, 1], [3, 2]];
const apart = [[3, 1], [3, 2], [1, 3], [2, 3]];
const cut = (others, how) => ({
  bring: () => network.cut(3, others, how),
  heal: () => network.heal(3),
});

const signal = (n, name) => {
  stopped = undefined;
  at(n).program.child.kill(name);
  if (name === 'SIGSTOP')
    stopped = () => at(n).program.child.kill('SIGCONT');
};

describe('under 2,000 private events a second', { skip, timeout: 540000 * slow }, () => {
  test('a node is killed', (t) => trial(t, {
    bring: () => cluster.kill(3), heal: () => cluster.startNode(3), dead: gone, hurt: [3],
    dies: true,
  }));

  test('a node stands still', (t) => trial(t, {
    bring: () => signal(3, 'SIGSTOP'), heal: () => signal(3, 'SIGCONT'), dead: gone, hurt: [3],
  }));

  test('a node is cut off', (t) => trial(t, { ...cut([1, 2]), dead: apart, hurt: [3] }));

  test('a node is cut off for a moment and loses nothing', (t) =>
    trial(t, { ...cut([1, 2]), ms: 2000 }));

  test('a node hears nothing', (t) => trial(t, {
    ...cut([1, 2], { outgoing: false }), dead: apart, hurt: [3],
  }));

  test('a node is not heard', (t) => trial(t, {
    ...cut([1, 2], { incoming: false }), dead: apart, hurt: [3],
  }));

  test('two nodes lose each other, the third sees both', (t) => trial(t, {
    ...cut([2]), dead: [[3, 2], [2, 3]],
  }));

  test('a node has a slow link and loses nothing', async (t) => {
    const rate = '500kbit';
    try {
      network.slow(3, rate);
    } catch (error) {
      return t.skip(`the kernel cannot slow a link: ${String(error.stderr).trim()}`);
    }
    network.heal(3);
    // To see that it is slow: no tab there may have everything by then.
    let late;
    await trial(t, { bring: () => network.slow(3, rate), heal: (tabs) => {
      const seen = (n) => tabs.filter((x) => x.at === n).reduce((sum, x) => sum + x.seen.size, 0);
      late = seen(1) - seen(3);
      network.heal(3);
    } });
    assert.ok(slow > 1 || late > 0, 'the link was fast');
    t.diagnostic(`node 3 was ${late} events behind`);
  });

  test('all nodes are started anew, one after the other', (t) => told(t, async () => {
    const tabs = await everybody();
    stream = new Stream(cluster, people, { writers: numbers });
    await stream.flow();
    const marks = [];
    for (const n of numbers) {
      await back(tabs);
      await agreed(tabs);
      const held = new Map(people.map((id) => [id, new Set()]));
      for (const tab of tabs)
        if (tab.at !== n)
          held.get(tab.user).add(tab);
      assert.ok([...held.values()].some((x) => x.size > 0), 'nobody is elsewhere');
      marks.push({ from: stream.posted, held });
      await cluster.stopNode(n);
      await stream.flow();
      await cluster.startNode(n);
      await cluster.formed();
      await stream.flow();
      marks.at(-1).to = stream.posted;
    }
    await back(tabs);
    await agreed(tabs);
    await stream.end(tabs);
    t.diagnostic(`${stream.accepted.size} events accepted, ${stream.doubtful.size} posts without `
      + `an answer, ${tabs.reduce((sum, x) => sum + x.lives.length - 1, 0)} reconnects`);
    for (const tab of tabs) {
      stream.checkOrder(tab);
      stream.checkGaps(tab);
    }
    for (const { from, to, held } of marks)
      for (const others of held.values())
        for (const tab of others)
          stream.checkAll(tab, from, to);
  }));
});
