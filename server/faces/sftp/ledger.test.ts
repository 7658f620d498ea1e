// Who must go when peers hold too much: tables of holders.
import assert from 'node:assert/strict';
import test from 'node:test';
import { pickHeaviest } from './ledger.ts';

const holder = (name: string, owner: string, heldBytes: number) => ({ name, owner, heldBytes });
const picked = (holders: readonly ReturnType<typeof holder>[], max: number): string[] =>
  pickHeaviest(holders, max).map(({ name }) => name);

test('nobody goes while all that is held fits, to the byte', () => {
  const holders = [holder('a', 'x', 60), holder('b', 'y', 40)];
  assert.deepEqual(picked(holders, 100), []);
  assert.deepEqual(picked(holders, 99), ['a']);
  assert.deepEqual(picked([], 0), []);
});

test('many small connections of one owner go before the one large connection of another', () => {
  const crowd = Array.from({ length: 20 }, (_, index) => holder(`m${index}`, 'mallory', 10 + index));
  const gone = picked([...crowd, holder('v', 'vera', 100)], 300);
  assert.ok(gone.length > 0 && !gone.includes('v'));
  assert.equal(gone[0], 'm19', 'the largest of them first');
});

test('when a heavy owner is as light as the next, both give', () => {
  const gone = picked([holder('a1', 'a', 50), holder('a2', 'a', 50), holder('b1', 'b', 60)], 55);
  assert.equal(gone.length, 2);
  assert.ok(gone.includes('b1') && gone.some((name) => name.startsWith('a')));
});
