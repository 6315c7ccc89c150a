// Clients that send as fast as they can, in every way there is: they wait, others do
// not, and the router keeps nothing of what they have not been answered yet.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { slow } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { Polling, WebSocket, frame, separator } from './support/raw.mjs';
import { siteKey, startRouter } from './support/router.mjs';

const sanitized = slow > 1;
// Enough to last for many posts.
const count = sanitized ? 50000 : 2000000;
const mebibyte = 1024 * 1024;
let router;

before(async () => {
  router = await startRouter({ changes: {
    namespaces: [{ name: '/', anonymous: true }],
    router: { threads: 1, 'drain-seconds': 0 },
  } });
});

after(() => router?.stop());

const rss = () => 1024 * Number(/VmRSS:\s+(\d+)/.exec(
  readFileSync(`/proc/${router.program.child.pid}/status`, 'utf8'))[1]);

// Posts one letter after the other until the flood is over. Resolves to how many were
// answered meanwhile, and the most memory that was seen.
async function beside(flood) {
  let over = false;
  let posts = 0;
  let most = 0;
  const end = flood.finally(() => { over = true; });
  end.catch(() => {});
  while (!over) {
    await deliver(router, { type: 'letter', payload: { to: 'nobody' } });
    posts += 1;
    most = Math.max(most, rss());
  }
  await end;
  return { posts, most };
}

async function floods(t, flood) {
  await deliver(router, { type: 'letter', payload: { to: 'nobody' } });
  const before = rss();
  const { posts, most } = await beside(flood());
  t.diagnostic(`${posts} posts meanwhile, ${((most - before) / mebibyte).toFixed(1)} MiB more`);
  // Were the flood handled in one piece, the first post would wait for all of it.
  assert.ok(posts >= 10, `${posts} posts were answered during the flood`);
  if (!sanitized)
    assert.ok(most - before < 32 * mebibyte, `${most - before} bytes more`);
}

const masked = (text) => frame(1, Buffer.from(text), { mask: Buffer.alloc(4) });

// Sends the text so many times, and then one that is answered.
async function pour(socket, text, last, answer) {
  const piece = Buffer.concat(Array(1000).fill(masked(text)));
  for (let i = 0; i < count / 1000; ++i)
    if (!socket.connection.socket.write(piece))
      await new Promise((resolve) => { socket.connection.socket.once('drain', resolve); });
  socket.text(last);
  const got = await socket.frame(120000);
  assert.match(got.text, answer);
  socket.destroy();
}

test('a browser over WebSocket', async (t) => {
  const socket = await WebSocket.session(router.public.port);
  socket.text('40');
  await socket.frame();
  await floods(t, () => pour(socket, '42["x"]', '421["last"]', /^431\[/));
});

test('a publisher', async (t) => {
  const socket = await WebSocket.session(router.ingest.port);
  socket.text(`40{"key":"${siteKey}"}`);
  await socket.frame();
  await floods(t, () => pour(socket, '42["letter",{"to":"x"}]',
    '421["letter",{"to":"x"}]', /^431\[\{"ok":true/));
});

test('a client of 0.9', async (t) => {
  const response = await fetch(`${router.publicUrl}/socket.io/1/`);
  const [sid] = (await response.text()).split(':');
  const socket = await WebSocket.open(router.public.port, `/socket.io/1/websocket/${sid}`);
  assert.equal((await socket.frame()).text, '1::');
  await floods(t, () => pour(socket, '5:::{"name":"x"}', '5:1+::{"name":"last"}',
    /^6:::1\+/));
});

test('a browser by POST', async (t) => {
  const session = await Polling.open(router.public.port);
  await session.post('40');
  await session.packets();
  const payload = Array(5000).fill('42["x"]').join(separator);
  await floods(t, async () => {
    for (let i = 0; i < count / 5000; ++i)
      assert.equal((await session.post(payload)).body, 'ok');
  });
});
