// Clients as they are, without a word of the page's own, come back: after a restart, while
// the site cannot be asked, and when there are more of them than it can take at once.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { Cluster } from './support/cluster.mjs';
import { until } from './support/deadline.mjs';
import { closeAll, open } from './support/generations.mjs';
import { deliver } from './support/ingest.mjs';
import { metric, reaches } from './support/metrics.mjs';
import { freePort, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const kinds = [['4.8', 'websocket'], ['4.8', 'upgrade'], ['2.5', 'websocket'],
  ['2.5', 'polling'], ['0.9', 'websocket'], ['0.9', 'xhr-polling']];
const others = kinds.slice(0, 4);
const ofEach = 8;
let site;
let ports;

before(async () => {
  site = await startSite();
});

beforeEach(async () => {
  site.onVerdict = undefined;
  site.mode = 'answer';
  ports = {};
  for (const name of ['public', 'ingest', 'operations'])
    ports[name] = `127.0.0.1:${await freePort()}`;
});

afterEach(() => closeAll());

after(() => site?.close());

const start = (settings = {}, changes = {}) => startRouter({ site, changes: { listen: ports, site: {
  'auth-url': site.authUrl, 'event-url': site.eventUrl, 'when-unavailable': 'hold',
  timeout: '1s', ...settings }, ...changes } });

let users = 0;
const opened = (router, some = kinds, count = ofEach) => Promise.all(
  some.flatMap(([version, way]) => Array.from({ length: count }, () =>
    open(router, { version, way, session: `user-${++users}`, reconnect: true, stock: true }))));

const times = (tab) => tab.life.items.filter((x) => x.event === 'connect').length;

// Every one of them has been let in so many times, and is in.
async function allIn(router, tabs, at = 1) {
  await until(() => tabs.every((x) => times(x) >= at), 60000, () =>
    `${tabs.length} clients; missing: ${tabs.filter((x) => times(x) < at)
      .map((x) => `${x.version} ${JSON.stringify(x.life.items)}`)}`);
  const mark = `mark-${Math.random()}`;
  await deliver(router, { type: 'announcement', payload: mark });
  await Promise.all(tabs.map((x) => x.next('announcement', (y) => y === mark, 20000)));
}

for (const policy of ['hold', 'retry'])
  test(`all come back after a restart, however few at a time the site takes: ${policy}`, async () => {
    const settings = { 'when-unavailable': policy, concurrency: 2, queue: 8, 'queue-timeout': '1s' };
    let router = await start(settings);
    try {
      const tabs = await opened(router, policy === 'hold' ? kinds : others);
      await allIn(router, tabs);
      await router.kill();
      site.onVerdict = async (name) => {
        await new Promise((resolve) => { setTimeout(resolve, 50); });
        return { user_id: name };
      };
      router = await start(settings);
      await allIn(router, tabs, 2);
      if (policy === 'hold')
        assert.ok(await metric(router, 'auth_failures_total') > 0, 'the queue was never full');
    } finally {
      closeAll();
      await router.stop();
    }
  });

for (const mode of ['down', 'error', 'hang'])
  for (const policy of ['hold', 'retry'])
    test(`all come back, and newcomers in, after a site was ${mode}: ${policy}`, async () => {
      const settings = { 'when-unavailable': policy, timeout: '300ms' };
      let router = await start(settings);
      try {
        const tabs = await opened(router, kinds, 2);
        await allIn(router, tabs);
        await router.kill();
        if (mode === 'down')
          await site.down();
        else
          site.mode = mode;
        router = await start(settings);
        // A client of 0.9 that was never in does not try again by itself.
        const fresh = await opened(router, policy === 'hold' ? kinds : others, 2);
        const all = [...tabs, ...fresh];
        if (policy === 'hold')
          await until(async () => await metric(router, 'connects_held') > all.length / 2, 30000,
            'half of them held');
        else
          await until(async () => await metric(router,
            'sessions_closed_total{reason="site_unavailable"}') > 2 * all.length, 30000,
          'two attempts of each');
        assert.equal(await metric(router, 'connects_total{result="accepted"}'), 0);
        if (mode === 'down')
          await site.up();
        else
          site.mode = 'answer';
        await allIn(router, tabs, 2);
        await allIn(router, fresh, 1);
        assert.equal(await metric(router, 'connects_held'), 0);
      } finally {
        closeAll();
        await router.stop();
      }
    });

test('what is held in vain is closed in the end, and comes back', async () => {
  site.mode = 'error';
  const router = await start({}, { engine: { 'connect-timeout': '1s' } });
  try {
    const tabs = await opened(router, others, 2);
    await until(async () => await metric(router, 'limits_total{limit="connect-timeout"}')
      >= tabs.length, 30000, 'the end of each');
    site.mode = 'answer';
    await allIn(router, tabs);
  } finally {
    closeAll();
    await router.stop();
  }
});

for (const policy of ['hold', 'retry'])
  test(`a namespace that has to wait costs the others nothing: ${policy}`, async () => {
    const router = await start({ 'when-unavailable': policy });
    try {
      const tabs = await opened(router, kinds, 1);
      await allIn(router, tabs);
      site.mode = 'error';
      const inner = tabs.map((x) => x.join('/custom'));
      await reaches(router, 'connects_held', tabs.length);
      await allIn(router, tabs);
      site.mode = 'answer';
      await until(() => inner.every((x) => times(x) === 1), 30000, 'the namespace');
      await deliver(router, { namespace: '/custom', type: 'announcement', payload: 'custom' });
      await Promise.all(inner.map((x) => x.next('announcement', (y) => y === 'custom', 10000)));
      assert.ok(tabs.every((x) => times(x) === 1), 'somebody was cut off');
      // Left open they would bring the connection back.
      for (const each of inner)
        each.close();
    } finally {
      closeAll();
      await router.stop();
    }
  });

test('in a cluster, too', async () => {
  const cluster = await Cluster.start({ site, count: 2, changes: { site: {
    'auth-url': site.authUrl, 'when-unavailable': 'hold' } } });
  try {
    site.mode = 'error';
    const tabs = (await Promise.all(cluster.numbers.map((n) =>
      opened(cluster.node(n), kinds, 1)))).flat();
    for (const n of cluster.numbers)
      await reaches(cluster.node(n), 'connects_held', kinds.length);
    site.mode = 'answer';
    await allIn(cluster.node(1), tabs);
  } finally {
    closeAll();
    await cluster.stop();
  }
});
