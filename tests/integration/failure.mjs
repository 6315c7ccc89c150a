// A part of the router that fails for want of memory, brought about from outside: a
// limit on its address space and one large post. The router must not stay as one
// that says it is ready and answers nothing.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { closeAll, connect, disconnected } from './support/clients.mjs';
import { until, within } from './support/deadline.mjs';
import { deliver, post } from './support/ingest.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const MiB = 1024 * 1024;
const size = 64 * MiB;
const skip = spawnSync('prlimit', ['--version']).status !== 0
  && 'install util-linux: prlimit is missing';

let site;
before(async () => { site = await startSite(); });
after(() => site?.close());

const start = () => startRouter({ site, changes: {
  router: { threads: 1, 'drain-seconds': 5 },
  ingest: { keys: [{ name: 'test', key: 'test-key-0123456789abcdef', 'may-target': true }],
    'max-body': '200MiB', 'max-event': '200MiB' },
} });

const limit = (router, bytes) => assert.equal(spawnSync('prlimit',
  ['--pid', `${router.program.child.pid}`, `--as=${bytes}:`]).status, 0, router.log());

const addressSpace = (router) => 1024 * Number(/VmSize:\s+(\d+)/.exec(
  readFileSync(`/proc/${router.program.child.pid}/status`, 'utf8'))[1]);

// Posts what there is no memory for until INGEST has met it. Where the memory ends
// depends on the allocator, so several limits are tried, each with a new router.
async function breakIngest() {
  for (let part = 1.25; part <= 3; part += 0.125) {
    const router = await start();
    const tab = await connect(router.publicUrl, { session: 'anna', reconnection: false });
    limit(router, addressSpace(router) + Math.round(part * size));
    const large = post(router, { type: 'large', payload: 'x'.repeat(size), to: 'all' })
      .catch((error) => ({ status: 0, error }));
    const { status, body } = await large;
    limit(router, 'unlimited');
    const failed = status === 503
      && await until(() => /INGEST ended: /.test(router.log()), 10000, 'INGEST to fail')
        .then(() => true, () => false);
    if (!failed) {
      await router.kill();
      closeAll();
      continue;
    }
    return { router, tab, status, body };
  }
  throw new Error('no limit made INGEST fail');
}

describe('a router whose INGEST has no memory', { skip, timeout: 300000 }, () => {
  let broken;
  before(async () => { broken = await breakIngest(); });
  after(async () => {
    closeAll();
    await broken?.router.kill();
  });

  test('answers the post that broke it, and others, with 503', async () => {
    const { router, status, body } = broken;
    assert.equal(status, 503);
    assert.equal(body.error.code, 'broken');
    const next = await post(router, { type: 'announcement', payload: 1 });
    assert.deepEqual([next.status, next.body.error.code], [503, 'broken']);
  });

  test('is not ready and says why', async () => {
    const { router } = broken;
    const ready = await fetch(`${router.operationsUrl}/readyz`);
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /^not ready: INGEST ended: std::bad_alloc\n$/);
    assert.equal((await fetch(`${router.operationsUrl}/healthz`)).status, 200);
    await router.logs(
      /INGEST ended: std::bad_alloc; the router cannot go on without it, drains and ends/);
  });

  test('closes its sessions and ends with code 1', async () => {
    const { router, tab } = broken;
    if (tab.connected)
      await disconnected(tab);
    assert.deepEqual(await within(router.program.exited, 20000, 'the end of the router'),
      { code: 1, signal: null });
  });
});

test('a router that is whole takes what fits', { skip }, async () => {
  const router = await start();
  await connect(router.publicUrl, { session: 'ben' });
  const answer = await deliver(router, { type: 'small', payload: 'x', to: 'all' });
  assert.equal(answer.online, 1);
  closeAll();
  await router.stop();
});
