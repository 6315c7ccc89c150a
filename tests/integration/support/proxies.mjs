// Debian's nginx and HAProxy with the configurations that come along.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { until, within } from './deadline.mjs';
import { freePort } from './router.mjs';

const configs = new URL('../../../configs/', import.meta.url);
export const [nginx, haproxy] = ['nginx', 'haproxy'].map((name) => [name, `/usr/sbin/${name}`]
  .find((x) => spawnSync(x, ['-v']).status === 0));
export const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

// Why a test of them cannot run; false if it can.
export const noNginx = nginx === undefined && 'install nginx-light: nginx is missing';
export const noHaproxy = haproxy === undefined && 'install haproxy: haproxy is missing';
export const noStream = noNginx
  || (!existsSync(streamModule) && 'install libnginx-mod-stream: its module is missing');

// Puts one text in the place of another, which must be there once.
function put(text, from, to) {
  assert.equal(text.split(from).length, 2, `the configuration has "${from}" once`);
  return text.replace(from, to);
}

// Puts the public ports of the nodes in the place of 10.0.0.1 and so on; one router
// stands for all.
function place(text, nodes) {
  return text.replace(/\b10\.0\.0\.(\d):8400/g, (_, n) =>
    `127.0.0.1:${(nodes.length === 1 ? nodes[0] : nodes[n - 1]).public.port}`);
}

// Starts nginx in front of routers; resolves to { url, port, stop }.
export async function startNginx(nodes, config = 'nginx.conf') {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-nginx-'));
  const port = await freePort();
  let server = readFileSync(new URL(config, configs), 'utf8');
  server = place(server.replace(/^ {2}server 127\.0\.0\.1:8400/gm, '  server 10.0.0.1:8400'), nodes);
  assert.ok(server.includes(`:${nodes[0].public.port}`));
  server = put(server, 'listen 80;', `listen 127.0.0.1:${port};`);
  server = put(server, 'server_name push.example.test;', 'server_name _;');
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((x) => `${x}_temp_path ${folder}/${x};`).join('\n');
  mkdirSync(path.join(folder, 'logs'));
  const user = process.getuid() === 0 ? 'user root;' : '';
  writeFileSync(path.join(folder, 'nginx.conf'), `${user}
daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log stderr warn;
events { worker_connections 512; }
http {
access_log off;
${places}
${server}
}
`);
  return run(folder, port, nginx,
    ['-p', folder, '-e', 'stderr', '-c', `${folder}/nginx.conf`]);
}

// Starts HAProxy in front of routers, likewise.
export async function startHaproxy(nodes) {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-haproxy-'));
  const port = await freePort();
  let text = readFileSync(new URL('cluster/haproxy.cfg', configs), 'utf8');
  text = put(text, '  bind :80\n', `  bind 127.0.0.1:${port}\n`);
  // Here the ports for operators differ.
  text = put(text, 'check port 8402', 'check');
  text = text.replace(/10\.0\.0\.(\d):8400$/gm, (all, n) =>
    `${all} port ${(nodes.length === 1 ? nodes[0] : nodes[n - 1]).operations.port}`);
  text = place(text, nodes);
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(file, text);
  const checked = spawnSync(haproxy, ['-c', '-f', file], { encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stderr);
  assert.doesNotMatch(checked.stderr, /WARNING|ALERT/);
  return run(folder, port, haproxy, ['-db', '-f', file]);
}

// Runs a proxy until it is stopped, and removes its folder then.
export async function run(folder, port, command, words) {
  const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  let running = true;
  child.stderr.on('data', (x) => { log += x; });
  const exited = new Promise((resolve) => { child.once('close', resolve); });
  exited.then(() => { running = false; });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => {
    assert.ok(running, `the proxy ended: ${log}`);
    return fetch(`${url}/`).then((x) => x.status, () => 0);
  }, 10000, 'the proxy');
  return {
    url, port,
    log: () => log,
    async stop() {
      child.kill('SIGTERM');
      await within(exited, 10000, 'the end of the proxy');
      rmSync(folder, { recursive: true });
    },
  };
}
