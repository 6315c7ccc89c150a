// The site of the benchmarks.
//
//   node site.mjs     prints "ready {json}" once it listens; SIGTERM ends it
//
//   GET    the cookie session=ID is user ID; room=NAME puts it into a room
//   POST   an event of a browser; its first argument is its ack

import http from 'node:http';

const cookie = (name, text) =>
  new RegExp(`(?:^|; *)${name}=([^;]*)`).exec(text ?? '')?.[1];

function identity({ headers }) {
  const user = cookie('session', headers.cookie);
  const room = cookie('room', headers.cookie);
  if (!user)
    return { ok: false };
  return { user_id: user, ...(room && { rooms: [room] }) };
}

function answer(response, body) {
  response.writeHead(body.ok === false ? 401 : 200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

const web = http.createServer((request, response) => {
  if (request.method !== 'POST') {
    answer(response, identity(request));
    return;
  }
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { args } = JSON.parse(Buffer.concat(chunks));
    answer(response, { ack: [args[0]] });
  });
});

web.keepAliveTimeout = 60000;
process.on('SIGTERM', () => process.exit(0));
web.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(`ready ${JSON.stringify({ url: `http://127.0.0.1:${web.address().port}/` })}`);
});
