// The SSH host keys of an installation: made once, announced, and changed for those that were announced.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openStatementWorld } from '../test/statement-world.ts';
import { announceHostKeys, openHostKeys, rotateHostKeys } from './host-keys.ts';

test('T17: host keys stay, the next ones are announced beside them, and a change uses exactly those', async () => {
  await using world = await openStatementWorld();
  const place = { sql: world.database.sql, vault: world.vault };
  const names = (keys: readonly { readonly fingerprint: string }[]): string[] => keys.map((key) => key.fingerprint);
  const first = await openHostKeys(place);
  assert.deepEqual(
    first.current.map((key) => key.type),
    ['ssh-ed25519', 'ssh-rsa'],
  );
  assert.deepEqual(first.next, []);
  assert.equal(await rotateHostKeys(place), false, 'no client was told of any other');
  const announced = names(await announceHostKeys(place));
  assert.deepEqual(names(await announceHostKeys(place)), announced);
  const during = await openHostKeys(place);
  assert.deepEqual([names(during.current), names(during.next)], [names(first.current), announced]);
  assert.equal(await rotateHostKeys(place), true);
  const after = await openHostKeys(place);
  assert.deepEqual([names(after.current), names(after.next)], [announced, []]);
});
