// Clients whose events wait for the site: later events are neither lost nor out of
// order, and harm no other client.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { until, within } from './support/deadline.mjs';
import { call, deliver } from './support/ingest.mjs';
import { metric } from './support/metrics.mjs';
import { Connection, Polling, WebSocket, frame, request, separator }
  from './support/raw.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

let site;
let router;
let release;

before(async () => {
  site = await startSite();
  router = await startRouter({ site, changes: { presence: { 'leave-grace': '0s' } } });
});

after(async () => {
  release?.();
  await router?.stop();
  await site?.close();
});

const onEvent = () => ({ ack: [] });

// Has the site keep its answers until `release`.
function hold() {
  const held = new Promise((resolve) => { release = resolve; });
  site.onEvent = async () => {
    await held;
    return { ack: [] };
  };
}

afterEach(() => {
  release?.();
  site.onEvent = onEvent;
  site.events.items.length = 0;
});

const event = (i) => `42["e",${i}]`;
const events = (from, to) =>
  Array.from({ length: to - from + 1 }, (_, i) => event(from + i)).join(separator);
const atSite = () => site.events.items.map((x) => x.json.args[0]);
const upTo = (n) => Array.from({ length: n }, (_, i) => i + 1);
const atSiteAre = (n) => until(() => site.events.items.length === n, 20000,
  `${n} events at the site`);

async function polling(name) {
  const session = await Polling.open(router.public.port,
    { headers: { Cookie: `session=${name}` } });
  await session.post('40');
  await session.packets();
  return session;
}

describe('while events wait for the site', () => {
  test('an upgrade goes on, and its packets come behind those of the POST', async () => {
    hold();
    const session = await polling('anna');
    const posted = session.post(events(1, 40));
    await atSiteAre(1);
    const socket = await WebSocket.open(router.public.port,
      `/socket.io/?EIO=4&transport=websocket&sid=${session.sid}`,
      { headers: { Cookie: 'session=anna' } });
    socket.text('2probe');
    assert.equal((await socket.frame()).text, '3probe');
    socket.text('5');
    socket.text(event(41));
    await until(async () => await metric(router, 'upgrades_total') > 0);
    release();
    assert.equal((await posted).body, 'ok');
    await atSiteAre(41);
    assert.deepEqual(atSite(), upTo(41));
    socket.destroy();
  });

  test('a client that leaves has sent them all the same', async () => {
    hold();
    const socket = await WebSocket.session(router.public.port,
      { headers: { Cookie: 'session=ben' } });
    socket.text('40');
    await socket.frame();
    for (const i of upTo(12))
      socket.text(event(i));
    await until(async () =>
      await metric(router, 'client_events_total{result="queued"}') >= 11);
    socket.destroy();
    await until(async () =>
      (await call(router, '/api/v1/users/ben', { method: 'GET' })).body.online === false);
    release();
    await atSiteAre(12);
    assert.deepEqual(atSite(), upTo(12));
  });

  test('a user who is thrown out sends no more', async () => {
    hold();
    const socket = await WebSocket.session(router.public.port,
      { headers: { Cookie: 'session=carla' } });
    socket.text('40');
    await socket.frame();
    for (const i of upTo(5))
      socket.text(event(i));
    await atSiteAre(1);
    await call(router, '/api/v1/users/carla/disconnect');
    assert.equal((await socket.frame()).text, '41');
    release();
    await deliver(router, { type: 'announcement', payload: 1 });
    await until(async () => await metric(router, 'site_calls_active') === 0);
    assert.deepEqual(atSite(), [1]);
    socket.destroy();
  });

  test('a client of 0.9 may post again, and both are answered', async () => {
    hold();
    const headers = { Cookie: 'session=dora' };
    const ask = async (method, path, body) => {
      const connection = await Connection.open(router.public.port);
      connection.write(request(method, path, { headers, ...(body && { body }) }));
      const answer = await connection.response(20000);
      connection.destroy();
      return answer;
    };
    const [sid] = (await ask('GET', '/socket.io/1/')).body.split(':');
    const path = `/socket.io/1/xhr-polling/${sid}`;
    const packets = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => {
      const text = `5:::{"name":"e","args":[${from + i}]}`;
      return `\ufffd${text.length}\ufffd${text}`;
    }).join('');
    const first = ask('POST', path, packets(1, 40));
    await atSiteAre(1);
    const second = ask('POST', path, packets(41, 50));
    release();
    for (const answer of [await first, await second])
      assert.equal(answer?.status, 200);
    await atSiteAre(50);
    assert.deepEqual(atSite(), upTo(50));
  });

  test('a client that takes no answers and goes in the middle of one harms nobody', async () => {
    const big = 'x'.repeat(900000);
    for (let i = 0; i < 5; ++i) {
      const socket = await WebSocket.session(router.public.port,
        { headers: { Cookie: 'session=emil' } });
      socket.connection.socket.on('error', () => {});
      socket.text('40');
      await socket.frame();
      hold();
      socket.connection.socket.pause();
      await deliver(router, { type: 'letter', payload: { to: 'emil', big } });
      const flood = Array.from({ length: 40 }, (_, n) => frame(1, event(n)));
      socket.connection.write(Buffer.concat([...flood, frame(8, Buffer.from([3, 232]))]));
      socket.connection.socket.resetAndDestroy();
      release();
      await until(async () =>
        (await call(router, '/api/v1/users/emil', { method: 'GET' })).body.online === false);
    }
    await within(deliver(router, { type: 'letter', payload: { to: 'nobody' } }), 5000, 'a post');
  });
});
