// Clients of bench/abuse, in a process of their own so that they slow no measuring.
//
//   abuse_clients.mjs ROLE PORT COUNT
//
// Prints "ready {}" and tells its parent numbers by name ten times a second.

import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';

const require = createRequire(new URL('../../tests/integration/', import.meta.url));
const [role, port, count] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const told = {};
const rise = (name) => { told[name] = (told[name] ?? 0) + 1; };
setInterval(() => process.send(told), 100);
process.on('disconnect', () => process.exit());

const path = '/socket.io/?EIO=4&transport=';

// A raw WebSocket in the main namespace; `then` has its socket.
function raw(then) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`GET ${path}websocket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n`
    + 'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2lnbmFsYm94LWxvYWQhIQ==\r\n\r\n');
  let said = '';
  const read = (x) => {
    said += x.toString('latin1');
    if (said.includes('"sid"') && !said.includes('asked')) {
      // A mask of zeros is one.
      socket.write(Buffer.from('\x81\x82\0\0\0\x0040', 'latin1'));
      said += 'asked';
    }
    if (/40\{"sid"/.test(said)) {
      socket.off('data', read);
      rise('connected');
      then(socket);
    }
  };
  socket.on('data', read);
}

const roles = {
  // Emits small events as fast as it is let.
  flood() {
    const frame = Buffer.from('\x81\x87\0\0\0\x0042["x"]', 'latin1');
    const many = Buffer.concat(Array(500).fill(frame));
    for (let i = 0; i < count; ++i)
      raw((socket) => {
        socket.resume();
        const write = () => {
          do
            told.frames = (told.frames ?? 0) + 500;
          while (socket.write(many));
          if (!socket.destroyed)
            socket.once('drain', () => setImmediate(write));
        };
        write();
      });
  },

  // All connect at once.
  storm() {
    for (let i = 0; i < count; ++i)
      raw((socket) => socket.resume());
  },

  // The client as it is, which comes back by itself.
  async herd() {
    const { io } = require('socket.io-client');
    const all = [];
    for (let i = 0; i < count; ++i) {
      const one = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true });
      one.on('connect', () => rise('times'));
      all.push(one);
      if (i % 50 === 49)
        await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    setInterval(() => { told.connected = all.filter((x) => x.connected).length; }, 50);
  },

  // Polls that take gzip, and throw away what comes.
  polls() {
    const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
    const ask = (target, method = 'GET', body = '') => new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port, path: target, method, agent,
        headers: { 'Accept-Encoding': 'gzip', 'Content-Length': body.length,
          'Content-Type': 'text/plain' } }, (response) => {
        let size = 0;
        let text = '';
        response.on('data', (x) => {
          size += x.length;
          if (size < 1000)
            text += x;
        }).on('end', () => resolve({ size, text })).on('error', reject);
      });
      request.on('error', reject);
      request.end(body);
    });
    for (let i = 0; i < count; ++i)
      (async () => {
        const { text } = await ask(`${path}polling`);
        const target = `${path}polling&sid=${/"sid":"([^"]+)/.exec(text)[1]}`;
        await ask(target, 'POST', '40');
        await ask(target);
        rise('ready');
        for (;;) {
          const { size } = await ask(target);
          if (size > 100000)
            rise('got');
          else
            await ask(target, 'POST', '3');
        }
      })().catch(() => rise('failed'));
  },

  // Connected, and reads nothing.
  stalled() {
    for (let i = 0; i < count; ++i)
      raw((socket) => socket.pause());
  },
};

roles[role]();
console.log('ready {}');
