// PHP processes whose objects a test talks to.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';

import { Log, within } from '../support/deadline.mjs';

const driver = new URL('driver.php', import.meta.url).pathname;
const modules = spawnSync('php', ['-m'], { encoding: 'utf8' });

export function hasExtension(name) {
  return modules.status === 0 && modules.stdout.split('\n').includes(name);
}

// Why nothing can be tested here, if so.
export const skip = (modules.status !== 0 && 'install php-cli: php is missing')
  || (!hasExtension('curl') && 'install php-curl: php has no curl');

// Words that make PHP tell even the least.
export const everything = ['-d', 'error_reporting=-1', '-d', 'display_errors=stderr'];

// The environment without a proxy.
export const environment = { ...process.env };
for (const name of Object.keys(environment))
  if (/_proxy$/i.test(name))
    delete environment[name];

// An error that PHP threw.
class Thrown extends Error {
  constructor({ message, ...more }) {
    super(message);
    Object.assign(this, more);
  }
}

// A PHP process with one object; `ask` calls its methods.
export class Php {
  #answers = new Log();
  #asked = 0;
  #stderr = '';

  constructor(env) {
    this.child = spawn('php', [...everything, driver],
      { env: { ...environment, ...env }, stdio: 'pipe' });
    let rest = '';
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop();
      parts.forEach((x) => this.#answers.push(x));
    });
    this.child.stdin.on('error', () => {});
    this.child.stderr.setEncoding('utf8').on('data', (x) => { this.#stderr += x; });
    this.ended = new Promise((resolve) => { this.child.once('close', resolve); });
  }

  async #line(text) {
    const at = this.#asked++;
    this.child.stdin.write(`${text}\n`);
    const line = await this.#answers.when(() => this.#answers.items[at], 20000,
      () => `an answer of php to ${text.slice(0, 200)}; it says ${this.#stderr}`);
    const { value, error } = JSON.parse(line);
    if (error)
      throw new Thrown(error);
    return value;
  }

  start(how) {
    return this.#line(JSON.stringify(how));
  }

  ask(method, ...words) {
    return this.#line(JSON.stringify([method, ...words]));
  }

  // The same with words that are JSON already.
  raw(method, words) {
    return this.#line(`["${method}",${words}]`);
  }

  async close() {
    this.child.stdin.end();
    try {
      assert.equal(await within(this.ended, 10000, 'the end of php'), 0, this.#stderr);
    } finally {
      this.child.kill('SIGKILL');
    }
    assert.equal(this.#stderr, '');
  }
}
