// The wire of the older generations, against the conformance server: numbers
// such as V27 are those of the recorded conversations with the official
// servers. Session ids here are longer, and heartbeats 300 and 200 ms.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { until } from './support/deadline.mjs';
import { Connection, WebSocket, frame, request, send, upgradeHeaders } from './support/raw.mjs';
import { startConformance } from './support/router.mjs';

let server;
let port;

before(async () => {
  server = await startConformance();
  port = server.port;
});
after(() => server?.stop());

const MARK = '\ufffd';
const home = () => 'http://127.0.0.1';

// -- Engine.IO 3 --------------------------------------------------------------

// A polling session of Engine.IO 3 that reads text payloads.
class Old {
  static async open({ path = '/socket.io/', more = '&b64=1', eio = 3, headers } = {}) {
    const made = new Old();
    made.base = `${path}?EIO=${eio}&transport=polling${more}`;
    made.headers = headers;
    made.first = await send(port, 'GET', made.base, { headers });
    assert.equal(made.first.status, 200, made.first.body);
    made.sid = /\\?"sid\\?":\\?"([^"\\]+)/.exec(made.first.bytes.toString('latin1'))[1];
    made.url = `${made.base}&sid=${made.sid}`;
    return made;
  }

  get() {
    return send(port, 'GET', this.url, { headers: this.headers });
  }

  post(body, headers = {}) {
    return send(port, 'POST', this.url, { body,
      headers: { 'Content-Type': 'text/plain;charset=UTF-8', ...this.headers, ...headers } });
  }

  // Posts and resolves to what the next poll brings.
  async ask(body, headers) {
    const answer = await this.post(body, headers);
    assert.deepEqual([answer.status, answer.body], [200, 'ok']);
    return (await this.get()).body;
  }
}

// Whether a session is gone.
async function unknown(session) {
  const answer = await session.get();
  assert.equal(answer.status, 400);
  assert.equal(JSON.parse(answer.body).code, 1);
}

const octets = { 'Content-Type': 'application/octet-stream' };
const binaryEvent = '451-["message",{"_placeholder":true,"num":0}]';
const binaryBack = '451-["message-back",{"_placeholder":true,"num":0}]';
const raw = (...parts) => Buffer.concat(parts.map((x) =>
  (typeof x === 'string' ? Buffer.from(x) : Buffer.from(x))));

describe('Engine.IO 3 over polling', () => {
  test('V27 the handshake, and the main namespace without asking', async () => {
    const session = await Old.open();
    const { headers, body } = session.first;
    assert.equal(headers['content-type'], 'text/plain; charset=UTF-8');
    const [, length, open] = /^(\d+):0(\{.*?\})/.exec(body);
    assert.equal(Number(length), open.length + 1);
    assert.deepEqual(Object.keys(JSON.parse(open)),
      ['sid', 'upgrades', 'pingInterval', 'pingTimeout', 'maxPayload']);
    const rest = body.slice(length.length + 1 + open.length + 1) || (await session.get()).body;
    assert.match(rest, /^2:40/);
  });

  test('V27 without b64 it is bytes', async () => {
    const { first } = await Old.open({ more: '' });
    assert.equal(first.headers['content-type'], 'application/octet-stream');
    const end = first.bytes.indexOf(0xff);
    assert.equal(first.bytes[0], 0);
    const length = Number([...first.bytes.subarray(1, end)].join(''));
    assert.match(first.bytes.subarray(end + 1, end + 1 + length).toString(), /^0\{"sid".*\}$/);
  });

  test('EIO=2 is the same', async () => {
    assert.match((await Old.open({ eio: 2 })).first.body, /^\d+:0\{/);
  });

  test('V28 lengths are UTF-16 units', async () => {
    const session = await Old.open();
    assert.equal(await session.ask('21:42["message","hé€😀"]'),
      '46:42["message-back","h\\u00e9\\u20ac\\ud83d\\ude00"]');
  });

  test('V28 a count of bytes ends the session', async () => {
    const session = await Old.open();
    await session.post('29:42["message","hé€😀"]');
    await unknown(session);
  });

  test('V28 what a client of 1 encoded twice is read as it was meant', async () => {
    const session = await Old.open();
    const twice = Buffer.from('42["message","hé€😀"]').toString('latin1');
    assert.match(await session.ask(`${twice.length}:${twice}`),
      /^\d+:42\["message-back","h\\u00e9\\u20ac\\ud83d\\ude00"\]$/);
  });

  test('V29 binary, in text and in bytes', async () => {
    const text = `${binaryEvent.length}:${binaryEvent}10:b4AAH+/w==`;
    const back = raw([0, 5, 0, 0xff], binaryBack, [1, 5, 0xff, 4, 0, 1, 0xfe, 0xff]);
    const bytes = raw([0, 4, 5, 0xff], binaryEvent, [1, 5, 0xff, 4, 0, 1, 0xfe, 0xff]);
    assert.equal(binaryEvent.length, 45);
    assert.equal(binaryBack.length, 50);
    for (const [body, headers] of [[text], [bytes, octets]]) {
      const plain = await Old.open({ more: '' });
      await plain.post(body, headers);
      const answer = await plain.get();
      assert.equal(answer.headers['content-type'], 'application/octet-stream');
      assert.ok(answer.bytes.equals(back), answer.bytes.toString('latin1'));
      const base64 = await Old.open();
      assert.equal(await base64.ask(body, headers), `50:${binaryBack}10:b4AAH+/w==`);
    }
  });

  test('V30 the client pings', async () => {
    const session = await Old.open();
    assert.equal(await session.ask('4:2abc'), '1:3');
    const ignored = await session.post('1:3');
    assert.equal(ignored.body, 'ok');
    assert.equal(await session.ask('1:2'), '1:3');
  });

  test('V30 and is closed when it does not', async () => {
    const session = await Old.open({ path: '/engine.io/' });
    assert.equal((await session.get()).body, '1:1');
    await unknown(session);
  });

  test('V32 namespaces', async () => {
    const session = await Old.open();
    assert.equal(await session.ask('24:40/custom?token=abc&x=1,'),
      '10:40/custom,42:42/custom,["auth",{"token":"abc","x":"1"}]');
    assert.equal(await session.ask('26:42/custom,["message","hi"]'),
      '31:42/custom,["message-back","hi"]');
    assert.equal(await session.ask('6:40/zzz'), '26:44/zzz,"Invalid namespace"');
  });

  test('V33 asking for the main namespace again is answered', async () => {
    const session = await Old.open();
    assert.equal(await session.ask('2:40'), '2:40');
    assert.equal(await session.ask('18:42["message","hi"]'), '23:42["message-back","hi"]');
  });

  test('overlapping polls end the session', async () => {
    const session = await Old.open({ path: '/engine.io/' });
    // Either may arrive first.
    const [one, two] = await Promise.all([session.get(), session.get()]);
    const [refused, ended] = one.status === 400 ? [one, two] : [two, one];
    assert.equal(refused.status, 400);
    assert.equal(ended.body, '1:1');
    await unknown(session);
  });

  for (const body of ['', '0:', '2:4', 'x', '1:7', '1:9'])
    test(`the body ${JSON.stringify(body)} ends the session`, async () => {
      const session = await Old.open();
      assert.equal((await session.post(body)).body, 'ok');
      await unknown(session);
    });

  test('malformed bytes end the session', async () => {
    const session = await Old.open();
    await session.post(Buffer.from([0, 9, 0xff, 0x34]), octets);
    await unknown(session);
  });

  test('octet-stream is still not for Engine.IO 4', async () => {
    const { body } = await send(port, 'GET', '/socket.io/?EIO=4&transport=polling');
    const { sid } = JSON.parse(body.slice(1));
    const { status } = await send(port, 'POST', `/socket.io/?EIO=4&transport=polling&sid=${sid}`,
      { body: Buffer.from([0, 1, 0xff, 0x34]), headers: octets });
    assert.equal(status, 400);
  });
});

describe('script tags', () => {
  const page = { Referer: `${home()}/page` };
  const jsonp = (index = '0') => Old.open({ more: `&j=${index}&b64=1`, headers: page });

  test('V34 the handshake is a script', async () => {
    const { first } = await jsonp();
    assert.equal(first.headers['content-type'], 'text/javascript; charset=UTF-8');
    assert.equal(first.headers['x-content-type-options'], 'nosniff');
    assert.match(first.body, /^___eio\[0\]\("\d+:0\{\\"sid\\":.*"\);$/);
  });

  test('V34 only digits of the index get into it', async () => {
    assert.match((await jsonp('1a2%3Cs%3E')).first.body, /^___eio\[12\]\("/);
    assert.match((await jsonp('0);alert(1)//')).first.body, /^___eio\[01\]\("/);
  });

  test('V34 payloads come as a field of a form', async () => {
    const session = await jsonp();
    const post = (d) => session.post(d, { 'Content-Type': 'application/x-www-form-urlencoded' });
    const payload = (text) => `d=${encodeURIComponent(`${text.length}:${text}`)}`;
    const answer = await post(payload('42["message","x"]'));
    assert.deepEqual([answer.status, answer.body, answer.headers['content-type']],
      [200, 'ok', 'text/html']);
    assert.equal((await session.get()).body, '___eio[0]("22:42[\\"message-back\\",\\"x\\"]");');
    // A line end in JSON is a backslash and an n, which the client doubles.
    await post(`d=${encodeURIComponent('20:42["message","a\\\\nb"]')}`);
    assert.equal((await session.get()).body,
      '___eio[0]("25:42[\\"message-back\\",\\"a\\\\nb\\"]");');
    await post(payload('42["message","\u2028\u2029</script>"]'));
    assert.equal((await session.get()).body,
      '___eio[0]("42:42[\\"message-back\\",\\"\\\\u2028\\\\u2029<\\/script>\\"]");');
    assert.equal((await post('x=1')).body, 'ok');
    assert.equal((await post(payload('42["message","still"]'))).body, 'ok');
  });

  test('a page that may not read it gets nothing', async () => {
    for (const headers of [{}, { Referer: 'http://evil.example/page' }, { Origin: 'null' },
      { Origin: 'http://evil.example', Referer: `${home()}/` }, { Referer: home() + '.evil.example/' }])
      for (const path of ['/socket.io/?EIO=3&transport=polling&j=0&b64=1',
        '/socket.io/1/?jsonp=0']) {
        const { status } = await send(port, 'GET', path, { headers });
        assert.equal(status, 403, `${path} ${JSON.stringify(headers)}`);
      }
  });

  test('for Engine.IO 4 they are off', async () => {
    const { status } = await send(port, 'GET', '/socket.io/?EIO=4&transport=polling&j=0',
      { headers: page });
    assert.equal(status, 400);
  });
});

describe('Engine.IO 3 over WebSocket', () => {
  // The first packets of a session; the server of these tests adds an event.
  async function open(more = '') {
    const socket = await WebSocket.open(port, `/socket.io/?EIO=3&transport=websocket${more}`);
    socket.handshake = JSON.parse((await socket.frame()).text.slice(1));
    assert.equal((await socket.frame()).text, '40');
    assert.equal((await socket.frame()).text, '42["auth",{}]');
    return socket;
  }

  test('V31 open, main namespace, events, bytes with their type', async () => {
    const socket = await open();
    assert.deepEqual(socket.handshake.upgrades, []);
    socket.text('2');
    assert.equal((await socket.frame()).text, '3');
    socket.text('42["message","hé€😀"]');
    assert.equal((await socket.frame()).text, '42["message-back","hé€😀"]');
    socket.text(binaryEvent);
    socket.binary([4, 1, 2, 3]);
    assert.equal((await socket.frame()).text, binaryBack);
    const attachment = await socket.frame();
    assert.equal(attachment.kind, 'binary');
    assert.deepEqual([...attachment.payload], [4, 1, 2, 3]);
    socket.text('420["message-with-ack",1]');
    const ack = await socket.frame();
    assert.equal(ack.text, '430[1]');
    socket.destroy();
  });

  test('V31 with b64 it is text', async () => {
    const socket = await open('&b64=1');
    socket.text(binaryEvent);
    socket.text('b4AQI=');
    assert.equal((await socket.frame()).text, binaryBack);
    assert.equal((await socket.frame()).text, 'b4AQI=');
    socket.destroy();
  });

  test('bytes without their type close', async () => {
    const socket = await open();
    socket.text(binaryEvent);
    socket.binary([1, 2, 3]);
    assert.notEqual(await socket.closing(), null);
  });

  for (const text of ['4', '47', '42{}', '42["connect"]', '42["message"', '450-["x"]', '7', '',
    '42/nope,["message"]', '40[]', '40"x"', '41{"a":1}'])
    test(`${JSON.stringify(text)} closes`, async () => {
      const socket = await open();
      socket.text(text);
      assert.notEqual(await socket.closing(), null);
      socket.destroy();
    });

  for (const text of ['42', '43', '3', '0', '5', '6', '4399["x"]'])
    test(`${JSON.stringify(text)} leaves the session alone`, async () => {
      const socket = await open();
      socket.text(text);
      socket.text('42["message","alive"]');
      assert.equal((await socket.frame()).text, '42["message-back","alive"]');
      socket.destroy();
    });

  test('the upgrade, with what waits meanwhile', async () => {
    const session = await Old.open({ path: '/engine.io/' });
    const poll = await Connection.open(port);
    poll.write(request('GET', session.url));
    const { socket } = await WebSocket.ask(port,
      `/engine.io/?EIO=3&transport=websocket&b64=1&sid=${session.sid}`, { pong: false });
    socket.text('2probe');
    assert.equal((await socket.frame()).text, '3probe');
    assert.equal((await poll.response()).body, '1:6');
    await session.post('6:4early');
    socket.text('5');
    assert.equal((await socket.frame()).text, '4early');
    socket.text('4over the socket');
    assert.equal((await socket.frame()).text, '4over the socket');
    poll.destroy();
    socket.destroy();
  });

  test('packet 5 without a probe, and a key of 28 characters', async () => {
    const session = await Old.open({ eio: 2 });
    const headers = { 'Sec-WebSocket-Key': 'eHh4eHh4eHh4eHh4eHh4eHh4eHg=' };
    const { response, socket } = await WebSocket.ask(port,
      `/socket.io/?EIO=2&transport=websocket&sid=${session.sid}`, { headers });
    assert.equal(response.headers['sec-websocket-accept'], 'QNDjWaHCxq6OYlnu1oSRlN8Zmyw=');
    socket.text('5');
    socket.text('42["message","hi"]');
    const frames = [await socket.frame()];
    while (!frames.at(-1).text.startsWith('42'))
      frames.push(await socket.frame());
    assert.equal(frames.at(-1).text, '42["message-back","hi"]');
    socket.destroy();
  });

  test('a session keeps its revision', async () => {
    const session = await Old.open();
    const { status, body } = await send(port, 'GET', session.url.replace('EIO=3', 'EIO=4'));
    assert.deepEqual([status, JSON.parse(body).code], [400, 3]);
  });
});

// -- Socket.IO 0.9 ------------------------------------------------------------

const authEvent = '5:::{"name":"auth","args":[{}]}';
const piece = (text) => `${MARK}${text.length}${MARK}${text}`;
const hello = piece('1::') + piece(authEvent);

class Ancient {
  static async open(more = '', headers = undefined) {
    const made = new Ancient();
    made.first = await send(port, 'GET', `/socket.io/1/?t=1${more}`, { headers });
    assert.equal(made.first.status, 200, made.first.body);
    made.sid = /([\w-]{35}):/.exec(made.first.body)[1];
    return made;
  }

  url(transport, more = '') {
    return `/socket.io/1/${transport}/${this.sid}?t=1${more}`;
  }

  get(transport = 'xhr-polling', more = '', headers = undefined) {
    return send(port, 'GET', this.url(transport, more), { headers });
  }

  post(body, transport = 'xhr-polling', headers = undefined) {
    return send(port, 'POST', this.url(transport), { body, headers });
  }

  async websocket() {
    const socket = await WebSocket.open(port, `/socket.io/1/websocket/${this.sid}`);
    assert.equal((await socket.frame()).text, '1::');
    assert.equal((await socket.frame()).text, authEvent);
    return socket;
  }
}

describe('0.9: the handshake', () => {
  test('V35 in every form', async () => {
    for (const path of ['/socket.io/1/', '/socket.io/1', '/socket.io/1/xhr-polling/']) {
      const { status, body } = await send(port, 'GET', path);
      assert.equal(status, 200);
      assert.match(body, /^[\w-]{35}:1:1:websocket,htmlfile,xhr-polling,jsonp-polling$/);
    }
  });

  test('V35 as a script', async () => {
    const { body, headers } = await send(port, 'GET', '/socket.io/1/?t=1&jsonp=0',
      { headers: { Referer: `${home()}/` } });
    assert.match(body, /^io\.j\[0\]\("[\w-]{35}:1:1:websocket,.*"\);$/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
  });

  test('V35 with an Origin', async () => {
    const { headers } = await send(port, 'GET', '/socket.io/1/', { headers: { Origin: home() } });
    assert.equal(headers['access-control-allow-origin'], home());
    assert.equal(headers['access-control-allow-credentials'], 'true');
  });

  test('V35 of other protocols', async () => {
    const two = await send(port, 'GET', '/socket.io/2/');
    assert.deepEqual([two.status, two.body], [500, 'Protocol version not supported.']);
    const none = await send(port, 'GET', '/socket.io/0/');
    assert.deepEqual([none.status, none.body], [200, 'Welcome to socket.io.']);
  });
});

describe('0.9 over WebSocket', () => {
  test('V36 the dialogue', async () => {
    const socket = await (await Ancient.open()).websocket();
    const ask = async (text) => {
      socket.text(text);
      return (await socket.frame()).text;
    };
    assert.equal(await ask('5:::{"name":"message","args":["a",1]}'),
      '5:::{"name":"message-back","args":["a",1]}');
    assert.equal(await ask('5:1+::{"name":"message-with-ack","args":["ack me"]}'),
      '6:::1+["ack me"]');
    assert.equal(await ask('5:2::{"name":"message","args":["auto"]}'), '6:::2');
    assert.equal((await socket.frame()).text, '5:::{"name":"message-back","args":["auto"]}');
    assert.equal(await ask('5:0+::{"name":"message-with-ack"}'), '6:::0');
    assert.equal(await ask('3:::hello'), '5:::{"name":"message-back","args":["hello"]}');
    assert.equal(await ask('4:::{"a":1}'), '5:::{"name":"message-back","args":[{"a":1}]}');
    assert.equal(await ask('1::/custom'), '1::/custom');
    assert.equal((await socket.frame()).text, authEvent.replace('5::', '5::/custom'));
    assert.equal(await ask('1::/custom:?x=y'), '1::/custom');
    assert.equal(await ask('5:7+:/custom:{"name":"message-with-ack","args":["n"]}'),
      '6::/custom:7+["n"]');
    // A namespace that is not there does not answer.
    socket.text('1::/nope');
    assert.equal(await ask('0::'), '0::');
    assert.equal((await socket.closing()).kind, 'close');
  });

  test('V36 a session nobody knows', async () => {
    const { socket } = await WebSocket.ask(port, '/socket.io/1/websocket/nope');
    assert.equal((await socket.frame()).text, '7:::1+0');
    await socket.closing();
  });

  test('V37 what is malformed is passed over', async () => {
    const socket = await (await Ancient.open()).websocket();
    for (const text of ['', 'x', '9:::', '5:::', '5:::{', '5:::[]', '5:::{"args":[1]}', '5',
      '5:a::{"name":"message"}', '6:::', '8::', '99:::x', `${MARK}3${MARK}2::`, '4:::{bad'])
      socket.text(text);
    socket.binary([1, 2, 3]);
    socket.text('3:::alive');
    assert.equal((await socket.frame()).text,
      '5:::{"name":"message-back","args":["alive"]}');
    socket.destroy();
  });

  test('V40 heartbeats', async () => {
    const socket = await (await Ancient.open()).websocket();
    for (let i = 0; i < 3; ++i) {
      assert.equal((await socket.frame()).text, '2::');
      socket.text('2::');
    }
    assert.equal((await socket.frame()).text, '2::');
    assert.equal(await socket.closing(), null, 'dropped without a word');
  });

  test('unicode and 100 KB', async () => {
    const socket = await (await Ancient.open()).websocket();
    const text = 'hé€😀\u2028'.repeat(15000);
    socket.text(`5:::${JSON.stringify({ name: 'message', args: [text] })}`);
    for (;;) {
      const found = await socket.frame();
      if (found.text === '2::')
        continue;
      assert.equal(JSON.parse(found.text.slice(4)).args[0], text);
      break;
    }
    socket.destroy();
  });
});

describe('0.9 over polling', () => {
  test('V38 xhr-polling', async () => {
    const session = await Ancient.open();
    const first = await session.get();
    assert.equal(first.body, hello);
    assert.equal(first.headers['content-type'], 'text/plain; charset=UTF-8');
    const posted = await session.post('5:::{"name":"message","args":["x"]}');
    assert.equal(posted.body, '1');
    assert.equal((await session.get()).body, '5:::{"name":"message-back","args":["x"]}');
    const a = '5:::{"name":"message","args":["hé€😀"]}';
    const b = '5:::{"name":"message","args":["b\\n"]}';
    await session.post(piece(a) + piece(b));
    assert.equal((await session.get()).body,
      piece(a.replace('message', 'message-back')) + piece(b.replace('message', 'message-back')));
  });

  test('V38 leaving, by a packet and by a request', async () => {
    const packet = await Ancient.open();
    await packet.get();
    await packet.post('0::');
    assert.equal((await packet.get()).body, '0::');
    assert.equal((await packet.get()).body, '7:::1+0');
    // The poll must have arrived before; only trying tells.
    await until(async () => {
      const page = await Ancient.open();
      await page.get();
      const poll = page.get();
      const gone = await send(port, 'GET', `/socket.io/1//${page.sid}/?disconnect=1`);
      assert.deepEqual([gone.status, gone.body], [200, '']);
      assert.equal((await page.post('2::')).body, '1');
      return (await poll).body === '0::';
    }, 5000, 'a farewell to the poll');
  });

  test('V38 a second poll takes the place of the first', async () => {
    const session = await Ancient.open();
    await session.get();
    const first = await Connection.open(port);
    first.write(request('GET', session.url('xhr-polling')));
    await session.post('2::');
    const second = session.get();
    assert.equal((await first.response()).body, '8::');
    assert.equal((await second).body, '8::', 'it ends without news');
  });

  test('V39 jsonp-polling', async () => {
    const page = { Referer: `${home()}/` };
    const session = await Ancient.open('', page);
    const poll = () => session.get('jsonp-polling', '&i=0', page);
    const first = await poll();
    assert.equal(first.body, `io.j[0](${JSON.stringify(hello)});`);
    assert.equal(first.headers['content-type'], 'text/javascript; charset=UTF-8');
    const form = { ...page, 'Content-Type': 'application/x-www-form-urlencoded' };
    const d = (x) => `d=${encodeURIComponent(JSON.stringify(x))}`;
    const posted = await session.post(d('5:::{"name":"message","args":["hé</"]}'),
      'jsonp-polling', form);
    assert.equal(posted.body, '1');
    assert.equal((await poll()).body,
      'io.j[0]("5:::{\\"name\\":\\"message-back\\",\\"args\\":[\\"hé<\\/\\"]}");');
    for (const wrong of ['d=5%3A%3A', 'x=1', '', 'd=%22', 'd=1'])
      assert.equal((await session.post(wrong, 'jsonp-polling', form)).body, '1');
  });

  test('V39 htmlfile', async () => {
    const session = await Ancient.open();
    const connection = await Connection.open(port);
    connection.write(request('GET', session.url('htmlfile')));
    const found = async (text) => connection.when(
      () => (connection.received.includes(text) ? true : undefined), text);
    await found('<script>_("1::");</script>');
    const head = connection.received.toString();
    assert.match(head, /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/html; charset=UTF-8\r\n/);
    assert.match(head, /\r\n\r\n100\r\n<html><body><script>var _ = function/);
    await session.post('5:::{"name":"message","args":["a/b"]}', 'htmlfile');
    await found('<script>_("5:::{\\"name\\":\\"message-back\\",\\"args\\":[\\"a\\/b\\"]}");</script>');
    await session.post('0::', 'htmlfile');
    await found('<script>_("0::");</script>');
    await found('\r\n0\r\n\r\n');
    await connection.closed();
  });

  test('a session goes on over a WebSocket without a word', async () => {
    const session = await Ancient.open();
    await session.get();
    const socket = await WebSocket.open(port, session.url('websocket'), {});
    socket.text('3:::moved');
    assert.equal((await socket.frame()).text, '5:::{"name":"message-back","args":["moved"]}');
    socket.destroy();
  });

  test('frames right behind the handshake of a WebSocket', async () => {
    const session = await Ancient.open();
    const connection = await Connection.open(port);
    connection.write(Buffer.concat([
      request('GET', session.url('websocket'), { headers: upgradeHeaders }), frame(1, '3:::x')]));
    assert.equal((await connection.response()).status, 101);
    await connection.when(() => (connection.received.includes('"message-back"') ? true : undefined),
      'the echo');
    connection.destroy();
  });

  test('a transport nobody has', async () => {
    const session = await Ancient.open();
    assert.equal((await session.get('flashsocket')).status, 400);
    assert.equal((await session.get('websocket')).status, 400);
  });
});

describe('limits are those of the current generation', () => {
  const most = 1000000;
  const page = { Referer: `${home()}/` };
  const form = { ...page, 'Content-Type': 'application/x-www-form-urlencoded' };

  for (const [what, open, body, headers] of [
    ['a POST of Engine.IO 3', () => Old.open(),
      (n) => `${n - 7}:3${'x'.repeat(n - 8)}`, {}],
    ['a form of Engine.IO 3', () => Old.open({ more: '&j=0&b64=1', headers: page }),
      (n) => `d=1%3A3&x=${'x'.repeat(n - 10)}`, form],
    ['a POST of 0.9', () => Ancient.open(), (n) => `8::${'x'.repeat(n - 3)}`, {}],
  ])
    test(`${what} is kept to the byte`, async () => {
      const session = await open();
      const post = (n) => (session instanceof Ancient
        ? session.post(body(n)) : session.post(body(n), headers));
      assert.equal(body(most).length, most);
      assert.equal((await post(most)).status, 200);
      assert.equal((await post(most + 1)).status, 413);
      assert.equal((await post(100)).status, 200);
    });

  test('a form of 0.9 is kept to the byte', async () => {
    const session = await Ancient.open('', page);
    const body = (n) => `d=%222%3A%3A%22&x=${'x'.repeat(n - 18)}`;
    assert.equal(body(most).length, most);
    assert.equal((await session.post(body(most), 'jsonp-polling', form)).body, '1');
    assert.equal((await session.post(body(most + 1), 'jsonp-polling', form)).status, 413);
  });

  test('a message of a WebSocket is kept to the byte', async () => {
    const socket = await (await Ancient.open()).websocket();
    socket.text(`8::${'x'.repeat(most - 3)}`);
    socket.text('3:::alive');
    assert.match((await socket.frame()).text, /alive/);
    socket.text(`8::${'x'.repeat(most - 2)}`);
    assert.equal((await socket.closing()).code, 1009);
  });

  test('so are the packets of one POST', async () => {
    const old = await Old.open();
    assert.equal((await old.post('1:3'.repeat(1000))).body, 'ok');
    assert.equal((await old.get()).status, 200);
    await old.post('1:3'.repeat(1001));
    await unknown(old);
    const ancient = await Ancient.open();
    await ancient.get();
    await ancient.post(piece('8::').repeat(1000));
    const poll = ancient.get();
    await ancient.post(piece('8::').repeat(1001));
    assert.equal((await poll).body, '0::');
    assert.equal((await ancient.get()).body, '7:::1+0');
  });
});
