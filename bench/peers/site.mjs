// The site of the benchmarks: says that the cookie session=ID is user ID.
//
//   node site.mjs     prints "ready {json}" once it listens; SIGTERM ends it

import http from 'node:http';

const web = http.createServer((request, response) => {
  const [, user] = /(?:^|; *)session=([^;]*)/.exec(request.headers.cookie ?? '') ?? [];
  response.writeHead(user ? 200 : 401, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(user ? { user_id: user } : { ok: false }));
});

web.keepAliveTimeout = 60000;
process.on('SIGTERM', () => process.exit(0));
web.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(`ready ${JSON.stringify({ url: `http://127.0.0.1:${web.address().port}/` })}`);
});
