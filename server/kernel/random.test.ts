// Randomness and ids: repeatable where a test asks for it, unbiased, ordered by time.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createFakeClock } from './clock.ts';
import { createIds } from './ids.ts';
import { createSeededRandom, randomBelow, randomText, randomToken, systemRandom } from './random.ts';

test('A seed gives the same bytes again, and another seed others', () => {
  const [first, again, other] = ['a', 'a', 'b'].map((seed) => createSeededRandom(seed).bytes(32).toString('hex'));
  assert.equal(first, again);
  assert.notEqual(first, other);
});

test('Numbers below a limit reach every value and never the limit', () => {
  const random = createSeededRandom('below');
  const counts = new Map<number, number>();
  for (let round = 0; round < 6000; round += 1) {
    const value = randomBelow(random, 6);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  assert.deepEqual(
    [...counts.keys()].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5],
  );
  for (const count of counts.values()) assert.ok(count > 850 && count < 1150, `${count} of 6000`);
  assert.equal(randomBelow(random, 1), 0);
});

test('Codes are in an alphabet without letters that people confuse, and tokens hold 256 bits', () => {
  assert.match(randomText(systemRandom, 500), /^[0-9a-hjkmnp-tv-z]{500}$/);
  assert.equal(Buffer.from(randomToken(systemRandom), 'base64url').length, 32);
  const tokens = Array.from({ length: 1000 }, () => randomToken(systemRandom));
  assert.deepEqual(
    tokens.filter((token) => token.startsWith('-')),
    [],
  );
});

test('Ids are UUIDs of version 7, unique, and ordered by their millisecond', () => {
  const clock = createFakeClock();
  const ids = createIds({ clock, random: systemRandom });
  const made = Array.from({ length: 1000 }, () => {
    clock.advance(1);
    return ids.next();
  });
  // RFC 9562 §5.7: version 7, variant 10.
  for (const id of made) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(made).size, 1000);
  assert.deepEqual(made, [...made].sort());
});
