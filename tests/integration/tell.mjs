// What the router tells its operator: why a CONNECT was refused, which setting a
// bound belongs to, what is wrong with a file. And the pages inside apps.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { closeAll, connect, refused, socket } from './support/clients.mjs';
import { slow, until } from './support/deadline.mjs';
import { deliver, post } from './support/ingest.mjs';
import { metrics } from './support/metrics.mjs';
import { Polling, send } from './support/raw.mjs';
import { siteKey, startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const bin = process.env.SIGNALBOX_BIN;
const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-tell-'));
const at = (name) => path.join(folder, name);
const openssl = (...words) => execFileSync('openssl', words, { stdio: 'pipe' });

after(() => rmSync(folder, { recursive: true }));
afterEach(closeAll);

const bare = Object.fromEntries(Object.entries(process.env)
  .filter(([name]) => !name.startsWith('SIGNALBOX_')));

function run(command, words) {
  return new Promise((resolve) => {
    execFile(command, words, { env: bare, timeout: 20000 * slow }, (error, out, err) =>
      resolve({ code: error ? error.code ?? error.signal : 0, out, err }));
  });
}

const open = (router, headers = {}, query = 'EIO=4&transport=polling') =>
  send(router.public.port, 'GET', `/socket.io/?${query}`, { headers });

describe('why a CONNECT was refused', () => {
  let site;
  before(async () => { site = await startSite(); });
  after(() => site.close());

  async function through(changes, use) {
    const router = await startRouter({ site, changes: { log: { level: 'info' }, ...changes } });
    try {
      await use(router);
      assert.doesNotMatch(router.log(), /nobody-knows|s3cret|test-key/);
    } finally {
      closeAll();
      await router.stop();
    }
  }

  test('names namespace, Origin, status and the names of cookies', () =>
    through({ site: { 'auth-url': site.authUrl, cookies: ['session'] },
      origin: { allow: ['https://www.example.test'] } }, async (router) => {
      site.users.set('nobody-knows', undefined);
      site.onVerdict = () => undefined;
      await refused(socket(router.publicUrl, { namespace: '/custom', headers: {
        Cookie: 'session=nobody-knows; lang=s3cret', Origin: 'https://www.example.test' } }));
      await router.logs(new RegExp('info.* CONNECT to "/custom" refused: unauthorized, the site '
        + 'answered with status 401; Origin "https://www\\.example\\.test"; '
        + 'cookies that came: session, lang; forwarded: session$', 'm'));
      site.onVerdict = undefined;
    }));

  test('tells that no cookie came, and other reasons than the site', () =>
    through({}, async (router) => {
      await refused(socket(router.publicUrl));
      await router.logs(/no Origin; cookies that came: none; forwarded: none$/m);
    }));

  test('tells of a namespace that is not configured', () => through({}, async (router) => {
    await refused(socket(router.publicUrl, { namespace: '/nope', session: 's3cret' }));
    await router.logs(/CONNECT to "\/nope" refused: .*; the setting namespaces does not name it; no Origin$/m);
  }));

  test('an anonymous namespace refuses nobody', () =>
    through({ log: { level: 'debug' } }, async (router) => {
      await connect(router.publicUrl, { namespace: '/news' });
      await router.logs(/CONNECT to "\/news" accepted/);
      assert.doesNotMatch(router.log(), /refused/);
    }));

  test('comes once a second at info, for every decision at debug', async () => {
    for (const [level, least, most] of [['info', 1, 3], ['debug', 12, 12]])
      await through({ log: { level } }, async (router) => {
        const flood = Array.from({ length: 12 }, () => socket(router.publicUrl, { namespace: '/nope' }));
        await Promise.all(flood.map(refused));
        await router.logs(/CONNECT to "\/nope"/);
        const count = () => router.log().match(/CONNECT to "\/nope"/g).length;
        await until(() => count() >= least, 5000 * slow, 'all lines');
        const lines = count();
        assert.ok(lines >= least && lines <= most, `${lines} lines at ${level}`);
      });
    await through({ log: { level: 'debug' } }, async (router) => {
      await connect(router.publicUrl, { session: 'anna' });
      await router.logs(/debug.* CONNECT to "\/" known to the site: .*cookies that came: session; /);
      await router.logs(/debug.* CONNECT to "\/" accepted: a user of the site; no Origin$/m);
    });
  });

  test('a wrong key of a Socket.IO client is logged as one of HTTP', () => through({}, async (router) => {
    await refused(socket(router.ingestUrl, { auth: { key: 's3cret-s3cret-s3cret' } }));
    await router.logs(/warn.* a Socket\.IO client at 127\.0\.0\.1 without a valid key was refused in "\/"; see ingest\.keys$/m);
    await post(router, { type: 'x' }, { key: 's3cret-s3cret-s3cret' }).catch(() => {});
    await router.logs(/warn.* a post without a valid key was refused; see ingest\.keys$/m);
  }));

  test('no stranger forges a line, in either form', async () => {
    for (const format of ['text', 'json'])
      await through({ log: { level: 'debug', format } }, async (router) => {
        const x = await Polling.open(router.public.port);
        await x.post('40/a\u001b[2J\u009bforged\nforged,{"key":"x"}').catch(() => {});
        await refused(socket(router.publicUrl, { namespace: '/a%1b[31m\u0085b' })).catch(() => {});
        await refused(socket(router.publicUrl, { namespace: '/nope' }));
        await until(() => /nope/.test(router.log()), 5000 * slow, 'the line');
        // eslint-disable-next-line no-control-regex
        assert.doesNotMatch(router.log().replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f]/);
        for (const line of router.log().split('\n').filter(Boolean))
          assert.match(line, /^(\{"time"|\d{4}-\d\d-\d\dT|ready )/);
      });
  });
});

describe('bounds and mistakes name their setting', () => {
  async function through(changes, use) {
    const router = await startRouter({ changes: { namespaces: [{ name: '/', anonymous: true }], ...changes } });
    try {
      await use(router);
    } finally {
      closeAll();
      await router.stop();
    }
  }

  test('limits.per-ip and -rate, with the proxy that may be the cause', async () => {
    for (const [name, value] of [['per-ip', 1], ['per-ip-rate', 1]])
      await through({ limits: { [name]: value, 'count-loopback': true } }, async (router) => {
        await Promise.allSettled([1, 2, 3, 4, 5].map(() => connect(router.publicUrl)));
        await router.logs(new RegExp(`warn.* refused a connection of 127\\.0\\.0\\.1, which .*1 .*\\(limits\\.${name}\\).*proxy\\.trusted-proxies`));
      });
  });

  test('the client script that is not served', () => through({}, async (router) => {
    await send(router.public.port, 'GET', '/socket.io/socket.io.min.js');
    await router.logs(/"\/socket\.io\/socket\.io\.min\.js" was asked for, but engine\.client-files is not set/);
  }));

  test('a WebSocket request whose Upgrade was taken off', () => through({}, async (router) => {
    await open(router, {}, 'EIO=4&transport=websocket');
    await router.logs(/without \\?"Upgrade: websocket\\?": a proxy in front takes it off/);
  }));

  test('clients that never upgrade are told of, those that do are not', () =>
    through({ engine: { 'ping-interval': '100ms' } }, async (router) => {
      const many = (count, way) => Promise.all(Array.from({ length: count },
        () => connect(router.publicUrl, { way })));
      await many(15, 'polling');
      await many(1, 'upgrade');
      await many(6, 'polling');
      closeAll();
      // Lines keep their order, so one of before would stand before this one.
      await send(router.public.port, 'GET', '/socket.io/socket.io.min.js');
      await router.logs(/"\/socket\.io\/socket\.io\.min\.js" was asked for/);
      assert.doesNotMatch(router.log(), /stay with polling/);
      await many(21, 'polling');
      await router.logs(/many clients in a row stay with polling, lately 127\.0\.0\.1: .*engine\.transports/);
      assert.equal(router.log().match(/stay with polling/g).length, 1);
    }));

  test('a client without a revision is taken for one of 3, or named with its setting', async () => {
    await through({}, async (router) => {
      assert.equal((await open(router, {}, 'transport=polling&b64=1')).status, 200);
      await router.logs(/info.* names no revision .*socket\.io-client-swift up to 15: it is taken for one of 3; see engine\.unnamed-revision/);
    });
    for (const engine of [{ 'unnamed-revision': false }, { generations: ['eio4'] }])
      await through({ engine }, async (router) => {
        assert.equal((await open(router, {}, 'transport=polling')).status, 400);
        await router.logs(/warn.* refused a client that names no revision .*see engine\.unnamed-revision, and eio3 in engine\.generations/);
      });
    await through({}, async (router) => {
      assert.equal((await open(router, {}, 'EIO=5&transport=polling')).status, 400);
      await router.logs(/refused a client of revision "5".*engine\.lax-revision/);
    });
  });
});

describe('pages inside apps', () => {
  const origins = ['capacitor://localhost', 'ionic://localhost', 'tauri://localhost', 'app://obsidian.md',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop', 'moz-extension://6b6c8a9e-1111-2222-3333-444455556666'];
  const changes = (allow) => ({ namespaces: [{ name: '/', anonymous: true }], origin: { allow } });
  const status = async (router, origin) => (await open(router, { Origin: origin })).status;

  test('come in by their own entry only', async () => {
    for (const allow of [[], ...origins.map((x) => [x]), ['moz-extension://*'], ['https://*.example.test']]) {
      const router = await startRouter({ changes: changes(allow) });
      try {
        for (const origin of [...origins, 'null', 'file://', 'capacitor://evil']) {
          const admitted = allow.includes(origin)
            || (allow[0] === 'moz-extension://*' && origin.startsWith('moz-'));
          assert.equal(await status(router, origin), admitted ? 200 : 403, `${origin} by ${allow}`);
        }
        if (origins.includes(allow[0])) {
          const answer = await open(router, { Origin: allow[0] });
          assert.equal(answer.headers['access-control-allow-origin'], allow[0]);
          await connect(router.publicUrl, { headers: { Origin: allow[0] } });
        }
      } finally {
        closeAll();
        await router.stop();
      }
    }
  });

  test('of files come in by a word, with a warning', async () => {
    for (const [word, fits] of [['null', ['null']], ['file://', ['null', 'file://']]]) {
      const router = await startRouter({ changes: changes([word]) });
      try {
        await router.logs(/origin\.allow\[0\]: admits every page that calls itself null/);
        for (const origin of ['null', 'file://', 'https://evil.example', 'capacitor://localhost'])
          assert.equal(await status(router, origin), fits.includes(origin) ? 200 : 403, `${origin} by ${word}`);
      } finally {
        await router.stop();
      }
    }
    const router = await startRouter({ changes: changes([]) });
    try {
      await status(router, 'null');
      await router.logs(/refused a request with Origin "null" .*the word file:\/\/ or null in origin\.allow/);
    } finally {
      await router.stop();
    }
  });
});

describe('files of certificates', () => {
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const self = (name, days, more = ['-nodes']) => openssl('req', '-x509', ...ec, ...more, '-days', String(days),
    '-subj', `/CN=${name}.test`, '-addext', 'subjectAltName=IP:127.0.0.1',
    '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`));
  before(() => {
    self('good', 90);
    self('soon', 5);
    self('locked', 90, ['-passout', 'pass:secret']);
    openssl('x509', '-in', at('good.pem'), '-outform', 'DER', '-out', at('good.der'));
    writeFileSync(at('empty.pem'), '');
    writeFileSync(at('rubbish.pem'), 'rubbish');
  });

  const config = (changes) => {
    const name = at('config.json');
    writeFileSync(name, JSON.stringify({ namespaces: [{ name: '/', anonymous: true }], ...changes }));
    return name;
  };
  const tls = (certificate, key, more = {}) => ({ tls: { certificate: at(certificate), key: at(key), ...more } });
  const mistakes = [
    [tls('none.pem', 'good.key'), /config\.json:1: tls\.certificate: .*none\.pem: there is no such file$/m],
    [tls('empty.pem', 'good.key'), /tls\.certificate: .*empty\.pem: is empty$/m],
    [tls('rubbish.pem', 'good.key'), /tls\.certificate: .*rubbish\.pem: is no PEM file/],
    [tls('good.der', 'good.key'), /tls\.certificate: .*good\.der: is in DER form; convert it/],
    [tls('good.key', 'good.key'), /tls\.certificate: .*good\.key: holds no certificate$/m],
    [tls('good.pem', 'good.pem'), /tls\.key: .*good\.pem: holds no private key$/m],
    [tls('good.pem', 'soon.key'), /tls\.key: .*soon\.key: does not belong to the certificate in .*good\.pem$/m],
    [tls('locked.pem', 'locked.key'), /tls\.key: .*locked\.key: is encrypted, and the router asks for no passphrase; give a key without one/],
    [tls('.', 'good.key'), /tls\.certificate: .*: is a folder; give the file in it/],
    [tls('good.pem', 'good.key', { ciphers: 'ECDHE+AESGCM:RUBBISH' }), /tls\.ciphers: "RUBBISH" is no cipher that OpenSSL knows/],
    [{ tls: { ciphers: 'RUBBISH' } }, /tls\.ciphers: "RUBBISH" is no cipher/],
    [{ tls: { 'min-version': '1.1' } }, /tls\.min-version: .*give 1\.2 or 1\.3/],
    [{ site: { 'ca-file': at('none.pem') } }, /site\.ca-file: .*none\.pem: there is no such file/],
    [{ engine: { 'client-files': folder } }, /engine\.client-files: .*socket\.io\.js/],
    [{ cluster: { name: 'x', 'sid-key': 'x'.repeat(32), certificate: at('good.pem'), key: at('soon.key'), ca: at('good.pem') } },
      /cluster\.key: .*soon\.key: does not belong to the certificate/],
  ];
  for (const [changes, words] of mistakes)
    test(`check-config and the start say ${words.source.slice(0, 60)}`, async () => {
      const name = config(changes);
      for (const command of ['check-config', 'serve']) {
        const { code, out, err } = await run(bin, [command, '--config', name]);
        assert.equal(code, 2, err);
        assert.equal(out, '');
        assert.match(err, words);
        assert.doesNotMatch(err, /error:[0-9A-F]{8}/);
      }
    });

  test('an encrypted key asks nothing at a terminal', async () => {
    const name = config(tls('locked.pem', 'locked.key'));
    const { code, out } = await run('script', ['-qefc', `${bin} serve --config ${name}`, '/dev/null']);
    assert.equal(code, 2, out);
    assert.match(out, /is encrypted/);
    assert.doesNotMatch(out, /pass phrase/i);
  });

  test('the end of a certificate is told 14 days ahead, also as a metric', async () => {
    const soon = await run(bin, ['check-config', config(tls('soon.pem', 'soon.key'))]);
    assert.equal(soon.code, 0, soon.err);
    assert.match(soon.err, /warning: .*tls\.certificate: .*soon\.pem: the certificate of soon\.test ends on \d{4}-\d\d-\d\d, in [45] days; renew it$/m);
    const good = await run(bin, ['check-config', config(tls('good.pem', 'good.key'))]);
    assert.deepEqual([good.code, good.err], [0, '']);
    const router = await startRouter({ changes: { ...tls('soon.pem', 'soon.key'), namespaces: [{ name: '/', anonymous: true }] } });
    try {
      await router.logs(/warn.*the certificate of soon\.test ends on/);
      const all = await metrics(router);
      const until14 = all.get('certificate_expiry_timestamp_seconds{setting="tls.certificate"}');
      const days = (until14 - Date.now() / 1000) / 86400;
      assert.ok(days > 4 && days < 6, `${days} days`);
    } finally {
      await router.stop();
    }
  });

  test('tls.min-version and tls.ciphers decide what browsers may speak', async () => {
    const shake = (router, ...words) => run('openssl', ['s_client', '-connect',
      `127.0.0.1:${router.public.port}`, ...words]).then((x) => /Cipher is (?!\(NONE\))(\S+)/.exec(x.out)?.[1]);
    for (const [more, expected] of [
      [{}, ['ECDHE', 'TLS_']], [{ 'min-version': '1.3' }, [undefined, 'TLS_']],
      [{ ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }, ['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_']],
      [{ ciphers: 'TLS_AES_128_GCM_SHA256' }, [undefined, 'TLS_AES_128_GCM_SHA256']]]) {
      const router = await startRouter({ changes: { ...tls('good.pem', 'good.key', more),
        namespaces: [{ name: '/', anonymous: true }] } });
      try {
        for (const [i, version] of ['-tls1_2', '-tls1_3'].entries()) {
          const got = await shake(router, version);
          if (expected[i] === undefined)
            assert.equal(got, undefined, `${JSON.stringify(more)} ${version}`);
          else
            assert.ok(got?.startsWith(expected[i]), `${got} for ${JSON.stringify(more)} ${version}`);
        }
      } finally {
        await router.stop();
      }
    }
  });

  test('SIGHUP says what was read anew and what needs a restart', async () => {
    copyFileSync(at('good.pem'), at('live.pem'));
    copyFileSync(at('good.key'), at('live.key'));
    const router = await startRouter({ changes: { ...tls('live.pem', 'live.key'), namespaces: [{ name: '/', anonymous: true }],
        site: { 'ca-file': at('good.pem') } } });
    try {
      const file = router.program.child.spawnargs.at(-1);
      router.program.child.kill('SIGHUP');
      await router.logs(/SIGHUP: tls\.certificate and tls\.key were read anew$/m);
      await router.logs(/SIGHUP: not read anew, a restart does: site\.ca-file$/m);
      assert.doesNotMatch(router.log(), /in effect only after a restart/);
      const text = JSON.parse(readFileSync(file, 'utf8'));
      text.limits = { 'per-ip': 7 };
      text.ingest.keys[0].key = 'another-key-0123456789';
      writeFileSync(file, JSON.stringify(text));
      router.program.child.kill('SIGHUP');
      await router.logs(/SIGHUP: changed, but in effect only after a restart: ingest\.keys, limits\.per-ip$/m);
      assert.doesNotMatch(router.log(), /another-key/);
      writeFileSync(file, '{"limts": {}}');
      router.program.child.kill('SIGHUP');
      await router.logs(/SIGHUP: the router would not start again: .*limts: unknown setting/);
    } finally {
      await router.stop();
    }
  });
});

describe('listen', () => {
  let site;
  let router;
  before(async () => {
    site = await startSite();
    router = await startRouter({ site, changes: { ingest: { keys: [
      { name: 'test', key: siteKey, 'may-target': true, 'may-listen': true },
      { name: 'plain', key: 'plain-key-0123456789abcdef' }] } } });
  });
  after(async () => {
    await router?.stop();
    await site?.close();
  });

  test('prints what a user receives, and nothing of others', async () => {
    const child = execFile(bin, ['listen', 'anna', '--url', router.ingestUrl], { env: { ...bare, SIGNALBOX_KEY: siteKey } });
    let out = '';
    child.stdout.on('data', (x) => { out += x; });
    try {
      await until(async () => (await post(router, { type: 'letter', payload: { to: 'anna', n: 0 } })).body.online === 1,
        10000 * slow, 'it to be online');
      await deliver(router, { type: 'announcement', payload: 'all' });
      await post(router, { type: 'letter', payload: { to: 'ben', n: 2 } });
      await deliver(router, { type: 'letter', payload: { to: 'anna', n: 3 } });
      await until(() => out.includes('"n":3'), 5000 * slow, 'the letter');
      const lines = out.trim().split('\n').map((x) => JSON.parse(x));
      assert.deepEqual(lines.slice(-2), [['announcement', 'all'], ['letter', { to: 'anna', n: 3 }]]);
      assert.doesNotMatch(out, /ben/);
    } finally {
      child.kill();
    }
  });

  test('needs a key that may', async () => {
    for (const key of ['plain-key-0123456789abcdef', 'no-key-at-all-0123']) {
      const { code, err } = await run(bin, ['listen', 'anna', '--url', router.ingestUrl, '--key', key]);
      assert.equal(code, 1);
      assert.match(err, /refused: .*unauthorized.*may-listen in ingest\.keys/);
    }
  });

  test('says that it was given the wrong listener', async () => {
    const { code, err } = await run(bin, ['listen', 'anna', '--url', router.operationsUrl, '--key', siteKey]);
    assert.equal(code, 1);
    assert.match(err, /is that the address of listen\.ingest/);
  });
});
