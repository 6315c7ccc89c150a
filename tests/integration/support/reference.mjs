// The conformance server on Node.js's own socket.io, set up as the official
// suites want it: an echo at /engine.io/, and at /socket.io/ the namespaces "/"
// and "/custom". The tests must pass against it as they are.

import http from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { Server } = require('socket.io');
const { attach } = require('engine.io');

const timing = { pingInterval: 300, pingTimeout: 200, maxPayload: 1e6 };
const server = http.createServer((request, response) => {
  response.writeHead(404);
  response.end();
});
const engine = attach(server, {
  path: '/engine.io/', ...timing, maxHttpBufferSize: 1e6, destroyUpgrade: false,
});
engine.on('connection', (socket) => {
  socket.on('message', (data) => socket.send(data));
});
const io = new Server(server, {
  ...timing, maxHttpBufferSize: 1e6, connectTimeout: 1000, serveClient: false,
  destroyUpgrade: false,
});
for (const name of ['/', '/custom'])
  io.of(name).on('connection', (socket) => {
    socket.emit('auth', socket.handshake.auth);
    socket.on('message', (...args) => socket.emit('message-back', ...args));
    socket.on('message-with-ack', (...args) => args.pop()(...args));
  });
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const { port } = server.address();
  console.log(`ready {"port":${port}}`);
});
process.on('SIGTERM', () => process.exit(0));
