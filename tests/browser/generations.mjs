// The browser builds of every client generation in Chromium, with and without
// WebSocket and by script tags, on pages of another origin than the router's.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { slow, until, within } from '../integration/support/deadline.mjs';
import { deliver, user } from '../integration/support/ingest.mjs';
import { metric } from '../integration/support/metrics.mjs';
import { send } from '../integration/support/raw.mjs';
import { startRouter } from '../integration/support/router.mjs';
import { startSite } from '../integration/support/site.mjs';
import { launch } from './support/chromium.mjs';
import { Htmlfile } from './support/htmlfile.mjs';
import { startPages, Tab } from './support/pages.mjs';

// What a network does to WebSockets. A client 0.9 waits ten seconds before it
// tries something else, so from its pages they are missing.
const closed = { prepare: (page) => page.routeWebSocket(/.*/, (socket) => socket.close()) };
const missing = { init: () => { delete globalThis.WebSocket; } };

// How a generation may speak: the transport in use, as the client and as the
// router name it, and the kinds of requests that Chromium makes for it.
const upgrade = { name: 'websocket', carrier: 'websocket', kinds: ['websocket', 'xhr'] };
const polling = { name: 'polling', carrier: 'polling', kinds: ['xhr'], block: closed };
const jsonp = { name: 'jsonp', carrier: 'jsonp', record: 'polling',
  kinds: ['document', 'script'], options: { forceJSONP: true, transports: ['polling'] } };
const old = [
  upgrade,
  { name: 'xhr-polling', carrier: 'xhr-polling', kinds: ['xhr'], block: missing },
  { name: 'jsonp-polling', carrier: 'jsonp-polling', kinds: ['document', 'script'],
    options: { transports: ['jsonp-polling'], script: true } },
];
const generations = {
  '4.8': { dialect: 'eio4', ways: [upgrade, polling], refusal: ['connect_error', 'unauthorized'] },
  '2.5': { dialect: 'eio3', ways: [upgrade, polling, jsonp], refusal: ['error', 'unauthorized'] },
  '1.7': { dialect: 'eio3', ways: [upgrade, polling, jsonp], refusal: ['error', 'unauthorized'] },
  0.9: { dialect: 'v09', ways: old, refusal: ['error', 'handshake unauthorized'] },
};
const columns = Object.entries(generations).flatMap(([generation, { ways, ...rest }]) =>
  ways.map((way) => ({ generation, ...rest, ...way, upgrades: way === upgrade
    && generation !== '0.9' })));

const tag = 'tag \u{1F600}';
const events = ['letter', 'announcement', 'count', 'large', tag];
const texts = ['Grüße é€\u{1F600}', 'e\u0301', 'Привет', 'Γειά', 'שלום', 'مرحبا', 'नमस्ते', 'สวัสดี',
  '日本語', '한국어', 'ខ្មែរ', 'ᚠᛇᚻ', '\u{1D538}\u{10400}\u{20000}\u{10FFFF}', '\u{1F469}\u200D\u{1F680}',
  '\u{1F1E9}\u{1F1EA}', '\uFFFD3\uFFFD4::', '\uFEFF\u0001\u001E\u007F\u0085', '"\\/\'', '\n\\n\\\n\\\\n\r\n\t',
  '</script><!-- &amp; %41+', '5:1+:/a:b', 'déjà vu'];
const unicode = texts.join(' ');
const separators = 'a\u2028b\u2029c';
const large = 'abcdefghi\u{1F600}'.repeat(8192).slice(0, 102400);

let site;
let router;
let pages;
let browser;
let count = 0;

const changes = () => ({
  origin: { allow: [pages.url, `http://www.example.test:${pages.port}`] },
  presence: { 'leave-grace': '0ms' },
});

before(async () => {
  site = await startSite();
  site.users.set('stranger', { ok: false });
  pages = await startPages();
  router = await startRouter({ site, changes: changes() });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await router?.stop();
  await pages?.close();
  await site?.close();
});

const fresh = (name) => `${name}-${++count}`;

function open(column, options = {}) {
  const { generation, block } = column;
  return Tab.open(browser, { generation, pages, router, ...block, ...options });
}

// A page in both namespaces, which share one connection.
async function connect(column, options) {
  const tab = await open(column, options);
  for (const namespace of ['/', '/custom'])
    await tab.join(namespace, column.options, events);
  await Promise.all([tab.connected('/'), tab.connected('/custom')]);
  if (column.upgrades && !options.init)
    await tab.upgraded();
  return tab;
}

const letter = (to, text, more = {}, at = router) =>
  deliver(at, { type: 'letter', payload: { to, text }, ...more });
const announce = (payload, more = {}, at = router) =>
  deliver(at, { type: 'announcement', payload, ...more });
const emit = (to, event, ...args) =>
  deliver(router, { type: event, event, to: { users: [to] }, args });

const unharmed = (...tabs) =>
  assert.deepEqual(tabs.flatMap((x) => x?.faults ?? ['not opened']), [], 'the page threw');

for (const column of columns)
  describe(`client ${column.generation}, ${column.name}`, () => {
    const name = fresh('anna');
    let anna;
    let ben;

    before(async () => {
      [anna, ben] = await Promise.all([name, fresh('ben')].map((session) =>
        connect(column, { session })));
    });

    after(async () => {
      await Promise.all([anna, ben].map((x) => x?.context.close()));
      unharmed(anna, ben);
    });

    test('the transport is the one that is left', async () => {
      assert.equal(await anna.carrier(), column.carrier);
      assert.deepEqual([...anna.kinds].sort(), column.kinds);
    });

    test('the router tells dialect and transport', async () => {
      const transport = column.record ?? column.carrier;
      const wanted = ['/', '/custom'].map((x) => `${x} ${column.dialect} ${transport}`);
      let told;
      // The client is done with the upgrade before the router is.
      await until(async () => {
        const { connections } = await user(router, name);
        told = connections.map((x) => `${x.namespace} ${x.dialect} ${x.transport}`).sort();
        return String(told) === String(wanted);
      }, 2000, 'the wanted record').catch(() => assert.deepEqual(told, wanted));
    });

    test('broadcast', async () => {
      await announce('everybody');
      await announce('custom', { namespace: '/custom' });
      await announce('end');
      for (const tab of [anna, ben]) {
        assert.deepEqual(await tab.next('/custom', 'announcement'), ['custom']);
        await tab.next('/', 'announcement', (x) => x === 'end');
        assert.deepEqual(tab.heard('/', 'announcement'),
          [['announcement', 'everybody'], ['announcement', 'end']]);
        assert.equal(tab.heard('/custom', 'announcement').length, 1);
      }
    });

    test('private by the cookie', async () => {
      for (const namespace of ['/', '/custom'])
        await letter(name, 'secret', { namespace });
      for (const namespace of ['/', '/custom'])
        await announce('after the letter', { namespace });
      for (const tab of [anna, ben])
        for (const namespace of ['/', '/custom']) {
          await tab.next(namespace, 'announcement', (x) => x === 'after the letter');
          assert.deepEqual(tab.heard(namespace, 'letter'),
            tab === anna ? [['letter', { to: name, text: 'secret' }]] : []);
        }
    });

    test('a refused cookie', async () => {
      const tab = await open(column, { session: 'stranger' });
      await tab.join('/', column.options, events);
      const [event, text] = column.refusal;
      assert.deepEqual(await tab.next('/', event), [text]);
      await announce('not for strangers');
      await anna.next('/', 'announcement', (x) => x === 'not for strangers');
      assert.deepEqual(tab.heard('/', 'connect', ...events), []);
      await tab.context.close();
      unharmed(tab);
    });

    for (const namespace of ['/', '/custom'])
      test(`acks both ways in ${namespace}`, async () => {
        const sent = [1, 'two', { three: [] }, null, 0.5];
        assert.deepEqual(await anna.ask(namespace, 'question', ...sent), ['question', ...sent]);
        assert.deepEqual(await anna.ask(namespace, 'nothing'), ['nothing']);
        const answer = await letter(name, 'confirm',
          { namespace, confirm: { deadline_ms: 20000 } });
        assert.deepEqual(answer.confirmed, { [name]: 'delivered' });
      });

    test('unicode both ways', async () => {
      const sent = [unicode, { [unicode]: texts }];
      await emit(name, tag, ...sent);
      assert.deepEqual(await anna.next('/', tag), sent);
      assert.deepEqual(await anna.ask('/', tag, ...sent), [tag, ...sent]);
      // Alone, so that nothing else tells how it is encoded.
      for (const some of [texts.slice(0, 11), texts.slice(11)]) {
        const answers = await Promise.all(some.map((x) => anna.ask('/', 'echo', x)));
        assert.deepEqual(answers, some.map((x) => ['echo', x]));
      }
    });

    test('line separators both ways', async () => {
      await emit(name, tag, separators);
      await anna.next('/', tag, (x) => x === separators);
      assert.deepEqual(await anna.ask('/', 'echo', separators), ['echo', separators]);
    });

    test('100 KB both ways', async () => {
      await emit(name, 'large', large);
      assert.ok((await anna.next('/', 'large'))[0] === large);
      site.onEvent = ({ args }) => ({ ack: [args[0].length, args[0] === large] });
      try {
        assert.deepEqual(await anna.ask('/', 'large', large), [large.length, true]);
      } finally {
        site.onEvent = ({ event, args }) => ({ ack: [event, ...args] });
      }
      // Chromium takes gzip, and the router compresses polls of this size.
      assert.equal(anna.encodings.has('gzip'), column.carrier !== 'websocket');
    });

    test(`1,000 events in order${column.upgrades ? ', across the upgrade' : ''}`, async () => {
      // The probe waits until some events have come by polling.
      const hold = () => {
        const { send: write } = WebSocket.prototype;
        const probe = new Promise((resolve) => { globalThis.probe = resolve; });
        WebSocket.prototype.send = function later(data) {
          if (data === '2probe')
            probe.then(() => write.call(this, data));
          else
            write.call(this, data);
        };
      };
      const tab = column.upgrades
        ? await connect(column, { context: anna.context, init: hold }) : anna;
      const post = async (from, to) => {
        for (let first = from; first < to; first += 50)
          await deliver(router, Array.from({ length: 50 }, (_, i) => ({
            type: 'count', to: { users: [name] }, args: [first + i] })));
      };
      const counts = (n) => tab.log.take(n, (x) => x.event === 'count', 20000, `${n} events`);
      await post(0, 300);
      await counts(300);
      if (column.upgrades) {
        assert.equal(await tab.carrier(), 'polling');
        await tab.page.evaluate('probe()');
      }
      await post(300, 1000);
      if (column.upgrades)
        await tab.upgraded();
      assert.deepEqual((await counts(1000)).map((x) => x.args[0]),
        Array.from({ length: 1000 }, (_, i) => i));
      assert.equal(await tab.carrier(), column.carrier);
      unharmed(tab);
    });
  });

describe('subdomains, and a router that starts again', () => {
  const where = { host: 'www.example.test', push: 'push.example.test', domain: 'example.test' };
  // Chromium opens at most six connections of a profile to one host, so each
  // generation has its own.
  const profiles = new Map();
  const tabs = new Map();
  let own;

  before(async () => {
    own = await startRouter({ site, changes: changes() });
    for (const generation of Object.keys(generations))
      profiles.set(generation, await browser.newContext());
    await Promise.all(columns.map(async (column) => {
      const { script, ...options } = column.options ?? {};
      const context = profiles.get(column.generation);
      tabs.set(column, await connect({ ...column, options },
        { ...where, context, router: own, session: `dora-${column.generation}` }));
    }));
  });

  after(async () => {
    await Promise.all([...profiles.values()].map((x) => x.close()));
    await own?.stop();
    unharmed(...tabs.values());
  });

  async function works(column, text) {
    const tab = tabs.get(column);
    const name = `dora-${column.generation}`;
    assert.equal(await tab.carrier(), column.carrier);
    await tab.next('/', 'announcement', (x) => x === text);
    await tab.next('/custom', 'announcement', (x) => x === text);
    const secret = `${text} ${column.name}`;
    await letter(name, secret, {}, own);
    await tab.next('/', 'letter', (x) => x.text === secret);
    assert.deepEqual(await tab.ask('/custom', text, unicode), [text, unicode]);
    // Once, and after a reconnect too.
    assert.equal(tab.heard('/', 'letter').filter(([, x]) => x.text === secret).length, 1);
    assert.equal(tab.heard('/', 'announcement').filter(([, x]) => x === text).length, 1);
  }

  const announced = async (text) => {
    for (const namespace of ['/', '/custom'])
      await announce(text, { namespace }, own);
  };

  describe('the cookie of www. opens push.', () => {
    before(() => announced('first'));

    for (const column of columns)
      test(`${column.generation}, ${column.name}`, async () => {
        const tab = tabs.get(column);
        const [cookie] = await tab.context.cookies(tab.url);
        assert.deepEqual([cookie.domain.replace(/^\./, ''), cookie.httpOnly],
          ['example.test', true]);
        await works(column, 'first');
      });
  });

  const ends = { stop: 'stopped', kill: 'killed' };
  Object.entries(ends).forEach(([end, text], times) =>
    describe(`after it was ${text}`, () => {
      before(async () => {
        await own[end]();
        own = await startRouter({ site, changes: { ...changes(), listen: {
          public: `127.0.0.1:${own.public.port}` } } });
        await Promise.all([...tabs.values()].flatMap((tab) =>
          ['/', '/custom'].map((x) => tab.connected(x, times + 2, 30000))));
        for (const [column, tab] of tabs)
          if (column.upgrades)
            await tab.upgraded();
        await announced(text);
      });

      for (const column of columns)
        test(`${column.generation}, ${column.name}`, () => works(column, text));
    }));
});

describe('without WebSocket', () => {
  for (const [generation, { ways }] of Object.entries(generations))
    test(`client ${generation} in a browser that has none`, async () => {
      const { carrier } = ways[1];
      const tab = await connect({ generation, block: missing }, { session: fresh('carla') });
      assert.equal(await tab.carrier(), carrier);
      assert.deepEqual(await tab.ask('/custom', 'question', 1), ['question', 1]);
      assert.deepEqual([...tab.kinds], ['xhr']);
      await tab.context.close();
      unharmed(tab);
    });

  test('client 0.9 in a network that closes them', async () => {
    const column = { generation: '0.9', block: closed,
      options: { 'connect timeout': 2000 * slow } };
    const tab = await connect(column, { session: fresh('carla') });
    assert.equal(await tab.carrier(), 'xhr-polling');
    assert.deepEqual(await tab.ask('/custom', 'question', 1), ['question', 1]);
    await tab.context.close();
    unharmed(tab);
  });

  test('client 0.9 in a network that swallows frames does not poll in a loop', async () => {
    let polls = 0;
    const prepare = async (page) => {
      page.on('request', (x) => { polls += x.url().includes('/xhr-polling/'); });
      await page.routeWebSocket(/.*/, (socket) => socket.connectToServer().onMessage(() => {}));
    };
    const tab = await open({ generation: '0.9', block: { prepare } }, { session: fresh('carla') });
    await tab.join('/', { 'connect timeout': 500 * slow }, ['connecting']);
    // It gives up each transport after that time.
    await tab.log.find((x) => x.event === 'connect'
      || (x.event === 'connecting' && x.args[0] === 'jsonp-polling'), 10000, 'the last transport');
    await tab.context.close();
    assert.ok(polls < 5, `${polls} polls`);
  });
});

describe('htmlfile, the endless page of old Internet Explorers', () => {
  const headers = (session) => ({ Origin: pages.url, Cookie: `session=${session}` });
  const open09 = (session) => Htmlfile.open(router.public.port, headers(session));
  const data = (packet) => JSON.parse(packet.replace(/^\d*:[^:]*:[^:]*:/, ''));

  test('it begins as they need it', async () => {
    const stream = await open09(fresh('dan'));
    await stream.next('1::');
    assert.match(stream.transports, /(^|,)htmlfile(,|$)/);
    assert.match(stream.head, /^HTTP\/1\.1 200 /);
    assert.match(stream.head, /^content-type: text\/html; charset=utf-8\r$/im);
    assert.match(stream.head, /^transfer-encoding: chunked\r$/im);
    assert.equal(stream.chunks[0].length, 256);
    assert.match(stream.chunks[0].toString(),
      /^<html><body><script>var _ = function .*<\/script> *$/);
    await stream.close();
  });

  test('broadcast, private and acks in two namespaces', async () => {
    const name = fresh('dan');
    const stream = await open09(name);
    const other = await open09(fresh('eva'));
    for (const [nsp, endpoint] of [['/', ''], ['/custom', '/custom']]) {
      for (const each of [stream, other]) {
        if (endpoint)
          await each.send(`1::${endpoint}`);
        await each.next(`1::${endpoint}`);
      }
      await letter(name, 'secret', { namespace: nsp });
      await announce(unicode, { namespace: nsp });
      for (const each of [stream, other])
        assert.deepEqual(data(await each.next(`5::${endpoint}:{"name":"announcement"`)),
          { name: 'announcement', args: [unicode] });
      assert.deepEqual(data(await stream.next(`5::${endpoint}:{"name":"letter"`)),
        { name: 'letter', args: [{ to: name, text: 'secret' }] });

      const asked = JSON.stringify({ name: 'question', args: [unicode] });
      const { status, body } = await stream.send(`5:7+:${endpoint}:${asked}`);
      assert.deepEqual([status, body], [200, '1']);
      const answer = await stream.next(`6::${endpoint}:7+`);
      assert.deepEqual(JSON.parse(answer.slice(answer.indexOf('+') + 1)), ['question', unicode]);

      const posted = letter(name, 'confirm', { namespace: nsp, confirm: { deadline_ms: 20000 } });
      const event = await stream.packets.find((x) => x.includes('"confirm"') && x.includes('+'));
      const [, id] = /^5:(\d+)\+:/.exec(event);
      await stream.send(`6::${endpoint}:${id}+["read"]`);
      assert.deepEqual((await posted).confirmed, { [name]: 'delivered' });
      stream.packets.items = [];
    }
    assert.ok(other.packets.items.every((x) => !x.includes('secret')));
    await Promise.all([stream.close(), other.close()]);
  });

  test('100 KB both ways, and 1,000 events in order', async () => {
    const name = fresh('dan');
    const stream = await open09(name);
    await stream.next('1::');
    await emit(name, 'large', large);
    assert.ok(data(await stream.next('5:::{"name":"large"')).args[0] === large);
    await stream.send(`5:::${JSON.stringify({ name: 'large', args: [large, name] })}`);
    const { json } = await site.events.find((x) => x.json.args[1] === name);
    assert.ok(json.args[0] === large);
    for (let first = 0; first < 1000; first += 50)
      await deliver(router, Array.from({ length: 50 }, (_, i) => ({
        type: 'count', to: { users: [name] }, args: [first + i] })));
    const seen = await stream.packets.take(1000, (x) => x.startsWith('5:::{"name":"count"'), 20000);
    assert.deepEqual(seen.map((x) => data(x).args[0]), Array.from({ length: 1000 }, (_, i) => i));
    const { connections } = await user(router, name);
    assert.deepEqual(connections.map((x) => x.dialect), ['v09']);
    await stream.close();
  });

  test('a refused cookie, and the page of another origin', async () => {
    await assert.rejects(open09('stranger'), /answered 403 handshake unauthorized/);
    const { status } = await send(router.public.port, 'GET', '/socket.io/1/',
      { headers: { Origin: 'http://www.evil.test', Cookie: 'session=dan' } });
    assert.equal(status, 403);
  });
});

describe('script tags of pages that may not ask', () => {
  // On the same machine, so that the browser sends the cookie along.
  let strangers;

  before(async () => {
    strangers = await startPages();
  });

  after(() => strangers?.close());

  // Opens a session of each dialect as the user, the victim of the thefts below.
  async function sessions(session) {
    const headers = { Origin: pages.url, Cookie: `session=${session}` };
    const get = (path) => send(router.public.port, 'GET', path, { headers });
    const [, eio3] = /"sid":"([^"]+)"/.exec(
      (await get('/socket.io/?EIO=3&transport=polling&b64=1')).body);
    const [v09] = (await get('/socket.io/1/')).body.split(':');
    return { eio3, v09 };
  }

  // Everything that a page can do about JSONP without the client: fetches by
  // script tags and posts by forms. Returns what its callbacks got.
  const attack = async ({ scripts, forms }) => {
    const stolen = [];
    const take = (x) => stolen.push(String(x));
    globalThis.___eio = [take];
    globalThis.io.j = [take];
    const done = (element, add) => new Promise((resolve) => {
      element.onload = resolve;
      element.onerror = resolve;
      add();
    });
    for (const src of scripts) {
      const element = document.createElement('script');
      element.src = src;
      await done(element, () => document.body.append(element));
    }
    for (const [action, value] of forms) {
      document.body.insertAdjacentHTML('beforeend',
        '<iframe name="into"></iframe><form method="post" target="into"><textarea name="d">');
      const form = document.body.lastChild;
      form.action = action;
      form.firstChild.value = value;
      const frame = form.previousSibling;
      await done(frame, () => form.submit());
      form.remove();
      frame.remove();
    }
    return stolen;
  };

  const kinds = {
    'an admitted page': [() => pages.port, {}, true],
    'an admitted page that tells no referrer': [() => pages.port, { policy: 'no-referrer' }],
    'a page of another origin': [() => strangers.port, {}],
    'a page of another origin that tells no referrer':
      [() => strangers.port, { policy: 'no-referrer' }],
    'a page of another site': [() => strangers.port, { host: 'www.evil.test', push: '127.0.0.1' }],
  };

  for (const [kind, [port, options, admitted]] of Object.entries(kinds))
    test(`${kind} gets ${admitted ? 'everything' : 'nothing'}`, async () => {
      const name = fresh('fred');
      const { eio3, v09 } = await sessions(name);
      const tab = await Tab.open(browser,
        { generation: '4.8', pages: { port: port() }, router, session: name, ...options });
      const refused = await metric(router, 'origins_refused_total');
      const event = (dialect) => `["stolen","${name}","${dialect}"]`;
      const packet = `42${event('eio3')}`;
      const at = `${tab.url}/socket.io/`;
      const stolen = await within(tab.page.evaluate(attack, {
        scripts: [
          `${at}?EIO=3&transport=polling&j=0`,
          `${at}?EIO=3&transport=polling&j=0&sid=${eio3}`,
          `${at}1/?jsonp=0`,
          `${at}1/jsonp-polling/${v09}?i=0`,
        ],
        forms: [
          [`${at}?EIO=3&transport=polling&j=0&sid=${eio3}`, `${packet.length}:${packet}`],
          [`${at}1/jsonp-polling/${v09}?i=0`, JSON.stringify(
            `5:::{"name":"stolen","args":${event('v09').replace('"stolen",', '')}}`)],
        ],
      }), 20000, 'the end of the attack');
      const after = await metric(router, 'origins_refused_total');
      const forwarded = () => site.events.items.filter((x) => x.json.event === 'stolen'
        && x.json.args[0] === name).map((x) => x.json.args[1]);
      if (admitted) {
        assert.equal(stolen.length, 4);
        assert.equal(after, refused);
        await site.events.take(2, (x) => x.json.args[0] === name);
        assert.deepEqual(forwarded(), ['eio3', 'v09']);
      } else {
        assert.deepEqual(stolen, []);
        assert.equal(after, refused + 6);
        assert.deepEqual(forwarded(), []);
        // Nothing was lost either: the user's own page gets its packets.
        const { body } = await send(router.public.port, 'GET',
          `/socket.io/1/xhr-polling/${v09}`, { headers: { Origin: pages.url } });
        assert.equal(body, '1::');
      }
      await tab.context.close();
    });

  for (const generation of ['2.5', '1.7'])
    test(`client ${generation} does not connect without a referrer`, async () => {
      const tab = await Tab.open(browser,
        { generation, pages, router, session: fresh('fred'), policy: 'no-referrer' });
      await tab.join('/', { ...jsonp.options, reconnection: false }, events);
      await tab.next('/', 'connect_error');
      assert.deepEqual(tab.heard('/', 'connect'), []);
      await tab.context.close();
      unharmed(tab);
    });
});
