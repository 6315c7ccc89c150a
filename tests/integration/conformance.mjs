// What the official suites for Engine.IO 4 and Socket.IO 5 ask of a server,
// against the small echo server. Without CONFORMANCE_BIN the reference in
// support/ is asked, which shows that the questions are right.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { startConformance } from './support/router.mjs';
import { Polling, WebSocket, base, frame, send, separator } from './support/raw.mjs';

let server;
let port;

before(async () => {
  server = await startConformance();
  port = server.port;
});

after(() => server?.stop());

const echo = '/engine.io/';
const websocketUrl = (path) => `${path}?EIO=4&transport=websocket`;
const openEcho = (options) => WebSocket.session(port, { url: websocketUrl(echo), ...options });

describe('Engine.IO handshake', () => {
  function check(open, upgrades) {
    assert.deepEqual(Object.keys(open),
      ['sid', 'upgrades', 'pingInterval', 'pingTimeout', 'maxPayload']);
    assert.equal(typeof open.sid, 'string');
    assert.ok(open.sid.length >= 16);
    assert.deepEqual(open.upgrades, upgrades);
    assert.equal(open.pingInterval, 300);
    assert.equal(open.pingTimeout, 200);
    assert.equal(open.maxPayload, 1000000);
  }

  test('over polling', async () => {
    const answer = await send(port, 'GET', base(echo));
    assert.equal(answer.status, 200);
    assert.equal(answer.body[0], '0');
    check(JSON.parse(answer.body.slice(1)), ['websocket']);
  });

  test('over WebSocket', async () => {
    const socket = await openEcho();
    check(socket.handshake, []);
    socket.destroy();
  });

  test('two sessions have two ids', async () => {
    const [one, two] = [await Polling.open(port, { path: echo }),
      await Polling.open(port, { path: echo })];
    assert.notEqual(one.sid, two.sid);
  });

  for (const [what, query] of [
    ['no transport', 'EIO=4'],
    ['an unknown transport', 'EIO=4&transport=abc'],
    ['no revision', 'transport=polling'],
    ['an unknown revision', 'EIO=abc&transport=polling'],
    ['an unknown session', 'EIO=4&transport=polling&sid=unknown'],
  ])
    test(`${what} is a 400 over polling`, async () => {
      const { status } = await send(port, 'GET', `${echo}?${query}`);
      assert.equal(status, 400);
    });

  test('a handshake by POST or PUT is a 400', async () => {
    for (const method of ['POST', 'PUT']) {
      const { status } = await send(port, method, base(echo), { body: '' });
      assert.equal(status, 400);
    }
  });

  for (const [what, query] of [
    ['no transport', 'EIO=4'],
    ['an unknown transport', 'EIO=4&transport=abc'],
    ['an unknown session', 'EIO=4&transport=websocket&sid=unknown'],
  ])
    test(`${what} opens no WebSocket`, async () => {
      const { response, connection } = await WebSocket.ask(port, `${echo}?${query}`);
      assert.equal(response.status, 400);
      await connection.closed();
    });

  test('a revision that is not spoken carries no WebSocket session', async () => {
    const { socket, connection } = await WebSocket.ask(port,
      `${echo}?EIO=abc&transport=websocket`);
    if (socket)
      assert.notEqual((await socket.frame())?.text[0], '0');
    await connection.closed();
  });
});

describe('Engine.IO messages', () => {
  test('text comes back over polling', async () => {
    const session = await Polling.open(port, { path: echo });
    const answer = await session.post('4hello');
    assert.equal(answer.status, 200);
    assert.equal(answer.body, 'ok');
    assert.deepEqual(await session.packets(), ['4hello']);
  });

  test('several packets in one POST come back in order', async () => {
    const session = await Polling.open(port, { path: echo });
    await session.post(['4one', '4two', '4', '4é\u{1F600}'].join(separator));
    assert.deepEqual(await session.collect(4), ['4one', '4two', '4', '4é\u{1F600}']);
  });

  test('binary comes back over polling', async () => {
    const session = await Polling.open(port, { path: echo });
    await session.post(`4text${separator}bAQIDBA==`);
    assert.deepEqual(await session.collect(2), ['4text', 'bAQIDBA==']);
  });

  test('text and binary come back over WebSocket', async () => {
    const socket = await openEcho();
    socket.text('4héllo');
    const text = await socket.frame();
    assert.equal(text.kind, 'text');
    assert.equal(text.text, '4héllo');
    socket.binary([1, 2, 3, 4]);
    const binary = await socket.frame();
    assert.equal(binary.kind, 'binary');
    assert.deepEqual([...binary.payload], [1, 2, 3, 4]);
    socket.text('bAQIDBA==');
    assert.deepEqual([...(await socket.frame()).payload], [1, 2, 3, 4]);
    socket.destroy();
  });

  test('every size of frame comes back whole', async () => {
    const socket = await openEcho();
    for (const size of [0, 1, 124, 125, 126, 65534, 65535, 65536, 300000]) {
      const text = `4${'x'.repeat(size)}`;
      socket.text(text);
      const back = await socket.frame();
      assert.ok(back.text === text, `${size} bytes`);
      assert.equal(back.masked, false);
    }
    socket.destroy();
  });

  test('a message in fragments comes back in one', async () => {
    const socket = await openEcho();
    socket.connection.write(Buffer.concat([
      frame(1, '4fr', { fin: false }), frame(9, 'between'),
      frame(0, 'agm', { fin: false }), frame(0, 'ent'),
    ]));
    const seen = [await socket.frame(), await socket.frame()];
    assert.equal(seen.find((x) => x.kind === 'pong').text, 'between');
    assert.equal(seen.find((x) => x.kind === 'text').text, '4fragment');
    socket.destroy();
  });

  test('an unknown packet type ends a polling session', async () => {
    const session = await Polling.open(port, { path: echo });
    const { status } = await session.post('abc');
    assert.ok(status === 200 || status === 400);
    const end = await session.get();
    if (end.status === 200)
      assert.equal(end.body, '1');
    assert.equal((await session.get()).status, 400);
  });

  test('an unknown packet type ends a WebSocket session', async () => {
    const socket = await openEcho();
    socket.text('abc');
    await socket.closing();
    await socket.connection.closed();
  });
});

describe('Engine.IO heartbeat', () => {
  for (const [eio, method, options] of [[4, 'GET', {}], [3, 'POST', { body: '1:2' }]])
    test(`a session of revision ${eio} that misses one is unknown at once`, async () => {
      const { body } = await send(port, 'GET', `${echo}?EIO=${eio}&transport=polling&b64=1`);
      const { sid } = JSON.parse(body.slice(body.indexOf('{')));
      await new Promise((resolve) => setTimeout(resolve, 502));
      const late = await send(port, method,
        `${echo}?EIO=${eio}&transport=polling&b64=1&sid=${sid}`, options);
      assert.equal(late.status, 400);
      assert.equal(JSON.parse(late.body).code, 1);
    });

  test('a poll that a goodbye overtakes is answered', async () => {
    const sessions = await Promise.all(Array.from({ length: 20 },
      () => Polling.open(port, { path: echo })));
    for (const { sid } of sessions) {
      const url = `${base(echo)}&sid=${sid}`;
      const [, poll] = await Promise.all([send(port, 'POST', url, { body: '1' }),
        send(port, 'GET', url)]);
      assert.deepEqual([poll.status, poll.body], [200, '6']);
    }
  });

  test('a session that answers its pings lives on, over polling', async () => {
    const session = await Polling.open(port, { path: echo, pong: false });
    for (let i = 0; i < 3; ++i) {
      assert.deepEqual(await session.packets(), ['2']);
      assert.equal((await session.post('3')).body, 'ok');
    }
    await session.post('4alive');
    assert.deepEqual(await session.packets(), ['4alive']);
  });

  test('a session that answers its pings lives on, over WebSocket', async () => {
    const socket = await openEcho({ pong: false });
    for (let i = 0; i < 3; ++i) {
      assert.equal((await socket.frame()).text, '2');
      socket.text('3');
    }
    socket.text('4alive');
    assert.equal((await socket.frame()).text, '4alive');
    socket.destroy();
  });

  test('a session that does not is closed, over polling', async () => {
    const session = await Polling.open(port, { path: echo, pong: false });
    assert.deepEqual(await session.packets(), ['2']);
    assert.deepEqual(await session.packets(), ['1']);
    assert.equal((await session.get()).status, 400);
  });

  test('a session that does not is closed, over WebSocket', async () => {
    const socket = await openEcho({ pong: false });
    assert.equal((await socket.frame()).text, '2');
    const end = await socket.frame();
    assert.ok(end === null || end.kind === 'close');
    await socket.connection.closed();
  });
});

describe('Engine.IO close', () => {
  test('by the client, over polling', async () => {
    const session = await Polling.open(port, { path: echo });
    const pending = await session.pending();
    await session.post('4mark');
    await pending.response();
    const poll = session.get();
    assert.equal((await session.post('1')).body, 'ok');
    // The poll may have come after the close; then the session is unknown.
    const answer = await poll;
    assert.ok(answer.status === 400 || answer.body === '6');
    assert.equal((await session.get()).status, 400);
    pending.destroy();
  });

  test('by the client, over WebSocket', async () => {
    const socket = await openEcho();
    socket.connection.write(frame(8, [0x03, 0xe8]));
    const end = await socket.closing();
    assert.equal(end.code, 1000);
    await socket.connection.closed();
  });

  test('two polls at a time end the session', async () => {
    const session = await Polling.open(port, { path: echo });
    const [one, two] = await Promise.all([session.get(), session.get()]);
    assert.deepEqual([one.status, two.status].sort(), [200, 400]);
    assert.equal([one, two].find((x) => x.status === 200).body, '1');
    assert.equal((await session.get()).status, 400);
  });
});

describe('Engine.IO upgrade', () => {
  const upgradeUrl = (session) => `${websocketUrl(session.path)}&sid=${session.sid}`;

  test('moves the session to the WebSocket', async () => {
    const session = await Polling.open(port, { path: echo });
    const socket = await WebSocket.open(port, upgradeUrl(session));
    socket.text('2probe');
    assert.equal((await socket.frame()).text, '3probe');
    const poll = await session.get();
    assert.equal(poll.status, 200);
    assert.ok(['6', '2'].includes(poll.body));
    socket.text('5');
    if (poll.body === '2')
      socket.text('3');
    socket.text('4hello');
    assert.equal((await socket.frame()).text, '4hello');
    socket.destroy();
  });

  test('afterwards polling is refused', async () => {
    const session = await Polling.open(port, { path: echo });
    const socket = await WebSocket.open(port, upgradeUrl(session));
    socket.text('2probe');
    await socket.frame();
    socket.text('5');
    socket.text('4hello');
    assert.equal((await socket.frame()).text, '4hello');
    assert.equal((await session.get()).status, 400);
    assert.equal((await session.post('4x')).status, 400);
    socket.text('4still');
    assert.equal((await socket.frame()).text, '4still');
    socket.destroy();
  });

  test('polling is refused as soon as the end of the upgrade has been sent', async () => {
    const sessions = await Promise.all(Array.from({ length: 50 }, async () => {
      const session = await Polling.open(port, { path: echo });
      const socket = await WebSocket.open(port, upgradeUrl(session));
      socket.text('2probe');
      await socket.frame();
      return { session, socket };
    }));
    // All at once, so that threads are busy.
    const answers = await Promise.all(sessions.map(({ session, socket }) => {
      socket.text('5');
      return session.get();
    }));
    assert.deepEqual(answers.map((x) => x.status), Array(50).fill(400));
    sessions.forEach(({ socket }) => socket.destroy());
  });

  test('what comes with the end of the upgrade is taken, whatever request follows', async () => {
    for (let i = 0; i < 20; ++i) {
      const session = await Polling.open(port, { path: echo });
      const socket = await WebSocket.open(port, upgradeUrl(session));
      socket.text('2probe');
      await socket.frame();
      const words = Array.from({ length: 40 }, (_, n) => `4${n}`);
      socket.connection.write(Buffer.concat(['5', ...words].map((x) => frame(1, x))));
      assert.equal((await session.get()).status, 400);
      const heard = [];
      while (heard.length < words.length) {
        const { text } = await socket.frame();
        if (text === '2')
          socket.text('3');
        else
          heard.push(text);
      }
      assert.deepEqual(heard, words);
      socket.destroy();
    }
  });

  test('a session that ends with its upgrade is unknown to what follows', async () => {
    const session = await Polling.open(port, { path: echo });
    const socket = await WebSocket.open(port, upgradeUrl(session));
    socket.text('2probe');
    await socket.frame();
    socket.connection.write(Buffer.concat([frame(1, '5'), frame(8, '')]));
    const { connection } = await WebSocket.ask(port, upgradeUrl(session));
    await connection.closed();
    const later = await session.get();
    assert.deepEqual([later.status, JSON.parse(later.body).code], [400, 1]);
  });

  test('a second WebSocket does not disturb the first', async () => {
    const session = await Polling.open(port, { path: echo });
    const socket = await WebSocket.open(port, upgradeUrl(session));
    socket.text('2probe');
    await socket.frame();
    socket.text('5');
    socket.text('4one');
    assert.equal((await socket.frame()).text, '4one');
    const { socket: second, connection } = await WebSocket.ask(port, upgradeUrl(session));
    if (second)
      await second.closing();
    await connection.closed();
    socket.text('4two');
    assert.equal((await socket.frame()).text, '4two');
    socket.destroy();
  });

  test('messages sent during the upgrade come back once and in order', async () => {
    const session = await Polling.open(port, { path: echo });
    const socket = await WebSocket.open(port, upgradeUrl(session));
    await session.post(`4a${separator}4b`);
    socket.text('2probe');
    assert.equal((await socket.frame()).text, '3probe');
    const seen = await session.packets();
    await session.post('4c');
    socket.text('5');
    socket.text('4d');
    while (seen.filter((x) => x[0] === '4').length < 4)
      seen.push((await socket.frame()).text);
    assert.deepEqual(seen.filter((x) => x[0] === '4'), ['4a', '4b', '4c', '4d']);
    socket.destroy();
  });
});

// -- Socket.IO ----------------------------------------------------------------

const sio = '/socket.io/';

// A WebSocket session in a namespace, past the `auth` event.
async function join(namespace = '/', auth) {
  const socket = await WebSocket.session(port, { url: websocketUrl(sio) });
  await enter(socket, namespace, auth);
  return socket;
}

async function enter(socket, namespace = '/', auth) {
  const prefix = namespace === '/' ? '' : `${namespace},`;
  socket.text(`40${prefix}${auth ? JSON.stringify(auth) : ''}`);
  const { text } = await socket.frame();
  const [, sid] = /^40(?:\/custom,)?\{"sid":"([^"]+)"\}$/.exec(text) ?? assert.fail(text);
  assert.notEqual(sid, socket.handshake.sid);
  assert.equal((await socket.frame()).text,
    `42${prefix}${JSON.stringify(['auth', auth ?? {}])}`);
  return sid;
}

async function alive(socket) {
  socket.text('4277["message-with-ack","alive"]');
  assert.equal((await socket.frame()).text, '4377["alive"]');
}

async function closes(socket) {
  const end = await socket.frame();
  assert.ok(end === null || end.kind === 'close', `got ${end?.text}`);
  await socket.connection.closed();
}

describe('Socket.IO connect', () => {
  test('over polling', async () => {
    const session = await Polling.open(port, { path: sio });
    await session.post('40');
    const [first, second] = await session.collect(2);
    assert.match(first, /^40\{"sid":"[^"]+"\}$/);
    assert.equal(second, '42["auth",{}]');
  });

  test('to the main namespace, with and without a payload', async () => {
    (await join()).destroy();
    (await join('/', { token: '123' })).destroy();
  });

  test('to a custom namespace, with and without a payload', async () => {
    (await join('/custom')).destroy();
    (await join('/custom', { token: 'abc' })).destroy();
  });

  test('to both on one transport', async () => {
    const socket = await join();
    await enter(socket, '/custom', { n: 1 });
    socket.text('42["message",1]');
    assert.equal((await socket.frame()).text, '42["message-back",1]');
    socket.text('42/custom,["message",2]');
    assert.equal((await socket.frame()).text, '42/custom,["message-back",2]');
    socket.destroy();
  });

  test('to an unknown namespace is refused, and harms nothing', async () => {
    const socket = await join();
    socket.text('40/random');
    assert.equal((await socket.frame()).text,
      '44/random,{"message":"Invalid namespace"}');
    await alive(socket);
    socket.destroy();
  });

  for (const payload of ['""', 'null', '[]', '"abc"', '{', 'true'])
    test(`with the payload ${payload} closes`, async () => {
      const socket = await WebSocket.session(port, { url: websocketUrl(sio) });
      socket.text(`40${payload}`);
      await closes(socket);
    });

  test('twice to one namespace closes', async () => {
    const socket = await join();
    socket.text('40');
    await closes(socket);
  });

  test('missing too long closes', async () => {
    const socket = await WebSocket.session(port, { url: websocketUrl(sio) });
    await closes(socket);
  });
});

describe('Socket.IO disconnect', () => {
  test('from the only namespace leaves the transport open', async () => {
    const socket = await join();
    socket.text('41');
    await enter(socket, '/custom');
    socket.destroy();
  });

  test('from one namespace leaves the other', async () => {
    const socket = await join();
    await enter(socket, '/custom');
    socket.text('41/custom,');
    await alive(socket);
    socket.destroy();
  });

  test('a namespace may be entered anew', async () => {
    const socket = await join('/custom');
    socket.text('41/custom,');
    await enter(socket, '/custom', { again: true });
    socket.destroy();
  });

  test('an event afterwards closes', async () => {
    const socket = await join();
    socket.text('41');
    socket.text('42["message","x"]');
    await closes(socket);
  });
});

describe('Socket.IO events', () => {
  test('plain text comes back', async () => {
    const socket = await join();
    socket.text('42["message",1,"2",{"3":[true]}]');
    assert.equal((await socket.frame()).text, '42["message-back",1,"2",{"3":[true]}]');
    socket.destroy();
  });

  test('binary comes back', async () => {
    const socket = await join();
    socket.text('452-["message",{"_placeholder":true,"num":0},'
      + '{"deep":{"_placeholder":true,"num":1}}]');
    socket.binary([1, 2, 3]);
    socket.binary([4, 5, 6]);
    assert.equal((await socket.frame()).text, '452-["message-back",'
      + '{"_placeholder":true,"num":0},{"deep":{"_placeholder":true,"num":1}}]');
    assert.deepEqual([...(await socket.frame()).payload], [1, 2, 3]);
    assert.deepEqual([...(await socket.frame()).payload], [4, 5, 6]);
    socket.destroy();
  });

  test('text is acknowledged, also in a custom namespace', async () => {
    const socket = await join();
    socket.text('42456["message-with-ack",1,"2",{"3":[false]}]');
    assert.equal((await socket.frame()).text, '43456[1,"2",{"3":[false]}]');
    await enter(socket, '/custom');
    socket.text('42/custom,0["message-with-ack"]');
    assert.equal((await socket.frame()).text, '43/custom,0[]');
    socket.destroy();
  });

  test('binary is acknowledged', async () => {
    const socket = await join();
    socket.text('452-789["message-with-ack",{"_placeholder":true,"num":0},'
      + '{"_placeholder":true,"num":1}]');
    socket.binary([1, 2, 3]);
    socket.binary([4, 5, 6]);
    assert.equal((await socket.frame()).text, '462-789['
      + '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
    assert.deepEqual([...(await socket.frame()).payload], [1, 2, 3]);
    assert.deepEqual([...(await socket.frame()).payload], [4, 5, 6]);
    socket.destroy();
  });

  test('everything comes back over polling too', async () => {
    const session = await Polling.open(port, { path: sio });
    await session.post('40');
    await session.collect(2);
    await session.post(['42["message","é"]',
      '451-5["message-with-ack",{"_placeholder":true,"num":0}]', 'bAQID'].join(separator));
    assert.deepEqual(await session.collect(3), ['42["message-back","é"]',
      '461-5[{"_placeholder":true,"num":0}]', 'bAQID']);
  });

  for (const [what, text] of [
    ['an unknown type', '4abc'],
    ['a payload that is no array', '42{}'],
    ['an empty payload', '42[]'],
    ['an event name that is an object', '42[{}]'],
    ['an event name that is null', '42[null]'],
    ['broken JSON', '42["message"'],
    ['a namespace that was not joined', '42/abc,["message"]'],
    ['an attachment count that is none', '45a-["message"]'],
    ['a text packet in place of the attachment',
      '451-["message",{"_placeholder":true,"num":0}]'],
  ])
    test(`${what} closes`, async () => {
      const socket = await join();
      socket.text(text);
      if (text.startsWith('451-'))
        socket.text('42["message"]');
      await closes(socket);
    });

  test('an attachment that nobody announced closes', async () => {
    const socket = await join();
    socket.binary([1]);
    await closes(socket);
  });
});
