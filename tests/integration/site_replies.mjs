// What the router takes for an answer of the site, beside what seven HTTP clients
// take: Node.js's two, curl, Python's two and PHP's two. A user gets in exactly if
// most of them read the verdict. And after a reply that is odd in any way the
// connection is never used again.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';

import { within } from './support/deadline.mjs';
import { WebSocket } from './support/raw.mjs';
import { json, startRawSite } from './support/raw_site.mjs';
import { rows } from './support/replies.mjs';
import { startRouter } from './support/router.mjs';

const folder = new URL('support/http_clients/', import.meta.url).pathname;
const clients = Object.fromEntries([
  ['Node http', process.execPath, 'calls.mjs', 'http'],
  ['Node fetch', process.execPath, 'calls.mjs', 'fetch'],
  ['curl', process.execPath, 'calls.mjs', 'curl'],
  ['Python http.client', 'python3', 'calls.py', 'http'],
  ['Python requests', 'python3', 'calls.py', 'requests'],
  ['PHP curl', 'php', 'calls.php', 'curl'],
  ['PHP streams', 'php', 'calls.php', 'streams'],
].map(([name, command, file, kind]) => [name, [command, folder + file, kind]]));

const byName = new Map(rows.map((x) => [x.name, x]));

function startSite() {
  return startRawSite(({ name }) => byName.get(name)?.pieces(name) ?? [json({ user_id: name })]);
}

// Calls the site by one client for each row; resolves to what it read by name.
function callAll([command, ...words], port) {
  return new Promise((resolve, reject) => {
    execFile(command, [...words, String(port), ...byName.keys()],
      { maxBuffer: 1 << 30, timeout: 240000 }, (error, out) => {
        if (error)
          return reject(error);
        const found = out.trim().split('\n').map((x) => JSON.parse(x));
        resolve(new Map(found.map((x) => [x.name, read(x)])));
      });
  });
}

// What a client makes of a reply; JSON is read as the router does.
function read({ name, error, status, body }) {
  if (error !== undefined)
    return 'unavailable';
  if (status === 401 || status === 403)
    return 'denied';
  try {
    const text = Buffer.from(body, 'base64').toString().replace(/^\ufeff/, '');
    return status === 200 && JSON.parse(text).user_id === name ? 'in' : 'unavailable';
  } catch {
    return 'unavailable';
  }
}

// Connects as the user of a name; resolves to what came of it.
async function enter(router, name) {
  const socket = await WebSocket.session(router.public.port, {
    headers: { Cookie: `session=${name}` } });
  try {
    socket.text('40');
    const { text } = await socket.frame(20000);
    if (text.startsWith('40'))
      return 'in';
    return text.includes('"unauthorized"') ? 'denied' : 'unavailable';
  } finally {
    socket.destroy();
  }
}

// The verdict of most clients.
function most(outcomes) {
  const counts = new Map();
  for (const x of outcomes)
    counts.set(x, (counts.get(x) ?? 0) + 1);
  return [...counts].sort((x, y) => y[1] - x[1])[0][0];
}

describe('replies', () => {
  let site;
  let router;
  let read;

  before(async () => {
    site = await startSite();
    router = await startRouter({ changes: { site: { 'auth-url': site.url(), timeout: '1s',
      concurrency: 200, 'keep-alive': '30s' } } });
    const found = await Promise.all(Object.entries(clients).map(async ([name, words]) =>
      [name, await callAll(words, site.port)]));
    read = Object.fromEntries(found);
  });

  after(async () => {
    await router?.stop();
    await site?.close();
  });

  test('there are at least sixty', () => assert.ok(byName.size >= 60));

  // The clean ones first: an unasked byte ends the keeping of connections for a while.
  for (const row of [...rows].sort((x, y) => Boolean(y.keeps) - Boolean(x.keeps)))
    test(`${row.keeps ? 'clean' : 'odd'}: ${row.name}`, async () => {
      const others = Object.fromEntries(Object.keys(clients).map((x) => [x, read[x].get(row.name)]));
      const expected = row.differs?.[0] ?? most(Object.values(others));
      if (row.differs)
        assert.notEqual(row.differs[0], most(Object.values(others)), 'differs no more');
      const asked = site.asked.items.length;
      assert.equal(await enter(router, row.name), expected,
        `${JSON.stringify(others)}\n${router.log().split('\n').at(-1)}`);
      const mine = site.asked.items.slice(asked).filter((x) => x.name === row.name);
      const { connection } = mine.at(-1);
      if (row.keeps)
        assert.equal(connection.ended, false, 'the connection was given up');
      else
        await within(connection.closed, 5000, 'the end of the connection');
      assert.equal(await enter(router, `next-${row.name}`), 'in');
      assert.equal(connection.asked.at(-1), row.name, 'the next question came on this connection');
    });

  test('none of them let anybody in as somebody else', () => {
    const names = new Set(site.asked.items.map((x) => x.name));
    assert.ok(!names.has('somebody-else'));
  });
});

describe('a clean reply', () => {
  test('leaves its connection to the next question, after a moment', async () => {
    const clean = rows.filter((x) => x.keeps && !x.name.includes('late'));
    const site = await startSite();
    const router = await startRouter({ changes: { site: { 'auth-url': site.url(), timeout: '5s',
      concurrency: clean.length, 'keep-alive': '1m' } } });
    try {
      await Promise.all(clean.map((x) => enter(router, x.name)));
      const first = site.connections.length;
      assert.equal(first, clean.length);
      // The quiet time of a server that is not proven; see kept_links.hpp.
      await new Promise((resolve) => { setTimeout(resolve, 1200); });
      const next = await Promise.all(clean.map((_, i) => enter(router, `next-${i}`)));
      assert.deepEqual(new Set(next), new Set(['in']));
      const again = site.connections.slice(0, first).filter((x) => x.asked.length > 1);
      assert.deepEqual(site.connections.slice(0, first).filter((x) => x.asked.length === 1)
        .map((x) => x.asked[0]), []);
      assert.equal(again.length, first);
    } finally {
      await router.stop();
      await site.close();
    }
  });
});

