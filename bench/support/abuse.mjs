// bench/abuse: what clients that ask too much cost the others, and the memory of the server,
// beside npm's socket.io in the same run.
//
//   bench/abuse [--quick] [--only CASE] [--router FILE]
//
// Exits 1 if the router is worse than the peer in the latency of others or in memory, 2 if it
// could not run.

import { fork, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, '../..');
const key = 'bench-key-0123456789abcdef';
const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const quick = process.argv.includes('--quick');
const binary = option('router') ?? path.join(root, 'build/release/signalbox');
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
// The machine's noise, which makes nobody worse.
const slack = { latency: 5, memory: 16 };

class CannotRun extends Error {}

let WebSocket;
try {
  WebSocket = createRequire(path.join(root, 'tests/integration/x.js'))('ws');
} catch {
  console.error('bench/abuse: socket.io is missing: (cd tests/integration && npm ci)');
  process.exit(2);
}

const running = new Set();
process.on('exit', () => running.forEach((x) => x.kill('SIGKILL')));

// -- servers --------------------------------------------------------------------------

// A program that prints "ready {json}".
async function started(command, words, ipc = false) {
  const child = ipc ? fork(command, words, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    : spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('close', () => { child.gone = true; running.delete(child); });
  let said = '';
  let errors = '';
  child.stderr?.on('data', (x) => { errors = (errors + x).slice(-2000); });
  const told = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new CannotRun(`${command} did not start`)), 20000);
    child.stdout.on('data', (x) => {
      said += x;
      const line = /^ready (.*)$/m.exec(said);
      if (line) {
        clearTimeout(late);
        resolve(JSON.parse(line[1]));
      }
    });
    child.once('error', (error) => reject(new CannotRun(`${command}: ${error.message}`)));
    child.once('close', () => reject(new CannotRun(`${command} ended:\n${errors}`)));
  });
  return { child, told };
}

function ended(child, how = 'SIGTERM') {
  if (child.gone)
    return undefined;
  child.kill(how);
  const late = setTimeout(() => child.kill('SIGKILL'), 10000);
  return new Promise((resolve) => {
    child.once('close', () => { clearTimeout(late); resolve(); });
  });
}

class Server {
  constructor(name, folder) {
    Object.assign(this, { name, folder });
  }

  // At the same port as before, if there was one.
  async start() {
    const port = this.port ?? 0;
    if (this.name === 'router') {
      const config = path.join(this.folder, 'router.json');
      writeFileSync(config, JSON.stringify({
        listen: { public: `127.0.0.1:${port}`, ingest: '127.0.0.1:0', operations: '127.0.0.1:0' },
        namespaces: [{ name: '/', anonymous: true }, { name: '/quiet', anonymous: true }],
        ingest: { keys: [{ name: 'bench', key, 'may-target': true }] },
        router: { 'drain-seconds': 0 }, log: { level: 'warn' } }));
      Object.assign(this, await started(binary, ['serve', '--config', config]));
      this.posts = this.told.ingest;
    } else {
      Object.assign(this, await started(process.execPath,
        [path.join(here, '../peers/socketio.mjs'), String(port)]));
      this.posts = this.told.public;
    }
    this.port = Number(this.told.public.split(':').pop());
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  }

  stop(how) {
    this.agent.destroy();
    return ended(this.child, how);
  }

  // Posts the text to everybody in a namespace; resolves when it was answered.
  post(namespace, text) {
    const router = this.name === 'router';
    const body = router ? JSON.stringify({ namespace, type: 'm', payload: text, to: 'all' }) : text;
    return new Promise((resolve, reject) => {
      const [host, port] = this.posts.split(':');
      const request = http.request({ host, port, method: 'POST', agent: this.agent,
        path: router ? '/api/v1/events' : namespace === '/' ? '/publish' : namespace,
        headers: { Authorization: `Bearer ${key}`, 'Content-Length': Buffer.byteLength(body) } },
      (response) => response.resume().on('end', resolve).on('error', reject));
      request.on('error', reject);
      request.end(body);
    });
  }

  status(field) {
    const text = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(text)[1]) / 1024;
  }

  cpu() {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
}

// -- a quiet site and its page ------------------------------------------------------------

// Posts to /quiet 50 times a second and notes how long each event took to its page.
class Quiet {
  waits = [];
  lost = 0;

  async start(server) {
    this.server = server;
    this.socket = new WebSocket(
      `ws://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=websocket`);
    await new Promise((resolve, reject) => {
      this.socket.once('open', () => this.socket.send('40/quiet,'));
      this.socket.once('error', reject);
      this.socket.on('message', (x) => {
        const text = x.toString();
        if (text === '2')
          this.socket.send('3');
        if (text.startsWith('40/quiet'))
          resolve();
        const sent = /^42\/quiet,\["m","(\d+\.\d+)"\]/.exec(text);
        if (sent)
          this.waits.push(performance.now() - Number(sent[1]));
      });
    });
    this.socket.on('error', () => {});
    this.on = true;
    this.loop = (async () => {
      while (this.on) {
        this.sent = (this.sent ?? 0) + 1;
        server.post('/quiet', performance.now().toFixed(3)).catch(() => { this.lost += 1; });
        await sleep(20);
      }
    })();
  }

  // Forgets what was measured so far.
  begin() {
    this.waits.length = 0;
    this.peak = this.server.status('VmRSS');
    this.base = this.peak;
    this.watch = setInterval(() => {
      if (!this.server.child.gone)
        this.peak = Math.max(this.peak, this.server.status('VmRSS'));
    }, 50);
  }

  async end() {
    this.on = false;
    await this.loop;
    // What is still on its way counts.
    const before = this.waits.length;
    for (let i = 0; i < 100 && (i < 10 || this.waits.length < before); ++i)
      await sleep(20);
    clearInterval(this.watch);
    this.socket.terminate();
    const sorted = [...this.waits].sort((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
    return { p50: at(0.5), p99: at(0.99), max: at(1), base: this.base, peak: this.peak };
  }
}

// A process of its own with clients that do as `role` says; it tells numbers by name.
async function clients(role, ...words) {
  const { child } = await started(path.join(here, 'abuse_clients.mjs'), [role, ...words.map(String)], true);
  const made = { told: {}, stop: () => ended(child, 'SIGKILL') };
  child.on('message', (x) => Object.assign(made.told, x));
  made.until = async (test, ms) => {
    const end = Date.now() + ms;
    while (!test(made.told) && Date.now() < end)
      await sleep(20);
    return test(made.told);
  };
  return made;
}

// -- cases ------------------------------------------------------------------------------

const seconds = quick ? 2 : 6;

function flood(count) {
  return async (server, quiet) => {
    const all = await clients('flood', server.port, count);
    quiet.begin();
    await sleep(seconds * 1000);
    const { frames } = all.told;
    await all.stop();
    await sleep(300);
    return `${(frames / 1e6 || 0).toFixed(2)} million frames written`;
  };
}

const cases = {
  'flood, 1 client': flood(1),
  'flood, 100 clients': flood(100),
  storm: async (server, quiet) => {
    const count = quick ? 300 : 1500;
    quiet.begin();
    const begin = Date.now();
    const all = await clients('storm', server.port, count);
    const whole = await all.until((x) => x.connected === count, 60000);
    const took = Date.now() - begin;
    await all.stop();
    return `${all.told.connected} of ${count} in after ${took} ms${whole ? '' : ', NOT ALL'}`;
  },
  herd: async (server, quiet) => {
    const count = quick ? 200 : 1000;
    const all = await clients('herd', server.port, count);
    await all.until((x) => x.connected === count, 60000);
    await quiet.end();
    await server.stop('SIGKILL');
    await sleep(500);
    await server.start();
    const begin = Date.now();
    quiet.waits.length = 0;
    await quiet.start(server);
    quiet.begin();
    await sleep(100);
    const whole = await all.until((x) => x.connected === count && x.times >= 2 * count, 60000);
    const took = Date.now() - begin;
    await all.stop();
    return `${all.told.connected} of ${count} back after ${took} ms${whole ? '' : ', NOT ALL'}`;
  },
  compress: async (server, quiet) => {
    const count = quick ? 30 : 100;
    const all = await clients('polls', server.port, count);
    await all.until((x) => x.ready === count, 60000);
    await sleep(200);
    const text = Array.from({ length: 90000 }, () => Math.random().toString(36).slice(2, 12)).join('')
      .slice(0, 900000);
    quiet.begin();
    const cpu = server.cpu();
    const begin = Date.now();
    await server.post('/', text);
    const whole = await all.until((x) => x.got === count, 60000);
    const took = Date.now() - begin;
    const used = server.cpu() - cpu;
    await all.stop();
    return `${all.told.got} of ${count} had it after ${took} ms, CPU ${used} ms${whole ? '' : ', NOT ALL'}`;
  },
  'slow readers': async (server, quiet) => {
    const count = quick ? 50 : 200;
    const all = await clients('stalled', server.port, count);
    await all.until((x) => x.connected === count, 60000);
    quiet.begin();
    for (let i = 0; i < (quick ? 40 : 100); ++i)
      await server.post('/', 'x'.repeat(100000));
    await sleep(500);
    await all.stop();
    return `${count} of them, ${quick ? 4 : 10} MB to each`;
  },
};

// -- the command line ---------------------------------------------------------------------

function worse(name, mine, other) {
  const found = [];
  if (!(mine.p99 <= other.p99 * 1.1 + slack.latency))
    found.push(`${name}: the others waited ${mine.p99.toFixed(1)} ms (p99), with socket.io ${other.p99.toFixed(1)} ms`);
  if (!(mine.peak <= other.peak * 1.1 + slack.memory))
    found.push(`${name}: memory rose to ${mine.peak.toFixed(0)} MiB, with socket.io to ${other.peak.toFixed(0)} MiB`);
  return found;
}

async function measure(name, run, which) {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-abuse-'));
  const server = new Server(which, folder);
  const quiet = new Quiet();
  try {
    await server.start();
    await quiet.start(server);
    await sleep(300);
    const said = await run(server, quiet);
    return { ...await quiet.end(), said };
  } finally {
    quiet.on = false;
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

async function main() {
  if (process.argv.includes('--help')) {
    console.log('usage: bench/abuse [--quick] [--only CASE] [--router FILE]');
    return 0;
  }
  if (!existsSync(binary))
    throw new CannotRun(`${binary} is missing; ./run --build`);
  const faults = [];
  const columns = ['p50 ms', 'p99 ms', 'max ms', 'RSS MiB', 'peak'];
  console.log(`${'case'.padEnd(20)}${'server'.padEnd(11)}${columns.map((x) => x.padStart(9)).join('')}`);
  for (const [name, run] of Object.entries(cases)) {
    if (option('only') && !name.includes(option('only')))
      continue;
    const found = {};
    for (const which of ['router', 'socket.io']) {
      const x = await measure(name, run, which);
      found[which] = x;
      console.log(`${name.padEnd(20)}${which.padEnd(11)}${[x.p50.toFixed(1), x.p99.toFixed(1),
        x.max.toFixed(1), x.base.toFixed(0), x.peak.toFixed(0)].map((y) => y.padStart(9)).join('')}  ${x.said}`);
      if (which === 'router' && x.said.includes('NOT ALL'))
        faults.push(`${name}: ${x.said}`);
    }
    faults.push(...worse(name, found.router, found['socket.io']));
  }
  for (const each of faults)
    console.log(`FAILED: ${each}`);
  if (faults.length === 0)
    console.log('ok');
  return faults.length ? 1 : 0;
}

try {
  process.exit(await main());
} catch (error) {
  console.error(`bench/abuse: ${error instanceof CannotRun ? error.message : error.stack}`);
  process.exit(2);
}
