// Three nodes that are one router: receivers of events, sessions that hop from node
// to node behind a balancer without affinity, and nodes that die, stand still, or
// are called by strangers.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import tls from 'node:tls';

import { startBalancer } from './support/balancer.mjs';
import { ask, closeAll, connect, disconnected, next } from './support/clients.mjs';
import { Cluster, makeCertificates, nodeOf } from './support/cluster.mjs';
import { slow, until, within } from './support/deadline.mjs';
import { closeAll as closeTabs, connect as connectTab } from './support/generations.mjs';
import { call, deliver, user } from './support/ingest.mjs';
import { metric } from './support/metrics.mjs';
import { Connection } from './support/raw.mjs';
import { startSite } from './support/site.mjs';

const numbers = [1, 2, 3];
const range = (count, first = 0) => Array.from({ length: count }, (_, i) => first + i);
const letter = (to, text, more = {}) => ({ type: 'letter', payload: { to, text }, ...more });
const announcement = (payload) => ({ type: 'announcement', payload });

let site;
let cluster;
let balancer;
// What is like a router, for those that come by the balancer.
let front;

before(async () => {
  site = await startSite();
  cluster = await Cluster.start({ site, changes: { presence: { 'leave-grace': '0s' } } });
  balancer = await startBalancer(cluster.ports);
  front = { publicUrl: balancer.url, public: { host: '127.0.0.1', port: balancer.port } };
});

after(async () => {
  closeAll();
  closeTabs();
  await balancer?.close();
  await cluster?.stop();
  await site?.close();
});

afterEach(() => {
  closeAll();
  closeTabs();
  balancer.answers.length = 0;
});

const at = (n) => cluster.node(n);

// Resolves when every node knows so many connections of the user.
const known = (id, count) => until(async () => {
  const records = await Promise.all(cluster.nodes.map((x) => user(x, id)));
  return records.every((x) => x.connections.length === count
    && x.online === count > 0) && records;
}, 5000, `${count} connections of ${id} on every node`);

// A tab of the user at each node, which all nodes know.
async function everywhere(session, options = {}) {
  const tabs = await Promise.all(numbers.map((n) => connect(at(n).publicUrl,
    { session, way: n === 2 ? 'polling' : 'websocket', ...options })));
  await known(session, numbers.length);
  return tabs;
}

// What is posted at the same node before comes before.
let fences = 0;
async function fence(tabs, node = at(1)) {
  const mark = `fence ${++fences}`;
  await deliver(node, announcement(mark));
  await Promise.all(tabs.map((x) => next(x, 'announcement', (y) => y === mark, 10000)));
}

const received = (tab, event) => tab.received.items.filter((x) => x.event === event)
  .map((x) => x.args[0]);
const texts = (tab) => received(tab, 'letter').map((x) => x.text);
const counted = (tab) => received(tab, 'announcement').filter(Number.isInteger);

describe('three nodes', () => {
  test('take a private event to each tab of its user once, and to nobody else', async () => {
    const tabs = await everywhere('anna');
    const other = await connect(at(2).publicUrl, { session: 'ben' });
    for (const n of numbers) {
      const answer = await deliver(at(n), letter('anna', n));
      assert.deepEqual([answer.matched, answer.online], [1, 3]);
      await fence([...tabs, other], at(n));
    }
    for (const tab of tabs)
      assert.deepEqual(texts(tab), numbers);
    assert.deepEqual(texts(other), []);
  });

  test('take what each was posted to everybody, once and in order', async () => {
    const tabs = await everywhere('anna');
    await Promise.all(numbers.map((n) =>
      deliver(at(n), range(100).map((i) => announcement(1000 * n + i)))));
    for (const n of numbers)
      await fence(tabs, at(n));
    for (const tab of tabs)
      for (const n of numbers)
        assert.deepEqual(counted(tab).filter((x) => Math.floor(x / 1000) === n),
          range(100, 1000 * n));
  });

  test('know who is online with which connections, whoever is asked', async () => {
    const tabs = await everywhere('anna');
    const ids = tabs.map((x) => x.id).sort();
    for (const record of await known('anna', 3)) {
      assert.deepEqual(record.connections.map((x) => x.id).sort(), ids);
      assert.deepEqual(record.connections.map((x) => x.transport).sort(),
        ['polling', 'websocket', 'websocket']);
    }
    for (const n of numbers) {
      const { status, body } = await call(at(n), '/api/v1/users/online',
        { json: { ids: ['anna', 'nobody'] } });
      assert.equal(status, 200);
      assert.deepEqual(body.online, { anna: true, nobody: false });
    }
  });

  test('throw a user out everywhere, whoever is told to', async () => {
    const tabs = await everywhere('anna');
    const gone = Promise.all(tabs.map(disconnected));
    const { body } = await call(at(2), '/api/v1/users/anna/disconnect', { json: {} });
    assert.deepEqual(body, { ok: true, connections: 3 });
    await gone;
    await known('anna', 0);
  });

  test('bring a confirm back to the node that asked for it', async () => {
    const tab = await connect(at(3).publicUrl, { session: 'anna' });
    await connect(at(2).publicUrl, { session: 'ben' });
    await Promise.all([known('anna', 1), known('ben', 1)]);
    tab.on('note', (text, ack) => ack('seen'));
    const answer = await deliver(at(1), { type: 'note', payload: 'x',
      to: { users: ['anna', 'ben', 'nobody'] }, confirm: { deadline_ms: 1000 * slow } });
    assert.deepEqual(answer.confirmed,
      { anna: 'delivered', ben: 'timed_out', nobody: 'offline' });
  });

  test('have their rooms in common', async () => {
    site.users.set('carla', { user_id: 'carla', rooms: ['harbour'] });
    const [tabs, carla] = await Promise.all([everywhere('anna'),
      connect(at(3).publicUrl, { session: 'carla' })]);
    const rooms = async (n, json) =>
      (await call(at(n), '/api/v1/users/anna/rooms', { json })).body;
    const note = (n, text) => deliver(at(n),
      { type: 'room-note', payload: { room: 'harbour', text } });
    assert.equal((await note(1, 'before')).online, 1);
    assert.equal((await rooms(2, { join: ['harbour'] })).connections, 3);
    assert.equal((await note(2, 'in')).online, 4);
    assert.equal((await rooms(3, { leave: ['harbour'] })).connections, 3);
    assert.equal((await note(3, 'after')).online, 1);
    for (const n of numbers)
      await fence([...tabs, carla], at(n));
    const heard = (tab) => received(tab, 'room-note').map((x) => x.text).sort();
    assert.deepEqual(heard(carla), ['after', 'before', 'in']);
    for (const tab of tabs)
      assert.deepEqual(heard(tab), ['in']);
  });
});

describe('behind a balancer without affinity', () => {
  // Opens a client of the generation; `tab.user` is its user.
  async function open(version, way, session) {
    const tab = await connectTab(front, { version, way, session });
    await known(session, 1);
    return Object.assign(tab, { user: session });
  }

  // Posts so many numbered events to the users of all tabs and awaits them.
  async function count(tabs, total, batch) {
    const to = { users: tabs.map((x) => x.user) };
    for (let n = 0; n < total; n += batch) {
      await deliver(at(1), range(batch, n).map((i) => ({ type: 'count', args: [i], to })));
      await Promise.all(tabs.map((tab) => tab.received.when(
        () => tab.received.items.length >= n + batch || undefined,
        20000, () => `${n + batch} events, only ${tab.received.items.length}`)));
    }
    for (const tab of tabs) {
      assert.deepEqual(tab.received.items.map((x) => x.args[0]), range(total));
      assert.deepEqual(tab.life.items.map((x) => x.event), ['connect']);
    }
  }

  const refused = () => balancer.answers.filter((x) => x.status >= 400);

  test('pollers of all generations get 10,000 events in order', async () => {
    const tabs = await Promise.all([['4.8', 'polling'], ['2.5', 'polling'],
      ['0.9', 'xhr-polling']].map(([version, way]) => open(version, way, `poller-${version}`)));
    await count(tabs, 10000, 250);
    for (const tab of tabs)
      for (const n of range(20))
        assert.deepEqual(await tab.ask('question', n), ['question', n]);
    assert.deepEqual(refused(), []);
    // Every session was served by every node.
    const places = new Map();
    for (const { url, port } of balancer.answers) {
      const [, sid] = /(?:[?&]sid=|xhr-polling\/)([\w-]{35})/.exec(url) ?? [];
      if (sid)
        places.set(sid, (places.get(sid) ?? new Set()).add(port));
    }
    assert.deepEqual([...places.values()].map((x) => x.size), [3, 3, 3]);
  });

  // Three of each, so that session and WebSocket are on every pair of nodes.
  for (const [version, way] of [['4.8', 'upgrade'], ['2.5', 'upgrade'], ['0.9', 'websocket']])
    test(`clients ${version} come to a WebSocket by ${way} and lose nothing`, async () => {
      const tabs = [];
      for (const n of range(9))
        tabs.push(await open(version, way, `${way}-${version}-${n}`));
      assert.deepEqual(tabs.map((x) => x.transport()), tabs.map(() => 'websocket'));
      await count(tabs, 300, 50);
      for (const tab of tabs)
        assert.deepEqual(await tab.ask('question', 1), ['question', 1]);
      assert.deepEqual(refused(), []);
    });
});

describe('a node in trouble', () => {
  // Posts numbers to all at node 1 until it is told to end; resolves to
  // how many there were.
  function posting() {
    let over = false;
    const all = (async () => {
      let n = 0;
      for (; !over; n++)
        await deliver(at(1), announcement(n));
      return n;
    })();
    all.catch(() => {});
    return { end: () => { over = true; return all; } };
  }

  const back = (tabs) => until(() => tabs.every((x) => x.connected), 15000, 'all to be back');
  const rising = (xs) => xs.every((x, i) => i === 0 || x > xs[i - 1]);

  test('that is killed takes along only its own connections, which come back', async () => {
    const stayers = await Promise.all([1, 3].map((n) =>
      connect(at(n).publicUrl, { session: 'stayer' })));
    const movers = await Promise.all(range(12).map((i) => connect(balancer.url, {
      session: `mover-${i}`, way: i % 2 ? 'polling' : 'websocket',
      reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 500,
    })));
    const there = movers.filter((x) => nodeOf(x.io.engine.id) === 2);
    assert.ok(there.length > 0, 'none of them is at node 2');
    const posts = posting();
    const left = within(Promise.all(there.map((x) =>
      new Promise((resolve) => { x.once('disconnect', resolve); }))), 15000, 'all to leave');
    await cluster.kill(2);
    await cluster.says('dead', 2);
    await left;
    await back(movers);
    const total = await posts.end();
    await fence([...stayers, ...movers]);
    for (const tab of stayers)
      assert.deepEqual(counted(tab), range(total));
    for (const [i, tab] of movers.entries()) {
      assert.ok(rising(counted(tab)), 'twice, or out of order');
      await known(`mover-${i}`, 1);
      await deliver(at(3), letter(`mover-${i}`, 'again'));
      await next(tab, 'letter', (x) => x.text === 'again');
    }
    // It comes back under its number.
    await cluster.startNode(2);
    await cluster.formed();
    const tab = await connect(at(2).publicUrl, { session: 'anna' });
    await fence([tab, ...stayers, ...movers]);
    await fence([tab, ...stayers, ...movers], at(2));
  });

  test('that stands still for a moment loses nothing', async () => {
    const tab = await connect(at(3).publicUrl, { session: 'anna' });
    await known('anna', 1);
    cluster.signal(3, 'SIGSTOP');
    setTimeout(() => cluster.signal(3, 'SIGCONT'), 1500);
    for (let n = 0; n < 1000; n += 100)
      await deliver(at(1), range(100, n).map(announcement));
    await fence([tab]);
    assert.deepEqual(counted(tab), range(1000));
    assert.equal(await cluster.state(3, 1), 'up');
    assert.ok(tab.connected);
  });

  test('that stands still for long is dead, and comes again', async () => {
    const tabs = await everywhere('anna', { reconnection: true, reconnectionDelay: 50 });
    const pid = at(3).program.child.pid;
    cluster.signal(3, 'SIGSTOP');
    try {
      await cluster.says('dead', 3, 8000);
      await deliver(at(1), range(10).map(announcement));
      await fence(tabs.slice(0, 2));
      for (const n of [1, 2])
        assert.equal((await user(at(n), 'anna')).connections.length, 2);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await cluster.formed();
    await back(tabs);
    await known('anna', 3);
    for (const n of numbers)
      await fence(tabs, at(n));
    for (const [i, tab] of tabs.entries())
      assert.ok(rising(counted(tab)) && (i === 2 || counted(tab).length === 10));
  });
});

describe('strangers at cluster.listen', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-strangers-'));
  const foreign = makeCertificates(folder, ['node1']);
  after(() => rmSync(folder, { recursive: true }));

  const giant = Buffer.alloc(64, 0xff);
  // What CAF's broker would take, to its harm, from a peer: messages of BASP.
  const number = (x, size) => {
    const out = Buffer.alloc(8);
    out.writeBigUInt64BE(BigInt(x));
    return out.subarray(8 - size);
  };
  const message = (type, data, target, payload = Buffer.alloc(0)) => Buffer.concat([
    number(type, 1), number(0, 3), number(payload.length, 4), number(data, 8), number(0, 8),
    number(target, 8), payload]);
  const self = Buffer.concat([number(0x3e9aab9bac79n, 8), number(99, 4), Buffer.alloc(20, 7)]);
  const greeting = message(1, 0, 0, self);
  const value = (type, bytes) => message(2, 1n << 60n, 15, Buffer.concat([
    number(0, 3), Buffer.from([type.length + 4]), Buffer.from(`@<>+${type}`), bytes]));
  const nested = Buffer.concat(Array.from({ length: 3000 }, () => Buffer.concat([
    number(0, 2), Buffer.from([12]), Buffer.from('@<>+@message')])));

  // Each resolves when it was hung up on. Peers that could stay could come by thousands.
  function overTls(port, cert, key, bytes) {
    const made = tls.connect({ host: '127.0.0.1', port, cert, key, rejectUnauthorized: false },
      () => made.write(bytes));
    const over = new Promise((resolve) => {
      made.on('error', () => {}).on('close', resolve).resume();
    });
    return within(over, 20000, 'the end of TLS').finally(() => made.destroy());
  }

  const asNode = (port, bytes) =>
    overTls(port, cluster.files('node3.pem'), cluster.files('node3.key'), bytes);

  async function overTcp(port, bytes) {
    const made = await Connection.open(port);
    made.write(bytes);
    return made.closed(20000).finally(() => made.destroy());
  }

  const strangers = {
    'garbage': (port) => overTcp(port, randomBytes(4096)),
    'HTTP': (port) => overTcp(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    'a giant length': (port) => overTcp(port, giant),
    'silence': (port) => overTcp(port, ''),
    'a foreign certificate': (port) =>
      overTls(port, foreign('node1.pem'), foreign('node1.key'), giant),
    'no certificate': (port) => overTls(port, undefined, undefined, giant),
    'a node that says a giant length': (port) => asNode(port, giant),
    'a node that says garbage': (port) => asNode(port, randomBytes(4096)),
    'a node that greets with nothing': (port) => asNode(port, message(1, 0, 0)),
    'a node that greets as if it was called': (port) => asNode(port, message(0, 3, 0)),
    'a node that greets twice with nothing': (port) =>
      asNode(port, Buffer.concat([greeting, message(1, 0, 0)])),
    'a node whose value announces 4 GiB': (port) =>
      asNode(port, Buffer.concat([greeting,
        value('@charbuf', Buffer.from([255, 255, 255, 255, 15]))])),
    'a node whose value has no end': (port) =>
      asNode(port, Buffer.concat([greeting, value('@message', nested)])),
    'a node that ends the actors of others': (port) =>
      asNode(port, Buffer.concat([greeting, value('@exit', Buffer.concat([number(1, 8), self,
        number(4, 1), number(0xfabdbb9, 8), number(0, 2), Buffer.from([3]),
        Buffer.from('@<>')]))])),
    'a node that says what none does': (port) =>
      asNode(port, Buffer.concat([greeting, message(7, 0, 0, Buffer.from('x'))])),
  };

  for (const [name, visit] of Object.entries(strangers))
    test(`${name} is turned away and disturbs nobody`, async () => {
      const [port] = cluster.peers;
      const tabs = await everywhere('anna');
      const crowd = (count) => Promise.all(range(count).map(() => visit(port)));
      await crowd(200);
      const before = await metric(at(1), 'resident_memory_bytes');
      await Promise.all([crowd(200),
        ...range(20).map((n) => deliver(at(1), announcement(n)))]);
      const grown = await metric(at(1), 'resident_memory_bytes') - before;
      assert.ok(slow > 1 || grown < 8 * 1024 * 1024, `it grew by ${grown} bytes`);
      for (const of of numbers)
        for (const by of numbers)
          assert.equal(of === by || await cluster.state(of, by), of === by || 'up');
      await fence(tabs);
      for (const tab of tabs) {
        assert.deepEqual(counted(tab).sort((x, y) => x - y), range(20));
        assert.deepEqual(await ask(tab, 'question', 1), ['question', 1]);
      }
    });
});
