// What a PHP client may find at the other end: a server that misbehaves as the
// test says, and a relay to the router that counts connections.

import net from 'node:net';
import tls from 'node:tls';

import { Log } from '../support/deadline.mjs';

function listen(server) {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

// Follows the connections of a server.
function follow(server, event = 'connection') {
  const open = new Set();
  const followed = { connections: 0 };
  server.on(event, (socket) => {
    followed.connections += 1;
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
  });
  // Ends the connections in order; resolves when the other end can know.
  followed.endAll = () => Promise.all([...open]
    .map((socket) => new Promise((resolve) => { socket.end(resolve); })));
  followed.close = () => new Promise((resolve) => {
    open.forEach((socket) => socket.destroy());
    server.close(resolve);
  });
  return followed;
}

function http(status, type, body) {
  return `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\n`
    + `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function accepted(body) {
  const one = (event) => ({ ok: true, id: 'x', seq: 1, matched: 0, online: 0, dup: false,
    type: event.type });
  const posted = body === '' ? {} : JSON.parse(body);
  return JSON.stringify(Array.isArray(posted) ? posted.map(one) : one(posted));
}

const answers = {
  answer: (socket, body) => socket.write(http(200, 'application/json', accepted(body))),
  // A whole status line and no more.
  truncate: (socket) => socket.end('HTTP/1.1 200 OK\r\n'),
  break: (socket) => socket.write('HTTP/1.1 200 OK\r\n', () => socket.resetAndDestroy()),
  close: (socket) => socket.end(),
  reset: (socket) => socket.resetAndDestroy(),
  hang: () => {},
  html: (socket) => socket.write(http(404, 'text/html', '<h1>not here</h1>')),
  'bad-gateway': (socket) => socket.write(http(502, 'text/html', '<h1>sorry</h1>')),
  object: (socket) => socket.write(http(200, 'application/json', '{}')),
  redirect: (socket) => socket.write('HTTP/1.1 307 Temporary Redirect\r\n'
    + 'Location: /elsewhere\r\nContent-Length: 0\r\n\r\n'),
};

// A server that meets the requests one by one as `script` says, and those that
// come later with an answer. `requests` has { head, body, connection } of each.
export async function startPeer(script = []) {
  const requests = new Log();
  const server = net.createServer();
  const peer = follow(server);
  server.on('connection', (socket) => {
    const connection = peer.connections;
    let rest = '';
    socket.setEncoding('utf8').on('data', (text) => {
      rest += text;
      for (;;) {
        const end = rest.indexOf('\r\n\r\n');
        const head = rest.slice(0, end);
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        const bytes = Buffer.from(rest.slice(end + 4));
        if (end < 0 || bytes.length < length)
          return;
        rest = bytes.subarray(length).toString();
        const body = bytes.subarray(0, length).toString();
        requests.push({ head, body, connection });
        answers[peer.script.shift() ?? 'answer'](socket, body);
      }
    });
  });
  const port = await listen(server);
  return Object.assign(peer, { requests, script: [...script], url: `http://127.0.0.1:${port}` });
}

// Passes every connection on to a port; with `secure` it speaks TLS itself.
export async function startRelay(to, secure) {
  const server = secure ? tls.createServer(secure) : net.createServer();
  const relay = follow(server, secure ? 'secureConnection' : 'connection');
  server.on('tlsClientError', () => {});
  server.on(secure ? 'secureConnection' : 'connection', (socket) => {
    const onward = net.connect(to, '127.0.0.1');
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  const port = await listen(server);
  return Object.assign(relay, { port, url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}` });
}
