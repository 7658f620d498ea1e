// The plans of every statement that a day of work sends, in a database full enough for PostgreSQL to choose as it would at a large broker.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { openParts } from '../../server/app.ts';
import { readSettings } from '../../server/config.ts';
import { silentLog } from '../../server/kernel/log.ts';
import type { Sql } from '../../server/kernel/sql.ts';
import { openTestDatabase } from '../database.ts';
import { liveDay } from './day.ts';
import { explaining, type SeenStatement, watchPlans } from './plan-watch.ts';
import { populate } from './population.ts';

/** Tables whose rows do not grow with clients or statements. Every other table of the schema is taken to grow. */
const small: Readonly<Record<string, string>> = {
  data_keys: 'one a change of the data key',
  delivery_moves: 'the moves between states, fixed by the release',
  leases: 'one a part that only one process may do',
  migrations: 'one a migration',
  operator_desks: 'staff of the broker',
  operators: 'staff of the broker',
  retention_clock: 'one row',
  secrets: 'one a secret of the installation',
  worker_samples: 'a day of each worker',
};

/** Statements that read much because that is what they are asked for, by a part of their text that is theirs alone. */
const readsMuch: Readonly<Record<string, string>> = {
  'select id, abbrev(network::inet) as network, effect from address_entries':
    'a process holds the whole allow-list in memory, read by the page; how often falls with its size',
  'as "fileBytes"': 'a person asks what a purge would take: it counts what is due, and nothing else',
};

/** A step that looks at more rows than this, and at more than a third of its table, is taken to grow with it. */
const rowsMin = 300;
const shareMax = 1 / 3;

test('no statement of a day of work reads a growing table from end to end', async () => {
  await using held = await openTestDatabase();
  const people = await populate(held.url, { clients: 3000, statements: 6000 }, Date.now());
  const rowsOf = await countRows(held.database.sql);
  const sparse = [...rowsOf].filter(([table, rows]) => !(table in small) && rows <= rowsMin).map(([table]) => table);
  assert.deepEqual(sparse, [], 'these tables are too empty to judge plans on: let the population fill them');

  const dataDir = await mkdtemp(path.join(tmpdir(), 'broadgate-plans-'));
  try {
    const settings = readSettings({ BROADGATE_DATA_DIR: dataDir });
    await using parts = await openParts({ settings, databaseUrl: explaining(held.url) }, silentLog);
    const seen = await watchPlans(parts.database.pool);
    await liveDay(parts, people);
    assert.deepEqual(findFaults(seen, rowsOf), []);
    const unused = Object.keys(readsMuch).filter((part) => !seen.some(({ text }) => text.includes(part)));
    assert.deepEqual(unused, [], 'these exceptions stand for no statement any more');
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

async function countRows(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql<{
    table: string;
    rows: number;
  }>`select relname as table, reltuples::integer as rows from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace`;
  return new Map(rows.map(({ table, rows: count }) => [table, count]));
}

/** Shape: each statement once, with the table and how it was read. */
function findFaults(seen: readonly SeenStatement[], rowsOf: ReadonlyMap<string, number>): string[] {
  const faults = new Map<string, string>();
  for (const { text, readings } of seen) {
    if (Object.keys(readsMuch).some((part) => text.includes(part))) continue;
    for (const { table, how, rows } of readings) {
      if (table in small) continue;
      const isWhole = how === 'Seq Scan' || rows > Math.max(rowsMin, (rowsOf.get(table) ?? 0) * shareMax);
      if (isWhole) faults.set(text, `${table}: ${how} of ${rows} rows in: ${text}`);
    }
  }
  return [...faults.values()];
}
