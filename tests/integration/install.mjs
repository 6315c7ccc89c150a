// `cmake --install` puts a router in place that systemd can start.

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
    { skip: !analyze && 'systemd-analyze is missing' }, () => {
      const copy = path.join(folder, 'signalbox.service');
      writeFileSync(copy, readFileSync(unitFile, 'utf8').replaceAll(binary, folder + binary));
      const verified = spawnSync('systemd-analyze', ['verify', copy], { encoding: 'utf8' });
      assert.doesNotMatch(verified.stderr, /signalbox\.service/);
      const exposure = spawnSync('systemd-analyze',
        ['security', '--offline=true', '--threshold=25', copy], { encoding: 'utf8' });
      if (/unrecognized option/.test(exposure.stderr))
        return;
      assert.equal(exposure.status, 0, exposure.stdout.split('\n').slice(-4).join('\n'));
    });
});
