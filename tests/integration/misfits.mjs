// Nodes that are configured so that they cannot be one router, or not quite: each
// says what is wrong, and whose setting it is.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { makeCertificates } from './support/cluster.mjs';
import { until } from './support/deadline.mjs';
import { metric } from './support/metrics.mjs';
import { freePort, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-misfits-'));
const at = (name) => path.join(folder, name);
const soon = 15000;
const running = [];
let site;
let ports;

before(async () => {
  site = await startSite();
  makeCertificates(at('one'), ['node1', 'node2']);
  makeCertificates(at('other'), ['node2']);
  expire('one', 'node2', 'expired');
});

after(async () => {
  await site?.close();
  rmSync(folder, { recursive: true });
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((x) => x.stop()));
});

// Makes a certificate of the same key that ended yesterday.
function expire(cluster, name, as) {
  const file = (x) => at(`${cluster}/${x}`);
  execFileSync('openssl', ['req', '-new', '-key', file(`${name}.key`), '-subj', `/CN=${as}`,
    '-out', file('request')], { stdio: 'pipe' });
  execFileSync('openssl', ['x509', '-req', '-in', file('request'), '-CA', file('ca.pem'),
    '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '-1', '-out', file(`${as}.pem`)],
  { stdio: 'pipe' });
}

const certified = (cluster, name, key = name) => ({
  certificate: at(`${cluster}/${name}.pem`), key: at(`${cluster}/${key}.key`),
  ca: at(`${cluster}/ca.pem`),
});

// Starts nodes at once; each is { node, cluster, changes }.
async function start(...nodes) {
  ports = [];
  while (ports.length < nodes.length)
    ports.push(await freePort());
  for (const [i, { node = i + 1, cluster = {}, changes = {} }] of nodes.entries())
    running.push(await startRouter({ site, changes: { ...changes,
      router: { node, 'drain-seconds': 0 },
      cluster: { name: 'test', 'sid-key': 'k'.repeat(32), listen: `127.0.0.1:${ports[i]}`,
        seeds: ports.map((port) => `127.0.0.1:${port}`), ...cluster },
    } }));
  return running;
}

const status = async (router) =>
  (await fetch(`${router.operationsUrl}/api/v1/cluster`)).json();
const ready = async (router) => {
  const response = await fetch(`${router.operationsUrl}/readyz`);
  return [response.status, await response.text()];
};
const says = (router, words) => until(() => words.test(router.log()), soon, `the log to say ${words}`)
  .catch((error) => { throw new Error(`${error.message}:\n${router.log().slice(-3000)}`); });

test('nodes with different sid keys do not link, and say so', async () => {
  const [a, b] = await start({}, { cluster: { 'sid-key': 'x'.repeat(32) } });
  await Promise.race([a, b].map((x) => says(x, /refused node \d at .*: its cluster\.sid-key is another one/)));
  await Promise.race([a, b].map((x) => says(x, /cannot link to .*: it refused: its cluster\.sid-key/)));
  assert.deepEqual((await status(a)).members, []);
  for (const secret of ['k'.repeat(32), 'x'.repeat(32)])
    for (const router of [a, b])
      assert.ok(!router.log().includes(secret));
});

test('settings that differ are named in log, status and metrics', async () => {
  const rules = [{ namespace: '*', type: 'letter', to: 'user', pointer: '/elsewhere' }];
  const namespaces = [{ name: '/' }];
  const keys = [{ name: 'test', key: 'another-key-0123456789' }];
  const [a, b] = await start({}, { changes: { rules, namespaces, ingest: { keys } } });
  for (const [router, node] of [[a, 2], [b, 1]]) {
    await says(router, new RegExp(`node ${node} at .* differs from this one in `
      + 'namespaces, rules, ingest.keys'));
    const { members } = await status(router);
    assert.deepEqual(members[0].differs, ['namespaces', 'rules', 'ingest.keys']);
    assert.equal(await metric(router, `peer_settings_differ{node="${node}"}`), 3);
    assert.deepEqual(await ready(router), [200, 'ready\n']);
    assert.ok(!router.log().includes('another-key'));
  }
});

test('of two nodes with one number the younger one is not ready', async () => {
  const [a, b] = await start({ node: 7 }, { node: 7 });
  await says(b, /not ready: router\.node 7 belongs to another node, says the one at 127/);
  await until(async () => (await ready(b))[0] === 503, soon, 'readyz to turn');
  assert.match((await ready(b))[1], /^not ready: router\.node 7 belongs to another node/);
  assert.equal(await metric(b, 'cluster_conflict'), 1);
  assert.match((await status(b)).conflict, /router\.node 7/);
  assert.deepEqual(await ready(a), [200, 'ready\n']);
  assert.equal(await metric(a, 'cluster_conflict'), 0);
  await says(a, /refused node 7 at .*: its number 7 is taken; give each node its own router\.node/);
});

describe('certificates', () => {
  test('one that has expired is named by both sides', async () => {
    const [a, b] = await start({ cluster: certified('one', 'node1') },
      { cluster: certified('one', 'expired', 'node2') });
    await says(b, /other nodes will refuse this one: cluster\.certificate .*expired\.pem, checked against cluster\.ca .*ca\.pem: .*CN ?= ?expired .* has expired on \d{4}-/);
    await says(a, /cannot link to the node at .*: its certificate is refused, .*CN ?= ?expired .* has expired on/);
    await says(b, /cannot link to the node at .*: it refuses this node's cluster\.certificate .*expired\.pem, .*CN ?= ?expired .*: it has expired/);
  });

  test('one of another authority is named by both sides', async () => {
    const [a, b] = await start({ cluster: certified('one', 'node1') },
      { cluster: { ...certified('other', 'node2'), ca: at('one/ca.pem') } });
    await says(b, /other nodes will refuse this one: cluster\.certificate .*other\/node2\.pem/);
    await says(a, /cannot link to the node at .*: its certificate is refused, .*node2/);
    await says(b, /cannot link to the node at .*: it refuses this node's cluster\.certificate .*: it is not signed by the authority in cluster\.ca there/);
  });

  test('nodes with good ones say nothing of them', async () => {
    const [a, b] = await start({ cluster: certified('one', 'node1') },
      { cluster: certified('one', 'node2') });
    await until(async () => (await status(a)).members[0]?.state === 'up', soon, 'the link');
    for (const router of [a, b])
      assert.doesNotMatch(router.log(), /cannot link to the node|certificate/);
  });
});
