// Three nodes behind Debian's HAProxy and nginx, as the files that come along set
// them up, while one of the nodes stands still. Clients of the others go on.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { closeAll, connect, socket } from './support/clients.mjs';
import { Cluster, nodeOf } from './support/cluster.mjs';
import { slow, until, within } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { noHaproxy, noNginx, startHaproxy, startNginx } from './support/proxies.mjs';
import { startSite } from './support/site.mjs';

// Much less than the 75 s that a poll may take, much more than a check of a node.
const soon = 12000;
const frozen = 3;

let site;
let cluster;

before(async () => {
  if (noHaproxy && noNginx)
    return;
  site = await startSite();
  cluster = await Cluster.start({ site, changes: {
    proxy: { 'trusted-proxies': ['127.0.0.1'] },
    presence: { 'leave-grace': '0s' },
    limits: { 'per-ip-rate': 10000 },
  } });
});

after(async () => {
  closeAll();
  await cluster?.stop();
  await site?.close();
});

afterEach(async () => {
  closeAll();
  cluster?.signal(frozen, 'SIGCONT');
  await cluster?.formed();
});

const inOrder = () => cluster.numbers.map((n) => cluster.node(n));

// Clients by the balancer, until each node has three, as { user, node, socket, got,
// ends }. One that was left out comes back into its turn after a while.
async function crowd(url, way) {
  const tabs = [];
  const at = (n) => tabs.filter((x) => x.node === n).length;
  let i = 0;
  await until(async () => {
    const user = `${way}-${i++}`;
    const made = await connect(url, { session: user, way, reconnection: true,
      reconnectionDelay: 50, reconnectionDelayMax: 500 });
    const tab = { user, socket: made, node: nodeOf(made.io.engine.id), got: new Set(), ends: [] };
    if (at(tab.node) === 3) {
      made.disconnect();
      return false;
    }
    made.on('letter', (x) => tab.got.add(x.text));
    made.on('disconnect', (why) => tab.ends.push(why));
    tabs.push(tab);
    return cluster.numbers.every((n) => at(n) === 3);
  }, 30000, 'new sessions at all nodes');
  return tabs;
}

// Posts until each has a letter with this text: until a node is known to be dead,
// letters to users that have their records there are lost, and the answers say so.
async function reach(tabs, text) {
  const without = () => tabs.filter((x) => !x.got.has(text));
  await until(async () => {
    await deliver(cluster.node(1), without().map(({ user }) =>
      ({ type: 'letter', payload: { to: user, text } })));
    return without().length === 0;
  }, soon, `"${text}" at all`).catch((error) => {
    throw new Error(`${error.message}, not at ${without().map((x) => `${x.user} of node ${x.node}`)}`);
  });
}

for (const [name, startProxy, skip] of [
  ['HAProxy', startHaproxy, noHaproxy],
  ['nginx', (nodes) => startNginx(nodes, 'cluster/nginx.conf'), noNginx],
])
  describe(`behind ${name}`, { skip, timeout: 180000 * slow }, () => {
    let proxy;
    before(async () => { proxy = await startProxy(inOrder()); });
    after(() => proxy?.stop());

    for (const way of ['polling', 'websocket'])
      test(`a node that stands still costs those of others nothing: ${way}`, async () => {
        const tabs = await crowd(proxy.url, way);
        await reach(tabs, 'before');
        cluster.signal(frozen, 'SIGSTOP');
        const others = tabs.filter((x) => x.node !== frozen);
        // Before anything has noticed, and after.
        for (const text of ['at once', 'again', 'and again'])
          await reach(others, text);
        await cluster.says('dead', frozen, 20000);
        await reach(others, 'later');
        for (const tab of others)
          assert.deepEqual(tab.ends, [], `${tab.user} of node ${tab.node} was cut off`);
        // A newcomer that polls is served by one that lives.
        const late = socket(proxy.url, { session: `late-${way}`, way: 'polling', reconnection: true });
        await within(new Promise((resolve) => { late.once('connect', resolve); }), 15000 * slow,
          'a newcomer');
        assert.notEqual(nodeOf(late.io.engine.id), frozen);
      });

    test('a node that comes to itself takes part again', async () => {
      const tabs = await crowd(proxy.url, 'polling');
      await reach(tabs, 'all is well');
    });
  });

describe('behind HAProxy', { skip: noHaproxy, timeout: 120000 * slow }, () => {
  let proxy;
  before(async () => { proxy = await startHaproxy(inOrder()); });
  after(() => proxy?.stop());

  test('clients of the node that stands still come to another one', async () => {
    const tabs = await crowd(proxy.url, 'polling');
    cluster.signal(frozen, 'SIGSTOP');
    const those = tabs.filter((x) => x.node === frozen);
    await until(() => those.every((x) => x.socket.connected && x.ends.length > 0
      && nodeOf(x.socket.io.engine.id) !== frozen), 20000, 'them to be back');
  });

  test('a node that drains is told to it by 404, and gets no new sessions', async () => {
    const ready = async (query) =>
      (await fetch(`${cluster.node(2).operationsUrl}/readyz${query}`)).status;
    assert.equal(await ready('?not-ready=404'), 200);
    const response = await fetch(`${cluster.node(1).operationsUrl}/api/v1/cluster/drain/2`,
      { method: 'POST' });
    assert.equal(response.status, 200);
    await until(async () => await ready('') === 503, 5000, 'node 2 to drain');
    assert.equal(await ready('?not-ready=404'), 404);
    // HAProxy asks once a second; until then node 2 answers newcomers with 503.
    const newcomers = () => Promise.all(Array.from({ length: 6 }, async (_, i) =>
      nodeOf((await connect(proxy.url, { session: `drain-${i}`, way: 'polling' })).io.engine.id)));
    await until(async () => {
      const all = await newcomers().catch(() => [2]);
      closeAll();
      return !all.includes(2);
    }, 10000, 'new sessions to go elsewhere');
  });
});
