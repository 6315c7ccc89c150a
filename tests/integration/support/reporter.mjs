// Reporter of the suites that CTest runs: TAP, and at the end a line for each
// test that was skipped, `FILE: skipped: TEST: REASON`. A suite that skipped a
// test ends with 77, so that CTest does not call it passed.
//
// A reason of the form `install PACKAGE: ...` is one that a machine can do away
// with; `./test` fails for it.

import path from 'node:path';
import { tap } from 'node:test/reporters';

const suite = path.basename(process.argv[1] ?? '');

export default async function* report(source) {
  const skipped = [];
  let failed = false;
  async function* watched() {
    for await (const event of source) {
      const { type, data } = event;
      if (type === 'test:pass' || type === 'test:fail') {
        failed ||= type === 'test:fail' && data.todo === undefined;
        if (data.skip !== undefined)
          skipped.push(`${data.name}: ${data.skip === true ? 'no reason given' : data.skip}`);
      }
      yield event;
    }
  }
  yield* tap(watched());
  for (const each of skipped)
    yield `${suite}: skipped: ${each}\n`;
  if (skipped.length > 0 && !failed)
    process.exitCode ??= 77;
}
