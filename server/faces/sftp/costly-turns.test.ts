// Costly steps spread over turns of the event loop, with a clock that the steps move themselves.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createCostlyTurns } from './costly-turns.ts';

const turn = (): Promise<void> => new Promise((over) => setImmediate(over));

test('a turn of the loop spends 10 ms on costly steps, does one at least, and keeps their order', async () => {
  let nowMs = 0;
  const done: string[] = [];
  const inTurn = createCostlyTurns(() => nowMs);
  const step = (name: string, lastsMs: number) => (): void => {
    done.push(name);
    nowMs += lastsMs;
  };
  for (const [name, lastsMs] of [
    ['a', 4],
    ['b', 4],
    ['c', 4],
    ['d', 4],
    ['e', 50],
    ['f', 1],
  ] as const)
    inTurn(step(name, lastsMs));
  assert.deepEqual(done, []);
  await turn();
  assert.equal(done.join(''), 'abc');
  inTurn(step('g', 1));
  await turn();
  assert.equal(done.join(''), 'abcde');
  await turn();
  assert.equal(done.join(''), 'abcdefg');
});
