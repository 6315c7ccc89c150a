// Restarts in good order under load: whom an answer counts as online gets the
// event, and the others were told of as offline; keys outlive the nodes.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { startBalancer } from './support/balancer.mjs';
import { closeAll, connect } from './support/clients.mjs';
import { Cluster } from './support/cluster.mjs';
import { slow, until } from './support/deadline.mjs';
import { deliver, post } from './support/ingest.mjs';
import { freePort, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const people = Array.from({ length: 60 }, (_, i) => `user-${i}`);
const drain = 1;
const batch = 20;
// Posts that may wait for their answers; a machine that cannot keep up makes the
// load lighter, not longer.
const most = 50;

// Posts numbered events to everybody in turns, and notes what was answered.
class Load {
  posted = 0;
  // By number: { user, online, partial }.
  answered = new Map();
  #router;
  #busy = new Set();
  #timer;
  #over = false;

  // `router` returns whom to post to.
  constructor(router, rate = 2000 / slow) {
    this.#router = router;
    const begin = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      const due = Math.floor((performance.now() - begin) * rate / 1000 / batch);
      for (; sent < due; sent++)
        if (this.#busy.size < most)
          this.#send();
    }, 10);
  }

  #send() {
    const events = Array.from({ length: batch }, () => {
      const n = this.posted++;
      return { type: 'count', payload: n, to: { users: [people[n % people.length]] } };
    });
    const task = (async () => {
      const { status, body } = await post(this.#router(), events);
      assert.equal(status, 200);
      for (const [i, { payload, to }] of events.entries())
        if (body[i].ok)
          this.answered.set(payload, { user: to.users[0], ...body[i] });
      // A node that ends answers no more: nothing is known of what it was sent.
    })().catch(() => {}).finally(() => this.#busy.delete(task));
    this.#busy.add(task);
  }

  // Resolves when so many more events were answered.
  flow(count = 1000 / slow) {
    const enough = this.answered.size + count;
    return until(() => this.answered.size >= enough, 20000, `${count} more events`);
  }

  async end() {
    clearInterval(this.#timer);
    await Promise.all(this.#busy);
  }
}

// A tab of each, every fourth by long-polling; they come back by themselves.
function open(url) {
  return Promise.all(people.map(async (session, i) => {
    const socket = await connect(url, { session, way: i % 4 === 0 ? 'polling' : 'websocket',
      reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 300 });
    const tab = { user: session, socket, got: [], lives: 1 };
    socket.on('connect', () => { tab.lives++; });
    socket.on('count', (n) => tab.got.push(n));
    return tab;
  }));
}

const back = (tabs) => until(() => tabs.every((x) => x.socket.connected), 20000,
  'all tabs to be back');

// What was answered is what came.
function check(load, tabs) {
  const got = new Map();
  for (const tab of tabs) {
    assert.equal(new Set(tab.got).size, tab.got.length, `${tab.user} got an event twice`);
    for (const n of tab.got) {
      const answer = load.answered.get(n);
      assert.ok(!answer || answer.user === tab.user, 'it is for somebody else');
      got.set(n, (got.get(n) ?? 0) + 1);
    }
  }
  const lost = [];
  const unsaid = [];
  let offline = 0;
  for (const [n, { online, partial }] of load.answered) {
    if ((got.get(n) ?? 0) < online)
      lost.push(n);
    // Of a node that could not be reached nobody knows.
    else if (!partial && got.get(n) > online)
      unsaid.push(n);
    offline += online === 0 ? 1 : 0;
  }
  const all = load.answered.size;
  assert.deepEqual(lost, [], `${lost.length} of ${all} were counted as online and are lost: `
    + lost.map((n) => `${load.answered.get(n).user} #${n}`).join(', '));
  assert.deepEqual(unsaid, [], `${unsaid.length} of ${all} came and were not counted: `
    + unsaid.map((n) => `${load.answered.get(n).user} #${n}`).join(', '));
  return { all, offline };
}

// Everybody gets one more event, so that what was before has come.
async function flush(load, tabs, router) {
  await load.end();
  await back(tabs);
  const seen = new Set();
  tabs.forEach((x) => x.socket.on('last', () => seen.add(x.user)));
  await until(async () => {
    const missing = people.filter((x) => !seen.has(x));
    if (missing.length > 0)
      await deliver(router, missing.map((x) =>
        ({ type: 'last', payload: 0, to: { users: [x] } })));
    return missing.length === 0;
  }, 10000, 'everybody to get the last event');
}

let site;
before(async () => { site = await startSite(); });
after(() => site?.close());
afterEach(closeAll);

test('a router that is restarted loses nothing that it said was taken', async () => {
  const ports = [await freePort(), await freePort()];
  const start = () => startRouter({ site, changes: {
    listen: { public: `127.0.0.1:${ports[0]}`, ingest: `127.0.0.1:${ports[1]}`,
      operations: '127.0.0.1:0' },
    limits: { 'per-ip-rate': 10000 },
    router: { 'drain-seconds': drain },
    log: { level: 'info' },
  } });
  let router = await start();
  const tabs = await open(router.publicUrl);
  const load = new Load(() => router);
  for (let round = 0; round < 2; round++) {
    await load.flow();
    await router.stop();
    router = await start();
    await back(tabs);
  }
  await load.flow();
  await flush(load, tabs, router);
  const { all, offline } = check(load, tabs);
  assert.ok(offline > 0 && offline < all, `${offline} of ${all} were told as offline`);
  assert.ok(tabs.every((x) => x.lives === 3), 'each came back twice');
  await router.stop();
});

describe('three nodes', () => {
  let cluster;
  let balancer;

  before(async () => {
    cluster = await Cluster.start({ site, changes: {
      limits: { 'per-ip-rate': 10000 },
      router: { 'drain-seconds': drain },
      log: { level: 'info' },
    } });
    balancer = await startBalancer(cluster.fronts);
  });

  after(async () => {
    await balancer?.close();
    await cluster?.stop();
  });

  // Restarts a node in good order, while `others` may post elsewhere.
  async function restart(n) {
    await cluster.stopNode(n);
    await cluster.startNode(n);
    await cluster.formed();
  }

  test('restarted one by one they lose nothing that they said was taken', async () => {
    const tabs = await open(balancer.url);
    let resting = 0;
    let turn = 0;
    // The site knows which node is being restarted, but not when it ends.
    const load = new Load(() => {
      const all = cluster.numbers.filter((n) => cluster.node(n));
      const best = all.filter((n) => n !== resting);
      const from = turn++ % 10 === 0 ? all : best;
      return cluster.node(from[turn % from.length]);
    });
    for (const n of cluster.numbers) {
      await load.flow();
      resting = n;
      await restart(n);
      resting = 0;
      await back(tabs);
    }
    await load.flow();
    await flush(load, tabs, cluster.node(1));
    const { all, offline } = check(load, tabs);
    assert.ok(offline < all / 2, `${offline} of ${all} were told as offline`);
    assert.ok(tabs.some((x) => x.lives > 1), 'nobody had to come back');
  });

  test('an idempotency key is known after each of them was restarted', async () => {
    const events = Array.from({ length: 300 }, (_, i) =>
      ({ type: 'count', payload: i, to: { users: [people[0]] }, key: `rolling-${i}` }));
    const repeats = (answers) => answers.filter((x) => x.dup).length;
    const first = await Promise.all(cluster.numbers.map((n) =>
      deliver(cluster.node(n), events.slice((n - 1) * 100, n * 100))));
    assert.equal(repeats(first.flat()), 0);
    for (const n of cluster.numbers) {
      await cluster.stopNode(n);
      for (const other of cluster.numbers.filter((x) => x !== n))
        assert.equal(repeats(await deliver(cluster.node(other), events)), events.length,
          `posted again at node ${other} without node ${n}`);
      await cluster.startNode(n);
      await cluster.formed();
      assert.equal(repeats(await deliver(cluster.node(n), events)), events.length,
        `posted again at node ${n}`);
    }
  });
});
