// Several routers that are one: certificates, addresses, and connections.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { until } from './deadline.mjs';
import { freePort, startRouter } from './router.mjs';

const script = new URL('../../../configs/make-cluster-certs', import.meta.url).pathname;

// Makes an authority and certificates of nodes; returns what reads one of the
// files, such as `node1.pem`.
export function makeCertificates(folder, names) {
  execFileSync(script, [folder, ...names], { stdio: 'pipe' });
  return (name) => readFileSync(path.join(folder, name));
}

// The number of the node in a session id.
export const nodeOf = (sid) => Buffer.from(sid, 'base64url').readUInt16BE(16);

// All on this machine's loopback.
const loopback = () => ({ host: '127.0.0.1' });

export class Cluster {
  #folder = mkdtempSync(path.join(tmpdir(), 'signalbox-cluster-'));
  #sidKey = randomBytes(32).toString('base64');
  #routers = new Map();

  // Starts nodes 1 to `count`; resolves when each has found all others. `place`
  // says of a node where it lives, as { host, through } (see `startRouter`).
  static async start({ site, count = 3, changes = {}, place = loopback }) {
    const made = new Cluster();
    made.numbers = Array.from({ length: count }, (_, i) => i + 1);
    Object.assign(made, { site, changes, place });
    made.files = makeCertificates(made.#folder, made.numbers.map((n) => `node${n}`));
    const ports = new Set();
    while (ports.size < 2 * count)
      ports.add(await freePort());
    made.peers = [...ports].slice(0, count);
    made.ports = [...ports].slice(count);
    try {
      await Promise.all(made.numbers.map((n) => made.startNode(n)));
      await made.formed();
    } catch (error) {
      await made.kill(...made.numbers);
      await made.stop();
      throw error;
    }
    return made;
  }

  // A node that was started again has the addresses that it had.
  async startNode(n) {
    const at = (name) => path.join(this.#folder, name);
    const { host, through } = this.place(n);
    this.#routers.set(n, await startRouter({ site: this.site, through, changes: {
      ...this.changes,
      listen: {
        public: `${host}:${this.ports[n - 1]}`, ingest: `${host}:0`, operations: `${host}:0`,
      },
      router: { node: n, 'drain-seconds': 0, ...this.changes.router },
      cluster: {
        name: 'test', 'sid-key': this.#sidKey,
        listen: `${host}:${this.peers[n - 1]}`,
        seeds: this.peers.map((port, i) => `${this.place(i + 1).host}:${port}`),
        certificate: at(`node${n}.pem`), key: at(`node${n}.key`), ca: at('ca.pem'),
        ...this.changes.cluster,
      },
    } }));
  }

  node(n) {
    return this.#routers.get(n);
  }

  get nodes() {
    return [...this.#routers.values()];
  }

  // Where browsers find each node, as { host, port }.
  get fronts() {
    return this.ports.map((port, i) => ({ host: this.place(i + 1).host, port }));
  }

  signal(n, name) {
    this.node(n).program.child.kill(name);
  }

  // What one node says of another: 'up', 'dead', or undefined.
  async state(of, by) {
    const response = await fetch(`${this.node(by).operationsUrl}/api/v1/cluster`);
    assert.equal(response.status, 200, '/api/v1/cluster answers');
    const { node, settled, members } = await response.json();
    assert.equal(node, by);
    const found = members.find((x) => x.node === of)?.state;
    return settled || found !== 'up' ? found : undefined;
  }

  // Resolves when the nodes that run say so of that one.
  says(state, of, ms = 6000) {
    const others = [...this.#routers.keys()].filter((n) => n !== of);
    return until(async () => {
      const found = await Promise.all(others.map((by) => this.state(of, by)));
      return found.every((x) => x === state);
    }, ms, `node ${of} to be ${state}`);
  }

  // Resolves when every node that runs has found every other.
  formed() {
    return Promise.all([...this.#routers.keys()].map((n) => this.says('up', n, 15000)));
  }

  // Ends a node in good order.
  async stopNode(n) {
    await this.node(n).stop();
    this.#routers.delete(n);
  }

  async kill(...numbers) {
    const those = numbers.map((n) => this.node(n)).filter(Boolean);
    numbers.forEach((n) => this.#routers.delete(n));
    await Promise.all(those.map((x) => x.kill()));
  }

  async stop() {
    await Promise.all(this.nodes.map((x) => x.stop()));
    rmSync(this.#folder, { recursive: true });
  }
}
