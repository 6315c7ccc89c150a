// Pages that run the browser build of one client generation, and the server
// that they come from. What a page hears it reports to the test.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';

import { Log, slow, within } from '../../integration/support/deadline.mjs';

const require = createRequire(new URL('../../integration/package.json', import.meta.url));
const build = (name, file) =>
  readFileSync(require.resolve(`${name}/package.json`).replace(/package\.json$/, file));

// Everything in which the generations differ: `start` opens a socket to a
// namespace, `carrier` names the transport in use, `upgraded` resolves to it.
const engine = `
  const carrier = () => {
    const { transport } = sockets['/'].io.engine;
    return 'index' in transport ? 'jsonp' : transport.name;
  };
  const upgraded = () => new Promise((resolve) => {
    const { engine } = sockets['/'].io;
    if (engine.transport.name === 'websocket')
      resolve();
    else
      engine.once('upgrade', () => resolve());
  });`;
const quick = 'reconnectionDelay: 50, reconnectionDelayMax: 200, randomizationFactor: 0';
const generations = {
  '4.8': {
    script: build('socket.io-client', 'dist/socket.io.js'),
    adapter: `${engine}
      const start = (url, options) =>
        io(url, { withCredentials: true, ${quick}, ...options });`,
  },
  '2.5': {
    script: build('client-2.5', 'dist/socket.io.js'),
    adapter: `${engine}
      const start = (url, options) => io(url, { ${quick}, ...options });`,
  },
  '1.7': {
    script: build('client-1.7', 'dist/socket.io.js'),
    adapter: `${engine}
      const start = (url, options) => io(url, { ${quick}, ...options });`,
  },
  0.9: {
    script: build('client-0.9', 'dist/socket.io.js'),
    adapter: `
      const carrier = () => sockets['/'].socket.transport.name;
      const start = (url, { transports, script, ...options }) => {
        // As an option it would be merged into the list of all, place by place.
        io.transports = transports || io.transports;
        // As on browsers that may not ask other origins.
        io.util.ua.hasCORS = io.util.ua.hasCORS && !script;
        return io.connect(url, { 'reconnection delay': 50, 'reconnection limit': 200,
          'max reconnection attempts': Infinity, ...options });
      };`,
  },
};

// The same for all. Events of a namespace go to the test in bundles, and
// one that asks for an ack gets it.
const common = `
  const sockets = {};
  const bundle = [];
  const plain = (x) => (x instanceof Error ? x.message : x);
  function note(namespace, event, args) {
    if (bundle.push({ namespace, event, args: args.map(plain) }) === 1)
      setTimeout(() => report(bundle.splice(0)), 5);
  }
  function join(namespace, url, options, events) {
    const socket = sockets[namespace] = start(url + namespace, options);
    for (const event of events)
      socket.on(event, (...args) => {
        const done = typeof args[args.length - 1] === 'function' && args.pop();
        note(namespace, event, args);
        if (done)
          done({ read: args[0] });
      });
  }
  function ask(namespace, event, args) {
    return new Promise((resolve) => {
      sockets[namespace].emit(event, ...args, (...answer) => resolve(answer));
    });
  }`;

const life = ['connect', 'connect_error', 'connect_failed', 'error', 'disconnect'];

// Serves `/GENERATION`, a page with that client. With `?session=NAME` it sets
// the cookie that says who its user is, for `domain` if that is given;
// `policy` becomes its Referrer-Policy.
export async function startPages() {
  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://pages');
    const [generation, script] = pathname.slice(1).split('/');
    const known = generations[generation];
    if (!known) {
      response.writeHead(404);
      response.end();
      return;
    }
    if (script) {
      response.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8' });
      response.end(known.script);
      return;
    }
    const { session, domain, policy } = Object.fromEntries(searchParams);
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      ...(policy && { 'Referrer-Policy': policy }),
      ...(session && { 'Set-Cookie': [`session=${session}`, 'Path=/', 'HttpOnly',
        ...(domain ? [`Domain=${domain}`] : [])].join('; ') }),
    });
    response.end(`<!doctype html><html><head><link rel="icon" href="data:,">
      <title>${generation}</title></head><body>
      <script src="/${generation}/client.js"></script>
      <script>${known.adapter}\n${common}</script></body></html>`);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return {
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

// A page in a browser profile of its own, unless `context` is given.
export class Tab {
  log = new Log();
  faults = [];
  // How it spoke with the router: kinds of requests, encodings of answers.
  kinds = new Set();
  encodings = new Set();

  static async open(browser, { generation, pages, router, context, ...options }) {
    const { session, domain, policy, host = '127.0.0.1', push = host, init, prepare } = options;
    const tab = new Tab();
    const made = context ?? await browser.newContext();
    made.setDefaultTimeout(15000 * slow);
    made.setDefaultNavigationTimeout(15000 * slow);
    const page = await made.newPage();
    Object.assign(tab, { context: made, page, url: `http://${push}:${router.public.port}` });
    page.on('pageerror', (error) => tab.faults.push(String(error)));
    page.on('request', (x) => tab.#spoke(x.url(), x.resourceType()));
    page.on('websocket', (x) => tab.#spoke(x.url().replace(/^ws/, 'http'), 'websocket'));
    page.on('response', (x) => {
      if (x.url().startsWith(tab.url))
        tab.encodings.add(x.headers()['content-encoding'] ?? 'plain');
    });
    await page.exposeFunction('report', (bundle) => {
      for (const each of bundle)
        tab.log.push(each);
    });
    if (init)
      await page.addInitScript(init);
    if (prepare)
      await prepare(page);
    const query = new URLSearchParams({ ...(session && { session }),
      ...(domain && { domain }), ...(policy && { policy }) });
    await page.goto(`http://${host}:${pages.port}/${generation}?${query}`);
    return tab;
  }

  #spoke(url, kind) {
    if (url.startsWith(this.url))
      this.kinds.add(kind);
  }

  // Joins a namespace without waiting for it; reports these events of it.
  join(namespace, options = {}, events = []) {
    return this.page.evaluate(([...x]) => globalThis.join(...x),
      [namespace, this.url, options, [...life, ...events]]);
  }

  connected(namespace = '/', count = 1, ms = 15000) {
    const times = () => this.heard(namespace, 'connect').length;
    return this.log.when(() => (times() >= count ? true : undefined), ms,
      () => `${count} connects to ${namespace}; seen ${this.seen()}`);
  }

  async next(namespace, event, predicate = () => true, ms = 10000) {
    const { args } = await this.log.find((x) => x.namespace === namespace
      && x.event === event && predicate(...x.args), ms,
    () => `${event} in ${namespace}; seen ${this.seen()}`);
    return args;
  }

  // What it heard in a namespace of these events.
  heard(namespace, ...events) {
    return this.log.items.filter((x) => x.namespace === namespace
      && events.includes(x.event)).map(({ event, args }) => [event, ...args]);
  }

  seen() {
    return JSON.stringify(this.log.items.slice(-20)).slice(0, 600)
      + (this.faults.length ? `; the page threw ${this.faults}` : '');
  }

  // Emits and resolves to the arguments of the ack.
  ask(namespace, event, ...args) {
    return within(this.page.evaluate(([...x]) => globalThis.ask(...x),
      [namespace, event, args]), 10000, `the ack of ${event}`);
  }

  carrier() {
    return this.page.evaluate('carrier()');
  }

  upgraded() {
    return within(this.page.evaluate('upgraded()'), 10000, 'the upgrade');
  }
}
