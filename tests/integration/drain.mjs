// SIGTERM with 2,000 mixed sessions: no client loses an accepted event.

import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';

import { until, within } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { startRouter } from './support/router.mjs';

const sockets = 1600;
const pollers = 400;
const seconds = 3;
const slow = Number(process.env.SIGNALBOX_SLOW ?? 1);
const key = 'dGhlIHNhbXBsZSBub25jZQ==';

const start = () => startRouter({ changes: {
  site: { 'auth-url': '' },
  namespaces: [{ name: '/', anonymous: true }],
  rules: [{ type: 'tick', to: 'all' }],
  router: { 'drain-seconds': seconds },
} });

// A masked text frame of up to 125 bytes.
function frame(words) {
  const body = Buffer.from(words);
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body]);
}

const ticks = (text) => [...text.matchAll(/42\["tick",(\d+)\]/g)].map((x) => Number(x[1]));

// A WebSocket in `/` that notes what it received and when it was closed.
function socket(router) {
  return within(new Promise((resolve, reject) => {
    const client = { text: '', closed: 0 };
    const made = net.connect(router.public.port, '127.0.0.1', () => made.write(
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n'
      + 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
      + `Sec-WebSocket-Key: ${key}\r\n\r\n`));
    made.on('error', reject);
    made.on('data', (data) => {
      client.text += data.toString('latin1');
      if (!client.asked && client.text.includes('0{"sid"')) {
        client.asked = true;
        made.write(frame('40'));
      }
      if (client.text.includes('40{"sid"'))
        resolve(client);
      // The close frame is empty; answer it.
      if (!client.closed && data.includes(Buffer.from([0x88, 0x00]))) {
        client.closed = performance.now();
        made.end(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
      }
    });
  }), 30000 * slow, 'a WebSocket');
}

const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });

function request(router, method, query, body) {
  return new Promise((resolve, reject) => {
    const made = http.request(`${router.publicUrl}/socket.io/?EIO=4&transport=polling${query}`,
      { method, agent }, (answer) => {
        let text = '';
        answer.on('data', (data) => { text += data; });
        answer.on('end', () => resolve({ status: answer.statusCode, text }));
        answer.on('error', reject);
      });
    made.on('error', reject);
    made.end(body);
  });
}

// A polling session in `/` that polls until it is told that it is over.
async function poller(router) {
  const client = { text: '', closed: 0 };
  const { text } = await request(router, 'GET', '');
  const sid = `&sid=${JSON.parse(text.slice(1)).sid}`;
  await request(router, 'POST', sid, '40');
  client.text += (await request(router, 'GET', sid)).text;
  assert.match(client.text, /40\{"sid"/);
  client.over = (async () => {
    for (;;) {
      const answer = await request(router, 'GET', sid);
      client.text += answer.text;
      assert.equal(answer.status, 200);
      if (/(^|\x1e)1$/.test(answer.text)) {
        client.closed = performance.now();
        return;
      }
    }
  })();
  client.over.catch((error) => { client.error = error; });
  return client;
}

const ready = async (router) =>
  (await fetch(`${router.operationsUrl}/readyz`)).status === 200;

test('a stopping router is not ready first, then closes one after the other', async () => {
  const router = await start();
  const clients = [];
  for (let i = 0; i < sockets; i += 100)
    clients.push(...await Promise.all(Array.from({ length: 100 }, () => socket(router))));
  for (let i = 0; i < pollers; i += 50)
    clients.push(...await Promise.all(Array.from({ length: 50 }, () => poller(router))));
  router.program.child.kill('SIGTERM');
  await until(async () => !await ready(router), 5000, 'readyz to turn');
  const early = clients.filter((x) => x.closed).length;
  assert.ok(early < clients.length / 4, `${early} were closed before readyz turned`);
  // Events are accepted meanwhile; clients that are still there get every one.
  const accepted = [];
  for (let n = 0; n < 20; n++) {
    const answer = await deliver(router, { type: 'tick', payload: n });
    accepted.push({ n, online: answer.online });
  }
  await until(() => clients.every((x) => x.closed || x.error), 20000 * slow, 'the end of all');
  assert.deepEqual(clients.filter((x) => x.error).map((x) => String(x.error)), []);
  // Each saw the events from the first to the last it was there for, and as
  // many saw each as the answer said.
  for (const client of clients) {
    const seen = ticks(client.text);
    assert.deepEqual(seen, Array.from({ length: seen.length }, (_, n) => n));
  }
  for (const { n, online } of accepted)
    assert.equal(clients.filter((x) => ticks(x.text).length > n).length, online, `event ${n}`);
  const times = clients.map((x) => x.closed).sort((x, y) => x - y);
  assert.ok(times.at(-1) - times[0] > seconds * 500, 'the closes are not spread');
  agent.destroy();
  await router.stop();
});

test('a second signal ends at once', async () => {
  const router = await start();
  await Promise.all(Array.from({ length: 20 }, () => socket(router)));
  router.program.child.kill('SIGTERM');
  await until(async () => !await ready(router), 5000, 'readyz to turn');
  const second = performance.now();
  router.program.child.kill('SIGTERM');
  const { code } = await within(router.program.exited, 5000, 'the end');
  assert.equal(code, 0);
  assert.ok(performance.now() - second < seconds * 1000 * 0.4, 'it drained on');
  await router.stop();
});
