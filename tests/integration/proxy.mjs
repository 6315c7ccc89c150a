// Debian's nginx and HAProxy in front of the router, with the configurations that
// come along.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import tls from 'node:tls';

import { ask, closeAll, connect, next, refused, socket, transport } from './support/clients.mjs';
import { until } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { metric, reaches } from './support/metrics.mjs';
import { haproxy, nginx, noHaproxy, noNginx as skip, noStream, run, startHaproxy, startNginx,
  streamModule } from './support/proxies.mjs';
import { Connection, Polling, WebSocket, base, request, send, upgradeHeaders } from './support/raw.mjs';
import { freePort, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

// Starts HAProxy with a configuration of a few lines.
async function startOwnHaproxy(lines) {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-haproxy-'));
  const port = await freePort();
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(file, `defaults
  timeout connect 2s
  timeout client 75s
  timeout server 75s
listen router
  bind 127.0.0.1:${port}
  ${lines.join('\n  ')}
`);
  return run(folder, port, haproxy, ['-db', '-f', file]);
}

// Starts nginx that passes on bytes with a PROXY header.
async function startStream(router) {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-nginx-'));
  const port = await freePort();
  writeFileSync(path.join(folder, 'nginx.conf'), `load_module ${streamModule};
daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log stderr warn;
events { worker_connections 512; }
stream {
  server {
    listen 127.0.0.1:${port};
    proxy_pass 127.0.0.1:${router.public.port};
    proxy_protocol on;
  }
}
`);
  return run(folder, port, nginx, ['-p', folder, '-e', 'stderr', '-c', `${folder}/nginx.conf`]);
}

// A browser at that address of this machine.
const from = (localAddress) => ({ agent: new http.Agent({ localAddress }) });

// Runs something that a counter must show.
async function rises(router, counter, run) {
  const before = await metric(router, counter);
  await run();
  await reaches(router, counter, (x) => x > before);
}

async function start(trusted, startProxy = (router) => startNginx([router]), more = {}) {
  const site = await startSite();
  const router = await startRouter({ site, changes: {
    proxy: { 'trusted-proxies': trusted, ...more },
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
  ['nginx', (router) => startNginx([router], 'cluster/nginx.conf'), skip],
  ['HAProxy', (router) => startHaproxy([router]), noHaproxy],
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

describe('behind HAProxy that adds a line of its own', { skip: noHaproxy }, () => {
  let all;

  before(async () => {
    all = await start(['127.0.0.1'], (router) => startOwnHaproxy(['mode http',
      'option forwardfor', `server one 127.0.0.1:${router.public.port}`]));
  });
  after(() => all?.stop());

  for (const way of ['websocket', 'polling'])
    for (const [what, forged] of [['nothing', {}], ['a forged line', { 'X-Forwarded-For': '203.0.113.9' }],
      ['several', { 'X-Forwarded-For': ['203.0.113.9', '127.0.0.1, 203.0.113.8'] }]])
      test(`over ${way} a client that sends ${what} is where it is`, async () => {
        for (const address of ['127.0.0.2', '127.0.0.1']) {
          const session = `lines-${way}-${what}-${address}`.replaceAll(' ', '-');
          await connect(all.proxy.url, { session, way, ...from(address), headers: forged });
          assert.equal(await all.told(session), address);
        }
      });
});

for (const [name, startProxy, missing] of [
  ['HAProxy, version 1', (router) => startOwnHaproxy(['mode tcp',
    `server one 127.0.0.1:${router.public.port} send-proxy check inter 200`]), noHaproxy],
  ['HAProxy, version 2', (router) => startOwnHaproxy(['mode tcp',
    `server one 127.0.0.1:${router.public.port} send-proxy-v2 check inter 200`]), noHaproxy],
  ["nginx's stream module", startStream, noStream],
])
  describe(`behind the PROXY protocol of ${name}`, { skip: missing }, () => {
    let all;

    before(async () => { all = await start(['127.0.0.1'], startProxy, { protocol: 'accept' }); });
    after(() => all?.stop());

    for (const way of ['websocket', 'polling', 'upgrade'])
      test(`a client over ${way}`, async () => {
        const session = `proxied-${way}`;
        const tab = await connect(all.proxy.url, { session, way, ...from('127.0.0.2'),
          headers: { 'X-Forwarded-For': '203.0.113.9', Origin: all.proxy.url } });
        assert.equal(await all.told(session), '127.0.0.2');
        await deliver(all.router, { type: 'letter', payload: { to: session, text: way } });
        assert.equal((await next(tab, 'letter'))[0].text, way);
      });
  });

describe('the PROXY protocol by the byte', () => {
  let all;
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-proxy-tls-'));
  const [cert, key] = ['cert.pem', 'key.pem'].map((x) => path.join(folder, x));
  const signature = '\r\n\r\n\0\r\nQUIT\n';
  const v2 = (command, family, bytes) => Buffer.concat([Buffer.from(signature),
    Buffer.from([command, family, bytes.length >> 8, bytes.length & 255]), Buffer.from(bytes)]);
  const inet = [203, 0, 113, 7, 10, 0, 0, 1, 156, 64, 32, 208];
  const inet6 = [0x20, 1, 0x0d, 0xb8, ...Array(11).fill(0), 1, ...Array(15).fill(0), 1, 0, 1, 0, 2];
  const ssl = [0x20, 0, 5, 1, 0, 0, 0, 0];
  const v1 = 'PROXY TCP4 203.0.113.7 10.0.0.1 40000 8400\r\n';

  before(async () => {
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
      'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
      '-keyout', key, '-out', cert], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    const site = await startSite();
    const changes = { proxy: { 'trusted-proxies': ['127.0.0.1', '10.0.0.0/8'], protocol: 'accept' },
      limits: { 'header-timeout': '1s' }, origin: { allow: [] } };
    const router = await startRouter({ site, changes });
    const secure = await startRouter({ site, changes: { ...changes,
      tls: { certificate: cert, key } } });
    all = { site, router, secure };
  });

  after(async () => {
    await all?.router.stop();
    await all?.secure.stop();
    await all?.site.close();
    rmSync(folder, { recursive: true });
  });

  let sessions = 0;

  // Sends pieces as they are; resolves to the status and the address that the
  // site was told, and the connection.
  async function ask(header, { to = all.router.public.port, headers = [], piece = Infinity } = {}) {
    const connection = await Connection.open(to);
    const session = `bytes-${++sessions}`;
    const bytes = Buffer.concat([Buffer.from(header), request('GET',
      '/socket.io/?EIO=3&transport=polling', { headers: { Cookie: `session=${session}`, ...headers } })]);
    for (let at = 0; at < bytes.length; at += piece) {
      connection.write(bytes.subarray(at, at + piece));
      if (piece < bytes.length)
        await new Promise(setImmediate);
    }
    const response = await connection.response();
    connection.destroy();
    if (response?.status !== 200)
      return { status: response?.status };
    const asked = await all.site.asked.find((x) => x.headers.cookie === `session=${session}`);
    return { status: 200, address: asked.headers['x-forwarded-for'] };
  }

  for (const [what, header, address] of [
    ['version 1', v1, '203.0.113.7'],
    ['version 1 over IPv6', 'PROXY TCP6 2001:db8::1 ::1 1 2\r\n', '2001:db8::1'],
    ['version 1 for nobody', 'PROXY UNKNOWN\r\n', '127.0.0.1'],
    ['version 2', v2(0x21, 0x11, inet), '203.0.113.7'],
    ['version 2 over IPv6', v2(0x21, 0x21, inet6), '2001:db8::1'],
    ['version 2 with more', v2(0x21, 0x11, [...inet, 4, 0, 2, 1, 1, ...ssl]), '203.0.113.7'],
    ['version 2 by UNIX', v2(0x21, 0x31, Array(216).fill(0)), '127.0.0.1'],
    ['version 2 of no family', v2(0x21, 0, []), '127.0.0.1'],
    ['a health check', v2(0x20, 0, []), '127.0.0.1'],
    ['no header', '', '127.0.0.1'],
  ])
    test(`${what}, in whatever pieces`, async () => {
      for (const piece of [Infinity, 1, 7])
        assert.deepEqual(await ask(header, { piece }), { status: 200, address });
    });

  test('the headers of a trusted proxy behind the proxy are walked on', async () => {
    const headers = { 'X-Forwarded-For': '6.6.6.6, 203.0.113.9' };
    const near = 'PROXY TCP4 10.0.0.5 10.0.0.1 1 2\r\n';
    assert.equal((await ask(near, { headers })).address, '203.0.113.9');
    assert.equal((await ask(v1, { headers })).address, '203.0.113.7');
    assert.equal((await ask('', { headers })).address, '203.0.113.9');
  });

  test('TLS at the proxy makes the scheme', async () => {
    const page = { Host: 'push.example.test', Origin: 'https://push.example.test' };
    assert.equal((await ask(v2(0x21, 0x11, [...inet, ...ssl]), { headers: page })).status, 200);
    assert.equal((await ask(v2(0x21, 0x11, inet), { headers: page })).status, 403);
  });

  for (const [what, header] of [
    ['an address that is none', 'PROXY TCP4 999.0.113.7 10.0.0.1 40000 8400\r\n'],
    ['one field less', 'PROXY TCP4 203.0.113.7 10.0.0.1 40000\r\n'],
    ['more than a line', `PROXY UNKNOWN ${'x'.repeat(200)}\r\n`],
    ['another version', v2(0x31, 0x11, inet)],
    ['an unknown family', v2(0x21, 0x51, inet)],
    ['half an address', v2(0x21, 0x11, inet.slice(1))],
    ['a value that is longer than the header', v2(0x21, 0x11, [...inet, 4, 0, 9])],
    ['5,000 bytes', v2(0x21, 0x11, Array(5000).fill(0))],
  ])
    test(`a header with ${what} ends the connection`, async () => {
      for (const to of [all.router, all.secure]) {
        const connection = await Connection.open(to.public.port);
        await rises(to, 'http_refused_total{limit="malformed"}', async () => {
          connection.write(Buffer.concat([Buffer.from(header), request('GET', base())]));
          await connection.closed();
        });
        assert.equal(connection.received.length, 0);
      }
    });

  test('a header must come in time', async () => {
    for (const to of [all.router, all.secure]) {
      const connection = await Connection.open(to.public.port);
      await rises(to, 'http_timeouts_total{phase="header"}', async () => {
        connection.write(v1.slice(0, 20));
        await connection.closed();
      });
      await reaches(to, 'tcp_connections', 1);
    }
  });

  // One request over TLS behind a header.
  async function overTls(header) {
    const raw = net.connect({ port: all.secure.public.port, host: '127.0.0.1' });
    raw.write(header);
    const session = `tls-${++sessions}`;
    const socket = tls.connect({ socket: raw, rejectUnauthorized: false });
    let got = '';
    socket.on('data', (x) => { got += x; }).on('error', () => {});
    socket.write(request('GET', '/socket.io/?EIO=3&transport=polling',
      { headers: { Cookie: `session=${session}` } }));
    const asked = await all.site.asked.find((x) => x.headers.cookie === `session=${session}`);
    socket.destroy();
    return asked.headers['x-forwarded-for'];
  }

  test('before TLS', async () => {
    assert.equal(await overTls(v1), '203.0.113.7');
    assert.equal(await overTls(v2(0x21, 0x21, inet6)), '2001:db8::1');
    assert.equal(await overTls(v2(0x20, 0, [])), '127.0.0.1');
    assert.equal(await overTls(''), '127.0.0.1');
  });

  test('at the other listeners, but of nobody else', async () => {
    for (const { port } of [all.router.ingest, all.router.operations]) {
      const connection = await Connection.open(port);
      connection.write(Buffer.concat([Buffer.from(v1), request('GET', '/nowhere')]));
      assert.equal((await connection.response()).status, 404);
      connection.destroy();
    }
    const stranger = net.connect({ port: all.router.public.port, host: '127.0.0.1',
      localAddress: '127.0.0.9' });
    let got = '';
    stranger.on('data', (x) => { got += x; });
    stranger.write(Buffer.concat([Buffer.from(v1), request('GET', '/nowhere')]));
    await until(() => got.includes('\r\n\r\n'), 5000, 'an answer');
    stranger.destroy();
    assert.match(got, /^HTTP\/1\.1 400 /);
  });
});

describe('limits of one address behind a proxy', () => {
  const limits = { 'per-ip': 4, 'per-ip-rate': 1000, 'header-timeout': '1s' };
  let site;

  before(async () => { site = await startSite(); });
  after(() => site?.close());

  async function behind(changes, run) {
    const router = await startRouter({ site, changes: {
      proxy: { 'trusted-proxies': ['127.0.0.1'], protocol: 'accept' },
      limits: { ...limits, ...changes }, engine: { 'close-timeout': '1s' } } });
    try {
      await run(router, router.public.port);
    } finally {
      await router.stop();
    }
  }

  const at = (address) => ({ 'X-Forwarded-For': address });
  const eio3 = '/socket.io/?EIO=3&transport=polling';
  const socketUrl = '/socket.io/?EIO=4&transport=websocket';

  test('sessions of all kinds count as connections, at the address that is forwarded', async () => {
    await behind({}, async (router, port) => {
      const sockets = [];
      for (let i = 0; i < 2; i += 1)
        sockets.push(await WebSocket.session(port, { headers: at(`203.0.113.7:${40000 + i}`) }));
      const session = await Polling.open(port, { headers: at('203.0.113.7') });
      assert.equal((await send(port, 'GET', eio3, { headers: at('::ffff:203.0.113.7') })).status, 200);
      const why = 'Too many connections of an address';
      const json = `{"code":4,"message":"${why}"}`;
      for (const [path, body, headers = {}] of [[base(), json], [eio3, json],
        ['/socket.io/1/', why], [socketUrl, why, upgradeHeaders]])
        await rises(router, 'sessions_refused_total{limit="per-ip"}', async () => {
          const answer = await send(port, 'GET', path, { headers: { ...at('203.0.113.7'), ...headers } });
          assert.deepEqual([answer.status, answer.body, answer.headers['retry-after']], [429, body, '1']);
        });
      // Open sessions go on, and other addresses are not concerned.
      assert.equal((await session.post('40')).status, 200);
      assert.equal((await send(port, 'GET', base(), { headers: at('203.0.113.8') })).status, 200);
      assert.equal((await send(port, 'GET', base())).status, 200);
      // A session that ends makes room.
      sockets[0].destroy();
      await until(async () => (await send(port, 'GET', base(),
        { headers: at('203.0.113.7') })).status === 200, 5000, 'room for another session');
      sockets[1].destroy();
    });
  });

  test('a client of IPv6 is its first 64 bits', async () => {
    await behind({}, async (router, port) => {
      const statuses = [];
      for (let i = 0; i < 6; i += 1)
        statuses.push((await send(port, 'GET', base(), { headers: at(`[2001:db8::${i}:1]:9`) })).status);
      assert.deepEqual(statuses, [200, 200, 200, 200, 429, 429]);
      assert.equal((await send(port, 'GET', base(), { headers: at('2001:db8:0:1::1') })).status, 200);
    });
  });

  test('new sessions of an address are counted by the second', async () => {
    await behind({ 'per-ip': 1000, 'per-ip-rate': 3 }, async (router, port) => {
      await rises(router, 'sessions_refused_total{limit="per-ip-rate"}', async () => {
        const all = await Promise.all(Array.from({ length: 7 }, () => send(port, 'GET', base(),
          { headers: at('203.0.113.7') })));
        const no = all.filter((x) => x.status !== 200);
        assert.ok(no.length > 0);
        for (const { status, body } of no)
          assert.deepEqual([status, body],
            [429, '{"code":4,"message":"Too many new connections of an address"}']);
      });
      await until(async () => (await send(port, 'GET', base(), { headers: at('203.0.113.7') }))
        .status === 200, 5000, 'the next second');
    });
  });

  test("an address of the PROXY protocol is its connections'", async () => {
    await behind({}, async (router, port) => {
      const open = async (address) => {
        const connection = await Connection.open(port);
        connection.write(`PROXY TCP4 ${address} 10.0.0.1 1 2\r\n`);
        connection.write(request('GET', '/nowhere'));
        return { connection, admitted: await connection.response() !== null };
      };
      const all = [];
      for (let i = 0; i < 4; i += 1)
        all.push(await open('203.0.113.7'));
      assert.ok(all.every((x) => x.admitted));
      await rises(router, 'tcp_refused_total{limit="per-ip"}', async () => {
        assert.equal((await open('203.0.113.7')).admitted, false);
      });
      assert.ok((await open('203.0.113.8')).admitted);
      all[0].connection.destroy();
      await until(async () => (await open('203.0.113.7')).admitted, 5000, 'room for another one');
    });
  });
});
