// A client program in another language, driven by JSON lines: what happens to
// it comes as `{"event":"connected"|"refused"|"event"|"ack"|..}`, what it shall
// do goes as `{"do":"emit","name":..,"args":[..]}` or `{"do":"close"}`. At the
// end of its input it ends. Bytes are `{"$base64":..}` in both directions.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';

import { Log, within } from '../../integration/support/deadline.mjs';

// What the programs listen to; anything else would be lost on them.
export const events = ['letter', 'announcement', 'question', 'blob', 'Grüße \u{1F600}'];

const open = new Set();

export class Program {
  said = new Log();
  stderr = '';

  constructor(command, environment) {
    this.child = spawn(command[0], command.slice(1), {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, CLIENT_EVENTS: JSON.stringify(events), ...environment },
    });
    let rest = '';
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines)
        this.#hear(line);
    });
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr = (this.stderr + text).slice(-100000);
    });
    // It may be gone when it is told to end.
    this.child.stdin.on('error', () => {});
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => resolve({ error }));
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    // A test that waits for it need not wait out the deadline.
    this.exited.then((how) => this.said.push({ event: 'exited', ...how }));
    open.add(this);
  }

  #hear(line) {
    try {
      this.said.push(JSON.parse(line));
    } catch {
      this.said.push({ event: 'garbage', line });
    }
  }

  // Everything it wrote, for a failed test.
  log() {
    const lines = this.said.items.map((x) => JSON.stringify(x));
    return `${lines.join('\n')}\n${this.stderr}`.trim().slice(-6000);
  }

  // Resolves to the `count`th of what it says about that event and that fits;
  // rejects with everything it said.
  async hears(event, { where = () => true, count = 1, ms = 15000 } = {}) {
    try {
      return await this.said.when(() => {
        const fitting = this.said.items.filter((x) => x.event === event && where(x));
        if (fitting.length >= count)
          return fitting[count - 1];
        const [end] = this.said.items.filter((x) => x.event === 'exited');
        if (end)
          throw new Error(`it ended (${end.error ?? end.signal ?? end.code})`);
        return undefined;
      }, ms, `"${event}" of the client`);
    } catch (error) {
      throw new Error(`${error.message}; it said:\n${this.log()}`);
    }
  }

  // The arguments of the first event of that name.
  async receives(name, where = () => true) {
    const { args } = await this.hears('event',
      { where: (x) => x.name === name && where(...x.args) });
    return args;
  }

  // The events of that name so far, by their arguments.
  received(name) {
    return this.said.items.filter((x) => x.event === 'event' && x.name === name)
      .map((x) => x.args);
  }

  // Emits and resolves to the arguments of the ack.
  async asks(name, ...args) {
    this.#tell({ do: 'emit', name, args });
    return (await this.hears('ack', { where: (x) => x.name === name })).args;
  }

  close() {
    this.#tell({ do: 'close' });
  }

  #tell(command) {
    this.child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  // Ends it and asserts that it took that well.
  async end() {
    open.delete(this);
    this.child.stdin.end();
    try {
      const result = await within(this.exited, 10000, 'the end of the client');
      assert.deepEqual(result, { code: 0, signal: null }, this.log());
    } finally {
      this.child.kill('SIGKILL');
    }
  }
}

// Ends every program still open; for `afterEach`.
export async function endAll() {
  await Promise.all([...open].map((x) => x.end()));
}
