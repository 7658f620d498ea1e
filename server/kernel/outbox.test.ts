// Outbox and jobs together: an event is told exactly when its transaction stands, until it is taken in or given up.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { createFakeClock, systemClock } from './clock.ts';
import { createIds } from './ids.ts';
import { createJobs, enqueue } from './jobs.ts';
import { silentLog } from './log.ts';
import { createOutbox } from './outbox.ts';
import { systemRandom } from './random.ts';

const ids = createIds({ clock: systemClock, random: systemRandom });

async function openParts() {
  const db = await openTestDatabase();
  const outbox = createOutbox({ clock: createFakeClock(), ids });
  const jobs = createJobs({ database: db.database, log: silentLog });
  return {
    database: db.database,
    sql: db.database.sql,
    outbox,
    jobs,
    async [Symbol.asyncDispose]() {
      await jobs.close();
      await db[Symbol.asyncDispose]();
    },
  };
}

test('An event reaches every consumer of its kind once, after commit', async () => {
  await using parts = await openParts();
  const heard: string[] = [];
  parts.outbox.consume('statement.issued', async ({ payload }) => void heard.push(`first ${JSON.stringify(payload)}`));
  parts.outbox.consume('statement.issued', async ({ payload }) => void heard.push(`second ${JSON.stringify(payload)}`));
  await parts.jobs.start(parts.outbox.tasks(parts.database));
  await parts.database.transaction(async (sql) => {
    await parts.outbox.record(sql, { kind: 'statement.issued', payload: { n: 1 } });
    assert.deepEqual(heard, []);
  });
  await eventually(async () => (await parts.outbox.count(parts.sql)).pending === 0);
  assert.deepEqual(heard, ['first {"n":1}', 'second {"n":1}']);
});

test('An event of a transaction that is rolled back is never heard of', async () => {
  await using parts = await openParts();
  await assert.rejects(
    parts.database.transaction(async (sql) => {
      await parts.outbox.record(sql, { kind: 'x', payload: null });
      throw new Error('rolled back');
    }),
  );
  assert.equal(await parts.outbox.deliverPending(parts.database), 0);
  assert.deepEqual(await parts.sql`select 1 from graphile_worker.jobs`, []);
});

test('A consumer that fails hears the event again, and one that took it in before must not mind', async () => {
  await using parts = await openParts();
  let attempts = 0;
  parts.outbox.consume('x', async () => {
    attempts += 1;
    if (attempts < 2) throw new Error('not yet');
  });
  await parts.outbox.record(parts.sql, { kind: 'x', payload: null });
  await parts.jobs.start(parts.outbox.tasks(parts.database));
  await eventually(async () => (await parts.outbox.count(parts.sql)).pending === 0);
  assert.equal(attempts, 2);
});

test('An event that no try delivers is dead, is shown with its last fault, and can be revived', async () => {
  await using parts = await openParts();
  let isBroken = true;
  const heard: unknown[] = [];
  parts.outbox.consume('x', async ({ payload }) => {
    if (isBroken) throw new Error('the exchange is closed');
    heard.push(payload);
  });
  const eventId = await parts.outbox.record(parts.sql, { kind: 'x', payload: { n: 1 } });
  const task = parts.outbox.tasks(parts.database)['outbox']!;
  const { signal } = new AbortController();
  await assert.rejects(task({ eventId }, { number: 1, isLast: false, signal }));
  assert.equal((await parts.outbox.count(parts.sql)).pending, 1);
  await task({ eventId }, { number: 25, isLast: true, signal });
  const [dead] = await parts.outbox.listDead(parts.sql);
  assert.equal(dead!.eventId, eventId);
  assert.equal(dead!.attempts, 2);
  assert.match(dead!.lastFault, /the exchange is closed/);
  assert.deepEqual(await parts.outbox.count(parts.sql), { pending: 0, dead: 1, oldestPendingAtMs: undefined });

  isBroken = false;
  await parts.outbox.revive(parts.sql, eventId);
  await assert.rejects(parts.outbox.revive(parts.sql, eventId), { code: 'event_not_dead' });
  await parts.jobs.start(parts.outbox.tasks(parts.database));
  await eventually(() => heard.length === 1);
});

test('An event of a kind that this release does not know waits for one that does', async () => {
  await using parts = await openParts();
  await parts.outbox.record(parts.sql, { kind: 'from.the.future', payload: null });
  await assert.rejects(parts.outbox.deliverPending(parts.database));
  assert.equal((await parts.outbox.count(parts.sql)).pending, 1);
});

test('Pending events are triggered anew when the queue was lost, and each is delivered once', async () => {
  await using parts = await openParts();
  let heard = 0;
  parts.outbox.consume('x', async () => void (heard += 1));
  for (let count = 0; count < 5; count += 1) await parts.outbox.record(parts.sql, { kind: 'x', payload: count });
  await parts.sql`delete from graphile_worker._private_jobs`;
  assert.equal(await parts.outbox.triggerPending(parts.sql), 5);
  assert.equal(await parts.outbox.triggerPending(parts.sql), 5);
  await parts.jobs.start(parts.outbox.tasks(parts.database));
  await eventually(async () => (await parts.outbox.count(parts.sql)).pending === 0);
  assert.equal(heard, 5);
});

test('Done events are deleted when they are old, and no others', async () => {
  await using parts = await openParts();
  parts.outbox.consume('x', () => Promise.resolve());
  await parts.outbox.record(parts.sql, { kind: 'x', payload: null });
  await parts.outbox.deliverPending(parts.database);
  await parts.outbox.record(parts.sql, { kind: 'x', payload: null });
  assert.equal(await parts.outbox.deleteDone(parts.sql, 0), 0);
  assert.equal(await parts.outbox.deleteDone(parts.sql, Number.MAX_SAFE_INTEGER), 1);
  assert.equal((await parts.outbox.count(parts.sql)).pending, 1);
});

test('A job waits for its time, and one with the same key takes its place', async () => {
  await using parts = await openParts();
  const heard: unknown[] = [];
  await parts.jobs.start({ note: async (payload) => void heard.push(payload) });
  await enqueue(parts.sql, 'note', 'far', { runAtMs: Date.now() + 3_600_000, key: 'k' });
  await enqueue(parts.sql, 'note', 'near', { key: 'k' });
  await enqueue(parts.sql, 'note', 'later', { runAtMs: Date.now() + 3_600_000 });
  await eventually(() => heard.length > 0);
  assert.deepEqual(heard, ['near']);
  await eventually(async () => (await parts.sql`select 1 from graphile_worker.jobs`).length === 1);
});

test('Stopping waits for the job that runs', async () => {
  await using parts = await openParts();
  const started = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let isDone = false;
  await parts.jobs.start({
    slow: async () => {
      started.resolve();
      await go.promise;
      isDone = true;
    },
  });
  await enqueue(parts.sql, 'slow', null);
  await started.promise;
  const closing = parts.jobs.close();
  go.resolve();
  await closing;
  assert.ok(isDone);
  assert.deepEqual(await parts.sql`select 1 from graphile_worker.jobs`, []);
});
