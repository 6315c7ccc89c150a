// The router as its operator meets it: command line, configuration errors,
// operations listener and log.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { closeAll, connect, disconnected, next, refused, socket } from './support/clients.mjs';
import { slow, until } from './support/deadline.mjs';
import { deliver, post, user } from './support/ingest.mjs';
import { metric, metrics, reaches } from './support/metrics.mjs';
import { send } from './support/raw.mjs';
import { siteKey, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const bin = process.env.SIGNALBOX_BIN;
const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-operate-'));

after(() => rmSync(folder, { recursive: true }));

// The surroundings of a command: nothing of ours may leak in.
const bare = Object.fromEntries(Object.entries(process.env)
  .filter(([name]) => !name.startsWith('SIGNALBOX_')));

// Runs the binary to its end; resolves to { code, out, err }.
function run(words, environment = {}) {
  return new Promise((resolve) => {
    execFile(bin, words, { env: { ...bare, ...environment }, timeout: 20000 * slow },
      (error, out, err) => resolve({ code: error ? error.code : 0, out, err }));
  });
}

// Writes a configuration file of the test's own.
let files = 0;
function file(text) {
  const name = path.join(folder, `${++files}.json`);
  writeFileSync(name, text);
  return name;
}

describe('the command line', () => {
  test('version names the program and its version', async () => {
    for (const words of [['version'], ['--version']])
      assert.deepEqual(await run(words), { code: 0, out: 'signalbox 0.1.0\n', err: '' });
  });

  test('help lists commands, flags and every setting with what is allowed', async () => {
    const { code, out } = await run(['--help-all']);
    assert.equal(code, 0);
    for (const name of ['serve', 'check-config', 'emit', 'listen', 'presence', 'disconnect',
      'status', 'clients', 'cluster', 'key', 'help', 'version'])
      assert.match(out, new RegExp(`^  ${name} +[A-Z]`, 'm'));
    assert.match(out, /--engine\.ping-interval="25s"\n +Time between .* \[100ms to 1h\]/);
  });

  test('every command explains itself', async () => {
    for (const name of ['serve', 'check-config', 'emit', 'listen', 'presence', 'disconnect',
      'status', 'key', 'version']) {
      const { code, out } = await run([name, '--help']);
      assert.equal(code, 0);
      assert.match(out, new RegExp(`^usage: signalbox ${name}`));
      assert.deepEqual(await run(['help', name]), { code: 0, out, err: '' });
    }
    const { out } = await run(['help']);
    assert.equal(out, (await run(['--help'])).out);
    assert.ok(out.split('\n').length < 40);
  });

  test('key new makes another key each time, which the router takes', async () => {
    const [one, two] = [await run(['key', 'new']), await run(['key', 'new'])];
    assert.match(one.out, /^[\w-]{32}\n$/);
    assert.equal(one.err, '');
    assert.notEqual(one.out, two.out);
    const config = file(JSON.stringify({ site: { 'auth-url': 'http://127.0.0.1:1/' },
      ingest: { keys: [{ name: 'a', key: one.out.trim() }] } }));
    assert.deepEqual(await run(['check-config', config]),
      { code: 0, out: 'the configuration is valid\n', err: '' });
  });

  const mistakes = [
    [['presense', 'anna'], /unknown command \(did you mean presence\?\); there are serve, /],
    [['emit'], /emit: something is missing; give emit TYPE/],
    [['status', 'now'], /status: takes no argument "now"/],
    [['emit', 'x', '--volatil'], /--volatil: unknown flag \(did you mean --volatile\?\)/],
    [['presence', 'x', '--to-all'], /--to-all: is no flag of presence; emit have it/],
    [['emit', 'x', '--confirm=2h'], /"2h" is no deadline; give .*100ms to 60s/],
    [['serve', '--engine.ping-interval=soon'], /--engine\.ping-interval: .*"soon" is no duration; give .*100ms to 1h/],
    [['serve', '--config'], /--config: needs a value; give --config=FILE/],
  ];
  for (const [words, said] of mistakes)
    test(`"${words.join(' ')}" is refused with a hint and code 2`, async () => {
      const { code, out, err } = await run(words);
      assert.equal(code, 2);
      assert.equal(out, '');
      assert.match(err, said);
    });
});

describe('check-config', () => {
  test('accepts the configurations that come along', async () => {
    for (const name of ['router', 'demo', 'subdomain']) {
      const { code, out, err } = await run(['check-config', `configs/${name}.json`]);
      assert.equal(code, 0, err);
      assert.equal(out, 'the configuration is valid\n');
    }
  });

  const mistakes = [
    ['an unknown setting', '{\n  "engine": {\n    "ping-intervall": "25s"\n  }\n}',
      ':3: engine.ping-intervall: unknown setting (did you mean engine.ping-interval?)'],
    ['an unknown group', '{\n  "motor": {}\n}', ':2: motor: '],
    ['a wrong type', '{ "limits": {\n"headers": "many" } }',
      ':2: limits.headers: "many" is no whole number; give a whole number, 1 to 1000'],
    ['a value out of range', '// first\n{ "engine": { "ping-interval": "1ms" } }',
      ':2: engine.ping-interval: "1ms" is out of range; give a number with ms, s, m or h, 100ms to 1h'],
    ['a word that is no choice', '{ "log": {\n\n"level": "loud" } }',
      ':3: log.level: "loud" is none of the choices; give trace, debug, info, warn, error or off'],
    ['a name given twice', '{ "log": { "level": "info",\n"level": "warn" } }', ':2: log.level: '],
    ['a broken file', '{ "log": {\n  "level": "info",\n}', ':3: '],
    ['a rule without a pointer', '{\n"rules": [\n{ "type": "x", "to": "user" } ] }',
      ':3: rules[0].pointer: missing; a rule to user or room needs a JSON pointer, such as /to'],
    ['a short key', '{ "ingest": {\n"keys": [ { "key": "secret-short" } ] } }',
      ':2: ingest.keys[0].key: the value is shorter than 16 characters; give'],
    ['two listeners at one address',
      '{ "listen": {\n"public": "127.0.0.1:8402" } }', 'is taken by listen.public; give each'],
    ['a certificate without a key', '{ "tls": {\n"certificate": "a.pem" } }',
      ':2: tls.certificate: has no key; give tls.key as well'],
    ['a node without certificates that is reached from elsewhere',
      `{ "cluster": { "name": "x", "sid-key": "${'secret-short'.repeat(3)}",\n"listen": "10.0.0.1:8404" } }`,
      ':2: cluster.listen: "10.0.0.1:8404" reaches beyond loopback, where nodes must prove who they are; give'],
  ];
  for (const [what, text, said] of mistakes)
    test(`names line, setting and what is allowed: ${what}`, async () => {
      const name = file(text);
      const { code, err } = await run(['check-config', name]);
      assert.equal(code, 2);
      assert.ok(err.includes(said.startsWith(':') ? name + said : said),
        `expected ${said}\n${err}`);
      assert.doesNotMatch(err, /secret-short/, 'a key was shown');
    });

  test('shows all mistakes at once, and serve refuses the same', async () => {
    const name = file('{ "log": { "level": 5 },\n"limits": { "headers": 0 },\n"x": 1 }');
    const checked = await run(['check-config', name]);
    assert.equal(checked.err.trim().split('\n').length, 3);
    const served = await run(['serve', '--config', name]);
    assert.deepEqual([served.code, served.out, served.err], [2, '', checked.err]);
  });

  test('checks environment and flags too, and says which', async () => {
    const { code, err } = await run(['check-config', '--limits.headers=0'],
      { SIGNALBOX_ROUTER_NODE: '70000' });
    assert.equal(code, 2);
    assert.match(err, /SIGNALBOX_ROUTER_NODE: router\.node: "70000" is out of range; give a whole number, 0 to 65535/);
    assert.match(err, /--limits\.headers: .*1 to 1000/);
  });

  test('a file that is not there is named', async () => {
    const { code, err } = await run(['check-config', path.join(folder, 'none.json')]);
    assert.equal(code, 2);
    assert.match(err, /none\.json: /);
  });

  test('what is probably not meant is a warning', async () => {
    const { code, err } = await run(['check-config', file('{}')]);
    assert.equal(code, 0);
    assert.match(err, /^warning: .*give site\.auth-url/m);
  });
});

describe('a running router', () => {
  let site;
  let router;
  let config;

  before(async () => {
    site = await startSite();
    router = await startRouter({ site, changes: {
      presence: { 'leave-grace': '0s' },
      router: { 'drain-seconds': 0, threads: 2 },
      log: { level: 'debug', format: 'json' },
    } });
    config = file(JSON.stringify({
      listen: {
        ingest: `127.0.0.1:${router.ingest.port}`,
        operations: `127.0.0.1:${router.operations.port}`,
      },
      ingest: { keys: [{ name: 'test', key: siteKey }] },
    }));
  });

  afterEach(closeAll);

  after(async () => {
    await router?.stop();
    await site?.close();
  });

  // A command that finds the router by the configuration file.
  const command = async (...words) => {
    const { code, out, err } = await run([...words, '--config', config]);
    return { code, err, json: out.trim().split('\n').filter(Boolean).map((x) => JSON.parse(x)) };
  };

  test('emit posts by the rules, and its text may be JSON or not', async () => {
    const tab = await connect(router.publicUrl, { session: 'anna' });
    const first = await command('emit', 'letter', '{"to":"anna","text":"by hand"}');
    assert.equal(first.code, 0, first.err);
    assert.deepEqual([first.json[0].matched, first.json[0].online], [1, 1]);
    assert.equal((await next(tab, 'letter'))[0].text, 'by hand');
    assert.equal((await command('emit', 'announcement', 'no JSON at all')).code, 0);
    assert.deepEqual(await next(tab, 'announcement'), ['no JSON at all']);
  });

  test('emit refuses what was meant as JSON and is none', async () => {
    for (const payload of ['{"to":"anna"', '{to:"anna"}', '[1,', '"x', '12,5', "{'to':'anna'}"]) {
      const { code, err, json } = await command('emit', 'announcement', payload);
      assert.equal(code, 1, payload);
      assert.match(err, /the payload is no JSON/);
      assert.deepEqual(json, []);
    }
  });

  test('a wrong listener is told as that', async () => {
    for (const url of [router.publicUrl, router.operationsUrl]) {
      const { code, err } = await run(['emit', 'x', '--url', url, '--key', siteKey]);
      assert.equal(code, 1);
      assert.match(err, /answered 4\d\d; is that the address of listen\.ingest\?/);
    }
    const { code, err } = await run(['status', '--url', router.publicUrl]);
    assert.equal(code, 1);
    assert.match(err, /is that the address of listen\.operations\?/);
  });

  test('answers are tables for people', async () => {
    const { code, out } = await run(['status', '--table', '--config', config]);
    assert.equal(code, 0);
    assert.match(out, /^state +ready$/m);
    assert.match(out, /^sessions websocket +\d+$/m);
    JSON.parse((await run(['status', '--json', '--config', config])).out);
  });

  test('emit names targets, waits for acks and repeats nothing', async () => {
    const anna = await connect(router.publicUrl, { session: 'anna' });
    await connect(router.publicUrl, { session: 'ben' });
    anna.on('hello', (text, ack) => ack?.());
    const both = await command('emit', 'hello', '"x"', '--to-user=anna', '--to-user', 'ben',
      '--confirm=300ms');
    assert.deepEqual(both.json[0].confirmed, { anna: 'delivered', ben: 'timed_out' });
    const keyed = ['emit', 'hello', '--to-all', '--idempotency-key=k1', '--volatile'];
    assert.equal((await command(...keyed)).json[0].dup, false);
    assert.equal((await command(...keyed)).json[0].dup, true);
    const two = await command('emit', 'x', '--to-all', '--to-room=y');
    assert.equal(two.code, 1);
    assert.match(two.err, /give one of --to-user, --to-room, --to-all/);
  });

  test('a refused event ends with code 1 and the reason', async () => {
    const { code, json } = await command('emit', 'unheard-of', '1');
    assert.equal(code, 1);
    assert.equal(json[0].error.code, 'no_rule');
    assert.match(json[0].error.message, /add one to `rules`/);
  });

  test('presence and disconnect take several users', async () => {
    const tab = await connect(router.publicUrl, { session: 'ada lovelace' });
    const shown = await command('presence', 'ada lovelace', 'nobody');
    assert.equal(shown.code, 0);
    assert.deepEqual(shown.json.map((x) => x.online), [true, false]);
    assert.equal(shown.json[0].connections[0].id, tab.id);
    const gone = disconnected(tab);
    const thrown = await command('disconnect', 'ada lovelace');
    assert.deepEqual(thrown.json, [{ ok: true, connections: 1 }]);
    await gone;
  });

  test('the key may come from the environment, the address from a flag', async () => {
    const { code, out } = await run(['presence', 'nobody', `--url=${router.ingestUrl}/`],
      { SIGNALBOX_KEY: siteKey });
    assert.equal(code, 0);
    assert.equal(JSON.parse(out).online, false);
    const none = await run(['presence', 'nobody', `--url=${router.ingestUrl}`]);
    assert.equal(none.code, 1);
    assert.match(none.err, /no key; give --key=KEY, SIGNALBOX_KEY, or a --config with ingest\.keys/);
    const wrong = await run(['presence', 'x', `--url=${router.ingestUrl}`, '--key=0123456789abcdef']);
    assert.equal(wrong.code, 1);
    assert.equal(JSON.parse(wrong.out).error.code, 'bad_key');
  });

  test('status tells state and load', async () => {
    await connect(router.publicUrl, { session: 'anna' });
    await connect(router.publicUrl, { session: 'ben', way: 'polling' });
    const { code, json: [status] } = await command('status');
    assert.equal(code, 0);
    assert.equal(status.state, 'ready');
    assert.equal(status.version, '0.1.0');
    assert.deepEqual(status.sessions, { polling: 1, websocket: 1 });
    assert.equal(status.users_online, 2);
  });

  test('clients tells which generations came, how, and from where', async () => {
    const ask = async () => {
      const { code, json: [list] } = await command('clients');
      assert.equal(code, 0);
      return list;
    };
    const before = await ask();
    await connect(router.publicUrl, { session: 'anna', way: 'websocket' });
    const visit = async () => {
      const old = await send(router.public.port, 'GET', '/socket.io/?EIO=3&transport=polling',
        { headers: { Origin: 'http://127.0.0.1' } });
      assert.equal(old.status, 200);
      const [, sid] = /"sid":"([^"]+)/.exec(old.body);
      await send(router.public.port, 'POST', `/socket.io/?EIO=3&transport=polling&sid=${sid}`,
        { body: '1:1' });
    };
    await visit();
    const after = await ask();
    const of = (list, dialect, transport) =>
      list.find((x) => x.dialect === dialect && x.transport === transport);
    const page = of(after, 'eio3', 'polling');
    assert.equal(page.origin, 'http://127.0.0.1');
    assert.equal(page.sessions, 1);
    assert.ok(page.first <= page.last);
    assert.equal(after[0], page, 'the most recent first');
    const tab = of(after, 'eio4', 'websocket');
    assert.equal(tab.sessions, (of(before, 'eio4', 'websocket')?.sessions ?? 0) + 1);
    assert.equal(await metric(router, 'clients_total{dialect="eio3",transport="polling"}'), 1);
    // Its line may lose its turn to that of the tab, of which there is one a second.
    await until(async () => {
      await visit();
      return router.log().includes('clients: eio3 over polling');
    }, 5000, 'the line of the combination');
  });

  test('a command that finds no router says what to do', async () => {
    const { code, err } = await run(['status', '--url=http://127.0.0.1:1']);
    assert.equal(code, 1);
    assert.match(err, /cannot reach http:\/\/127\.0\.0\.1:1\/.*is the router running there\?/);
  });

  test('the operations listener answers what it knows, to GET and HEAD', async () => {
    const { port } = router.operations;
    const get = (at, method = 'GET') => send(port, method, at);
    assert.deepEqual([(await get('/healthz')).status, (await get('/healthz')).body], [200, 'ok\n']);
    assert.deepEqual([(await get('/readyz')).status, (await get('/readyz')).body], [200, 'ready\n']);
    assert.equal((await get('/readyz', 'HEAD')).status, 200);
    assert.equal((await get('/readyz', 'POST')).status, 405);
    const lost = await get('/');
    assert.equal(lost.status, 404);
    assert.match(lost.body, /\/healthz, \/readyz, \/metrics/);
    assert.equal(JSON.parse((await get('/api/v1/status')).body).state, 'ready');
  });

  test('the metrics are Prometheus text, each announced once', async () => {
    const { status, headers, body } = await send(router.operations.port, 'GET', '/metrics');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    const announced = new Map();
    for (const line of body.trimEnd().split('\n')) {
      const [, kind, name] = /^# (HELP|TYPE) (\S+) \S/.exec(line) ?? [];
      if (kind === 'TYPE') {
        assert.ok(!announced.has(name), `${name} twice`);
        announced.set(name, line.split(' ')[3]);
      }
      if (kind)
        continue;
      const [, of] = /^(signalbox_[a-z_]+)(?:\{[a-z]+="[a-z0-9_-]+"(?:,[a-z]+="[a-z-]+")?\})? -?\d+$/.exec(line) ?? [];
      assert.ok(announced.has(of), line);
      assert.equal(announced.get(of), of.endsWith('_total') ? 'counter' : 'gauge', line);
    }
  });

  test('the documentation lists every metric, and no other', async () => {
    const text = readFileSync('docs/operations.md', 'utf8');
    const named = [...text.matchAll(/^\| `(\w+)` \| (?:gauge|counter) \|/gm)].map((x) => x[1]);
    const { body } = await send(router.operations.port, 'GET', '/metrics');
    const served = [...body.matchAll(/^# TYPE signalbox_(\w+) /gm)].map((x) => x[1]);
    assert.deepEqual(named.sort(), served.sort());
  });

  test('the documentation lists every label and its values', async () => {
    const text = readFileSync('docs/operations.md', 'utf8');
    const { body } = await send(router.operations.port, 'GET', '/metrics');
    for (const [, name, labels] of body.matchAll(/^signalbox_(\w+)\{(.*)\} /gm)) {
      const [, row] = new RegExp(`^\\| \`${name}\` \\|(.*)$`, 'm').exec(text);
      for (const [, label, value] of labels.matchAll(/(\w+)="([^"]*)"/g))
        assert.ok(row.includes(`\`${label}\`: `) && row.includes(`\`${value}\``),
          `${name} has no ${label}="${value}"`);
    }
  });

  test('the documentation and the man page list every command, and no other', async () => {
    const text = readFileSync('docs/operations.md', 'utf8');
    const [, table] = /^\| command \| what it does \|\n([\s\S]*?)\n\n/m.exec(text);
    const listed = [...table.matchAll(/^\| `([a-z-]+)/gm)].map((x) => x[1]);
    const { out } = await run(['help']);
    const [, commands] = /^Commands:\n([\s\S]*?)\n\n/m.exec(out);
    const known = [...commands.matchAll(/^ {2}([a-z-]+) /gm)].map((x) => x[1]);
    assert.deepEqual(listed, known);
    const page = readFileSync('configs/signalbox.1', 'utf8').replaceAll('\\-', '-');
    for (const name of known)
      assert.match(page, new RegExp(`^\\.BI? ${name}\\b`, 'm'));
  });

  test('the actors counted are those that live', async () => {
    const actors = async () => Object.fromEntries([...await metrics(router)]
      .filter(([name]) => name.startsWith('actors{'))
      .map(([name, value]) => [/kind="(\w+)"/.exec(name)[1], value]));
    await reaches(router, 'actors{kind="connection"}', 0);
    await reaches(router, 'actors{kind="presence"}', 0);
    // Four namespaces, each with a hub on both shards.
    const idle = { connection: 0, presence: 0, users: 1, nsp: 4, hub: 8, ingest: 1,
      site_auth: 1, transport: 1, membership: 0, link: 0, relay: 0, tunnels: 0,
      supervisor: 1 };
    assert.deepEqual(await actors(), idle);
    const tabs = [];
    for (let i = 0; i < 12; ++i)
      tabs.push(await connect(router.publicUrl, {
        session: `user${i % 5}`, way: i % 2 ? 'polling' : 'websocket',
      }));
    tabs.push(await connect(router.publicUrl, { namespace: '/news' }));
    assert.deepEqual(await actors(), { ...idle, connection: 13, presence: 5 });
    // Two of the three tabs of user0, and the guest.
    for (const tab of [tabs[0], tabs[5], tabs[12]])
      tab.disconnect();
    await reaches(router, 'actors{kind="connection"}', 10);
    assert.equal((await actors()).presence, 5);
    tabs[10].disconnect();
    await reaches(router, 'actors{kind="presence"}', 4);
    assert.deepEqual(await actors(), { ...idle, connection: 9, presence: 4 });
    closeAll();
    await reaches(router, 'actors{kind="connection"}', 0);
    await reaches(router, 'actors{kind="presence"}', 0);
    assert.deepEqual(await actors(), idle);
  });

  // The lines of the log so far, each of which must be JSON.
  const logged = () => router.program.stderr.split('\n').slice(0, -1).map((x) => JSON.parse(x));

  test('a refused Origin is logged once a second, with the setting that admits it', async () => {
    const start = Date.now();
    const origin = 'https://www.elsewhere.test';
    for (let i = 0; i < 20; ++i) {
      const { status } = await send(router.public.port, 'GET',
        '/socket.io/?EIO=4&transport=polling', { headers: { Origin: origin } });
      assert.equal(status, 403);
    }
    const about = () => logged().filter((x) => x.message.includes(origin));
    await until(() => about().length > 0, 5000, 'the warning');
    assert.ok(about().length <= 1 + Math.ceil((Date.now() - start) / 1000));
    assert.equal(about()[0].level, 'warning');
    assert.match(about()[0].message, /to admit it, add it to origin\.allow/);
    assert.ok((await metrics(router)).get('origins_refused_total') >= 20);
  });

  test("a stranger's text cannot forge a line of the log", async () => {
    const count = logged().length;
    const evil = `evil"}{'\\\x80 \x1b[31m%s{}`.replace('\x1b', '\xa0');
    await until(async () => {
      await send(router.public.port, 'GET', '/socket.io/?EIO=4&transport=polling',
        { headers: { Origin: evil } });
      return logged().slice(count).some((x) => x.message.includes('evil'));
    }, 5000, 'the warning');
    const { message } = logged().slice(count).find((x) => x.message.includes('evil'));
    assert.match(message, /^[\x20-\x7e]*$/);
    assert.match(message, /evil\\"\}\{'\\\\\\u0080 \\u00a0\[31m%s\{\}/);
  });

  test('the log is JSON, and holds no cookie, token, key or session id', async () => {
    const secret = 'a-secret-that-stays';
    const tab = await connect(router.publicUrl, { session: secret, way: 'upgrade',
      auth: { token: 'auth-token-that-stays' }, headers: { Authorization: 'Bearer wrong-key-that-stays' } })
      .catch(() => undefined);
    const guest = await connect(router.publicUrl, { session: secret, way: 'upgrade',
      auth: { token: 'auth-token-that-stays' } });
    site.mode = 'error';
    await refused(socket(router.publicUrl, { session: secret, way: 'polling' }));
    site.mode = 'answer';
    await post(router, { type: 'letter', payload: { to: secret } }, { key: 'post-key-that-stays' });
    await deliver(router, { type: 'letter', payload: { to: secret, text: 'text-that-stays' } });
    await send(router.public.port, 'GET', `/socket.io/?EIO=4&transport=polling&sid=${guest.io.engine.id}xx`);
    guest.emit('question', 'argument-that-stays');
    const { connections } = await user(router, secret);
    const sids = [tab, guest].filter(Boolean).map((x) => x.io.engine.id).filter(Boolean);
    closeAll();
    await reaches(router, 'actors{kind="connection"}', 0);
    const lines = logged();
    for (const line of lines) {
      assert.deepEqual(Object.keys(line), ['time', 'level', 'message']);
      assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
    assert.ok(lines.some((x) => x.message.includes('answered with status 500')));
    assert.ok(lines.some((x) => x.message.includes('ingest.keys')));
    const text = router.log();
    assert.doesNotMatch(text, /that-stays/);
    assert.ok(!text.includes(siteKey));
    for (const sid of [...sids, ...connections.map((x) => x.id)])
      assert.ok(!text.includes(sid), 'a session id is in the log');
  });

  test('a listener that is taken is named, with what to do', async () => {
    for (const name of ['public', 'ingest', 'operations']) {
      const free = ['public', 'ingest', 'operations'].filter((x) => x !== name)
        .map((x) => `--listen.${x}=127.0.0.1:0`);
      const taken = `127.0.0.1:${router[name].port}`;
      const { code, out, err } = await run(['serve', ...free, `--listen.${name}=${taken}`]);
      assert.equal(code, 1);
      assert.equal(out, '');
      assert.match(err, new RegExp(`cannot listen on ${taken}: .*in use; choose another `
        + `address with --listen\\.${name}=HOST:PORT, or stop what uses this one`));
    }
  });
});

describe('which generations are served', () => {
  const paths = { eio4: '/socket.io/?EIO=4&transport=polling',
    eio3: '/socket.io/?EIO=3&transport=polling', v09: '/socket.io/1/',
    none: '/socket.io/?transport=polling', five: '/socket.io/?EIO=5&transport=polling' };

  async function statuses(engine) {
    const router = await startRouter({ changes: { engine, jsonp: { v09: true },
      namespaces: [{ name: '/', anonymous: true }] } });
    try {
      const all = {};
      for (const [name, path] of Object.entries(paths))
        all[name] = (await send(router.public.port, 'GET', path)).status;
      // A script must be one, whatever it says.
      const script = await send(router.public.port, 'GET', '/socket.io/1/?jsonp=0',
        { headers: { Referer: 'http://127.0.0.1/' } });
      all.script = [script.status, /^io\.j\[0\]\((new Error\()?/.exec(script.body)?.[0]];
      return all;
    } finally {
      await router.stop();
    }
  }

  test('is for engine.generations to say', async () => {
    assert.deepEqual(await statuses({}),
      { eio4: 200, eio3: 200, v09: 200, none: 200, five: 400, script: [200, 'io.j[0]('] });
    assert.deepEqual(await statuses({ 'unnamed-revision': false }),
      { eio4: 200, eio3: 200, v09: 200, none: 400, five: 400, script: [200, 'io.j[0]('] });
    assert.deepEqual(await statuses({ generations: ['eio4'] }),
      { eio4: 200, eio3: 400, v09: 403, none: 400, five: 400, script: [200, 'io.j[0](new Error('] });
  });

  test('and other revisions may count as 3', async () => {
    assert.deepEqual(await statuses({ 'lax-revision': true }),
      { eio4: 200, eio3: 200, v09: 200, none: 200, five: 200, script: [200, 'io.j[0]('] });
  });
});

describe('the examples', () => {
  test('the configuration in docs/site.md is accepted', async () => {
    const text = readFileSync('docs/site.md', 'utf8');
    const [, example] = /```json\n(\{\n {2}"site"[\s\S]*?)```/.exec(text);
    const { code, err } = await run(['check-config', file(example)]);
    assert.equal(code, 0, err);
    assert.equal(err, '');
  });

  test('the commands of the README do what it says', async () => {
    const demo = JSON.parse(readFileSync('configs/demo.json', 'utf8').replace(/^ *\/\/.*$/gm, ''));
    const site = await startSite();
    const router = await startRouter({ site, changes: { ingest: demo.ingest, rules: demo.rules } });
    // The commands in the order of the text, for this router.
    const readme = readFileSync('README.md', 'utf8');
    const config = file(JSON.stringify({ ingest: demo.ingest, listen: {
      ingest: `127.0.0.1:${router.ingest.port}`,
      operations: `127.0.0.1:${router.operations.port}` } }));
    const commands = [...readme.matchAll(/((?:curl|build\/release\/signalbox) [^`]+)`/g)]
      .map((x) => x[1].replaceAll('build/release/signalbox', bin)
        .replaceAll('configs/demo.json', config)
        .replaceAll('127.0.0.1:8401', `127.0.0.1:${router.ingest.port}`)
        .replaceAll(`${bin} status`, `${bin} status --config ${config}`));
    const answers = [];
    try {
      const tab = await connect(router.publicUrl, { session: 'anna' });
      for (const words of commands)
        answers.push(JSON.parse(await new Promise((resolve, reject) => {
          execFile('sh', ['-c', words], { env: bare, timeout: 20000 * slow },
            (error, out) => (error ? reject(error) : resolve(out)));
        })));
      const texts = await tab.received.take(2);
      assert.deepEqual(texts.map((x) => x.args[0].text), ['hello', 'hello again']);
      const [posted, emitted, shown, status] = answers;
      assert.deepEqual([posted.matched, posted.online, posted.dup], [1, 1, false]);
      assert.deepEqual(emitted.confirmed, { anna: 'timed_out' });
      assert.equal(shown.connections.length, 1);
      assert.equal(status.state, 'ready');
    } finally {
      closeAll();
      await router.stop();
      await site.close();
    }
  });
});
