// Every limit at its value and one beyond, with its counter. tests/limits.json
// is the table; .ci/limits-table prints it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';

import { within, until } from './support/deadline.mjs';
import { call, deliver, post, user } from './support/ingest.mjs';
import { metric, metrics, reaches } from './support/metrics.mjs';
import { Connection, Polling, WebSocket, base, frame, request, send, separator,
  upgradeHeaders } from './support/raw.mjs';
import { siteKey, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { settings: table, inside } = JSON.parse(file('tests/limits.json'));
const socketUrl = '/socket.io/?EIO=4&transport=websocket';
const tested = new Set();
let site;

before(async () => {
  site = await startSite();
});

after(() => site?.close());

// A size, a duration in milliseconds or a plain number.
function plain(value) {
  const [, digits, unit] = /^(\d+)([A-Za-z]*)$/.exec(value);
  const units = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2, ms: 1, s: 1000, m: 60000 };
  return Number(digits) * units[unit];
}

// Tests the limit of the table: `run` gets its value as a number, `keeps` for
// what must not touch the counter, and `rises` for what must.
function limit(setting, run, more = {}) {
  const entry = table.find((x) => x.setting === setting);
  assert.ok(entry, `${setting} is not in tests/limits.json`);
  tested.add(setting);
  test(`${setting}: ${entry.test}`, async () => {
    Object.assign(site, { mode: 'answer', eventMode: 'answer' });
    site.users.clear();
    const [room, name] = setting.split('.');
    const changes = { ...more, [room]: { ...more[room], [name]: entry.value } };
    if (room === 'site' || changes.site)
      changes.site = { 'auth-url': site.authUrl, 'event-url': site.eventUrl, ...changes.site };
    const router = await startRouter({ site, changes });
    const rises = async (action, by = 1) => {
      const before = await metric(router, entry.counter);
      const result = await action();
      await reaches(router, entry.counter, (x) => x >= before + by);
      return result;
    };
    const keeps = async (action) => {
      const before = await metric(router, entry.counter);
      const result = await action();
      assert.equal(await metric(router, entry.counter), before,
        `${entry.counter} rose within the limit`);
      return result;
    };
    try {
      await run({ router, port: router.public.port, value: plain(String(entry.value)),
        rises, keeps });
    } finally {
      await router.stop();
    }
  });
}

// A WebSocket in the namespace `/`.
async function tab(router, name = 'anna', options = {}) {
  const socket = await WebSocket.session(router.public.port,
    { headers: { Cookie: `session=${name}` }, ...options });
  socket.text('40');
  const { text } = await socket.frame();
  assert.match(text, /^40\{"sid":"/);
  socket.id = JSON.parse(text.slice(2)).sid;
  return socket;
}

// A polling session in the namespace `/`.
async function polling(router, name = 'anna') {
  const session = await Polling.open(router.public.port,
    { headers: { Cookie: `session=${name}` } });
  await session.post('40');
  assert.match((await session.packets())[0], /^40\{"sid":"/);
  return session;
}

async function answered(port, bytes) {
  const connection = await Connection.open(port);
  connection.write(bytes);
  const response = await connection.response();
  connection.destroy();
  return response;
}

const status = async (port, bytes) => (await answered(port, bytes))?.status;

const announcement = (payload) => ({ type: 'announcement', payload });

// Writes one byte after the other until the peer closes.
async function drip(connection, bytes, ms = 20) {
  for (const byte of bytes) {
    if (connection.ended)
      return;
    connection.write(Buffer.from([byte]));
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

describe('what a request may cost', () => {
  limit('limits.request-line', async ({ port, value, rises, keeps }) => {
    const line = (size) => {
      const start = `GET ${base()}&x=`;
      return `${start}${'x'.repeat(size - start.length - 9)} HTTP/1.1`;
    };
    assert.equal(line(value).length, value);
    assert.equal(await keeps(() => status(port, `${line(value)}\r\nHost: h\r\n\r\n`)), 200);
    assert.equal(await rises(() => status(port, `${line(value + 1)}\r\nHost: h\r\n\r\n`)), 431);
    // It is not waited for either.
    assert.equal(await rises(() => status(port, 'x'.repeat(value + 2))), 431);
  });

  limit('limits.header-bytes', async ({ port, value, rises, keeps }) => {
    const headers = (size) => {
      const host = 'Host: h\r\nX-A: ';
      return `${host}${'x'.repeat(size - host.length - 2)}\r\n`;
    };
    const line = `GET ${base()} HTTP/1.1\r\n`;
    assert.equal(await keeps(() => status(port, `${line}${headers(value)}\r\n`)), 200);
    assert.equal(await rises(() => status(port, `${line}${headers(value + 1)}\r\n`)), 431);
    assert.equal(await rises(() => status(port, `${line}X-A: ${'x'.repeat(value)}`)), 431);
  });

  limit('limits.headers', async ({ port, value, rises, keeps }) => {
    const headers = (count) => 'Host: h\r\n' + 'X-A: b\r\n'.repeat(count - 1);
    const line = `GET ${base()} HTTP/1.1\r\n`;
    assert.equal(await keeps(() => status(port, `${line}${headers(value)}\r\n`)), 200);
    assert.equal(await rises(() => status(port, `${line}${headers(value + 1)}\r\n`)), 431);
  });

  limit('limits.header-timeout', async ({ port, rises, keeps }) => {
    await keeps(async () => assert.equal(await status(port, request('GET', base())), 200));
    // Said nothing, said half of it, and says one byte after the other.
    const silent = await Connection.open(port);
    await rises(() => silent.closed());
    assert.equal(silent.received.length, 0);
    const half = await Connection.open(port);
    half.write('GET / HTTP/1.1\r\nHo');
    assert.equal((await rises(() => half.response())).status, 408);
    const slow = await Connection.open(port);
    slow.socket.on('error', () => {});
    await rises(() => drip(slow, request('GET', base(), { headers: { 'X-A': 'x'.repeat(900) } })));
    assert.match(slow.received.toString('latin1'), /^HTTP\/1\.1 408/);
  });

  limit('limits.body-timeout', async ({ router, port, rises, keeps }) => {
    const session = await polling(router);
    await keeps(async () => assert.equal((await session.post('42["x"]')).body, 'ok'));
    const slow = await Connection.open(port);
    slow.socket.on('error', () => {});
    slow.write(request('POST', session.url, { headers:
      { ...session.headers, 'Content-Length': 500 } }));
    await rises(() => drip(slow, Buffer.alloc(500, '4')));
    assert.match(slow.received.toString('latin1'), /^HTTP\/1\.1 408/);
    // The session went with it, as with every POST that breaks off.
    assert.equal((await session.get()).status, 400);
    const chunked = await Connection.open(router.ingest.port);
    chunked.write(request('POST', '/api/v1/events',
      { headers: { 'Transfer-Encoding': 'chunked' } }));
    chunked.write('5\r\n[');
    assert.equal((await rises(() => chunked.response())).status, 408);
  }, { limits: { 'min-rate-time': '300ms' } });

  // Posts an event in pieces of so many bytes, one every 50 ms, until it is whole
  // or answered. Resolves to the answer.
  async function trickle(router, size, pieces = Infinity) {
    const body = JSON.stringify(announcement('x'.repeat(40000)));
    const connection = await Connection.open(router.ingest.port);
    connection.socket.on('error', () => {});
    connection.write(request('POST', '/api/v1/events', { headers: {
      Authorization: `Bearer ${siteKey}`, 'Content-Length': body.length } }));
    for (let at = 0, n = 0; at < body.length && connection.received.length === 0; ++n) {
      const end = n < pieces ? at + size : body.length;
      connection.write(body.slice(at, end));
      at = end;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const response = await connection.response();
    connection.destroy();
    return response.status;
  }

  // Ten times what is asked for, over many times the deadline of the first byte,
  // passes.
  limit('limits.min-rate', async ({ router, rises, keeps }) => {
    assert.equal(await keeps(() => trickle(router, 1000, 40)), 200);
    assert.equal(await rises(() => trickle(router, 1)), 408);
  }, { limits: { 'body-timeout': '300ms', 'min-rate-time': '1s' } });

  limit('limits.min-rate-time', async ({ router, rises, keeps }) => {
    await keeps(() => deliver(router, announcement('x')));
    assert.equal(await rises(() => trickle(router, 1)), 408);
  });

  limit('limits.transfer-timeout', async ({ router, rises, keeps }) => {
    await keeps(() => deliver(router, announcement('x')));
    assert.equal(await rises(() => trickle(router, 100)), 408);
  });

  limit('limits.idle-timeout', async ({ port, rises, keeps }) => {
    const connection = await Connection.open(port);
    await keeps(async () => {
      connection.write(request('GET', base()));
      assert.equal((await connection.response()).status, 200);
      connection.write(request('GET', base()));
      assert.equal((await connection.response()).status, 200);
    });
    await rises(() => connection.closed());
    assert.equal(connection.received.length, 0);
  });

  limit('limits.write-timeout', async ({ router, port, rises, keeps }) => {
    const session = await polling(router);
    // Beyond what the kernel takes over for a client.
    const large = announcement('x'.repeat(8000000));
    await keeps(async () => {
      await deliver(router, announcement('small'));
      assert.deepEqual(await session.packets(), ['42["announcement","small"]']);
    });
    await deliver(router, large);
    const connection = await Connection.open(port);
    connection.socket.pause();
    await rises(async () => {
      connection.write(request('GET', session.url, { headers: session.headers }));
    });
    connection.destroy();
    // A close frame that is not answered in time ends TCP.
    const socket = await tab(router);
    socket.text('1');
    await socket.connection.closed();
    assert.equal(socket.connection.received[0], 0x88);
    await reaches(router, 'tcp_connections', 1);
  }, { ingest: { 'max-event': '10MiB', 'max-body': '10MiB',
    keys: [{ name: 'test', key: 'test-key-0123456789abcdef', 'may-target': true }] },
  limits: { 'outbox-bytes': '20MiB', 'min-rate-time': '300ms' } });

  // An answer that the client takes slowly, beyond any deadline of its own.
  test('a client that takes its answer slowly gets it whole', async () => {
    const router = await startRouter({ site, changes: { limits: {
      'write-timeout': '1s', 'min-rate-time': '1s', 'min-rate': '1KiB',
      'outbox-bytes': '20MiB' },
    ingest: { 'max-event': '10MiB', 'max-body': '10MiB' },
    engine: { 'http-compression': false, 'ping-interval': '1s', 'ping-timeout': '1s' } } });
    try {
      const session = await polling(router);
      await deliver(router, announcement('x'.repeat(9000000)));
      const connection = await Connection.open(router.public.port);
      connection.write(request('GET', session.url, { headers: session.headers }));
      for (let i = 0; i < 60; ++i) {
        connection.socket.pause();
        await new Promise((resolve) => setTimeout(resolve, 50));
        connection.socket.resume();
        await new Promise((resolve) => connection.socket.once('data', resolve));
      }
      const { status, body } = await connection.response();
      assert.equal(status, 200);
      assert.ok(body.length > 9000000);
      assert.equal(await metric(router, 'http_timeouts_total{phase="write"}'), 0);
      // Nor was its session given up, whose pong had to wait.
      assert.equal((await session.post('3')).status, 200);
      connection.destroy();
    } finally {
      await router.stop();
    }
  });
});

describe('how many connections', () => {
  // A connection from an address of its own; says whether it was answered.
  async function from(address, port) {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress: address });
    socket.on('error', () => {});
    const admitted = await within(new Promise((resolve) => {
      socket.once('data', () => resolve(true)).once('close', () => resolve(false));
      socket.once('connect', () => socket.write(request('GET', '/nowhere')));
    }), 5000, 'an answer or the end');
    return { admitted, socket };
  }

  limit('limits.connections', async ({ router, port, value, rises }) => {
    const held = [];
    await rises(async () => {
      // The connection that asked for the counter may take a moment to go.
      while (held.length < value)
        held.push(await until(async () => {
          const one = await from('127.0.0.1', port);
          return one.admitted && one;
        }, 5000, 'a connection within the limit'));
      assert.equal((await from('127.0.0.1', port)).admitted, false);
      assert.equal((await from('127.0.0.1', port)).admitted, false);
      // The site and the operators still get through.
      for (const inner of [router.ingest.port, router.operations.port])
        assert.equal((await from('127.0.0.1', inner)).admitted, true);
      for (const { socket } of held)
        socket.destroy();
      await until(async () => {
        const again = await from('127.0.0.1', port);
        again.socket.destroy();
        return again.admitted;
      }, 5000, 'room for another one');
    }, 2);
  });

  limit('limits.per-ip', async ({ port, value, rises, keeps }) => {
    const held = [];
    await keeps(async () => {
      for (let i = 0; i < value; ++i)
        held.push(await from('127.0.0.2', port));
      assert.ok(held.every((x) => x.admitted));
    });
    await rises(async () => {
      assert.equal((await from('127.0.0.2', port)).admitted, false);
    });
    // Other addresses do not suffer, and a connection that ends makes room.
    assert.ok((await from('127.0.0.3', port)).admitted);
    held[0].socket.destroy();
    await until(async () => {
      const again = await from('127.0.0.2', port);
      return again.admitted;
    }, 5000, 'room for another one');
  }, { limits: { 'count-loopback': true, 'per-ip-rate': 10000 } });

  limit('limits.per-ip-rate', async ({ port, value, rises, keeps }) => {
    await keeps(async () => {
      const all = await Promise.all(Array.from({ length: value },
        () => from('127.0.0.2', port)));
      assert.ok(all.every((x) => x.admitted));
    });
    // However the seconds fall, one more than two of them allow is too many.
    await rises(async () => {
      const all = await Promise.all(Array.from({ length: 2 * value + 1 },
        () => from('127.0.0.3', port)));
      assert.ok(all.some((x) => !x.admitted));
    });
    await until(async () => (await from('127.0.0.3', port)).admitted, 5000,
      'the next second');
  }, { limits: { 'count-loopback': true } });
});

describe('how many sessions', () => {
  const used = async (port) => {
    const session = await Polling.open(port);
    assert.equal((await session.post('3')).status, 200);
    return session;
  };
  const refused = async (port, path, status, body, options) => {
    const answer = await send(port, 'GET', path, options);
    assert.deepEqual([answer.status, answer.body, answer.headers['retry-after']],
      [status, body, '1'], path);
  };

  limit('limits.sessions-per-ip', async ({ router, port, value, rises, keeps }) => {
    const connection = await Connection.open(port);
    const handshake = async (path) => {
      connection.write(request('GET', path, { headers: { Cookie: 'session=anna' } }));
      return connection.response();
    };
    const live = (count) => reaches(router, 'sessions{transport="polling"}', count);
    // The oldest unused session gives way, of each generation.
    await keeps(async () => {
      for (const path of [base(), '/socket.io/?EIO=3&transport=polling', '/socket.io/1/'])
        for (let i = 0; i < 2 * value; ++i)
          assert.equal((await handshake(path)).status, 200);
      await live(value);
    });
    // Those that are used stay.
    const all = [];
    await keeps(async () => {
      while (all.length < value)
        all.push(await used(port));
    });
    const why = 'Too many sessions of an address';
    const json = `{"code":4,"message":"${why}"}`;
    await rises(async () => {
      await refused(port, base(), 429, json);
      await refused(port, '/socket.io/?EIO=3&transport=polling', 429, json);
      await refused(port, '/socket.io/1/', 429, why);
      await refused(port, '/socket.io/?EIO=4&transport=websocket', 429, why,
        { headers: upgradeHeaders });
    }, 4);
    // A session that goes makes room.
    await all[0].post('1');
    await until(async () => (await send(port, 'GET', base())).status === 200, 5000,
      'room for another session');
    for (const session of all.slice(1))
      assert.equal((await session.post('3')).status, 200);
    // Publishers are not counted so.
    for (let i = 0; i < 2 * value; ++i)
      assert.equal((await send(router.ingest.port, 'GET', base())).status, 200);
    connection.destroy();
  }, { limits: { 'count-loopback': true }, engine: { 'close-timeout': '1s' },
    router: { threads: 1 } });

  limit('limits.memory', async ({ router, port, rises }) => {
    await rises(async () => {
      assert.equal(await status(port, request('GET', base())), 503);
    });
    await rises(async () => {
      assert.equal((await post(router, announcement('x'))).status, 503);
    });
  });

  limit('limits.sessions', async ({ router, port, value, rises, keeps }) => {
    await keeps(async () => {
      for (let i = 0; i < value / 2; ++i) {
        await used(port);
        await used(router.ingest.port);
      }
    });
    await rises(async () => {
      for (const at of [port, router.ingest.port])
        await refused(at, base(), 503, '{"code":4,"message":"Too many sessions"}');
    }, 2);
  });
});

describe('what one session may cost', () => {
  const size = (payload) => `42["announcement",${JSON.stringify(payload)}]`.length;

  limit('limits.outbox-bytes', async ({ router, value, rises, keeps }) => {
    const half = 'x'.repeat(value / 2 - size(''));
    assert.equal(size(half), value / 2);
    const session = await polling(router);
    await keeps(async () => {
      await deliver(router, [announcement(half), announcement(half)]);
      assert.equal((await session.collect(2)).length, 2);
    });
    // Without a word: the client would not read it.
    await rises(async () => {
      await deliver(router, [announcement(half), announcement(`${half}x`)]);
    });
    assert.equal((await session.get()).status, 400);
    // A single event that is larger passes.
    const other = await polling(router, 'ben');
    await keeps(async () => {
      await deliver(router, announcement(half.repeat(3)));
      assert.equal((await other.packets()).length, 1);
    });
  });

  limit('limits.outbox-packets', async ({ router, value, rises, keeps }) => {
    const socket = await tab(router);
    socket.connection.socket.pause();
    const some = (count) => Array.from({ length: count }, (_, i) => announcement(i));
    await keeps(async () => {
      // More than the kernel takes over, so that it is the first that waits.
      await deliver(router, announcement('x'.repeat(8000000)));
      await deliver(router, some(value - 1));
    });
    await rises(() => deliver(router, announcement('one too many')));
    socket.destroy();
  }, { ingest: { 'max-event': '10MiB', 'max-body': '10MiB',
    keys: [{ name: 'test', key: siteKey, 'may-target': true }] },
  limits: { 'outbox-bytes': '20MiB' } });

  test('between two polls bytes decide, and a confirm tells of the end', async () => {
    const router = await startRouter({ site,
      changes: { limits: { 'outbox-packets': 10, 'outbox-bytes': '256KiB' } } });
    try {
      const session = await polling(router);
      const some = Array.from({ length: 3000 }, (_, i) => announcement(i));
      for (let at = 0; at < some.length; at += 1000)
        await deliver(router, some.slice(at, at + 1000));
      const got = await session.collect(3000);
      assert.deepEqual(got.map((x) => JSON.parse(x.slice(2))[1]),
        some.map((x) => x.payload));
      // What waits beyond the bound is lost with its session, and that is said.
      const letter = (text) => ({ type: 'letter', payload: { to: 'anna', text },
        confirm: { deadline_ms: 1000 } });
      const first = deliver(router, letter('first'));
      await until(async () => await metric(router, 'deliveries_total') >= 3001, 5000,
        'the first letter');
      const second = await deliver(router, letter('x'.repeat(300000)));
      assert.deepEqual(second.confirmed, { anna: 'dropped' });
      assert.deepEqual((await first).confirmed, { anna: 'dropped' });
      assert.equal(await metric(router, 'sessions_closed_total{reason="slow"}'), 1);
    } finally {
      await router.stop();
    }
  });

  limit('limits.payload-packets', async ({ router, value, rises, keeps }) => {
    const session = await polling(router);
    const some = (count) => Array.from({ length: count }, () => '3').join(separator);
    await keeps(() => session.post(some(value)));
    assert.equal((await session.post('3')).status, 200);
    await rises(() => session.post(some(value + 1)));
    assert.equal((await session.get()).status, 400);
  });

  limit('limits.fragments', async ({ router, value, rises, keeps }) => {
    const pieces = (count) => Buffer.concat(Array.from({ length: count }, (_, i) =>
      frame(i === 0 ? 1 : 0, i === 0 ? '421["f' : i + 1 === count ? '"]' : '',
        { fin: i + 1 === count })));
    const socket = await tab(router);
    await keeps(async () => {
      socket.connection.write(pieces(value));
      assert.equal((await socket.frame()).text, '431["f"]');
    });
    await rises(async () => {
      socket.connection.write(pieces(value + 1));
      assert.equal((await socket.closing()).code, 1009);
    });
    socket.destroy();
  });

  limit('limits.assembly-timeout', async ({ router, rises, keeps }) => {
    const packet = '451-1["file",{"_placeholder":true,"num":0}]';
    const whole = await tab(router);
    await keeps(async () => {
      whole.text(packet);
      whole.binary([1, 2, 3]);
      assert.match((await whole.frame()).text, /^461-1\["file"/);
    });
    // A message without its end, a frame without its end, a packet without its
    // attachment; over polling as well.
    const steps = {
      message: (x) => x.connection.write(frame(1, '42', { fin: false })),
      frame: (x) => x.connection.write(frame(1, 'x'.repeat(100)).subarray(0, 50)),
      packet: (x) => x.text(packet),
    };
    for (const [what, begin] of Object.entries(steps)) {
      const socket = await tab(router);
      await rises(async () => {
        begin(socket);
        assert.ok(await socket.closing() !== undefined, what);
      });
      socket.destroy();
    }
    const session = await polling(router);
    await rises(async () => {
      await session.post(packet);
      assert.deepEqual(await session.packets(), ['1']);
    });
    // What keeps sending pieces has no more time.
    const slow = await tab(router);
    slow.connection.socket.on('error', () => {});
    await rises(() => drip(slow.connection, frame(1, 'x'.repeat(500))));
    slow.destroy();
    whole.destroy();
  });

  limit('limits.namespaces', async ({ router, value, rises, keeps }) => {
    const socket = await WebSocket.session(router.public.port,
      { headers: { Cookie: 'session=anna' } });
    const names = ['/', '/custom', '/quiet'];
    await keeps(async () => {
      for (const name of names.slice(0, value)) {
        socket.text(`40${name},`);
        await socket.frame();
      }
    });
    await rises(async () => {
      socket.text(`40${names[value]},`);
      assert.equal((await socket.frame()).text,
        `44${names[value]},{"message":"too many namespaces"}`);
    });
    // One that is left makes room.
    socket.text('41/custom,');
    socket.text(`40${names[value]},`);
    assert.match((await socket.frame()).text, /^40\/quiet,\{"sid"/);
    socket.destroy();
  });

  limit('limits.failed-connects', async ({ router, value, rises, keeps }) => {
    const socket = await tab(router);
    await keeps(async () => {
      for (let i = 0; i < value; ++i) {
        socket.text(`40/nowhere-${i},`);
        assert.match((await socket.frame()).text, /Invalid namespace/);
      }
    });
    await rises(async () => {
      socket.text('40/nowhere,');
      assert.ok(await socket.closing() !== undefined);
    });
    assert.equal(await metric(router, 'sessions_closed_total{reason="limit"}'), 1);
    socket.destroy();
  });

  limit('limits.auth-payload', async ({ router, value, rises, keeps }) => {
    const auth = (bytes) => `{"a":"${'x'.repeat(bytes - 8)}"}`;
    const enter = async (payload) => {
      const socket = await WebSocket.session(router.public.port,
        { headers: { Cookie: 'session=anna' } });
      socket.text(`40${payload}`);
      const { text } = await socket.frame();
      socket.destroy();
      return text;
    };
    assert.match(await keeps(() => enter(auth(value))), /^40\{"sid"/);
    assert.equal(await rises(() => enter(auth(value + 1))),
      '44{"message":"auth payload too large"}');
  });

  limit('limits.rooms', async ({ router, value, rises, keeps }) => {
    const socket = await tab(router);
    const join = (room) => call(router, '/api/v1/users/anna/rooms',
      { json: { namespace: '/', join: [room] } });
    const reached = async (room) => (await deliver(router,
      { type: 'room-note', payload: { room } })).online;
    await keeps(async () => {
      for (let i = 0; i < value; ++i)
        assert.equal((await join(`room-${i}`)).body.ok, true);
      await until(async () => await reached(`room-${value - 1}`) === 1, 5000, 'the last room');
    });
    await rises(() => join('one more'));
    assert.equal(await reached('one more'), 0);
    // Nor may one call, or the site's verdict, name more.
    const all = Array.from({ length: value + 1 }, (_, i) => `r${i}`);
    assert.equal((await call(router, '/api/v1/users/anna/rooms',
      { json: { join: all } })).status, 400);
    for (const [count, answer] of [[value, /^40\{"sid"/], [value + 1, /unavailable/]]) {
      site.users.set('rooms', { user_id: 'rooms', rooms: all.slice(0, count) });
      const other = await WebSocket.session(router.public.port,
        { headers: { Cookie: 'session=rooms' } });
      other.text('40');
      assert.match((await other.frame()).text, answer);
      other.destroy();
    }
    socket.destroy();
  });

  limit('limits.name-bytes', async ({ router, value, rises, keeps }) => {
    const longest = 'n'.repeat(value);
    const over = `${longest}n`;
    const events = (name) => [
      { type: 'x', event: name, payload: 1, to: 'all' },
      { type: 'x', payload: 1, to: { users: [name] } },
      { type: 'x', payload: 1, to: { rooms: [name] } },
      { type: 'letter', payload: { to: name } },
      { type: 'room-note', payload: { room: name } },
    ];
    await keeps(() => deliver(router, events(longest)));
    const { body } = await rises(() => post(router, events(over)), 5);
    assert.ok(body.every((x) => x.ok === false), JSON.stringify(body));
    assert.deepEqual(body.map((x) => x.error.pointer),
      ['/0/event', '/1/to/users/0', '/2/to/rooms/0', '/3/payload/to', '/4/payload/room']);
    // In characters of several bytes too.
    await keeps(() => deliver(router, events('é'.repeat(value / 2))));
    await rises(() => post(router, events(`${'é'.repeat(value / 2)}n`)), 5);
    // The site's verdict is bound by it as well.
    for (const [name, answer] of [[longest, /^40\{"sid"/], [over, /unavailable/]]) {
      const socket = await WebSocket.session(router.public.port,
        { headers: { Cookie: `session=${name}` } });
      socket.text('40');
      assert.match((await socket.frame()).text, answer);
      socket.destroy();
    }
  });

  limit('limits.pending-acks', async ({ router, value, rises, keeps }) => {
    const socket = await tab(router);
    const asks = [];
    const confirm = async () => {
      asks.push(post(router, { type: 'letter', payload: { to: 'anna' },
        confirm: { deadline_ms: 1000 } }));
      return (await socket.frame()).text;
    };
    await keeps(async () => {
      for (let i = 0; i < value; ++i)
        assert.match(await confirm(), /^42\d+\["letter"/);
    });
    // It is delivered, but cannot be confirmed.
    assert.match(await rises(confirm), /^42\["letter"/);
    for (const { body } of await Promise.all(asks))
      assert.deepEqual(body.confirmed, { anna: 'timed_out' });
    // What was owed has expired by then.
    assert.match(await keeps(confirm), /^42\d+\["letter"/);
    await asks.at(-1);
    socket.destroy();
  });

  // Has the site keep events until it is told to answer them.
  function holdEvents() {
    const { onEvent } = site;
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    site.onEvent = async () => {
      await held;
      return { ack: [] };
    };
    return () => {
      site.onEvent = onEvent;
      release();
    };
  }

  const emit = (socket, from, to) => {
    for (let i = from; i <= to; ++i)
      socket.text(`42${i}["slow",${i}]`);
  };
  const acks = async (socket, from, to) => {
    for (let i = from; i <= to; ++i)
      assert.match((await socket.frame()).text, new RegExp(`^43${i}\\[`));
  };

  limit('limits.pending-forwards', async ({ router, value, rises, keeps }) => {
    const socket = await tab(router);
    const release = holdEvents();
    const before = site.events.items.length;
    await keeps(async () => {
      emit(socket, 1, value);
      await site.events.take(before + value);
    });
    await rises(() => emit(socket, value + 1, value + 1));
    assert.equal(site.events.items.length, before + value);
    release();
    await acks(socket, 1, value + 1);
    socket.destroy();
  });

  limit('limits.inbox-packets', async ({ router, value, rises, keeps }) => {
    const forwarded = () => metric(router, 'client_events_total{result="forwarded"}');
    const socket = await tab(router);
    const release = holdEvents();
    await keeps(async () => {
      emit(socket, 1, value - 1);
      await reaches(router, 'client_events_total{result="forwarded"}', (x) => x === value - 1);
    });
    // What comes behind the last one waits in the socket.
    await rises(() => emit(socket, value, 3 * value));
    assert.equal(await forwarded(), value);
    release();
    await acks(socket, 1, 3 * value);
    assert.equal(await forwarded(), 3 * value);
    // The same by POSTs: the answer is held, and nothing is lost.
    const again = holdEvents();
    const session = await polling(router, 'ben');
    const packets = Array.from({ length: 3 * value }, (_, i) => `42${i}["slow",${i}]`);
    let answered = false;
    const posted = rises(() => session.post(packets.join(separator))
      .then((x) => { answered = true; return x; }));
    await reaches(router, 'client_events_total{result="forwarded"}', (x) => x === 4 * value);
    assert.equal(answered, false);
    again();
    assert.equal((await posted).body, 'ok');
    const got = [];
    while (got.length < packets.length)
      got.push(...await session.packets());
    assert.deepEqual(got.map((x) => x.split('[')[0]), packets.map((_, i) => `43${i}`));
    socket.destroy();
  });

  limit('limits.inbox-bytes', async ({ router, value, rises, keeps }) => {
    const socket = await tab(router);
    const release = holdEvents();
    const event = (id, bytes) => `42${id}["x","${'x'.repeat(bytes - 8)}"]`;
    await keeps(async () => {
      socket.text(event(1, value - 1));
      await reaches(router, 'client_events_total{result="forwarded"}', (x) => x === 1);
    });
    await rises(() => {
      socket.text(event(2, 9));
      socket.text(event(3, 9));
    });
    assert.equal(await metric(router, 'client_events_total{result="forwarded"}'), 2);
    release();
    for (const id of [1, 2, 3])
      assert.match((await socket.frame()).text, new RegExp(`^43${id}\\[`));
    socket.destroy();
  });

  limit('limits.inbox-timeout', async ({ router, value, rises, keeps }) => {
    const quick = await tab(router, 'ben');
    await keeps(async () => {
      emit(quick, 1, 2);
      for (let i = 1; i <= 2; ++i)
        assert.match((await quick.frame()).text, new RegExp(`^43${i}\\[`));
    });
    const socket = await tab(router);
    const release = holdEvents();
    await rises(async () => {
      emit(socket, 1, 2);
      assert.equal((await socket.frame(value + 5000)).kind, 'close');
    });
    release();
    quick.destroy();
  }, { limits: { 'inbox-packets': 2 } });

  limit('engine.max-payload', async ({ router, value, rises, keeps }) => {
    const event = (bytes) => `42["${'x'.repeat(bytes - 6)}"]`;
    const session = await polling(router);
    assert.equal((await keeps(() => session.post(event(value)))).body, 'ok');
    assert.equal((await rises(() => session.post(event(value + 1)))).status, 413);
    // Neither its length nor its chunks may pass.
    const chunked = await Connection.open(router.public.port);
    chunked.write(request('POST', session.url, { headers:
      { ...session.headers, 'Transfer-Encoding': 'chunked' } }));
    await rises(async () => {
      chunked.write(`${(value + 1).toString(16)}\r\n${event(value + 1)}\r\n0\r\n\r\n`);
      assert.equal((await chunked.response()).status, 413);
    });
    chunked.destroy();
    // A WebSocket message, in one frame, in two, or announced only.
    const message = (bytes) => `421["${'x'.repeat(bytes - 7)}"]`;
    const whole = await tab(router);
    whole.text(message(value));
    assert.match((await whole.frame()).text, /^431\["x/);
    const ways = [
      (x) => x.text(message(value + 1)),
      (x) => {
        x.connection.write(frame(1, message(value), { fin: false }));
        x.connection.write(frame(0, 'x'));
      },
      (x) => x.binary(Buffer.alloc(value + 1)),
      (x) => x.connection.write(Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4])),
    ];
    for (const way of ways) {
      const socket = await tab(router);
      way(socket);
      assert.equal((await socket.closing()).code, 1009);
      socket.destroy();
    }
    // All attachments of a packet together.
    for (const [bytes, passes] of [[value, true], [value + 1, false]]) {
      const socket = await tab(router);
      socket.text('452-1["f",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
      socket.binary(Buffer.alloc(500));
      socket.binary(Buffer.alloc(bytes - 500));
      const answer = await socket.frame();
      assert.equal(answer?.kind === 'text', passes, `${bytes} bytes`);
      socket.destroy();
    }
    whole.destroy();
  }, { site: { 'max-reply': '1MiB' } });

  limit('engine.max-attachments', async ({ router, value, rises, keeps }) => {
    const packet = (count) => `45${count}-1["f"${Array.from({ length: count },
      (_, i) => `,{"_placeholder":true,"num":${i}}`).join('')}]`;
    const socket = await tab(router);
    await keeps(async () => {
      socket.text(packet(value));
      for (let i = 0; i < value; ++i)
        socket.binary([i]);
      assert.match((await socket.frame()).text, new RegExp(`^46${value}-1`));
      for (let i = 0; i < value; ++i)
        assert.equal((await socket.frame()).kind, 'binary');
    });
    await rises(async () => {
      socket.text(packet(value + 1));
      assert.ok((await socket.closing()) !== undefined);
    });
    socket.destroy();
  });
});

describe('JSON', () => {
  const nested = (depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

  // Each way JSON comes in. Resolves to whether it was taken.
  const ways = {
    websocket: async (router, json) => {
      const socket = await tab(router);
      socket.text(`421${json}`);
      const answer = await socket.frame();
      socket.destroy();
      return answer?.kind === 'text';
    },
    binary: async (router, json) => {
      const socket = await tab(router);
      socket.text(`451-1${json.slice(0, -1)},{"_placeholder":true,"num":0}]`);
      socket.binary([1]);
      const answer = await socket.frame();
      socket.destroy();
      return answer?.kind === 'text';
    },
    POST: async (router, json) => {
      const session = await polling(router);
      await session.post(`421${json}`);
      const answer = await session.get();
      return answer.status === 200 && /^43/.test(answer.body);
    },
  };

  limit('limits.json-depth', async ({ router, value, rises, keeps }) => {
    const deep = (depth) => `["deep",${nested(depth - 1)}]`;
    for (const [name, way] of Object.entries(ways)) {
      assert.equal(await keeps(() => way(router, deep(value - 1))), true, name);
      assert.equal(await keeps(() => way(router, deep(value))), true, name);
      assert.equal(await rises(() => way(router, deep(value + 1))), false, name);
    }
    assert.equal(await rises(() => ways.websocket(router, deep(100000))), false);
    // The auth payload of a CONNECT.
    for (const [depth, passes] of [[value, true], [value + 1, false]]) {
      const socket = await WebSocket.session(router.public.port,
        { headers: { Cookie: 'session=anna' } });
      socket.text(`40{"a":${nested(depth - 1)}}`);
      const answer = await socket.frame();
      assert.equal(answer?.kind === 'text', passes);
      socket.destroy();
    }
    // Posts of the site: the event is one level, its payload the next.
    const send = (depth) => call(router, '/api/v1/events',
      { raw: `{"type":"announcement","payload":${nested(depth - 1)}}` });
    assert.equal((await send(value)).status, 200);
    const refused = await metric(router, 'events_total{result="refused"}');
    for (const depth of [value + 1, 100000])
      assert.equal((await send(depth)).status, 400);
    assert.equal(await metric(router, 'events_total{result="refused"}'), refused + 2);
  });

  test('a reply of the site is 16 levels deep at most', async () => {
    site.mode = 'answer';
    const router = await startRouter({ site });
    try {
      for (const [depth, answer] of [[16, /^40\{"sid"/], [17, /"unavailable"/], [5000, /"unavailable"/]]) {
        // The reply is one level and its info the second.
        const info = { a: JSON.parse(nested(depth - 2)) };
        site.users.set('deep', { user_id: 'deep', info });
        const socket = await WebSocket.session(router.public.port,
          { headers: { Cookie: 'session=deep' } });
        socket.text('40');
        assert.match((await socket.frame()).text, answer, `depth ${depth}`);
        socket.destroy();
      }
      assert.equal(await metric(router, 'auth_failures_total'), 2);
      // So is the answer to an event.
      const socket = await tab(router);
      const { onEvent } = site;
      for (const [depth, answer] of [[14, /^431\[\[/], [15, /^431\[\{"ok":false/]]) {
        site.onEvent = () => ({ ack: [JSON.parse(nested(depth))] });
        socket.text('421["deep"]');
        assert.match((await socket.frame()).text, answer, `depth ${depth}`);
      }
      site.onEvent = onEvent;
      socket.destroy();
    } finally {
      site.users.clear();
      await router.stop();
    }
  });

  limit('limits.json-nodes', async ({ router, value, rises, keeps }) => {
    const wide = (count) => `["wide"${',0'.repeat(count - 1)}]`;
    for (const [name, way] of [['websocket', ways.websocket], ['POST', ways.POST]]) {
      assert.equal(await keeps(() => way(router, wide(value))), true, name);
      assert.equal(await rises(() => way(router, wide(value + 1))), false, name);
    }
    const send = (count) => call(router, '/api/v1/events', { raw:
      `{"type":"announcement","payload":[0${',0'.repeat(count - 3)}]}` });
    const refused = await metric(router, 'events_total{result="refused"}');
    assert.equal((await send(value)).status, 200);
    assert.equal((await send(value + 1)).status, 400);
    assert.equal(await metric(router, 'events_total{result="refused"}'), refused + 1);
  });
});

describe('deadlines of a session', () => {
  limit('engine.upgrade-timeout', async ({ router, port, rises, keeps }) => {
    const headers = { Cookie: 'session=anna' };
    await keeps(async () => {
      const done = await polling(router);
      const probe = await WebSocket.open(port, `${socketUrl}&sid=${done.sid}`, { headers });
      probe.text('2probe');
      assert.equal((await probe.frame()).text, '3probe');
      probe.text('5');
      probe.text('421["x"]');
      assert.equal((await probe.frame()).text, '431["x"]');
      probe.destroy();
    });
    for (const said of [[], ['2probe']]) {
      const session = await polling(router);
      const probe = await WebSocket.open(port, `${socketUrl}&sid=${session.sid}`, { headers });
      await rises(async () => {
        for (const text of said)
          probe.text(text);
        assert.ok(await probe.closing() !== undefined);
      });
      probe.destroy();
      // The session itself goes on.
      await session.post('421["still"]');
      assert.deepEqual((await session.packets()).filter((x) => x !== '6'), ['431["still"]']);
    }
  });

  limit('engine.connect-timeout', async ({ router, port, rises, keeps }) => {
    const inside = await tab(router);
    const silent = await WebSocket.session(port);
    await rises(async () => assert.ok(await silent.closing() !== undefined));
    const poll = await Polling.open(port);
    await rises(async () => assert.deepEqual(await poll.packets(), ['1']));
    // A client in a namespace stays, and one that has left all has the same time again.
    await keeps(async () => {
      inside.text('421["x"]');
      assert.equal((await inside.frame()).text, '431["x"]');
    });
    await rises(async () => {
      inside.text('41');
      assert.ok(await inside.closing() !== undefined);
    });
    assert.equal(await metric(router, 'sessions_closed_total{reason="connect_timeout"}'), 3);
  });

  limit('engine.close-timeout', async ({ router, rises, keeps }) => {
    const throwOut = async (name) => assert.equal((await call(router,
      `/api/v1/users/${name}/disconnect`, { json: {} })).body.connections, 1);
    const told = await polling(router, 'anna');
    await keeps(async () => {
      await throwOut('anna');
      assert.match((await told.packets()).join(separator), /^41/);
      assert.equal((await told.get()).status, 200);
    });
    const gone = await polling(router, 'ben');
    await rises(() => throwOut('ben'));
    assert.equal((await gone.get()).body, '{"code":1,"message":"Session ID unknown"}');
    await reaches(router, 'actors{kind="connection"}', 0);
  });

  limit('engine.ping-timeout', async ({ router, rises, keeps }) => {
    const alive = await tab(router);
    await keeps(async () => {
      alive.pong = false;
      for (let i = 0; i < 3; ++i) {
        assert.equal((await alive.frame()).text, '2');
        alive.text('3');
      }
      alive.text('1');
    });
    const dead = await tab(router, 'ben', { pong: false });
    await rises(async () => assert.ok(await dead.closing() !== undefined));
    const polled = await polling(router, 'carla');
    await rises(async () => {
      // No poll comes.
    });
    assert.match((await polled.get()).body, /^2\x1e?1?$|^\{"code":1/);
  }, { engine: { 'ping-interval': '200ms' } });
});

describe('what the site may post', () => {
  const event = (bytes) => {
    const text = (filler) => JSON.stringify(announcement(filler));
    return text('x'.repeat(bytes - text('').length));
  };
  const send = (router, raw) => call(router, '/api/v1/events', { raw });
  const keys = [{ name: 'test', key: 'test-key-0123456789abcdef', 'may-target': true }];

  limit('ingest.max-body', async ({ router, value, rises, keeps }) => {
    assert.equal((await keeps(() => send(router, event(value)))).status, 200);
    const over = await rises(() => send(router, event(value + 1)));
    assert.equal(over.status, 413);
    assert.match(over.body.error.message, /ingest\.max-body/);
  }, { ingest: { keys, 'max-event': '1000B' } });

  limit('ingest.max-event', async ({ router, value, rises, keeps }) => {
    assert.equal((await keeps(() => send(router, event(value)))).status, 200);
    const { status: code, body } = await rises(() => send(router, event(value + 1)));
    assert.equal(code, 413);
    assert.equal(body.error.code, 'too_large');
    // In a batch only the large one is refused.
    const batch = await rises(() => send(router, `[${event(value)},${event(value + 1)}]`));
    assert.deepEqual(batch.body.map((x) => x.ok), [true, false]);
  }, { ingest: { keys } });

  limit('ingest.max-batch', async ({ router, value, rises, keeps }) => {
    const some = (count) => Array.from({ length: count }, (_, i) => announcement(i));
    assert.equal((await keeps(() => deliver(router, some(value)))).length, value);
    const accepted = await metric(router, 'events_total{result="accepted"}');
    const { status: code, body } = await rises(() => post(router, some(value + 1)));
    assert.equal(code, 413);
    assert.equal(body.ok, false);
    assert.equal(await metric(router, 'events_total{result="accepted"}'), accepted);
    // The same number of users may be asked for.
    const ask = (count) => call(router, '/api/v1/users/online',
      { json: { ids: Array.from({ length: count }, (_, i) => `user-${i}`) } });
    assert.equal((await ask(value)).status, 200);
    assert.equal((await ask(value + 1)).status, 400);
  }, { ingest: { keys } });

  limit('ingest.max-recipients', async ({ router, value, rises, keeps }) => {
    const users = (count) => Array.from({ length: count }, (_, i) => `user-${i}`);
    const shapes = [(x) => ({ type: 'x', payload: 1, to: { users: x } }),
      (x) => ({ type: 'x', payload: 1, to: { rooms: x } }),
      (x) => ({ type: 'letter', payload: { to: x } })];
    for (const shape of shapes) {
      await keeps(() => deliver(router, shape(users(value))));
      const { body } = await rises(() => post(router, shape(users(value + 1))));
      assert.match(body.error.message, /ingest\.max-recipients/);
    }
  }, { ingest: { keys } });

  limit('ingest.idempotency-keys', async ({ router, value, rises, keeps }) => {
    const keyed = (key) => post(router, { ...announcement(1), key });
    await keeps(async () => {
      for (let i = 0; i < value; ++i)
        assert.equal((await keyed(`key-${i}`)).body.dup, false);
    });
    const { status: code, body } = await rises(() => keyed('one more'));
    assert.equal(code, 429);
    assert.equal(body.ok, false);
    // What is remembered stays so, and no key needs no room.
    assert.equal((await keeps(() => keyed('key-0'))).body.dup, true);
    await keeps(() => deliver(router, announcement(2)));
    assert.equal(await metric(router, 'idempotency_keys'), value);
  }, { ingest: { keys } });

  limit('ingest.idempotency-window', async ({ router, rises }) => {
    const keyed = () => deliver(router, { ...announcement(1), key: 'again' });
    const first = await keyed();
    assert.equal(first.dup, false);
    const second = await rises(keyed);
    assert.deepEqual([second.dup, second.id], [true, first.id]);
    const later = await until(async () => {
      const answer = await keyed();
      return !answer.dup && answer;
    }, 5000, 'the key to be forgotten');
    assert.notEqual(later.id, first.id);
  }, { ingest: { keys } });

  limit('ingest.max-confirms', async ({ router, value, rises, keeps }) => {
    const socket = await tab(router);
    const confirm = () => post(router, { type: 'letter', payload: { to: 'anna' },
      confirm: { deadline_ms: 1000 } });
    const held = [];
    await keeps(async () => {
      for (let i = 0; i < value; ++i) {
        held.push(confirm());
        await socket.frame();
      }
    });
    const { status: code, body } = await rises(confirm);
    assert.equal(code, 429);
    assert.equal(body.error.code, 'too_many_confirms');
    for (const each of await Promise.all(held))
      assert.deepEqual(each.body.confirmed, { anna: 'timed_out' });
    assert.equal(await metric(router, 'confirms_pending'), 0);
    const again = confirm();
    const { text } = await socket.frame();
    socket.text(`43${/^42(\d+)/.exec(text)[1]}[]`);
    assert.deepEqual((await again).body.confirmed, { anna: 'delivered' });
    socket.destroy();
  }, { ingest: { keys } });

  limit('presence.max-connections', async ({ router, port, value, rises, keeps }) => {
    const tabs = await keeps(async () => {
      const made = [];
      for (let i = 0; i < value; ++i)
        made.push(await tab(router));
      return made;
    });
    await rises(async () => {
      const socket = await WebSocket.session(port, { headers: { Cookie: 'session=anna' } });
      socket.text('40');
      assert.equal((await socket.frame()).text, '44{"message":"too many connections"}');
      socket.destroy();
    });
    assert.equal((await user(router, 'anna')).connections.length, value);
    await keeps(() => tab(router, 'ben'));
    // A tab that closes makes room.
    tabs[0].destroy();
    await until(async () => (await user(router, 'anna')).connections.length < value, 5000,
      'one connection fewer');
    await keeps(() => tab(router));
  });
});

describe('calls to the site', () => {
  // Sends a CONNECT; resolves to its socket.
  async function knock(port, name) {
    const socket = await WebSocket.session(port, { headers: { Cookie: `session=${name}` } });
    socket.text('40');
    return socket;
  }
  const unavailable = '44{"message":"unavailable","data":{"retry":true}}';

  limit('site.timeout', async ({ port, rises, keeps }) => {
    await keeps(async () => {
      assert.match((await (await knock(port, 'anna')).frame()).text, /^40\{"sid"/);
    });
    site.mode = 'hang';
    await rises(async () => {
      assert.equal((await (await knock(port, 'anna')).frame()).text, unavailable);
    });
  });

  // A listener whose backlog is full takes no connection.
  test('site.connect-timeout: the site must take a call in time', async () => {
    tested.add('site.connect-timeout');
    const entry = table.find((x) => x.setting === 'site.connect-timeout');
    const deaf = spawn('python3', ['-c', `
import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(0)
print(s.getsockname()[1], flush=True)
sys.stdin.read()
`], { stdio: ['pipe', 'pipe', 'inherit'] });
    const port = Number(await within(new Promise((resolve, reject) => {
      deaf.once('error', reject);
      deaf.stdout.once('data', (x) => resolve(String(x)));
    }), 10000, 'the port'));
    const fillers = Array.from({ length: 4 }, () =>
      net.connect({ port, host: '127.0.0.1' }).on('error', () => {}));
    await within(new Promise((resolve) => fillers[0].once('connect', resolve)), 5000,
      'the first of the backlog');
    const router = await startRouter({ changes: { site: {
      'auth-url': `http://127.0.0.1:${port}/`, 'connect-timeout': entry.value,
      timeout: '1m' } } });
    try {
      const socket = await knock(router.public.port, 'anna');
      assert.equal((await socket.frame()).text, unavailable);
      assert.equal(await metric(router, entry.counter), 1);
      await router.logs(/connect timeout/);
      socket.destroy();
    } finally {
      for (const each of fillers)
        each.destroy();
      deaf.kill();
      await router.stop();
    }
  });

  limit('site.concurrency', async ({ router, port, value, rises, keeps }) => {
    site.mode = 'hang';
    const before = site.asked.items.length;
    const sockets = await keeps(async () => {
      const all = [];
      for (let i = 0; i < value; ++i)
        all.push(await knock(port, `user-${i}`));
      await site.asked.take(before + value);
      return all;
    });
    sockets.push(await rises(() => knock(port, 'one-more')));
    assert.equal(await metric(router, 'site_calls_active'), value);
    assert.equal(site.asked.items.length, before + value);
    // An equal question waits for the same answer.
    const shared = await metric(router, 'auth_shared_total');
    sockets.push(await knock(port, 'user-0'));
    await reaches(router, 'auth_shared_total', shared + 1);
    for (const socket of sockets)
      assert.equal((await socket.frame()).text, unavailable);
    assert.equal(await metric(router, 'site_calls_waiting'), 0);
  }, { site: { timeout: '500ms' } });

  limit('site.queue', async ({ router, port, value, rises, keeps }) => {
    site.mode = 'hang';
    const sockets = [await knock(port, 'active')];
    await reaches(router, 'site_calls_active', 1);
    await keeps(async () => {
      for (let i = 0; i < value; ++i)
        sockets.push(await knock(port, `waiting-${i}`));
      await reaches(router, 'site_calls_waiting', value);
    });
    // Its answer comes at once, not after the others' time.
    const last = await rises(() => knock(port, 'one-more'));
    assert.equal((await last.frame()).text, unavailable);
    assert.equal(await metric(router, 'site_calls_waiting'), value);
    for (const socket of [...sockets, last])
      socket.destroy();
  }, { site: { concurrency: 1, timeout: '20s' } });

  limit('site.queue-timeout', async ({ router, port, rises, keeps }) => {
    await keeps(async () => {
      assert.match((await (await knock(port, 'anna')).frame()).text, /^40\{"sid"/);
    });
    site.mode = 'hang';
    const active = await keeps(async () => {
      const socket = await knock(port, 'active');
      await reaches(router, 'site_calls_active', 1);
      return socket;
    });
    const late = await rises(() => knock(port, 'late'));
    assert.equal((await late.frame()).text, unavailable);
    await router.logs(/waited 300ms for its turn \(site\.queue-timeout\)/);
    // That is no limit of a call under way.
    assert.equal(await metric(router, 'site_calls_active'), 1);
    for (const socket of [active, late])
      socket.destroy();
  }, { site: { concurrency: 1, timeout: '20s' } });

  limit('site.max-reply', async ({ port, value, rises, keeps }) => {
    const reply = (bytes) => {
      const made = (x) => ({ user_id: 'anna', info: { x } });
      return made('x'.repeat(bytes - JSON.stringify(made('')).length));
    };
    site.users.set('fits', reply(value));
    site.users.set('over', reply(value + 1));
    await keeps(async () => {
      assert.match((await (await knock(port, 'fits')).frame()).text, /^40\{"sid"/);
    });
    await rises(async () => {
      assert.equal((await (await knock(port, 'over')).frame()).text, unavailable);
    });
  });
});

describe('the table', () => {
  const defaults = JSON.parse(file('configs/router.json').replace(/^\s*\/\/.*$/gm, ''));

  test('every setting is there with its default', () => {
    for (const { setting, default: expected } of table) {
      const [room, name] = setting.split('.');
      assert.deepEqual(defaults[room]?.[name], expected, setting);
    }
  });

  test('every setting of `limits` that is a number is in it', () => {
    const known = new Set(table.map((x) => x.setting));
    for (const [name, value] of Object.entries(defaults.limits))
      if (typeof value !== 'boolean')
        assert.ok(known.has(`limits.${name}`), `limits.${name}`);
  });

  test('every counter is there', async () => {
    const router = await startRouter({ site });
    try {
      const all = await metrics(router);
      for (const { setting, counter } of table)
        assert.ok(all.has(counter), `${counter} of ${setting}`);
    } finally {
      await router.stop();
    }
  });

  test('every counter of what is inside is there, or its bound is that of another', async () => {
    const router = await startRouter({ site, changes: { cluster: {
      name: 'test', listen: '127.0.0.1:0', 'sid-key': 'x'.repeat(32) } } });
    try {
      const all = [...await metrics(router)].map(([name]) => name);
      // Some have a label for each other node, and none is there.
      const described = new Set([...(await (await fetch(
        `${router.operationsUrl}/metrics`)).text()).matchAll(/^# TYPE signalbox_(\S+)/gm)]
        .map(([, name]) => name));
      for (const { what, counter } of inside)
        assert.ok(counter === null || all.includes(counter) || described.has(counter),
          `${counter} of ${what}`);
    } finally {
      await router.stop();
    }
  });

  test('everything inside has a bound, a policy and a test', () => {
    const known = new Set(table.map((x) => x.setting));
    for (const { what, bound, policy, test: name } of inside) {
      assert.ok(bound && policy, what);
      const [suite, ...words] = name.split(': ');
      const text = words.join(': ');
      assert.ok(file(suite).includes(text), `${what}: ${name}`);
      // A test that is named by its setting is one of this file.
      if (/^[a-z-]+\.[a-z-]+$/.test(text))
        assert.ok(known.has(text) && tested.has(text), `${what}: ${name}`);
    }
  });

  test('every limit has its test', () => {
    assert.deepEqual(table.map((x) => x.setting).filter((x) => !tested.has(x)), []);
  });

  test('every limit is documented', () => {
    const docs = file('docs/limits.md');
    for (const { setting, default: expected } of table) {
      const line = docs.split('\n').find((x) => x.startsWith(`| \`${setting}\` |`));
      assert.ok(line, `docs/limits.md lacks ${setting}`);
      assert.ok(line.includes(`| ${expected} |`), `${setting}: ${line}`);
    }
  });
});
