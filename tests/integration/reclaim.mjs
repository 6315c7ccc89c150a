// What clients abandon is reclaimed by its own deadline, 10,000 times each.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { until, within } from './support/deadline.mjs';
import { metric } from './support/metrics.mjs';
import { Connection, Polling, WebSocket, frame, request, send }
  from './support/raw.mjs';
import { startRouter } from './support/router.mjs';

const total = process.env.SIGNALBOX_SLOW ? 1000 : 10000;
const slow = Number(process.env.SIGNALBOX_SLOW ?? 1);
const key = 'dGhlIHNhbXBsZSBub25jZQ==';

let router;
const agent = new http.Agent({ keepAlive: true, maxSockets: 50 });

before(async () => {
  router = await startRouter({ changes: {
    site: { 'auth-url': '' },
    namespaces: [{ name: '/', anonymous: true }],
    engine: { 'ping-interval': '1s', 'ping-timeout': '1s', 'upgrade-timeout': '500ms',
      'close-timeout': '500ms', 'connect-timeout': '1s' },
    limits: { 'write-timeout': '1s' },
  } });
});

after(async () => {
  agent.destroy();
  await router.stop();
});

const resident = () => Number(/VmRSS:\s+(\d+)/.exec(
  readFileSync(`/proc/${router.program.child.pid}/status`, 'utf8'))[1]);

async function living() {
  const text = await (await fetch(`${router.operationsUrl}/metrics`)).text();
  const value = (name) => Number(text.split('\n').find((x) => x.startsWith(name)).split(' ').at(-1));
  return value('signalbox_actors{kind="connection"}')
    + value('signalbox_sessions{transport="polling"}')
    + value('signalbox_sessions{transport="websocket"}');
}

// Opens a session and leaves it; resolves to its id.
function handshake(path = '?EIO=4&transport=polling') {
  return within(new Promise((resolve, reject) => {
    http.get(`${router.publicUrl}/socket.io/${path}`, { agent }, (answer) => {
      let body = '';
      answer.on('data', (data) => { body += data; });
      answer.on('end', () => resolve(/[\w-]{35}/.exec(body)[0]));
    }).on('error', reject);
  }), 10000 * slow, 'a handshake');
}

// Opens a WebSocket, for a session or of its own, and leaves it open in silence.
function socket(sid) {
  return within(new Promise((resolve, reject) => {
    const made = net.connect(router.public.port, '127.0.0.1', () => made.write(
      `GET /socket.io/?EIO=4&transport=websocket${sid ? `&sid=${sid}` : ''} HTTP/1.1\r\n`
      + 'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`));
    made.once('data', () => resolve(made));
    made.on('error', reject);
    made.resume();
  }), 10000 * slow, 'a WebSocket');
}

async function wave(one) {
  for (let done = 0; done < total; done += 500)
    await Promise.all(Array.from({ length: 500 }, one));
  await until(async () => await living() === 0, 30000 * slow, 'everything to be reclaimed');
}

const kinds = {
  'polling sessions that nobody polls': () => handshake(),
  'polling sessions of Engine.IO 3 that nobody polls':
    () => handshake('?EIO=3&transport=polling&b64=1'),
  'handshakes of 0.9 that nobody uses': () => handshake('1/'),
  'upgrades that stop half way': async () => { await socket(await handshake()); },
  'connections without a CONNECT': () => socket(),
};

for (const [name, one] of Object.entries(kinds))
  test(`${total} ${name} are all reclaimed`, async (t) => {
    // How much is alive at a time, and so what the allocator keeps, depends on
    // the machine's other business; a leak grows with every wave.
    const after = [];
    const grew = () => after.length < 2 || after.at(-1) > after.at(-2) * 1.1;
    while (after.length < 4 && grew()) {
      await wave(one);
      after.push(resident());
      // Sanitizers keep freed memory to themselves.
      if (slow !== 1)
        return;
    }
    t.diagnostic(`${after.join(', ')} KiB after the waves`);
    assert.ok(!grew(), `memory grew: ${after.join(', ')} KiB`);
  });

// Each phase has a deadline of its own, which a byte now and then does not move.
test('slowloris: whoever sends a byte at a time is closed, newcomers come in', async (t) => {
  const each = process.env.SIGNALBOX_SLOW ? 20 : 100;
  const quick = await startRouter({ changes: {
    site: { 'auth-url': '' },
    namespaces: [{ name: '/', anonymous: true }],
    engine: { 'upgrade-timeout': '1s' },
    limits: { 'header-timeout': '1s', 'body-timeout': '1s', 'assembly-timeout': '1s',
      'write-timeout': '1s' },
  } });
  const { port } = quick.public;
  const upgrade = (sid) => `/socket.io/?EIO=4&transport=websocket&sid=${sid}`;
  // What has begun, and the bytes that follow one by one.
  const phases = {
    header: async () => ({ connection: await Connection.open(port),
      rest: request('GET', '/socket.io/', { headers: { 'X-A': 'x'.repeat(1000) } }) }),
    body: async () => {
      const { url } = await Polling.open(port);
      const connection = await Connection.open(port);
      connection.write(request('POST', url, { headers: { 'Content-Length': 1000 } }));
      return { connection, rest: Buffer.alloc(1000, '4') };
    },
    frame: async () => {
      const { connection } = await WebSocket.session(port);
      return { connection, rest: frame(1, `42["${'x'.repeat(1000)}"]`) };
    },
    probe: async () => {
      const { sid } = await Polling.open(port);
      const { connection } = await WebSocket.open(port, upgrade(sid));
      return { connection, rest: frame(1, `2${'x'.repeat(1000)}`) };
    },
  };
  const all = [];
  let drip;
  try {
    for (const [phase, begin] of Object.entries(phases))
      all.push(...await Promise.all(Array.from({ length: each }, async () => {
        const made = await begin();
        made.connection.socket.on('error', () => {});
        return { ...made, phase, at: 0 };
      })));
    drip = setInterval(() => {
      for (const x of all)
        if (!x.connection.ended && x.at < x.rest.length)
          x.connection.write(x.rest.subarray(x.at, ++x.at));
    }, 50);
    // Meanwhile others are served.
    let slowest = 0;
    const open = () => all.filter((x) => !x.connection.ended);
    await until(async () => {
      const start = performance.now();
      const answer = await send(port, 'GET', '/socket.io/?EIO=4&transport=polling');
      assert.equal(answer.status, 200);
      slowest = Math.max(slowest, performance.now() - start);
      return open().length === 0;
    }, 15000, 'all of them to be closed').catch((error) => {
      throw new Error(`${error.message}; open: ${open().map((x) => x.phase)}`);
    });
    t.diagnostic(`the slowest handshake beside them took ${slowest.toFixed(1)} ms`);
    for (const x of all)
      assert.ok(x.at < x.rest.length, `${x.phase} was let through`);
    for (const phase of ['header', 'body'])
      assert.ok(await metric(quick, `http_timeouts_total{phase="${phase}"}`) >= each, phase);
    assert.ok(await metric(quick, 'sessions_closed_total{reason="limit"}') >= each);
  } finally {
    clearInterval(drip);
    for (const x of all)
      x.connection.destroy();
    await quick.stop();
  }
});
