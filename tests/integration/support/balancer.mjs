// A balancer as plain as can be: each request goes to the next of the nodes,
// whichever client it is from. One that refuses the connection is passed over; nothing is
// sent twice.

import http from 'node:http';
import net from 'node:net';

// Starts it in front of nodes at { host, port }, or ports of loopback; resolves to
// { url, port, answers, close }. `answers` are all so far, as { status, method,
// url, port }. `sticky` may say for a URL at which place of the list to begin.
export async function startBalancer(nodes, { sticky = () => undefined } = {}) {
  const places = nodes.map((x) => (x.port ? x : { host: '127.0.0.1', port: x }));
  const balancer = { answers: [] };
  const agent = new http.Agent({ keepAlive: true, timeout: 5000 });
  const sockets = new Set();
  let turn = 0;

  // The nodes to try, beginning with the next.
  const round = (url) => {
    turn = (turn + 1) % places.length;
    const first = sticky(url) ?? turn;
    return [...places.slice(first), ...places.slice(0, first)];
  };
  const note = ({ method, url }, port, status) =>
    balancer.answers.push({ status, method, url, port });

  function ask(request, response, body, [{ host, port }, ...others]) {
    const { method, url, headers } = request;
    const upstream = http.request({ host, port, agent, method, path: url, headers }, (answer) => {
      note(request, port, answer.statusCode);
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.on('error', () => response.destroy()).pipe(response);
    });
    upstream.on('error', (error) => {
      if (error.code === 'ECONNREFUSED' && others.length > 0)
        return ask(request, response, body, others);
      if (response.headersSent)
        return response.destroy();
      note(request, port, 502);
      return response.writeHead(502).end();
    });
    response.on('close', () => response.writableFinished || upstream.destroy());
    upstream.end(body);
  }

  function tunnel(request, client, head, [{ host, port }, ...others]) {
    let known = false;
    const upstream = net.connect(port, host, () => {
      known = true;
      let text = `${request.method} ${request.url} HTTP/1.1\r\n`;
      for (let i = 0; i < request.rawHeaders.length; i += 2)
        text += `${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}\r\n`;
      upstream.write(`${text}\r\n`);
      upstream.write(head);
      upstream.once('data', (x) => note(request, port, Number(x.toString('latin1', 9, 12))));
      upstream.pipe(client).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on('error', () => {});
    upstream.on('close', () => {
      sockets.delete(upstream);
      if (!known && others.length > 0)
        tunnel(request, client, head, others);
      else
        client.destroy();
    });
    client.on('close', () => upstream.destroy());
  }

  const server = http.createServer(async (request, response) => {
    const chunks = [];
    try {
      for await (const chunk of request)
        chunks.push(chunk);
    } catch {
      return response.destroy();
    }
    return ask(request, response, Buffer.concat(chunks), round(request.url));
  });
  server.on('upgrade', (request, client, head) => {
    client.on('error', () => {});
    tunnel(request, client, head, round(request.url));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  balancer.port = server.address().port;
  balancer.url = `http://127.0.0.1:${balancer.port}`;
  balancer.close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
    agent.destroy();
    for (const each of sockets)
      each.destroy();
  });
  return balancer;
}
