// The examples of the documentation do what it says: fenced blocks that follow
// `<!-- run: NAME -->` are run as they stand, but for their ports.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync }
  from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { closeAll, connect, next, refused, socket } from './support/clients.mjs';
import { until, within } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { freePort, siteKey, startRouter } from './support/router.mjs';

const docs = new URL('../../docs/', import.meta.url);
const modules = new URL('node_modules', import.meta.url).pathname;

// The marked examples of a page: name -> { language, text }.
function examples(page) {
  const text = readFileSync(new URL(page, docs), 'utf8');
  const marked = /<!-- run: ([\w-]+) -->\n+```(\w+)\n([\s\S]*?)\n```/g;
  return new Map([...text.matchAll(marked)]
    .map(([, name, language, code]) => [name, { language, text: code }]));
}

const site = examples('site.md');
const browser = examples('browser.md');

const php = spawnSync('php', ['-m'], { encoding: 'utf8' });
const withoutPhp = php.status !== 0 && 'install php-cli: php is missing';
const withoutPhpCurl = withoutPhp
  || (!/^curl$/m.test(php.stdout) && 'install php-curl: php has no curl');
const withoutCurl = spawnSync('curl', ['--version']).status !== 0
  && 'install curl: curl is missing';

const withoutPython = spawnSync('python3', ['--version']).status !== 0
  && 'install python3: python3 is missing';

let folder;
let router;
let identity;
const children = [];

// Writes an example to a file, with other addresses for those of its text.
function save(example, file, addresses) {
  let { text } = example;
  for (const [from, to] of Object.entries(addresses)) {
    assert.ok(text.includes(from), `the example does not name ${from}`);
    text = text.replaceAll(from, to);
  }
  const name = path.join(folder, file);
  writeFileSync(name, text);
  return name;
}

// Starts a program that lives until the end of the tests.
function serve(command, parameters) {
  const child = spawn(command, parameters, { stdio: 'ignore', cwd: folder });
  children.push(child);
}

// Runs a program to its end; resolves to what it printed as JSON.
async function run(command, parameters) {
  const child = spawn(command, parameters, {
    cwd: folder, env: { ...process.env, SIGNALBOX_KEY: siteKey },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (x) => { out += x; });
  child.stderr.on('data', (x) => { err += x; });
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  try {
    const code = await within(ended, 20000, command);
    assert.equal(code, 0, `${command} ended with ${code}: ${out}${err}`);
  } finally {
    child.kill('SIGKILL');
  }
  return JSON.parse(out);
}

function answers(port, file = '/') {
  return until(() => fetch(`http://127.0.0.1:${port}${file}`)
    .catch(() => undefined), 15000, `the site at port ${port}`);
}

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'signalbox-docs-'));
  symlinkSync(modules, path.join(folder, 'node_modules'));
  const port = await freePort();
  serve(process.execPath,
    [save(site.get('identity-node'), 'identity.mjs', { 8480: String(port) })]);
  await answers(port);
  identity = `http://127.0.0.1:${port}/`;
  router = await startRouter({ site: { authUrl: identity, eventUrl: identity } });
});

after(async () => {
  closeAll();
  await router?.stop();
  for (const each of children)
    each.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

afterEach(closeAll);

const anna = () => connect(router.publicUrl, { session: 's3cret' });

describe('who a browser is', () => {
  test('the Node.js endpoint lets in whom it knows', async () => {
    const x = await anna();
    await deliver(router, { type: 'room-note', payload: { room: 'staff' } });
    await next(x, 'room-note');
    const stranger = socket(router.publicUrl, { session: 'guess' });
    assert.equal((await refused(stranger)).message, 'unauthorized');
  });

  test('the PHP endpoint answers as documented', { skip: withoutPhp },
    async () => {
      save(site.get('identity-php'), 'whoami.php', {});
      writeFileSync(path.join(folder, 'login.php'),
        "<?php session_start(); $_SESSION['user'] = 17; echo '{}';");
      const port = await freePort();
      serve('php', ['-d', `session.save_path=${folder}`,
        '-S', `127.0.0.1:${port}`, '-t', folder]);
      const stranger = await answers(port, '/whoami.php');
      assert.equal(stranger.status, 401);
      const login = await fetch(`http://127.0.0.1:${port}/login.php`);
      const cookie = login.headers.get('set-cookie').split(';')[0];
      const known = await fetch(`http://127.0.0.1:${port}/whoami.php`,
        { headers: { cookie } });
      assert.equal(known.status, 200);
      assert.equal(known.headers.get('content-type'), 'application/json');
      assert.deepEqual(await known.json(), { user_id: 17, rooms: ['staff'] });
    });

  test('the Python endpoint answers as documented', { skip: withoutPython },
    async () => {
      const port = await freePort();
      serve('python3', [save(site.get('identity-python'), 'identity.py',
        { 8480: String(port) })]);
      assert.equal((await answers(port)).status, 401);
      const known = await fetch(`http://127.0.0.1:${port}/`,
        { headers: { cookie: 'a=b; session=s3cret' } });
      assert.equal(known.headers.get('content-type'), 'application/json');
      assert.deepEqual(await known.json(), { user_id: 17, rooms: ['staff'] });
    });
});

describe('posting', () => {
  const ways = [
    ['post-curl', 'from curl', 'post.sh', 'sh', withoutCurl],
    ['post-node', 'from Node', 'post.mjs', process.execPath, false],
    ['post-python', 'from Python', 'post.py', 'python3', withoutPython],
    ['post-php', 'from PHP', 'post.php', 'php', withoutPhpCurl],
    ['post-socketio', 'from Socket.IO', 'emit.mjs', process.execPath, false],
  ];
  for (const [name, text, file, command, skip] of ways)
    test(`${name} reaches the user`, { skip }, async () => {
      const x = await anna();
      const answer = await run(command, [save(site.get(name), file,
        { 'http://127.0.0.1:8401': router.ingestUrl })]);
      assert.equal(answer.ok, true);
      assert.equal(answer.matched, 1);
      assert.equal(answer.online, 1);
      assert.equal(answer.dup, false);
      await next(x, 'letter', (y) => y.text === text);
    });
});

describe('troubleshooting', () => {
  const text = readFileSync(new URL('troubleshooting.md', docs), 'utf8');

  test('has twenty rows or more, each with a cause and a cure', () => {
    const rows = [...text.matchAll(/^\| (?!symptom|---)(.*) \|$/gm)].map((x) => x[1].split(' | '));
    assert.ok(rows.length >= 20, `${rows.length} rows`);
    for (const row of rows)
      assert.equal(row.length, 3, row.join(' | '));
  });

  test('quotes lines that the sources write', () => {
    const root = new URL('../../', import.meta.url).pathname;
    const files = spawnSync('find', ['actors', 'apps/router', 'transports', '-name', '*.cpp'],
      { cwd: root, encoding: 'utf8' }).stdout.trim().split('\n');
    // Literals that were broken into lines, and what is put into them.
    const sources = files.map((x) => readFileSync(path.join(root, x), 'utf8')).join('\n')
      .replaceAll(/"\s*\n\s*"/g, '').replaceAll('\\"', '"');
    const quotes = [...text.matchAll(/(?:[Ll]og(?: says| after SIGHUP)?[^`|]*: |^\| )`([^`]+)`/gm)].map((x) => x[1].replaceAll('\n', ' '))
      .filter((x) => x.includes(' '));
    assert.ok(quotes.length >= 20, `${quotes.length} quotes`);
    // Values, and names of settings that are put in.
    const varying = /"[^"]*"|https?:\S+|www\.\S+|\/\S+|[a-z-]+\.[a-z-]+|\d[\d.:-]*|[:;,()?]|\.\.\./;
    const elsewhere = ['Permission denied', 'ping timeout'];
    for (const quote of quotes)
      for (const part of quote.split(varying).map((x) => x.trim()).filter((x) => x.length >= 10 && !elsewhere.includes(x)))
        assert.ok(sources.includes(part), `no source writes "${part}" of "${quote}"`);
  });
});

describe('the page', () => {
  test('its connection handlers do what their comments say', async () => {
    const { text } = browser.get('connect');
    const calls = [];
    const note = (name) => (...args) => calls.push([name, ...args]);
    const { io } = await import('socket.io-client');
    const open = (session) => {
      const make = (_, options) => io(router.publicUrl, { ...options,
        forceNew: true, extraHeaders: { Cookie: `session=${session}` } });
      const body = `${text}\nreturn socket;`;
      return new Function('io', 'refresh', 'show', 'signIn', 'giveUp', body)(
        make, note('refresh'), note('show'), note('signIn'), note('giveUp'));
    };
    const made = [open('s3cret'), open('guess')];
    try {
      await until(() => calls.some((x) => x[0] === 'refresh'), 10000, 'refresh');
      await until(() => calls.some((x) => x[0] === 'signIn'), 10000, 'signIn');
      await deliver(router, { type: 'letter', payload: { to: 17, text: 'hi' } });
      await until(() => calls.some((x) => x[0] === 'show'), 10000, 'show');
    } finally {
      made.forEach((x) => x.close());
    }
  });
});
