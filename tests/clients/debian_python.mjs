// Debian's own python3-socketio, over each transport.

import { fileURLToPath } from 'node:url';

import { testClient } from './support/suite.mjs';

testClient({
  name: 'debian',
  command: ['/usr/bin/python3', '-I',
    fileURLToPath(new URL('python5/client.py', import.meta.url))],
  library: 'python-socketio 5.7.2',
  dialect: 'eio4',
  // As every python-socketio, see clients.mjs.
  staysAway: ['polling'],
});
