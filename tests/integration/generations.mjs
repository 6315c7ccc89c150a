// Every generation of the official clients, unmodified, over every transport it
// has. By default each connects in every way, and each two of client, way,
// namespace and case meet once; with SIGNALBOX_FULL all of them do. Where a client
// itself cannot do a thing, its case says so.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { until } from './support/deadline.mjs';
import { closeAll, connect, open, pairwise, versions } from './support/generations.mjs';
import { call, deliver, user } from './support/ingest.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

let site;
let router;
let users = 0;

before(async () => {
  site = await startSite();
  router = await startRouter({ site, changes: { namespaces: ['/', '/custom', '/second',
    '/third'].map((name) => ({ name, 'on-client-event': 'forward' })) } });
});

after(async () => {
  closeAll();
  await router?.stop();
  await site?.close();
});

afterEach(() => {
  closeAll();
  site.mode = 'answer';
  site.onEvent = ({ event, args }) => ({ ack: [event, ...args] });
});

const scripts = {
  Latin: 'Grüße, façade, ÿ, Ŋ, Tiếng Việt, ﬁ',
  Greek: 'Ξεσκεπάζω την ψυχοφθόρα βδελυγμία',
  Cyrillic: 'Съешь ещё этих мягких французских булок',
  Arabic: 'السَّلَامُ عَلَيْكُم ١٢٣',
  Hebrew: 'שָׁלוֹם עוֹלָם',
  Devanagari: 'नमस्ते दुनिया क्ष',
  Thai: 'สวัสดีชาวโลก',
  CJK: '你好,世界 日本語 かなカナ 漢\u{20000}',
  Hangul: '안녕하세요 \u1112\u1161\u11ab',
  combining: 'e\u0301 n\u0303 Z\u0351\u036b\u0343',
  emoji: '👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽 😀',
  astral: '\u{1D538} \u{10000} \u{10FFFD} \u{10FFFF}',
  separators: '\u2028 \u2029 \u00a0 \u200b \u202e \ufeff',
  quotes: '" \' ` \\ \\" \\\\ / </script> \\u0041',
  control: Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join('')
    + '\u007f\u0080\u009f',
  framing: '42["a"] 5:::{} 1:2 \ufffd3\ufffd8:: \u001e , : +',
  halves: '\ud83d and \ude00',
};
const large = 'abcdefghi\u{1F600}'.repeat(10000).slice(0, 102400);
const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => i % 256));

// Each takes the place where it is tested: { version, dialect, way, namespace }.
const cases = {
  'connect': async (at) => {
    const tab = await at.connect();
    assert.equal(tab.transport(), at.way === 'upgrade' ? 'websocket' : at.way);
    assert.equal((await at.known(tab)).dialect, at.dialect);
  },

  'broadcast': async (at) => {
    const tabs = [await at.connect(), await at.connect()];
    const payload = { text: 'to all', n: ++users };
    await at.deliver({ type: 'announcement', payload });
    for (const tab of tabs)
      assert.deepEqual(await tab.next('announcement'), [payload]);
  },

  'private by cookie': async (at) => {
    const tab = await at.connect();
    const second = await at.connect({ session: tab.user });
    const other = await at.connect();
    await at.deliver({ type: 'letter', payload: { to: tab.user, text: 'secret' } });
    await at.deliver({ type: 'announcement', payload: 'end' });
    for (const each of [tab, second, other])
      await each.next('announcement');
    const events = (x) => x.received.items.map((y) => y.event);
    assert.deepEqual(events(tab), ['letter', 'announcement']);
    assert.deepEqual(events(second), ['letter', 'announcement']);
    assert.deepEqual(events(other), ['announcement']);
  },

  'a refused cookie': async (at) => {
    site.users.set('refused', { ok: false });
    const tab = await at.open({ session: 'refused' });
    const { event, value } = await tab.refused();
    assert.deepEqual([event, value?.message ?? value], {
      eio4: ['connect_error', 'unauthorized'],
      eio3: ['error', 'unauthorized'],
      v09: ['error', 'handshake unauthorized'],
    }[at.dialect]);
    assert.equal(value?.data, undefined);
  },

  'a site that is unavailable for a while': async (at) => {
    site.mode = 'error';
    const tab = await at.open({ reconnect: true });
    const { event, value } = await tab.life.find((x) => x.event !== 'connect');
    assert.deepEqual([event, value.message ?? value, value.data], {
      eio4: ['connect_error', 'unavailable', { retry: true }],
      eio3: ['error', 'unavailable', { retry: true }],
      v09: ['error', 'handshake error', undefined],
    }[at.dialect]);
    site.mode = 'answer';
    tab.again();
    await until(async () => (await user(router, tab.user)).connections
      .some((x) => x.namespace === at.namespace), 10000, 'the connection');
    await at.deliver({ type: 'announcement', payload: 'well again' });
    assert.deepEqual(await tab.next('announcement'), ['well again']);
    assert.deepEqual(await tab.ask('question'), ['question']);
  },

  'another namespace on the same connection': async (at) => {
    const tab = await at.connect();
    const second = tab.join('/second');
    await second.connected();
    await deliver(router,
      { namespace: '/second', type: 'announcement', payload: 'there' });
    assert.deepEqual(await second.next('announcement'), ['there']);
    site.mode = 'deny';
    const { event, value } = await tab.join('/third').refused();
    assert.deepEqual([event, value?.message ?? value], {
      eio4: ['connect_error', 'unauthorized'],
      eio3: ['error', 'unauthorized'],
      v09: ['connect_failed', 'unauthorized'],
    }[at.dialect]);
    await at.deliver({ type: 'announcement', payload: 'here' });
    assert.deepEqual(await tab.next('announcement'), ['here']);
    assert.equal(second.received.items.length, 1);
  },

  'the site acks the browser': async (at) => {
    const tab = await at.connect();
    assert.deepEqual(await tab.ask('question', 1, 'two', { three: [] }, null),
      ['question', 1, 'two', { three: [] }, null]);
    assert.deepEqual(await tab.ask('empty'), ['empty']);
    site.onEvent = () => ({ ack: [] });
    assert.deepEqual(await tab.ask('nothing'), []);
    assert.equal((await at.told(tab, 'question')).namespace, at.namespace);
  },

  'the browser acks the site': async (at) => {
    const tab = await at.connect();
    tab.socket.on('letter', (payload, ack) => ack({ read: payload.text }));
    const answer = await at.deliver({
      type: 'letter', payload: { to: [tab.user, 'nobody'], text: 'x' },
      confirm: { deadline_ms: 10000 },
    });
    assert.deepEqual(answer.confirmed, { [tab.user]: 'delivered', nobody: 'offline' });
  },

  'many scripts to the browser': async (at) => {
    const tab = await at.connect();
    for (const [script, text] of Object.entries(scripts)) {
      // A name with half a character is not kept as it is.
      const name = script === 'halves' ? script : text;
      tab.listen(name);
      await at.to(tab, name, text, { [text]: [text] });
      assert.deepEqual(await tab.next(name), [text, { [text]: [text] }], script);
    }
  },

  'many scripts to the site': async (at) => {
    const tab = await at.connect();
    for (const [script, text] of Object.entries(scripts)) {
      const answer = await tab.ask(text, text, { [text]: [text] });
      // 0.9 reads the arguments of an ack with `.*`, which stops at U+2028: the
      // router has to escape it.
      assert.deepEqual(answer, [text, text, { [text]: [text] }], script);
      const { args } = await at.told(tab, text);
      assert.deepEqual(args, [text, { [text]: [text] }], script);
    }
  },

  // Over polling 1.x encodes text to UTF-8 twice, and reads it so. The router
  // tells such text by its bytes, as nothing else tells 1.x from 2.x; what a user
  // of 2.x types to look like that is taken for it.
  'text that looks encoded twice': async (at) => {
    const tab = await at.connect({ watched: true });
    const twice = at.version.startsWith('1.');
    assert.deepEqual(await tab.ask('question', 'é'), ['question', 'é']);
    assert.equal(tab.proxy.sent.includes('"\xc3\x83\xc2\xa9"'), twice);
    assert.deepEqual(await tab.ask('question', 'Ã©'),
      ['question', at.version.startsWith('2.') ? 'é' : 'Ã©']);
    // Any letter beyond Latin-1 in the same event clears it up.
    assert.deepEqual(await tab.ask('question', 'Ã©', '€'),
      ['question', 'Ã©', '€']);
    await at.to(tab, 'letter', 'Ã©');
    assert.deepEqual(await tab.next('letter'), ['Ã©']);
  },

  '100 KB both ways': async (at) => {
    const tab = await at.connect();
    await at.to(tab, 'large', large);
    assert.ok((await tab.next('large'))[0] === large);
    site.onEvent = ({ args }) => ({ ack: [args[0] === large] });
    assert.deepEqual(await tab.ask('large', large), [true]);
  },

  'binary to the browser': async (at) => {
    const tab = await at.connect();
    const $base64 = bytes.toString('base64');
    const deep = [1, { $base64: '/w==' }];
    await at.to(tab, 'blob', { $base64 }, { deep }, 'end');
    const [first, second, third] = await tab.next('blob');
    assert.equal(third, 'end');
    // There is no binary in 0.9: the page gets what the site wrote.
    if (at.dialect === 'v09') {
      assert.deepEqual([first, second], [{ $base64 }, { deep }]);
      return;
    }
    assert.ok(Buffer.from(first).equals(bytes));
    assert.deepEqual([...new Uint8Array(second.deep[1])], [255]);
  },

  'binary to the site': async (at) => {
    const tab = await at.connect();
    site.onEvent = () => ({ ack: ['ok', { $base64: 'AAH+/w==' }] });
    const [ok, back] = await tab.ask('blob',
      { deep: [Buffer.from([0, 1, 254, 255])] }, Buffer.from('é'));
    assert.equal(ok, 'ok');
    const { args } = await at.told(tab, 'blob');
    // Clients of 0.9 know JSON only.
    if (at.dialect === 'v09') {
      assert.deepEqual(args, [{ deep: [{ type: 'Buffer', data: [0, 1, 254, 255] }] },
        { type: 'Buffer', data: [195, 169] }]);
      assert.deepEqual(back, { $base64: 'AAH+/w==' });
      return;
    }
    assert.deepEqual(args,
      [{ deep: [{ $base64: 'AAH+/w==' }] }, { $base64: 'w6k=' }]);
    assert.deepEqual([...new Uint8Array(back)], [0, 1, 254, 255]);
  },

  '1,000 events in order': async (at) => {
    const tab = await at.connect();
    await at.count(tab, 0, 1000);
    await at.counted(tab);
  },

  '1,000 events in order, across a slow upgrade': async (at) => {
    const tab = await at.connect({ hold: 'upgrade' });
    // The client waits for the answer to its upgrade request,
    await at.count(tab, 0, 200);
    await tab.proxy.pass();
    await tab.proxy.pass();
    // for the answer to its probe,
    await at.count(tab, 200, 200);
    await tab.next('count', (n) => n === 399);
    await tab.proxy.pass();
    // and polls no more, of which the router knows nothing yet.
    await tab.upgraded();
    await at.count(tab, 400, 200);
    await tab.proxy.pass();
    tab.proxy.release();
    await at.count(tab, 600, 400);
    const over = (await at.counted(tab)).map((x) => x.over);
    assert.deepEqual(over, Array.from({ length: 1000 },
      (_, n) => n < 400 ? 'polling' : 'websocket'));
  },

  'the router is started again': async (at) => {
    await at.restart();
  },

  // A client of 0.9 that is told to come again meanwhile cannot take its leave at
  // once: it would do so from the next router.
  'the router is started again amid a POST': async (at) => {
    await at.restart({ watched: true }, async (tab) => {
      tab.proxy.hold = 'post';
      tab.socket.emit('question');
      await tab.proxy.holding();
    });
  },

  'the site throws a user out': async (at) => {
    const tab = await at.connect({ reconnect: true });
    // Amid the upgrade is another case.
    if (at.way === 'upgrade')
      await at.known(tab);
    await at.throwOut(tab);
  },

  'the site throws a user out amid the upgrade': async (at) => {
    const tab = await at.connect({ reconnect: true, hold: 'upgrade' });
    for (let turn = 0; turn < 3; ++turn)
      await tab.proxy.pass();
    // The client has left polling; the router is yet to hear so.
    await tab.upgraded();
    await at.throwOut(tab, async () => {
      await tab.proxy.pass();
      tab.proxy.release();
    });
  },
};

// Some happen over these ways only.
const onlyOver = {
  'text that looks encoded twice': ['polling', 'xhr-polling'],
  '1,000 events in order': ['websocket', 'polling', 'xhr-polling'],
  'the router is started again amid a POST': ['xhr-polling'],
  '1,000 events in order, across a slow upgrade': ['upgrade'],
  'the site throws a user out amid the upgrade': ['upgrade'],
};

const rows = Object.keys(versions).flatMap((version) =>
  Object.keys(versions[version].ways).flatMap((way) =>
    ['/', '/custom'].flatMap((namespace) =>
      Object.keys(cases).filter((name) => onlyOver[name]?.includes(way) ?? true)
        .map((name) => [version, way, namespace, name]))));
const chosen = process.env.SIGNALBOX_FULL ? rows
  : pairwise(rows, (x) => x[3] === 'connect');

for (const [version, { dialect, ways }] of Object.entries(versions))
  for (const way of Object.keys(ways))
    describe(`client ${version} over ${way}`, () => {
      for (const [, , namespace, name] of
        chosen.filter((x) => x[0] === version && x[1] === way))
        test(`${name}, namespace ${namespace}`, () =>
          cases[name](place({ version, dialect, way, namespace })));
    });

// The place with what is done there.
function place(at) {
  // A new user each time: nothing of an earlier test can reach it.
  const start = (how) => async ({ on = router, ...more } = {}) => {
    const session = more.session ?? `user-${++users}`;
    const { version, way, namespace } = at;
    const tab = await how(on, { version, way, namespace, session, ...more });
    tab.user = session;
    return tab;
  };
  const post = (events) => deliver(router,
    events.map((x) => ({ namespace: at.namespace, ...x })));
  const eventTo = (tab, event, ...args) =>
    ({ type: event, event, args, to: { users: [tab.user] } });
  return {
    ...at,
    open: start(open),
    connect: start(connect),
    deliver: async (event) => (await post([event]))[0],
    to: (tab, ...event) => post([eventTo(tab, ...event)]),

    // Posts so many numbered events.
    async count(tab, first, count) {
      const all = Array.from({ length: count },
        (_, i) => eventTo(tab, 'count', first + i));
      while (all.length > 0)
        await post(all.splice(0, 25));
    },

    // Resolves to all of them, which must have come in order.
    async counted(tab) {
      const seen = await tab.received.take(1000, (x) => x.event === 'count',
        20000, '1,000 events');
      assert.deepEqual(seen.map((x) => x.args[0]),
        Array.from({ length: 1000 }, (_, n) => n));
      return seen;
    },

    // Resolves to what the site was told of an event of the tab.
    async told(tab, event) {
      const { json } = await site.events.find((x) => x.json.event === event
        && (x.json.user?.user_id ?? x.json.user) === tab.user);
      return json;
    },

    // Resolves to the connection in the record of the user. An upgrade is told to
    // the record by a message of its own.
    known: (tab) => until(async () => (await user(router, tab.user)).connections.find(
      (x) => x.namespace === at.namespace && x.transport === tab.transport()),
    5000, 'the connection in the record'),

    // Stops a router and starts it again at the same port.
    async restart(options, before = () => {}) {
      let mine = await startRouter({ site });
      const { host, port } = mine.public;
      try {
        const tab = await this.connect({ on: mine, reconnect: true, ...options });
        await before(tab);
        await Promise.all([mine.stop(),
          tab.disconnected().then(() => tab.proxy?.release())]);
        mine = undefined;
        assert.equal(tab.returning, true);
        mine = await startRouter({ site,
          changes: { listen: { public: `${host}:${port}` } } });
        await tab.connected(2);
        if (at.way === 'upgrade')
          await tab.upgraded();
        await deliver(mine, { namespace: at.namespace, type: 'letter',
          payload: { to: tab.user, text: 'back' } });
        assert.equal((await tab.next('letter'))[0].text, 'back');
        assert.deepEqual(await tab.ask('question', 1), ['question', 1]);
      } finally {
        closeAll();
        await mine?.stop();
      }
    },

    async throwOut(tab, then = () => {}) {
      const { body } = await call(router, `/api/v1/users/${tab.user}/disconnect`);
      assert.equal(body.ok, true);
      // Clients before 3.0 are in "/" as well, whatever they want.
      const also = at.namespace !== '/' && at.dialect !== 'eio4';
      assert.equal(body.connections, also ? 2 : 1);
      await then();
      assert.equal(await tab.disconnected(),
        at.dialect === 'v09' ? 'booted' : 'io server disconnect');
      // None of them comes back.
      assert.equal(tab.returning, false);
      assert.deepEqual((await user(router, tab.user)).connections, []);
    },
  };
}
