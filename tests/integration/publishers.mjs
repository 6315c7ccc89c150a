// Old PHP publishers as they are: what versions of elephant.io put on the wire,
// byte for byte, at the listener that asks for no key; and the real libraries
// where variables such as ELEPHANT_2_0=FOLDER name unpacked copies.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, beforeEach, describe, test } from 'node:test';

import { closeAll, connect } from './support/clients.mjs';
import { slow, until } from './support/deadline.mjs';
import { closeAll as closeOld, open } from './support/generations.mjs';
import { deliver } from './support/ingest.mjs';
import { metric } from './support/metrics.mjs';
import { Connection, frame } from './support/raw.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const runs = process.env.SIGNALBOX_SLOW ? 100 : 1000;

let site;
let router;
let port;
const tabs = {};

// Starts the router that the tests speak to, and a page in each namespace.
async function start(changes = {}) {
  router = await startRouter({ site, changes: {
    listen: { site: '127.0.0.1:0' },
    namespaces: [{ name: '/' }, { name: '/ns' }],
    rules: [
      { type: 'action', to: 'all' },
      { type: 'message', to: 'all' },
      { type: 'letter', to: 'user', pointer: '/to' },
    ],
    ...changes,
  } });
  const ready = router.program.lines.items.find((x) => x.startsWith('ready'));
  port = Number(JSON.parse(ready.slice(6)).site.split(':').at(-1));
  for (const namespace of ['/', '/ns'])
    tabs[namespace] = await connect(router.publicUrl, { namespace, session: 'anna' });
}

before(async () => {
  site = await startSite();
  await start();
});

after(async () => {
  closeAll();
  await router?.stop();
  await site?.close();
});

const lines = (...all) => `${all.join('\r\n')}\r\n\r\n`;
const close30 = Buffer.from([0x88, 0x81, 0, 0, 0, 0, 0x30]);

// PHP writes text in ASCII and escapes slashes.
const escaped = '{"foo":"bar","t":"h\\u00e9 a\\/b"}';
const plain = { foo: 'bar', t: 'hé a/b' };
const meta = '{"meta":{"id":1,"type":"event","data":{"event":"hello"}},'
  + '"data":{"text":"h\\u00e9 a\\/b"}}';

// What 0.9 sends before its frames. Nothing is sent by `5.x` but what it sends
// itself; its Cookie: io=... only repeats what Socket.IO servers set.
const old = {
  first: () => 'GET /socket.io/1 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAccept: */*\r\n\r\n',
  upgrade: (sid) => lines(`GET /socket.io/1/websocket/${sid} HTTP/1.1`, 'Host: 127.0.0.1',
    'Upgrade: WebSocket', 'Connection: Upgrade',
    'Sec-WebSocket-Key: +zg58Xt4q6wZH3+63fyZlA==', 'Sec-WebSocket-Version: 13', 'Origin: *'),
};
const bareLf = {
  first: () => 'GET /socket.io/1 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAccept: */*\r\n'
    + 'Origin: http://127.0.0.1:PORT\n\n\r\n\r\n',
  upgrade: (sid) => `GET /socket.io/1/websocket/${sid} HTTP/1.1\r\nHost: 127.0.0.1\r\n`
    + 'Upgrade: WebSocket\r\nConnection: Upgrade\r\n'
    + 'Sec-WebSocket-Key: azKFcV+KpzY27Usmpc2Daw==\r\nSec-WebSocket-Version: 13\r\n'
    + 'Origin: http://127.0.0.1:PORT\n\n',
};
const three = (eio, key, more = '') => ({
  first: () => lines(`GET /socket.io/?use_b64=0&EIO=${eio}&transport=polling HTTP/1.1`,
    'Host: 127.0.0.1:PORT', 'Connection: close'),
  upgrade: (sid) => lines(`GET /socket.io/?sid=${sid}&EIO=${eio}&transport=websocket${more} HTTP/1.1`,
    'Host: 127.0.0.1:PORT', 'Upgrade: WebSocket', 'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`, 'Sec-WebSocket-Version: 13', 'Origin: *'),
});
const five = (first, upgrade, key) => {
  const headers = ['Host: 127.0.0.1:PORT', 'Accept: */*', 'Origin: http://127.0.0.1:PORT',
    'Referer: http://127.0.0.1:PORT', 'User-Agent: Elephant.io/*'];
  return {
    // Handshake and upgrade share a TCP connection.
    keeps: true,
    headers,
    first: () => lines(`GET ${first} HTTP/1.1`, ...headers, 'Connection: keep-alive'),
    upgrade: (sid) => lines(`GET ${upgrade.replace('SID', sid)} HTTP/1.1`, ...headers,
      'Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Key: ${key}`,
      'Sec-WebSocket-Version: 13'),
  };
};

// Each names what it sends, and which events must arrive where.
const transcripts = {
  '2.0, protocol 0.9': { ...old,
    frames: ['5:::{"name":"action","args":"foo"}',
      '5::/ns:{"name":"action","args":{"to":"u1","msg":"h\\u00e9\\u20ac\\ud83d\\ude00 a\\/b"}}',
      '0:::'],
    arrives: { '/': [['action', 'foo']],
      '/ns': [['action', { to: 'u1', msg: 'hé€😀 a/b' }]] } },
  'oncesk 2013': { ...old,
    frames: ['1::/ns', `5::/ns:{"name":"action","args":${meta}}`,
      '5::/ns:{"name":"action","args":["x",2]}', '4::/ns:{"a":1}', '3::/ns:plain text'],
    arrives: { '/ns': [['action', JSON.parse(meta)], ['action', 'x'],
      ['message', { a: 1 }], ['message', 'plain text']] } },
  'oncesk 2014, lines that end with LF, close with one byte': { ...bareLf, end: close30,
    frames: ['1::/ns', `5::/ns:{"name":"action","args":${meta}}`, '3::/ns:plain text'],
    arrives: { '/ns': [['action', JSON.parse(meta)], ['message', 'plain text']] } },
  '3.3, Socket.IO 1, a key of 28 characters': {
    ...three(2, 'jCYzdJJpvZgDFdOvNc+Riaed5Ck=', '&use_b64=0'),
    frames: ['5', `42["action",${escaped}]`, '40/ns', '42/ns,["action",{"x":1}]', '1'],
    arrives: { '/': [['action', plain]], '/ns': [['action', { x: 1 }]] } },
  '3.3, Socket.IO 2': { ...three(3, 'q/vLtIL78ubfMCzV67vVcQ=='),
    frames: ['5', `42["action",${escaped}]`, '40/ns', '42/ns,["action",{"x":1}]', '1'],
    arrives: { '/': [['action', plain]], '/ns': [['action', { x: 1 }]] } },
  '5.1, protocol 0.9, names without a slash': {
    ...five('/socket.io/1/xhr-polling/', '/socket.io/1/websocket/SID/',
      'mhlbjeLYJ2w26esBJtlm8gp/Qf8='),
    frames: [`5:::{"name":"action","args":[${escaped}]}`, '1::ns',
      '5::ns:{"name":"action","args":[{"x":1}]}'],
    arrives: { '/': [['action', plain]], '/ns': [['action', { x: 1 }]] } },
  '5.1, Socket.IO 1': {
    ...five('/socket.io/?EIO=2&transport=polling&t=Q84_g4m',
      '/socket.io/?EIO=2&transport=websocket&t=Q84_g4m.0&sid=SID',
      'O2PYdhMdXGx1GOLmVq6ulEfReQg='),
    frames: ['5', `42["action",${escaped}]`, '40/ns', '42/ns,["action",{"x":1}]', '1'],
    arrives: { '/': [['action', plain]], '/ns': [['action', { x: 1 }]] } },
  '5.1, Socket.IO 2': {
    ...five('/socket.io/?EIO=3&transport=polling&t=Q84_fr8',
      '/socket.io/?EIO=3&transport=websocket&t=Q84_fr8.0&sid=SID', 'RIzE8QwY3s/o20ClJAuryQ=='),
    frames: ['5', `42["action",${escaped}]`, '40/ns', '42/ns,["action",{"x":1}]', '1'],
    arrives: { '/': [['action', plain]], '/ns': [['action', { x: 1 }]] } },
  '5.1, Socket.IO 4': {
    ...five('/socket.io/?EIO=4&transport=polling&t=Q84_f6G',
      '/socket.io/?EIO=4&transport=websocket&t=Q84_f6G.2&sid=SID', 'ecHLZQYfWd14FBA4EJ+8mQ=='),
    connect: '40{"token":"abc"}',
    frames: ['5', `42["action",${escaped}]`, '40/ns,{"token":"abc"}',
      '42/ns,["action",{"x":1}]', '1'],
    arrives: { '/': [['action', plain]], '/ns': [['action', { x: 1 }]] } },
  '4.0, Socket.IO 4': {
    ...three(4, 'CQ16U3wDj9wcPj2+RrRR5A=='), connect: '40',
    frames: ['5', `42["action",${escaped}]`, '40/ns', '42/ns,["action",{"x":1}]', '1'],
    arrives: { '/': [['action', plain]], '/ns': [['action', { x: 1 }]] } },
};

// With the colon: a session id has none, but may well hold the word.
const here = (text) => text.replaceAll(':PORT', `:${port}`);

// The session id in whatever a handshake answers.
function sidOf(body) {
  return /"sid":"([^"]+)"/.exec(body)?.[1] ?? body.split(':')[0];
}

// Says what a publisher says, all frames in one write, and is gone at once:
// the system tells the router by a reset, because nothing was read.
async function publish(x, { reset = true } = {}) {
  let connection = await Connection.open(port);
  const ask = async (text) => {
    connection.write(here(text));
    const answer = await connection.response();
    assert.equal(answer?.status, 200, JSON.stringify(answer));
    if (!x.keeps) {
      connection.destroy();
      connection = await Connection.open(port);
    }
    return answer.body;
  };
  const sid = sidOf(await ask(x.first()));
  if (x.connect) {
    const query = `EIO=4&transport=polling&t=x&sid=${sid}`;
    await ask(lines(`POST /socket.io/?${query} HTTP/1.1`, ...(x.headers ?? ['Host: 127.0.0.1:PORT']),
      'Content-Type: text/plain; charset=UTF-8', `Content-Length: ${x.connect.length}`)
      + x.connect);
    assert.match(await ask(lines(`GET /socket.io/?${query} HTTP/1.1`,
      ...(x.headers ?? ['Host: 127.0.0.1:PORT']))), /^40\{"sid"/);
  }
  connection.write(here(x.upgrade(sid)));
  const answer = await connection.response();
  assert.equal(answer?.status, 101, JSON.stringify(answer));
  const frames = x.frames.map((text) => frame(1, text));
  connection.socket.end(Buffer.concat([...frames, ...(x.end ? [x.end] : [])]));
  if (reset)
    await new Promise((resolve) => {
      connection.socket.once('finish', resolve).once('close', resolve);
    }).then(() => connection.socket.resetAndDestroy());
  else
    await connection.closed();
}

let marks = 0;

// Resolves to what arrived in a namespace up to a mark posted now.
async function arrived(namespace) {
  const mark = `mark ${++marks}`;
  await deliver(router, { namespace, type: 'mark', to: 'all', event: 'mark', args: [mark] });
  const { received } = tabs[namespace];
  await received.find((x) => x.args[0] === mark);
  const items = received.items.splice(0, received.items.length);
  return items.filter((x) => x.event !== 'mark').map(({ event, args }) => [event, ...args]);
}

// What an earlier test left on its way belongs to none.
beforeEach(async () => {
  for (const namespace of ['/', '/ns'])
    await arrived(namespace);
});

describe('publishers without a key', () => {
  for (const [name, x] of Object.entries(transcripts)) {
    test(`elephant.io ${name}`, async () => {
      await publish(x, { reset: false });
      const count = Object.values(x.arrives).flat().length;
      const enough = () => Object.values(tabs).reduce(
        (sum, tab) => sum + tab.received.items.length, 0) >= count;
      await until(enough, 5000, 'the events to arrive');
      for (const namespace of ['/', '/ns'])
        assert.deepEqual(await arrived(namespace), x.arrives[namespace] ?? []);
    });

    test(`elephant.io ${name}: ${runs} times connect, emit, gone`, async () => {
      const accepted = await metric(router, 'events_total{result="accepted"}');
      for (let done = 0; done < runs; done += 20)
        await Promise.all(Array.from({ length: 20 }, () => publish(x)));
      const count = Object.values(x.arrives).flat().length * runs;
      await until(async () => await metric(router, 'events_total{result="accepted"}')
        >= accepted + count, 20000, () => 'every event to be taken');
      for (const [namespace, events] of Object.entries(x.arrives)) {
        const seen = await arrived(namespace);
        assert.equal(seen.length, events.length * runs, namespace);
        for (const event of events)
          assert.equal(seen.filter((y) => JSON.stringify(y) === JSON.stringify(event)).length,
            runs, JSON.stringify(event));
      }
    });
  }

  test('nobody who is no publisher gets an event or is asked about', async () => {
    const asked = site.asked.items.length;
    const { received } = tabs['/'];
    received.items.length = 0;
    await publish(transcripts['2.0, protocol 0.9'], { reset: false });
    await received.find((x) => x.event === 'action');
    assert.equal(site.asked.items.length, asked);
    await arrived('/');
    await arrived('/ns');
  });
});

describe('the libraries themselves', () => {
  const script = fileURLToPath(new URL('elephant/publish.php', import.meta.url));
  const folders = Object.entries(process.env).filter(([name]) => name.startsWith('ELEPHANT_'));

  // 3 has no engine for 0.9 that works with any server; before it there is but one.
  const engines = (folder) => (existsSync(`${folder}/src/Engine/SocketIO/Version4X.php`)
    ? [0, 1, 2, 3, 4] : existsSync(`${folder}/src`) ? [1, 2] : [0]);

  // By hand only: what the libraries write is in the transcripts above. Copies of
  // them, one a variable ELEPHANT_..., are not among what the tests install.
  for (const [name, folder] of folders)
    for (const engine of engines(folder))
      for (const namespace of ['/', '/ns'])
        test(`${name}, engine ${engine}, namespace ${namespace}`, async () => {
          const { received } = tabs[namespace];
          received.items.length = 0;
          const contents = [{ to: 'u1', text: 'hé 😀 a/b' }, { n: 2 }];
          const outcome = await new Promise((resolve) => {
            execFile('php', [script, folder, engine, '127.0.0.1', port, namespace, 'action',
              JSON.stringify(contents)], { timeout: 20000 * slow },
            (error, out, err) => resolve({ code: error?.code ?? 0, err }));
          });
          assert.equal(outcome.code, 0, outcome.err);
          await received.take(contents.length, (x) => x.event === 'action');
          assert.deepEqual(await arrived(namespace), contents.map((x) => ['action', x]));
        });
});

describe('a listener for one namespace', () => {
  let wide;
  const refused = () => metric(router, 'events_total{result="refused"}');

  before(async () => {
    wide = { router, port, tabs: { ...tabs } };
    await start({ 'site-listener': { namespaces: ['/ns'] } });
  });

  after(async () => {
    await router.stop();
    ({ router, port } = wide);
    Object.assign(tabs, wide.tabs);
  });

  for (const [name, x] of Object.entries(transcripts))
    test(`takes what is for it from ${name}`, async () => {
      const wanted = await refused() + (x.arrives['/'] ?? []).length;
      await publish(x, { reset: false });
      const meant = x.arrives['/ns'] ?? [];
      await until(() => tabs['/ns'].received.items.length >= meant.length, 5000,
        'the events to arrive');
      await until(async () => await refused() === wanted, 5000,
        'the events for the other namespace to be refused');
      assert.deepEqual(await arrived('/ns'), meant);
      assert.deepEqual(await arrived('/'), []);
    });

  test('takes the official client of 0.9 by WebSocket', async () => {
    const { socket, ...tab } = await open({ publicUrl: `http://127.0.0.1:${port}` },
      { version: '0.9', way: 'websocket', namespace: '/ns' });
    await tab.life.find((x) => x.event === 'connect', 5000, 'connect');
    socket.emit('action', 'by hand');
    const { received } = tabs['/ns'];
    await received.find((x) => x.event === 'action');
    assert.deepEqual(await arrived('/ns'), [['action', 'by hand']]);
    closeOld();
  });
});

describe('who is no publisher', () => {
  async function refused(text, why) {
    const connection = await Connection.open(port);
    connection.write(here(text));
    const answer = await connection.response();
    assert.equal(answer.status, 403, JSON.stringify(answer));
    assert.match(answer.body, why);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
    await connection.closed();
  }
  const ask = (...headers) => lines('GET /socket.io/1/ HTTP/1.1', ...headers);

  for (const [what, headers, why] of [
    ['a cookie', ['Host: 127.0.0.1:PORT', 'Cookie: a=b'], /Cookie/],
    ['a header that browsers add', ['Host: 127.0.0.1:PORT', 'Sec-Fetch-Site: same-origin'],
      /listen\.public/],
    ['another Origin', ['Host: 127.0.0.1:PORT', 'Origin: http://127.0.0.1:1'], /Origin/],
    ['no Origin in particular', ['Host: 127.0.0.1:PORT', 'Origin: null'], /Origin/],
    ['a Host that is not in the list', ['Host: evil.test:PORT'], /site-listener\.hosts/],
  ])
    test(`${what} is refused`, () => refused(ask(...headers), why));

  test('nothing is offered that only a page needs', async () => {
    const connection = await Connection.open(port);
    connection.write(here(ask('Host: 127.0.0.1:PORT')));
    const line = (await connection.response()).body;
    assert.match(line, /:websocket,xhr-polling$/);
    connection.write(here(lines('GET /socket.io/1/?jsonp=0 HTTP/1.1', 'Host: 127.0.0.1:PORT')));
    assert.equal((await connection.response()).status, 403);
    connection.write(here(lines('GET /socket.io/?EIO=3&transport=polling&j=0 HTTP/1.1',
      'Host: 127.0.0.1:PORT')));
    assert.equal((await connection.response()).status, 400);
    connection.destroy();
  });

  test('bare line ends are refused where a key is asked for', async () => {
    const connection = await Connection.open(router.public.port);
    connection.write('GET /socket.io/1/ HTTP/1.1\nHost: 127.0.0.1\n\n');
    assert.equal((await connection.response()).status, 400);
    await connection.closed();
  });

  test('and with a body everywhere', async () => {
    const connection = await Connection.open(port);
    connection.write('GET /socket.io/1/ HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 1\n\nx');
    assert.equal((await connection.response()).status, 400);
    await connection.closed();
  });
});

describe('publishers of old with a key', () => {
  test('come by the public listener', async () => {
    const { received } = tabs['/'];
    received.items.length = 0;
    for (const way of [
      { first: '/socket.io/1/?key=KEY', upgrade: '/socket.io/1/websocket/SID',
        frames: ['5:::{"name":"action","args":["0.9"]}'] },
      { first: '/socket.io/?EIO=3&transport=polling&key=KEY',
        upgrade: '/socket.io/?EIO=3&transport=websocket&sid=SID', frames: ['5', '42["action","1"]'] },
    ]) {
      const connection = await Connection.open(router.public.port);
      const ask = (path, ...headers) => connection.write(
        lines(`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers));
      ask(way.first.replace('KEY', 'test-key-0123456789abcdef'));
      const sid = sidOf((await connection.response()).body);
      ask(way.upgrade.replace('SID', sid), 'Upgrade: websocket', 'Connection: Upgrade',
        'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');
      assert.equal((await connection.response()).status, 101);
      connection.write(Buffer.concat(way.frames.map((text) => frame(1, text))));
      connection.socket.end();
    }
    await received.take(2, (x) => x.event === 'action');
  });

  test('a wrong key is refused', async () => {
    const connection = await Connection.open(router.public.port);
    connection.write(lines('GET /socket.io/1/?key=wrong HTTP/1.1', 'Host: 127.0.0.1'));
    const answer = await connection.response();
    assert.equal(answer.status, 403);
    assert.equal(answer.body, 'handshake unauthorized');
    connection.destroy();
  });
});
