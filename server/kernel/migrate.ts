// Brings a database to this release: plain SQL files in order, each once, each whole, and the job queue's own tables.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger, runMigrations } from 'graphile-worker';
import { type Clock, systemClock } from './clock.ts';
import { refusals } from './rules.ts';
import type { Database, Sql } from './sql.ts';

interface Migration {
  readonly name: string;
  readonly text: string;
  readonly sha256: string;
}

/** Where this release's migrations lie. */
export const migrationsFolder = join(import.meta.dirname, '..', 'migrations');

/** The migrations of a folder, in the order in which they are applied. */
export async function listMigrations(folder = migrationsFolder): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8');
      return { name, text, sha256: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/**
 * Applies what is missing. Any number of processes may call it at once: one works, the others wait and find nothing to do.
 * `only` stops at the state of an older release, for restoring its backup.
 * Shape: the names applied by this call. Refuses: migration_changed, migration_unknown.
 */
export async function migrate(
  database: Database,
  options: { migrationsDir?: string; clock?: Clock; only?: readonly string[] } = {},
): Promise<{ applied: string[] }> {
  const clock = options.clock ?? systemClock;
  const migrations = await listMigrations(options.migrationsDir);
  const wanted = migrations.filter(({ name }) => options.only?.includes(name) ?? true);
  const applied: string[] = [];
  await takeTurns(database, async (sql) => {
    await sql`
      create table if not exists migrations (
        name text primary key, sha256 text not null, applied_at_ms bigint not null
      )`;
    await checkHistory(sql, migrations);
  });
  for (const migration of wanted) {
    await takeTurns(database, async (sql) => {
      const [known] = await sql`select 1 from migrations where name = ${migration.name}`;
      if (known) return;
      await sql(asTemplate(migration.text)).catch((fault: unknown) => {
        throw new Error(`migration ${migration.name} failed: ${(fault as Error).message}`, { cause: fault });
      });
      await sql`insert into migrations (name, sha256, applied_at_ms)
        values (${migration.name}, ${migration.sha256}, ${clock.nowMs()})`;
      applied.push(migration.name);
    });
  }
  // It guards itself against others that do the same at the same time.
  await runMigrations({ pgPool: database.pool, logger: new Logger(() => () => undefined) });
  return { applied };
}

/** True when every migration of this release is applied: what a worker may ask before it serves. */
export async function isMigrated(sql: Sql): Promise<boolean> {
  const migrations = await listMigrations();
  const [table] = await sql<{ found: boolean }>`select to_regclass('migrations') is not null as found`;
  if (!table!.found) return false;
  await checkHistory(sql, migrations);
  const [row] = await sql<{ count: number }>`select count(*)::int as count from migrations`;
  return row!.count === migrations.length;
}

async function checkHistory(sql: Sql, migrations: readonly Migration[]): Promise<void> {
  const recorded = await sql<{ name: string; sha256: string }>`select name, sha256 from migrations order by name`;
  for (const { name, sha256 } of recorded) {
    const ours = migrations.find((migration) => migration.name === name);
    if (!ours) throw refusals.migration_unknown({ name });
    if (ours.sha256 !== sha256) throw refusals.migration_changed({ name });
  }
}

/** One process at a time, for one transaction; a migration may take longer than a statement is allowed otherwise. */
const takeTurns = (database: Database, work: (sql: Sql) => Promise<void>): Promise<void> =>
  database.transaction(async (sql) => {
    await sql`set local statement_timeout = 0`;
    await sql`select pg_advisory_xact_lock(hashtextextended('broadgate migrations', 0))`;
    await work(sql);
  });

/** A migration holds no values to bind: its text goes to the driver as it stands, with all its statements. */
const asTemplate = (text: string): TemplateStringsArray => Object.assign([text], { raw: [text] });
