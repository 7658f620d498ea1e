// Limits: both sides of each.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createFakeClock } from './clock.ts';
import { createSemaphore, createSingleFlight, createTokenBuckets, createTurns, withTimeout } from './limits.ts';

const hold = () => Promise.withResolvers<void>();

test('A semaphore runs as many as it has permits, keeps the rest in order, and turns away those beyond its queue', async () => {
  const semaphore = createSemaphore({ permits: 2, waitingMax: 2 });
  const gates = [hold(), hold(), hold(), hold()];
  const order: number[] = [];
  const runs = gates.map((gate, at) =>
    semaphore.run(async () => {
      order.push(at);
      await gate.promise;
    }),
  );
  assert.deepEqual([semaphore.running, semaphore.waiting], [2, 2]);
  await assert.rejects(
    semaphore.run(() => Promise.resolve()),
    { name: 'Outage' },
  );
  gates[1]!.resolve();
  await runs[1];
  assert.deepEqual(order, [0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await Promise.all(runs);
  assert.deepEqual([semaphore.running, semaphore.waiting], [0, 0]);
});

test('A permit comes back when the work throws', async () => {
  const semaphore = createSemaphore({ permits: 1, waitingMax: 0 });
  await assert.rejects(semaphore.run(() => Promise.reject(new Error('failed'))));
  assert.equal(await semaphore.run(() => Promise.resolve('next')), 'next');
});

test('A bucket gives its tokens, then says how long to wait, and is full again in time but never fuller', () => {
  const clock = createFakeClock();
  const buckets = createTokenBuckets({ clock, capacity: 3, refillPerSecond: 2, keysMax: 10 });
  assert.deepEqual(
    [1, 2, 3, 4].map(() => buckets.take('a')),
    [0, 0, 0, 500],
  );
  assert.equal(buckets.take('b'), 0);
  clock.advance(499);
  assert.equal(buckets.take('a'), 1);
  clock.advance(1);
  assert.equal(buckets.take('a'), 0);
  clock.advance(60_000);
  assert.equal(buckets.take('a', 3), 0);
  assert.equal(buckets.take('a', 2), 1000);
});

test('Buckets forget the key that was unused for longest when there are too many', () => {
  const buckets = createTokenBuckets({ clock: createFakeClock(), capacity: 1, refillPerSecond: 1, keysMax: 2 });
  for (const key of ['a', 'b', 'a', 'c']) buckets.take(key);
  assert.equal(buckets.keys, 2);
  assert.notEqual(buckets.take('a'), 0);
  assert.equal(buckets.take('b'), 0);
});

test('Work of one key runs in turn, and other keys do not wait for it', async () => {
  const turns = createTurns({ waitingMax: 5 });
  const gate = hold();
  const order: string[] = [];
  const first = turns.take('a', async () => {
    await gate.promise;
    order.push('a1');
  });
  const second = turns.take('a', async () => void order.push('a2'));
  await turns.take('b', async () => void order.push('b'));
  gate.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(order, ['b', 'a1', 'a2']);
});

test('Callers with one key share one flight, its result and its fault, and the next starts anew', async () => {
  const flights = createSingleFlight<number>();
  let count = 0;
  const fly = () => flights.run('k', async () => (count += 1));
  assert.deepEqual(await Promise.all([fly(), fly(), fly()]), [1, 1, 1]);
  assert.equal(await fly(), 2);
  const failing = [1, 2].map(() => flights.run('f', () => Promise.reject(new Error('failed'))));
  for (const one of await Promise.allSettled(failing)) assert.equal(one.status, 'rejected');
});

test('Work that takes too long is an outage and is told to stop', async () => {
  const clock = createFakeClock();
  let wasTold = false;
  const late = withTimeout(clock, { timeoutMs: 100, what: 'the exchange' }, async (signal) => {
    signal.addEventListener('abort', () => (wasTold = true));
    await new Promise(() => undefined);
  });
  clock.advance(100);
  await assert.rejects(late, { name: 'Outage', what: 'the exchange' });
  assert.ok(wasTold);
  assert.equal(await withTimeout(clock, { timeoutMs: 100, what: 'x' }, () => Promise.resolve(1)), 1);
});
