// A site by the byte: it answers each question with the pieces that a test gives,
// and remembers which connection brought it.

import net from 'node:net';

import { Log } from './deadline.mjs';

// Ends, or breaks, the connection in a list of pieces.
export const end = Symbol('end');
export const reset = Symbol('reset');

// A reply with a JSON body.
export function json(value, status = '200 OK', ...lines) {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  return [`HTTP/1.1 ${status}`, 'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`, ...lines, '', body].join('\r\n');
}

// Starts one. `answer({ name, head, body, connection })` returns the pieces: bytes, pauses in
// milliseconds, `end`, `reset`; the name is that of the cookie `session`. `where`
// is what `listen` takes, any port of 127.0.0.1 by default.
export async function startRawSite(answer, where = { port: 0, host: '127.0.0.1' }) {
  const site = { asked: new Log(), connections: [] };
  const server = net.createServer({ noDelay: true }, (socket) => {
    const connection = { number: site.connections.length, socket, asked: [], ended: false,
      closed: new Promise((resolve) => { socket.once('close', resolve); }) };
    socket.once('close', () => { connection.ended = true; });
    socket.on('error', () => {});
    site.connections.push(connection);
    let received = '';
    socket.setEncoding('latin1').on('data', (text) => {
      received += text;
      for (;;) {
        const size = received.indexOf('\r\n\r\n') + 4;
        const length = Number(/^content-length: *(\d+)/im.exec(received.slice(0, size))?.[1] ?? 0);
        if (size < 4 || received.length < size + length)
          return;
        const question = { head: received.slice(0, size), body: received.slice(size, size + length),
          connection, name: /session=([^;\s]*)/.exec(received.slice(0, size))?.[1] };
        received = received.slice(size + length);
        connection.asked.push(question.name);
        site.asked.push(question);
        // Clients that say so read until the end.
        const last = /^connection: *close/im.test(question.head) ? [end] : [];
        play(socket, [...answer(question), ...last]);
      }
    });
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, resolve);
  });
  return Object.assign(site, {
    port: server.address().port,
    url: (path = '/whoami') => `http://127.0.0.1:${server.address().port}${path}`,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      for (const { socket } of site.connections)
        socket.destroy();
    }),
  });
}

async function play(socket, pieces) {
  for (const piece of pieces) {
    if (socket.destroyed)
      return;
    if (piece === end)
      socket.end();
    else if (piece === reset)
      socket.resetAndDestroy();
    else if (typeof piece === 'number')
      await new Promise((resolve) => { setTimeout(resolve, piece); });
    else
      socket.write(piece);
  }
}
