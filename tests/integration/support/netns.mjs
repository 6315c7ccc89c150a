// A network for the nodes of a cluster: each lives in a network namespace of its
// own, all are on one switch with this process, and any cable can be cut. What
// is made has the process id in its name and goes with the process; what one
// left that was killed goes with the next.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';

const prefix = 'sbx';

function run(command, ...words) {
  return execFileSync(command, words, { encoding: 'utf8', stdio: 'pipe' });
}

const ip = (...words) => run('ip', ...words);

// Returns the namespaces of this kind, as [name, process id] each.
function namespaces() {
  return ip('netns', 'list').split('\n')
    .map((line) => new RegExp(`^(${prefix}(\\d+)\\w)\\b`).exec(line))
    .filter(Boolean).map(([, name, pid]) => [name, Number(pid)]);
}

// Ends what still runs in a namespace, and the namespace with its cables.
function remove(name) {
  for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean))
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has just ended.
    }
  ip('netns', 'del', name);
}

// Returns whether nothing here leads to the network by now.
function unused(network) {
  return ip('-4', 'route', 'show', 'root', `${network}.0/24`).trim() === ''
    && !ip('-4', 'address', 'show').includes(` ${network}.`);
}

// Why there can be no such network here, or false.
export function missing() {
  if (process.getuid() !== 0)
    return 'only root makes network namespaces';
  for (const [command, from] of [['ip', 'iproute2'], ['iptables', 'iptables'],
    ['tc', 'iproute2']])
    try {
      run(command, '-V');
    } catch {
      return `install ${from}: ${command} is missing`;
    }
  const name = `${prefix}${process.pid}t`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'exec', name, 'ip', 'link', 'add', 'one', 'type', 'veth',
      'peer', 'name', 'other');
    ip('netns', 'exec', name, 'ip', 'link', 'add', 'switch', 'type', 'bridge');
    ip('netns', 'exec', name, 'iptables', '-A', 'INPUT', '-s', '10.0.0.1', '-j', 'DROP');
    return false;
  } catch (error) {
    return `no network namespaces here: ${String(error.stderr ?? error).trim().split('\n').at(-1)}`;
  } finally {
    if (namespaces().some(([x]) => x === name))
      remove(name);
  }
}

export class Network {
  #network;
  #count;
  #close = () => this.close();
  #leave = () => process.exit(1);

  // Makes it for nodes 1 to `count`.
  constructor(count) {
    for (const [name, pid] of namespaces())
      // Of one that has ended and is not waited for, the program is gone.
      if (pid === process.pid || !existsSync(`/proc/${pid}/exe`))
        remove(name);
    const any = (most) => Math.floor(Math.random() * most);
    do
      this.#network = `10.${200 + any(50)}.${any(256)}`;
    while (!unused(this.#network));
    this.#count = count;
    process.once('exit', this.#close);
    for (const name of ['SIGINT', 'SIGTERM'])
      process.once(name, this.#leave);
    const at = this.#name('s');
    ip('netns', 'add', at);
    ip('-n', at, 'link', 'add', 'switch', 'type', 'bridge');
    ip('-n', at, 'link', 'set', 'switch', 'up');
    // This process is on the switch too, under the first address.
    const here = this.#name('h');
    ip('link', 'add', here, 'type', 'veth', 'peer', 'name', 'host', 'netns', at);
    ip('-n', at, 'link', 'set', 'host', 'master', 'switch', 'up');
    ip('address', 'add', `${this.here}/24`, 'dev', here);
    ip('link', 'set', here, 'up');
    for (let n = 1; n <= count; n++) {
      const name = this.#name(n);
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
      ip('-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `n${n}`, 'netns', at);
      ip('-n', at, 'link', 'set', `n${n}`, 'master', 'switch', 'up');
      ip('-n', name, 'address', 'add', `${this.address(n)}/24`, 'dev', 'eth0');
      ip('-n', name, 'link', 'set', 'eth0', 'up');
    }
  }

  #name(of) {
    return `${prefix}${process.pid}${of}`;
  }

  // The address of this process.
  get here() {
    return `${this.#network}.1`;
  }

  address(n) {
    return `${this.#network}.${10 + n}`;
  }

  // The words that start a command where the node lives.
  inside(n) {
    return ['ip', 'netns', 'exec', this.#name(n)];
  }

  // Drops what comes to the node from the others, and what goes to them.
  cut(n, others, { incoming = true, outgoing = true } = {}) {
    for (const other of others) {
      if (incoming)
        this.#run(n, 'iptables', '-A', 'INPUT', '-s', this.address(other), '-j', 'DROP');
      if (outgoing)
        this.#run(n, 'iptables', '-A', 'OUTPUT', '-d', this.address(other), '-j', 'DROP');
    }
  }

  // Lets only so many bits a second come to the node. Throws if the kernel has
  // nothing for that.
  slow(n, rate) {
    this.#run('s', 'tc', 'qdisc', 'add', 'dev', `n${n}`, 'root', 'tbf', 'rate', String(rate),
      'burst', '16kb', 'latency', '400ms');
  }

  // Makes everything as it was.
  heal(n) {
    this.#run(n, 'iptables', '-F');
    try {
      this.#run('s', 'tc', 'qdisc', 'del', 'dev', `n${n}`, 'root');
    } catch {
      // Nothing was slow.
    }
  }

  #run(of, ...words) {
    return ip('netns', 'exec', this.#name(of), ...words);
  }

  close() {
    process.off('exit', this.#close);
    for (const name of ['SIGINT', 'SIGTERM'])
      process.off(name, this.#leave);
    for (const [name, pid] of namespaces())
      if (pid === process.pid)
        remove(name);
  }
}
