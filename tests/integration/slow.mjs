// A client that does not read is closed as slow and costs the others nothing.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { until, within } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { startRouter } from './support/router.mjs';

const receivers = 1000;
const broadcasts = 400;
const text = 'x'.repeat(4000);
const slow = Number(process.env.SIGNALBOX_SLOW ?? 1);

let router;
let clients = [];

before(async () => {
  router = await startRouter({ changes: {
    site: { 'auth-url': '' },
    namespaces: [{ name: '/', anonymous: true }],
    rules: [{ type: 'tick', to: 'all' }],
    // No ping among the bytes that are counted.
    engine: { 'ping-interval': '5m' },
  } });
});

after(async () => {
  for (const client of clients)
    client.socket.destroy();
  await router.stop();
});

// A masked text frame of up to 125 bytes.
function frame(words) {
  const body = Buffer.from(words);
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body]);
}

// A raw client that is in `/` and counts the bytes it receives.
function join() {
  return within(new Promise((resolve, reject) => {
    const client = { received: 0, joined: false };
    let head = '';
    client.socket = net.connect(router.public.port, '127.0.0.1', () =>
      client.socket.write('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n'
        + 'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'));
    client.socket.on('error', reject);
    client.socket.on('data', (data) => {
      if (client.joined) {
        client.received += data.length;
        return;
      }
      head += data.toString('latin1');
      if (head.includes('0{"sid"') && !client.asked) {
        client.asked = true;
        client.socket.write(frame('40'));
      } else if (head.includes('40{"sid"')) {
        client.joined = true;
        client.socket.on('error', () => {});
        resolve(client);
      }
    });
  }), 20000 * slow, 'a raw client');
}

async function metric(name) {
  const answer = await fetch(`${router.operationsUrl}/metrics`);
  const line = (await answer.text()).split('\n').find((x) => x.startsWith(`${name} `));
  return Number(line.slice(name.length));
}

// CPU ticks of the router so far.
function cpu() {
  const fields = readFileSync(`/proc/${router.program.child.pid}/stat`, 'utf8')
    .split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

// Sends a stream to everybody and waits until the readers have all of it.
// Returns CPU ticks per 1,000 deliveries.
async function stream(readers) {
  const start = readers.map((x) => x.received);
  const [ticks, delivered] = [cpu(), await metric('signalbox_deliveries_total')];
  for (let i = 0; i < broadcasts; i++)
    await deliver(router, { type: 'tick', payload: text });
  // Every frame has a header of 4 bytes.
  const bytes = broadcasts * (`42["tick","${text}"]`.length + 4);
  await until(() => readers.every((x, i) => x.received - start[i] >= bytes),
    60000 * slow, 'everything to arrive');
  const count = await metric('signalbox_deliveries_total') - delivered;
  readers.forEach((x, i) => assert.equal(x.received - start[i], bytes, 'lost or doubled'));
  return (cpu() - ticks) * 1000 / count;
}

test('one stalled reader among 1,000 is closed as slow, the others lose nothing', async (t) => {
  for (let i = 0; i < receivers; i += 50)
    clients.push(...await Promise.all(Array.from({ length: 50 }, join)));
  await stream(clients);
  const ratios = [];
  for (let attempt = 1; attempt <= 3; attempt++) {
    const alone = await stream(clients);
    const closed = await metric('signalbox_sessions_closed_total{reason="slow"}');
    const stalled = await join();
    stalled.socket.pause();
    const beside = await stream(clients);
    assert.equal(await metric('signalbox_sessions_closed_total{reason="slow"}'), closed + 1);
    stalled.socket.destroy();
    ratios.push(beside / alone);
    t.diagnostic(`CPU ticks per 1,000 deliveries: ${alone.toFixed(2)} alone, `
      + `${beside.toFixed(2)} beside the stalled one`);
    if (ratios.at(-1) <= 1.1)
      break;
  }
  // Machines are noisy, so the best of three counts; sanitizers are not timed.
  if (slow === 1)
    assert.ok(Math.min(...ratios) <= 1.1, `ratios ${ratios.map((x) => x.toFixed(2))}`);
});
