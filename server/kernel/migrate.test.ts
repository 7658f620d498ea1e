// Migrations: in order, once, whole, by one process at a time, and never changed after they were applied.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openTestDatabase } from '../../test/database.ts';
import { isMigrated, listMigrations, migrate } from './migrate.ts';

async function openFolder(files: Record<string, string>) {
  const db = await openTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-migrations-'));
  await db.database.sql`drop table migrations`;
  const write = async (more: Record<string, string>): Promise<void> => {
    for (const [name, text] of Object.entries(more)) await writeFile(join(folder, name), text);
  };
  await write(files);
  return {
    database: db.database,
    sql: db.database.sql,
    write,
    run: (only?: string[]) => migrate(db.database, { migrationsDir: folder, ...(only ? { only } : {}) }),
    async [Symbol.asyncDispose]() {
      await db[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

test('This release\u2019s migrations apply to an empty database, and are then known to be applied', async () => {
  await using db = await openTestDatabase();
  assert.equal(await isMigrated(db.database.sql), true);
  const names = (await listMigrations()).map(({ name }) => name);
  assert.ok(names.length > 0);
  assert.deepEqual(names, [...names].sort());
  assert.deepEqual((await migrate(db.database)).applied, []);
});

test('Migrations are applied in the order of their names, each once', async () => {
  await using db = await openFolder({
    '0002-b.sql': 'insert into t values (2)',
    '0001-a.sql': 'create table t (n int); insert into t values (1)',
  });
  assert.deepEqual((await db.run()).applied, ['0001-a.sql', '0002-b.sql']);
  await db.write({ '0003-c.sql': 'insert into t values (3)', 'notes.txt': 'no SQL' });
  assert.deepEqual((await db.run()).applied, ['0003-c.sql']);
  assert.deepEqual(await db.sql`select n from t order by n`, [{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test('Any number of processes may migrate at once', async () => {
  await using db = await openFolder({
    '0001-a.sql': 'create table t (n int); select pg_sleep(0.05)',
    '0002-b.sql': 'insert into t values (1)',
  });
  const applied = await Promise.all(Array.from({ length: 6 }, () => db.run()));
  assert.deepEqual(applied.flatMap((one) => one.applied).sort(), ['0001-a.sql', '0002-b.sql']);
  assert.equal((await db.sql`select n from t`).length, 1);
});

test('A migration that fails leaves nothing of itself, is named, and can be mended', async () => {
  await using db = await openFolder({ '0001-a.sql': 'create table t (n int); insert into nowhere values (1)' });
  await assert.rejects(db.run(), (fault: Error) => fault.message.includes('0001-a.sql'));
  assert.deepEqual(await db.sql`select to_regclass('t') as t`, [{ t: null }]);
  await db.write({ '0001-a.sql': 'create table t (n int)' });
  assert.deepEqual((await db.run()).applied, ['0001-a.sql']);
});

test('A migration that was changed after it was applied is refused, and so is one that this release does not know', async () => {
  await using db = await openFolder({ '0001-a.sql': 'create table t (n int)' });
  await db.run();
  await db.write({ '0001-a.sql': 'create table t (n bigint)' });
  await assert.rejects(db.run(), { code: 'migration_changed' });
  await db.write({ '0001-a.sql': 'create table t (n int)' });
  await db.sql`insert into migrations (name, sha256, applied_at_ms) values ('0009-later.sql', 'x', 0)`;
  await assert.rejects(db.run(), { code: 'migration_unknown' });
});

test('A database can be brought to the state of an older release first', async () => {
  await using db = await openFolder({
    '0001-a.sql': 'create table t (n int)',
    '0002-b.sql': 'alter table t add m int',
  });
  assert.deepEqual((await db.run(['0001-a.sql'])).applied, ['0001-a.sql']);
  assert.deepEqual((await db.run()).applied, ['0002-b.sql']);
});
