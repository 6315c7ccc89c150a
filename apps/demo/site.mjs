// A stand-in for the web site behind the router. It knows who is signed in,
// answers the router's question who a browser is, takes the events that
// browsers emit, and posts its own events to the router's ingest.
//
// Run it with `node site.mjs`; README.md lists the environment variables.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { fileURLToPath } from 'node:url';

const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/client.js': ['client.js', 'text/javascript; charset=utf-8'],
};
const namePattern = /^[a-z][a-z0-9._-]{0,31}$/;
const rooms = ['garden', 'harbour'];
const sessionLimit = 1000;
const textLimit = 2000;

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Starts the site; resolves to { port, public, ingest, log, close }. `public` and
// `ingest`, where browsers and the site reach the router, may be set later, for a
// router that starts after the site.
export async function startSite(options = {}) {
  const site = {
    host: '127.0.0.1',
    port: 8480,
    public: 'http://127.0.0.1:8400',
    ingest: 'http://127.0.0.1:8401',
    key: 'demo-key-0123456789abcdef',
    timeout: 3000,
    ...options,
    sessions: new Map(),
    people: new Set(['anna', 'ben', 'carla']),
  };
  const server = http.createServer((request, response) => {
    answer(site, request, response).catch((error) => {
      const status = error instanceof Refusal ? error.status : 500;
      if (status === 500)
        console.error(error);
      if (!response.headersSent)
        json(response, status, { error: status === 500
          ? 'The site made a mistake; its log says more.' : error.message });
    });
  });
  server.requestTimeout = 15000;
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(site.port, site.host, resolve);
  });
  site.port = server.address().port;
  site.close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return site;
}

// -- requests -----------------------------------------------------------------

async function answer(site, request, response) {
  const path = request.url.split('?')[0];
  const route = `${request.method} ${path}`;
  if (request.method === 'GET' && files[path])
    return file(response, ...files[path]);
  switch (route) {
    case 'GET /favicon.ico':
      return empty(response, 204);
    case 'POST /login':
      return login(site, request, response);
    case 'POST /logout':
      return logout(site, request, response);
    case 'GET /api/session':
      return json(response, 200, {
        user: current(site, request)?.name ?? null,
        room: current(site, request)?.room ?? null,
        people: [...site.people],
        rooms,
        router: site.public,
      });
    case 'GET /api/whoami':
      return whoami(site, request, response);
    case 'POST /api/event':
      return event(request, response);
    case 'GET /api/online':
      return online(site, request, response);
    case 'POST /api/letter':
    case 'POST /api/note':
    case 'POST /api/announcement':
      return send(site, path.slice(5), request, response);
    default:
      throw new Refusal(404, 'There is nothing here.');
  }
}

function current(site, request) {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=');
    if (name === 'session' && site.sessions.has(value))
      return { token: value, ...site.sessions.get(value) };
  }
  return null;
}

// The cookie must reach both www.example.test and push.example.test; on plain
// 127.0.0.1 it goes to every port by itself.
function cookie(request, value, more = '') {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  const domain = /(^|\.)example\.test$/.test(host) ? '; Domain=example.test' : '';
  return `session=${value}; HttpOnly; Path=/; SameSite=Lax${domain}${more}`;
}

async function login(site, request, response) {
  const { name = '', room = rooms[0] } = await body(request);
  const user = String(name).trim().toLowerCase();
  if (!namePattern.test(user))
    throw new Refusal(400, 'A name has 1 to 32 letters, digits, dots or dashes '
      + 'and starts with a letter.');
  if (!rooms.includes(room))
    throw new Refusal(400, `There is no room ${room}.`);
  if (site.sessions.size >= sessionLimit)
    site.sessions.delete(site.sessions.keys().next().value);
  const token = randomBytes(18).toString('base64url');
  site.sessions.set(token, { name: user, room });
  site.people.add(user);
  response.setHeader('Set-Cookie', cookie(request, token));
  json(response, 200, { user, room });
}

async function logout(site, request, response) {
  await body(request);
  const session = current(site, request);
  response.setHeader('Set-Cookie', cookie(request, '', '; Max-Age=0'));
  if (session) {
    site.sessions.delete(session.token);
    // The router asks for a user only when a page connects: it is told, or
    // the other tabs would go on to receive letters. Pages of the same user in
    // another browser come back by themselves.
    await tell(site, `/api/v1/users/${encodeURIComponent(session.name)}/disconnect`, {});
  }
  json(response, 200, { user: null });
}

// -- what the router asks -----------------------------------------------------

// Who is the browser with these cookies, and which rooms is it in?
function whoami(site, request, response) {
  const session = current(site, request);
  if (!session)
    return json(response, 401, { ok: false });
  if (request.headers['x-signalbox-namespace'] === '/admin'
      && session.name !== 'admin')
    return json(response, 403, { ok: false });
  json(response, 200, {
    user_id: session.name,
    info: { name: session.name },
    rooms: [session.room],
  });
}

// A browser emitted an event; what `ack` holds goes back to it.
async function event(request, response) {
  const { user, namespace, event: name, args = [] } = await body(request);
  const who = typeof user === 'object' ? user?.user_id : user;
  json(response, 200, {
    ack: [{ heard: name, from: who ?? null, namespace, args, at: now() }],
  });
}

// -- what the site tells the router -------------------------------------------

async function send(site, type, request, response) {
  const session = current(site, request);
  if (!session)
    throw new Refusal(401, 'Sign in first.');
  const input = await body(request);
  const text = String(input.text ?? '').trim();
  if (text === '')
    throw new Refusal(400, 'There is no text.');
  if (text.length > textLimit)
    throw new Refusal(400, `A text has at most ${textLimit} characters.`);
  const payload = { from: session.name, text, at: now() };
  let events;
  if (type === 'letter') {
    payload.to = String(input.to ?? '').trim().toLowerCase();
    if (!namePattern.test(payload.to))
      throw new Refusal(400, 'Name the receiver.');
    events = { namespace: '/', type, payload };
  } else if (type === 'note') {
    payload.room = session.room;
    events = { namespace: '/', type: 'room-note', payload };
  } else {
    // Signed-in pages listen on "/", the others on "/news".
    events = ['/', '/news'].map((namespace) => ({ namespace, type, payload }));
  }
  const results = [await tell(site, '/api/v1/events', events)].flat();
  const refused = results.find((x) => x.ok === false);
  if (refused)
    throw new Refusal(502, 'The router refused it: '
      + (refused.error?.message ?? 'no reason given'));
  json(response, 200, {
    online: results.reduce((sum, x) => sum + (x.online ?? 0), 0),
    receipts: results.map((x, i) => ({ namespace: [events].flat()[i].namespace,
      id: x.id, seq: x.seq, matched: x.matched, online: x.online })),
  });
}

async function online(site, request, response) {
  if (!current(site, request))
    throw new Refusal(401, 'Sign in first.');
  const ids = [...site.people].slice(-500);
  const reply = await tell(site, '/api/v1/users/online', { ids });
  json(response, 200, { online: onlineIds(reply, ids) });
}

// The router names those online in a list, or answers for each id.
function onlineIds(reply, ids) {
  const value = reply.online ?? reply;
  if (Array.isArray(value))
    return value.map((x) => (typeof x === 'object' ? x.id : x)).map(String);
  return ids.filter((id) => value[id] === true || value[id]?.online === true);
}

// Posts to the router's ingest and returns its answer.
async function tell(site, path, value) {
  let response;
  let text;
  try {
    response = await fetch(new URL(path, site.ingest), {
      method: 'POST',
      headers: {
        'Authorization': `Bearer ${site.key}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify(value),
      redirect: 'error',
      signal: AbortSignal.timeout(site.timeout),
    });
    text = await response.text();
  } catch (error) {
    throw new Refusal(502, error.name === 'TimeoutError'
      ? `The router did not answer within ${site.timeout / 1000} s.`
      : `The router cannot be reached at ${site.ingest}.`);
  }
  let reply;
  try {
    reply = JSON.parse(text);
  } catch {
    throw new Refusal(502, `The router answered ${response.status} without JSON.`);
  }
  if (!response.ok)
    throw new Refusal(502, `The router refused it (${response.status}): `
      + (reply.error?.message ?? 'no reason given'));
  return reply;
}

// -- plumbing -----------------------------------------------------------------

const now = () => new Date().toISOString();

// Only JSON is taken: a form on a foreign page cannot send that.
async function body(request) {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw new Refusal(415, 'Send application/json.');
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > 1048576)
      throw new Refusal(413, 'That is too much.');
    chunks.push(chunk);
  }
  let value;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString() || '{}');
  } catch {
    throw new Refusal(400, 'That is not JSON.');
  }
  if (value === null || typeof value !== 'object')
    throw new Refusal(400, 'Send a JSON object.');
  return value;
}

function json(response, status, value) {
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(JSON.stringify(value));
}

function empty(response, status) {
  response.writeHead(status);
  response.end();
}

async function file(response, name, type) {
  const content = await readFile(new URL(name, import.meta.url));
  response.writeHead(200, {
    'Content-Type': type,
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "frame-ancestors 'none'; base-uri 'none'",
  });
  response.end(content);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { DEMO_HOST, DEMO_PORT, ROUTER_INGEST, ROUTER_KEY, ROUTER_PUBLIC } = process.env;
  const chosen = {
    host: DEMO_HOST,
    port: DEMO_PORT && Number(DEMO_PORT),
    public: ROUTER_PUBLIC,
    ingest: ROUTER_INGEST,
    key: ROUTER_KEY,
  };
  const given = Object.entries(chosen).filter(([, value]) => value !== undefined);
  try {
    const site = await startSite(Object.fromEntries(given));
    console.log(`listening {"site":"${site.host}:${site.port}"}`);
    process.once('SIGTERM', () => site.close());
  } catch (error) {
    console.error(error.code === 'EADDRINUSE'
      ? `error: ${error.address}:${error.port} is taken; end what listens there or set DEMO_PORT`
      : `error: ${error.message}`);
    process.exitCode = 1;
  }
}
