// The official clients of every generation of Socket.IO behind one face, and a
// proxy that does for them what they cannot do from Node.js.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import net from 'node:net';

import { upgraded, ways } from './clients.mjs';
import { Log, within } from './deadline.mjs';

const require = createRequire(import.meta.url);

// Clients before 1.5 have no `extraHeaders`.
export const versions = {
  '4.8': { io: require('socket.io-client'), dialect: 'eio4', ways, cookies: true },
  '4.0': { io: require('client-4.0'), dialect: 'eio4', ways, cookies: true },
  '3.1': { io: require('client-3.1'), dialect: 'eio4', ways, cookies: true },
  '2.5': { io: require('client-2.5'), dialect: 'eio3', ways, cookies: true },
  '2.0': { io: require('client-2.0'), dialect: 'eio3', ways, cookies: true },
  '1.7': { io: require('client-1.7'), dialect: 'eio3', ways, cookies: true },
  '1.3': { io: require('client-1.3'), dialect: 'eio3', ways, cookies: false },
  '0.9': {
    io: require('client-0.9'), dialect: 'v09', cookies: false,
    ways: { websocket: ['websocket'], 'xhr-polling': ['xhr-polling'] },
  },
};

// What the clients call a failure; which one depends on the generation.
const failures = ['error', 'connect_error', 'connect_failed'];
const names = ['announcement', 'letter', 'count', 'blob', 'large'];

const opened = new Set();

// One namespace of one client. What it was sent is in `received` as { event,
// args, ack, over }, what became of it in `life` as { event, value }.
class Tab {
  received = new Log();
  life = new Log();

  constructor(version, socket, { proxy, reconnect } = {}) {
    Object.assign(this, { version, socket, proxy, reconnect });
    this.dialect = versions[version].dialect;
    for (const event of ['connect', 'disconnect', ...failures])
      socket.on(event, (value) => this.life.push({ event, value }));
    this.listen(...names);
  }

  // No client before 3.0 has `onAny`.
  listen(...events) {
    for (const event of events)
      this.socket.on(event, (...args) => {
        const ack = typeof args.at(-1) === 'function' ? args.pop() : undefined;
        this.received.push({ event, args, ack, over: this.transport() });
      });
  }

  // Resolves when it has been let in so many times. Without reconnecting the
  // first failure is the end.
  connected(times = 1) {
    return this.life.when(() => {
      if (this.#count('connect') >= times)
        return true;
      const failure = this.life.items.find((x) => failures.includes(x.event));
      if (failure && !this.reconnect)
        throw new Error(`${failure.event}: ${text(failure.value)}`);
      return undefined;
    }, 10000, () => `connect, only ${JSON.stringify(this.life.items.map(
      (x) => [x.event, text(x.value)]))}`);
  }

  #count(event) {
    return this.life.items.filter((x) => x.event === event).length;
  }

  // Resolves to the first failure, which must come before it is let in.
  refused() {
    return this.life.when(() => {
      const first = this.life.items[0];
      if (first?.event === 'connect')
        throw new Error('it was let in');
      return first;
    }, 10000, 'a refusal');
  }

  // Resolves to the reason.
  async disconnected() {
    return (await this.life.find((x) => x.event === 'disconnect', 10000,
      'disconnect')).value;
  }

  transport() {
    return this.dialect === 'v09' ? this.socket.socket.transport?.name
      : this.socket.io.engine.transport.name;
  }

  upgraded() {
    return upgraded(this.socket);
  }

  // Resolves to the arguments of the first event of that name that fits.
  async next(event, predicate = () => true, ms = 5000) {
    const { args } = await this.received.find(
      (x) => x.event === event && predicate(...x.args), ms, `the event ${event}`);
    return args;
  }

  // Emits and resolves to the arguments of the ack.
  ask(event, ...args) {
    return within(new Promise((resolve) => {
      this.socket.emit(event, ...args, (...answer) => resolve(answer));
    }), 5000, `the ack of ${event}`);
  }

  // Joins another namespace over the same connection.
  join(namespace) {
    const socket = this.dialect === 'v09' ? this.socket.of(namespace)
      : this.socket.io.socket(namespace, {});
    return new Tab(this.version, socket);
  }

  // Comes again after a refusal. Before 3.0 a refused namespace lies on a
  // connection that stays, and "/" is not asked for on it a second time.
  again() {
    if (this.dialect === 'eio3')
      this.socket.disconnect();
    (this.socket.socket ?? this.socket).connect();
  }

  // Whether it means to come back by itself.
  get returning() {
    const x = this.dialect === 'v09' ? this.socket.socket : this.socket.io;
    return Boolean(x._reconnecting ?? x.reconnecting);
  }

  close() {
    if (this.dialect === 'v09') {
      // It fails to disconnect while it has no transport, as after a refusal.
      if (this.socket.socket.transport)
        this.socket.socket.disconnect();
    } else {
      this.socket.disconnect();
      this.socket.io.engine?.close();
    }
    this.proxy?.close();
    opened.delete(this);
  }
}

function text(value) {
  return value?.message ?? value;
}

// Opens a client as the user whose session cookie is `session`. `hold` is for the
// proxy, `watched` puts one between in any case. With `stock` it comes back at the pace of
// its own defaults.
export async function open(router, options) {
  const { version, way, namespace = '/', session, reconnect = false, stock, hold,
    watched = Boolean(hold) } = options;
  const { io, dialect, ways, cookies } = versions[version];
  const cookie = session && `session=${session}`;
  const proxied = watched || (cookie && !cookies);
  const proxy = proxied ? await Proxy.start(router.public.port,
    { cookie: cookies ? undefined : cookie, hold }) : undefined;
  const url = (proxy?.url ?? router.publicUrl) + namespace;
  // In 0.9 the option would only overwrite the beginning of this list, which
  // names each transport twice.
  if (dialect === 'v09')
    io.transports = [...ways[way]];
  const socket = dialect === 'v09' ? io.connect(url, {
    'force new connection': true,
    reconnect,
    ...(!stock && { 'reconnection delay': 20, 'reconnection limit': 100,
      'max reconnection attempts': 200 }),
  }) : io.connect(url, {
    transports: ways[way],
    forceNew: true,
    timeout: 20000,
    reconnection: reconnect,
    ...(!stock && { reconnectionDelay: 20, reconnectionDelayMax: 100 }),
    ...(cookie && cookies && { extraHeaders: { Cookie: cookie } }),
  });
  const tab = new Tab(version, socket, { proxy, reconnect });
  opened.add(tab);
  return tab;
}

// Opens a client and waits until it is connected, and upgraded where it should.
export async function connect(router, options) {
  const tab = await open(router, options);
  await tab.connected();
  if (options.way === 'upgrade' && options.hold !== 'upgrade')
    await tab.upgraded();
  return tab;
}

// Closes whatever is still open; for `after` and `afterEach`.
export function closeAll() {
  for (const tab of [...opened])
    tab.close();
}

// Stands between one client and the router. It adds a cookie to every request
// and changes nothing else: Host and Origin remain as the client wrote them.
// With `hold` at 'upgrade', what follows an upgrade request is said in turns, each
// of which waits for `pass`: the router's 101, "2probe", "3probe" and "5". With
// `hold` at 'post' the answers to POSTs wait for `release`.
class Proxy {
  #sockets = new Set();
  #held = new Log();
  #turn = 'client';
  // What the client sent.
  sent = '';

  static async start(port, { cookie, hold }) {
    const proxy = new Proxy();
    Object.assign(proxy, { cookie, hold });
    proxy.server = net.createServer({ allowHalfOpen: true },
      (client) => proxy.#serve(client, port));
    await new Promise((resolve) => {
      proxy.server.listen(0, '127.0.0.1', resolve);
    });
    proxy.url = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  #serve(client, port) {
    const server = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const requests = new Requests(this.cookie, (bytes) => server.write(bytes));
    const say = (speaker, act) => {
      if (this.hold === requests.kind
          && speaker !== (this.hold === 'upgrade' ? this.#turn : 'client'))
        this.#held.push(act);
      else
        act();
    };
    client.on('data', (bytes) => {
      this.sent += bytes.toString('latin1');
      say('client', () => requests.push(bytes));
    });
    server.on('data', (bytes) => say('router', () => client.write(bytes)));
    client.on('end', () => say('client', () => server.end()));
    server.on('end', () => say('router', () => client.end()));
    for (const [one, other] of [[client, server], [server, client]]) {
      this.#sockets.add(one);
      one.setNoDelay();
      // The other side learns of it by the close.
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }

  // Resolves when something is held.
  holding() {
    return this.#held.find(() => true, 10000, 'something to hold');
  }

  // Waits until the other one has something to say, and gives it the turn.
  async pass() {
    await this.holding();
    this.#turn = this.#turn === 'client' ? 'router' : 'client';
    this.#flush();
  }

  // Holds nothing any more.
  release() {
    this.hold = undefined;
    this.#flush();
  }

  #flush() {
    for (const act of this.#held.items.splice(0))
      act();
  }

  close() {
    this.server.close();
    for (const socket of this.#sockets)
      socket.destroy();
  }
}

// Splits what a client sends into requests, to put the cookie into each.
class Requests {
  #rest = Buffer.alloc(0);
  #body = 0;
  // What the last one is: 'get', 'post' or 'upgrade'.
  kind = 'get';

  constructor(cookie, write) {
    Object.assign(this, { cookie, write });
  }

  push(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length > 0) {
      if (this.#body > 0) {
        this.#body -= this.#take(Math.min(this.#body, this.#rest.length));
        continue;
      }
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0)
        return;
      const head = this.#rest.toString('latin1', 0, end);
      assert.doesNotMatch(head, /^transfer-encoding:/im);
      this.#take(end);
      if (this.cookie)
        this.write(`\r\nCookie: ${this.cookie}`);
      this.kind = /^upgrade:/im.test(head) ? 'upgrade'
        : head.slice(0, head.indexOf(' ')).toLowerCase();
      this.#body = 4 + (this.kind === 'upgrade' ? Infinity
        : Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0));
    }
  }

  #take(count) {
    this.write(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
    return count;
  }
}

// Chooses a few rows of values: those of `always`, and such that every two values
// that stand in one row anywhere stand in a chosen one.
export function pairwise(rows, always) {
  const pairs = (row) => row.flatMap((x, i) => row.slice(i + 1)
    .map((y, j) => `${i} ${x} ${i + 1 + j} ${y}`));
  const missing = new Set(rows.flatMap(pairs));
  const chosen = new Set();
  const choose = (row) => {
    chosen.add(row);
    for (const pair of pairs(row))
      missing.delete(pair);
  };
  rows.filter(always).forEach(choose);
  while (missing.size > 0) {
    const gains = rows.map((row) => pairs(row).filter((x) => missing.has(x)).length);
    choose(rows[gains.indexOf(Math.max(...gains))]);
  }
  return rows.filter((x) => chosen.has(x));
}
