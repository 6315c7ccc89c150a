// Starts the router on free ports with a configuration of its own and stops it
// again, which must go cleanly.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Log, until, within } from './deadline.mjs';

export const siteKey = 'test-key-0123456789abcdef';
export const plainKey = 'plain-key-0123456789abcdef';

const sanitizer = /(Address|Leak|Thread|Memory)Sanitizer|runtime error:/;

// The configuration of most tests. "/" and "/custom" forward the browsers'
// events, "/quiet" refuses them, "/news" takes any browser.
export function configuration(site, changes = {}) {
  const base = {
    listen: {
      public: '127.0.0.1:0',
      ingest: '127.0.0.1:0',
      operations: '127.0.0.1:0',
    },
    // What a client is told while the site has no verdict is what most tests look at.
    site: { 'when-unavailable': 'refuse',
      ...(site && { 'auth-url': site.authUrl, 'event-url': site.eventUrl }) },
    namespaces: [
      { name: '/', 'on-client-event': 'forward' },
      { name: '/custom', 'on-client-event': 'forward' },
      { name: '/quiet', 'on-client-event': 'refuse' },
      { name: '/news', anonymous: true, 'on-client-event': 'refuse' },
    ],
    rules: [
      { namespace: '*', type: 'letter', to: 'user', pointer: '/to' },
      { namespace: '*', type: 'room-note', to: 'room', pointer: '/room' },
      { namespace: '*', type: 'announcement', to: 'all' },
    ],
    ingest: {
      keys: [
        { name: 'test', key: siteKey, 'may-target': true },
        { name: 'plain', key: plainKey, namespaces: ['/'] },
      ],
    },
    router: { 'drain-seconds': 0 },
    log: { level: 'debug' },
  };
  for (const [room, values] of Object.entries(changes))
    base[room] = Array.isArray(values) ? values : { ...base[room], ...values };
  return base;
}

// A program that prints one `ready {json}` line on stdout.
class Program {
  constructor(command, parameters) {
    this.lines = new Log();
    this.stderr = '';
    this.child = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
    let rest = '';
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop();
      for (const line of parts)
        this.lines.push(line);
    });
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr = (this.stderr + text).slice(-4000000);
    });
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => resolve({ error }));
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.running = true;
    this.exited.then(() => { this.running = false; });
  }

  // Everything it wrote, for a failed test.
  log() {
    return `${this.lines.items.join('\n')}\n${this.stderr}`.trim();
  }

  // Resolves when a line has come; a thread of its own writes them.
  async logs(line) {
    try {
      await until(() => line.test(this.log()), 5000, `${line} in the log`);
    } catch (error) {
      throw new Error(`${error.message}\n${this.log().slice(-4000)}`);
    }
  }

  async ready() {
    const early = this.exited.then(({ code, signal, error }) => {
      throw new Error(`ended while starting (${error ?? signal ?? code}):\n${this.log()}`);
    });
    early.catch(() => {});
    const line = await Promise.race([
      this.lines.find((x) => x.startsWith('ready'), 15000, 'the ready line'),
      early,
    ]);
    return line.slice(6).trim();
  }

  // Ends it by SIGTERM and asserts that it took that well.
  async stop() {
    if (this.running)
      this.child.kill('SIGTERM');
    let result;
    try {
      result = await within(this.exited, 20000, 'the end after SIGTERM');
    } catch (error) {
      this.child.kill('SIGKILL');
      await this.exited;
      throw new Error(`${error.message}\n${this.log().slice(-4000)}`);
    }
    assert.doesNotMatch(this.stderr, sanitizer, 'a sanitizer reported');
    assert.deepEqual(result, { code: 0, signal: null },
      `ended badly:\n${this.log().slice(-4000)}`);
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

function address(text) {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
}

// Starts the router. `changes` replaces settings room by room, `flags` are
// further words of the command line, `through` those of a command that becomes
// the router.
export async function startRouter({ site, changes = {}, flags = [], through = [] } = {}) {
  const bin = process.env.SIGNALBOX_BIN;
  assert.ok(bin, 'SIGNALBOX_BIN names the router; ctest sets it');
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-'));
  const file = path.join(folder, 'router.json');
  writeFileSync(file, JSON.stringify(configuration(site, changes), null, 2));
  const [command, ...words] = [...through, bin, 'serve', '--config', file, ...flags];
  const program = new Program(command, words);
  const router = {
    program,
    log: () => program.log(),
    logs: (line) => program.logs(line),
    kill: () => program.kill().finally(() => rmSync(folder, { recursive: true })),
    stop: () => program.stop().finally(() => rmSync(folder, { recursive: true })),
  };
  try {
    const real = JSON.parse(await program.ready());
    for (const name of ['public', 'ingest', 'operations']) {
      router[name] = address(real[name]);
      router[`${name}Url`] = `http://${real[name]}`;
    }
  } catch (error) {
    await router.kill();
    throw error;
  }
  return router;
}

// A port that was free a moment ago, below those that the system gives out by
// itself: a process that asks for any port or dials does not take it meanwhile.
export function freePort() {
  const port = 12000 + Math.floor(Math.random() * 20000);
  return new Promise((resolve) => {
    const server = net.createServer().once('error', () => resolve(freePort()))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}

function reachable(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

// The small server of tests/conformance. Without the binary the same server in
// Node.js takes its place, which checks the tests.
export async function startConformance() {
  const bin = process.env.CONFORMANCE_BIN;
  const port = await freePort();
  const reference = new URL('reference.mjs', import.meta.url).pathname;
  const program = bin ? new Program(bin, ['--port', String(port)])
    : new Program(process.execPath, [reference, String(port)]);
  try {
    await until(async () => {
      if (!program.running)
        throw new Error(`ended while starting:\n${program.log()}`);
      return reachable(port);
    }, 15000, `a listener at port ${port}`);
  } catch (error) {
    await program.kill();
    throw error;
  }
  return { port, native: Boolean(bin), log: () => program.log(),
    stop: () => program.stop() };
}
