// The listener for publishers without a key, and the pages of a browser on the
// same machine: they reach it, try everything, and publish nothing.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { slow, until, within } from '../integration/support/deadline.mjs';
import { metric } from '../integration/support/metrics.mjs';
import { send, upgradeHeaders, WebSocket } from '../integration/support/raw.mjs';
import { startRouter } from '../integration/support/router.mjs';
import { startSite } from '../integration/support/site.mjs';
import { attack } from './support/attack.mjs';
import { launch } from './support/chromium.mjs';
import { startPages, Tab } from './support/pages.mjs';
import { startStandin } from './support/standin.mjs';

const listed = 'publishers.example.test';
const counted = (name) => metric(router, name);
const accepted = 'events_total{result="accepted"}';

let site;
let pages;
let away;
let browser;
let router;
let listener;
let victim;

before(async () => {
  site = await startSite();
  pages = await startPages();
  away = await startAway();
  // What newer browsers do against such pages is off: not all do it.
  browser = await launch(['--disable-features=LocalNetworkAccessChecks,'
    + 'BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights']);
});

after(async () => {
  await browser?.close();
  await away?.close();
  await pages?.close();
  await site?.close();
});

beforeEach(async () => {
  router = await startRouter({ site, changes: {
    listen: { public: '127.0.0.1:0', ingest: '127.0.0.1:0', operations: '127.0.0.1:0',
      site: '127.0.0.1:0' },
    'site-listener': { hosts: [listed] },
    origin: { allow: [pages.url] },
  } });
  const ready = router.program.lines.items.find((x) => x.startsWith('ready '));
  const address = JSON.parse(ready.slice(6)).site;
  listener = { host: '127.0.0.1', port: Number(address.split(':').at(-1)) };
});

afterEach(async () => {
  await router?.stop();
  router = undefined;
});

// The attacker's server: an empty page, and redirects that keep the method.
async function startAway() {
  const server = http.createServer((request, response) => {
    const to = new URL(request.url, 'http://away').searchParams.get('to');
    if (to)
      response.writeHead(307, { Location: to, 'Access-Control-Allow-Origin': '*' });
    else
      response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html><link rel="icon" href="data:,"><body></body>');
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    port: server.address().port,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

// A publisher as old PHP sites have it.
async function publish(by) {
  const { body } = await send(listener.port, 'GET', '/socket.io/1/',
    { headers: { Host: `127.0.0.1:${listener.port}` } });
  const socket = await WebSocket.open(listener.port,
    `/socket.io/1/websocket/${body.split(':')[0]}`, { headers: { Origin: '*' } });
  socket.text(`5:::${JSON.stringify({ name: 'letter', args: { to: 'victim', by } })}`);
  socket.text('0:::');
  await socket.closing();
  socket.destroy();
}

// Where an attacker's page may come from, and what it then calls the listener.
const origins = {
  'another port of the address': { page: () => `127.0.0.1:${away.port}`,
    names: ['127.0.0.1', 'localhost'] },
  'another port of localhost': { page: () => `localhost:${away.port}`,
    names: ['localhost', '127.0.0.1', 'site.localhost', '0.0.0.0'] },
  // For Chromium the listener is the page's own server then: it may read the
  // answers, and neither Origin nor Sec-Fetch comes with a GET.
  'a name that was rebound': { page: (port) => `rebound.evil.test:${port}`,
    names: ['rebound.evil.test', '127.0.0.1'] },
  // No loopback name, so there is no Sec-Fetch. A request that the page
  // cannot read, such as a picture, cannot be told from a publisher; it opens a
  // session that no client knows.
  'another site that knows a listed name': { page: () => `www.evil.test:${away.port}`,
    names: [listed], unseen: true },
};

// Lets a page attack the listener at the port; without cookies, which alone
// would be refused. Resolves, once every request is answered, to what it tried,
// what it asked the port, and what that answered.
async function assault({ page: from, names }, port) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultNavigationTimeout(15000 * slow);
  const answers = [];
  const pending = new Set();
  let asked = 0;
  const ours = (x) => Number(new URL(x.url()).port) === port;
  const end = (x) => pending.delete(x);
  page.on('request', (x) => {
    pending.add(x);
    asked += ours(x);
  });
  page.on('requestfailed', end);
  page.on('websocket', () => { ++asked; });
  page.on('response', (x) => {
    end(x.request());
    if (ours(x))
      answers.push([x.request().method(), x.status()]);
  });
  // Whose name was rebound has got its page from the attacker, at that port.
  const url = `http://${from(port)}/`;
  await context.route(url, (route) => route.fulfill({ contentType: 'text/html',
    body: '<!doctype html><link rel="icon" href="data:,"><body></body>' }));
  await page.goto(url);
  await context.unroute(url);
  answers.length = 0;
  asked = 0;
  const done = await within(page.evaluate(attack, {
    targets: names.map((x) => `http://${x}:${port}`),
    away: `http://${from(port).split(':')[0]}:${away.port}/`,
  }), 40000, 'the end of the attack');
  await until(() => pending.size === 0, 10000, 'the answer to every request');
  await context.close();
  return { ...done, answers, asked };
}

const heard = () => victim.heard('/', 'letter', 'announcement', 'bye').map((x) => x[1].by ?? x[0]);

const generations = ['eio4', 'eio3', 'v09'];
const ways = (...names) => names.flatMap((x) => generations.map((y) => `${x} ${y}`));

for (const [kind, from] of Object.entries(origins))
  describe(`a page from ${kind}`, () => {
    beforeEach(async () => {
      victim = await Tab.open(browser, { generation: '4.8', pages, router, session: 'victim' });
      await victim.join('/', { transports: ['websocket'] }, ['letter', 'announcement', 'bye']);
      await victim.connected();
    });

    afterEach(() => victim?.context.close());

    test('publishes nothing', async () => {
      const before = await counted('http_requests_total');
      const { read, tried, answers, asked } = await assault(from, listener.port);
      assert.deepEqual(read, [], 'it could read session ids');
      for (const way of ways('fetch', 'form', 'beacon', 'websocket'))
        assert.ok(tried.includes(way), `${way} was not tried`);
      // All of it arrived there, and was refused.
      const after = await counted('http_requests_total');
      assert.ok(after - before >= asked, `${after - before} of ${asked} arrived`);
      assert.ok(answers.length > 0);
      assert.deepEqual(answers.filter(([method, status]) =>
        status !== 403 && !(from.unseen && method === 'GET')), []);

      await publish('the marker');
      await victim.next('/', 'letter', (x) => x.by === 'the marker');
      assert.deepEqual(heard(), ['the marker']);
      assert.equal(await counted(accepted), 1);
      assert.equal(await counted('events_total{result="refused"}'), 0);
      assert.equal(await counted('bad_keys_total'), 0);
      // The victim's session and that of the marker.
      if (!from.unseen)
        assert.equal(await counted('sessions_opened_total'), 2);
    });

    test('would publish by every way without the guard', async () => {
      const standin = await startStandin(listener);
      try {
        const { read } = await assault(from, standin.port);
        assert.notDeepEqual(read, [], 'it could read no session ids');
        const wanted = ways('fetch', 'fetch with credentials', 'fetch no-cors',
          'fetch no-cors with credentials', 'fetch keepalive', 'fetch redirected', 'xhr',
          'xhr with credentials', 'xhr with a type', 'form', 'form redirected', 'beacon',
          'beacon with a type', 'websocket').concat('sandboxed websocket eio3');
        for (const way of [...wanted, 'jsonp form eio3', 'jsonp form v09', 'img', 'script',
          'style', 'htmlfile', 'event source'])
          assert.ok(standin.reached.has(way), `${way} did not come through`);
        for (const way of wanted)
          await victim.next('/', 'letter', (x) => x.by === way);
        assert.ok(await counted(accepted) >= wanted.length);
      } finally {
        await standin.close();
      }
    });
  });

describe('the listener', () => {
  const own = () => `127.0.0.1:${listener.port}`;
  const handshakes = ['/socket.io/?EIO=4&transport=polling', '/socket.io/?EIO=3&transport=polling',
    '/socket.io/1/'];

  // Each sign of a browser is enough by itself.
  const signs = {
    'a cookie': () => ({ Cookie: 'session=anna' }),
    'an empty cookie': () => ({ Cookie: '' }),
    'Sec-Fetch-Site': () => ({ 'Sec-Fetch-Site': 'same-origin' }),
    'Sec-Fetch-Mode in small letters': () => ({ 'sec-fetch-mode': 'navigate' }),
    'a Sec-Fetch header to come': () => ({ 'Sec-Fetch-Storage-Access': 'none' }),
    'an Origin of another port': () => ({ Origin: `http://127.0.0.1:${away.port}` }),
    'an Origin without a port': () => ({ Origin: 'http://127.0.0.1' }),
    'an Origin of another name': () => ({ Origin: `http://rebound.evil.test:${listener.port}` }),
    'an Origin that is null': () => ({ Origin: 'null' }),
    'a Host that is not listed': () => ({ Host: `rebound.evil.test:${listener.port}` }),
    'a Host that begins like a listed one':
      () => ({ Host: `localhost.evil.test:${listener.port}` }),
    'the Host 0.0.0.0': () => ({ Host: `0.0.0.0:${listener.port}` }),
  };

  test('refuses each sign of a browser by itself', async () => {
    for (const [sign, headers] of Object.entries(signs))
      for (const path of handshakes)
        for (const method of ['GET', 'POST', 'OPTIONS']) {
          const { status, headers: answer } = await send(listener.port, method, path,
            { headers: { Host: own(), ...headers() } });
          assert.equal(status, 403, `${method} ${path} with ${sign}`);
          assert.equal(answer['access-control-allow-origin'], undefined);
        }
    for (const [sign, headers] of Object.entries(signs))
      for (const eio of [4, 3]) {
        const { response } = await WebSocket.ask(listener.port,
          `/socket.io/?EIO=${eio}&transport=websocket`,
          { headers: { Host: own(), ...upgradeHeaders, ...headers() } });
        assert.equal(response.status, 403, `a WebSocket with ${sign}`);
      }
    assert.equal(await counted('sessions_opened_total'), 0);
  });

  test('takes what old publishers send, without JSONP, htmlfile and CORS', async () => {
    for (const Origin of [undefined, '*', `http://${own()}`, `http://localhost:${listener.port}`])
      for (const path of handshakes) {
        const { status, headers } = await send(listener.port, 'GET', path,
          { headers: { Host: own(), Origin } });
        assert.equal(status, 200);
        assert.deepEqual(Object.keys(headers).filter((x) => x.startsWith('access-control')), []);
      }
    const get = (path) => send(listener.port, 'GET', path, { headers: { Host: own() } });
    const [sid, , , transports] = (await get('/socket.io/1/')).body.split(':');
    assert.deepEqual(transports.split(',').sort(), ['websocket', 'xhr-polling']);
    for (const path of ['/socket.io/1/?jsonp=0', `/socket.io/1/jsonp-polling/${sid}?i=0`,
      `/socket.io/1/htmlfile/${sid}`, '/socket.io/?EIO=3&transport=polling&j=0',
      '/socket.io/?EIO=4&transport=polling&j=0']) {
      const { status, body } = await get(path);
      assert.ok(status >= 400, `${path} was answered ${status}`);
      assert.doesNotMatch(body, /io\.j|___eio|<script/);
    }
  });
});
