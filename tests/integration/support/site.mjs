// A site's API that does what a test tells it to, and remembers what it was
// asked.

import http from 'node:http';

import { Log } from './deadline.mjs';

// How the site may answer when it does not just answer.
const modes = {
  deny: (response) => json(response, 401, { ok: false }),
  forbid: (response) => json(response, 403, {}),
  'not-ok': (response) => json(response, 200, { ok: false }),
  error: (response) => json(response, 500, { error: 'broken' }),
  missing: (response) => json(response, 404, {}),
  redirect: (response) => {
    response.writeHead(302, { Location: '/login' });
    response.end();
  },
  html: (response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html><title>Sign in</title>');
  },
  garbage: (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end('{"user_id":"anna"');
  },
  huge: (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(`{"user_id":"anna","info":{"x":"${'x'.repeat(10 * 1024 * 1024)}"}}`);
  },
  reset: (response) => response.socket.resetAndDestroy(),
  hang: () => {},
};

// Starts it on a free port of the address. A cookie `session=NAME` is user NAME unless
// `users` says otherwise or there is no such cookie; set `mode` to one of the
// names above for trouble, and `onEvent` to answer forwarded events. `onVerdict` takes
// the cookie and the headers and returns the verdict (or a promise of it): an object,
// { raw } with its text, or nothing for a session that is none.
export async function startSite({ host = '127.0.0.1' } = {}) {
  const site = {
    mode: 'answer',
    eventMode: 'answer',
    users: new Map(),
    onEvent: ({ event, args }) => ({ ack: [event, ...args] }),
    asked: new Log(),
    events: new Log(),
  };
  const server = http.createServer((request, response) => {
    answer(site, request, response).catch((error) => {
      site.failure = error;
      response.destroy();
    });
  });
  const listen = (port) => new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const close = () => new Promise((resolve) => {
    if (!server.listening)
      return resolve();
    server.close(resolve);
    server.closeAllConnections();
  });
  await listen(0);
  const { port } = server.address();
  return Object.assign(site, {
    port,
    authUrl: `http://${host}:${port}/api/whoami`,
    eventUrl: `http://${host}:${port}/api/event`,
    down: close,
    up: () => listen(port),
    close,
  });
}

async function answer(site, request, response) {
  const chunks = [];
  for await (const chunk of request)
    chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const { method, url, headers } = request;
  const known = { method, url, headers, body };
  if (url.startsWith('/api/event')) {
    known.json = JSON.parse(body);
    site.events.push(known);
    if (site.eventMode !== 'answer')
      return modes[site.eventMode](response);
    return json(response, 200, await site.onEvent(known.json, known));
  }
  site.asked.push(known);
  if (site.mode !== 'answer')
    return modes[site.mode](response);
  const token = /(?:^|;\s*)session=([^;]*)/.exec(headers.cookie ?? '')?.[1];
  if (!token)
    return json(response, 401, { ok: false });
  const verdict = site.onVerdict ? await site.onVerdict(token, headers)
    : site.users.get(token) ?? { user_id: token };
  if (verdict?.raw !== undefined)
    return reply(response, 200, verdict.raw);
  json(response, verdict ? 200 : 401, verdict ?? { ok: false });
}

function json(response, status, value) {
  reply(response, status, JSON.stringify(value));
}

function reply(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(text);
}
