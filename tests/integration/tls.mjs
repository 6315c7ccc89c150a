// TLS on both sides: browsers at the public listener, and the site's API.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import tls from 'node:tls';

import { ask, closeAll, connect, next, refused, socket, transport } from './support/clients.mjs';
import { until, within } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-tls-'));
const at = (name) => path.join(folder, name);
const openssl = (...words) => execFileSync('openssl', words, { stdio: 'pipe' });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

// Makes NAME.pem and NAME.key of an authority.
function authority(name) {
  openssl('req', '-x509', ...newKey, '-days', '30', '-subj', `/CN=${name}`,
    '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=keyCertSign',
    '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`));
}

// Makes NAME.pem and NAME.key, signed by the authority `by`, or by itself. The
// dates of an expired one are those of a long gone day.
function certificate(name, { by = 'good', names = 'IP:127.0.0.1', expired = false } = {}) {
  if (!by)
    return openssl('req', '-x509', ...newKey, '-days', '30', '-subj', `/CN=${name}`,
      '-addext', `subjectAltName=${names}`,
      '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`));
  openssl('req', ...newKey, '-subj', `/CN=${name}`,
    '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
  writeFileSync(at('empty.txt'), '');
  writeFileSync(at('ca.cnf'), [
    '[ca]', 'default_ca = own', '[own]', `database = ${at('empty.txt')}`,
    `new_certs_dir = ${folder}`, `certificate = ${at(`${by}.pem`)}`,
    `private_key = ${at(`${by}.key`)}`, 'rand_serial = yes', 'unique_subject = no',
    'default_md = sha256', 'policy = any', 'x509_extensions = leaf',
    '[any]', 'commonName = supplied', '[leaf]', `subjectAltName = ${names}`, '',
  ].join('\n'));
  const dates = expired
    ? ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'] : ['-days', '20'];
  return openssl('ca', '-batch', '-notext', '-config', at('ca.cnf'), ...dates,
    '-in', at(`${name}.csr`), '-out', at(`${name}.pem`));
}

before(() => {
  authority('good');
  authority('other');
  certificate('router');
  certificate('renewed');
  certificate('named', { names: 'DNS:localhost' });
  certificate('stranger', { by: 'other' });
  certificate('self-signed', { by: null });
  certificate('wrong-name', { names: 'DNS:elsewhere.example.test' });
  certificate('expired', { expired: true });
});

after(() => rmSync(folder, { recursive: true }));
afterEach(closeAll);

describe('browsers over TLS', () => {
  let site;
  let router;

  before(async () => {
    copyFileSync(at('router.pem'), at('live.pem'));
    copyFileSync(at('router.key'), at('live.key'));
    site = await startSite();
    router = await startRouter({ site, changes: {
      tls: { certificate: at('live.pem'), key: at('live.key') } } });
    router.secureUrl = router.publicUrl.replace('http:', 'https:');
  });

  after(async () => {
    await router?.stop();
    await site?.close();
  });

  const trusting = (options) => ({ ca: readFileSync(at('good.pem')), ...options });

  // The name in the certificate that the router shows.
  const shown = () => within(new Promise((resolve, reject) => {
    const made = tls.connect({ ...trusting({}), host: '127.0.0.1', port: router.public.port },
      () => {
        resolve(made.getPeerCertificate().subject.CN);
        made.destroy();
      });
    made.on('error', reject);
  }), 5000, 'a TLS handshake');

  for (const version of ['4.8', '3.1'])
    for (const way of ['websocket', 'polling', 'upgrade'])
      test(`client ${version} over ${way}`, async () => {
        const tab = await connect(router.secureUrl,
          trusting({ session: 'anna', way, version }));
        assert.equal(transport(tab), way === 'polling' ? 'polling' : 'websocket');
        const text = 'x'.repeat(100000);
        await deliver(router, { type: 'letter', payload: { to: 'anna', text } });
        assert.equal((await next(tab, 'letter'))[0].text, text);
        const big = Buffer.alloc(70000, 7);
        site.onEvent = ({ args }) => ({ ack: args.slice(0, 1) });
        assert.deepEqual(await ask(tab, 'question', 'é', big), ['é']);
      });

  test('its own host counts as https for the Origin', async () => {
    const origin = (scheme) => socket(router.secureUrl, trusting({ session: 'anna',
      way: 'polling', headers: { Origin: `${scheme}://127.0.0.1:${router.public.port}` } }));
    const tab = origin('https');
    await within(new Promise((resolve) => tab.once('connect', resolve)), 5000, 'connect');
    assert.match((await refused(origin('http'))).message, /poll error/);
  });

  test('versions before 1.2 are refused', async () => {
    const old = tls.connect({ ...trusting({}), host: '127.0.0.1', port: router.public.port,
      minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    const outcome = await within(new Promise((resolve) => {
      old.once('secureConnect', () => resolve('let in')).once('error', () => resolve('refused'));
    }), 5000, 'an answer');
    old.destroy();
    assert.equal(outcome, 'refused');
  });

  test('plain HTTP gets no answer, and others go on', async () => {
    await assert.rejects(fetch(`${router.publicUrl}/socket.io/?EIO=4&transport=polling`));
    await connect(router.secureUrl, trusting({ session: 'anna' }));
  });

  test('SIGHUP switches the certificate and leaves sessions alone', async () => {
    const tab = await connect(router.secureUrl, trusting({ session: 'anna' }));
    assert.equal(await shown(), 'router');
    copyFileSync(at('renewed.pem'), at('live.pem'));
    copyFileSync(at('renewed.key'), at('live.key'));
    assert.equal(await shown(), 'router');
    router.program.child.kill('SIGHUP');
    await until(async () => await shown() === 'renewed', 5000, 'the new certificate');
    await deliver(router, { type: 'letter', payload: { to: 'anna', text: 'still here' } });
    assert.equal((await next(tab, 'letter'))[0].text, 'still here');
  });

  test('SIGHUP with a broken certificate keeps the old one and says so', async () => {
    const before = await shown();
    writeFileSync(at('live.pem'), 'no certificate');
    router.program.child.kill('SIGHUP');
    await until(() => /live\.pem: .*; the old certificate stays in use/.test(router.log()),
      5000, 'the error in the log');
    assert.equal(await shown(), before);
    // A key of another certificate is no better.
    copyFileSync(at('renewed.pem'), at('live.pem'));
    copyFileSync(at('router.key'), at('live.key'));
    router.program.child.kill('SIGHUP');
    await until(() => /live\.key: .*; the old certificate stays in use/.test(router.log()),
      5000, 'the error in the log');
    assert.equal(await shown(), before);
  });
});

test('a router does not start with a certificate that is none', () => {
  const { status, stderr } = spawnSync(process.env.SIGNALBOX_BIN, ['serve',
    '--listen.public=127.0.0.1:0', '--listen.ingest=127.0.0.1:0',
    '--listen.operations=127.0.0.1:0', `--tls.certificate=${at('empty.txt')}`,
    `--tls.key=${at('router.key')}`], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /tls\.certificate: .*empty\.txt: is no PEM file/);
});

describe("the site's API over TLS", () => {
  // A site with that certificate, and a router that believes the good authority.
  async function through(name, url, use) {
    const site = await startSite();
    const server = https.createServer({
      cert: readFileSync(at(`${name}.pem`)), key: readFileSync(at(`${name}.key`)),
    }, (request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(request.method === 'GET'
        ? { user_id: 'anna' } : { ack: ['over TLS'] }));
    });
    server.on('tlsClientError', () => {});
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `${url}:${server.address().port}`;
    const router = await startRouter({ site, changes: { site: {
      'auth-url': `${base}/whoami`, 'event-url': `${base}/event`, 'ca-file': at('good.pem'),
    } } });
    try {
      await use(router);
    } finally {
      closeAll();
      await router.stop();
      server.closeAllConnections();
      server.close();
      await site.close();
    }
  }

  test('an address that the certificate names is asked', () =>
    through('router', 'https://127.0.0.1', async (router) => {
      const tab = await connect(router.publicUrl, { session: 'x' });
      assert.deepEqual(await ask(tab, 'question'), ['over TLS']);
    }));

  test('a host that the certificate names is asked', () =>
    through('named', 'https://localhost', async (router) => {
      await connect(router.publicUrl, { session: 'x' });
    }));

  for (const [name, words] of [
    ['stranger', /signed by no known authority.*site\.ca-file/],
    ['self-signed', /self-signed.*site\.ca-file/],
    ['wrong-name', /for another name/],
    ['expired', /has expired; renew it/]])
    test(`one whose certificate is ${name} is unavailable, and told as that`, () =>
      through(name, 'https://127.0.0.1', async (router) => {
        const error = await refused(socket(router.publicUrl, { session: 'x' }));
        assert.equal(error.message, 'unavailable');
        assert.deepEqual(error.data, { retry: true });
        await router.logs(words);
        await router.logs(/cannot ask https:/);
      }));

  test('one that speaks no TLS, or TLS where none was meant, is told as that', async () => {
    const plain = await startSite();
    const encrypted = tls.createServer({ key: readFileSync(at('router.key')),
      cert: readFileSync(at('router.pem')) }, (x) => x.destroy()).on('tlsClientError', () => {});
    await new Promise((resolve) => { encrypted.listen(0, '127.0.0.1', resolve); });
    try {
      for (const [url, words] of [
        [plain.authUrl.replace('http:', 'https:'), /speaks no TLS at this port; give http:/],
        [`http://127.0.0.1:${encrypted.address().port}/`, /speaks TLS at this port; give https:|closed without a reply/]]) {
        const router = await startRouter({ changes: { site: { 'auth-url': url } } });
        try {
          const error = await refused(socket(router.publicUrl, { session: 'x' }));
          assert.equal(error.message, 'unavailable');
          await router.logs(words);
        } finally {
          await router.stop();
        }
      }
    } finally {
      encrypted.close();
      await plain.close();
    }
  });

  test('one that offers TLS 1.1 at most is told as that', async () => {
    const old = tls.createServer({ key: readFileSync(at('router.key')), cert: readFileSync(at('router.pem')),
      minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }).on('tlsClientError', () => {});
    await new Promise((resolve) => { old.listen(0, '127.0.0.1', resolve); });
    const router = await startRouter({ changes: { site: {
      'auth-url': `https://127.0.0.1:${old.address().port}/`, 'ca-file': at('good.pem') } } });
    try {
      const error = await refused(socket(router.publicUrl, { session: 'x' }));
      assert.equal(error.message, 'unavailable');
      await router.logs(/TLS 1\.2 or later/);
    } finally {
      await router.stop();
      old.close();
    }
  });
});
