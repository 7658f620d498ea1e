// What the pages may weigh is measured on the built portal.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

test('the sign-in page loads at most 60 kB and the signed-in entry at most 200 kB, compressed, fonts apart', () => {
  const run = spawnSync(process.execPath, [path.join(import.meta.dirname, 'portal-size.ts')], { encoding: 'utf8' });
  assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
  assert.match(run.stdout, /^sign-in page: \d/m);
  assert.match(run.stdout, /^signed-in entry: \d/m);
});
