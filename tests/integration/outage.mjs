// The site's API fails in every way; connected pages keep receiving, and new
// pages are told to come back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ask, closeAll, connect, next, refused, socket }
  from './support/clients.mjs';
import { until } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const sessions = 200;
let site;
let router;
let tabs;

before(async () => {
  site = await startSite();
  router = await startRouter({ site, changes: { site: {
    'auth-url': site.authUrl, 'event-url': site.eventUrl,
    'connect-timeout': '1s', timeout: '1s',
  } } });
  tabs = await Promise.all(Array.from({ length: sessions }, (_, i) =>
    connect(router.publicUrl, {
      session: `user-${i}`, way: i % 4 === 0 ? 'polling' : 'websocket',
    })));
});

after(async () => {
  closeAll();
  await router?.stop();
  await site?.close();
});

// Every session receives a broadcast and a letter of its own.
async function everybodyReceives(mark) {
  await deliver(router, { type: 'announcement', payload: mark });
  await deliver(router, tabs.map((_, i) =>
    ({ type: 'letter', payload: { to: `user-${i}`, mark } })));
  await Promise.all(tabs.map(async (tab, i) => {
    await next(tab, 'announcement', (x) => x === mark, 10000);
    const [mine] = await next(tab, 'letter', (x) => x.mark === mark, 10000);
    assert.equal(mine.to, `user-${i}`);
    assert.ok(tab.connected);
  }));
}

async function newcomerIsToldToRetry() {
  const error = await refused(socket(router.publicUrl, { session: 'newcomer' }));
  assert.equal(error.message, 'unavailable');
  assert.deepEqual(error.data, { retry: true });
}

// What held new connections back may take a moment to let go.
function newcomerComesIn() {
  return until(async () => {
    const tab = socket(router.publicUrl, { session: 'newcomer' });
    return new Promise((resolve) => {
      tab.once('connect', () => {
        tab.disconnect();
        resolve(true);
      });
      tab.once('connect_error', () => resolve(false));
    });
  }, 30000, 'a new connection after the outage');
}

test('before the outage everybody receives', () => everybodyReceives('before'));

for (const mode of ['hang', 'error', 'redirect', 'html', 'huge', 'reset'])
  test(`a site that answers ${mode} throws nobody out`, async () => {
    site.mode = mode;
    site.eventMode = mode;
    const newcomer = newcomerIsToldToRetry();
    await everybodyReceives(mode);
    await newcomer;
    const [answer] = await ask(tabs[0], 'question', mode);
    assert.ok(answer?.ok === false || answer?.error, JSON.stringify(answer));
    await everybodyReceives(`${mode} still`);
    site.mode = 'answer';
    site.eventMode = 'answer';
    await newcomerComesIn();
  });

test('a site that is down throws nobody out', async () => {
  await site.down();
  await newcomerIsToldToRetry();
  await everybodyReceives('down');
  const [answer] = await ask(tabs[0], 'question', 'down');
  assert.ok(answer?.ok === false || answer?.error, JSON.stringify(answer));
  await site.up();
  await newcomerComesIn();
});

test('a crowd of newcomers at a hanging site costs nobody an event', async () => {
  site.mode = 'hang';
  const crowd = Array.from({ length: 60 }, () => newcomerIsToldToRetry());
  await everybodyReceives('crowd');
  await Promise.all(crowd);
  site.mode = 'answer';
  await newcomerComesIn();
  await everybodyReceives('after');
});
