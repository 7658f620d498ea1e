// Leases: one holder at a time, freed with its connection, known by a fence.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { isLeaseHeld, tryLease, withLease } from './lease.ts';

test('A lease has one holder; the next gets a higher fence', async () => {
  await using db = await openTestDatabase();
  const first = (await tryLease(db.database, 'purge'))!;
  assert.equal(await tryLease(db.database, 'purge'), undefined);
  const other = (await tryLease(db.database, 'seal'))!;
  await other.close();
  await first.close();
  const second = (await eventually(() => tryLease(db.database, 'purge')))!;
  assert.ok(second.fence > first.fence);
  await second.close();
});

test('Whether a lease is held can be asked without taking it', async () => {
  await using db = await openTestDatabase();
  for (const name of ['purge', 'seal', 'blob removal', 'a', 'b', 'c']) {
    assert.equal(await isLeaseHeld(db.database.sql, name), false);
    await withLease(db.database, name, async () => {
      assert.equal(await isLeaseHeld(db.database.sql, name), true, name);
      assert.equal(await isLeaseHeld(db.database.sql, `${name} of others`), false);
    });
    await eventually(async () => !(await isLeaseHeld(db.database.sql, name)));
  }
});

test('A holder whose connection is cut is told, and the lease is free', async () => {
  await using db = await openTestDatabase();
  const lease = (await tryLease(db.database, 'purge'))!;
  await db.database.sql`
    select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())`;
  await eventually(() => lease.signal.aborted);
  assert.equal((lease.signal.reason as Error).name, 'Outage');
  const next = await eventually(() => tryLease(db.database, 'purge'));
  await next.close();
  await lease.close();
});

test('Work under a lease runs alone and gives back its result, or nothing when another is at it', async () => {
  await using db = await openTestDatabase();
  const inner = await withLease(db.database, 'purge', async () => withLease(db.database, 'purge', async () => 'both'));
  assert.equal(inner, undefined);
  assert.equal(await eventually(() => withLease(db.database, 'purge', async () => 'alone')), 'alone');
  await assert.rejects(
    withLease(db.database, 'other', async () => {
      throw new Error('failed');
    }),
  );
  assert.equal(await eventually(() => withLease(db.database, 'other', async () => 'again')), 'again');
});
