// A large event for many clients is made and compressed once, and each client has it whole
// and in order, by every transport.

import assert from 'node:assert/strict';
import http from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { within } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { reaches } from './support/metrics.mjs';
import { startRouter } from './support/router.mjs';

const WebSocket = createRequire(import.meta.url)('ws');
// Neither repeats itself nor is ASCII alone.
const text = Array.from({ length: 40000 }, (_, i) => (i * 7919 % 65521).toString(36)).join('é "')
  .slice(0, 300000);
let router;

before(async () => {
  router = await startRouter({ changes: {
    namespaces: [{ name: '/', anonymous: true }],
    engine: { 'per-message-deflate': true },
    jsonp: { eio4: true, eio3: true },
  } });
});

after(() => router?.stop());

const agent = new http.Agent({ keepAlive: true });

// Resolves to { status, headers, body } of a request.
function ask(path, { method = 'GET', body, type = 'text/plain', gzip = false } = {}) {
  return within(new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port: router.public.port, path, method, agent,
      headers: { ...(path.includes('&j=') && { Referer: `${router.publicUrl}/` }),
        ...(gzip && { 'Accept-Encoding': 'gzip' }),
        ...(body && { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }) } },
    (response) => {
      const chunks = [];
      response.on('data', (x) => chunks.push(x)).on('error', reject).on('end', () => {
        const raw = Buffer.concat(chunks);
        const zipped = response.headers['content-encoding'] === 'gzip';
        resolve({ status: response.statusCode, headers: response.headers, zipped,
          body: (zipped ? gunzipSync(raw) : raw).toString() });
      });
    });
    request.on('error', reject);
    request.end(body);
  }), 20000, path);
}

const script = (body) => JSON.parse(/^___eio\[3\]\((.*)\);$/s.exec(body)[1]);

// How each kind of client opens its session, polls, and reads the packets of an answer.
const engine = (eio, more = '') => async (gzip) => {
  const base = `/socket.io/?EIO=${eio}&transport=polling${more}`;
  const open = await ask(base, { gzip });
  const sid = /"sid\\?":\\?"([^"\\]+)/.exec(open.body)[1];
  return { eio, path: `${base}&sid=${sid}`, gzip };
};
const kinds = {
  'Engine.IO 4': { open: engine(4), read: (x) => x.split('\x1e') },
  'Engine.IO 4 by script': { open: engine(4, '&j=3'), read: (x) => script(x).split('\x1e') },
  'Engine.IO 3': { open: engine(3, '&b64=1'), read: splitText },
  'Engine.IO 3 by script': { open: engine(3, '&j=3'), read: (x) => splitText(script(x)) },
  '0.9': {
    open: async (gzip) => {
      const [sid] = (await ask('/socket.io/1/', { gzip })).body.split(':');
      return { path: `/socket.io/1/xhr-polling/${sid}`, gzip };
    },
    read: (x) => (x.startsWith('\ufffd') ? x.split(/\ufffd\d+\ufffd/).slice(1) : [x]),
  },
};

// "LENGTH:packet" each, in UTF-16 units.
function splitText(all) {
  const found = [];
  for (let rest = all; rest !== '';) {
    const at = rest.indexOf(':');
    const end = at + 1 + Number(rest.slice(0, at));
    found.push(rest.slice(at + 1, end));
    rest = rest.slice(end);
  }
  return found;
}

// The event that a packet carries, if it does: [name, value].
function event(packet) {
  const told = /^(?:42(\[.*)|5:::(\{.*))$/s.exec(packet);
  if (!told)
    return [];
  const value = JSON.parse(told[1] ?? told[2]);
  return [told[1] ? value : [value.name, ...value.args]];
}

class Poller {
  events = [];

  constructor(kind, session) {
    Object.assign(this, session, { read: kind.read });
  }

  static async open(kind, gzip) {
    const made = new Poller(kind, await kind.open(gzip));
    if (made.eio === 4)
      await made.post('40');
    return made;
  }

  // By script tag it is a form.
  post(packet) {
    const form = this.path.includes('&j=');
    return ask(this.path, { method: 'POST', body: form ? `d=${packet}` : packet,
      type: form ? 'application/x-www-form-urlencoded' : 'text/plain' });
  }

  async poll() {
    const answer = await ask(this.path, { gzip: this.gzip });
    assert.equal(answer.status, 200);
    this.last = answer;
    for (const packet of this.read(answer.body))
      this.events.push(...event(packet));
  }

  // Polls until it has had so many events.
  async take(count) {
    while (this.events.length < count)
      await this.poll();
    return this.events.splice(0);
  }
}

async function crowd(some, each) {
  const all = [];
  for (const [name, kind] of some)
    for (const gzip of [true, false])
      for (let i = 0; i < each; ++i) {
        const poller = await Poller.open(kind, gzip);
        // The answer to its CONNECT.
        await poller.poll();
        all.push(Object.assign(poller, { name }));
      }
  return all;
}

test('a large event is whole by every way, and what follows it comes behind it', async () => {
  const all = await crowd(Object.entries(kinds), 4);
  const sockets = await Promise.all(Array.from({ length: 4 }, async () => {
    const socket = new WebSocket(
      `ws://127.0.0.1:${router.public.port}/socket.io/?EIO=4&transport=websocket`);
    const told = [];
    socket.on('message', (x) => told.push(...event(x.toString())));
    await within(new Promise((resolve) => { socket.once('open', resolve); }), 10000, 'open');
    assert.match(socket.extensions, /permessage-deflate/);
    socket.send('40');
    return { socket, told };
  }));
  await reaches(router, 'connects_total{result="accepted"}', all.length + sockets.length, 10000);
  const answers = all.map((x) => x.take(3));
  for (const payload of [text, 'behind', `${text}!`])
    await deliver(router, { type: 'announcement', payload });
  for (const [i, events] of (await Promise.all(answers)).entries()) {
    const { name } = all[i];
    assert.deepEqual(events.map((x) => x[0]), Array(3).fill('announcement'), name);
    assert.ok(events[0][1] === text && events[1][1] === 'behind' && events[2][1] === `${text}!`,
      `${name}: not what was sent`);
  }
  for (const { socket, told } of sockets) {
    await within((async () => {
      while (told.length < 3)
        await new Promise((resolve) => { socket.once('message', resolve); });
    })(), 20000, 'the events over a WebSocket');
    assert.ok(told[0][1] === text && told[1][1] === 'behind' && told[2][1] === `${text}!`);
    socket.terminate();
  }
});

test('a script is wrapped once, however its text grows by that', async () => {
  for (const size of [8000, 15000, 16000, 16400]) {
    const poller = await Poller.open(kinds['Engine.IO 3 by script'], true);
    await poller.poll();
    const quotes = '"'.repeat(size / 2);
    const taken = poller.take(1);
    await deliver(router, { type: 'announcement', payload: quotes });
    assert.deepEqual(await taken, [['announcement', quotes]], `${size} bytes`);
  }
});

test('a client that accepts gzip gets it, and no other', async () => {
  const all = await crowd(Object.entries(kinds), 1);
  const answers = all.map((x) => x.take(1));
  await deliver(router, { type: 'announcement', payload: text });
  await Promise.all(answers);
  for (const { name, gzip, last } of all)
    assert.equal(last.zipped, gzip, name);
});

test('a client that leaves while its answer is made costs no other client its own', async () => {
  const all = await crowd([['Engine.IO 4', kinds['Engine.IO 4']]], 8);
  const leaving = all.splice(0, 8).map((x) => {
    const request = http.get({ host: '127.0.0.1', port: router.public.port, path: x.path,
      agent: false, headers: { 'Accept-Encoding': 'gzip' } }, (y) => y.resume().on('error', () => {}));
    request.on('error', () => {});
    return request;
  });
  const answers = all.map((x) => x.take(1));
  await deliver(router, { type: 'announcement', payload: `${text}.` });
  for (const each of leaving)
    each.destroy();
  for (const [told] of await Promise.all(answers))
    assert.ok(told[1] === `${text}.`);
});
