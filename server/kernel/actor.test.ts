// Actors: who stands at which desk, and how the trail names them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Actor, consoleActor, desks, formatActor, isAtDesk, systemActor } from './actor.ts';

const origin = { face: 'https' } as const;
const client: Actor = { kind: 'client', clientId: 'c1', origin };
const operator: Actor = { kind: 'operator', operatorId: 'o1', desks: ['delivery', 'operations'], origin };

test('An operator is at the desks that were given, a client at none, the console at all', () => {
  for (const desk of desks) {
    assert.equal(isAtDesk(operator, desk), desk === 'delivery' || desk === 'operations', desk);
    assert.equal(isAtDesk(client, desk), false, desk);
    assert.equal(isAtDesk(consoleActor, desk), true, desk);
  }
});

test('Each actor has one word for the trail', () => {
  assert.deepEqual([client, operator, consoleActor, systemActor('retention')].map(formatActor), [
    'client:c1',
    'operator:o1',
    'system:console',
    'system:retention',
  ]);
});
