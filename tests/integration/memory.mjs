// Memory as a whole: `limits.memory`, and what a control group gives.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { connect, closeAll, next } from './support/clients.mjs';
import { until } from './support/deadline.mjs';
import { deliver, post } from './support/ingest.mjs';
import { metric } from './support/metrics.mjs';
import { WebSocket } from './support/raw.mjs';
import { startRouter } from './support/router.mjs';
import { startSite } from './support/site.mjs';

const mib = 1024 ** 2;
// A sanitizer takes memory of its own, which no setting here reckons with.
const slow = Number(process.env.SIGNALBOX_SLOW ?? 1) > 1
  && 'sanitizers have memory of their own';
let site;

before(async () => { site = await startSite(); });
after(() => Promise.all([closeAll(), site?.close()]));

// Browsers that enter and read nothing from then on.
async function stalled(router, count) {
  const all = [];
  for (let i = 0; i < count; ++i) {
    const one = await WebSocket.open(router.public.port,
      '/socket.io/?EIO=4&transport=websocket', { headers: { cookie: `session=user-${i}` } });
    await one.frame();
    one.text('40');
    await one.frame();
    one.connection.socket.pause();
    all.push(one);
  }
  return all;
}

// Fills what waits for each of them, event by event; none is shared.
async function fill(router, count, bytes) {
  const text = 'x'.repeat(100000);
  for (let sent = 0; sent < bytes; sent += text.length)
    for (let i = 0; i < count; i += 20) {
      const users = Array.from({ length: Math.min(20, count - i) }, (_, k) => `user-${i + k}`);
      await post(router, users.map((to) => ({ type: 'letter', payload: { to, text } })));
    }
}

// Serves a reader while 100 others, for whom 2 MB each are posted, stand still.
async function survive(router, most) {
  const reader = await connect(router.publicUrl, { session: 'anna' });
  const others = await stalled(router, 100);
  try {
    await fill(router, 100, 2000000);
    assert.ok(await metric(router, 'memory_closed_total') > 0);
    assert.ok(await metric(router, 'sessions_closed_total{reason="slow"}') > 0);
    await until(async () => await metric(router, 'memory_full') === 0, 10000,
      'memory below its limit');
    assert.ok(await metric(router, 'memory_bytes') <= most);
    await router.logs(/MiB of memory are in use and limits\.memory allows/);
    // Others come in and get what is theirs.
    const got = next(reader, 'letter');
    await deliver(router, { type: 'letter', payload: { to: 'anna', text: 'hello' } });
    assert.equal((await got)[0].text, 'hello');
    await connect(router.publicUrl, { session: 'ben' });
  } finally {
    for (const each of others)
      each.destroy();
  }
}

// Memory of the control group, of which four fifths may be used.
const given = 160 * mib;
const limits = { 'outbox-bytes': '1MiB', 'outbox-packets': 1000 };

test('clients that stand still are closed before memory runs out', { skip: slow }, async () => {
  const most = 70;
  const router = await startRouter({ site,
    changes: { limits: { ...limits, memory: `${most}MiB` } } });
  try {
    await survive(router, most * mib);
  } finally {
    await router.stop();
  }
});

test('without memory handshakes and posts are refused, commands are not', async () => {
  const router = await startRouter({ site, changes: { limits: { memory: '1MiB' } } });
  try {
    const polled = await fetch(`${router.publicUrl}/socket.io/?EIO=4&transport=polling`);
    assert.equal(polled.status, 503);
    assert.equal(polled.headers.get('retry-after'), '1');
    const old = await fetch(`${router.publicUrl}/socket.io/1/`);
    assert.equal(old.status, 503);
    const { status, body } = await post(router, { type: 'announcement', payload: 1 });
    assert.equal(status, 503);
    assert.equal(body.error.code, 'overloaded');
    assert.equal(await metric(router, 'memory_refused_total'), 3);
    const users = await fetch(`${router.ingestUrl}/api/v1/users/anna`,
      { headers: { authorization: 'Bearer test-key-0123456789abcdef' } });
    assert.equal(users.status, 200);
    // A balancer that took it out would end the sessions that there are.
    assert.equal((await fetch(`${router.operationsUrl}/readyz`)).status, 200);
  } finally {
    await router.stop();
  }
});

// A control group of this process for one with 120 MiB; null where that is not
// allowed. The group of version 1 or 2 that this process is in.
function makeGroup() {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const v1 = lines.find((x) => /:([^:]*,)?memory(,[^:]*)?:/.test(x));
  const here = (v1 ?? lines.find((x) => x.startsWith('0::')))?.split(':')[2];
  if (here === undefined)
    return null;
  const top = v1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
  const group = path.join(top, here, `signalbox-test-${process.pid}`);
  try {
    mkdirSync(group);
  } catch {
    return null;
  }
  try {
    writeFileSync(path.join(group, v1 ? 'memory.limit_in_bytes' : 'memory.max'),
      String(given));
    return group;
  } catch {
    rmdirSync(group);
    return null;
  }
}

test('a control group bounds by itself', { skip: slow }, async (t) => {
  const group = makeGroup();
  if (group === null)
    return t.skip('needs root and a writable control group');
  try {
    const router = await startRouter({ site, changes: { limits: { ...limits, 'outbox-bytes': '4MiB' } },
      through: ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', group] });
    try {
      assert.equal(await metric(router, 'memory_limit_bytes'),
        Math.floor(given / 5) * 4);
      await survive(router, given / 5 * 4);
    } finally {
      await router.stop();
    }
  } finally {
    assert.ok(readdirSync(group).length > 0);
    await until(() => {
      try {
        rmdirSync(group);
        return true;
      } catch {
        return false;
      }
    }, 5000, 'the end of the control group');
  }
});
