// The peer of the benchmarks: Node.js's own socket.io, set up to broadcast.
//
//   node socketio.mjs [PORT]     prints "ready {json}" once it listens
//
//   POST /publish     sends the body to everybody as the event "m"
//   POST /user/ID     sends it to the clients of that user
//   POST /quiet       sends it to everybody in the namespace /quiet
//
// A client names its user by the cookie session=ID or by auth {"token":ID}.
// The event "echo" comes back as its ack; if SITE is set, it is posted there,
// and the answer's `ack` is the ack, as the router does it. SIGTERM ends it.

import http from 'node:http';
import { createRequire } from 'node:module';

const modules = new URL('../../tests/integration/', import.meta.url);
const { Server } = createRequire(modules)('socket.io');

function userOf({ headers, auth }) {
  const [, session] = /(?:^|; *)session=([^;]*)/.exec(headers.cookie ?? '') ?? [];
  return session ?? auth.token;
}

const web = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const [, place, user] = request.url.split('/');
    const body = Buffer.concat(chunks).toString();
    const target = { publish: () => io, user: () => io.to(`user ${user}`),
      quiet: () => io.of('/quiet') }[place];
    if (request.method === 'POST' && target)
      target().emit('m', body);
    response.writeHead(target ? 204 : 404, { 'Content-Length': 0 });
    response.end();
  });
});
web.keepAliveTimeout = 60000;

// As many calls at a time as the router makes.
const agent = new http.Agent({ keepAlive: true, maxSockets: 28 });

function askSite(event, args, ack) {
  const body = JSON.stringify({ user: null, namespace: '/', event, args });
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const call = http.request(process.env.SITE, { method: 'POST', agent, headers }, (response) => {
    const chunks = [];
    response.on('data', (chunk) => chunks.push(chunk));
    response.on('end', () => ack(...JSON.parse(Buffer.concat(chunks)).ack));
  });
  call.on('error', (error) => ack({ ok: false, error: error.message }));
  call.end(body);
}

// The defaults of socket.io, as most sites run it.
const io = new Server(web, { serveClient: false });
io.on('connection', (socket) => {
  const user = userOf(socket.handshake);
  if (user !== undefined)
    socket.join(`user ${user}`);
  if (process.env.SITE)
    socket.on('echo', (body, ack) => askSite('echo', [body], ack));
  else
    socket.on('echo', (body, ack) => ack(body));
});

io.of('/quiet').on('connection', () => {});

process.on('SIGTERM', () => process.exit(0));
web.listen({ port: Number(process.argv[2] ?? 0), host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(`ready ${JSON.stringify({ public: `127.0.0.1:${web.address().port}` })}`);
});
