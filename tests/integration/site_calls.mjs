// Calls to the site: never a wrong verdict over a kept connection, all addresses,
// sockets, Basic auth, forwarding headers, and what is repeated.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { ask, closeAll, connect } from './support/clients.mjs';
import { slow, until, within } from './support/deadline.mjs';
import { user } from './support/ingest.mjs';
import { metrics } from './support/metrics.mjs';
import { WebSocket } from './support/raw.mjs';
import { end, json, reset, startRawSite } from './support/raw_site.mjs';
import { startRouter } from './support/router.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-calls-'));
const quiet = 1200;

after(() => {
  closeAll();
  rmSync(folder, { recursive: true });
});

function pause(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

// Connects as the user of a name; resolves to the socket, `text` is the answer.
async function enter(router, name, headers = {}) {
  const socket = await WebSocket.session(router.public.port, {
    headers: { Cookie: `session=${name}`, ...headers } });
  socket.text('40');
  socket.answer = (await socket.frame(20000)).text;
  return socket;
}

async function isIn(router, name, headers) {
  const socket = await enter(router, name, headers);
  socket.destroy();
  return socket.answer.startsWith('40');
}

// Runs `body` with a site that answers so and a router that asks it.
async function through({ answer, where, url, changes = {}, more = {} }, body) {
  const site = await startRawSite(answer ?? (({ name }) => [json({ user_id: name })]), where);
  const router = await startRouter({ ...more, changes: {
    site: { 'auth-url': url?.(site) ?? site.url(), timeout: '5s',
      ...(typeof changes === 'function' ? changes(site) : changes) } } });
  try {
    await body(router, site);
  } finally {
    await router.stop();
    await site.close();
  }
}

// The same numbers for the same seed (mulberry32).
function dice(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

describe('a thousand users over kept connections', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  const users = 1000;

  // Faults that break a connection, or only look odd.
  const breaking = [
    (x) => ['HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 5, x],
    (x) => ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n', x],
    (x) => [x, end],
    (x) => [x.replace('\r\n', '\r\nConnection: close\r\n')],
    () => [end],
    () => [reset],
    (x) => [x.slice(0, 40), 3, x.slice(40)],
    (x) => [x.slice(0, -5), 5, reset],
    (x) => [x.slice(0, -5), 5, end],
    (x) => [x.replace(/Content-Length: \d+/, 'Content-Length: 999'), 5, end],
    (x) => [x.replaceAll('\r\n', '\n')],
    () => ['HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n'],
  ];
  // Faults that send bytes unasked, before the connection has rested.
  const atOnce = (roll) => [
    (x) => [x + x],
    (x) => [x, Math.floor(roll() * 30), x],
    (x) => [x.replace(/Content-Length: \d+/, 'Content-Length: 9')],
    (x) => ['HTTP/1.1 204 No Content\r\n\r\n', Math.floor(roll() * 100), x],
    (x) => [x, Math.floor(roll() * 30), '\r\n'],
  ];
  // The same at any time.
  const unasked = (roll) => [
    ...atOnce(roll),
    (x) => [x, Math.floor(roll() * 500), x],
    (x) => [x, 700, x, 700, x],
    (x) => ['HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n', x],
    (x) => ['HTTP/1.1 101 Switching Protocols\r\n\r\n', Math.floor(roll() * 300), x],
  ];

  // Brings all users in over `seconds`, with faults from some second on; resolves to the
  // number of questions that came over a connection that had served another.
  async function storm(faults, rate, seconds, from = 0) {
    const roll = dice(seed);
    const all = faults(roll);
    const start = Date.now() + from * 1000;
    let reused = 0;
    const answer = ({ name, connection }) => {
      reused += connection.asked.length > 1 ? 1 : 0;
      const good = json({ user_id: name });
      if (Date.now() < start)
        return [5, good];
      return roll() < rate ? all[Math.floor(roll() * all.length)](good) : [5, good];
    };
    await through({ answer }, async (router) => {
      const sockets = await Promise.all(Array.from({ length: users }, async (_, i) => {
        await pause(roll() * seconds * 1000);
        return { name: `user-${i}`, socket: await enter(router, `user-${i}`) };
      }));
      const admitted = sockets.filter(({ socket }) => socket.answer.startsWith('40'));
      for (const { name, socket } of sockets) {
        const { connections } = await user(router, name);
        const mine = socket.answer.startsWith('40') ? 1 : 0;
        assert.equal(connections.length, mine,
          `seed ${seed}: ${connections.length} are in as ${name}, who got ${socket.answer}`);
      }
      console.log(`seed ${seed}: ${admitted.length} of ${users} in, ${reused} asked over a kept connection`);
      assert.ok(admitted.length > users / 2, `seed ${seed}: only ${admitted.length} got in`);
      for (const { socket } of sockets)
        socket.destroy();
    });
    return reused;
  }

  test('each is who the site said, while connections break', async () => {
    const reused = await storm(() => breaking, 0.2, 15);
    assert.ok(reused > users / 10, `seed ${seed}: only ${reused} over kept connections`);
  });

  test('each is who the site said, while it sends what was not asked for', async () => {
    await storm((roll) => [...breaking, ...unasked(roll)], 0.2, 5);
  });

  test('each is who the site said, when a server that was clean turns bad', async () => {
    const reused = await storm(atOnce, 0.05, 16, 13);
    assert.ok(reused > users / 5, `seed ${seed}: only ${reused} over kept connections`);
  });

  test('each is who the site said, while it seldom sends what was not asked for', async () => {
    await storm(unasked, 0.01, 5);
  });
});

describe('a kept connection', () => {
  test('on which something came ends, and no other is kept for a while', async () => {
    const late = ({ name }) => [json({ user_id: name }), ...(name === 'odd' ? [300, json({ user_id: 'thief' })] : [])];
    await through({ answer: late }, async (router, site) => {
      await Promise.all(['a', 'b', 'odd'].map((x) => isIn(router, x)));
      await within(Promise.all(site.connections.map((x) => x.closed)), 3000, 'the end of all three');
      assert.ok(await isIn(router, 'c'));
      await within(site.connections[3].closed, 3000, 'the end of the next');
    });
  });

  test('with a complete reply behind it is not believed', async () => {
    // The third question is answered by the answer to the first, once more.
    const answer = ({ name, connection }) =>
      [(connection.asked.length > 1 ? json({ user_id: 'first' }) : '') + json({ user_id: name })];
    await through({ answer }, async (router, site) => {
      assert.ok(await isIn(router, 'first'));
      await pause(quiet);
      const second = await enter(router, 'second');
      assert.equal(site.connections[0].asked.join(), 'first,second');
      assert.equal((await user(router, 'first')).connections.length, 0);
      assert.equal((await user(router, 'second')).connections.length, 1);
      second.destroy();
    });
  });

  test('is not used beyond its idle time, nor at all if that is 0', async () => {
    await through({ changes: { 'keep-alive': '0s' } }, async (router, site) => {
      assert.ok(await isIn(router, 'a'));
      await within(site.connections[0].closed, 2000, 'the end after the reply');
    });
    await through({ changes: { 'keep-alive': '100ms' } }, async (router, site) => {
      assert.ok(await isIn(router, 'a'));
      await within(site.connections[0].closed, 2000, 'the end after its idle time');
    });
  });

  test('that the site closes without an answer costs nobody a verdict', async () => {
    const answer = ({ name, connection }) =>
      (connection.asked.length > 1 ? [end] : [json({ user_id: name })]);
    await through({ answer }, async (router, site) => {
      assert.ok(await isIn(router, 'a'));
      await pause(quiet);
      assert.ok(await isIn(router, 'b'));
      assert.deepEqual(site.connections.map((x) => x.asked.join()), ['a,b', 'b']);
    });
  });

  test('is asked once more only once', async () => {
    const answer = ({ name, connection }) =>
      (connection.asked.length > 1 || name === 'b' ? [end] : [json({ user_id: name })]);
    await through({ answer }, async (router, site) => {
      assert.ok(await isIn(router, 'a'));
      await pause(quiet);
      assert.ok(!await isIn(router, 'b'));
      assert.equal(site.asked.items.length, 3);
    });
  });
});

describe('an event of a browser', () => {
  // Runs `body` with the names of the events that the site has got, which answers but
  // the first on each connection.
  async function forwarding(body) {
    const seen = [];
    const answer = ({ name, head, body: event, connection }) => {
      if (head.startsWith('GET'))
        return [json({ user_id: name })];
      seen.push(JSON.parse(event).event);
      return connection.asked.length > 1 ? [end] : [json({ ack: ['taken'] })];
    };
    await through({ answer, changes: (site) => ({ 'event-url': site.url('/event') }) },
      async (router, site) => {
        const tab = await connect(router.publicUrl, { session: 'anna' });
        try {
          await body(tab, seen, site);
        } finally {
          closeAll();
        }
      });
  }

  test('that may have left is not sent again', () => forwarding(async (tab, seen) => {
    assert.deepEqual(await ask(tab, 'first'), ['taken']);
    await pause(quiet);
    const [refusal] = await ask(tab, 'second');
    assert.ok(refusal.ok === false || refusal.error, JSON.stringify(refusal));
    assert.deepEqual(seen, ['first', 'second']);
  }));

  test('whose kept connection has ended goes over another', () => forwarding(async (tab, seen, site) => {
    assert.deepEqual(await ask(tab, 'first'), ['taken']);
    const used = site.connections.at(-1);
    used.socket.end();
    await within(used.closed, 3000, 'the end');
    assert.deepEqual(await ask(tab, 'second'), ['taken']);
    assert.deepEqual(seen, ['first', 'second']);
  }));

  test('goes over other connections than questions', () => forwarding(async (tab, seen, site) => {
    await pause(quiet);
    assert.deepEqual(await ask(tab, 'first'), ['taken']);
    assert.equal(site.connections.length, 2);
  }));

  test('that is answered before it was read costs its connection', async () => {
    const connections = [];
    const server = net.createServer((socket) => {
      connections.push(new Promise((resolve) => { socket.once('close', resolve); }));
      socket.on('error', () => {}).once('data', () => {
        // The rest, which the system does not hold all of, stays unread until the router ends.
        socket.pause();
        socket.write(json({ ack: ['early'] }));
        setTimeout(() => socket.resume(), 500);
      });
    });
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const { port } = server.address();
    try {
      await through({ changes: { 'event-url': `http://127.0.0.1:${port}/` }, more: {
        flags: ['--engine.max-payload=16MiB', '--limits.outbox-bytes=32MiB'] } }, async (router) => {
        const tab = await connect(router.publicUrl, { session: 'anna' });
        assert.deepEqual(await ask(tab, 'big', 'x'.repeat(12_000_000)), ['early']);
        await within(connections[0], 5000, 'the end of the connection');
        closeAll();
      });
    } finally {
      server.close();
    }
  });
});

test('a server that speaks first is not believed', async () => {
  const site = await startRawSite(() => []);
  const early = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.write(json({ user_id: 'thief' }));
  });
  await new Promise((resolve) => { early.listen(0, '127.0.0.1', resolve); });
  const router = await startRouter({ changes: { site: {
    'auth-url': `http://127.0.0.1:${early.address().port}/`, timeout: '2s' } } });
  try {
    // Bytes from before the request are told from those behind it only if they
    // were there in time; either way the connection is not kept.
    const socket = await enter(router, 'anna');
    socket.destroy();
    if (socket.answer.startsWith('44'))
      await router.logs(/before it was asked/);
  } finally {
    await router.stop();
    await site.close();
    early.close();
  }
});

describe('where the site is', () => {
  for (const [name, form] of [
    ['unix:/SOCKET:/PATH', (x) => `unix:${x}:/whoami?a=b`],
    ['http://unix:/SOCKET:/PATH', (x) => `http://unix:${x}:/whoami?a=b`],
    ['http://USER:PASSWORD@unix:/SOCKET:/PATH', (x) => `http://u:p@unix:${x}:/whoami?a=b`]])
    test(`a socket: ${name}`, async () => {
      const at = path.join(folder, `${Math.random()}.sock`);
      await through({ where: { path: at }, url: () => form(at) }, async (router, site) => {
        assert.ok(await isIn(router, 'anna'));
        const { head } = site.asked.items[0];
        assert.match(head, /^GET \/whoami\?a=b HTTP\/1\.1\r\n/);
        assert.match(head, /\r\nHost: localhost\r\n/);
        assert.equal(/\r\nAuthorization: Basic dTpw\r\n/.test(head), name.includes('USER'));
      });
    });

  test('a socket that is not there is told by its path', async () => {
    await through({ url: () => `unix:${folder}/none.sock:/` }, async (router) => {
      assert.ok(!await isIn(router, 'anna'));
      await router.logs(/cannot ask unix:.*none\.sock.*No such file/);
    });
  });

  const noMounts = spawnSync('unshare', ['-m', 'true']).status === 0
    ? false : 'only root has mount namespaces';

  // A router with an /etc/hosts of its own.
  function hosts(lines) {
    const file = path.join(folder, `hosts-${Math.random()}`);
    writeFileSync(file, lines.join('\n') + '\n');
    return { file, through: ['unshare', '-m', 'bash', '-c',
      `mount --bind ${file} /etc/hosts; exec "$@"`, 'x'] };
  }

  for (const [name, lines, address] of [
    ['localhost with the site on ::1 only', ['127.0.0.1 localhost', '::1 localhost'], '::1'],
    ['the second of two addresses', ['127.0.0.2 site.test', '127.0.0.3 site.test'], '127.0.0.3'],
    ['the fifth, of another family', ['127.0.0.2 site.test', '127.0.0.3 site.test',
      '127.0.0.4 site.test', '127.0.0.5 site.test', '::1 site.test'], '::1']])
    test(name, { skip: noMounts }, async () => {
      const host = lines[0].split(' ')[1];
      await through({ where: { port: 0, host: address }, url: (x) => `http://${host}:${x.port}/`,
        more: { through: hosts(lines).through } }, async (router) => {
        for (let i = 0; i < 4; i += 1)
          assert.ok(await isIn(router, `user-${i}`), router.log());
      });
    });

  test('an address that swallows everything costs little, and once', { skip: noMounts }, async () => {
    // What is sent to an address of documentation is lost, or refused at once.
    await through({ url: (x) => `http://site.test:${x.port}/`, changes: { 'keep-alive': '0s' },
      more: { through: hosts(['192.0.2.1 site.test', '127.0.0.1 site.test']).through } },
    async (router) => {
      const times = [];
      for (let i = 0; i < 3; i += 1) {
        const start = Date.now();
        assert.ok(await isIn(router, `user-${i}`), router.log());
        times.push(Date.now() - start);
      }
      // The bound is the time of a call that would wait for the first address.
      assert.ok(times.every((x) => x < 900 * slow), times.join());
    });
  });

  test('a name that moves is asked again at once after a failure', { skip: noMounts }, async () => {
    const { file, through: words } = hosts(['127.0.0.2 site.test']);
    const first = await startRawSite(({ name }) => [json({ user_id: name })], { port: 0, host: '127.0.0.2' });
    const router = await startRouter({ through: words, changes: { site: {
      'auth-url': `http://site.test:${first.port}/`, 'keep-alive': '0s' } } });
    const second = await startRawSite(({ name }) => [json({ user_id: name })],
      { port: first.port, host: '127.0.0.3' });
    try {
      assert.ok(await isIn(router, 'a'));
      await first.close();
      writeFileSync(file, '127.0.0.3 site.test\n');
      assert.ok(await isIn(router, 'b'), router.log());
    } finally {
      await router.stop();
      await second.close();
    }
  });
});

describe('a password in the URL', () => {
  const secret = 'p@ss:w%rd/#';
  const written = encodeURIComponent(secret);

  test('is sent as Basic auth, and nowhere to be read', async () => {
    await through({ url: (x) => x.url().replace('://', `://the%20user:${written}@`) },
      async (router, site) => {
        assert.ok(await isIn(router, 'anna'));
        const given = /\r\nAuthorization: Basic (\S+)\r\n/.exec(site.asked.items[0].head)[1];
        assert.equal(Buffer.from(given, 'base64').toString(), `the user:${secret}`);
        await site.close();
        assert.ok(!await isIn(router, 'ben'));
        await until(() => router.log().includes('cannot ask http://***@127.0.0.1'), 5000, 'the log line');
        const shown = [router.log(), JSON.stringify([...await metrics(router)]),
          await (await fetch(`${router.operationsUrl}/api/v1/status`)).text()].join('\n');
        for (const x of [secret, written, given, 'the%20user'])
          assert.ok(!shown.includes(x), `${x} is shown`);
      });
  });

  test('is not in what check-config and the commands say', () => {
    const file = path.join(folder, 'wrong.json');
    const run = (...words) => {
      const { stdout, stderr } = spawnSync(process.env.SIGNALBOX_BIN, words, { encoding: 'utf8' });
      return stdout + stderr;
    };
    for (const url of [`https://u:${written}@host:99999/`, `https://u:${secret}@host/`,
      `ftp://u:${written}@host/`, `u:${written}@host`, `https://u:${written}@ho st/`]) {
      writeFileSync(file, JSON.stringify({ site: { 'auth-url': url } }));
      const said = run('check-config', '--config', file) + run('status', `--url=${url}`);
      assert.match(said, /site\.auth-url/);
      assert.ok(!said.includes(written) && !said.includes('ss:w') && !said.includes('w%rd'), said);
    }
  });

  test('given as a flag is not in the list of processes', async () => {
    const site = await startRawSite(({ name }) => [json({ user_id: name })]);
    const router = await startRouter({ flags: [
      `--site.auth-url=${site.url().replace('://', `://u:${written}@`)}`] });
    try {
      const shown = execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(router.program.child.pid)],
        { encoding: 'utf8' });
      assert.match(shown, /--site\.auth-url=/);
      assert.ok(!shown.includes(written), shown);
      assert.ok(await isIn(router, 'anna'));
    } finally {
      await router.stop();
      await site.close();
    }
  });
});

describe('how the site learns of the browser', () => {
  const lines = (head) => Object.fromEntries(head.split('\r\n').slice(1).filter(Boolean)
    .map((x) => [x.slice(0, x.indexOf(':')).toLowerCase(), x.slice(x.indexOf(':') + 2)])
    .filter(([x]) => x.includes('forwarded')));
  const usual = { 'x-forwarded-for': '2001:db8::7', 'x-forwarded-proto': 'https',
    'x-forwarded-host': 'push.example.test:8443' };
  const standard = { forwarded: 'for="[2001:db8::7]";proto=https;host="push.example.test:8443"' };

  for (const [style, expected] of [[undefined, usual], ['x-forwarded', usual],
    ['forwarded', standard], ['both', { ...usual, ...standard }], ['none', {}]])
    test(`site.forwarded: ${style ?? 'by default'}`, async () => {
      const site = await startRawSite(({ name, head }) =>
        [head.startsWith('GET') ? json({ user_id: name }) : json({ ack: [] })]);
      const router = await startRouter({ changes: {
        proxy: { 'trusted-proxies': ['127.0.0.1'] },
        site: { 'auth-url': site.url(), 'event-url': site.url('/event'), ...(style && { forwarded: style }) } } });
      try {
        const socket = await enter(router, 'anna', { 'X-Forwarded-For': '2001:db8::7',
          'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'push.example.test:8443' });
        socket.text('420["event"]');
        assert.equal((await socket.frame()).text, '430[]');
        for (const { head } of site.asked.items)
          assert.deepEqual(lines(head), expected);
        assert.equal(site.asked.items.length, 2);
        socket.destroy();
      } finally {
        await router.stop();
        await site.close();
      }
    });
});
