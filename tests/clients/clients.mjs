// The official clients of other languages, each over each transport. Made by
// ./prepare; `node clients.mjs NAME ..` tests only these.

import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { testClient } from './support/suite.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const build = fileURLToPath(new URL('../../build/clients/', import.meta.url));

const python = (name) => [`${build}${name}/bin/python`, '-I', `${here}python5/client.py`];
const java = (name) => ['java', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC',
  '-cp', `${build}${name}/classes:${build}${name}/lib/*`, 'Client'];

// Each with what is odd about it; the official server meets it just so.
const clients = {
  // Told over polling that the server closes, python-socketio takes it for a
  // farewell, whatever its version, and does not reconnect.
  python5: {
    command: python('python5'),
    library: 'python-socketio 5.18.1',
    dialect: 'eio4',
    staysAway: ['polling'],
  },
  python4: {
    command: python('python4'),
    library: 'python-socketio 4.6.1',
    dialect: 'eio3',
    staysAway: ['polling'],
  },
  // okhttp reads nothing after a close frame, and the client listens only to
  // the end of the closing, which it never begins itself.
  java2: {
    command: java('java2'),
    library: 'socket.io-client-java 2.1.2',
    dialect: 'eio4',
    blind: true,
  },
  java1: {
    command: java('java1'),
    library: 'socket.io-client-java 1.0.2',
    dialect: 'eio3',
    blind: true,
  },
  go: {
    command: [`${build}go/client`],
    library: 'github.com/zishang520/socket.io/clients/socket/v3 v3.0.6',
    dialect: 'eio4',
    // It takes a CONNECT_ERROR without `data` for broken.
    refusal: /missing 'data' field/,
    // Its polls and its posts stand in one queue.
    waits: true,
    // Its pause may begin to wait for the end of a post that has just ended.
    trips: true,
  },
};

// Why the client cannot be tested here, or nothing.
function missing(name) {
  const file = `${build}${name}/missing`;
  if (existsSync(file))
    return readFileSync(file, 'utf8').trim();
  if (!existsSync(`${build}${name}/made`))
    throw new Error(`${name} is not made; run tests/clients/prepare`);
  return undefined;
}

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(clients);
for (const name of chosen) {
  const reason = missing(name);
  if (reason)
    test(name, { skip: reason });
  else
    testClient({ name, ...clients[name] });
}
