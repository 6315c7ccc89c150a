// Bytes that must never be taken for a second request, a page of another origin,
// or a header of another client.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { closeAll, connect, next } from './support/clients.mjs';
import { until } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { metric } from './support/metrics.mjs';
import { Connection, Polling, WebSocket, base, frame, request, send, separator,
  upgradeHeaders } from './support/raw.mjs';
import { siteKey, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const poll = base();
const socketUrl = '/socket.io/?EIO=4&transport=websocket';
const megabyte = 1024 * 1024;
let site;
let router;
let port;
let bystander;
let marks = 0;

before(async () => {
  site = await startSite();
  router = await startRouter({ site, changes: {
    origin: { allow: ['https://www.example.test', 'https://*.apps.example.test'] },
  } });
  ({ port } = router.public);
  bystander = await connect(router.publicUrl, { session: 'bystander' });
});

after(async () => {
  closeAll();
  await router?.stop();
  await site?.close();
});

// After each attack another client keeps receiving.
async function unharmed() {
  assert.ok(router.program.running, `the router ended:\n${router.log()}`);
  const mark = `mark ${++marks}`;
  await deliver(router, { type: 'announcement', payload: mark });
  await next(bystander, 'announcement', (x) => x === mark);
}

afterEach(unharmed);

const resident = () => metric(router, 'resident_memory_bytes');

// The number of status lines; one more than there were requests is one request
// too many.
const answers = (connection) =>
  connection.received.toString('latin1').match(/HTTP\/1\.1 \d{3}/g) ?? [];

const marker = 'GET /socket.io/?EIO=4&transport=polling&marker=1 HTTP/1.1\r\nHost: h\r\n\r\n';

describe('one keep-alive connection, one request, then a marker', () => {
  const get = (more, line = `GET ${poll} HTTP/1.1`) => `${line}\r\nHost: h\r\n${more}\r\n`;
  const post = (more, body = '') => `POST ${poll}&sid=SID HTTP/1.1\r\nHost: h\r\n${more}\r\n${body}`;
  const cases = {
    'Content-Length before Transfer-Encoding':
      post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'Transfer-Encoding before Content-Length':
      post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    'two different Content-Length': post('Content-Length: 1\r\nContent-Length: 2\r\n', '4x'),
    'two equal Content-Length': post('Content-Length: 2\r\nContent-Length: 2\r\n', '4x'),
    'Content-Length: 2, 2': post('Content-Length: 2, 2\r\n', '4x'),
    'Content-Length: +2': post('Content-Length: +2\r\n', '4x'),
    'Content-Length: 0x2': post('Content-Length: 0x2\r\n', '4x'),
    'Content-Length: -1': post('Content-Length: -1\r\n'),
    'Content-Length: 2^64': post('Content-Length: 18446744073709551616\r\n', '4x'),
    'an empty Content-Length': post('Content-Length:\r\n', '4x'),
    'two Transfer-Encoding':
      post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'Transfer-Encoding: xchunked': post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    'Transfer-Encoding: gzip': post('Transfer-Encoding: gzip\r\n', '0\r\n\r\n'),
    'Transfer-Encoding: identity': post('Transfer-Encoding: identity\r\n', '4x'),
    'Transfer-Encoding: chunked, identity':
      post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
    'Transfer-Encoding: gzip, chunked':
      post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    'Transfer-Encoding with a tab inside':
      post('Transfer-Encoding: chun\tked\r\n', '0\r\n\r\n'),
    'chunked in HTTP/1.0':
      `POST ${poll} HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n`
        + 'Connection: keep-alive\r\n\r\n0\r\n\r\n',
    'a blank before the colon': get('X-A : b\r\n'),
    'Content-Length with a blank before the colon': post('Content-Length : 2\r\n', '4x'),
    'NUL in a value': get('X-A: a\0b\r\n'),
    'NUL in a name': get('X-\0A: b\r\n'),
    'a bare CR in a value': get('X-A: a\rb\r\n'),
    'a bare CR and a header behind it': get('X-A: a\rContent-Length: 5\r\n'),
    'a bare LF after the request line': `GET ${poll} HTTP/1.1\nHost: h\r\n\r\n`,
    'a bare LF after a header': `GET ${poll} HTTP/1.1\r\nHost: h\nX-A: b\r\n\r\n`,
    'bare LF throughout': `GET ${poll} HTTP/1.1\nHost: h\n\n`,
    'a folded header': get('X-A: b\r\n c\r\n'),
    'a folded header by tab': get('X-A: b\r\n\tc\r\n'),
    'a folded Transfer-Encoding': post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
    'two Host': get('Host: other\r\n'),
    'no Host': `GET ${poll} HTTP/1.1\r\n\r\n`,
    'a lower-case method': get('', `get ${poll} HTTP/1.1`),
    'an absolute target': get('', `GET http://h${poll} HTTP/1.1`),
    'a target that is a host': get('', 'CONNECT h:80 HTTP/1.1'),
    'a target that is a star': get('', 'OPTIONS * HTTP/1.1'),
    'UTF-8 in the target': get('', `GET ${poll}&x=é HTTP/1.1`),
    'a tab in the request line': get('', `GET\t${poll} HTTP/1.1`),
    'two blanks in the request line': get('', `GET  ${poll} HTTP/1.1`),
    'HTTP/0.9': `GET ${poll}\r\n\r\n`,
    'HTTP/2.0': get('', `GET ${poll} HTTP/2.0`),
    'HTTP/1.2': get('', `GET ${poll} HTTP/1.2`),
    'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'two Origin': get('Origin: http://h\r\nOrigin: https://evil.example\r\n'),
    'a chunk size of 17 digits':
      post('Transfer-Encoding: chunked\r\n', '00000000000000011\r\n'),
    'a chunk size that overflows':
      post('Transfer-Encoding: chunked\r\n', 'ffffffffffffffff1\r\n'),
    'a chunk size of no digits': post('Transfer-Encoding: chunked\r\n', 'x\r\n4x\r\n'),
    'a negative chunk size': post('Transfer-Encoding: chunked\r\n', '-2\r\n4x\r\n0\r\n\r\n'),
    'a chunk that ends late': post('Transfer-Encoding: chunked\r\n', '1\r\n4x\r\n0\r\n\r\n'),
    'a chunk size that ends with a bare LF':
      post('Transfer-Encoding: chunked\r\n', '1\n3\r\n0\r\n\r\n'),
  };
  for (const [what, text] of Object.entries(cases))
    test(`${what} is answered by 400 and the end`, async () => {
      const { sid } = await Polling.open(port);
      const connection = await Connection.open(port);
      // A request in good order keeps the connection open first.
      connection.write(request('GET', '/socket.io/?EIO=4&transport=none'));
      const first = await connection.response();
      assert.equal(first.status, 400);
      assert.equal(first.headers.connection, undefined);
      connection.write(Buffer.from(text.replace('SID', sid), 'utf8'));
      connection.write(marker);
      await connection.closed();
      assert.deepEqual(answers(connection), ['HTTP/1.1 400']);
      assert.match(connection.received.toString('latin1'), /^connection: close\r$/im);
      connection.destroy();
    });

  test('what is missing its end is refused without waiting for it', async () => {
    for (const text of [`GET ${poll} HTTP/1.1\nHost: h\n\n`,
      `GET ${poll} HTTP/1.1\r\nHost: h\r\nX-A: b\r\n c: d\r\n`]) {
      const connection = await Connection.open(port);
      connection.write(text);
      assert.equal((await connection.response()).status, 400);
      await connection.closed();
      connection.destroy();
    }
  });

  test('a body that a refused request left behind is no request', async () => {
    const body = `GET ${poll}&smuggled=1 HTTP/1.1\r\nHost: h\r\n\r\n`;
    for (const line of [`GET ${poll}&sid=${'x'.repeat(43)} HTTP/1.1`,
      `POST ${poll}&sid=${'x'.repeat(43)} HTTP/1.1`, `POST ${poll} HTTP/1.1`,
      'GET /nowhere HTTP/1.1', `DELETE ${poll} HTTP/1.1`, `OPTIONS ${poll} HTTP/1.1`]) {
      const connection = await Connection.open(port);
      connection.write(`${line}\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      await connection.closed();
      assert.equal(answers(connection).length, 1, line);
      connection.destroy();
    }
  });

  test('in good order the second request is answered', async () => {
    const connection = await Connection.open(port);
    connection.write(`GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n${marker}`);
    assert.equal((await connection.response()).status, 404);
    assert.equal((await connection.response()).status, 200);
    connection.destroy();
  });
});

describe('bodies that grow without end', () => {
  let before;

  beforeEach(async () => {
    before = await resident();
  });

  afterEach(async () => {
    await until(async () => await resident() < before + 8 * megabyte, 5000,
      'the memory to come back');
  });

  // Writes until the router closes or everything is out; a router that kept
  // reading would keep what it read.
  async function pour(connection, piece, times) {
    let peak = 0;
    connection.socket.on('error', () => {});
    for (let i = 0; i < times && !connection.ended; ++i) {
      if (!connection.socket.write(piece))
        await new Promise((resolve) => {
          connection.socket.once('drain', resolve).once('close', resolve)
            .once('end', resolve);
        });
      if (i % 32 === 0)
        peak = Math.max(peak, await resident());
    }
    return peak;
  }

  const chunked = async () => {
    const { sid } = await Polling.open(port);
    const connection = await Connection.open(port);
    connection.write(request('POST', `${poll}&sid=${sid}`,
      { headers: { 'Transfer-Encoding': 'chunked' } }));
    return connection;
  };

  test('a trailer of 100 KB', async () => {
    const connection = await chunked();
    connection.write(`1\r\n3\r\n0\r\nX-Trailer: ${'a'.repeat(100000)}\r\n\r\n${marker}`);
    await connection.closed();
    assert.deepEqual(answers(connection), ['HTTP/1.1 400']);
    connection.destroy();
  });

  test('a trailer of 100 KB in small pieces', async () => {
    const connection = await chunked();
    connection.write('1\r\n3\r\n0\r\nX-Trailer: ');
    await pour(connection, 'a'.repeat(1000), 100);
    connection.write(`\r\n\r\n${marker}`);
    await connection.closed();
    assert.deepEqual(answers(connection), ['HTTP/1.1 400']);
    connection.destroy();
  });

  test('a thousand trailers of 1 KB', async () => {
    const connection = await chunked();
    connection.write('1\r\n3\r\n0\r\n');
    await pour(connection, `X-Trailer: ${'a'.repeat(1000)}\r\n`, 1000);
    connection.write(`\r\n${marker}`);
    await connection.closed();
    assert.deepEqual(answers(connection), ['HTTP/1.1 400']);
    connection.destroy();
  });

  test('a chunk extension of 10 MB', async () => {
    const connection = await chunked();
    connection.write('1;');
    const peak = await pour(connection, 'a'.repeat(65536), 160);
    await connection.closed();
    assert.deepEqual(answers(connection), ['HTTP/1.1 400']);
    assert.ok(peak < before + 8 * megabyte, `${peak - before} bytes more at the peak`);
    connection.destroy();
  });

  test('ten million bytes of empty extensions and one-byte chunks', async () => {
    const connection = await chunked();
    await pour(connection, '1;a=b\r\n3\r\n'.repeat(6000), 200);
    await connection.closed();
    assert.deepEqual(answers(connection), ['HTTP/1.1 413']);
    connection.destroy();
  });

  test('a body of 100 MB to an unknown session is refused after the header',
    async () => {
      const connection = await Connection.open(port);
      connection.write(request('POST', `${poll}&sid=${'x'.repeat(43)}`,
        { headers: { 'Content-Length': 100 * megabyte } }));
      assert.equal((await connection.response()).status, 400);
      const peak = await pour(connection, Buffer.alloc(megabyte), 100);
      assert.ok(peak < before + 8 * megabyte, `${peak - before} bytes more at the peak`);
      connection.destroy();
    });

  test('a body too long by its header is refused before it comes', async () => {
    const { sid } = await Polling.open(port);
    for (const [path, to] of [[`${poll}&sid=${sid}`, port],
      ['/api/v1/events', router.ingest.port]]) {
      const connection = await Connection.open(to);
      connection.write(request('POST', path, { headers: { 'Content-Length': 2 ** 40 } }));
      assert.equal((await connection.response()).status, 413);
      await connection.closed();
      connection.destroy();
    }
  });
});

describe('pages of another origin', () => {
  // Whether it may, for a request to the host `push.example.test:8400`.
  const host = 'push.example.test:8400';
  const spellings = [
    [undefined, true],
    [`http://${host}`, true],
    ['http://PUSH.example.test:8400', true],
    ['https://www.example.test', true],
    ['https://www.example.test:443', true],
    ['https://a.apps.example.test', true],
    ['https://evil.example', false],
    ['http://push.example.test', false],
    ['http://push.example.test:8401', false],
    [`https://${host}`, false],
    ['http://www.example.test', false],
    ['https://www.example.test:8443', false],
    ['https://www.example.test.evil.example', false],
    ['https://evilwww.example.test', false],
    ['https://www.example.test@evil.example', false],
    ['https://evilapps.example.test', false],
    ['https://apps.example.test', false],
    ['https://a.apps.example.test.evil.example', false],
    ['https://evil.example/https://www.example.test', false],
    ['null', false],
    ['', false],
    ['file://', false],
    ['www.example.test', false],
    ['https://', false],
    ['https://www.example.test https://evil.example', false],
    ['chrome-extension://abcdef', false],
  ];
  const ways = {
    poll: async (headers) => send(port, 'GET', poll, { headers }),
    POST: async (headers, { sid }) => send(port, 'POST', `${poll}&sid=${sid}`,
      { headers, body: '40' }),
    websocket: async (headers) =>
      (await WebSocket.ask(port, socketUrl, { headers })),
    upgrade: async (headers, { sid }) =>
      (await WebSocket.ask(port, `${socketUrl}&sid=${sid}`, { headers })),
  };
  const cookie = { Cookie: 'session=page', Host: host };

  for (const [origin, allowed] of spellings)
    test(`Origin: ${JSON.stringify(origin) ?? 'none'} ${allowed ? 'may' : 'may not'}`,
      async () => {
        const refusals = await metric(router, 'origins_refused_total');
        const asked = site.asked.items.length;
        const opened = await metric(router, 'sessions_opened_total');
        let sessions = 0;
        for (const [name, ask] of Object.entries(ways)) {
          const session = await Polling.open(port, { headers: cookie });
          ++sessions;
          const answer = await ask({ ...cookie, Origin: origin }, session);
          const response = answer.response ?? answer;
          if (!allowed) {
            assert.equal(response.status, 403, name);
            assert.equal(response.body, '{"code":4,"message":"Forbidden"}');
            assert.equal(response.headers['access-control-allow-origin'], undefined);
          } else {
            assert.equal(response.status, ask === ways.poll || ask === ways.POST
              ? 200 : 101, name);
            sessions += ask === ways.poll || ask === ways.websocket ? 1 : 0;
            if (origin !== undefined)
              assert.equal(response.headers['access-control-allow-origin'], origin);
          }
          answer.connection?.destroy();
        }
        assert.equal(await metric(router, 'sessions_opened_total') - opened, sessions);
        if (!allowed) {
          await unharmed();
          assert.equal(await metric(router, 'origins_refused_total') - refusals, 4);
          assert.equal(site.asked.items.length, asked, 'the site was asked');
        }
      });

  test('a refused Origin is logged with the setting that would admit it', async () => {
    await send(port, 'GET', poll, { headers: { Origin: 'https://logged.example' } });
    await until(() => /origin\.allow/.test(router.log()), 5000, 'the line in the log');
  });

  test('an Origin with control characters does not reach the log as it is', async () => {
    const answer = await send(port, 'GET', poll,
      { headers: { Origin: 'https://x.example\x1b[31m' } });
    assert.ok(answer.status === 400 || answer.status === 403);
    assert.doesNotMatch(router.log(), /\x1b\[31m/);
  });

  test('what only an allowed page may: OPTIONS', async () => {
    for (const [origin, status] of [['https://www.example.test', 204],
      ['https://evil.example', 403]])
      assert.equal((await send(port, 'OPTIONS', poll,
        { headers: { Host: host, Origin: origin } })).status, status);
  });
});

describe('what the site is told of a browser', () => {
  let tokens = 0;

  // Connects with these headers and resolves to what the site saw.
  async function question(headers, session = `forward-${++tokens}`, to = router) {
    const socket = await WebSocket.session(to.public.port,
      { headers: { Cookie: `session=${session}`, ...headers } });
    socket.text('40');
    const asked = await site.asked.find((x) => x.headers.cookie?.includes(session));
    socket.destroy();
    return asked.headers;
  }

  test('the listed headers, its own, and nothing else', async () => {
    const seen = await question({
      Authorization: 'Basic c2VjcmV0',
      'Proxy-Authorization': 'Basic c2VjcmV0',
      'Accept-Language': 'de, en;q=0.8',
      'User-Agent': 'Mozilla/5.0',
      'X-Signalbox-Namespace': '/admin',
      'X-Signalbox-Auth': '{"admin":true}',
      'X-Forwarded-For': '203.0.113.9',
      'X-Forwarded-Host': 'evil.example',
      'X-Real-IP': '203.0.113.9',
      'X-User': 'admin',
      Referer: 'https://www.example.test/secret',
      'Accept-Encoding': 'gzip',
      Forwarded: 'for=203.0.113.9',
    });
    const known = ['accept', 'accept-encoding', 'accept-language', 'connection', 'cookie',
      'host', 'user-agent', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto',
      'x-signalbox-namespace'];
    assert.deepEqual(Object.keys(seen).filter((x) => !known.includes(x)), []);
    assert.equal(seen['accept-language'], 'de, en;q=0.8');
    assert.equal(seen['user-agent'], 'Mozilla/5.0');
    assert.equal(seen['x-forwarded-for'], '127.0.0.1');
    assert.equal(seen['x-forwarded-host'], '127.0.0.1');
    assert.equal(seen['x-forwarded-proto'], 'http');
    assert.equal(seen['accept-encoding'], 'identity');
    assert.equal(seen['x-signalbox-namespace'], '/');
    assert.equal(seen.host, `127.0.0.1:${site.port}`);
  });

  test('the cookie to the byte', async () => {
    const cookie = 'a="b c"; session=bytes-1; empty=; d=%E2%82%AC; e=f=g; ü=ö;h=1;\ttab=a\tb';
    const seen = await question({ Cookie: cookie }, 'bytes-1');
    assert.equal(seen.cookie, cookie);
  });

  test('all lines of a header as one', async () => {
    const connection = await Connection.open(port);
    const lines = ['Cookie: a=1', 'Accept-Language: de', 'Cookie: session=lines-2',
      'Accept-Language: en;q=0.8', 'User-Agent: one', 'User-Agent: two',
      ...Object.entries({ ...upgradeHeaders, Connection: 'keep-alive' }).map(([x, y]) => `${x}: ${y}`),
      'Connection: Upgrade'];
    connection.write(Buffer.concat([
      Buffer.from(`GET ${socketUrl} HTTP/1.1\r\nHost: h\r\n${lines.join('\r\n')}\r\n\r\n`),
      frame(1, '40')]));
    assert.equal((await connection.response()).status, 101);
    const { headers } = await site.asked.find((x) => x.headers.cookie?.includes('lines-2'));
    assert.equal(headers.cookie, 'a=1; session=lines-2');
    assert.equal(headers['accept-language'], 'de, en;q=0.8');
    assert.equal(headers['user-agent'], 'one');
    connection.destroy();
  });

  test('a User-Agent is cut', async () => {
    const seen = await question({ 'User-Agent': 'x'.repeat(2000) });
    assert.equal(seen['user-agent'].length, 512);
  });

  for (const [what, bad] of [['CR LF', 'session=a\r\nX-Admin: 1'], ['NUL', 'session=a\0b'],
    ['CR', 'session=a\rX-Admin: 1'], ['LF', 'session=a\nX-Admin: 1'],
    ['a control character', 'session=a\x01'], ['delete', 'session=a\x7f'],
    ['a folded line', 'session=a\r\n b']])
    test(`a cookie with ${what} adds no header`, async () => {
      const asked = site.asked.items.length;
      const connection = await Connection.open(port);
      connection.write(Buffer.concat([
        Buffer.from(`GET ${socketUrl} HTTP/1.1\r\nHost: h\r\nCookie: ${bad}\r\n`),
        Buffer.from(Object.entries(upgradeHeaders).map(([x, y]) => `${x}: ${y}\r\n`).join('')),
        Buffer.from('\r\n'), frame(1, '40'),
      ]));
      const response = await connection.response();
      if (what === 'CR LF') {
        // Two headers by any reading; the second is not on the list.
        assert.equal(response.status, 101);
        const { headers } = (await site.asked.take(asked + 1)).at(-1);
        assert.equal(headers.cookie, 'session=a');
        assert.equal(headers['x-admin'], undefined);
      } else {
        assert.equal(response.status, 400);
        assert.equal(site.asked.items.length, asked);
      }
      connection.destroy();
    });

  test('an auth payload with line ends stays one header', async () => {
    const socket = await WebSocket.session(port, { headers: { Cookie: 'session=lines' } });
    socket.text('40{"x":"\\r\\nX-Admin: 1","y":"\u2028é"}');
    const { headers } = await site.asked.find((x) => x.headers.cookie === 'session=lines');
    assert.equal(headers['x-admin'], undefined);
    assert.deepEqual(JSON.parse(headers['x-signalbox-auth']),
      { x: '\r\nX-Admin: 1', y: '\u2028é' });
    socket.destroy();
  });

  test('forwarded headers are believed of trusted proxies only', async () => {
    const behind = await startRouter({ site, changes: {
      proxy: { 'trusted-proxies': ['127.0.0.1', '10.0.0.0/8'] } } });
    try {
      const seen = await question({
        'X-Forwarded-For': '198.51.100.7, 203.0.113.9, 10.1.2.3',
        'X-Forwarded-Host': 'www.example.test',
        'X-Forwarded-Proto': 'https',
        Origin: 'https://www.example.test',
      }, 'proxied', behind);
      assert.equal(seen['x-forwarded-for'], '203.0.113.9');
      const answer = await send(behind.public.port, 'GET', poll, { headers: {
        'X-Forwarded-Host': 'www.example.test', 'X-Forwarded-Proto': 'http',
        Origin: 'https://www.example.test' } });
      assert.equal(answer.status, 403);
    } finally {
      await behind.stop();
    }
    const answer = await send(port, 'GET', poll, { headers: {
      'X-Forwarded-Host': 'forged.example', 'X-Forwarded-Proto': 'https',
      Origin: 'https://forged.example' } });
    assert.equal(answer.status, 403);
  });
});

describe('advisories of others', () => {
  test('CVE-2024-38355: an event called error is an event', async () => {
    const socket = await WebSocket.session(port, { headers: { Cookie: 'session=error' } });
    socket.text('40');
    await socket.frame();
    socket.text('421["error"]');
    assert.equal((await socket.frame()).text, '431["error"]');
    socket.destroy();
  });

  test('CVE-2017-16031: session ids do not repeat or count', async () => {
    const sids = [];
    for (let i = 0; i < 20; ++i)
      sids.push(...await Promise.all(Array.from({ length: 25 },
        async () => (await Polling.open(port)).sid)));
    assert.equal(new Set(sids).size, sids.length);
    // What is random varies at every place; node number and shard need not.
    for (let at = 1; at < 21; ++at)
      assert.ok(new Set(sids.map((x) => x[at])).size > 40, `place ${at}`);
    assert.equal(new Set(sids.map((x) => x.slice(-8))).size, sids.length);
  });

  test('CVE-2020-36049: a million digits cost no time', async () => {
    const socket = await WebSocket.session(port, { headers: { Cookie: 'session=digits' } });
    socket.text('40');
    await socket.frame();
    socket.text(`42${'2'.repeat(999990)}`);
    assert.equal(await Promise.race([socket.closing(), socket.connection.closed()])
      !== undefined, true);
    socket.destroy();
  });

  test('CVE-2022-21676: bytes right behind the handshake of an upgrade', async () => {
    const session = await Polling.open(port, { headers: { Cookie: 'session=behind' } });
    const connection = await Connection.open(port);
    connection.write(Buffer.concat([
      request('GET', `${socketUrl}&sid=${session.sid}`, { headers: upgradeHeaders }),
      Buffer.from('test')]));
    assert.equal((await connection.response()).status, 101);
    await connection.closed();
    connection.destroy();
    // The polling session does not suffer.
    assert.equal((await session.post('40')).body, 'ok');
    assert.match((await session.packets())[0], /^40\{"sid"/);
  });

  test('CVE-2022-41940: a reset during a refused upgrade', async () => {
    const open = await metric(router, 'tcp_connections');
    for (let i = 0; i < 50; ++i) {
      const connection = await Connection.open(port);
      connection.write(request('GET', socketUrl, { headers:
        { ...upgradeHeaders, Upgrade: 'h2c' } }));
      connection.socket.resetAndDestroy();
    }
    await until(async () => await metric(router, 'tcp_connections') <= open + 2, 5000,
      'the sockets to be gone');
  });

  test('CVE-2023-31125: transports that every object inherits', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', ''])
      assert.equal((await send(port, 'GET', `/socket.io/?EIO=4&transport=${name}`)).body,
        '{"code":0,"message":"Transport unknown"}');
    for (const sid of ['__proto__', 'hasOwnProperty', 'x'.repeat(3000)])
      assert.equal((await send(port, 'GET', `${poll}&sid=${sid}`)).body,
        '{"code":1,"message":"Session ID unknown"}');
  });

  test('CVE-2026-59725: POSTs of octets leave no socket behind', async () => {
    const open = await metric(router, 'tcp_connections');
    for (let i = 0; i < 10; ++i)
      await Promise.all(Array.from({ length: 20 }, async () => {
        const session = await Polling.open(port);
        const answer = await session.post('\x01\x02\x03',
          { 'Content-Type': 'application/octet-stream' });
        assert.equal(answer.status, 400);
      }));
    await until(async () => await metric(router, 'tcp_connections') <= open + 2, 5000,
      'the sockets to be gone');
  });

  test('CVE-2021-32640: ten thousand blanks in a protocol', async () => {
    const { response, connection } = await WebSocket.ask(port, socketUrl,
      { headers: { 'Sec-WebSocket-Protocol': `b${' '.repeat(10000)}x` } });
    assert.ok([400, 101, 431].includes(response.status));
    connection.destroy();
  });

  test('an extension that every object inherits is ignored', async () => {
    const { response, connection } = await WebSocket.ask(port, socketUrl,
      { headers: { 'Sec-WebSocket-Extensions': 'constructor, __proto__; toString=1' } });
    assert.equal(response.status, 101);
    assert.equal(response.headers['sec-websocket-extensions'], undefined);
    connection.destroy();
  });

  test('CVE-2026-27889: a length of 64 bits with the top bit set', async () => {
    for (const length of [[0x80, 0, 0, 0, 0, 0, 0, 1], [0x7f, 255, 255, 255, 255, 255, 255, 255],
      [255, 255, 255, 255, 255, 255, 255, 255]]) {
      const socket = await WebSocket.session(port);
      socket.connection.write(Buffer.from([0x82, 0xff, ...length, 1, 2, 3, 4]));
      const end = await socket.closing();
      assert.ok([1002, 1009].includes(end.code), `${end.code}`);
      socket.destroy();
    }
  });

  test('CVE-2026-48802: ten thousand pongs nobody asked for', async () => {
    const socket = await WebSocket.session(port, { headers: { Cookie: 'session=pongs' } });
    socket.text('40');
    await socket.frame();
    socket.connection.write(Buffer.concat(Array.from({ length: 10000 }, () => frame(1, '3'))));
    socket.text('421["still"]');
    assert.equal((await socket.frame()).text, '431["still"]');
    socket.destroy();
  });

  test('CVE-2026-48804: attachments of whoever is in no namespace', async () => {
    const socket = await WebSocket.session(port, { headers: { Cookie: 'session=none' } });
    socket.text('451-/quiet,["b",{"_placeholder":true,"num":0}]');
    socket.binary(Buffer.alloc(1000));
    assert.ok(await socket.closing() !== undefined);
    socket.destroy();
  });

  test('CVE-2026-69185: binary frames behind an event of no attachments', async () => {
    const socket = await WebSocket.session(port, { headers: { Cookie: 'session=behind0' } });
    socket.text('40');
    await socket.frame();
    socket.text('450-["b"]');
    await socket.closing();
    socket.destroy();
  });

  test('CVE-2022-21667: empty and aborted bodies everywhere', async () => {
    for (const to of [port, router.ingest.port, router.operations.port])
      for (const path of ['/', poll, '/api/v1/events', '/metrics', '/healthz']) {
        for (const headers of [{}, { 'Content-Length': 0 }]) {
          const answer = await send(to, 'POST', path, { headers });
          assert.ok(answer.status >= 200 && answer.status < 500, `${path} ${answer.status}`);
        }
        const connection = await Connection.open(to);
        connection.write(request('POST', path, { headers: { 'Content-Length': 10 } }));
        connection.socket.resetAndDestroy();
      }
  });

  test('a ping flood by whoever does not read costs no memory', async () => {
    const before = await resident();
    const socket = await WebSocket.session(port);
    socket.connection.socket.on('error', () => {});
    socket.connection.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 1000 },
      () => frame(9, 'x'.repeat(125))));
    for (let i = 0; i < 100; ++i)
      socket.connection.write(pings);
    await unharmed();
    assert.ok(await resident() < before + 8 * megabyte);
    socket.destroy();
  });

  test('paths are what they are', async () => {
    for (const path of ['/socket.io/../metrics', '/socket.io%2f', '//socket.io/',
      '/socket.io', '/%73ocket.io/', '/socket.io;x/', '/socket.io/..%2f..%2fetc%2fpasswd'])
      assert.notEqual((await send(port, 'GET', `${path}?EIO=4&transport=none`)).status, 200,
        path);
  });

  test('several packets of several kinds in one POST do no harm', async () => {
    const session = await Polling.open(port, { headers: { Cookie: 'session=kinds' } });
    const answer = await session.post(['3', '40', '3', '6', '5', '3'].join(separator));
    assert.equal(answer.status, 200);
    assert.match((await session.packets())[0], /^40/);
  });
});

describe('publishers of old', () => {
  const events = (count) => Array.from({ length: count }, (_, i) => {
    const body = JSON.stringify({ type: 'announcement', payload: i });
    return request('POST', '/api/v1/events',
      { headers: { Authorization: `Bearer ${siteKey}` }, body });
  }).join('');

  for (const count of [1, 3])
    test(`${count} posts are answered though the client has closed its side`, async () => {
      for (let i = 0; i < 20; ++i) {
        const connection = await Connection.open(router.ingest.port);
        connection.socket.end(events(count));
        for (let n = 0; n < count; ++n) {
          const answer = await connection.response();
          assert.equal(answer?.status, 200);
          assert.equal(JSON.parse(answer.body).ok, true);
        }
        await connection.closed();
      }
    });

  test('HTTP/1.0 gets no interim answer, HTTP/1.1 does', async () => {
    for (const [version, first] of [['1.0', 200], ['1.1', 100]]) {
      const body = JSON.stringify({ type: 'announcement', payload: version });
      const connection = await Connection.open(router.ingest.port);
      connection.write(`POST /api/v1/events HTTP/${version}\r\nHost: 127.0.0.1\r\n`
        + `Authorization: Bearer ${siteKey}\r\nExpect: 100-continue\r\n`
        + `Content-Length: ${body.length}\r\n\r\n`);
      const status = () => Number(/^HTTP\/1\.[01] (\d+)/.exec(
        connection.received.toString('latin1'))?.[1] ?? NaN);
      if (first === 100)
        await until(() => status() === 100);
      connection.write(body);
      await until(() => connection.received.includes('"ok":true'));
      assert.equal(status(), first);
      connection.destroy();
    }
  });
});
