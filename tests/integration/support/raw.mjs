// HTTP and WebSocket by the byte, for what no client would send.

import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';

import { within } from './deadline.mjs';

export const separator = '\x1e';

// A TCP connection with everything it received.
export class Connection {
  received = Buffer.alloc(0);
  ended = false;
  #checks = new Set();

  static async open(port) {
    const made = new Connection();
    made.socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    made.socket.on('data', (chunk) => {
      made.received = Buffer.concat([made.received, chunk]);
      made.#wake();
    });
    const end = () => {
      made.ended = true;
      made.#wake();
    };
    made.socket.on('end', end).on('close', end).on('error', end);
    await within(new Promise((resolve, reject) => {
      made.socket.once('connect', resolve);
      made.socket.once('error', reject);
    }), 5000, 'TCP connect');
    return made;
  }

  #wake() {
    for (const check of [...this.#checks])
      check();
  }

  write(bytes) {
    this.socket.write(bytes);
  }

  // Resolves to what `ask` returns once that is not undefined; the answer null
  // stands for a peer that ended first.
  when(ask, what, ms = 5000) {
    let check;
    const found = new Promise((resolve) => {
      check = () => {
        const answer = ask();
        if (answer !== undefined)
          resolve(answer);
        else if (this.ended)
          resolve(null);
      };
      this.#checks.add(check);
      check();
    });
    return within(found, ms, () => `${what}; received `
      + JSON.stringify(this.received.toString('latin1').slice(0, 300)))
      .finally(() => this.#checks.delete(check));
  }

  take(count) {
    const bytes = this.received.subarray(0, count);
    this.received = this.received.subarray(count);
    return bytes;
  }

  closed(ms = 5000) {
    return this.when(() => (this.ended ? true : undefined), 'the end of TCP', ms);
  }

  destroy() {
    this.socket.destroy();
  }

  // Reads one response; null if the peer ended without one.
  async response({ head = false } = {}) {
    const end = await this.when(() => {
      const at = this.received.indexOf('\r\n\r\n');
      return at < 0 ? undefined : at;
    }, 'a response');
    if (end === null)
      return null;
    const lines = this.take(end + 4).toString('latin1').trimEnd().split('\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(lines[0])?.[1]);
    const headers = {};
    for (const line of lines.slice(1)) {
      const at = line.indexOf(':');
      headers[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim();
    }
    const response = { status, headers, lines, body: '' };
    if (head || status === 101 || status === 204 || status === 304)
      return response;
    response.bytes = /chunked/i.test(headers['transfer-encoding'] ?? '')
      ? await this.#chunked() : await this.#sized(headers['content-length']);
    response.body = response.bytes.toString();
    return response;
  }

  async #sized(length) {
    if (length === undefined) {
      await this.closed();
      return this.take(this.received.length);
    }
    const count = Number(length);
    await this.when(() => (this.received.length >= count ? true : undefined),
      `${count} bytes of body`);
    return this.take(count);
  }

  async #chunked() {
    const parts = [];
    for (;;) {
      const at = await this.when(() => {
        const found = this.received.indexOf('\r\n');
        return found < 0 ? undefined : found;
      }, 'a chunk');
      if (at === null)
        throw new Error('ended within a chunked body');
      const size = parseInt(this.take(at + 2).toString(), 16);
      const chunk = await this.#sized(size + 2);
      if (size === 0)
        return Buffer.concat(parts);
      parts.push(chunk.subarray(0, size));
    }
  }
}

// The bytes of a request.
export function request(method, path, { headers = {}, body, version = '1.1' } = {}) {
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const all = {
    Host: '127.0.0.1',
    ...(bytes && { 'Content-Length': bytes.length }),
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `${method} ${path} HTTP/${version}\r\n${lines.join('')}\r\n`;
  return Buffer.concat([Buffer.from(text, 'latin1'), bytes ?? Buffer.alloc(0)]);
}

// One request on a connection of its own.
export async function send(port, method, path, options = {}) {
  const connection = await Connection.open(port);
  try {
    connection.write(request(method, path, options));
    return await connection.response({ head: method === 'HEAD' });
  } finally {
    connection.destroy();
  }
}

export function base(path = '/socket.io/') {
  return `${path}?EIO=4&transport=polling`;
}

// A polling session spoken by hand. Pings are answered on the way unless
// `pong` is false.
export class Polling {
  static async open(port, { path = '/socket.io/', headers, pong = true } = {}) {
    const made = new Polling();
    Object.assign(made, { port, path, headers, pong });
    const answer = await send(port, 'GET', base(path), { headers });
    if (answer.status !== 200)
      throw new Error(`handshake answered ${answer.status} ${answer.body}`);
    made.open = JSON.parse(answer.body.slice(1));
    made.sid = made.open.sid;
    made.url = `${base(path)}&sid=${made.sid}`;
    return made;
  }

  get(options = {}) {
    return send(this.port, 'GET', this.url, { headers: this.headers, ...options });
  }

  post(body, headers = {}) {
    return send(this.port, 'POST', this.url, { body, headers:
      { 'Content-Type': 'text/plain;charset=UTF-8', ...this.headers, ...headers } });
  }

  // Starts a GET and resolves to its connection once it is on its way.
  async pending() {
    const connection = await Connection.open(this.port);
    connection.write(request('GET', this.url, { headers: this.headers }));
    return connection;
  }

  // Polls until there is something that is no ping; resolves to the packets.
  async packets() {
    for (;;) {
      const { status, body } = await this.get();
      if (status !== 200)
        throw new Error(`poll answered ${status} ${body}`);
      const all = body.split(separator);
      const rest = this.pong ? all.filter((x) => x !== '2') : all;
      if (rest.length < all.length)
        await this.post('3');
      if (rest.length > 0)
        return rest;
    }
  }

  // Polls until `count` packets are there.
  async collect(count) {
    const found = [];
    while (found.length < count)
      found.push(...await this.packets());
    return found;
  }
}

const opcodes = { 0: 'continuation', 1: 'text', 2: 'binary', 8: 'close', 9: 'ping',
  10: 'pong' };

// The bytes of a masked frame.
export function frame(opcode, payload, { fin = true, mask = true, rsv = 0 } = {}) {
  const data = Buffer.from(payload);
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const bit = mask ? 0x80 : 0;
  if (data.length < 126)
    head.push(bit | data.length);
  else if (data.length < 65536)
    head.push(bit | 126, data.length >> 8, data.length & 255);
  else
    head.push(bit | 127, 0, 0, 0, 0, data.length >>> 24, (data.length >> 16) & 255,
      (data.length >> 8) & 255, data.length & 255);
  if (!mask)
    return Buffer.concat([Buffer.from(head), data]);
  const key = randomBytes(4);
  return Buffer.concat([Buffer.from(head), key, data.map((x, i) => x ^ key[i % 4])]);
}

export const upgradeHeaders = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

export function acceptOf(key) {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
}

// A WebSocket spoken by hand. Engine.IO pings are answered on the way unless
// `pong` is false.
export class WebSocket {
  // Asks for the upgrade; resolves to { response, socket }, the socket missing
  // if the answer was not 101.
  static async ask(port, path, { headers = {}, method = 'GET', pong = true } = {}) {
    const connection = await Connection.open(port);
    connection.write(request(method, path,
      { headers: { ...upgradeHeaders, ...headers } }));
    const response = await connection.response();
    if (response?.status !== 101)
      return { response, connection };
    const socket = new WebSocket();
    Object.assign(socket, { connection, pong });
    return { response, connection, socket };
  }

  static async open(port, path = '/socket.io/?EIO=4&transport=websocket', options = {}) {
    const { response, socket } = await WebSocket.ask(port, path, options);
    if (!socket)
      throw new Error(`upgrade answered ${response?.status} ${response?.body}`);
    return socket;
  }

  // Opens one and reads the open packet.
  static async session(port, options = {}) {
    const socket = await WebSocket.open(port, options.url, options);
    const first = await socket.frame();
    socket.handshake = JSON.parse(first.text.slice(1));
    return socket;
  }

  text(payload) {
    this.connection.write(frame(1, payload));
  }

  binary(payload) {
    this.connection.write(frame(2, payload));
  }

  // Resolves to the next frame; null if TCP ended.
  async frame(ms = 5000) {
    for (;;) {
      const found = await this.connection.when(() => this.#decode(), 'a frame', ms);
      // A close frame is answered, as every WebSocket client does.
      if (found?.kind === 'close')
        this.connection.write(frame(8, found.payload));
      if (found?.kind !== 'text' || found.text !== '2' || !this.pong)
        return found;
      this.text('3');
    }
  }

  #decode() {
    const data = this.connection.received;
    if (data.length < 2)
      return undefined;
    let length = data[1] & 127;
    let at = 2;
    if (length === 126) {
      if (data.length < 4)
        return undefined;
      length = data.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (data.length < 10)
        return undefined;
      length = Number(data.readBigUInt64BE(2));
      at = 10;
    }
    if (data.length < at + length)
      return undefined;
    const bytes = this.connection.take(at + length);
    const payload = bytes.subarray(at);
    const kind = opcodes[bytes[0] & 15];
    return {
      kind, payload, fin: bytes[0] >= 128, masked: bytes[1] >= 128,
      text: payload.toString(),
      ...(kind === 'close' && { code: length ? payload.readUInt16BE(0) : undefined,
        reason: payload.subarray(2).toString() }),
    };
  }

  // Resolves to the close frame, past whatever comes before it; null if TCP
  // ended without one.
  async closing(ms = 5000) {
    for (;;) {
      const found = await this.frame(ms);
      if (found === null || found.kind === 'close')
        return found;
    }
  }

  destroy() {
    this.connection.destroy();
  }
}
