// Identity: sign-outs that overtake the site's verdict, ids in every form, what a
// key may see and do, and users with too many connections.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { closeAll, connect, connected, disconnected, next, refused, socket }
  from './support/clients.mjs';
import { Cluster } from './support/cluster.mjs';
import { until } from './support/deadline.mjs';
import { call, deliver, post, user } from './support/ingest.mjs';
import { metric } from './support/metrics.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const letter = (to, text) => ({ type: 'letter', payload: { to, text } });
const disconnect = (router, id, options) =>
  call(router, `/api/v1/users/${encodeURIComponent(id)}/disconnect`, options);

// What a tab has of the letters that came before now.
async function letters(router, tab) {
  await deliver(router, { type: 'announcement', payload: 'fence' });
  await next(tab, 'announcement', (x) => x === 'fence');
  return tab.received.items.filter((x) => x.event === 'letter').map((x) => x.args[0].text);
}

// A site whose sessions can end. The next questions are held, once their sessions were
// looked up, until `release`.
class Sessions {
  valid = new Map();
  held = [];
  hold = 0;

  static async start() {
    const made = new Sessions();
    made.site = await startSite();
    made.site.onVerdict = (token) => {
      const verdict = made.valid.get(token);
      if (made.hold === 0)
        return verdict;
      made.hold -= 1;
      return new Promise((resolve) => {
        made.held.push(() => resolve(verdict));
      });
    };
    return made;
  }

  release() {
    this.held.splice(0).forEach((x) => x());
  }

  async holding(count) {
    await until(() => this.held.length === count, 10000, `${count} questions held`);
  }
}

describe('a sign-out', () => {
  let sessions;
  let alone;
  let cached;
  let cluster;

  before(async () => {
    sessions = await Sessions.start();
    const presence = { 'leave-grace': '0s' };
    const { site } = sessions;
    alone = await startRouter({ site, changes: { presence } });
    cached = await startRouter({ site,
      changes: { presence, 'site-auth': { 'cache-ttl': '30s' } } });
    cluster = await Cluster.start({ site, count: 2,
      changes: { presence, 'site-auth': { 'cache-ttl': '30s' } } });
  });

  after(async () => {
    closeAll();
    sessions?.release();
    await cluster?.stop();
    await cached?.stop();
    await alone?.stop();
    await sessions?.site.close();
  });

  afterEach(() => {
    closeAll();
    sessions.release();
    sessions.hold = 0;
    sessions.valid.clear();
  });

  for (const way of ['websocket', 'polling'])
    test(`overtakes a verdict that is under way, over ${way}`, async () => {
      sessions.valid.set('tok', { user_id: 'u17', rooms: ['staff'] });
      sessions.hold = 1;
      const coming = socket(alone.publicUrl, { session: 'tok', way });
      await sessions.holding(1);
      sessions.valid.clear();
      const { status, body } = await disconnect(alone, 'u17');
      assert.equal(status, 200);
      assert.equal(body.connections, 0);
      sessions.release();
      assert.equal((await refused(coming)).message, 'unauthorized');
      const answer = await deliver(alone, letter('u17', 'secret'));
      assert.equal(answer.online, 0);
    });

  test('lets in a page whose session is a new one', async () => {
    sessions.valid.set('tok', { user_id: 'u17' });
    sessions.hold = 1;
    const coming = socket(alone.publicUrl, { session: 'tok' });
    await sessions.holding(1);
    await disconnect(alone, 'u17');
    sessions.release();
    await connected(coming);
    await deliver(alone, letter('u17', 'for the new session'));
    assert.deepEqual(await letters(alone, coming), ['for the new session']);
  });

  test('lets nobody share a question that was asked before it', async () => {
    sessions.valid.set('tok', { user_id: 'u17' });
    sessions.hold = 1;
    const first = socket(alone.publicUrl, { session: 'tok' });
    await sessions.holding(1);
    sessions.valid.clear();
    await disconnect(alone, 'u17');
    const second = socket(alone.publicUrl, { session: 'tok' });
    const errors = Promise.all([refused(first), refused(second)]);
    await until(async () => await metric(alone, 'auth_shared_total') > 0, 10000,
      'the second page to share the question');
    sessions.release();
    for (const error of await errors)
      assert.equal(error.message, 'unauthorized');
  });

  test('makes what is cached void', async () => {
    sessions.valid.set('tok', { user_id: 'u17' });
    const first = await connect(cached.publicUrl, { session: 'tok' });
    const asked = sessions.site.asked.items.length;
    const again = await connect(cached.publicUrl, { session: 'tok' });
    assert.equal(sessions.site.asked.items.length, asked, 'the verdict was not cached');
    sessions.valid.clear();
    const out = Promise.all([disconnected(first), disconnected(again)]);
    assert.equal((await disconnect(cached, 'u17')).body.connections, 2);
    await out;
    const third = socket(cached.publicUrl, { session: 'tok' });
    assert.equal((await refused(third)).message, 'unauthorized');
    assert.equal((await deliver(cached, letter('u17', 'secret'))).online, 0);
  });

  test('makes cached verdicts about others no void', async () => {
    sessions.valid.set('a', { user_id: 'u1' }).set('b', { user_id: 'u2' });
    await connect(cached.publicUrl, { session: 'a' });
    await connect(cached.publicUrl, { session: 'b' });
    const asked = sessions.site.asked.items.length;
    await disconnect(cached, 'u1');
    await connect(cached.publicUrl, { session: 'b' });
    assert.equal(sessions.site.asked.items.length, asked);
  });

  test('reaches verdicts under way and cached at another node', async () => {
    const [here, there] = cluster.nodes;
    sessions.valid.set('tok', { user_id: 'u17' }).set('tok2', { user_id: 'u17' });
    const first = await connect(there.publicUrl, { session: 'tok' });
    sessions.hold = 1;
    const coming = socket(there.publicUrl, { session: 'tok2' });
    await sessions.holding(1);
    sessions.valid.clear();
    const out = disconnected(first);
    const { body } = await disconnect(here, 'u17');
    assert.equal(body.connections, 1);
    assert.equal(body.partial, undefined);
    await out;
    sessions.release();
    assert.equal((await refused(coming)).message, 'unauthorized');
    const again = socket(there.publicUrl, { session: 'tok' });
    assert.equal((await refused(again)).message, 'unauthorized');
    for (const node of cluster.nodes)
      assert.equal((await deliver(node, letter('u17', 'secret'))).online, 0);
  });

  test('from a room overtakes a verdict, too', async () => {
    sessions.valid.set('tok', { user_id: 'u17', rooms: ['staff', 'all'] });
    sessions.hold = 1;
    const coming = socket(alone.publicUrl, { session: 'tok' });
    await sessions.holding(1);
    sessions.valid.set('tok', { user_id: 'u17', rooms: ['all'] });
    await call(alone, '/api/v1/users/u17/rooms', { json: { leave: ['staff'] } });
    sessions.release();
    await connected(coming);
    const to = (room) => ({ type: 'x', event: 'note', args: [room], to: { rooms: [room] } });
    const [staff, all] = await deliver(alone, [to('staff'), to('all')]);
    assert.equal(staff.online, 0);
    assert.equal(all.online, 1);
  });
});

describe('an id', () => {
  let site;
  let router;
  let verdict;

  before(async () => {
    site = await startSite();
    // As text: JavaScript would round large integers.
    site.onVerdict = () => ({ raw: verdict });
    router = await startRouter({ site, changes: { presence: { 'leave-grace': '0s' } } });
  });

  after(async () => {
    closeAll();
    await router?.stop();
    await site?.close();
  });

  afterEach(closeAll);

  // Each literal with the id that it is.
  const good = [
    ['17', '17'], ['-17', '-17'], ['0', '0'],
    ['9007199254740993', '9007199254740993'],
    ['1234567890123456789', '1234567890123456789'],
    ['18446744073709551615', '18446744073709551615'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['"17"', '17'], ['"a b/c"', 'a b/c'], ['"\\u00e9\\ud83d\\ude00"', 'é😀'],
    ['"\\ufffd"', '\ufffd'], [`"${'x'.repeat(256)}"`, 'x'.repeat(256)],
  ];

  for (const [literal, id] of good)
    test(`${literal.slice(0, 30)} is the same everywhere`, async () => {
      verdict = `{"user_id":${literal},"rooms":[${literal},"other"]}`;
      const tab = await connect(router.publicUrl, { session: 's' });
      assert.equal((await user(router, id)).connections.length, 1);
      const send = (raw) => call(router, '/api/v1/events', { raw });
      for (const raw of [
        `{"type":"letter","payload":{"to":${literal}}}`,
        `{"type":"letter","payload":{"to":[${literal}]}}`,
        `{"type":"letter","payload":{"to":${JSON.stringify(id)}}}`,
        `{"type":"letter","to":{"users":[${literal}]}}`,
        `{"type":"room-note","payload":{"room":${literal}}}`,
        `{"type":"note","to":{"rooms":[${literal}]}}`]) {
        const { status, body } = await send(raw);
        assert.equal(status, 200, JSON.stringify(body));
        assert.equal(body.online, 1, raw);
      }
      const online = await call(router, '/api/v1/users/online', { raw: `{"ids":[${literal}]}` });
      assert.deepEqual(online.body.online, { [id]: true });
      const rooms = await call(router, `/api/v1/users/${encodeURIComponent(id)}/rooms`,
        { raw: `{"leave":[${literal}]}` });
      assert.equal(rooms.body.connections, 1);
      assert.equal((await send(`{"type":"note","to":{"rooms":[${literal}]}}`)).body.online, 0);
      const seen = site.events.find((x) => x.json.event === 'who');
      tab.emit('who');
      assert.equal((await seen).json.user, id);
      site.events.items.length = 0;
      const out = disconnected(tab);
      assert.equal((await disconnect(router, id)).body.connections, 1);
      await out;
    });

  const bad = [
    ['"\\ud800"', /surrogate/], ['"a\\udc00b"', /surrogate/], ['"\\ude00\\ud83d"', /surrogate/],
    ['""', /empty/], ['"a\\u0000"', /U\+0000/], ['"a\\nb"', /U\+000A/], ['"\\u009f"', /U\+009F/],
    [`"${'x'.repeat(257)}"`, /257 bytes; 256 are allowed \(limits\.name-bytes\)/],
    ['1.0', /no integer/], ['1e3', /no integer/], ['-0', /-0/],
    ['18446744073709551616', /64 bits/], ['-9223372036854775809', /64 bits/],
    ['true', /a boolean/], ['[]', /an array|1 to 1000 recipients|an array of/], ['{}', /an object/],
  ];

  for (const [literal, why] of bad)
    test(`${literal.slice(0, 30)} is refused everywhere, with the reason`, async () => {
      const list = literal === '[]' ? '[[]]' : `[${literal}]`;
      for (const [raw, code, pointer] of [
        [`{"type":"letter","payload":{"to":${literal}}}`, 'no_recipient', /^\/payload\/to/],
        [`{"type":"letter","payload":{"to":${list}}}`, 'no_recipient', /^\/payload\/to\/0$/],
        [`{"type":"letter","to":{"users":${list}}}`, 'bad_request', /^\/to\/users\/0$/],
        [`{"type":"note","to":{"rooms":${list}}}`, 'bad_request', /^\/to\/rooms\/0$/]]) {
        const { status, body } = await call(router, '/api/v1/events', { raw });
        assert.equal(status, code === 'bad_request' ? 400 : 422, raw);
        assert.equal(body.error.code, code);
        assert.match(body.error.pointer, pointer);
        assert.match(body.error.message, why);
      }
      for (const [path, raw, pointer] of [
        ['online', `{"ids":${list}}`, '/ids/0'], ['a/rooms', `{"join":${list}}`, '/join/0'],
        ['a/rooms', `{"leave":${list}}`, '/leave/0']]) {
        const { status, body } = await call(router, `/api/v1/users/${path}`, { raw });
        assert.equal(status, 400);
        assert.equal(body.error.pointer, pointer);
        assert.match(body.error.message, why);
      }
      for (const text of [`{"user_id":${literal}}`, `{"user_id":"a","rooms":${list}}`]) {
        verdict = text;
        const error = await refused(socket(router.publicUrl, { session: 's' }));
        assert.equal(error.message, 'unavailable');
      }
    });

  test('that is ill-formed in a path is refused, and told', async () => {
    for (const id of ['%FF', 'a%00', '%0A', '%ED%A0%80', '%C0%AF', 'x'.repeat(257)]) {
      const { status, body } = await call(router, `/api/v1/users/${id}`, { method: 'GET' });
      assert.equal(status, 400, id);
      assert.match(body.error.message, /^the id in the path is none: it /);
    }
  });

  test('of another user is never met by half a surrogate pair', async () => {
    verdict = '{"user_id":"\\ufffd"}';
    const tab = await connect(router.publicUrl, { session: 's' });
    for (const half of ['\\ud800', '\\udbff', '\\udc00']) {
      const { status } = await call(router, '/api/v1/events',
        { raw: `{"type":"letter","payload":{"to":"${half}"}}` });
      assert.equal(status, 422);
    }
    assert.deepEqual(await letters(router, tab), []);
  });

  test('of an event is told apart from another one by all of its key', async () => {
    for (const raw of ['"key":"\\ud800"', '"type":"\\ud800"', '"event":"\\udc00"',
      '"namespace":"/\\ud800"']) {
      const { status, body } = await call(router, '/api/v1/events',
        { raw: `{"payload":1,"to":"all",${raw.includes('"type"') ? '' : '"type":"x",'}${raw}}` });
      assert.equal(status, 400);
      assert.match(body.error.message, /surrogate/);
    }
  });
});

describe('a key for some namespaces', () => {
  const shop = 'shop-key-0123456789abcdef';
  const bank = 'bank-key-0123456789abcdef';
  let site;
  let cluster;

  before(async () => {
    site = await startSite();
    site.onVerdict = (token, headers) => ({
      user_id: token, info: { of: headers['x-signalbox-namespace'] },
    });
    cluster = await Cluster.start({ site, count: 2, changes: {
      presence: { 'leave-grace': '0s' },
      namespaces: [{ name: '/bank' }, { name: '/shop' }],
      ingest: { keys: [
        { name: 'bank', key: bank, namespaces: ['/bank'], 'may-target': true },
        { name: 'shop', key: shop, namespaces: ['/shop'], 'may-target': true },
        { name: 'all', key: 'all-key-0123456789abcdef' },
      ] },
    } });
  });

  after(async () => {
    closeAll();
    await cluster?.stop();
    await site?.close();
  });

  afterEach(closeAll);

  // The user is in /bank at node 1 and perhaps in /shop at node 2.
  async function enter(id, both) {
    const [one, two] = cluster.nodes;
    const tabs = [await connect(one.publicUrl, { session: id, namespace: '/bank' })];
    if (both)
      tabs.push(await connect(two.publicUrl, { session: id, namespace: '/shop' }));
    return tabs;
  }

  const show = async (node, id, key) =>
    (await call(node, `/api/v1/users/${id}`, { method: 'GET', key })).body;

  test('sees connections and info of those only', async () => {
    await enter('anna', true);
    for (const node of cluster.nodes) {
      const seen = await show(node, 'anna', shop);
      assert.equal(seen.online, true);
      assert.deepEqual(seen.connections.map((x) => x.namespace), ['/shop']);
      assert.deepEqual(seen.info, { of: '/shop' });
      const other = await show(node, 'anna', bank);
      assert.deepEqual(other.connections.map((x) => x.namespace), ['/bank']);
      assert.equal(other.info, undefined);
    }
  });

  test('does not learn who is online elsewhere', async () => {
    await enter('ben', false);
    for (const node of cluster.nodes) {
      const seen = await show(node, 'ben', shop);
      assert.deepEqual(seen, { online: false, version: 0, connections: [] });
      assert.deepEqual(seen, await show(node, 'nobody', shop));
      const { body } = await call(node, '/api/v1/users/online',
        { key: shop, json: { ids: ['ben'] } });
      assert.deepEqual(body.online, { ben: false });
      const event = { namespace: '/shop', type: 'x', to: { users: ['ben', 'nobody'] } };
      const answer = await deliver(node, event, { key: shop });
      assert.equal(answer.matched, 0);
      assert.equal(answer.online, 0);
    }
  });

  test('acts on connections in those only', async () => {
    const [tab, other] = await enter('carla', true);
    const [one, two] = cluster.nodes;
    const all = (await show(one, 'carla', 'all-key-0123456789abcdef')).connections;
    const { id } = all.find((x) => x.namespace === '/bank');
    for (const node of cluster.nodes)
      for (const verb of ['disconnect', 'rooms']) {
        const { status } = await call(node, `/api/v1/connections/${id}/${verb}`,
          { key: shop, json: verb === 'rooms' ? { namespace: '/shop', join: ['r'] } : {} });
        assert.equal(status, 404);
      }
    const rooms = await call(two, '/api/v1/users/carla/rooms',
      { key: shop, json: { namespace: '/bank', join: ['r'] } });
    assert.equal(rooms.status, 403);
    const out = disconnected(other);
    assert.equal((await disconnect(one, 'carla', { key: shop })).body.connections, 1);
    await out;
    assert.equal(tab.connected, true);
    assert.equal((await disconnect(two, 'carla', { key: shop })).body.connections, 0);
    const event = { namespace: '/bank', type: 'x', to: { users: ['carla'] } };
    assert.equal((await deliver(two, event, { key: bank })).online, 1);
  });

  test('posts to those only', async () => {
    const { status, body } = await post(cluster.node(1),
      { namespace: '/bank', type: 'x', to: 'all' }, { key: shop });
    assert.equal(status, 403);
    assert.equal(body.error.pointer, '/namespace');
  });
});

describe('a user with all connections in use', () => {
  let site;

  before(async () => {
    site = await startSite();
  });

  after(() => site?.close());

  const changes = { presence: { 'max-connections': 2, 'when-full': 'close-oldest',
    'leave-grace': '0s' } };

  async function displaces(at, router) {
    const [first, second] = [await connect(at(0).publicUrl, { session: 'anna' }),
      await connect(at(1).publicUrl, { session: 'anna', way: 'polling' })];
    const gone = disconnected(first);
    const third = await connect(at(2).publicUrl, { session: 'anna' });
    // A client does not come back by itself after that.
    assert.equal(await gone, 'io server disconnect');
    await until(async () => (await user(router, 'anna')).connections.length === 2);
    assert.equal((await deliver(router, letter('anna', 'hello'))).online, 2);
    for (const each of [second, third])
      assert.equal((await next(each, 'letter'))[0].text, 'hello');
    closeAll();
  }

  test('loses the oldest if the setting says so', async () => {
    const router = await startRouter({ site, changes });
    try {
      await displaces(() => router, router);
      assert.equal(await metric(router, 'connections_displaced_total'), 1);
    } finally {
      await router.stop();
    }
  });

  test('loses the oldest at whichever node it is', async () => {
    const cluster = await Cluster.start({ site, count: 3, changes });
    try {
      await displaces((i) => cluster.nodes[i], cluster.node(1));
    } finally {
      await cluster.stop();
    }
  });
});
