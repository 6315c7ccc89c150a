// Pages of other sites: which of their requests open or use a session, and what
// they read of the listener for operators.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { user } from './support/ingest.mjs';
import { metric } from './support/metrics.mjs';
import { Connection, Polling, base, request, send, upgradeHeaders } from './support/raw.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const shop = 'https://shop.example.test';
const eio3 = '/socket.io/?EIO=3&transport=polling';
const socketUrl = '/socket.io/?EIO=4&transport=websocket';
let site;
let router;
let port;

before(async () => {
  site = await startSite();
  router = await startRouter({ site, changes: {
    origin: { allow: [shop] },
    engine: { 'client-files': 'tests/integration/node_modules/socket.io/client-dist' },
    operations: { hosts: ['ops.example.test'] },
  } });
  ({ port } = router.public);
});

after(async () => {
  await router?.stop();
  await site?.close();
});

const fetched = (where, more = {}) => ({ 'Sec-Fetch-Site': where, Cookie: 'session=anna', ...more });
const picture = (more = {}) => fetched('cross-site', { 'Sec-Fetch-Mode': 'no-cors',
  'Sec-Fetch-Dest': 'image', Referer: 'https://evil.example.test/', ...more });
const text = 'Forbidden: a page of another site asked, without an Origin';
const json = `{"code":4,"message":"${text}"}`;

describe('a page of another site without an Origin', () => {
  for (const [what, path, body, headers = {}] of [
    ['polling of 4', base(), json],
    ['polling of 3', eio3, json],
    ['a WebSocket of 4', socketUrl, json, upgradeHeaders],
    ['the handshake of 0.9', '/socket.io/1/', text],
    ['the handshake of 0.9 with a time', '/socket.io/1/?t=1', text],
    ['a page of 0.9 without end', '/socket.io/1/htmlfile/x', text],
  ])
    test(`opens nothing by ${what}`, async () => {
      const before = await metric(router, 'hidden_pages_refused_total');
      const answer = await send(port, 'GET', path, { headers: picture(headers) });
      assert.deepEqual([answer.status, answer.body], [403, body]);
      assert.equal(await metric(router, 'hidden_pages_refused_total'), before + 1);
      assert.equal((await user(router, 'anna')).online, false);
    });

  for (const [what, headers] of [
    ['a link', fetched('cross-site', { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' })],
    ['a picture that admitted pages show', picture({ Referer: `${shop}/` })],
    ['upper case', fetched('CROSS-SITE')],
    ['parameters', fetched('cross-site;a=1')],
    ['a list', fetched('same-origin, cross-site')],
    ['another page of the site', fetched('same-site')],
    ['another page of the site with its Referer',
      fetched('same-site', { Referer: 'https://blog.example.test/' })],
  ])
    test(`opens nothing by ${what}`, async () => {
      assert.equal((await send(port, 'GET', eio3, { headers })).status, 403);
    });

  test('opens nothing where a second line says so', async () => {
    const connection = await Connection.open(port);
    connection.write(`GET ${eio3} HTTP/1.1\r\nHost: h\r\nSec-Fetch-Site: none\r\n`
      + 'Sec-Fetch-Site: cross-site\r\n\r\n');
    assert.equal((await connection.response()).status, 403);
    connection.destroy();
  });

  test('neither polls nor posts in a session that is there', async () => {
    const session = await Polling.open(port);
    const headers = { ...picture(), 'Content-Type': 'text/plain' };
    for (const [method, body] of [['GET'], ['POST', '40'], ['HEAD']])
      assert.equal((await send(port, method, session.url, { headers, body })).status, 403);
    assert.equal((await session.post('40')).status, 200);
  });

  test('is refused without the last slash too', async () => {
    assert.equal((await send(port, 'GET', eio3.replace('/?', '?'))).status, 200);
    assert.equal((await send(port, 'GET', eio3.replace('/?', '?'), { headers: picture() })).status, 403);
  });

  test('loads the client', async () => {
    const answer = await send(port, 'GET', '/socket.io/socket.io.js',
      { headers: picture({ 'Sec-Fetch-Dest': 'script' }) });
    assert.equal(answer.status, 200);
  });
});

describe('what browsers send for pages that may', () => {
  for (const [what, headers] of [
    ['an old browser', {}],
    ['an address that was typed', fetched('none')],
    ['a page of its own', fetched('same-origin')],
    ['a word that nobody knows', fetched('elsewhere')],
    ['no word', fetched('')],
    ['an admitted Origin', fetched('cross-site', { Origin: shop })],
    ['an admitted Origin of the site', fetched('same-site', { Origin: shop })],
    ['an admitted Referer of the site', fetched('same-site', { Referer: `${shop}/cart` })],
  ])
    test(what, async () => {
      assert.equal((await send(port, 'GET', base(), { headers })).status, 200);
    });

  test('a script tag names its page by the Referer', async () => {
    const tag = (Referer) => fetched('cross-site',
      { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'script', Referer });
    for (const path of [`${eio3}&j=0`, '/socket.io/1/?jsonp=0']) {
      assert.equal((await send(port, 'GET', path, { headers: tag(`${shop}/`) })).status, 200);
      assert.equal((await send(port, 'GET', path,
        { headers: tag('https://evil.example.test/') })).status, 403);
    }
  });
});

describe('the listener for operators', () => {
  const ask = (method, path, headers, options) => send(router.operations.port, method, path,
    { headers, ...options });
  const paths = ['/healthz', '/readyz', '/metrics', '/api/v1/status', '/api/v1/clients',
    '/api/v1/cluster', '/', '/nowhere'];
  const own = () => `http://127.0.0.1:${router.operations.port}`;

  for (const [what, headers] of [
    ['by a name of its own', { Host: 'evil.example.test:8402' }],
    ['by a name of its own that it calls local', { Host: 'localhost.evil.example.test' }],
    ['by what is no host', { Host: 'a b' }],
    ['with its Origin', { Origin: 'https://evil.example.test' }],
    ['with no Origin that can be told', { Origin: 'null' }],
    ['with an Origin of another port', { Origin: 'http://127.0.0.1:1' }],
    ['across sites', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }],
    ['within the site', { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'no-cors' }],
  ])
    test(`tells a page nothing that comes ${what}`, async () => {
      const before = await metric(router, 'operations_refused_total');
      let asked = 0;
      for (const path of paths)
        for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE']) {
          const answer = await ask(method, path, headers);
          assert.equal(answer.status, 403, `${method} ${path}`);
          asked += 1;
          if (method === 'GET')
            assert.match(JSON.parse(answer.body).error.message, /listen\.operations|operations\.hosts/);
        }
      assert.equal(await metric(router, 'operations_refused_total'), before + asked);
    });

  for (const [what, headers, options] of [
    ['by its address', { Host: '127.0.0.1:8402' }],
    ['by another address of the machine', { Host: '[2001:db8::1]:8402' }],
    ['by a name of loopback', { Host: 'LOCALHOST:8402' }],
    ['by a name that is set', { Host: 'ops.example.test' }],
    ['without a Host, as health checks do', { Host: undefined }, { version: '1.0' }],
    ['by a typed address', { 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Mode': 'navigate' }],
    ['by a link of the same machine', { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'navigate' }],
  ])
    test(`answers those who come ${what}`, async () => {
      for (const path of ['/healthz', '/readyz', '/metrics', '/api/v1/status'])
        assert.equal((await ask('GET', path, headers, options)).status, 200, path);
    });

  test('answers its own page', async () => {
    const headers = { Host: own().slice(7), Origin: own(), 'Sec-Fetch-Site': 'same-origin' };
    assert.equal((await ask('GET', '/metrics', headers)).status, 200);
  });

  test('names the right listener to those who post events', async () => {
    const wanted = new RegExp(`listen\\.ingest, ${router.ingestUrl}/api/v1/events`);
    for (const [method, path, body, status] of [
      ['POST', '/api/v1/events', '{"type":"x"}', 413],
      ['POST', '/api/v1/events', 'x'.repeat(2000000), 413],
      ['POST', '/anywhere', '{}', 413],
      ['POST', '/api/v1/events', undefined, 404],
      ['GET', '/api/v1/users/anna', undefined, 404],
      ['DELETE', '/api/v1/users/anna', undefined, 404],
    ]) {
      const answer = await ask(method, path, {}, { body });
      assert.equal(answer.status, status, `${method} ${path}`);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.match(JSON.parse(answer.body).error.message, wanted);
    }
    const chunked = await Connection.open(router.operations.port);
    chunked.write(request('POST', '/api/v1/events', { headers: { 'Transfer-Encoding': 'chunked' } }));
    chunked.write('1\r\nx\r\n');
    const answer = await chunked.response();
    assert.equal(answer.status, 413);
    assert.match(JSON.parse(answer.body).error.message, wanted);
    chunked.destroy();
  });

  test('so does the listener for browsers, without an address', async () => {
    for (const path of ['/api/v1/events', '/api/v1/users/anna']) {
      const answer = await send(port, 'POST', path, { body: '{"type":"x"}' });
      assert.equal(answer.status, 404);
      assert.match(JSON.parse(answer.body).error.message, /listen\.ingest$/);
    }
  });
});
