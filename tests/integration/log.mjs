// The log: a reader of standard error that stands still stops nothing else.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync }
  from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { until, within } from './support/deadline.mjs';
import { deliver } from './support/ingest.mjs';
import { metric } from './support/metrics.mjs';
import { startRouter } from './support/router.mjs';

let folder;

before(() => { folder = mkdtempSync(path.join(tmpdir(), 'signalbox-log-')); });
after(() => rmSync(folder, { recursive: true }));

// A pipe that is full and that nothing reads; the words of a command that has it
// as standard error.
function fullPipe(name) {
  const pipe = path.join(folder, name);
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  const script = 'pipe=$1; shift; exec 3<>"$pipe";'
    + ' dd if=/dev/zero of="$pipe" bs=65536 count=1 2>/dev/null; exec "$@" 2>&3';
  return { pipe, through: ['sh', '-c', script, 'sh', pipe] };
}

// Reads what is in the pipe, without the zeros that filled it, until it fits.
async function readUntil(pipe, pattern) {
  const fd = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const piece = Buffer.alloc(65536);
  let text = '';
  try {
    return await until(() => {
      try {
        text += piece.toString('latin1', 0, readSync(fd, piece)).replace(/\0/g, '');
      } catch (error) {
        if (error.code !== 'EAGAIN')
          throw error;
      }
      return pattern.test(text) && text;
    }, 10000, `${pattern} in the log`);
  } finally {
    closeSync(fd);
  }
}

// Requests of a page that is refused, each worth a line.
async function knock(router, times) {
  for (let i = 0; i < times; ++i) {
    const { status } = await fetch(
      `${router.publicUrl}/socket.io/?EIO=4&transport=polling`,
      { headers: { origin: `http://stranger-${i}.example` } });
    assert.equal(status, 403);
  }
}

const letter = { type: 'announcement', namespace: '/news', payload: {} };

describe('a log that nothing reads', () => {
  test('does not keep the router from serving and from its end', async () => {
    const { through } = fullPipe('unread');
    const router = await startRouter({ through });
    try {
      await knock(router, 5);
      assert.equal((await deliver(router, letter)).ok, true);
    } finally {
      await router.stop();
    }
  });

  test('has all its lines when it is read again', async () => {
    const { pipe, through } = fullPipe('late');
    const router = await startRouter({ through });
    try {
      await knock(router, 1);
      const text = await readUntil(pipe, /stranger-0\.example/);
      assert.match(text, /is ready/);
      assert.equal(await metric(router, 'log_lines_dropped_total{limit="queue"}'), 0);
    } finally {
      await router.stop();
    }
  });

  test('loses no line at a fault while it is read', async () => {
    const { pipe, through } = fullPipe('fault');
    const router = await startRouter({ through });
    await knock(router, 1);
    router.program.child.kill('SIGABRT');
    const text = await readUntil(pipe, /stranger-0\.example/);
    assert.match(text, /is ready/);
    const { signal } = await within(router.program.exited, 10000, 'the end');
    assert.equal(signal, 'SIGABRT');
    await router.kill();
  });

  test('loses no line of a start that fails', async () => {
    const { through } = fullPipe('start');
    const first = await startRouter();
    try {
      const { host, port } = first.public;
      await assert.rejects(
        startRouter({ changes: { listen: { public: `${host}:${port}` } } }),
        /cannot listen on|already in use/i);
      await assert.rejects(
        startRouter({ through, changes: { listen: { public: `${host}:${port}` } } }),
        /ended while starting \(1\)/);
    } finally {
      await first.stop();
    }
  });
});

test('lines that strangers cause are few, and say how many they stand for', async () => {
  const router = await startRouter();
  try {
    const lines = () => router.program.stderr.match(/Origin "http:\/\/stranger.*/g) ?? [];
    await knock(router, 200);
    const dropped = 'log_lines_dropped_total{limit="rate"}';
    await until(async () => await metric(router, dropped) + lines().length >= 200,
      10000, 'a count of all lines');
    assert.ok(await metric(router, dropped) > 0);
    await until(async () => {
      await knock(router, 1);
      return lines().some((x) => /\d+ more like it were left out before/.test(x));
    }, 10000, 'a line that says so');
  } finally {
    await router.stop();
  }
});
