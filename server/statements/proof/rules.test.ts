// Ranges of receipts, the age of files and the hash of a deletion as tables and properties.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  clockJumpMaxMs,
  dueBefore,
  firstHash,
  hashDeletion,
  isClockPlausible,
  isWhole,
  keptMs,
  mergeRanges,
  rangesMax,
} from './rules.ts';

const range = (startBytes: number, endBytes: number) => ({ startBytes, endBytes });

test('ranges are joined where they touch, cut to the file, and whole only when they cover it', () => {
  assert.deepEqual(mergeRanges([range(5, 9), range(0, 5), range(20, 99)], 30), [range(0, 9), range(20, 30)]);
  assert.deepEqual(mergeRanges([range(3, 3), range(40, 50)], 30), []);
  assert.ok(isWhole(mergeRanges([range(0, 10), range(10, 30)], 30), 30));
  assert.ok(!isWhole(mergeRanges([range(0, 29)], 30), 30));
  assert.ok(!isWhole(mergeRanges([range(1, 30)], 30), 30));
  assert.ok(isWhole([], 0));
});

test('merged ranges claim no byte that was not sent, and at most sixty-four of them are kept', () => {
  const size = 2000;
  const ranges = fc.array(fc.tuple(fc.nat(size), fc.nat(40)), { maxLength: 300 });
  fc.assert(
    fc.property(ranges, (drawn) => {
      const sent = new Set<number>();
      for (const [start, length] of drawn)
        for (let at = start; at < Math.min(start + length, size); at += 1) sent.add(at);
      const merged = mergeRanges(
        drawn.map(([start, length]) => ({ startBytes: start, endBytes: start + length })),
        size,
      );
      let last = -1;
      let claimed = 0;
      for (const { startBytes, endBytes } of merged) {
        assert.ok(startBytes > last && endBytes > startBytes);
        last = endBytes;
        for (let at = startBytes; at < endBytes; at += 1) assert.ok(sent.has(at));
        claimed += endBytes - startBytes;
      }
      assert.ok(merged.length <= rangesMax);
      if (merged.length < rangesMax) assert.equal(claimed, sent.size);
    }),
  );
});

test('a file is due when it is exactly 100 times 24 hours old, and not a millisecond before', () => {
  assert.equal(keptMs, 100 * 86_400_000);
  const nowMs = 1_000_000_000_000;
  assert.ok(nowMs - keptMs <= dueBefore(nowMs));
  assert.ok(nowMs - keptMs + 1 > dueBefore(nowMs));
});

test('a clock is believed up to two days after the last purge, always backward, and at the first purge', () => {
  assert.ok(isClockPlausible(undefined, 5));
  assert.ok(isClockPlausible(1000, 1000 + clockJumpMaxMs));
  assert.ok(!isClockPlausible(1000, 1001 + clockJumpMaxMs));
  assert.ok(isClockPlausible(1000, 0));
});

test('the hash of a deletion depends on every field and on the row before', () => {
  const row = {
    number: 1,
    clientId: 'c',
    what: 'file',
    why: 'retention',
    path: '/a',
    sha256: 's',
    sizeBytes: 1,
    statementId: null,
    placedAtMs: 1,
    deletedAtMs: 2,
  } as const;
  const hash = hashDeletion(firstHash, row);
  const changes = [
    { number: 2 },
    { clientId: 'd' },
    { what: 'portal_copy' },
    { why: 'withdrawn' },
    { path: '/b' },
    { sha256: null },
    { sizeBytes: 2 },
    { statementId: 'x' },
    { placedAtMs: 2 },
    { deletedAtMs: 3 },
  ] as const;
  for (const change of changes) assert.notEqual(hashDeletion(firstHash, { ...row, ...change }), hash);
  assert.notEqual(hashDeletion('1'.repeat(64), row), hash);
});
