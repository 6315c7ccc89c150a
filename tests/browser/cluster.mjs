// The demo page in Chromium before three nodes and a balancer that goes round
// them: two tabs of one user at different nodes are as good as at one. A picture
// of it goes to build/screenshots/.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startSite } from '../../apps/demo/site.mjs';
import { startBalancer } from '../integration/support/balancer.mjs';
import { Cluster } from '../integration/support/cluster.mjs';
import { slow, until } from '../integration/support/deadline.mjs';
import { user } from '../integration/support/ingest.mjs';
import { siteKey } from '../integration/support/router.mjs';
import { launch } from './support/chromium.mjs';

const root = new URL('../../', import.meta.url);
const pictures = fileURLToPath(new URL('build/screenshots/', root));

let site;
let cluster;
let balancer;
let browser;
const faults = [];

before(async () => {
  mkdirSync(pictures, { recursive: true });
  site = await startSite({ port: 0, key: siteKey });
  const at = `http://127.0.0.1:${site.port}`;
  cluster = await Cluster.start({
    site: { authUrl: `${at}/api/whoami`, eventUrl: `${at}/api/event` },
    changes: {
      origin: { allow: [at] },
      namespaces: [{ name: '/', 'on-client-event': 'forward' }, { name: '/news', anonymous: true }],
      presence: { 'leave-grace': '0ms' },
      engine: { 'client-files': fileURLToPath(
        new URL('apps/demo/node_modules/socket.io-client/dist', root)) },
    },
  });
  // The site knows one node; the others learn of what it posts.
  site.ingest = cluster.node(1).ingestUrl;
  balancer = await startBalancer(cluster.ports);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await balancer?.close();
  await cluster?.stop();
  await site?.close();
});

// A browser profile of a user who is signed in; resolves to a function that
// opens tabs.
async function profile(name) {
  const context = await browser.newContext({ viewport: { width: 1180, height: 860 } });
  context.setDefaultTimeout(10000 * slow);
  let known = false;
  return async () => {
    const page = await context.newPage();
    page.on('pageerror', (error) => faults.push(String(error)));
    await page.goto(`http://127.0.0.1:${site.port}/?router=${encodeURIComponent(balancer.url)}`);
    if (!known) {
      await page.locator('#login [name=name]').fill(name);
      await page.locator('#login button').click();
      known = true;
    }
    await page.locator('#who', { hasText: name }).waitFor();
    await page.locator('#state.on').waitFor();
    return page;
  };
}

// The node that the page says it is at, once it is there by WebSocket.
async function nodeOf(page) {
  const said = page.locator('#transport', { hasText: /^websocket, node \d$/ });
  await said.waitFor();
  return Number((await said.textContent()).at(-1));
}

async function write(page, to, text) {
  await page.locator('#letter [name=to]').fill(to);
  await page.locator('#letter textarea').fill(text);
  await page.locator('#letter button').click();
}

const texts = (page) => page.locator('#letters li p').allTextContents();

test('a letter reaches both tabs of a user, on two nodes, once', async () => {
  const open = await profile('anna');
  const first = await open();
  const home = await nodeOf(first);
  let second = await open();
  for (let tries = 1; await nodeOf(second) === home; tries++) {
    assert.ok(tries < 12, 'the balancer leads every tab to one node');
    await second.close();
    // A page may take as many turns of the balancer as there are nodes.
    await fetch(`${balancer.url}/`);
    second = await open();
  }
  const ben = await (await profile('ben'))();
  await nodeOf(ben);
  const tabs = [first, second];
  await until(async () => (await user(cluster.node(1), 'anna')).connections.length === 2, 10000,
    'both tabs to be known');
  await write(ben, 'anna', 'To both of you 😀');
  await ben.locator('#letter .note', { hasText: 'Sent to' }).waitFor();
  await write(ben, 'anna', 'And again');
  for (const tab of tabs)
    await tab.locator('#letters li', { hasText: 'And again' }).waitFor();
  for (const tab of tabs)
    assert.deepEqual((await texts(tab)).sort(), ['And again', 'To both of you 😀']);
  assert.deepEqual(await texts(ben), []);
  await first.locator('#people li.on', { hasText: 'ben' }).waitFor();
  await first.screenshot({ path: `${pictures}cluster.png`, fullPage: true });
  assert.deepEqual(faults, [], 'the page threw');
});
