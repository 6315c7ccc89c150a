// Waiting for events with a deadline. Deadlines only bound a failure; a passing
// test never waits one out. SIGNALBOX_SLOW stretches them for sanitizer builds.

export const slow = Number(process.env.SIGNALBOX_SLOW ?? 1);

// Resolves like the promise, or rejects after `ms`, naming what was awaited.
export function within(promise, ms, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const detail = typeof what === 'function' ? what() : what;
      reject(new Error(`not within ${ms * slow} ms: ${detail}`));
    }, ms * slow);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Asks again and again until the answer is truthy, and returns it. Only for
// what announces itself by no event.
export async function until(ask, ms, what) {
  const end = Date.now() + ms * slow;
  for (;;) {
    const answer = await ask();
    if (answer)
      return answer;
    if (Date.now() > end)
      throw new Error(`not within ${ms * slow} ms: ${typeof what === 'function' ? what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// A list that can be waited on: `log.push(x)`, `await log.find(predicate)`.
export class Log {
  #waiting = new Set();
  items = [];

  push(item) {
    this.items.push(item);
    for (const check of [...this.#waiting])
      check();
  }

  // Resolves to the first item, present or to come, that fits.
  find(predicate, ms = 5000, what = 'the awaited item') {
    return this.when(() => this.items.find(predicate), ms, what);
  }

  // Resolves to the first `count` items that fit.
  take(count, predicate = () => true, ms = 5000, what = `${count} items`) {
    const fitting = () => this.items.filter(predicate);
    return this.when(() => {
      const found = fitting();
      return found.length >= count ? found.slice(0, count) : undefined;
    }, ms, () => `${what}, only ${fitting().length}`);
  }

  when(ask, ms, what) {
    let check;
    const found = new Promise((resolve, reject) => {
      check = () => {
        try {
          const answer = ask();
          if (answer !== undefined)
            resolve(answer);
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.add(check);
      check();
    });
    return within(found, ms, what).finally(() => this.#waiting.delete(check));
  }
}
