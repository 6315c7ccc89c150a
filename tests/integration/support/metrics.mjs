// What the router counts.

import http from 'node:http';

import { until, within } from './deadline.mjs';

// On a connection of its own, which no deadline under test can have closed.
function get(url) {
  return within(new Promise((resolve, reject) => {
    http.get(url, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (x) => { text += x; })
        .on('end', () => resolve(text)).on('error', reject);
    }).on('error', reject);
  }), 10000, url);
}

// Every metric by its name without the prefix and with its labels, such as
// `sessions_closed_total{reason="slow"}`.
export async function metrics(router) {
  const read = () => fetch(`${router.operationsUrl}/metrics`);
  // A kept connection may end just as the next request leaves: once more then.
  const response = await within(read().catch(read), 10000, '/metrics');
  const found = new Map();
  for (const line of (await response.text()).split('\n')) {
    const at = line.lastIndexOf(' ');
    if (at > 0 && !line.startsWith('#'))
      found.set(line.slice(0, at).replace(/^signalbox_/, ''), Number(line.slice(at + 1)));
  }
  return found;
}

// One value; without labels the sum over all of them.
export async function metric(router, name) {
  const all = await metrics(router);
  if (all.has(name))
    return all.get(name);
  const fitting = [...all].filter(([x]) => x.startsWith(`${name}{`));
  if (fitting.length === 0)
    throw new Error(`no metric ${name}`);
  return fitting.reduce((sum, [, x]) => sum + x, 0);
}

// Resolves once the value is the wanted one.
export function reaches(router, name, wanted, ms = 5000) {
  let last;
  return until(async () => {
    last = await metric(router, name);
    return typeof wanted === 'function' ? wanted(last) : last === wanted;
  }, ms, `${name} as wanted`).catch((error) => {
    throw new Error(`${error.message}; it is ${last}`);
  });
}
