// `cmake --install` puts a router in place that systemd can start, and
// configs/make-cluster-certs what several of them need.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

const build = path.dirname(process.env.SIGNALBOX_BIN);
const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-install-'));
const cache = readFileSync(path.join(build, 'CMakeCache.txt'), 'utf8');
const prefix = /^CMAKE_INSTALL_PREFIX:PATH=(.*)$/m.exec(cache)[1];
const unitFile = path.join(folder, prefix, 'lib/systemd/system/signalbox.service');

const install = () => execFileSync('cmake', ['--install', build],
  { env: { ...process.env, DESTDIR: folder }, stdio: 'pipe' });

// The values of one name in the unit.
const unit = (name) => [...readFileSync(unitFile, 'utf8')
  .matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map((x) => x[1]);

before(install);
after(() => rmSync(folder, { recursive: true }));

describe('an installed router', () => {
  let binary;
  let config;

  before(() => {
    const [start] = unit('ExecStart');
    [, binary, config] = /^(\/\S+) serve --config=(\/\S+)$/.exec(start);
  });

  test('lies where its unit says', () => {
    assert.ok(binary.startsWith(prefix));
    assert.ok(statSync(folder + binary).mode & 0o111, 'it cannot be executed');
    assert.equal(readFileSync(folder + config, 'utf8'),
      readFileSync('configs/router.json', 'utf8'));
    assert.deepEqual(unit('ExecStartPre'), [`${binary} check-config ${config}`]);
  });

  test('comes with its man page and completions', () => {
    const share = `${folder}${prefix}/share`;
    for (const [name, words] of [['man/man1/signalbox.1', /^\.TH SIGNALBOX 1/],
      ['bash-completion/completions/signalbox', /^complete -F _signalbox signalbox$/m],
      ['zsh/site-functions/_signalbox', /^#compdef signalbox/]])
      assert.match(readFileSync(path.join(share, name), 'utf8'), words);
    // What bash offers for a command line.
    const offered = (...words) => spawnSync('bash', ['-c', `
      complete() { :; }; . "$1"; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _signalbox; printf '%s\n' "\${COMPREPLY[@]}"`,
    'bash', path.join(share, 'bash-completion/completions/signalbox'), folder + binary, ...words],
    { encoding: 'utf8' }).stdout.trim().split('\n');
    assert.ok(offered('').includes('check-config') && offered('').includes('listen'));
    assert.deepEqual(offered('pre'), ['presence']);
    assert.ok(offered('emit', '--to').includes('--to-room'));
    assert.deepEqual(offered('--limits.per-ip='.slice(0, 14)), ['--limits.per-ip=', '--limits.per-ip-rate=']);
    assert.deepEqual(offered('cluster', 'dr'), ['drain']);
    assert.deepEqual(offered('help', 'ver'), ['version']);
  });

  test('runs from there and accepts its configuration', () => {
    const { status, stdout, stderr } = spawnSync(folder + binary,
      ['check-config', folder + config], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, 'the configuration is valid\n');
  });

  test('keeps the configuration that is there when it is installed again', () => {
    const mine = '// mine\n{}\n';
    writeFileSync(folder + config, mine);
    install();
    assert.equal(readFileSync(folder + config, 'utf8'), mine);
  });

  test('is reloaded by SIGHUP and given time to drain', () => {
    assert.deepEqual(unit('ExecReload'), ['/bin/kill -HUP $MAINPID']);
    assert.ok(parseInt(unit('TimeoutStopSec')[0], 10) >= 15);
    assert.ok(Number(unit('LimitNOFILE')[0]) >= 65536);
  });

  const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;

  test('has a unit that systemd understands and calls safe',
    { skip: !analyze && 'install systemd: systemd-analyze is missing' }, (t) => {
      const copy = path.join(folder, 'signalbox.service');
      writeFileSync(copy, readFileSync(unitFile, 'utf8').replaceAll(binary, folder + binary));
      const verified = spawnSync('systemd-analyze', ['verify', copy], { encoding: 'utf8' });
      assert.doesNotMatch(verified.stderr, /signalbox\.service/);
      const exposure = spawnSync('systemd-analyze',
        ['security', '--offline=true', '--threshold=25', copy], { encoding: 'utf8' });
      if (/unrecognized option/.test(exposure.stderr))
        return t.skip('systemd-analyze cannot judge a file');
      assert.equal(exposure.status, 0, exposure.stdout.split('\n').slice(-4).join('\n'));
    });
});

// Of npm 9, which Debian 12 has: it takes no `overrides` beside an alias.
describe('the npm packages', () => {
  for (const folder of ['apps/demo', 'tests/integration'])
    test(`of ${folder} are such as any npm installs, from the registry only`, () => {
      const read = (name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
      assert.equal(read('package.json').overrides, undefined);
      for (const [name, each] of Object.entries(read('package-lock.json').packages))
        for (const [needed, range] of Object.entries(
          { ...each.dependencies, ...each.optionalDependencies }))
          assert.doesNotMatch(range, /^(?!npm:)[\w+]+:|\//, `${name} needs ${needed}`);
    });
});

describe('certificates of a cluster', () => {
  const at = (name) => path.join(folder, 'certificates', name);
  const make = (...nodes) => spawnSync('configs/make-cluster-certs',
    [at(''), ...nodes], { encoding: 'utf8' });
  const verify = (name) => spawnSync('openssl', ['verify', '-purpose', 'sslclient',
    '-CAfile', at('ca.pem'), at(name)]).status;
  const content = (name) => readFileSync(at(name), 'utf8');

  test('are made once, with keys that nobody else reads', () => {
    assert.equal(make('node1', 'node2').status, 0);
    const names = ['ca', 'node1', 'node2'];
    for (const name of names)
      assert.equal(statSync(at(`${name}.key`)).mode & 0o777, 0o600);
    for (const name of names.slice(1))
      assert.equal(verify(`${name}.pem`), 0);
    const first = names.map((x) => content(`${x}.pem`));
    assert.match(make(...names.slice(1), 'node3').stdout, /^there .*node1\.pem/);
    assert.deepEqual(names.map((x) => content(`${x}.pem`)), first);
    assert.equal(verify('node3.pem'), 0);
  });

  test('are made anew for a new authority, and not without one', () => {
    const old = content('node1.pem');
    rmSync(at('ca.key'));
    const { status, stderr } = make('node4');
    assert.equal(status, 1);
    assert.match(stderr, /ca\.key is missing, which signs node4; bring it back, or /);
    rmSync(at('ca.pem'));
    assert.equal(make('node1').status, 0);
    assert.notEqual(content('node1.pem'), old);
    assert.equal(verify('node1.pem'), 0);
  });

  test('have names of nodes', () => {
    for (const name of ['ca', '../node', '-x', ''])
      assert.match(make(name).stderr, /is no name of a node; give letters/);
  });
});
