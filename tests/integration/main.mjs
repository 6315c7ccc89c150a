// From cookie to event: browsers let in, receivers of events, and the answers to
// the site when something is wrong.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { ask, closeAll, connect, disconnected, next, refused, socket, transport }
  from './support/clients.mjs';
import { until, within } from './support/deadline.mjs';
import { call, deliver, post, user } from './support/ingest.mjs';
import { plainKey, siteKey, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

let site;
let router;

before(async () => {
  site = await startSite();
  router = await startRouter({ site });
});

after(async () => {
  closeAll();
  await router?.stop();
  await site?.close();
});

afterEach(() => {
  closeAll();
  Object.assign(site, {
    mode: 'answer',
    eventMode: 'answer',
    onEvent: ({ event, args }) => ({ ack: [event, ...args] }),
  });
  site.users.clear();
});

const letter = (to, text) => ({ type: 'letter', payload: { to, text } });

// An announcement that all pages receive after earlier events: a page that
// holds it would also hold anything meant for its user.
let fences = 0;
async function fence(sockets, namespace = '/') {
  const mark = `fence ${++fences}`;
  await deliver(router, { namespace, type: 'announcement', payload: mark });
  await Promise.all(sockets.map((x) => next(x, 'announcement', (y) => y === mark)));
}

const letters = (x) => x.received.items.filter((y) => y.event === 'letter')
  .map((y) => y.args[0].text);

// Two tabs each of two users, over both transports and an upgrade.
async function tabs() {
  const [anna1, anna2, anna3, ben1, ben2] = await Promise.all([
    connect(router.publicUrl, { session: 'anna', way: 'websocket' }),
    connect(router.publicUrl, { session: 'anna', way: 'polling' }),
    connect(router.publicUrl, { session: 'anna', way: 'upgrade', version: '3.1' }),
    connect(router.publicUrl, { session: 'ben', way: 'websocket' }),
    connect(router.publicUrl, { session: 'ben', way: 'polling' }),
  ]);
  return { anna: [anna1, anna2, anna3], ben: [ben1, ben2] };
}

describe('who a browser is', () => {
  test('the site is asked with the cookies of the handshake', async () => {
    for (const way of ['websocket', 'polling']) {
      await connect(router.publicUrl, {
        session: `cookie-${way}`, way, auth: { tab: 'é' },
        headers: { 'X-Not-Listed': 'secret' },
      });
      const asked = await site.asked.find(
        (x) => x.headers.cookie === `session=cookie-${way}`);
      assert.equal(asked.method, 'GET');
      assert.equal(asked.headers['x-signalbox-namespace'], '/');
      assert.match(asked.headers['x-signalbox-auth'], /^[\x20-\x7e]+$/);
      assert.deepEqual(JSON.parse(asked.headers['x-signalbox-auth']), { tab: 'é' });
      assert.equal(asked.headers['x-not-listed'], undefined);
    }
  });

  test('its answer names the user, as text, number or `id`', async () => {
    site.users.set('t1', { user_id: 'carla' });
    site.users.set('t2', { user_id: 4711, info: { name: 'Four' } });
    site.users.set('t3', { id: 'dora' });
    for (const [token, id] of [['t1', 'carla'], ['t2', '4711'], ['t3', 'dora']]) {
      const tab = await connect(router.publicUrl, { session: token });
      const record = await user(router, id);
      assert.equal(record.online, true);
      assert.equal(record.connections.length, 1);
      assert.equal(record.connections[0].namespace, '/');
      assert.equal(record.connections[0].transport, 'websocket');
      await deliver(router, letter(id, 'hello'));
      assert.equal((await next(tab, 'letter'))[0].text, 'hello');
    }
  });

  test('a user whom nobody knows is offline', async () => {
    const record = await user(router, 'nobody');
    assert.equal(record.online, false);
    assert.deepEqual(record.connections, []);
  });

  for (const mode of ['deny', 'forbid', 'not-ok'])
    test(`the site's ${mode} refuses the connection as unauthorized`, async () => {
      site.mode = mode;
      for (const version of ['4.8', '3.1']) {
        const error = await refused(socket(router.publicUrl,
          { session: 'anna', version }));
        assert.equal(error.message, 'unauthorized');
        assert.equal(error.data?.retry, undefined);
      }
    });

  for (const mode of ['error', 'missing', 'redirect', 'html', 'garbage', 'huge',
    'reset', 'hang'])
    test(`a site that answers ${mode} is unavailable, and asks to retry`, async () => {
      site.mode = mode;
      const error = await refused(socket(router.publicUrl, { session: 'anna' }));
      assert.equal(error.message, 'unavailable');
      assert.deepEqual(error.data, { retry: true });
    });

  test('after a refusal the same socket may ask again', async () => {
    site.mode = 'error';
    const tab = socket(router.publicUrl, { session: 'anna' });
    await refused(tab);
    site.mode = 'answer';
    tab.connect();
    await within(new Promise((resolve) => tab.once('connect', resolve)), 10000,
      'connect');
  });

  test('an anonymous namespace takes browsers without a cookie', async () => {
    const guest = await connect(router.publicUrl, { namespace: '/news' });
    await fence([guest], '/news');
    const error = await refused(socket(router.publicUrl));
    assert.equal(error.message, 'unauthorized');
  });

  test('an unknown namespace is refused as the official server does', async () => {
    const error = await refused(socket(router.publicUrl,
      { namespace: '/nowhere', session: 'anna' }));
    assert.equal(error.message, 'Invalid namespace');
  });
});

describe('what reaches whom', () => {
  test('a private event reaches all tabs of the user and nobody else', async () => {
    const { anna, ben } = await tabs();
    assert.deepEqual(anna.map(transport), ['websocket', 'polling', 'websocket']);
    const guest = await connect(router.publicUrl, { namespace: '/news' });
    const answer = await deliver(router, letter('anna', 'for anna'));
    assert.ok(answer.online >= 1);
    await deliver(router, letter('ben', 'for ben'));
    await fence([...anna, ...ben]);
    await fence([guest], '/news');
    for (const tab of anna)
      assert.deepEqual(letters(tab), ['for anna']);
    for (const tab of ben)
      assert.deepEqual(letters(tab), ['for ben']);
    assert.deepEqual(letters(guest), []);
  });

  test('several users may be named, each gets it once', async () => {
    const { anna, ben } = await tabs();
    await deliver(router, letter(['anna', 'ben', 'anna', 'absent'], 'both'));
    await fence([...anna, ...ben]);
    for (const tab of [...anna, ...ben])
      assert.deepEqual(letters(tab), ['both']);
  });

  test('a private event stays in its namespace', async () => {
    const home = await connect(router.publicUrl, { session: 'anna' });
    const custom = await connect(router.publicUrl,
      { session: 'anna', namespace: '/custom' });
    await deliver(router, { namespace: '/custom', ...letter('anna', 'custom only') });
    await fence([custom], '/custom');
    await fence([home]);
    assert.deepEqual(letters(custom), ['custom only']);
    assert.deepEqual(letters(home), []);
  });

  test('a broadcast reaches everybody in the namespace', async () => {
    const { anna, ben } = await tabs();
    const elsewhere = await connect(router.publicUrl,
      { session: 'carla', namespace: '/custom' });
    await fence([...anna, ...ben]);
    await fence([elsewhere], '/custom');
    const count = elsewhere.received.items.length;
    assert.equal(count, 1);
  });

  test('rooms come from the verdict', async () => {
    site.users.set('g1', { user_id: 'gina', rooms: ['garden', 'both'] });
    site.users.set('h1', { user_id: 'hans', rooms: ['harbour', 'both'] });
    const gina = await connect(router.publicUrl, { session: 'g1' });
    const hans = await connect(router.publicUrl, { session: 'h1', way: 'polling' });
    const note = (room) => ({ type: 'room-note', payload: { room, text: room } });
    await deliver(router, [note('garden'), note('harbour'), note('both'), note('void')]);
    await fence([gina, hans]);
    const notes = (x) => x.received.items.filter((y) => y.event === 'room-note')
      .map((y) => y.args[0].room);
    assert.deepEqual(notes(gina), ['garden', 'both']);
    assert.deepEqual(notes(hans), ['harbour', 'both']);
  });

  test('the site may move a user between rooms', async () => {
    const tab = await connect(router.publicUrl, { session: 'rita' });
    const other = await connect(router.publicUrl, { session: 'rolf' });
    const move = await call(router, '/api/v1/users/rita/rooms',
      { json: { namespace: '/', join: ['late'], leave: [] } });
    assert.equal(move.status, 200);
    await deliver(router, { type: 'room-note', payload: { room: 'late', text: 'in' } });
    const back = await call(router, '/api/v1/users/rita/rooms',
      { json: { namespace: '/', join: [], leave: ['late'] } });
    assert.equal(back.status, 200);
    await deliver(router, { type: 'room-note', payload: { room: 'late', text: 'out' } });
    await fence([tab, other]);
    const notes = (x) => x.received.items.filter((y) => y.event === 'room-note')
      .map((y) => y.args[0].text);
    assert.deepEqual(notes(tab), ['in']);
    assert.deepEqual(notes(other), []);
  });

  test('the site may throw a user out', async () => {
    const tab = await connect(router.publicUrl, { session: 'kurt' });
    const { status } = await call(router, '/api/v1/users/kurt/disconnect', { json: {} });
    assert.equal(status, 200);
    await disconnected(tab);
  });

  test('the site may ask who of many is online', async () => {
    await connect(router.publicUrl, { session: 'olga' });
    const { status, body } = await call(router, '/api/v1/users/online',
      { json: { ids: ['olga', 'otto'] } });
    assert.equal(status, 200);
    const text = JSON.stringify(body);
    assert.match(text, /olga/);
    assert.doesNotMatch(text, /"otto"(?!:(false|\{"online":false))/);
  });

  test('a poster with the right may name target, event and arguments', async () => {
    const tab = await connect(router.publicUrl, { session: 'tina' });
    await deliver(router, {
      type: 'anything',
      to: { users: ['tina'] },
      event: 'named',
      args: [1, 'two', { three: [3] }, null],
    });
    assert.deepEqual(await next(tab, 'named'), [1, 'two', { three: [3] }, null]);
  });

  test('events of one poster arrive in the order in which they were taken', async () => {
    const { anna } = await tabs();
    for (let batch = 0; batch < 5; ++batch)
      await deliver(router, Array.from({ length: 40 },
        (_, i) => letter('anna', batch * 40 + i)));
    await fence(anna);
    const expected = Array.from({ length: 200 }, (_, i) => i);
    for (const tab of anna)
      assert.deepEqual(letters(tab), expected);
  });
});

describe('HTTP ingest', () => {
  test('the answer tells id, sequence, and that it is no double', async () => {
    const first = await deliver(router, letter('absent', 'a'));
    const second = await deliver(router, letter('absent', 'b'));
    assert.equal(typeof first.id, 'string');
    assert.notEqual(first.id, second.id);
    assert.equal(second.seq, first.seq + 1);
    assert.equal(first.online, 0);
    assert.equal(first.dup, false);
  });

  test('a batch is answered entry by entry, a bad one stops no other', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    const { status, body } = await post(router,
      [letter('anna', 1), { type: 'nobody-knows-it', payload: 1 }, letter('anna', 2),
        { payload: 1 }, letter('anna', 3)]);
    assert.equal(status, 200);
    assert.deepEqual(body.map((x) => x.ok), [true, false, true, false, true]);
    for (const entry of [body[1], body[3]]) {
      assert.equal(typeof entry.error.code, 'string');
      assert.ok(entry.error.message.length > 10);
    }
    await fence([tab]);
    assert.deepEqual(letters(tab), [1, 2, 3]);
  });

  test('a key makes a repeated event a double of the first', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    const event = { ...letter('anna', 'once'), key: `key-${process.pid}-1` };
    const first = await deliver(router, event);
    const second = await deliver(router, event);
    assert.equal(first.dup, false);
    assert.equal(second.dup, true);
    assert.equal(second.id, first.id);
    await fence([tab]);
    assert.deepEqual(letters(tab), ['once']);
  });

  test('without a valid key nothing is taken', async () => {
    for (const key of ['', 'wrong-key-0123456789', siteKey.slice(0, -1)]) {
      const { status, body } = await post(router, letter('anna', 'x'), { key });
      assert.equal(status, 401, `key ${key}`);
      assert.equal(body.ok, false);
      assert.equal(typeof body.error.code, 'string');
    }
  });

  const refusals = [
    ['no JSON', { raw: '{"type":' }],
    ['an empty body', { raw: '' }],
    ['a number', { raw: '5' }],
    ['a type that is no string', { json: { type: 5, payload: 1 } }],
    ['no type', { json: { payload: 1 } }],
    ['a type without a rule', { json: { type: 'unheard-of', payload: 1 } }],
    ['an unknown namespace', { json: { namespace: '/x', ...letter('a', 1) } }],
    ['a pointer to nothing', { json: { type: 'letter', payload: { text: 'x' } } }],
    ['a receiver that is an object', { json: { type: 'letter', payload: { to: {} } } }],
    ['a reserved event name', { json: { type: 'x', to: 'all', event: 'disconnect', args: [] } }],
    ['a target that is none', { json: { type: 'x', to: 'some', event: 'e', args: [] } }],
    ['confirm to everybody', { json: { type: 'announcement', payload: 1, confirm: { deadline_ms: 500 } } }],
    ['a deadline out of range', { json: { ...letter('a', 1), confirm: { deadline_ms: 5 } } }],
    ['more than 1,000 entries', { json: Array.from({ length: 1001 }, () => letter('a', 1)) }],
    ['broken base64', { json: { type: 'announcement', payload: { $base64: '!!' } } }],
  ];
  for (const [what, options] of refusals)
    test(`${what} is refused with a reason`, async () => {
      const { status, body } = await call(router, '/api/v1/events', options);
      assert.ok(status >= 400 && status < 500, `status ${status}`);
      assert.equal(body.ok, false);
      assert.match(body.error.code, /^[a-z][a-z0-9_]*$/);
      assert.ok(body.error.message.length > 10);
    });

  test('a key keeps to its rights', async () => {
    const foreign = await post(router, { namespace: '/custom', ...letter('a', 1) },
      { key: plainKey });
    assert.ok(foreign.status >= 400 && foreign.status < 500);
    const target = await post(router,
      { type: 'x', to: 'all', event: 'e', args: [] }, { key: plainKey });
    assert.ok(target.status >= 400 && target.status < 500);
    const own = await post(router, letter('a', 1), { key: plainKey });
    assert.equal(own.status, 200);
  });

  test('unknown paths and methods are refused', async () => {
    assert.equal((await call(router, '/api/v1/nothing', { json: {} })).status, 404);
    const get = await call(router, '/api/v1/events', { method: 'GET' });
    assert.ok([404, 405].includes(get.status), `status ${get.status}`);
  });

  test('the public listener takes no events', async () => {
    const response = await fetch(`${router.publicUrl}/api/v1/events`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${siteKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(letter('anna', 'x')),
    });
    assert.ok(response.status >= 400 && response.status < 500);
  });

  test('confirm tells who received, who did not answer, who is away', async () => {
    const quick = await connect(router.publicUrl, { session: 'quick' });
    const deaf = await connect(router.publicUrl, { session: 'deaf', way: 'polling' });
    quick.on('letter', (payload, ack) => ack('seen'));
    const answer = await deliver(router,
      { ...letter(['quick', 'deaf', 'away'], 'x'), confirm: { deadline_ms: 500 } });
    assert.deepEqual(answer.confirmed,
      { quick: 'delivered', deaf: 'timed_out', away: 'offline' });
    assert.equal(letters(deaf).length, 1);
  });
});

describe('Socket.IO ingest', () => {
  const publisher = (options = {}) => connect(router.ingestUrl,
    { auth: { key: siteKey }, ...options });

  test('the key opens it in `auth` or as a header', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    const ways = [
      { auth: { key: siteKey } },
      { auth: {}, headers: { Authorization: `Bearer ${siteKey}` } },
    ];
    for (const options of ways) {
      const site = await publisher(options);
      const [answer] = await ask(site, 'letter', { to: 'anna', text: 'hi' });
      assert.equal(answer.ok, true);
      assert.equal(answer.dup, false);
      assert.equal(typeof answer.id, 'string');
      assert.equal(typeof answer.seq, 'number');
    }
    await fence([tab]);
    assert.deepEqual(letters(tab), ['hi', 'hi']);
  });

  test('without a valid key it stays shut', async () => {
    for (const auth of [undefined, { key: 'wrong-key-0123456789' }, { key: 5 }]) {
      const error = await refused(socket(router.ingestUrl, { auth }));
      assert.equal(typeof error.message, 'string');
    }
  });

  test('a refused event is answered with the reason', async () => {
    const site = await publisher();
    const [answer] = await ask(site, 'unheard-of', { a: 1 });
    assert.equal(answer.ok, false);
    assert.equal(typeof answer.error.code, 'string');
    const [next] = await ask(site, 'letter', { to: 'absent', text: 'x' });
    assert.equal(next.ok, true);
  });

  test('binary goes through as binary', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna', way: 'polling' });
    const site = await publisher();
    await ask(site, 'letter', { to: 'anna', data: Buffer.from([0, 1, 254, 255]) });
    const [payload] = await next(tab, 'letter');
    assert.deepEqual([...payload.data], [0, 1, 254, 255]);
  });

  test('a browser cannot post as the site', async () => {
    const victim = await connect(router.publicUrl, { session: 'anna' });
    const tab = await connect(router.publicUrl, { session: 'mallory' });
    await ask(tab, 'letter', { to: 'anna', text: 'forged' });
    const guess = await refused(socket(router.publicUrl,
      { session: 'mallory', auth: { key: 'a-guess-0123456789' } }));
    assert.equal(guess.message, 'unauthorized');
    await fence([victim]);
    assert.deepEqual(letters(victim), []);
  });

  test('1,000 times connect, emit, disconnect deliver 1,000 events', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    let started = 0;
    async function worker() {
      while (started < 1000) {
        const n = started++;
        const site = await publisher({ way: n % 5 === 4 ? 'polling' : 'websocket' });
        // Every second one does not even wait for the answer.
        if (n % 2 === 0)
          await ask(site, 'letter', { to: 'anna', text: n });
        else
          site.emit('letter', { to: 'anna', text: n });
        site.disconnect();
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker));
    await tab.received.take(1000, (x) => x.event === 'letter', 30000, '1,000 letters');
    await fence([tab]);
    const numbers = letters(tab).sort((a, b) => a - b);
    assert.deepEqual(numbers, Array.from({ length: 1000 }, (_, i) => i));
  });
});

describe("events of browsers", () => {
  test('where they are forwarded, the site answers the ack', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna', way: 'upgrade' });
    site.onEvent = () => ({ ack: ['got it', { n: 2 }] });
    assert.deepEqual(await ask(tab, 'question', 1, { a: 'é' }), ['got it', { n: 2 }]);
    const { json } = await site.events.find((x) => x.json.event === 'question');
    assert.equal(json.namespace, '/');
    assert.deepEqual(json.args, [1, { a: 'é' }]);
    assert.equal(json.ack, true);
    assert.equal(json.user?.user_id ?? json.user, 'anna');
  });

  test('without an ack they reach the site all the same, in order', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    for (let i = 0; i < 10; ++i)
      tab.emit('note', i);
    const seen = await site.events.take(10, (x) => x.json.event === 'note');
    assert.deepEqual(seen.map((x) => x.json.args[0]).sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.ok(seen.every((x) => x.json.ack === false));
  });

  test('a broken site answers no ack as if all were well', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    for (const mode of ['error', 'html', 'reset']) {
      site.eventMode = mode;
      const [answer] = await ask(tab, 'question', mode);
      assert.ok(answer?.ok === false || answer?.error, JSON.stringify(answer));
    }
    site.eventMode = 'answer';
    assert.deepEqual(await ask(tab, 'again'), ['again']);
  });

  test('where they are refused, the ack says so and the tab stays', async () => {
    const tab = await connect(router.publicUrl,
      { session: 'anna', namespace: '/quiet' });
    const before = site.events.items.length;
    const [answer] = await ask(tab, 'question', 1);
    assert.ok(answer?.ok === false || answer?.error, JSON.stringify(answer));
    tab.emit('without ack');
    await fence([tab], '/quiet');
    assert.equal(site.events.items.length, before);
    assert.equal(tab.connected, true);
  });
});

test('a tab that goes takes its connection out of the record', async () => {
  const one = await connect(router.publicUrl, { session: 'pia' });
  const two = await connect(router.publicUrl, { session: 'pia', way: 'polling' });
  const first = await user(router, 'pia');
  assert.equal(first.connections.length, 2);
  one.disconnect();
  const second = await until(async () => {
    const record = await user(router, 'pia');
    return record.connections.length === 1 && record;
  }, 5000, 'one connection fewer');
  assert.equal(second.online, true);
  assert.ok(second.version > first.version);
  two.disconnect();
});

test('several namespaces share one transport', async () => {
  const home = await connect(router.publicUrl, { session: 'anna', forceNew: false });
  const custom = home.io.socket('/custom', {});
  if (!custom.connected)
    await within(new Promise((resolve) => custom.once('connect', resolve)), 5000,
      'connect to /custom');
  assert.equal(custom.io.engine.id, home.io.engine.id);
  const got = new Promise((resolve) => custom.once('letter', resolve));
  await deliver(router, { namespace: '/custom', ...letter('anna', 'both') });
  assert.equal((await within(got, 5000, 'the letter')).text, 'both');
  await fence([home]);
  assert.deepEqual(letters(home), []);
});
