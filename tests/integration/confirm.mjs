// Confirms, idempotency, batches, commands, and the order of all of it.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { ask, closeAll, connect, disconnected } from './support/clients.mjs';
import { until } from './support/deadline.mjs';
import { call, deliver, post, user } from './support/ingest.mjs';
import { siteKey, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

let site;
let router;

before(async () => {
  site = await startSite();
  router = await startRouter({ site, changes: { site: {
    'auth-url': site.authUrl, 'event-url': site.eventUrl, timeout: '500ms' } } });
});

afterEach(async () => {
  site.eventMode = 'answer';
  await closeAll();
});

after(async () => {
  await router.stop();
  await site.close();
});

async function metric(name) {
  const text = await (await fetch(`${router.operationsUrl}/metrics`)).text();
  return Number(text.split('\n').find((x) => x.startsWith(`${name} `)).split(' ')[1]);
}

const letter = (to, text, more = {}) => ({ type: 'letter', payload: { to, text }, ...more });
const confirm = (ms) => ({ confirm: { deadline_ms: ms } });

describe('confirm', () => {
  test('a browser that never acks is timed out, and nothing is kept', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    const answer = await deliver(router, letter('anna', 1, confirm(300)));
    assert.deepEqual(answer.confirmed, { anna: 'timed_out' });
    assert.equal(answer.online, 1);
    assert.equal(await metric('signalbox_confirms_pending'), 0);
    // The ack that comes too late changes nothing.
    const [late] = await tab.received.take(1, (x) => x.event === 'letter', 5000, 'the letter');
    late.ack('too late');
    await deliver(router, letter('anna', 2));
    assert.equal(await metric('signalbox_confirms_pending'), 0);
  });

  test('each user is named delivered, offline or timed out', async () => {
    const anna = await connect(router.publicUrl, { session: 'anna' });
    await connect(router.publicUrl, { session: 'ben' });
    anna.on('note', (text, ack) => ack('seen'));
    const answer = await deliver(router, { type: 'note', payload: 'x',
      to: { users: ['anna', 'ben', 'nobody'] }, ...confirm(400) });
    assert.deepEqual(answer.confirmed,
      { anna: 'delivered', ben: 'timed_out', nobody: 'offline' });
  });

  test('one tab of several is enough, and the answer does not wait for the deadline', async () => {
    const first = await connect(router.publicUrl, { session: 'anna' });
    await connect(router.publicUrl, { session: 'anna', way: 'polling' });
    first.on('letter', (text, ack) => ack());
    const answer = await deliver(router, letter('anna', 1, confirm(9000)));
    assert.deepEqual(answer.confirmed, { anna: 'delivered' });
    assert.equal(answer.online, 2);
  });

  test('a confirm that waits is answered before a stopping router ends', async () => {
    const other = await startRouter({ site, changes: { router: { 'drain-seconds': 0 } } });
    await connect(other.publicUrl, { session: 'anna' });
    const waits = deliver(other, letter('anna', 1, confirm(60000)));
    await until(async () => (await (await fetch(`${other.operationsUrl}/metrics`)).text())
      .includes('\nsignalbox_confirms_pending 1\n'), 5000, 'the confirm');
    const ended = other.stop();
    assert.deepEqual((await waits).confirmed, { anna: 'timed_out' });
    await ended;
  });

  test('only events to users can be confirmed', async () => {
    const { status, body } = await post(router, { type: 'announcement', payload: 1,
      ...confirm(300) });
    assert.equal(status, 422);
    assert.equal(body.error.code, 'confirm_needs_users');
  });
});

describe('posting', () => {
  test('100 posts with one key at once are one delivery and 99 doubles', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    const answers = await Promise.all(Array.from({ length: 100 }, () =>
      deliver(router, letter('anna', 'once', { key: 'order-77' }))));
    assert.equal(answers.filter((x) => x.dup).length, 99);
    assert.equal(new Set(answers.map((x) => x.id)).size, 1);
    assert.ok(answers.every((x) => x.online === 1));
    await deliver(router, letter('anna', 'fence'));
    const got = await tab.received.take(2, (x) => x.event === 'letter', 5000, 'both');
    assert.deepEqual(got.map((x) => x.args[0].text), ['once', 'fence']);
  });

  test('of a batch of 100 with one bad entry 99 are delivered', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    const events = Array.from({ length: 100 }, (_, i) => letter('anna', i));
    events[57] = { type: 'letter', payload: { text: 'to whom?' } };
    const { status, body } = await post(router, events);
    assert.equal(status, 200);
    assert.equal(body.filter((x) => x.ok).length, 99);
    assert.equal(body[57].error.pointer, '/57/payload/to');
    assert.equal(body[57].error.code, 'no_recipient');
    const got = await tab.received.take(99, (x) => x.event === 'letter', 5000, '99 letters');
    assert.deepEqual(got.map((x) => x.args[0].text),
      events.map((x) => x.payload.text).filter((x) => x !== 'to whom?'));
  });

  test('a slow site ends a forwarded event with an error at the deadline', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    site.eventMode = 'hang';
    const [answer] = await ask(tab, 'question', 1);
    assert.equal(answer.ok, false);
    assert.equal(answer.error.code, 'site_failed');
    assert.ok(tab.connected);
  });
});

describe('commands', () => {
  test('rooms are joined and left by user and by connection', async () => {
    const [one, two] = [await connect(router.publicUrl, { session: 'anna' }),
      await connect(router.publicUrl, { session: 'anna' })];
    const note = () => deliver(router, { type: 'room-note', payload: { room: 'r9' } });
    const rooms = (path, json) => call(router, `/api/v1/${path}/rooms`, { json });
    assert.equal((await note()).online, 0);
    assert.equal((await rooms('users/anna', { join: ['r9'] })).body.connections, 2);
    assert.equal((await note()).online, 2);
    assert.equal((await rooms(`connections/${one.id}`, { leave: ['r9'] })).status, 200);
    const answer = await note();
    assert.deepEqual([answer.matched, answer.online], [1, 1]);
    await two.received.take(2, (x) => x.event === 'room-note', 5000, 'both notes');
    assert.equal((await rooms('connections/nobody', { join: ['r9'] })).status, 404);
  });

  test('a connection and a user are disconnected', async () => {
    const [one, two, other] = [await connect(router.publicUrl, { session: 'anna' }),
      await connect(router.publicUrl, { session: 'anna', way: 'polling' }),
      await connect(router.publicUrl, { session: 'ben' })];
    const gone = disconnected(one);
    await call(router, `/api/v1/connections/${one.id}/disconnect`, { json: {} });
    await gone;
    assert.deepEqual((await user(router, 'anna')).connections.map((x) => x.id), [two.id]);
    const both = disconnected(two);
    await call(router, '/api/v1/users/anna/disconnect', { json: {} });
    await both;
    assert.ok(other.connected);
  });
});

describe('order', () => {
  const kinds = [
    (n) => letter('anna', n),
    (n) => ({ type: 'announcement', payload: { text: n } }),
    (n) => ({ type: 'room-note', payload: { room: 'mixed', text: n } }),
  ];
  const total = 2000;

  for (const way of ['websocket', 'polling'])
    test(`private, broadcast and room events keep their order over ${way}`, async () => {
      const tab = await connect(router.publicUrl, { session: 'anna', way });
      await call(router, '/api/v1/users/anna/rooms', { json: { join: ['mixed'] } });
      for (let n = 0; n < total;) {
        const size = Math.min(1 + n % 90, total - n);
        const batch = Array.from({ length: size }, (_, i) => kinds[(n + i * 7) % 3](n + i));
        await deliver(router, batch);
        n += size;
      }
      await until(() => tab.received.items.length >= total, 20000, 'all events');
      assert.deepEqual(tab.received.items.map((x) => x.args[0].text),
        Array.from({ length: total }, (_, n) => n));
    });

  test('a publisher that does not wait keeps its order too', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    await call(router, '/api/v1/users/anna/rooms', { json: { join: ['mixed'] } });
    const publisher = await connect(router.ingestUrl, { auth: { key: siteKey } });
    for (let n = 0; n < 900; n++) {
      const { type, payload } = kinds[n % 3](n);
      publisher.emit(type, payload);
    }
    publisher.disconnect();
    await until(() => tab.received.items.length >= 900, 20000, 'all events');
    assert.deepEqual(tab.received.items.map((x) => x.args[0].text),
      Array.from({ length: 900 }, (_, n) => n));
  });
});
