// The driver: values bound, transactions whole, notifications heard, and lost connections told apart from our own faults.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { brokenConstraint, openDatabase, sqlState } from './sql.ts';

test('Values are bound and never spliced, and come back as plain values', async () => {
  await using db = await openTestDatabase();
  const { sql } = db.database;
  const nasty = `'; drop table audit; --`;
  const [row] =
    await sql`select ${nasty}::text as text, ${2 ** 53 - 1}::bigint as big, date '2026-02-28' as day, ${null}::text as nothing,
    ${Buffer.from([0, 255])}::bytea as bytes, ${['a', 'b']}::text[] as list`;
  assert.deepEqual(row, {
    text: nasty,
    big: 2 ** 53 - 1,
    day: '2026-02-28',
    nothing: null,
    bytes: Buffer.from([0, 255]),
    list: ['a', 'b'],
  });
  await assert.rejects(sql`select 9007199254740992::bigint as big`);
});

test('A transaction stands as a whole or not at all', async () => {
  await using db = await openTestDatabase();
  const { database } = db;
  await database.sql`create table t (n int primary key)`;
  await assert.rejects(
    database.transaction(async (sql) => {
      await sql`insert into t values (1)`;
      await sql`insert into t values (1)`;
    }),
    (fault) => sqlState(fault) === '23505' && brokenConstraint(fault) === 't_pkey',
  );
  assert.deepEqual(await database.sql`select * from t`, []);
  assert.equal(await database.transaction(async (sql) => (await sql`insert into t values (2) returning n`).length), 1);
});

test('Statements asked for together in one transaction run in the order of asking, and one that fails fails alone', async () => {
  await using db = await openTestDatabase();
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  const rows = await db.database.transaction((sql) =>
    Promise.all([1, 2, 3].map((n) => sql<{ n: number }>`select ${n}::int as n`)),
  );
  assert.deepEqual(rows.flat(), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  process.off('warning', note);
  assert.deepEqual(warnings, []);
});

test('A notification is heard after commit, and once more, empty, after the connection was lost', async () => {
  await using db = await openTestDatabase();
  const heard: string[] = [];
  const ear = await db.database.listen('client_ended', (payload) => void heard.push(payload));
  await db.database.transaction(async (sql) => {
    await sql`select pg_notify('client_ended', 'c1')`;
    assert.deepEqual(heard, []);
  });
  await eventually(() => heard.length === 1);
  await db.database
    .sql`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' and datname = current_database()`;
  await eventually(() => heard.length === 2);
  assert.deepEqual(heard, ['c1', '']);
  await db.database.sql`select pg_notify('client_ended', 'c2')`;
  await eventually(() => heard.length === 3);
  await ear.close();
});

test('A server that cannot be reached or that ends a connection is an outage; a mistake of ours is not', async () => {
  const away = openDatabase({ url: 'postgres://x:y@127.0.0.1:1/none' });
  await assert.rejects(away.sql`select 1`, { name: 'Outage' });
  await assert.rejects(
    away.transaction((sql) => sql`select 1`),
    { name: 'Outage' },
  );
  await assert.rejects(
    away.listen('x', () => undefined),
    { name: 'Outage' },
  );
  await away.close();
  await using db = await openTestDatabase();
  await assert.rejects(db.database.sql`select pg_terminate_backend(pg_backend_pid())`, { name: 'Outage' });
  await assert.rejects(db.database.sql`select nonsense`, (fault) => sqlState(fault) === '42703');
  assert.deepEqual(await db.database.sql`select 1 as one`, [{ one: 1 }]);
});

test('A connection that breaks while it is lent out is reported and does not end the process', async () => {
  await using db = await openTestDatabase();
  const faults: Error[] = [];
  const database = openDatabase({ url: db.url, onFault: (fault) => void faults.push(fault) });
  const work = database.transaction(async (sql) => {
    const [{ pid }] = (await sql<{ pid: number }>`select pg_backend_pid() as pid`) as [{ pid: number }];
    await db.database.sql`select pg_terminate_backend(${pid})`;
    await eventually(() => faults.length > 0);
    await sql`select 1`;
  });
  await assert.rejects(work);
  assert.deepEqual(await database.sql`select 1 as one`, [{ one: 1 }]);
  await database.close();
  const count = faults.length;
  await db.database.sql`select 1`;
  assert.equal(faults.length, count);
});
