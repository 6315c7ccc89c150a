// Every official client over every transport in two namespaces, each with
// everything that can go wrong on the way.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { ask, closeAll, connect, next, transport, upgraded, versions, ways }
  from './support/clients.mjs';
import { deliver } from './support/ingest.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

let site;
let router;
let users = 0;

before(async () => {
  site = await startSite();
  router = await startRouter({ site });
});

after(async () => {
  closeAll();
  await router?.stop();
  await site?.close();
});

afterEach(closeAll);

const unicode = 'e\u0301 ß 日本 \u{1F600} \u{1D538} \u{10FFFF} \u2028 "\\/ \u0001';
const large = 'abcdefghi\u{1F600}'.repeat(8192).slice(0, 102400);

for (const version of Object.keys(versions))
  for (const way of Object.keys(ways))
    for (const namespace of ['/', '/custom'])
      describe(`client ${version}, ${way}, namespace ${namespace}`, () => {
        // A new user each time: nothing of an earlier test can reach it.
        async function open(more = {}) {
          const session = `user-${++users}`;
          const tab = await connect(router.publicUrl,
            { version, way, namespace, session, ...more });
          tab.user = session;
          return tab;
        }

        const to = (tab, event, ...args) => deliver(router,
          { namespace, type: event, to: { users: [tab.user] }, event, args });

        test('the transport is the one that was asked for', async () => {
          const tab = await open();
          assert.equal(transport(tab), way === 'polling' ? 'polling' : 'websocket');
        });

        test('broadcast', async () => {
          const tabs = [await open(), await open()];
          const payload = { text: 'to all', n: ++users };
          await deliver(router, { namespace, type: 'announcement', payload });
          for (const tab of tabs)
            assert.deepEqual(await next(tab, 'announcement'), [payload]);
        });

        test('private', async () => {
          const tab = await open();
          const other = await open();
          await deliver(router, { namespace, type: 'letter',
            payload: { to: tab.user, text: 'secret' } });
          await deliver(router, { namespace, type: 'announcement', payload: 'end' });
          await next(tab, 'announcement');
          await next(other, 'announcement');
          assert.deepEqual(tab.received.items.map((x) => x.event),
            ['letter', 'announcement']);
          assert.deepEqual(other.received.items.map((x) => x.event),
            ['announcement']);
        });

        test('the site acks the browser', async () => {
          const tab = await open();
          assert.deepEqual(await ask(tab, 'question', 1, 'two', { three: [] }),
            ['question', 1, 'two', { three: [] }]);
          assert.deepEqual(await ask(tab, 'empty'), ['empty']);
          const { json } = await site.events.find(
            (x) => (x.json.user?.user_id ?? x.json.user) === tab.user);
          assert.equal(json.namespace, namespace);
        });

        test('the browser acks the site', async () => {
          const tab = await open();
          tab.on('letter', (payload, ack) => ack({ read: payload.text }));
          const answer = await deliver(router, {
            namespace, type: 'letter', payload: { to: tab.user, text: 'x' },
            confirm: { deadline_ms: 10000 },
          });
          assert.deepEqual(answer.confirmed, { [tab.user]: 'delivered' });
        });

        test('binary to the browser', async () => {
          const tab = await open();
          const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => i % 256));
          const $base64 = bytes.toString('base64');
          await to(tab, 'blob', { $base64 }, { deep: [1, { $base64: '/w==' }] }, 'end');
          const [first, second, third] = await next(tab, 'blob');
          assert.ok(Buffer.from(first).equals(bytes));
          assert.deepEqual([...second.deep[1]], [255]);
          assert.equal(third, 'end');
        });

        test('binary to the site', async () => {
          const tab = await open();
          site.onEvent = ({ args }) => ({ ack: [Object.keys(args[0].deep[0])] });
          try {
            const answer = await ask(tab, 'blob',
              { deep: [Buffer.from([0, 1, 254, 255])] }, Buffer.from('é'));
            assert.deepEqual(answer, [['$base64']]);
          } finally {
            site.onEvent = ({ event, args }) => ({ ack: [event, ...args] });
          }
          const { json } = await site.events.find(
            (x) => (x.json.user?.user_id ?? x.json.user) === tab.user);
          assert.deepEqual(json.args,
            [{ deep: [{ $base64: 'AAH+/w==' }] }, { $base64: 'w6k=' }]);
        });

        test('astral unicode both ways', async () => {
          const tab = await open();
          const name = 'tag \u{1F600}';
          await to(tab, name, unicode, { [unicode]: unicode });
          assert.deepEqual(await next(tab, name), [unicode, { [unicode]: unicode }]);
          assert.deepEqual(await ask(tab, 'echo', unicode), ['echo', unicode]);
        });

        test('100 KB both ways', async () => {
          const tab = await open();
          await to(tab, 'large', large);
          assert.ok((await next(tab, 'large'))[0] === large);
          site.onEvent = ({ args }) => ({ ack: [args[0].length, args[0] === large] });
          try {
            assert.deepEqual(await ask(tab, 'large', large), [large.length, true]);
          } finally {
            site.onEvent = ({ event, args }) => ({ ack: [event, ...args] });
          }
        });

        test('1,000 events in order, across the upgrade', async () => {
          const tab = await open({ await: 'connect' });
          for (let first = 0; first < 1000; first += 50)
            await deliver(router, Array.from({ length: 50 }, (_, i) => ({
              namespace, type: 'count', to: { users: [tab.user] }, event: 'count',
              args: [first + i],
            })));
          if (way === 'upgrade')
            await upgraded(tab);
          const seen = await tab.received.take(1000, (x) => x.event === 'count',
            20000, '1,000 events');
          assert.deepEqual(seen.map((x) => x.args[0]),
            Array.from({ length: 1000 }, (_, i) => i));
        });
      });
