// Time: the real clock waits long and short, the fake one moves only when told, dates are those of a zone.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createFakeClock, dateInZone, formatInstant, systemClock } from './clock.ts';

test('The fake clock fires what fell due, in order, and nothing that was closed', () => {
  const clock = createFakeClock(0);
  const fired: string[] = [];
  clock.after(200, () => fired.push(`b at ${clock.nowMs()}`));
  clock.after(100, () => {
    fired.push(`a at ${clock.nowMs()}`);
    clock.after(50, () => fired.push(`c at ${clock.nowMs()}`));
  });
  const closed = clock.after(120, () => fired.push('never'));
  closed.close();
  clock.advance(99);
  assert.deepEqual(fired, []);
  clock.advance(901);
  assert.deepEqual(fired, ['a at 100', 'c at 150', 'b at 200']);
  assert.deepEqual([clock.nowMs(), clock.monotonicMs()], [1000, 1000]);
});

test('A wall clock that is set does not move monotonic time or its timers', () => {
  const clock = createFakeClock(1_000_000);
  let fired = 0;
  clock.after(10, () => (fired += 1));
  clock.jump(5);
  assert.deepEqual([clock.nowMs(), clock.monotonicMs(), fired], [5, 0, 0]);
  clock.advance(10);
  assert.deepEqual([clock.nowMs(), clock.monotonicMs(), fired], [15, 10, 1]);
});

test('The real clock fires once, and a wait longer than a timer can hold does not fire at once', async () => {
  let early = 0;
  const long = systemClock.after(2 ** 31 + 1000, () => (early += 1));
  const before = systemClock.monotonicMs();
  await new Promise<void>((fired) => {
    const keepAlive = setInterval(() => undefined, 1000);
    systemClock.after(5, () => {
      clearInterval(keepAlive);
      fired();
    });
  });
  assert.ok(systemClock.monotonicMs() - before >= 4);
  assert.equal(early, 0);
  long.close();
  long.close();
});

test('An instant has one text, and its date depends on the zone', () => {
  const atMs = Date.UTC(2026, 2, 29, 0, 30);
  assert.equal(formatInstant(atMs), '2026-03-29T00:30:00.000Z');
  assert.equal(dateInZone(atMs, 'UTC'), '2026-03-29');
  assert.equal(dateInZone(atMs, 'America/New_York'), '2026-03-28');
  assert.equal(dateInZone(Date.UTC(2026, 2, 28, 23, 30), 'Europe/Zurich'), '2026-03-29');
});
