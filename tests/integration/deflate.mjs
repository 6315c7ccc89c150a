// permessage-deflate, which is off unless a setting turns it on.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';

import { closeAll, connect } from './support/clients.mjs';
import { within } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const require = createRequire(import.meta.url);
const WebSocket = require('ws');

let site;
let router;

before(async () => {
  site = await startSite();
  router = await startRouter({ site,
    changes: { engine: { 'per-message-deflate': true } } });
});

after(async () => {
  await closeAll();
  await router.stop();
  await site.close();
});

const handshake = () =>
  `ws://127.0.0.1:${router.public.port}/socket.io/?EIO=4&transport=websocket`;

function opened(options) {
  const raw = new WebSocket(handshake(), options);
  return within(new Promise((resolve, reject) => {
    raw.once('open', () => resolve(raw));
    raw.once('error', reject);
  }), 10000, 'open');
}

const text = 'Ünïcode 😀 and plain. '.repeat(5000);

test('large events cross compressed in both directions', async () => {
  const tab = await connect(router.publicUrl, { session: 'anna',
    perMessageDeflate: { threshold: 0 } });
  const raw = tab.io.engine.transport.ws;
  assert.match(raw.extensions, /permessage-deflate/);
  await deliver(router, { type: 'letter', payload: { to: 'anna', text } });
  const [letter] = await tab.received.take(1, (x) => x.event === 'letter', 10000, 'the letter');
  assert.equal(letter.args[0].text, text);
  const answer = await tab.timeout(10000).emitWithAck('echo', text);
  assert.ok(answer !== undefined);
});

test('a client that offers nothing gets nothing', async () => {
  const raw = await opened({ perMessageDeflate: false });
  assert.equal(raw.extensions, '');
  raw.terminate();
});

test('a bomb is refused while it inflates', async () => {
  const raw = await opened({ perMessageDeflate: true });
  assert.match(raw.extensions, /permessage-deflate/);
  const resident = () => Number(/VmRSS:\s+(\d+)/.exec(
    readFileSync(`/proc/${router.program.child.pid}/status`, 'utf8'))[1]);
  const start = resident();
  const bomb = deflateRawSync(Buffer.alloc(256 << 20), { finishFlush: 2 }).subarray(0, -4);
  const code = within(new Promise((resolve) => {
    raw.once('close', resolve);
    raw.on('error', () => {});
  }), 10000, 'the close frame');
  // A finished frame with RSV1, masked with zeros.
  const header = Buffer.alloc(14);
  header[0] = 0xc2;
  header[1] = 0xff;
  header.writeBigUInt64BE(BigInt(bomb.length), 2);
  raw._socket.write(Buffer.concat([header, bomb]));
  assert.equal(await code, 1009);
  if (!process.env.SIGNALBOX_SLOW)
    assert.ok(resident() - start < 20000, `grew by ${resident() - start} KiB`);
});
