// What every client of every language must be able to do with the router.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { slow, until } from '../../integration/support/deadline.mjs';
import { call, deliver, user } from '../../integration/support/ingest.mjs';
import { startRouter } from '../../integration/support/router.mjs';
import { startSite } from '../../integration/support/site.mjs';
import { endAll, events, Program } from './program.mjs';

const ways = ['websocket', 'polling', 'upgrade'];
const unicode = 'e\u0301 ß 日本 \u{1F600} \u{1D538} \u{10FFFF} \u2028 "\\/ \u0001';
const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => i % 256));
const hi = events.at(-1);
// Often enough to wait for, with time for a busy machine.
const heartbeats = {
  engine: { 'ping-interval': `${500 * slow}ms`, 'ping-timeout': `${1500 * slow}ms` },
};

// Ends every poll after a moment, by an event without a listener.
function nudging(router) {
  const nudge = ['/', '/custom'].map((namespace) =>
    ({ namespace, type: 'x', to: 'all', event: 'nudge', args: [] }));
  const timer = setInterval(() => deliver(router, nudge).catch(() => {}), 50);
  for (const how of ['stop', 'kill']) {
    const end = router[how];
    router[how] = () => {
      clearInterval(timer);
      return end();
    };
  }
  return router;
}

// Defines the tests of one client:
//   name       title of the tests
//   command    words that start the program
//   library    what it must call itself, with its version
//   dialect    what the router must take it for
//   refusal    what it makes of `unauthorized`, if that is not the word itself
//   staysAway  transports over which it does not come back from a clean stop
//   blind      it overlooks a WebSocket's close, and only misses the heartbeat
//   waits      it sends over polling only when a poll has ended
//   trips      its upgrade may fail by a race of its own
export function testClient({ name, command, library, dialect, refusal = /unauthorized/,
  staysAway = [], blind = false, waits = false, trips = false }) {
  let site;
  let router;
  let users = 0;

  before(async () => {
    site = await startSite();
  });

  after(() => site?.close());

  // Starts a router for the way.
  async function begin(way, changes = {}) {
    const made = await startRouter({ site, changes });
    return waits && way === 'polling' ? nudging(made) : made;
  }

  function start(way, { at = router, session, namespace = '/' }) {
    const client = new Program(command, {
      CLIENT_URL: at.publicUrl,
      CLIENT_COOKIE: `session=${session}`,
      CLIENT_NAMESPACE: namespace,
      CLIENT_TRANSPORT: way,
    });
    client.user = session;
    return client;
  }

  // What the router knows of the user's connection in the namespace.
  async function record(client, { at = router, namespace = '/' } = {}) {
    const { connections } = await user(at, client.user);
    return connections.filter((x) => x.namespace === namespace);
  }

  // Starts the program as a new user and waits until it is connected, and
  // upgraded where it should.
  async function open(way, options = {}) {
    for (let tries = trips ? 3 : 1; ; --tries) {
      const client = start(way, { session: `user-${++users}`, ...options });
      await client.hears('connected');
      try {
        await settled(client, way, options);
        return client;
      } catch (error) {
        await client.end();
        if (tries === 1)
          throw error;
      }
    }
  }

  function settled(client, way, options) {
    const transport = way === 'polling' ? 'polling' : 'websocket';
    return until(async () => {
      const found = await record(client, options);
      return found.length === 1 && found[0].transport === transport;
    }, 10000, `one connection over ${transport}`);
  }

  const letter = (to, text) => ({ type: 'letter', payload: { to, text } });

  for (const way of ways)
    describe(`${name}, ${way}`, () => {
      before(async () => {
        router = await begin(way);
      });

      afterEach(endAll);

      after(() => router?.stop());

      test('the cookie says who it is', async (t) => {
        const client = await open(way);
        const started = await client.hears('started');
        t.diagnostic(started.library);
        assert.equal(started.library, library);
        const [found] = await record(client);
        assert.equal(found.dialect, dialect);
        assert.ok(site.asked.items.some(
          (x) => x.headers.cookie === `session=${client.user}`));
      });

      test('a cookie that the site does not know is refused', async () => {
        site.users.set('stranger', { ok: false });
        const client = start(way, { session: 'stranger' });
        await client.hears('refused', { where: (x) => refusal.test(JSON.stringify(x.args)) });
        assert.ok(!client.said.items.some((x) => x.event === 'connected'));
      });

      test('private and broadcast', async () => {
        const [client, other] = await Promise.all([open(way), open(way)]);
        const answer = await deliver(router, letter(client.user, 'secret'));
        assert.equal(answer.online, 1);
        const payload = { text: 'to all', n: [1, 2.5, true, null, { deep: [] }] };
        await deliver(router, { type: 'announcement', payload });
        assert.deepEqual(await client.receives('letter'),
          [{ to: client.user, text: 'secret' }]);
        assert.deepEqual(await client.receives('announcement'), [payload]);
        assert.deepEqual(await other.receives('announcement'), [payload]);
        assert.deepEqual(other.received('letter'), []);
      });

      test('the site acks the client', async () => {
        const client = await open(way);
        assert.deepEqual(await client.asks('hello', 1, 'two', { three: [] }),
          ['hello', 1, 'two', { three: [] }]);
        const { json } = await site.events.find((x) => x.json.user === client.user);
        assert.deepEqual(json.args, [1, 'two', { three: [] }]);
      });

      test('the client acks the site', async () => {
        const client = await open(way);
        const answer = await deliver(router, {
          type: 'question', payload: 'really?', to: { users: [client.user] },
          confirm: { deadline_ms: 5000 },
        });
        assert.deepEqual(answer.confirmed, { [client.user]: 'delivered' });
        assert.deepEqual(await client.receives('question'), ['really?']);
      });

      test('text beyond ASCII, both ways', async () => {
        const client = await open(way);
        await deliver(router, { type: 'x', to: { users: [client.user] }, event: hi,
          args: [unicode, { [unicode]: unicode }] });
        assert.deepEqual(await client.receives(hi), [unicode, { [unicode]: unicode }]);
        assert.deepEqual(await client.asks(hi, unicode), [hi, unicode]);
        const { json } = await site.events.find((x) => x.json.user === client.user);
        assert.deepEqual([json.event, json.args], [hi, [unicode]]);
      });

      test('binary, both ways', async () => {
        const client = await open(way);
        const $base64 = bytes.toString('base64');
        const args = [{ $base64 }, { deep: [1, { $base64: '/w==' }] }, 'é'];
        await deliver(router,
          { type: 'x', to: { users: [client.user] }, event: 'blob', args });
        assert.deepEqual(await client.receives('blob'), args);
        assert.deepEqual(await client.asks('blob', ...args), ['blob', ...args]);
        const { json } = await site.events.find((x) => x.json.user === client.user);
        assert.deepEqual(json.args, args);
      });

      test('another namespace', async () => {
        const namespace = '/custom';
        const client = await open(way, { namespace });
        await deliver(router, { namespace: '/', ...letter(client.user, 'elsewhere') });
        await deliver(router, { namespace, ...letter(client.user, 'here') });
        await deliver(router, { namespace, type: 'announcement', payload: 'all' });
        assert.deepEqual(await client.receives('announcement'), ['all']);
        assert.equal((await client.receives('letter'))[0].text, 'here');
        assert.equal(client.received('letter').length, 1);
        assert.deepEqual(await client.asks('hello', 'é'), ['hello', 'é']);
        const { json } = await site.events.find((x) => x.json.user === client.user);
        assert.equal(json.namespace, namespace);
        const answer = await deliver(router, {
          namespace, type: 'question', payload: 1, to: { users: [client.user] },
          confirm: { deadline_ms: 5000 },
        });
        assert.deepEqual(answer.confirmed, { [client.user]: 'delivered' });
      });

      test('the site throws it out', async () => {
        const client = await open(way);
        await call(router, `/api/v1/users/${client.user}/disconnect`, { json: {} });
        await client.hears('disconnected');
      });

      test('its own close is seen', async () => {
        const client = await open(way);
        client.close();
        await until(async () => (await record(client)).length === 0, 5000,
          'the end of the connection');
      });

      test('heartbeats keep it', async () => {
        const quick = await begin(way, heartbeats);
        try {
          const client = await open(way, { at: quick });
          const [{ id }] = await record(client, { at: quick });
          // Longer than any connection lives without them.
          await new Promise((resolve) => setTimeout(resolve, 2500 * slow));
          assert.deepEqual((await record(client, { at: quick })).map((x) => x.id), [id]);
          await deliver(quick, letter(client.user, 'still there'));
          await client.receives('letter');
          await client.end();
        } finally {
          await quick.stop();
        }
      });

      for (const how of ['stop', 'kill']) {
        if (how === 'stop' && staysAway.includes(way))
          continue;
        test(`it comes back after the router's ${how}`, async () => {
          const changes = blind ? heartbeats : {};
          let ours = await begin(way, changes);
          const at = Object.fromEntries(['public', 'ingest', 'operations']
            .map((x) => [x, `${ours[x].host}:${ours[x].port}`]));
          try {
            const client = await open(way, { at: ours });
            await deliver(ours, letter(client.user, 'before'));
            await client.receives('letter', (x) => x.text === 'before');
            await ours[how]();
            ours = undefined;
            await client.hears('disconnected');
            ours = await begin(way, { ...changes, listen: at });
            await client.hears('connected', { count: 2 });
            if (!trips)
              await settled(client, way, { at: ours });
            await deliver(ours, letter(client.user, 'after'));
            await client.receives('letter', (x) => x.text === 'after');
            assert.deepEqual(await client.asks('hello', 'again'), ['hello', 'again']);
            await client.end();
          } finally {
            await ours?.stop();
          }
        });
      }
    });
}
