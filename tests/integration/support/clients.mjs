// The official clients in the shapes that the tests need.

import { createRequire } from 'node:module';

import { Log, within } from './deadline.mjs';

const require = createRequire(import.meta.url);

export const versions = {
  '4.8': require('socket.io-client').io,
  '3.1': require('client-3.1').io,
};

export const ways = {
  websocket: ['websocket'],
  polling: ['polling'],
  upgrade: ['polling', 'websocket'],
};

const open = new Set();

// Opens a socket as the user whose session cookie is `session`. Everything the
// server sends is in `socket.received` as { event, args, ack }.
export function socket(url, options = {}) {
  const { version = '4.8', way = 'websocket', namespace = '/', session, headers,
    ...more } = options;
  const cookie = session && { Cookie: `session=${session}` };
  const made = versions[version](url + namespace, {
    transports: ways[way],
    forceNew: true,
    reconnection: false,
    timeout: 20000,
    extraHeaders: { ...cookie, ...headers },
    ...more,
  });
  made.received = new Log();
  made.onAny((event, ...args) => {
    const ack = typeof args.at(-1) === 'function' ? args.pop() : undefined;
    made.received.push({ event, args, ack });
  });
  open.add(made);
  return made;
}

// Opens a socket and waits until it is connected, and upgraded where it should.
export async function connect(url, options = {}) {
  const made = socket(url, options);
  await connected(made);
  if (options.way === 'upgrade' && options.await !== 'connect')
    await upgraded(made);
  return made;
}

export function connected(made) {
  if (made.connected)
    return Promise.resolve();
  return within(new Promise((resolve, reject) => {
    made.once('connect', resolve);
    made.once('connect_error', reject);
  }), 10000, 'connect');
}

// Resolves to the error with which a CONNECT was refused.
export function refused(made) {
  return within(new Promise((resolve, reject) => {
    made.once('connect_error', resolve);
    made.once('connect', () => reject(new Error('it was let in')));
  }), 10000, 'connect_error');
}

export function transport(made) {
  return made.io.engine.transport.name;
}

export async function upgraded(made) {
  const { engine } = made.io;
  if (engine.transport.name === 'websocket')
    return;
  await within(new Promise((resolve, reject) => {
    engine.once('upgrade', resolve);
    engine.once('upgradeError', reject);
    engine.once('close', () => reject(new Error('closed before the upgrade')));
  }), 10000, 'upgrade');
}

// Emits and resolves to the arguments of the ack.
export function ask(made, event, ...args) {
  return within(new Promise((resolve) => {
    made.emit(event, ...args, (...answer) => resolve(answer));
  }), 5000, `the ack of ${event}`);
}

// Resolves to the arguments of the first event of that name.
export async function next(made, event, predicate = () => true, ms = 5000) {
  const { args } = await made.received.find(
    (x) => x.event === event && predicate(...x.args), ms, `the event ${event}`);
  return args;
}

export function disconnected(made) {
  if (made.disconnected)
    return Promise.resolve();
  return within(new Promise((resolve) => made.once('disconnect', resolve)),
    5000, 'disconnect');
}

// Closes every socket still open; for `after` and `afterEach`.
export function closeAll() {
  for (const made of open) {
    made.disconnect();
    made.io.engine?.close();
  }
  open.clear();
}
