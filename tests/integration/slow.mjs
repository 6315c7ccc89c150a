// A client that does not read is closed as slow and costs the others nothing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync }
  from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { until, within } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { siteKey, startRouter } from './support/router.mjs';

const receivers = 1000;
const broadcasts = 400;
const text = 'x'.repeat(4000);
const slow = Number(process.env.SIGNALBOX_SLOW ?? 1);

let router;
let clients = [];

before(async () => {
  router = await startRouter({ changes: {
    site: { 'auth-url': '' },
    namespaces: [{ name: '/', anonymous: true }],
    rules: [{ type: 'tick', to: 'all' }],
    // No ping among the bytes that are counted.
    engine: { 'ping-interval': '5m' },
  } });
});

after(async () => {
  for (const client of clients)
    client.socket.destroy();
  await router.stop();
});

// A masked text frame of up to 125 bytes.
function frame(words) {
  const body = Buffer.from(words);
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body]);
}

// A raw client that is in `/` and counts the bytes it receives.
function join() {
  return within(new Promise((resolve, reject) => {
    const client = { received: 0, joined: false };
    let head = '';
    client.socket = net.connect(router.public.port, '127.0.0.1', () =>
      client.socket.write('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n'
        + 'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'));
    client.socket.on('error', reject);
    client.socket.on('data', (data) => {
      if (client.joined) {
        client.received += data.length;
        return;
      }
      head += data.toString('latin1');
      if (head.includes('0{"sid"') && !client.asked) {
        client.asked = true;
        client.socket.write(frame('40'));
      } else if (head.includes('40{"sid"')) {
        client.joined = true;
        client.socket.on('error', () => {});
        resolve(client);
      }
    });
  }), 20000 * slow, 'a raw client');
}

async function metric(name) {
  const answer = await fetch(`${router.operationsUrl}/metrics`);
  const line = (await answer.text()).split('\n').find((x) => x.startsWith(`${name} `));
  return Number(line.slice(name.length));
}

// CPU ticks of the router so far.
function cpu() {
  const fields = readFileSync(`/proc/${router.program.child.pid}/stat`, 'utf8')
    .split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

// Sends a stream to all and waits until the readers have all of it.
// Returns CPU ticks per 1,000 deliveries.
async function stream(readers) {
  const start = readers.map((x) => x.received);
  const [ticks, delivered] = [cpu(), await metric('signalbox_deliveries_total')];
  for (let i = 0; i < broadcasts; i++)
    await deliver(router, { type: 'tick', payload: text });
  // Every frame has a header of 4 bytes.
  const bytes = broadcasts * (`42["tick","${text}"]`.length + 4);
  await until(() => readers.every((x, i) => x.received - start[i] >= bytes),
    60000 * slow, 'everything to arrive');
  const count = await metric('signalbox_deliveries_total') - delivered;
  readers.forEach((x, i) => assert.equal(x.received - start[i], bytes, 'lost or doubled'));
  return (cpu() - ticks) * 1000 / count;
}

test('one stalled reader among 1,000 is closed as slow, the others lose nothing', async (t) => {
  for (let i = 0; i < receivers; i += 50)
    clients.push(...await Promise.all(Array.from({ length: 50 }, join)));
  await stream(clients);
  const ratios = [];
  for (let attempt = 1; attempt <= 3; attempt++) {
    const alone = await stream(clients);
    const closed = await metric('signalbox_sessions_closed_total{reason="slow"}');
    const stalled = await join();
    stalled.socket.pause();
    const beside = await stream(clients);
    assert.equal(await metric('signalbox_sessions_closed_total{reason="slow"}'), closed + 1);
    stalled.socket.destroy();
    ratios.push(beside / alone);
    t.diagnostic(`CPU ticks per 1,000 deliveries: ${alone.toFixed(2)} alone, `
      + `${beside.toFixed(2)} beside the stalled one`);
    if (ratios.at(-1) <= 1.1)
      break;
  }
  // Machines are noisy, so the best of three counts; sanitizers are not timed.
  if (slow === 1)
    assert.ok(Math.min(...ratios) <= 1.1, `ratios ${ratios.map((x) => x.toFixed(2))}`);
});

// -- file descriptors ---------------------------------------------------------

function prlimit(...words) {
  return execFileSync('prlimit', words, { encoding: 'utf8' });
}

const missing = (() => {
  try {
    prlimit('--version');
    return false;
  } catch {
    return 'install util-linux: prlimit is missing';
  }
})();

// Runs with a router that may have so many files open from its start on.
async function withFiles(files, changes, run) {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-files-'));
  const bin = process.env.SIGNALBOX_BIN;
  const wrapper = path.join(folder, 'signalbox');
  writeFileSync(wrapper,
    `#!/bin/sh\nexec prlimit --nofile=${files}:${files} -- "${path.resolve(bin)}" "$@"\n`);
  chmodSync(wrapper, 0o755);
  process.env.SIGNALBOX_BIN = wrapper;
  let made;
  try {
    made = await startRouter({ changes: {
      site: { 'auth-url': '' },
      namespaces: [{ name: '/', anonymous: true }],
      rules: [{ type: 'tick', to: 'all' }],
      engine: { 'ping-interval': '5m' },
      ...changes,
    } });
    await run(made);
  } finally {
    process.env.SIGNALBOX_BIN = bin;
    await made?.stop();
    rmSync(folder, { recursive: true });
  }
}

// Whether a handshake is answered; `pending` collects sockets that wait.
function knock(of, pending) {
  return new Promise((resolve) => {
    const socket = net.connect(of.public.port, '127.0.0.1', () => socket.write(
      'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n'));
    pending.push(socket);
    socket.on('error', () => {});
    socket.once('data', () => resolve(true)).once('close', () => resolve(false));
  });
}

// Asks over the connections that the agent keeps; there may be no new ones.
function ask(url, agent, body) {
  return within(new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${siteKey}` };
    http.request(url, { agent, method: body ? 'POST' : 'GET', headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (x) => { text += x; })
        .on('end', () => resolve(text));
    }).on('error', reject).end(body);
  }), 10000 * slow, url);
}

async function counted(of, name, agent) {
  const text = await ask(`${of.operationsUrl}/metrics`, agent);
  const line = text.split('\n').find((x) => x.startsWith(`signalbox_${name} `));
  return Number(line.split(' ').at(-1));
}

async function stillReceive(of, members, agent) {
  const start = members.map((x) => x.received);
  const answer = JSON.parse(await ask(`${of.ingestUrl}/api/v1/events`, agent,
    '{"type":"tick","payload":"still there"}'));
  assert.equal(answer.ok, true);
  await until(() => members.every((x, i) => x.received > start[i]), 10000,
    'the event at those who were there');
}

async function membersOf(of, count) {
  const previous = router;
  router = of;
  try {
    return await Promise.all(Array.from({ length: count }, join));
  } finally {
    router = previous;
  }
}

test('with 300 files, connections are refused before the files run out',
  { skip: missing }, async () => {
    await withFiles(300, {}, async (few) => {
      const members = await membersOf(few, 20);
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const pending = [];
      try {
        const answers = await within(Promise.all(Array.from({ length: 320 },
          () => knock(few, pending))), 20000 * slow, 'an answer or the end each');
        assert.ok(answers.includes(true));
        assert.ok(answers.includes(false));
        await stillReceive(few, members, agent);
        for (const socket of pending)
          socket.destroy();
        await until(() => knock(few, pending), 5000, 'a newcomer to be answered');
        assert.ok(await counted(few, 'tcp_refused_total{limit="connections"}', agent) > 0);
      } finally {
        agent.destroy();
        for (const socket of [...pending, ...members.map((x) => x.socket)])
          socket.destroy();
      }
    });
  });

// The undefined behaviour sanitizer looks at an object through a pipe of its
// own; without a file to be had it takes every object for a broken one.
const blind = slow > 1 && 'a sanitizer needs files itself';

test('out of files, accepting rests; nobody suffers, and it recovers',
  { skip: missing || blind }, async (t) => {
    await withFiles(2000, {}, async (few) => {
      const { pid } = few.program.child;
      const members = await membersOf(few, 20);
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const pending = [];
      try {
        // The connection to the ingest listener stays open, as does the one
        // that asks for counters.
        await stillReceive(few, members, agent);
        await counted(few, 'ready', agent);
        const open = readdirSync(`/proc/${pid}/fd`).length;
        prlimit(`--pid=${pid}`, `--nofile=${open + 10}:2000`);
        for (let i = 0; i < 60; ++i)
          knock(few, pending);
        await until(async () => await counted(few, 'accept_paused_total', agent) > 0, 10000,
          'a pause');
        await stillReceive(few, members, agent);
        // It neither spins nor hurries: a rest is 100 ms per listening loop.
        const spent = (fields) => Number(fields[11]) + Number(fields[12]);
        const ticks = () => spent(readFileSync(`/proc/${pid}/stat`, 'utf8')
          .split(') ')[1].split(' '));
        const [from, pauses, start] = [ticks(),
          await counted(few, 'accept_paused_total', agent), performance.now()];
        await until(async () => await counted(few, 'accept_paused_total', agent) > pauses + 10,
          20000, 'further pauses');
        const busy = (ticks() - from) * 10 / (performance.now() - start);
        t.diagnostic(`${(busy * 100).toFixed(1)} % of a core while out of files`);
        if (slow === 1)
          assert.ok(busy < 0.2, `${busy} of a core`);
        prlimit(`--pid=${pid}`, '--nofile=2000:2000');
        await until(() => knock(few, pending), 10000, 'a newcomer to be answered');
        await stillReceive(few, members, agent);
      } finally {
        agent.destroy();
        for (const socket of [...pending, ...members.map((x) => x.socket)])
          socket.destroy();
      }
    });
  });
