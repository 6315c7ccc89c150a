// `./run` with a router that is built: other ports, and ports that are taken.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, describe, test } from 'node:test';

import { closeAll, connect, next } from './support/clients.mjs';
import { Log, within } from './support/deadline.mjs';
import { freePort } from './support/router.mjs';

const logs = mkdtempSync(path.join(tmpdir(), 'signalbox-run-'));
const runs = new Set();

// Starts ./run; `said` are its lines, `ended` is its exit code. Listeners that no
// test names take any free port.
function run(environment, ...words) {
  const child = spawn('./run', ['--no-install', '--no-build',
    '--listen.public=127.0.0.1:0', '--listen.ingest=127.0.0.1:0',
    '--listen.operations=127.0.0.1:0', ...words], {
    env: { ...process.env, SIGNALBOX_LOGS: logs, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const made = { child, said: new Log(), text: '' };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      made.text += text;
      for (const line of text.split('\n'))
        made.said.push(line);
    });
  made.ended = once(child, 'close').then(([code]) => code);
  made.stop = async () => {
    child.kill('SIGINT');
    return within(made.ended, 25000, 'the end of ./run');
  };
  runs.add(made);
  return made;
}

// Listens at a free port of loopback.
async function taken() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

afterEach(async () => {
  closeAll();
  for (const each of runs)
    if (each.child.exitCode === null)
      await each.stop();
  runs.clear();
});

after(() => rmSync(logs, { recursive: true }));

async function signIn(site, user) {
  const answer = await fetch(`${site}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: user }),
  });
  assert.equal(answer.status, 200);
  return /session=([^;]+)/.exec(answer.headers.get('set-cookie'))[1];
}

describe('./run', () => {
  test('takes other ports, and site and router know each other there', async () => {
    const port = await freePort();
    const started = run({ DEMO_PORT: String(port) });
    await started.said.find((x) => x.includes(`Open http://127.0.0.1:${port}/`));
    const site = `http://127.0.0.1:${port}`;
    const { router } = await (await fetch(`${site}/api/session`)).json();
    assert.match(started.text, new RegExp(`router +.*"${new URL(router).host}"`));
    const session = await signIn(site, 'anna');
    const tab = await connect(router, { session, headers: { Origin: site } });
    const sent = await fetch(`${site}/api/letter`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: `session=${session}` },
      body: JSON.stringify({ to: 'anna', text: 'hello' }),
    });
    assert.equal((await sent.json()).online, 1);
    await next(tab, 'letter', (x) => x.text === 'hello');
    assert.equal(await started.stop(), 0);
  });

  test('says that the port of the site is taken, and what changes it', async () => {
    const server = await taken();
    const { port } = server.address();
    const started = run({ DEMO_PORT: String(port) });
    assert.equal(await within(started.ended, 25000, 'the end of ./run'), 1);
    assert.match(started.text, new RegExp(
      `^error: the site: 127\\.0\\.0\\.1:${port} is taken; .* set DEMO_PORT$`, 'm'));
    server.close();
  });

  for (const listener of ['public', 'ingest', 'operations'])
    test(`says that the router's ${listener} port is taken, and what changes it`,
      async () => {
        const server = await taken();
        const at = `127.0.0.1:${server.address().port}`;
        const started = run({ DEMO_PORT: String(await freePort()) },
          `--listen.${listener}=${at}`);
        assert.equal(await within(started.ended, 25000, 'the end of ./run'), 1);
        assert.match(started.text, new RegExp(
          `^error: the router: cannot listen on ${at.replaceAll('.', '\\.')}: `
          + `.*--listen\\.${listener}=HOST:PORT`, 'm'));
        server.close();
      });

  test('refuses a DEMO_PORT that is none', async () => {
    const started = run({ DEMO_PORT: 'http' });
    assert.equal(await within(started.ended, 25000, 'the end of ./run'), 1);
    assert.match(started.text, /^error: DEMO_PORT is "http"; give a port from 1 to 65535$/m);
  });
});
