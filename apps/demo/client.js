// The page: signs in at the site, listens at the router.

const $ = (id) => document.getElementById(id);

// -- where the router is ------------------------------------------------------

// The site says where; a router on every address, or on this machine, is on the
// page's own host, or at `push.` if the page is at `www.`. `?router=` may name
// another one, but only on this host, its domain or this machine: its script runs
// in this page.
function routerOrigin(known) {
  const { hostname } = location;
  const named = new URLSearchParams(location.search).get('router');
  if (named) {
    const url = new URL(named, location.href);
    const parent = hostname.split('.').slice(1).join('.');
    const local = ['127.0.0.1', 'localhost', '[::1]'];
    const near = url.hostname === hostname
      || (/[a-z]/.test(parent) && url.hostname.endsWith(`.${parent}`))
      || (local.includes(hostname) && local.includes(url.hostname));
    if (!/^https?:$/.test(url.protocol) || !near)
      throw new Error(`${named} is not a router of this site.`);
    return url.origin;
  }
  const router = new URL(known);
  if (!['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '[::]'].includes(router.hostname))
    return router.origin;
  router.hostname = hostname.replace(/^www\./, 'push.');
  // A page on its scheme's own port has a proxy before it, and so has the router.
  if (router.hostname !== hostname && location.port === '') {
    router.protocol = location.protocol;
    router.port = '';
  }
  return router.origin;
}

function loadClient(origin) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `${origin}/socket.io/socket.io.js`;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`The router at ${origin} does not `
      + 'answer. Is it running? Reload this page once it is.'));
    document.head.append(script);
  });
}

// -- the site -----------------------------------------------------------------

async function ask(path, value) {
  const options = value && {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(value),
  };
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(8000) });
  } catch {
    throw new Error('The site does not answer.');
  }
  const reply = await response.json().catch(() => ({}));
  if (!response.ok)
    throw new Error(reply.error ?? `The site answered ${response.status}.`);
  return reply;
}

// Runs the form's action, with its button off meanwhile.
function onSubmit(id, action) {
  $(id).addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const button = form.querySelector('button');
    const note = form.querySelector('.note');
    button.disabled = true;
    if (note)
      note.textContent = '';
    try {
      const text = await action(Object.fromEntries(new FormData(form)), form);
      if (note && text)
        note.textContent = text;
      note?.classList.remove('bad');
    } catch (error) {
      if (note) {
        note.textContent = error.message;
        note.classList.add('bad');
      }
    } finally {
      button.disabled = false;
    }
  });
}

// -- what the page shows ------------------------------------------------------

function state(name, text) {
  $('state').className = `pill ${name}`;
  $('state').textContent = text;
}

function problem(text) {
  $('problem').textContent = text;
  $('problem').hidden = !text;
}

// The number of the node, which follows 16 random bytes in the session id; 0 for
// a router by itself.
function nodeOf(sid) {
  const bytes = atob(sid.replaceAll('-', '+').replaceAll('_', '/'));
  return bytes.charCodeAt(16) * 256 + bytes.charCodeAt(17);
}

function transport(socket) {
  const { engine } = socket.io;
  const node = nodeOf(engine.id);
  const show = () => {
    $('transport').textContent = engine.transport.name
      + (node ? `, node ${node}` : '');
  };
  show();
  engine.once('upgrade', show);
}

function add(list, kind, message) {
  const item = document.createElement('li');
  const head = document.createElement('div');
  const who = document.createElement('b');
  const when = document.createElement('time');
  const text = document.createElement('p');
  item.className = kind;
  // The payload is the site's own: one that another program posted, as README's
  // curl does, may say neither who wrote nor when.
  const from = message.from ?? 'the site';
  const at = new Date(message.at ?? Date.now());
  who.textContent = kind === 'letter' ? from : `${from} to ${message.room ?? 'everybody'}`;
  when.textContent = (Number.isNaN(at.getTime()) ? new Date() : at).toLocaleTimeString();
  text.textContent = message.text ?? JSON.stringify(message);
  head.append(who, when);
  item.append(head, text);
  $(list).prepend(item);
  while ($(list).children.length > 50)
    $(list).lastChild.remove();
}

// What the router answered to a post.
function receipt({ online, receipts }) {
  const text = online === 0 ? 'Sent; no receiver is online.'
    : `Sent to ${online} ${online === 1 ? 'connection' : 'connections'} online.`;
  return [text, ...receipts.map((x) =>
    `${x.namespace} no. ${x.seq}: matched ${x.matched}, online ${x.online}, id ${x.id}`)]
    .join('\n');
}

// -- the connection -----------------------------------------------------------

// Why a CONNECT was refused, in words, and what happens next.
function refusal(error) {
  if (error.message === 'unauthorized')
    return 'The site does not let you in here. Sign in again.';
  if (error.message === 'unavailable')
    return 'The site cannot be asked who you are. Trying again.';
  if (error.message === 'Invalid namespace')
    return 'The router does not have this namespace.';
  return `The router cannot be reached (${error.message}). Trying again.`;
}

// The site ended the connection, which the client does not open again. If this
// browser is signed in all the same, the user signed out in another one.
async function thrownOut(socket, user) {
  problem('The site ended this connection.');
  const { user: still } = await ask('/api/session').catch(() => ({}));
  if (still !== user)
    return location.reload();
  problem('The site ended this connection. Connecting again.');
  state('waiting', 'waiting');
  setTimeout(() => socket.connect(), 2000 + Math.random() * 2000);
}

function listen(origin, user) {
  const query = new URLSearchParams(location.search);
  const transports = query.get('transports')?.split(',');
  const socket = window.io(origin + (user ? '/' : '/news'), {
    withCredentials: true,
    ...(transports && { transports }),
  });
  let wait = 1000;
  state('waiting', 'connecting');
  socket.on('connect', () => {
    wait = 1000;
    problem('');
    state('on', 'connected');
    transport(socket);
  });
  socket.on('disconnect', (reason) => {
    state(socket.active ? 'waiting' : 'off',
      socket.active ? 'reconnecting' : 'disconnected');
    $('transport').textContent = '–';
    if (reason === 'io server disconnect')
      thrownOut(socket, user);
  });
  socket.on('connect_error', (error) => {
    problem(refusal(error));
    state(socket.active ? 'waiting' : 'off',
      socket.active ? 'reconnecting' : 'refused');
    // The client itself retries only a lost transport, not a refused CONNECT.
    if (!socket.active && error.data?.retry) {
      state('waiting', 'waiting');
      setTimeout(() => socket.connect(), wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, 15000);
    }
  });
  socket.on('letter', (message) => add('letters', 'letter', message));
  socket.on('room-note', (message) => add('news', 'room', message));
  socket.on('announcement', (message) => add('news', 'all', message));
  return socket;
}

async function presence(user) {
  try {
    const { online } = await ask('/api/online');
    const { people } = await ask('/api/session');
    $('people').replaceChildren(...people.sort().map((name) => {
      const item = document.createElement('li');
      item.textContent = name === user ? `${name} (you)` : name;
      item.className = online.includes(name) ? 'on' : 'off';
      return item;
    }));
    $('names').replaceChildren(...people.map((name) => new Option(name)));
    $('presence-problem').textContent = '';
  } catch (error) {
    $('presence-problem').textContent = error.message;
  }
}

async function main() {
  onSubmit('login', async (fields) => {
    await ask('/login', fields);
    location.reload();
  });
  onSubmit('logout', async () => {
    await ask('/logout', {});
    location.reload();
  });

  const { user, room, router } = await ask('/api/session');
  document.body.dataset.user = user ?? '';
  for (const part of document.querySelectorAll('[data-for]'))
    part.hidden = (part.dataset.for === 'user') !== Boolean(user);
  $('who').textContent = user ?? '';
  $('room').textContent = room ?? '';

  const origin = routerOrigin(router);
  $('router').textContent = origin.replace(/^https?:\/\//, '');
  state('waiting', 'connecting');
  await loadClient(origin);
  const socket = listen(origin, user);
  if (!user)
    return;

  onSubmit('letter', async ({ to, text }, form) => {
    const answer = await ask('/api/letter', { to, text });
    form.elements.text.value = '';
    return receipt(answer);
  });
  onSubmit('public', async ({ audience, text }, form) => {
    const answer = await ask(`/api/${audience}`, { text });
    form.elements.text.value = '';
    return receipt(answer);
  });
  onSubmit('question', async ({ text }, form) => {
    if (!socket.connected)
      throw new Error('Not connected.');
    const reply = await socket.timeout(5000).emitWithAck('question', text)
      .catch(() => { throw new Error('No answer within 5 s.'); });
    if (reply?.heard === undefined)
      throw new Error(reply?.error?.message ?? reply?.message ?? 'The event was refused.');
    form.elements.text.value = '';
    return `The site heard “${reply.args[0]}” from ${reply.from}.`;
  });
  const refresh = () => presence(user);
  socket.on('connect', refresh);
  setInterval(() => document.hidden || refresh(), 5000);
  refresh();
}

main().catch((error) => {
  state('off', 'not connected');
  problem(error.message);
});
