// Whose call to the site is next: neither one client that asks much nor events keep others
// from signing in, and waiting is not the site's time.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { metric, reaches } from './support/metrics.mjs';
import { Connection, WebSocket, request } from './support/raw.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const dropped = 'site_calls_dropped_total{limit="queue"}';
let site;

before(async () => {
  site = await startSite();
});

after(() => site?.close());

// Holds what comes until `open` is called.
function gate() {
  const made = {};
  made.passed = new Promise((resolve) => { made.open = resolve; });
  return made;
}

// Runs `body` with a router and what opens the site's gates for questions and events.
async function through(settings, body) {
  const gates = { questions: gate(), events: gate() };
  Object.assign(site, {
    onVerdict: async (name) => {
      if (name !== 'free')
        await gates.questions.passed;
      return { user_id: name };
    },
    onEvent: async () => {
      await gates.events.passed;
      return { ack: ['taken'] };
    },
  });
  const router = await startRouter({ site, changes: {
    site: { 'auth-url': site.authUrl, 'event-url': site.eventUrl, timeout: '1m', ...settings },
    namespaces: [{ name: '/' }, { name: '/open', anonymous: true, 'on-client-event': 'forward' }] } });
  try {
    await body(router, gates);
  } finally {
    gates.questions.open();
    gates.events.open();
    await router.stop();
  }
}

// Sends a CONNECT; resolves to its socket.
async function knock(router, name, nsp = '') {
  const socket = await WebSocket.session(router.public.port,
    { headers: name ? { Cookie: `session=${name}` } : {} });
  socket.text(`40${nsp}`);
  return socket;
}

const isIn = async (socket) => assert.match((await socket.frame(20000)).text, /^40/);

test('a connection that asks for hundreds of identities delays itself', () => through(
  { concurrency: 2, queue: 40, 'queue-timeout': '1m' }, async (router, { questions }) => {
    const flooder = await Connection.open(router.public.port);
    for (let i = 0; i < 150; ++i) {
      flooder.write(request('GET', '/socket.io/?EIO=3&transport=polling',
        { headers: { Cookie: `session=flood-${i}` } }));
    }
    await reaches(router, dropped, 150 - 40 - 2);
    const others = [];
    for (let i = 0; i < 8; ++i)
      others.push(await knock(router, `other-${i}`));
    await reaches(router, dropped, 150 - 40 - 2 + 8);
    assert.equal(await metric(router, 'site_calls_waiting'), 40);
    const before = site.asked.items.length;
    questions.open();
    await Promise.all(others.map(isIn));
    // Each of them had the turn after one of the flooder's.
    await reaches(router, 'site_calls_waiting', 0);
    const names = site.asked.items.slice(before, before + 18)
      .map((x) => /session=(\w+)/.exec(x.headers.cookie)[1]);
    assert.equal(names.filter((x) => x === 'other').length, 8, names.join(' '));
    for (const socket of [flooder, ...others])
      socket.destroy();
  }));

test('a client that asks what a flooder has asked does not wait for it', () => through(
  { concurrency: 1, queue: 100, 'queue-timeout': '1m' }, async (router, { questions }) => {
    const flooder = await Connection.open(router.public.port);
    // The last one is a guest, as is the one who comes then.
    for (let i = 0; i < 60; ++i) {
      flooder.write(request('GET', '/socket.io/?EIO=3&transport=polling',
        { headers: { Cookie: `session=${i < 59 ? `flood-${i}` : 'guest'}` } }));
    }
    await reaches(router, 'site_calls_waiting', 59);
    const shared = await metric(router, 'auth_shared_total');
    const guest = await knock(router, 'guest');
    await reaches(router, 'auth_shared_total', shared + 1);
    const before = site.asked.items.length;
    questions.open();
    await isIn(guest);
    await reaches(router, 'site_calls_waiting', 0);
    const place = site.asked.items.slice(before)
      .findIndex((x) => x.headers.cookie === 'session=guest');
    assert.ok(place === 0 || place === 1, `asked as number ${place}`);
    for (const socket of [flooder, guest])
      socket.destroy();
  }));

test('events at a site that does not answer keep no sign-in out', () => through(
  { concurrency: 4 }, async (router, { questions }) => {
    questions.open();
    const emitters = [];
    for (let i = 0; i < 8; ++i) {
      const socket = await knock(router, '', '/open,');
      await isIn(socket);
      socket.text('42/open,["x"]');
      emitters.push(socket);
    }
    await reaches(router, 'site_calls_waiting', 5);
    assert.equal(await metric(router, 'site_calls_active'), 3);
    const one = await knock(router, 'anna');
    await isIn(one);
    assert.equal(await metric(router, 'site_calls_waiting'), 5);
    for (const socket of [one, ...emitters])
      socket.destroy();
  }));

// All together wait for longer than one call may take.
test('a thousand pages at once get in although each call takes its time', () => through(
  { timeout: '3s' }, async (router) => {
    const took = 100;
    site.onVerdict = async (name) => {
      await new Promise((resolve) => { setTimeout(resolve, took); });
      return { user_id: name };
    };
    const pages = [];
    for (let i = 0; i < 1000; ++i)
      pages.push(await WebSocket.session(router.public.port, { headers: { Cookie: `session=p${i}` } }));
    for (const page of pages)
      page.text('40');
    await Promise.all(pages.map(isIn));
    assert.equal(await metric(router, 'auth_failures_total'), 0);
    for (const page of pages)
      page.destroy();
  }));
