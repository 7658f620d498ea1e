// The face through its real port, with routes made for the purpose.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestFace } from './test-face.ts';

test('HP-13: a caller reads the address it connects from', async () => {
  await using face = await openTestFace({ routes: [], refusals: [] });
  const answer = await face.ask('GET', '/v1/address');
  assert.deepEqual([answer.status, answer.json], [200, { address: '127.0.0.1' }]);
});
