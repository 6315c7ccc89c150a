// The endless page of clients 0.9 in old Internet Explorers, read chunk by
// chunk; its scripts run as they would there.

import vm from 'node:vm';

import { Log } from '../../integration/support/deadline.mjs';
import { Connection, request, send } from '../../integration/support/raw.mjs';

export class Htmlfile {
  // What the page is handed, without heartbeats.
  packets = new Log();
  chunks = [];

  static async open(port, headers = {}) {
    const made = new Htmlfile();
    const greeting = await send(port, 'GET', '/socket.io/1/', { headers });
    if (greeting.status !== 200)
      throw new Error(`handshake answered ${greeting.status} ${greeting.body}`);
    const [sid, , , transports] = greeting.body.split(':');
    const path = `/socket.io/1/htmlfile/${sid}`;
    const connection = await Connection.open(port);
    connection.write(request('GET', path, { headers }));
    Object.assign(made, { port, headers, path, transports, connection });
    await made.#head();
    made.done = made.#run();
    return made;
  }

  async #head() {
    const end = await this.connection.when(() => {
      const at = this.connection.received.indexOf('\r\n\r\n');
      return at < 0 ? undefined : at;
    }, 'the header');
    this.head = this.connection.take(end + 4).toString('latin1');
  }

  async #run() {
    const page = vm.createContext({ document: {}, parent: { s: { _: (x) => this.#hand(x) } } });
    for (;;) {
      const chunk = await this.#chunk();
      if (chunk === null)
        return;
      this.chunks.push(chunk);
      for (const [, script] of chunk.toString().matchAll(/<script>([^]*?)<\/script>/g))
        vm.runInContext(script, page);
    }
  }

  #hand(packet) {
    if (packet === '2::')
      this.send('2::');
    else
      this.packets.push(packet);
  }

  // The next chunk; null if there is none any more.
  async #chunk() {
    const { connection } = this;
    const long = 600000;
    const line = await connection.when(() => {
      const at = connection.received.indexOf('\r\n');
      return at < 0 ? undefined : at;
    }, 'a chunk', long);
    if (line === null)
      return null;
    const size = parseInt(connection.take(line + 2).toString(), 16);
    const whole = await connection.when(() =>
      (connection.received.length >= size + 2 ? true : undefined), 'the rest of a chunk');
    return size === 0 || whole === null ? null : connection.take(size + 2).subarray(0, size);
  }

  send(packet) {
    return send(this.port, 'POST', this.path, { body: packet,
      headers: { 'Content-Type': 'text/plain;charset=UTF-8', ...this.headers } });
  }

  next(start, ms = 10000) {
    return this.packets.find((x) => x.startsWith(start), ms,
      `${start}; heard ${JSON.stringify(this.packets.items).slice(0, 300)}`);
  }

  close() {
    this.connection.destroy();
    return this.done;
  }
}
