// What clients abandon is reclaimed by its own deadline, 10,000 times each.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { until, within } from './support/deadline.mjs';
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

function handshake() {
  return within(new Promise((resolve, reject) => {
    http.get(`${router.publicUrl}/socket.io/?EIO=4&transport=polling`, { agent }, (answer) => {
      let body = '';
      answer.on('data', (data) => { body += data; });
      answer.on('end', () => resolve(JSON.parse(body.slice(1)).sid));
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
  'polling sessions that nobody polls': handshake,
  'upgrades that stop half way': async () => { await socket(await handshake()); },
  'connections without a CONNECT': () => socket(),
};

for (const [name, one] of Object.entries(kinds))
  test(`${total} ${name} are all reclaimed`, async (t) => {
    await wave(one);
    const first = resident();
    await wave(one);
    const second = resident();
    t.diagnostic(`${first} KiB after the first wave, ${second} KiB after the second`);
    assert.ok(second <= first * 1.1, `memory grew from ${first} to ${second} KiB`);
  });
