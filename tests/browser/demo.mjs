// The demo page in Chromium: two users with two tabs each, with and without
// WebSocket, on one host and on the subdomains of one site. Pictures of it go
// to build/screenshots/.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startSite } from '../../apps/demo/site.mjs';
import { slow } from '../integration/support/deadline.mjs';
import { call, deliver } from '../integration/support/ingest.mjs';
import { siteKey, startRouter } from '../integration/support/router.mjs';

const require = createRequire(new URL('../integration/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const root = new URL('../../', import.meta.url);
const pictures = fileURLToPath(new URL('build/screenshots/', root));
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--host-resolver-rules=MAP *.example.test 127.0.0.1, MAP *.evil.test 127.0.0.1'];

let site;
let router;
let browser;
let contexts = [];
let faults = [];

before(async () => {
  mkdirSync(pictures, { recursive: true });
  site = await startSite({ port: 0, key: siteKey });
  const at = `http://127.0.0.1:${site.port}`;
  router = await startRouter({ changes: {
    site: { 'auth-url': `${at}/api/whoami`, 'event-url': `${at}/api/event` },
    origin: { allow: [at, `http://www.example.test:${site.port}`] },
    namespaces: [
      { name: '/', 'on-client-event': 'forward' },
      { name: '/news', anonymous: true },
      { name: '/admin' },
    ],
    // A user who leaves is offline at once, or one test would see another's.
    presence: { 'leave-grace': '0ms' },
    engine: { 'client-files': fileURLToPath(
      new URL('apps/demo/node_modules/socket.io-client/dist', root)) },
  } });
  site.ingest = router.ingestUrl;
  site.public = router.publicUrl;
  // A profile folder of its own, empty and removed again, comes with launch.
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags,
  });
});

after(async () => {
  await browser?.close();
  await router?.stop();
  await site?.close();
});

afterEach(async () => {
  await Promise.all(contexts.map((x) => x.close()));
  contexts = [];
  site.sessions.clear();
  const seen = faults;
  faults = [];
  assert.deepEqual(seen, [], 'the page threw');
});

// A browser profile: its own cookies, any number of tabs.
async function profile({ host = '127.0.0.1', transports, blocked } = {}) {
  const context = await browser.newContext({ viewport: { width: 1180, height: 860 } });
  context.setDefaultTimeout(10000 * slow);
  contexts.push(context);
  if (blocked)
    await context.routeWebSocket(/.*/, (socket) => socket.close());
  const query = new URLSearchParams({ ...(transports && { transports }) });
  const url = `http://${host}:${site.port}/?${query}`;
  const tab = async () => {
    const page = await context.newPage();
    page.on('pageerror', (error) => faults.push(String(error)));
    await page.goto(url);
    return page;
  };
  return { context, url, tab };
}

async function signIn(page, name, room = 'garden') {
  await page.locator('#login [name=name]').fill(name);
  await page.locator('#login [name=room]').selectOption(room);
  await page.locator('#login button').click();
  await page.locator('#who', { hasText: name }).waitFor();
}

const connected = (page) => page.locator('#state.on').waitFor();

const transport = (page, name) =>
  page.locator('#transport', { hasText: new RegExp(`^${name}$`) }).waitFor();

async function write(page, to, text) {
  await page.locator('#letter [name=to]').fill(to);
  await page.locator('#letter textarea').fill(text);
  await page.locator('#letter button').click();
}

async function announce(page, text, audience = 'announcement') {
  await page.locator('#public [name=audience]').selectOption(audience);
  await page.locator('#public textarea').fill(text);
  await page.locator('#public button').click();
}

const letter = (page, text) => page.locator('#letters li', { hasText: text }).waitFor();
const news = (page, text) => page.locator('#news li', { hasText: text }).waitFor();

const texts = (page, list) => page.locator(`#${list} li p`).allTextContents();

const picture = (page, name) =>
  page.screenshot({ path: `${pictures}${name}.png`, fullPage: true });

// Anna with two tabs and Ben with one, all connected.
async function cast(options) {
  const anna = await profile(options);
  const anna1 = await anna.tab();
  await signIn(anna1, 'anna');
  const anna2 = await anna.tab();
  const ben = await profile(options);
  const ben1 = await ben.tab();
  await signIn(ben1, 'ben', 'harbour');
  const tabs = [anna1, anna2, ben1];
  await Promise.all(tabs.map(connected));
  return { anna, anna1, anna2, ben1, tabs };
}

// A letter reaches both tabs of Anna and nobody else, an announcement all.
async function lettersAndNews({ anna1, anna2, ben1, tabs }) {
  await write(ben1, 'anna', 'Only for you, Anna <b>😀</b>');
  await Promise.all([anna1, anna2].map((x) => letter(x, 'Only for you, Anna <b>😀</b>')));
  await ben1.locator('#letter .note', { hasText: 'Sent to' }).waitFor();
  await announce(anna1, 'Soup is ready');
  await Promise.all(tabs.map((x) => news(x, 'Soup is ready')));
  assert.deepEqual(await texts(ben1, 'letters'), []);
  for (const page of [anna1, anna2])
    assert.equal((await texts(page, 'letters')).length, 1);
}

describe('on one host', () => {
  test('a guest may sign in, and sees the news before', async () => {
    const guest = await (await profile()).tab();
    await connected(guest);
    const { anna1 } = await cast();
    await announce(anna1, 'For everybody');
    await news(guest, 'For everybody');
    await picture(guest, 'guest');
    await signIn(guest, 'carla');
    await connected(guest);
    await write(anna1, 'carla', 'Welcome');
    await letter(guest, 'Welcome');
  });

  test('letters and announcements reach the right tabs over WebSocket', async () => {
    const all = await cast();
    await Promise.all(all.tabs.map((x) => transport(x, 'websocket')));
    await lettersAndNews(all);
    await all.anna1.locator('#people li.on', { hasText: 'ben' }).waitFor();
    await all.anna1.locator('#people li.off', { hasText: 'carla' }).waitFor();
    await picture(all.anna1, 'letters');
    await picture(all.ben1, 'sender');
  });

  test('a note reaches the room', async () => {
    const { anna1, anna2, ben1, tabs } = await cast();
    await announce(anna1, 'Weeds in bed four', 'note');
    await Promise.all([anna1, anna2].map((x) => news(x, 'Weeds in bed four')));
    await announce(anna1, 'Fence');
    await Promise.all(tabs.map((x) => news(x, 'Fence')));
    assert.deepEqual(await texts(ben1, 'news'), ['Fence']);
  });

  test("the site answers the browser's event", async () => {
    const { anna1 } = await cast();
    await anna1.locator('#question input').fill('Who am I?');
    await anna1.locator('#question button').click();
    await anna1.locator('#question .note', { hasText: '“Who am I?” from anna' }).waitFor();
  });

  test('without WebSocket everything goes by polling', async () => {
    const all = await cast({ blocked: true });
    await Promise.all(all.tabs.map((x) => transport(x, 'polling')));
    await lettersAndNews(all);
    await Promise.all(all.tabs.map((x) => transport(x, 'polling')));
    await picture(all.anna1, 'polling');
  });

  test('a user who is thrown out is told', async () => {
    const { anna1, ben1 } = await cast();
    await call(router, '/api/v1/users/anna/disconnect', { json: {} });
    await anna1.locator('#state.off, #state.waiting').waitFor();
    await picture(anna1, 'thrown-out');
    assert.equal(await ben1.locator('#state.on').count(), 1);
  });

  test('signing out ends the other tabs, not other browsers', async () => {
    const { anna1, anna2, ben1 } = await cast();
    const elsewhere = await (await profile()).tab();
    await signIn(elsewhere, 'anna');
    await connected(elsewhere);
    await anna1.locator('#logout button').click();
    // Without a cookie they become guests, and are in no room of anna's.
    await Promise.all([anna1, anna2].map((x) => x.locator('#login').waitFor()));
    await elsewhere.locator('#problem', { hasText: 'Connecting again' }).waitFor();
    await connected(elsewhere);
    await write(ben1, 'anna', 'Still for you?');
    await letter(elsewhere, 'Still for you?');
    await ben1.locator('#letter .note', { hasText: 'Sent to 1 connection online' }).waitFor();
  });

  test("another program's letter has a sender and a time", async () => {
    const { anna1 } = await cast();
    await deliver(router, { type: 'letter', payload: { to: 'anna', text: 'hello' } });
    await letter(anna1, 'hello');
    const head = await anna1.locator('#letters li div').innerText();
    assert.match(head, /^the site\s+\d+:\d+:\d+/);
  });

  test("the router's answer to a post is shown", async () => {
    const { ben1 } = await cast();
    await write(ben1, 'anna', 'How many are you?');
    await ben1.locator('#letter .note', { hasText: '/ no. ' }).waitFor();
    assert.match(await ben1.locator('#letter .note').innerText(),
      /^Sent to 2 connections online\.\n\/ no\. \d+: matched 1, online 2, id \S+$/);
  });

  for (const scheme of ['light', 'dark'])
    test(`a phone shows the ${scheme} page whole`, async () => {
      const { anna1 } = await cast();
      await anna1.emulateMedia({ colorScheme: scheme });
      await anna1.setViewportSize({ width: 360, height: 740 });
      const [width, ground] = await anna1.evaluate(() => [
        document.documentElement.scrollWidth,
        getComputedStyle(document.body).backgroundColor]);
      assert.equal(width, 360);
      const [first] = /\d+/.exec(ground);
      assert.equal(Number(first) < 64, scheme === 'dark');
      await picture(anna1, `phone-${scheme}`);
    });

  test('a site that does not know the session any more is shown', async () => {
    const anna = await profile();
    const page = await anna.tab();
    await signIn(page, 'anna');
    await connected(page);
    // The page believes it is signed in; the router asks, and is told no.
    await page.route('**/api/session', (route) => route.fulfill({
      json: { user: 'anna', room: 'garden', people: ['anna'], rooms: ['garden'],
        router: site.public },
    }));
    site.sessions.clear();
    await page.reload();
    await page.locator('#problem', { hasText: 'does not let you in' }).waitFor();
    await page.locator('#state.off', { hasText: 'refused' }).waitFor();
    await picture(page, 'refused');
  });
});

describe('on subdomains', () => {
  const names = { host: 'www.example.test' };

  for (const transports of ['websocket', 'polling'])
    test(`the cookie of www. opens push. over ${transports}`, async () => {
      const all = await cast({ ...names, transports });
      await Promise.all(all.tabs.map((x) => transport(x, transports)));
      const [cookie] = await all.anna.context.cookies(all.anna.url);
      assert.equal(cookie.name, 'session');
      assert.equal(cookie.domain.replace(/^\./, ''), 'example.test');
      assert.equal(cookie.httpOnly, true);
      assert.equal(await all.anna1.evaluate(() => document.cookie), '');
      await lettersAndNews(all);
      await picture(all.anna1, `subdomain-${transports}`);
    });

  test('a page of another site cannot connect', async () => {
    const { anna } = await cast(names);
    const page = await anna.context.newPage();
    await page.goto(`http://www.evil.test:${site.port}/?router=http://www.evil.test:1`);
    const target = `push.example.test:${router.public.port}/socket.io/?EIO=4`;
    const outcome = await page.evaluate(async (address) => {
      const socket = await new Promise((resolve) => {
        const made = new WebSocket(`ws://${address}&transport=websocket`);
        made.onmessage = () => resolve('message');
        made.onerror = () => resolve('refused');
      });
      const poll = await fetch(`http://${address}&transport=polling`,
        { credentials: 'include' }).then(() => 'readable', () => 'refused');
      return [socket, poll];
    }, target);
    assert.deepEqual(outcome, ['refused', 'refused']);
  });
});
