// Debian's nginx and HAProxy in front of the router, with the configurations that
// come along.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { ask, closeAll, connect, next, refused, socket, transport } from './support/clients.mjs';
import { until, within } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { freePort, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const [nginx, haproxy] = ['nginx', 'haproxy'].map((name) => [name, `/usr/sbin/${name}`]
  .find((x) => spawnSync(x, ['-v']).status === 0));
const configs = new URL('../../configs/', import.meta.url);
const skip = nginx === undefined && 'install nginx-light: nginx is missing';

// Puts one text in the place of another, which must be there once.
function put(text, from, to) {
  assert.equal(text.split(from).length, 2, `the configuration has "${from}" once`);
  return text.replace(from, to);
}

// Starts nginx in front of the router, which is every upstream of the
// configuration; resolves to { url, port, stop }.
async function startNginx(router, config = 'nginx.conf') {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-nginx-'));
  const port = await freePort();
  let server = readFileSync(new URL(config, configs), 'utf8');
  server = server.replace(/^ {2}server [\d.]+:8400/gm, `  server 127.0.0.1:${router.public.port}`);
  assert.ok(server.includes(`:${router.public.port}`));
  server = put(server, 'listen 80;', `listen 127.0.0.1:${port};`);
  server = put(server, 'server_name push.example.test;', 'server_name _;');
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((x) => `${x}_temp_path ${folder}/${x};`).join('\n');
  mkdirSync(path.join(folder, 'logs'));
  const user = process.getuid() === 0 ? 'user root;' : '';
  writeFileSync(path.join(folder, 'nginx.conf'), `${user}
daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log stderr warn;
events { worker_connections 512; }
http {
access_log off;
${places}
${server}
}
`);
  return run(folder, port, nginx,
    ['-p', folder, '-e', 'stderr', '-c', `${folder}/nginx.conf`]);
}

// Starts HAProxy in front of the router, which is all its servers.
async function startHaproxy(router) {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-haproxy-'));
  const port = await freePort();
  let text = readFileSync(new URL('cluster/haproxy.cfg', configs), 'utf8');
  text = put(text, '  bind :80\n', `  bind 127.0.0.1:${port}\n`);
  text = put(text, 'check port 8402', `check port ${router.operations.port}`);
  text = text.replace(/10\.0\.0\.\d:8400$/gm, `127.0.0.1:${router.public.port}`);
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(file, text);
  const checked = spawnSync(haproxy, ['-c', '-f', file], { encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stderr);
  assert.doesNotMatch(checked.stderr, /WARNING|ALERT/);
  return run(folder, port, haproxy, ['-db', '-f', file]);
}

// Runs a proxy until it is stopped, and removes its folder then.
async function run(folder, port, command, words) {
  const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  let running = true;
  child.stderr.on('data', (x) => { log += x; });
  const exited = new Promise((resolve) => { child.once('close', resolve); });
  exited.then(() => { running = false; });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => {
    assert.ok(running, `the proxy ended: ${log}`);
    return fetch(`${url}/`).then((x) => x.status, () => 0);
  }, 10000, 'the proxy');
  return {
    url, port,
    log: () => log,
    async stop() {
      child.kill('SIGTERM');
      await within(exited, 10000, 'the end of the proxy');
      rmSync(folder, { recursive: true });
    },
  };
}

// A browser at that address of this machine.
const from = (localAddress) => ({ agent: new http.Agent({ localAddress }) });

async function start(trusted, startProxy = startNginx) {
  const site = await startSite();
  const router = await startRouter({ site, changes: {
    proxy: { 'trusted-proxies': trusted },
    engine: { 'ping-interval': '500ms' },
  } });
  const proxy = await startProxy(router).catch(async (error) => {
    await router.stop();
    await site.close();
    throw error;
  });
  // The address that the site was told of the browser with that cookie.
  const told = async (session) => (await site.asked.find(
    (x) => x.headers.cookie === `session=${session}`)).headers['x-forwarded-for'];
  return { site, router, proxy, told, async stop() {
    closeAll();
    await proxy.stop();
    await router.stop();
    await site.close();
  } };
}

afterEach(closeAll);

describe('behind nginx that the router trusts', { skip }, () => {
  let all;

  before(async () => { all = await start(['127.0.0.1']); });
  after(() => all?.stop());

  for (const version of ['4.8', '3.1'])
    for (const way of ['websocket', 'polling', 'upgrade'])
      test(`client ${version} over ${way}`, async () => {
        const tab = await connect(all.proxy.url, { session: 'anna', way, version });
        assert.equal(transport(tab), way === 'polling' ? 'polling' : 'websocket');
        const text = 'x'.repeat(100000);
        await deliver(all.router, { type: 'letter', payload: { to: 'anna', text } });
        assert.equal((await next(tab, 'letter'))[0].text, text);
        all.site.onEvent = ({ args }) => ({ ack: [args[0].length] });
        assert.deepEqual(await ask(tab, 'question', 'y'.repeat(900000)), [900000]);
      });

  test('a held poll is answered by the event, not by a buffer that fills', async () => {
    const tab = await connect(all.proxy.url, { session: 'anna', way: 'polling' });
    let pings = 0;
    tab.io.engine.on('heartbeat', () => { pings++; });
    // Held polls over several pings.
    await until(() => pings >= 3, 10000, 'three pings');
    for (let n = 0; n < 5; n++) {
      await deliver(all.router, { type: 'letter', payload: { to: 'anna', text: n } });
      await next(tab, 'letter', (x) => x.text === n);
    }
    assert.ok(tab.connected);
  });

  test('nothing is lost or reordered while a session upgrades', async () => {
    const tab = await connect(all.proxy.url,
      { session: 'anna', way: 'upgrade', await: 'connect' });
    for (let n = 0; n < 300; n += 10)
      await deliver(all.router, Array.from({ length: 10 },
        (_, i) => ({ type: 'letter', payload: { to: 'anna', text: n + i } })));
    const seen = await tab.received.take(300, (x) => x.event === 'letter', 10000, '300 letters');
    assert.deepEqual(seen.map((x) => x.args[0].text), Array.from({ length: 300 }, (_, n) => n));
    await until(() => transport(tab) === 'websocket', 5000, 'the upgrade');
  });

  for (const way of ['websocket', 'polling'])
    test(`the site learns the browser's address over ${way}, and no forged one`, async () => {
      await connect(all.proxy.url, { session: `address-${way}`, way, ...from('127.0.0.2') });
      assert.equal(await all.told(`address-${way}`), '127.0.0.2');
      await connect(all.proxy.url, { session: `forger-${way}`, way, ...from('127.0.0.3'),
        headers: { 'X-Forwarded-For': '203.0.113.9' } });
      assert.equal(await all.told(`forger-${way}`), '127.0.0.3');
    });

  test('whoever comes past the proxy is not believed', async () => {
    await connect(all.router.publicUrl, { session: 'past', ...from('127.0.0.4'),
      headers: { 'X-Forwarded-For': '203.0.113.9' } });
    assert.equal(await all.told('past'), '127.0.0.4');
  });

  test("the page's own host is that of the proxy", async () => {
    const own = { Origin: all.proxy.url };
    for (const way of ['websocket', 'polling'])
      await connect(all.proxy.url, { session: 'anna', way, headers: own });
    const foreign = socket(all.proxy.url, { session: 'anna', way: 'polling',
      headers: { Origin: 'http://elsewhere.example.test' } });
    assert.match((await refused(foreign)).message, /poll error/);
  });
});

describe('behind nginx that the router does not trust', { skip }, () => {
  let all;

  before(async () => { all = await start([]); });
  after(() => all?.stop());

  for (const way of ['websocket', 'polling'])
    test(`the address over ${way} is that of the proxy`, async () => {
      await connect(all.proxy.url, { session: `address-${way}`, way, ...from('127.0.0.2') });
      assert.equal(await all.told(`address-${way}`), '127.0.0.1');
    });
});

// The router stands for all the nodes; what a cluster adds is tested elsewhere.
for (const [name, startProxy, missing] of [
  ['nginx', (router) => startNginx(router, 'cluster/nginx.conf'), skip],
  ['HAProxy', startHaproxy, haproxy === undefined && 'install haproxy: haproxy is missing'],
])
  describe(`behind ${name} for several nodes`, { skip: missing }, () => {
    let all;

    before(async () => { all = await start(['127.0.0.1'], startProxy); });
    after(() => all?.stop());

    for (const way of ['websocket', 'polling', 'upgrade'])
      test(`a client over ${way}`, async () => {
        const session = `${name}-${way}`;
        const tab = await connect(all.proxy.url, { session, way, ...from('127.0.0.2') });
        assert.equal(transport(tab), way === 'polling' ? 'polling' : 'websocket');
        assert.equal(await all.told(session), '127.0.0.2');
        await deliver(all.router, { type: 'letter', payload: { to: session, text: way } });
        assert.equal((await next(tab, 'letter'))[0].text, way);
        assert.deepEqual(await ask(tab, 'question', 1), ['question', 1]);
      });
  });
