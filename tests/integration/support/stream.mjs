// A stream of numbered private events, and the fate of each: which were
// accepted, in which order, and which tabs received them.

import assert from 'node:assert/strict';

import { slow, until } from './deadline.mjs';
import { post } from './ingest.mjs';
import { nodeOf } from './cluster.mjs';

const batch = 100;
// Posts that may wait for their answers; a machine that cannot keep up makes the
// stream slower, not longer.
const most = 300;

// Whether two lists hold the same.
export const same = (x, y) => x.length === y.length && x.every((item, i) => item === y[i]);

export class Stream {
  // The number of the next event.
  posted = 0;
  // By number: { user, turn, seq, unreachable }. A turn is as long as it is the
  // same node that is posted to; `seq` is the order of acceptance in it.
  accepted = new Map();
  // Numbers whose posts were not answered.
  doubtful = new Set();
  failures = [];
  #cluster;
  #users;
  #writers;
  #turn = 1;
  #busy = new Set();
  #timer;
  #begin = performance.now();

  // Posts to the users in turns, at the first of the nodes until it fails, then
  // at the next.
  constructor(cluster, users, { rate = 2000 / slow, writers = [1] } = {}) {
    this.#cluster = cluster;
    this.#users = users;
    this.#writers = [...writers];
    let begin = performance.now();
    let count = 0;
    this.#timer = setInterval(() => {
      const now = performance.now();
      let due = Math.floor((now - begin) * rate / 1000) - count;
      if (due > rate / 2) {
        begin = now;
        count = due = 0;
      }
      for (; due >= batch && this.#busy.size < most; due -= batch, count += batch)
        this.#send(batch);
    }, 20);
  }

  get rate() {
    return this.posted * 1000 / (performance.now() - this.#begin);
  }

  #send(count) {
    const numbers = Array.from({ length: count }, (_, i) => this.posted + i);
    this.posted += count;
    const owner = (n) => this.#users[n % this.#users.length];
    const turn = this.#turn;
    const [node] = this.#writers;
    const events = numbers.map((n) =>
      ({ type: 'count', payload: n, to: { users: [owner(n)] } }));
    const task = (async () => {
      const router = this.#cluster.node(node);
      const { status, body } = await post(router, events);
      assert.equal(status, 200, JSON.stringify(body).slice(0, 300));
      for (const [i, n] of numbers.entries()) {
        assert.equal(body[i].ok, true, JSON.stringify(body[i]));
        this.accepted.set(n, { user: owner(n), turn, seq: body[i].seq,
          unreachable: body[i].unreachable ?? [] });
      }
    })().catch((error) => {
      this.failures.push(error);
      numbers.forEach((n) => this.doubtful.add(n));
      if (this.#turn === turn) {
        this.#turn++;
        this.#writers.push(this.#writers.shift());
      }
    }).finally(() => this.#busy.delete(task));
    this.#busy.add(task);
    return task;
  }

  // Resolves when so many more events were accepted.
  flow(count = 2000 / slow) {
    const enough = this.accepted.size + count;
    return until(() => this.accepted.size >= enough, 20000, `${count} more events`);
  }

  // Posts one more event to each user at the node, and ends; resolves when all
  // tabs have theirs.
  async end(tabs) {
    clearInterval(this.#timer);
    await Promise.all(this.#busy);
    // The numbers go on so that each user is the owner of one.
    while (this.posted % this.#users.length !== 0)
      this.posted++;
    const first = this.posted;
    await this.#send(this.#users.length);
    const last = new Map(this.#users.map((user, i) => [user, first + i]));
    const late = () => tabs.filter((x) => !x.seen.has(last.get(x.user)));
    await until(() => late().length === 0, 20000, 'everybody to have the last event')
      .catch((error) => {
        throw new Error(`${error.message}; missing at ${late().map((x) => x.at)}`);
      });
  }

  stop() {
    clearInterval(this.#timer);
  }

  // The numbers of the user's accepted events from `from` to before `to`, in the
  // order of acceptance in each turn.
  of(user, from = 0, to = Infinity) {
    return [...this.accepted].filter(([n, x]) => x.user === user && n >= from && n < to)
      .sort(([, x], [, y]) => x.turn - y.turn || x.seq - y.seq).map(([n]) => n);
  }

  // Nothing came twice or before what was accepted earlier.
  checkOrder(tab) {
    const numbers = tab.lives.flatMap((x) => x.numbers);
    assert.equal(new Set(numbers).size, numbers.length, `${tab} got an event twice`);
    const last = new Map();
    for (const n of numbers) {
      const x = this.accepted.get(n);
      assert.ok(x || this.doubtful.has(n), `${tab} got ${n}, which nobody posted`);
      if (!x)
        continue;
      assert.equal(x.user, tab.user, 'it is for somebody else');
      const earlier = last.get(x.turn);
      assert.ok(!earlier || x.seq > earlier.seq,
        `${tab} got ${n} (${x.seq}) after ${earlier?.n} (${earlier?.seq})`);
      last.set(x.turn, { n, seq: x.seq });
    }
  }

  // Nothing is missing between the first and the last event of one life.
  checkGaps(tab) {
    for (const { numbers } of tab.lives)
      for (const turn of new Set(numbers.map((n) => this.accepted.get(n)?.turn))) {
        const here = numbers.filter((n) => turn && this.accepted.get(n)?.turn === turn);
        const all = this.of(tab.user).filter((n) => this.accepted.get(n).turn === turn);
        const wanted = all.slice(all.indexOf(here[0]), all.indexOf(here.at(-1)) + 1);
        assert.ok(same(here, wanted), `${tab} got ${here.length} of ${wanted.length} from `
          + `${here[0]} to ${here.at(-1)}`);
      }
  }

  // The tab has all that was posted from `from` to before `to`.
  checkAll(tab, from = 0, to = Infinity) {
    const lost = this.of(tab.user, from, to).filter((n) => !tab.seen.has(n));
    assert.ok(lost.length === 0,
      `${tab} missed ${lost.length} from ${lost[0]} to ${lost.at(-1)}, of ${from} to ${to}`);
  }
}

// Notes what a socket gets, by its lives from connect to disconnect. `elsewhere`
// is where it reconnects to.
export function watch(socket, user, elsewhere) {
  const tab = { socket, user, seen: new Set(), lives: [],
    get at() { return this.lives.at(-1).node; },
    toString() { return `${user} at ${this.lives.map((x) => x.node)}`; } };
  const begin = () => tab.lives.push({ node: nodeOf(socket.io.engine.id), numbers: [] });
  begin();
  socket.on('connect', begin);
  socket.on('disconnect', () => {
    tab.lives.at(-1).over = true;
    socket.io.uri = elsewhere ?? socket.io.uri;
  });
  socket.on('count', (n) => {
    tab.lives.at(-1).numbers.push(n);
    tab.seen.add(n);
  });
  return tab;
}
