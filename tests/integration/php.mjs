// The PHP client and its components for Yii against the real router, with
// Debian's php-cli.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync }
  from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { startPeer, startRelay } from './php/peer.mjs';
import { environment, everything, hasExtension, Php, skip } from './php/process.mjs';
import { closeAll, connect, disconnected, next } from './support/clients.mjs';
import { slow, within } from './support/deadline.mjs';
import { deliver, user } from './support/ingest.mjs';
import { plainKey, siteKey, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const here = new URL('php/', import.meta.url).pathname;
const library = new URL('../../apps/php/', import.meta.url).pathname;
const page = new URL('../../docs/php.md', import.meta.url);

const withoutFork = !hasExtension('pcntl') && 'install php-cli: php has no pcntl';
const withoutOpenssl = spawnSync('openssl', ['version']).status !== 0
  && 'install openssl: openssl is missing';

// The marked examples of the documentation: name -> its code. Of a diff they are
// the new lines.
const documentation = readFileSync(page, 'utf8');
const examples = new Map([...documentation
  .matchAll(/<!-- run: ([\w-]+) -->\n+```(\w+)\n([\s\S]*?)\n```/g)]
  .map(([, name, language, code]) => [name, language === 'diff'
    ? code.split('\n').filter((x) => x.startsWith('+')).map((x) => x.slice(1)).join('\n')
    : code]));

let site;
let router;
const open = new Set();

before(async () => {
  if (skip)
    return;
  site = await startSite();
  router = await startRouter({ site });
});

// Remembers what has a close of its own until the end of the test.
async function during(promise) {
  const made = await promise;
  open.add(made);
  return made;
}

afterEach(async () => {
  closeAll();
  const ending = [...open].map((x) => x.close());
  open.clear();
  await Promise.all(ending);
});

after(async () => {
  await router?.stop();
  await site?.close();
});

// A client in a process of its own, of the router unless `url` says otherwise.
async function client({ url = router.ingestUrl, key = siteKey, env, ...options } = {}) {
  const php = await during(new Php(env));
  await php.start({ url, key, options: { timeoutMs: 10000 * slow, ...options } });
  return php;
}

// A component of Yii, configured as an application would.
async function component(yii, config = {}) {
  const name = yii === 1 ? 'application.yii1.SignalboxComponent'
    : 'signalbox\\yii2\\SignalboxComponent';
  const php = await during(new Php());
  php.class = await php.start({ yii, config: {
    class: name, port: router.ingest.port, key: siteKey, ...config } });
  return php;
}

const letter = (to, text) => ['letter', { to, text }];
const anna = (options = {}) => connect(router.publicUrl, { session: 'anna', ...options });
const ben = (options = {}) => connect(router.publicUrl, { session: 'ben', ...options });
const failure = (promise) => promise.then(
  (value) => assert.fail(`it succeeded: ${JSON.stringify(value)}`), (error) => error);
const transport = 'Signalbox\\TransportException';
const refusal = 'Signalbox\\RefusedException';
const invalid = 'Signalbox\\InvalidCallException';
const text = 'Grüße 😀 𝔘 \u2028 "/\\" Ж';

describe('events', { skip }, () => {
  test('one reaches the user', async () => {
    const [tab, php] = [await anna(), await client()];
    const answer = await php.ask('publish', ...letter('anna', text));
    assert.deepEqual({ ...answer, id: typeof answer.id, seq: typeof answer.seq },
      { ok: true, id: 'string', seq: 'number', matched: 1, online: 1, dup: false });
    assert.equal((await next(tab, 'letter'))[0].text, text);
  });

  test('one to all reaches everybody in its namespace and nobody else', async () => {
    const [one, two, php] = [await anna(), await ben({ namespace: '/custom' }), await client()];
    assert.equal((await php.ask('publish', 'announcement', 1)).online, 1);
    await php.ask('publish', 'announcement', 2, { namespace: '/custom' });
    await php.ask('publish', 'announcement', 3);
    await php.ask('publish', 'announcement', 4, { namespace: '/custom' });
    assert.deepEqual((await one.received.take(2)).map((x) => x.args), [[1], [3]]);
    assert.deepEqual((await two.received.take(2)).map((x) => x.args), [[2], [4]]);
  });

  test('target, name and arguments may be given', async () => {
    const [tab, php] = [await anna(), await client()];
    const answer = await php.ask('publish', 'anything', null, { to: { users: ['anna', 17] },
      event: 'renamed', args: ['a', [], 1.5], volatile: true, key: null });
    assert.equal(answer.matched, 1);
    assert.deepEqual(await next(tab, 'renamed'), ['a', [], 1.5]);
  });

  test('bytes arrive as bytes', async () => {
    const [tab, php] = [await anna(), await client()];
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await php.ask('publish', 'letter',
      { to: 'anna', parts: [{ $binary: bytes.toString('hex') }, { $binary: '' }] });
    const [{ parts }] = await next(tab, 'letter');
    assert.deepEqual(parts.map((x) => Buffer.from(x)), [bytes, Buffer.alloc(0)]);
  });

  test('the body is what the documentation says', async () => {
    const peer = await during(startPeer());
    const php = await client({ url: `${peer.url}/behind/a/proxy/` });
    await php.raw('publish', '"a/b",{"list":[],"object":{"$object":true},"x":10.0,"text":"é😀/"}');
    await php.ask('publish', 'nothing');
    await php.ask('publish', 'all', 1, { to: 'all', key: 'k', volatile: false, confirm: 500 });
    const [first, second, third] = peer.requests.items;
    assert.match(first.head, /^POST \/behind\/a\/proxy\/api\/v1\/events HTTP\/1\.1\r\n/);
    assert.match(first.head, new RegExp(`^Authorization: Bearer ${siteKey}$`, 'm'));
    assert.match(first.head, /^Content-Type: application\/json$/m);
    assert.equal(first.body,
      '{"type":"a/b","payload":{"list":[],"object":{},"x":10.0,"text":"é😀/"}}');
    assert.equal(second.body, '{"type":"nothing","payload":null}');
    assert.deepEqual(JSON.parse(third.body), { type: 'all', payload: 1, to: 'all', key: 'k',
      volatile: false, confirm: { deadline_ms: 500 } });
  });

  test('a bad one of a batch does not stop the others', async () => {
    const [tab, php] = [await anna(), await client()];
    const event = (n) => ({ type: 'letter', payload: { to: 'anna', n } });
    const batch = { one: event(1), bad: { type: 'letter', payload: { n: 2 } }, three: event(3) };
    const answers = await php.ask('publishBatch', batch);
    assert.deepEqual(Object.keys(answers), Object.keys(batch));
    assert.deepEqual(Object.values(answers).map((x) => x.ok), [true, false, true]);
    assert.equal(answers.bad.error.pointer, '/1/payload/to');
    const got = await tab.received.take(2);
    assert.deepEqual(got.map((x) => x.args[0].n), [1, 3]);
  });

  test('a batch may be empty, have options and hold 1,000', async () => {
    const [tab, php] = [await anna({ namespace: '/custom' }), await client()];
    assert.deepEqual(await php.ask('publishBatch', []), []);
    const batch = Array.from({ length: 1000 }, (_, n) =>
      ({ type: 'announcement', payload: n, namespace: '/custom' }));
    const answers = await php.ask('publishBatch', batch);
    assert.ok(answers.length === 1000 && answers.every((x) => x.ok && x.online === 1));
    await next(tab, 'announcement', (x) => x === 999);
  });

  test('one that is posted twice with a key is delivered once', async () => {
    const [tab, php] = [await anna(), await client()];
    const post = (name) => php.ask('publish', ...letter('anna', name), { key: 'twice' });
    const [first, second] = [await post('first'), await post('second')];
    assert.deepEqual([first.dup, second.dup, second.id], [false, true, first.id]);
    await php.ask('publish', ...letter('anna', 'fence'));
    const got = await tab.received.take(2);
    assert.deepEqual(got.map((x) => x.args[0].text), ['first', 'fence']);
  });
});

describe('confirms', { skip }, () => {
  test('each user is delivered, timed out or offline, past the time limit', async () => {
    const tab = await anna();
    await ben();
    tab.on('note', (_, ack) => ack());
    const php = await client({ timeoutMs: 1000 * slow });
    const confirmed = await php.ask('publishConfirmed', 'note', 1, 1100 * slow,
      { to: { users: ['anna', 'ben', 'nobody', 17] } });
    assert.deepEqual(confirmed,
      { anna: 'delivered', ben: 'timed_out', nobody: 'offline', 17: 'offline' });
  });

  test('the answer comes with the last ack, in a batch too', async () => {
    const tab = await anna();
    tab.on('letter', (_, ack) => ack?.());
    const php = await client();
    assert.deepEqual(await php.ask('publishConfirmed', ...letter('anna', 1), 60000),
      { anna: 'delivered' });
    const [first, second] = await php.ask('publishBatch', [
      { type: 'letter', payload: { to: 'anna' }, confirm: 60000 },
      { type: 'letter', payload: { to: 'anna' } }]);
    assert.deepEqual(first.confirmed, { anna: 'delivered' });
    assert.equal(second.confirmed, undefined);
  });

  test('a batch waits for its longest deadline', async () => {
    await anna();
    const php = await client({ timeoutMs: 1000 * slow });
    const [, second] = await php.ask('publishBatch', [
      { type: 'letter', payload: { to: 'nobody' }, confirm: 100 },
      { type: 'letter', payload: { to: 'anna' }, confirm: 1200 * slow }]);
    assert.deepEqual(second.confirmed, { anna: 'timed_out' });
  });

  test('a repeat does not know who acknowledged and says so', async () => {
    const php = await client();
    const post = () => php.ask('publishConfirmed', ...letter('nobody', 1), 1000, { key: 'c1' });
    assert.deepEqual(await post(), { nobody: 'offline' });
    const error = await failure(post());
    assert.equal(error.class, 'Signalbox\\SignalboxException');
    assert.match(error.message, /before, under the same idempotency key/);
  });
});

describe('users and connections', { skip }, () => {
  test('who is online is told', async () => {
    const [tab, php] = [await anna({ way: 'polling' }), await client()];
    assert.equal(await php.ask('isOnline', 'anna'), true);
    assert.equal(await php.ask('isOnline', 17), false);
    assert.deepEqual(await php.ask('online', ['anna', 17, '18']),
      { anna: true, 17: false, 18: false });
    assert.deepEqual(await php.ask('online', []), []);
    const record = await php.ask('presence', 'anna');
    assert.equal(record.online, true);
    assert.deepEqual(record.connections.map((x) => [x.id, x.transport]), [[tab.id, 'polling']]);
    assert.equal((await php.ask('presence', 'nobody')).online, false);
  });

  for (const id of ['..', 'a/b', 'é😀', 'x?y#z', '%2e', ' '])
    test(`a user may be called ${JSON.stringify(id)}`, async () => {
      site.users.set('odd', { user_id: id });
      const [tab, php] = [await connect(router.publicUrl, { session: 'odd' }), await client()];
      assert.equal(await php.ask('isOnline', id), true);
      assert.equal((await php.ask('presence', id)).online, true);
      const gone = disconnected(tab);
      assert.equal(await php.ask('disconnectUser', id), 1);
      await gone;
    });

  test('a user and a connection are disconnected', async () => {
    const [one, two, other] = [await anna(), await anna(), await ben()];
    const php = await client();
    const gone = disconnected(one);
    assert.equal(await php.ask('disconnectConnection', one.id), 1);
    await gone;
    assert.deepEqual((await user(router, 'anna')).connections.map((x) => x.id), [two.id]);
    const both = disconnected(two);
    assert.equal(await php.ask('disconnectUser', 'anna'), 1);
    await both;
    assert.ok(other.connected);
    const error = await failure(php.ask('disconnectConnection', 'nobody'));
    assert.deepEqual([error.class, error.status, error.errorCode], [refusal, 404, 'not_found']);
  });

  test('rooms are joined and left by user and by connection', async () => {
    const [one, two] = [await anna(), await anna()];
    await anna({ namespace: '/custom' });
    const php = await client();
    const reach = async (namespace = '/') => (await php.ask('publish', 'room-note',
      { room: 'r1' }, { namespace })).online;
    assert.equal(await reach(), 0);
    assert.equal(await php.ask('joinRooms', 'anna', ['r1', 2]), 2);
    assert.equal(await reach(), 2);
    await php.ask('leaveRoomsByConnection', one.id, ['r1']);
    assert.equal(await reach(), 1);
    await php.ask('leaveRooms', 'anna', { any: 'r1' });
    assert.equal(await reach(), 0);
    await php.ask('joinRoomsByConnection', two.id, ['r1']);
    assert.equal(await reach(), 1);
    assert.equal(await reach('/custom'), 0);
    await php.ask('joinRooms', 'anna', ['r1'], '/custom');
    assert.equal(await reach('/custom'), 1);
    await php.ask('leaveRooms', 'anna', ['r1'], '/custom');
    assert.equal(await reach('/custom'), 0);
    assert.equal(await reach(), 1);
    const error = await failure(php.ask('joinRoomsByConnection', 'nobody', ['r1']));
    assert.equal(error.status, 404);
  });
});

describe('refusals', { skip }, () => {
  test('a wrong key is told as the router tells it', async () => {
    const php = await client({ key: 'a-wrong-key-0123456789' });
    const error = await failure(php.ask('publish', ...letter('anna', 1)));
    assert.equal(error.class, refusal);
    assert.equal(error.status, 401);
    assert.equal(error.errorCode, 'bad_key');
    assert.match(error.reason, /^give a key of ingest\.keys/);
    assert.equal(error.message, `the router refused this: bad_key: ${error.reason}`);
    assert.doesNotMatch(error.message, /a-wrong-key/);
  });

  const cases = [
    ['no_rule', 422, '/type', ['unknown', {}]],
    ['no_recipient', 422, '/payload/to', ['letter', {}]],
    ['not_allowed', 403, '/to', ['letter', {}, { to: 'all' }], plainKey],
    ['invalid_namespace', 404, '/namespace', ['letter', {}, { namespace: '/none' }]],
    ['confirm_needs_users', 422, '/confirm', ['announcement', 1, { confirm: 500 }]],
    ['bad_request', 400, '/confirm/deadline_ms', ['announcement', 1, { confirm: 99 }]],
    ['too_large', 413, '', ['announcement', 'x'.repeat(1000001)]],
    ['too_large', 413, '', ['announcement', 'x'.repeat(4194304)]],
  ];
  for (const [code, status, pointer, words, key] of cases)
    test(`${code} at "${pointer}" for ${JSON.stringify(words).length} bytes`, async () => {
      const php = await client({ key });
      const error = await failure(php.ask('publish', ...words));
      assert.deepEqual([error.class, error.errorCode, error.status, error.pointer],
        [refusal, code, status, pointer]);
      assert.ok(error.reason && error.message.includes(error.reason));
      // The connection is as good as before, or there is another one.
      assert.equal((await php.ask('publish', 'announcement', 1, { key: null })).ok, true);
    });

  test('those of a batch can be listed', async () => {
    const php = await client();
    const answers = await php.ask('publishBatch',
      { a: { type: 'announcement' }, b: { type: 'unknown' }, c: { type: 'letter' } });
    const listed = await php.ask('refusals', answers);
    assert.deepEqual(Object.keys(listed), ['b', 'c']);
  });
});

describe('mistakes', { skip }, () => {
  const constructors = [
    [/"localhost:8401" is no address/, { url: 'localhost:8401' }],
    [/"http:\/\/a b" is no address/, { url: 'http://a b' }],
    [/"http:\/\/x:y@h" is no address/, { url: 'http://x:y@h' }],
    [/"http:\/\/h:80x" is no address/, { url: 'http://h:80x' }],
    [/"http:\/\/h\?a" is no address/, { url: 'http://h?a' }],
    [/key is empty or has a line end/, { key: '' }],
    [/key is empty or has a line end/, { key: 'secret-0123456789\n' }],
    [/^unknown option timeout; known are connectTimeoutMs, timeoutMs/, { timeout: 3 }],
    [/^timeoutMs is a whole number of milliseconds, 1 or more/, { timeoutMs: '3000' }],
    [/^connectTimeoutMs is .*, 1 or more/, { connectTimeoutMs: 0 }],
    [/^keepAliveMs is .*, 0 or more/, { keepAliveMs: -1 }],
    [/^caFile is no file/, { caFile: '/none.pem' }],
  ];
  for (const [message, options] of constructors)
    test(`a client of ${JSON.stringify(options)} is not made`, async () => {
      const error = await failure(client(options));
      assert.equal(error.class, invalid);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret/);
    });

  const event = { type: 'announcement', payload: 1 };
  const calls = [
    [/\/payload\/deep\/1: Malformed UTF-8.*bytes go through Client::binary/,
      'publish', 'x', { deep: ['fine', { $hex: 'ff' }] }],
    [/event 1 of the batch cannot be .*: \/type: Malformed UTF-8/,
      'publishBatch', [event, { type: { $hex: 'c3' } }]],
    [/^the event has an unknown option idempotencyKey; known are namespace, key,/,
      'publish', 'x', 1, { idempotencyKey: 'a' }],
    [/^the event has a confirm that is no integer/, 'publish', 'x', 1, { confirm: '500' }],
    [/^event late of the batch has no type/, 'publishBatch', { late: { payload: 1 } }],
    [/^event 1 of the batch is no array/, 'publishBatch', [event, 'letter']],
    [/^1001 are too many events in one batch; at most 1000/,
      'publishBatch', Array.from({ length: 1001 }, () => event)],
    [/^1001 are too many users in one question; at most 1000/,
      'online', Array.from({ length: 1001 }, (_, i) => i)],
    [/^an id is an integer or a string that is not empty/, 'presence', ''],
    [/^an id is an integer/, 'isOnline', 1.5],
    [/^an id is an integer/, 'disconnectConnection', ''],
    [/^an id is an integer/, 'joinRooms', 'anna', [null]],
  ];
  test('calls that cannot be made send nothing', async () => {
    const peer = await during(startPeer());
    const php = await client({ url: peer.url });
    for (const [message, ...words] of calls) {
      const error = await failure(php.ask(...words));
      assert.equal(error.class, invalid, error.message);
      assert.match(error.message, message);
    }
    await php.ask('publish', 'fence');
    assert.equal(peer.requests.items.length, 1);
  });
});

describe('no answer', { skip }, () => {
  // A port without a listener.
  async function closedPort() {
    const peer = await startPeer();
    await peer.close();
    return peer.url;
  }

  test('a router that is down is told at once', async () => {
    const url = await closedPort();
    const php = await client({ url, connectTimeoutMs: 600000, timeoutMs: 600000 });
    const error = await failure(within(php.ask('publish', ...letter('anna', 1)), 5000, 'it'));
    assert.equal(error.class, transport);
    assert.equal(error.mayHaveArrived, false);
    assert.match(error.message, /cannot be reached .*refused|cannot be reached .*connect/);
    assert.ok(error.message.includes(url));
    assert.match(error.message, /nothing was sent\. Is it running, and is this its listen\.ingest/);
  });

  test('a name without a host is told', async () => {
    // No name has so long a part, so no server is asked for it.
    const php = await client({ url: `http://${'x'.repeat(64)}.test:8401` });
    const error = await failure(php.ask('publish', ...letter('anna', 1)));
    assert.deepEqual([error.class, error.mayHaveArrived], [transport, false]);
    assert.match(error.message, /cannot be reached \(.*resolve host.*nothing was sent/);
  });

  test('a host that takes no connection costs the connect limit', async () => {
    // The kernel answers for one connection only; the rest of them wait.
    const full = spawn('php', [...everything, '-r', `
      $server = stream_socket_server('tcp://127.0.0.1:0', $code, $text,
        STREAM_SERVER_BIND | STREAM_SERVER_LISTEN,
        stream_context_create(['socket' => ['backlog' => 0]]));
      echo stream_socket_get_name($server, false), "\\n";
      fgets(STDIN);`], { stdio: ['pipe', 'pipe', 'inherit'] });
    const fillers = [];
    try {
      const name = await within(new Promise((resolve) => {
        full.stdout.once('data', (x) => resolve(String(x).trim()));
      }), 5000, 'the server');
      const fill = () => {
        const made = net.connect(Number(name.split(':')[1]), '127.0.0.1');
        made.on('error', () => {});
        fillers.push(made);
        return made;
      };
      await within(new Promise((resolve) => { fill().once('connect', resolve); }), 5000, 'one');
      fill();
      fill();
      const php = await client({ url: `http://${name}`, connectTimeoutMs: 200,
        timeoutMs: 600000 });
      const error = await failure(php.ask('publish', ...letter('anna', 1)));
      assert.deepEqual([error.class, error.mayHaveArrived], [transport, false]);
      assert.match(error.message, /cannot be reached \(no connection within 200 ms\); nothing/);
    } finally {
      fillers.forEach((x) => x.destroy());
      full.kill('SIGKILL');
    }
  });

  test('a router that hangs costs the time limit', async () => {
    const peer = await during(startPeer(['hang', 'hang', 'hang', 'hang']));
    const ms = 400 * slow;
    const php = await client({ url: peer.url, timeoutMs: ms });
    const late = async (...words) => {
      const error = await failure(php.ask(...words));
      assert.equal(error.class, transport);
      return error;
    };
    const plain = await late('publish', ...letter('anna', 1));
    assert.equal(plain.mayHaveArrived, true);
    assert.ok(plain.message.includes(
      `did not answer within ${ms} ms. It may have done this: without an idempotency key`));
    const keyed = await late('publish', ...letter('anna', 1), { key: 'a' });
    assert.match(keyed.message, /It may have done this; to ask again does no harm$/);
    const confirm = await late('publishConfirmed', ...letter('anna', 1), 100);
    assert.ok(confirm.message.includes(`did not answer within ${ms + 100} ms`));
    const asked = await late('presence', 'anna');
    assert.equal(asked.mayHaveArrived, false);
    assert.match(asked.message, /did not answer within \d+ ms$/);
    // None of them was sent twice, and a late answer is dropped.
    assert.equal(peer.requests.items.length, 4);
    assert.equal((await php.ask('publish', 'now')).type, 'now');
  });

  const strangers = [
    ['html', /answered 404 text\/html, which is no answer of a router/, false],
    ['bad-gateway', /answered 502 text\/html/, true],
    ['redirect', /answered 307 without content/, true],
    ['object', /answered an answer without "ok"/, true],
  ];
  for (const [what, message, mayHaveArrived] of strangers)
    test(`an answer that is ${what} is none of a router`, async () => {
      const peer = await during(startPeer([what]));
      const php = await client({ url: peer.url });
      const error = await failure(php.ask('publish', 'x'));
      assert.deepEqual([error.class, error.mayHaveArrived], [transport, mayHaveArrived]);
      assert.match(error.message, message);
      assert.match(error.message, /is this its listen\.ingest/);
      assert.equal(peer.requests.items.length, 1);
    });

  test('neither batches nor questions take an answer that is none', async () => {
    const peer = await during(startPeer(['object', 'object', 'object', 'object']));
    const php = await client({ url: peer.url });
    for (const words of [['publishBatch', [{ type: 'x' }]], ['online', ['a']],
      ['presence', 'a'], ['disconnectUser', 'a']])
      assert.equal((await failure(php.ask(...words))).class, transport);
  });
});

describe('the connection', { skip }, () => {
  test('50 posts and questions are one connection', async () => {
    const relay = await during(startRelay(router.ingest.port));
    const php = await client({ url: relay.url, keepAliveMs: 600000 });
    for (let i = 0; i < 50; ++i)
      await php.ask('publish', 'announcement', i);
    await php.ask('isOnline', 'anna');
    await php.ask('presence', 'anna');
    await failure(php.ask('publish', 'unknown'));
    await php.ask('publishBatch', [{ type: 'announcement' }]);
    assert.equal(relay.connections, 1);
    await php.ask('close');
    await php.ask('publish', 'announcement', 50);
    assert.equal(relay.connections, 2);
  });

  test('one that rested longer than keepAliveMs is not used again', async () => {
    const peer = await during(startPeer());
    const php = await client({ url: peer.url, keepAliveMs: 0 });
    for (let i = 0; i < 3; ++i)
      await php.ask('publish', 'x');
    assert.deepEqual(peer.requests.items.map((x) => x.connection), [1, 2, 3]);
  });

  test('one that was ended at rest costs nothing', async () => {
    const peer = await during(startPeer());
    const php = await client({ url: peer.url, keepAliveMs: 600000 });
    for (let i = 0; i < 5; ++i) {
      await php.ask('publish', 'x');
      await peer.endAll();
    }
    assert.equal(peer.requests.items.length, 5);
  });

  const keyed = ['publish', 'x', 1, { key: 'k' }];
  const plain = ['publish', 'x', 1];
  const batch = (...keys) => ['publishBatch', keys.map((key) => ({ type: 'x', key }))];
  // What the other end does with each request, the call after the first one,
  // whether it succeeds, and how often it may be seen.
  const cases = [
    ['a post with a key is made once more', ['answer', 'close'], keyed, true, 2],
    ['after a reset too', ['answer', 'reset'], keyed, true, 2],
    ['a post without a key is not', ['answer', 'close'], plain, false, 1],
    ['after a reset neither', ['answer', 'reset'], plain, false, 1],
    ['a batch with keys is', ['answer', 'close'], batch('a', 'b'), true, 2],
    ['a batch with one event without a key is not', ['answer', 'close'], batch('a', null), false, 1],
    ['a command is', ['answer', 'close'], ['disconnectUser', 'anna'], true, 2],
    ['a question is', ['answer', 'reset'], ['presence', 'anna'], true, 2],
    ['but only once', ['answer', 'close', 'close', 'close'], keyed, false, 2],
    ['a question neither', ['answer', 'close', 'close', 'close'], ['presence', 'a'], false, 2],
    ['not after the beginning of an answer', ['answer', 'truncate'], keyed, false, 1],
    ['nor if a reset follows it', ['answer', 'break'], keyed, false, 1],
  ];
  for (const [name, script, call, succeeds, times] of cases)
    test(`when a kept one is lost: ${name}`, async () => {
      const peer = await during(startPeer(script));
      const php = await client({ url: peer.url, keepAliveMs: 600000 });
      await php.ask('publish', 'first');
      if (succeeds) {
        await php.ask(...call);
      } else {
        const error = await failure(php.ask(...call));
        assert.equal(error.class, transport);
        assert.equal(error.mayHaveArrived, call[0] !== 'presence');
      }
      const sent = peer.requests.items.slice(1);
      assert.equal(sent.length, times);
      assert.equal(new Set(sent.map((x) => x.body)).size, 1);
      assert.equal(sent[0].connection, 1);
      // It goes on as if nothing had been.
      peer.script.length = 0;
      assert.equal((await php.ask('publish', 'later')).type, 'later');
    });

  test('a new one that is lost is not replaced', async () => {
    const peer = await during(startPeer(['close', 'reset']));
    const php = await client({ url: peer.url });
    for (const words of [keyed, keyed]) {
      const error = await failure(php.ask(...words));
      assert.deepEqual([error.class, error.mayHaveArrived], [transport, true]);
      assert.match(error.message, /ended the connection without an answer/);
    }
    assert.equal(peer.requests.items.length, 2);
  });

  test('a forked process has one of its own', { skip: withoutFork }, async () => {
    const peer = await during(startPeer());
    const child = spawn('php', [...everything, path.join(here, 'fork.php'), peer.url],
      { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (x) => { out += x; });
    await within(new Promise((resolve) => { child.once('close', resolve); }), 20000, 'fork.php');
    assert.deepEqual(JSON.parse(out), [['parent'], ['child']]);
    assert.equal(peer.connections, 2);
  });

  test('the environment\'s proxy is not asked', async () => {
    const proxy = await during(startPeer());
    const php = await client({ env: { http_proxy: proxy.url, ALL_PROXY: proxy.url } });
    await php.ask('publish', 'announcement', 1);
    assert.equal(proxy.connections, 0);
  });
});

describe('TLS in front of the router', { skip: skip || withoutOpenssl }, () => {
  const at = (name) => path.join(folder, name);
  let folder;
  let relay;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'signalbox-php-tls-'));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
      'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', '/CN=relay',
      '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', at('relay.key'),
      '-out', at('relay.pem')], { stdio: 'pipe' });
    relay = await startRelay(router.ingest.port,
      { cert: readFileSync(at('relay.pem')), key: readFileSync(at('relay.key')) });
  });

  after(async () => {
    await relay?.close();
    rmSync(folder, { recursive: true });
  });

  test('a certificate of a known authority will do', async () => {
    const php = await client({ url: relay.url, caFile: at('relay.pem') });
    await php.ask('publish', 'announcement', 1);
    await php.ask('publish', 'announcement', 2);
    assert.equal(relay.connections, 1);
  });

  test('one of an unknown authority or for another name will not', async () => {
    const strange = await client({ url: relay.url });
    const named = await client({ url: `https://localhost:${relay.port}`, caFile: at('relay.pem') });
    for (const php of [strange, named]) {
      const error = await failure(php.ask('publish', 'announcement', 1));
      assert.deepEqual([error.class, error.mayHaveArrived], [transport, false]);
      assert.match(error.message, /certificate/i);
    }
  });

  for (const yii of [1, 2])
    test(`the component for Yii ${yii} uses it`, async () => {
      const php = await component(yii, { port: relay.port, tls: true, caFile: at('relay.pem') });
      assert.equal((await php.ask('sendMsg', 'announcement', 1)).ok, true);
    });
});

for (const yii of [1, 2])
  describe(`the component for Yii ${yii}`, { skip }, () => {
    test('sends what it is told into its namespace', async () => {
      const [tab, other] = [await anna(), await anna({ namespace: '/custom' })];
      const php = await component(yii);
      assert.equal(php.class, yii === 1 ? 'SignalboxComponent'
        : 'signalbox\\yii2\\SignalboxComponent');
      assert.equal(await php.ask('getIsInitialized'), true);
      const answer = await php.ask('sendMsg', ...letter('anna', text));
      assert.deepEqual([answer.ok, answer.matched, answer.online], [true, 1, 1]);
      assert.equal((await next(tab, 'letter'))[0].text, text);
      for (const name of ['/custom', 'custom']) {
        await php.ask('setNamespace', name);
        await php.ask('sendMsg', ...letter('anna', name));
        await next(other, 'letter', (x) => x.text === name);
      }
      await php.ask('setNamespace', '');
      await php.ask('sendMsg', 'announcement', 'fence');
      await next(tab, 'announcement');
      assert.equal(tab.received.items.length, 2);
      assert.equal(other.received.items.length, 2);
    });

    test('takes its properties from the configuration', async () => {
      const tab = await anna({ namespace: '/custom' });
      const php = await component(yii, { host: '127.0.0.1', port: String(router.ingest.port),
        namespace: 'custom', timeoutMs: 9000, connectTimeoutMs: 900, keepAliveMs: 5000 });
      await php.ask('sendMsg', 'announcement', 1);
      await next(tab, 'announcement');
      assert.equal((await php.ask('sendMsg', 'announcement', 2, { key: `y${yii}` })).dup, false);
      assert.equal((await php.ask('sendMsg', 'announcement', 2, { key: `y${yii}` })).dup, true);
    });

    test('keeps one connection until it is closed', async () => {
      const relay = await during(startRelay(router.ingest.port));
      const php = await component(yii, { port: relay.port });
      assert.equal(relay.connections, 0);
      for (let i = 0; i < 10; ++i)
        await php.ask('sendMsg', 'announcement', i);
      assert.equal(relay.connections, 1);
      await php.ask('close');
      await php.ask('close');
      await php.ask('sendMsg', 'announcement', 10);
      assert.equal(relay.connections, 2);
    });

    test('says what is wrong', async () => {
      const php = await component(yii);
      const error = await failure(php.ask('sendMsg', 'unknown', 1));
      assert.deepEqual([error.class, error.errorCode], [refusal, 'no_rule']);
      const late = await failure(component(yii, { timeoutMs: 0 }));
      assert.match(late.message, /^timeoutMs is/);
      assert.match((await failure(component(yii, { key: '' }))).message, /key is empty/);
      assert.match((await failure(component(yii, { port: 'x' }))).message, /is no address/);
      const lost = await component(yii, { host: '::1', port: 1 });
      assert.match((await failure(lost.ask('sendMsg', 'x', 1))).message, /http:\/\/\[::1\]:1 /);
    });

    test('gives its client for the rest', async () => {
      const php = await component(yii);
      await php.ask('getClient');
      assert.equal(await php.ask('isOnline', 'nobody'), false);
    });
  });

describe('the documentation', { skip }, () => {
  let folder;

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'signalbox-php-'));
    for (const name of ['vendor', 'config', 'protected', 'protected/vendor', 'protected/config'])
      mkdirSync(path.join(folder, name));
    for (const name of ['vendor', 'protected/vendor'])
      symlinkSync(library, path.join(folder, name, 'signalbox'));
    save('client', 'push.php');
    save('yii1-config', 'protected/config/main.php');
    save('yii2-config', 'config/web.php');
  });

  after(() => rmSync(folder, { recursive: true }));

  // Writes an example, with the router's address for that of its text.
  function save(name, file, prelude = '', epilogue = '') {
    const code = examples.get(name).replace('http://127.0.0.1:8401', router.ingestUrl)
      .replace("'port' => 8401", `'port' => ${router.ingest.port}`);
    writeFileSync(path.join(folder, file), `${prelude}${code}${epilogue}`);
  }

  // Runs an example after its prelude; resolves to what it printed, and to its
  // variable `answer`.
  async function run(name, { prelude = "$push = require __DIR__ . '/push.php';", key = siteKey,
    fails = /^$/ } = {}) {
    save(name, 'example.php', `<?php\n${prelude}\n`,
      "\necho \"\\n\", json_encode($answer ?? null), \"\\n\";");
    const child = spawn('php', [...everything, 'example.php'],
      { cwd: folder, env: { ...environment, SIGNALBOX_KEY: key }, stdio: 'pipe' });
    const [out, err] = [[], []];
    child.stdout.setEncoding('utf8').on('data', (x) => out.push(x));
    child.stderr.setEncoding('utf8').on('data', (x) => err.push(x));
    const code = await within(new Promise((resolve) => { child.once('close', resolve); }),
      20000, name);
    assert.equal(code, 0, err.join(''));
    assert.match(err.join(''), fails);
    const lines = out.join('').trimEnd().split('\n');
    return { answer: JSON.parse(lines.pop()), lines: lines.filter(Boolean) };
  }

  const seventeen = (namespace = '/') => connect(router.publicUrl, { session: '17', namespace });

  test('has no example that is not run here', () => {
    assert.equal(documentation.match(/^```(php|diff)$/gm).length, examples.size);
    const text = readFileSync(new URL(import.meta.url), 'utf8');
    for (const name of examples.keys())
      assert.ok(text.includes(`'${name}'`), name);
  });

  test('publishes', async () => {
    const tab = await seventeen();
    assert.equal((await run('publish')).answer.online, 1);
    assert.equal((await next(tab, 'letter'))[0].text, 'hello');
  });

  test('publishes with options', async () => {
    const tab = await seventeen('/news');
    await run('options');
    await run('options');
    await deliver(router, { type: 'announcement', namespace: '/news' });
    const got = await tab.received.take(2);
    assert.deepEqual(got.map((x) => x.event), ['letter', 'announcement']);
  });

  test('publishes a batch', async () => {
    const tab = await seventeen();
    assert.deepEqual((await run('batch')).lines, ['ben: no_recipient at /1/payload/to']);
    assert.equal((await next(tab, 'letter'))[0].text, 'one');
  });

  test('confirms', async () => {
    const tab = await seventeen();
    tab.on('letter', (_, ack) => ack());
    assert.deepEqual((await run('confirm')).lines, ['17: delivered', '18: offline']);
  });

  test('asks and acts', async () => {
    const tab = await seventeen();
    const gone = disconnected(tab);
    await run('act');
    await gone;
  });

  test('tells [] from {}', async () => {
    const tab = await seventeen();
    await run('empty');
    assert.deepEqual((await next(tab, 'letter'))[0], { to: 17, list: [], object: {} });
  });

  test('lets a page go on', async () => {
    await run('errors');
    await run('errors', { key: 'wrong', fails: /^push: the router refused this: bad_key/ });
  });

  const configurations = [
    [1, "Yii::$base = __DIR__ . '/protected'; Yii::start(require 'protected/config/main.php');"],
    [2, "Yii::start(require 'config/web.php');"],
  ];
  for (const [yii, start] of configurations)
    test(`configures and uses the component for Yii ${yii}`, async () => {
      const [tab, other] = [await seventeen(), await seventeen('/news')];
      const { answer } = await run(yii === 1 ? 'yii1-send' : 'yii2-send',
        { prelude: `require '${here}yii${yii}.php'; ${start}` });
      assert.equal(answer.online, 1);
      assert.equal((await next(tab, 'letter'))[0].text, `from Yii ${yii}`);
      if (yii === 1)
        assert.deepEqual(await next(other, 'announcement'), ['to all in /news']);
    });

  test('replaces elephant.io', async () => {
    const tab = await seventeen('/news');
    await run('elephant', { prelude: "require 'vendor/signalbox/signalbox.php';" });
    assert.equal((await next(tab, 'letter'))[0].text, 'hello');
  });
});

describe('the files', { skip }, () => {
  const files = [library, here].flatMap((folder) =>
    readdirSync(folder, { recursive: true }).filter((x) => x.endsWith('.php'))
      .map((x) => path.join(folder, x)));

  test('are without a syntax error', () => {
    assert.ok(files.length > 10);
    for (const file of files) {
      const { status, stdout, stderr } = spawnSync('php', [...everything, '-l', file],
        { encoding: 'utf8' });
      assert.equal(status, 0, `${stdout}${stderr}`);
      assert.match(readFileSync(file, 'utf8'), /^<\?php\n\ndeclare\(strict_types=1\);\n/);
    }
  });

  test('are found by Composer\'s map', () => {
    const { autoload, require } = JSON.parse(readFileSync(path.join(library, 'composer.json')));
    assert.deepEqual(Object.keys(require), ['php', 'ext-curl', 'ext-json']);
    for (const file of files.filter((x) => x.startsWith(library))) {
      const text = readFileSync(file, 'utf8');
      const name = /^(?:final )?(?:class|trait) (\w+)/m.exec(text)?.[1];
      const [folder, base] = [path.relative(library, path.dirname(file)), path.basename(file)];
      if (!name)
        continue;
      assert.equal(`${name}.php`, base);
      const space = /^namespace ([\w\\]+);/m.exec(text)?.[1];
      if (space)
        assert.equal(autoload['psr-4'][`${space}\\`], `${folder}/`, file);
      else
        assert.ok(autoload.classmap.includes(`${folder}/`), file);
    }
  });
});
