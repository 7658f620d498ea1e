// Restores a backup into an empty installation, of this release or a newer one, on any PostgreSQL that we support.
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { type AuditVerdict, createAudit } from './audit.ts';
import {
  type BackupManifest,
  type BlobLine,
  blobListPath,
  blobsFolder,
  checkFile,
  forEachAtOnce,
  hashManifest,
  listColumns,
  listTables,
  readLines,
  readManifest,
  rowsPath,
  sealName,
  settleText,
} from './backup-format.ts';
import { BlobFault, type BlobStore, type DataKeys, type SealedBlob } from './blobs.ts';
import type { Clock } from './clock.ts';
import { openFileBlobs } from './file-blobs.ts';
import type { Ids } from './ids.ts';
import type { MasterKeys } from './master-key.ts';
import { listMigrations, migrate } from './migrate.ts';
import { createOutbox } from './outbox.ts';
import type { Random } from './random.ts';
import { refusals } from './rules.ts';
import type { Database, Sql } from './sql.ts';
import { openDataKeys, openVault, type WrappedRow } from './vault.ts';

export interface RestoreReport {
  readonly manifest: BackupManifest;
  readonly rows: number;
  readonly blobs: number;
  /** Events that were not delivered when the backup was made, and will be now. */
  readonly pendingEvents: number;
  readonly audit: AuditVerdict;
}

interface RestoreParts {
  readonly folder: string;
  /** Empty; migrations are applied by this call. */
  readonly database: Database;
  /** Opens the empty store that blobs go to. */
  readonly openBlobs: (keys: DataKeys) => Promise<BlobStore>;
  readonly masterKeys: MasterKeys;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly onProgress?: (progress: { phase: 'check' | 'blobs' | 'rows'; done: number; total: number }) => void;
}

const batchBytes = 2 ** 20;
const blobsAtOnce = 8;

/**
 * Checks the whole folder first, then copies blobs, then loads rows in one transaction: what fails leaves no half
 * installation behind, only blobs that nothing names.
 * Refuses: backup_incomplete, backup_damaged, restore_not_empty, master_key_wrong, migration_unknown, migration_changed.
 */
export async function restore(parts: RestoreParts): Promise<RestoreReport> {
  const { folder, database } = parts;
  const { manifest, seal } = await readManifest(folder);
  await checkMigrations(manifest);
  const keys = await checkFiles(parts, manifest);
  await checkEmpty(database.sql);
  const blobs = await parts.openBlobs(keys);
  for await (const _ of blobs.list()) throw refusals.restore_not_empty({ what: 'The blob store' });
  await copyBlobs(parts, manifest, keys, blobs);
  await migrate(database, { clock: parts.clock, only: manifest.migrations.map(({ name }) => name) });
  const outbox = createOutbox(parts);
  const pendingEvents = await database.transaction(async (sql) => {
    await sql`set local statement_timeout = 0`;
    await settleText(sql);
    await loadRows(parts, sql, manifest);
    // The manifest's hash was sealed under a data key of the backup, so this proves that its maker had the master key.
    await checkSeal(parts, manifest, seal, sql);
    return outbox.triggerPending(sql);
  });
  await migrate(database, { clock: parts.clock });
  const audit = await createAudit(parts).verify(database.sql, manifest.auditHead.index > 0 ? [manifest.auditHead] : []);
  if (!audit.whole) throw refusals.backup_damaged({ file: rowsPath(folder, 'audit') });
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  return { manifest, rows, blobs: manifest.blobs.count, pendingEvents, audit };
}

/** The backup's migrations must be ours, from the first on: then the rest can be applied on top. */
async function checkMigrations(manifest: BackupManifest): Promise<void> {
  const ours = new Map((await listMigrations()).map(({ name, sha256 }) => [name, sha256]));
  for (const { name, sha256 } of manifest.migrations) {
    if (!ours.has(name)) throw refusals.migration_unknown({ name });
    if (ours.get(name) !== sha256) throw refusals.migration_changed({ name });
  }
}

async function checkFiles(parts: RestoreParts, manifest: BackupManifest): Promise<DataKeys> {
  const { folder } = parts;
  for (const [done, { name, sha256 }] of manifest.tables.entries()) {
    await checkFile(rowsPath(folder, name), sha256);
    parts.onProgress?.({ phase: 'check', done: done + 1, total: manifest.tables.length });
  }
  await checkFile(blobListPath(folder), manifest.blobs.sha256);
  const lines = (await readFile(rowsPath(folder, 'data_keys'), 'utf8')).split('\n').filter(Boolean);
  const rows = lines.map((line): WrappedRow => {
    const row = JSON.parse(line) as { data_key_id: string; master_key_id: string; wrapped_key: string };
    const wrappedKey = Buffer.from(row.wrapped_key.slice(2), 'hex');
    return { dataKeyId: row.data_key_id, masterKeyId: row.master_key_id, wrappedKey };
  });
  return openDataKeys(parts.masterKeys, rows);
}

async function checkEmpty(sql: Sql): Promise<void> {
  for (const name of await listTables(sql)) {
    if (!['audit', 'data_keys', 'outbox'].includes(name)) continue;
    const rows = await sql(asTemplate(`select 1 from ${pg.escapeIdentifier(name)} limit 1`));
    if (rows.length > 0) throw refusals.restore_not_empty({ what: 'The database' });
  }
}

async function copyBlobs(parts: RestoreParts, manifest: BackupManifest, keys: DataKeys, to: BlobStore): Promise<void> {
  const from = await openFileBlobs({ folder: blobsFolder(parts.folder), keys, ids: parts.ids });
  const lines = readLines(blobListPath(parts.folder), manifest.blobs.sha256)[Symbol.asyncIterator]();
  let done = 0;
  await forEachAtOnce(lines, blobsAtOnce, async (line) => {
    const expected = JSON.parse(line) as BlobLine;
    const copied = await copyOne(from, to, expected.blobId);
    if (copied?.sha256 !== expected.sha256) throw refusals.backup_damaged({ file: `blob ${expected.blobId}` });
    done += 1;
    parts.onProgress?.({ phase: 'blobs', done, total: manifest.blobs.count });
  });
}

/** Shape: undefined where the backup's copy is missing or does not verify. */
async function copyOne(from: BlobStore, to: BlobStore, blobId: string): Promise<SealedBlob | undefined> {
  try {
    await using reader = await from.open(blobId);
    return await to.put(reader.stream(), { blobId });
  } catch (fault) {
    if (fault instanceof BlobFault) return undefined;
    throw fault;
  }
}

/**
 * Loads rows as they were, without the triggers that guard or derive them and without an order that references would
 * ask for: the foreign keys are taken off first and put back, checked, at the end.
 */
async function loadRows(parts: RestoreParts, sql: Sql, manifest: BackupManifest): Promise<void> {
  const run = (text: string): Promise<unknown> => sql(asTemplate(text));
  const references = await sql<{ table: string; name: string; definition: string }>`
    select conrelid::regclass::text as table, conname as name, pg_get_constraintdef(oid) as definition
    from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace and conparentid = 0`;
  for (const { table, name } of references)
    await run(`alter table ${table} drop constraint ${pg.escapeIdentifier(name)}`);
  const tables = await listTables(sql);
  for (const name of tables) await run(`alter table ${pg.escapeIdentifier(name)} disable trigger user`);
  for (const name of tables) await run(`truncate ${pg.escapeIdentifier(name)}`);
  for (const [done, { name, rows, sha256 }] of manifest.tables.entries()) {
    await loadTable(sql, name, readLines(rowsPath(parts.folder, name), sha256));
    const [counted] = await sql<{ count: number }>(asTemplate(`select count(*) from ${pg.escapeIdentifier(name)}`));
    if (counted!.count !== rows) throw refusals.backup_damaged({ file: rowsPath(parts.folder, name) });
    parts.onProgress?.({ phase: 'rows', done: done + 1, total: manifest.tables.length });
  }
  for (const { name, lastValue, isCalled } of manifest.sequences) {
    await sql`select setval(${`public.${pg.escapeIdentifier(name)}`}::regclass, ${lastValue}::bigint, ${isCalled})`;
  }
  for (const { table, name, definition } of references) {
    await run(`alter table ${table} add constraint ${pg.escapeIdentifier(name)} ${definition}`);
  }
  for (const name of tables) await run(`alter table ${pg.escapeIdentifier(name)} enable trigger user`);
}

async function loadTable(sql: Sql, table: string, lines: AsyncIterable<string>): Promise<void> {
  const columns = await listColumns(sql, table);
  const names = columns.map(({ name }) => pg.escapeIdentifier(name)).join(', ');
  const texts = columns.map(({ name }) => `${pg.escapeIdentifier(name)} text`).join(', ');
  const values = columns.map(({ name, type }) => `${pg.escapeIdentifier(name)}::${type}`).join(', ');
  const insert = `insert into ${pg.escapeIdentifier(table)} (${names}) overriding system value
    select ${values} from json_to_recordset(`;
  const end = `::json) as line(${texts})`;
  let batch: string[] = [];
  let size = 0;
  const send = async (): Promise<void> => {
    if (batch.length > 0) await sql(Object.assign([insert, end], { raw: [insert, end] }), `[${batch.join(',')}]`);
    batch = [];
    size = 0;
  };
  for await (const line of lines) {
    batch.push(line);
    size += line.length;
    if (size > batchBytes) await send();
  }
  await send();
}

async function checkSeal(parts: RestoreParts, manifest: BackupManifest, seal: string, sql: Sql): Promise<void> {
  // The vault reads data keys through the transaction that loads them.
  const database: Database = { ...parts.database, sql, transaction: (work) => work(sql) };
  const vault = await openVault({ ...parts, database });
  const hash = await vault.decryptSecret(sealName, Buffer.from(seal, 'base64')).catch(() => undefined);
  if (hash?.toString() !== hashManifest(manifest)) throw refusals.backup_damaged({ file: 'manifest.json' });
}

const asTemplate = (text: string): TemplateStringsArray => Object.assign([text], { raw: [text] });
