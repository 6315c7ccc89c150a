// Calls the site once for each name and prints what came, a JSON line each:
// calls.mjs http|fetch|curl PORT NAME...

import { execFile } from 'node:child_process';
import http from 'node:http';

const [kind, port, ...names] = process.argv.slice(2);
const ms = 1000;

function byHttp(name) {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/whoami', agent: false,
      headers: { Cookie: `session=${name}` } }, async (response) => {
      try {
        const parts = [];
        for await (const part of response)
          parts.push(part);
        resolve({ status: response.statusCode, body: Buffer.concat(parts) });
      } catch (error) {
        reject(error);
      }
    });
    request.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode, body: Buffer.alloc(0) });
    });
    request.once('error', reject);
    setTimeout(() => request.destroy(new Error('timeout')), ms).unref();
  });
}

async function byFetch(name) {
  const response = await fetch(`http://127.0.0.1:${port}/whoami`, {
    headers: { Cookie: `session=${name}`, Connection: 'close' }, redirect: 'manual',
    signal: AbortSignal.timeout(ms),
  });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

function byCurl(name) {
  return new Promise((resolve, reject) => {
    execFile('curl', ['-sS', '--compressed', '--max-time', String(ms / 1000), '-b', `session=${name}`,
      '-w', '\n%{http_code}', `http://127.0.0.1:${port}/whoami`],
    { encoding: 'buffer', env: {} }, (error, stdout) => {
      const at = stdout.lastIndexOf('\n');
      if (error)
        reject(error);
      else
        resolve({ status: Number(stdout.subarray(at + 1)), body: stdout.subarray(0, at) });
    });
  });
}

const call = { http: byHttp, fetch: byFetch, curl: byCurl }[kind];
for (const name of names) {
  const result = await call(name).then(
    ({ status, body }) => ({ name, status, body: body.toString('base64') }),
    (error) => ({ name, error: String(error.cause ?? error).slice(0, 200) }));
  console.log(JSON.stringify(result));
}
process.exit(0);
