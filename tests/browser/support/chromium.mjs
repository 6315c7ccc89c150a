// Chromium without a window; the names of the tests lead to this machine.

import { createRequire } from 'node:module';

const require = createRequire(new URL('../../integration/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--host-resolver-rules=MAP *.example.test 127.0.0.1, MAP *.evil.test 127.0.0.1'];

// A profile folder of its own, empty and removed again, comes with launch.
export function launch(more = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: [...flags, ...more],
  });
}
