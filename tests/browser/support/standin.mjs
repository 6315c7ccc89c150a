// The listener of publishers as it would be without its guard: takes the marks
// of a browser off every request, passes it on to the real one, and lets pages
// read the answers. It remembers which attacks came through.

import http from 'node:http';
import net from 'node:net';

export async function startStandin(listener) {
  const reached = new Set();
  const server = http.createServer((request, response) => {
    const { origin } = note(request);
    if (origin) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Allow-Credentials', 'true');
    }
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Headers', 'content-type, x-a');
      response.setHeader('Access-Control-Allow-Methods', 'GET, POST, PUT');
      response.writeHead(204).end();
      return;
    }
    const passed = http.request({ ...listener, method: request.method, path: request.url,
      headers: publisher(request.headers), agent: false }, (answer) => {
      response.writeHead(answer.statusCode, { 'Content-Type': answer.headers['content-type'] });
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  server.on('upgrade', (request, socket, head) => {
    note(request);
    const lines = Object.entries(publisher(request.headers)).map((x) => x.join(': '));
    const passed = net.connect(listener.port, listener.host, () => {
      passed.write(`GET ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      passed.write(head);
      passed.pipe(socket).pipe(passed);
    });
    socket.on('error', () => passed.destroy());
    passed.on('error', () => socket.destroy());
  });

  function note({ url, headers }) {
    reached.add(new URL(url, 'http://listener').searchParams.get('by'));
    return headers;
  }

  const publisher = (headers) => ({
    ...Object.fromEntries(Object.entries(headers).filter(([name]) =>
      !/^(origin|referer|cookie|sec-(fetch|ch|purpose).*)$/.test(name))),
    host: `${listener.host}:${listener.port}`,
  });

  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    reached,
    host: '127.0.0.1',
    port: server.address().port,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}
