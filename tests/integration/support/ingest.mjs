// The site's side: posts to the ingest listener.

import { within } from './deadline.mjs';
import { siteKey } from './router.mjs';

// Sends one request to the ingest listener; resolves to { status, body }, the
// body parsed where it is JSON.
export async function call(router, path, options = {}) {
  const { method = 'POST', key = siteKey, json, raw, headers = {} } = options;
  const response = await within(fetch(router.ingestUrl + path, {
    method,
    headers: {
      ...(key && { Authorization: `Bearer ${key}` }),
      ...(method !== 'GET' && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(method !== 'GET' && { body: raw ?? JSON.stringify(json) }),
  }), 10000, `${method} ${path}`);
  const text = await response.text();
  let body = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Some errors are not JSON; the test will say so.
  }
  return { status: response.status, body };
}

// Posts one event or a batch.
export function post(router, events, options = {}) {
  return call(router, '/api/v1/events', { json: events, ...options });
}

// Posts and demands that every entry was taken; resolves to the answer.
export async function deliver(router, events, options = {}) {
  const { status, body } = await post(router, events, options);
  const entries = [body].flat();
  if (status !== 200 || entries.some((x) => x.ok !== true))
    throw new Error(`ingest answered ${status} ${JSON.stringify(body).slice(0, 500)}`);
  return body;
}

// The record of one user.
export async function user(router, id) {
  const { status, body } = await call(router,
    `/api/v1/users/${encodeURIComponent(id)}`, { method: 'GET' });
  if (status !== 200)
    throw new Error(`users/${id} answered ${status} ${JSON.stringify(body)}`);
  return body;
}
