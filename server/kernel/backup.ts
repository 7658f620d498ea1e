// Makes a backup while the installation runs: all rows as of one moment, and every blob that they name.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Audit } from './audit.ts';
import {
  type BackupManifest,
  type BlobLine,
  blobListPath,
  blobsFolder,
  forEachAtOnce,
  hashManifest,
  listBlobColumns,
  listColumns,
  listTables,
  manifestPath,
  openLines,
  rowsPath,
  sealName,
  settleText,
} from './backup-format.ts';
import { BlobFault, type BlobStore, type DataKeys } from './blobs.ts';
import type { Clock } from './clock.ts';
import { openFileBlobs } from './file-blobs.ts';
import type { Ids } from './ids.ts';
import { withLease } from './lease.ts';
import { refusals } from './rules.ts';
import type { Database, Sql } from './sql.ts';
import type { Vault } from './vault.ts';

/** Held while a backup copies blobs. Whoever removes blobs that rows no longer name does so under this lease. */
export const blobRemovalLease = 'blob removal';

export interface BackupProgress {
  readonly phase: 'rows' | 'blobs';
  readonly done: number;
  readonly total: number;
}

interface BackupParts {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly vault: Vault;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Made by this call, or empty. */
  readonly folder: string;
  readonly onProgress?: (progress: BackupProgress) => void;
}

const rowsAtOnce = 1000;
const blobsAtOnce = 8;

/**
 * Writes a backup that can be restored into any empty installation of this release or a newer one. A folder without a
 * manifest is a backup that was not finished.
 * Refuses: backup_folder_not_empty, backup_already_running.
 */
export async function backup(parts: BackupParts): Promise<BackupManifest> {
  const { folder, database } = parts;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0) throw refusals.backup_folder_not_empty({ folder });
  const manifest = await withLease(database, blobRemovalLease, async () => {
    await mkdir(join(folder, 'rows'), { mode: 0o700 });
    await parts.audit.seal(database);
    const { blobIds, dataKeyId, ...rows } = await inSnapshot(database, (sql, each) => copyRows(parts, sql, each));
    const blobs = await copyBlobs(parts, blobIds, dataKeyId);
    const made: BackupManifest = { format: 1, createdAtMs: parts.clock.nowMs(), ...rows, ...blobs };
    const seal = await parts.vault.encryptSecret(sealName, Buffer.from(hashManifest(made)), dataKeyId);
    const text = JSON.stringify({ manifest: made, seal: seal.toString('base64') }, undefined, 2);
    await writeFile(manifestPath(folder), `${text}\n`, { mode: 0o600, flush: true });
    return made;
  });
  if (!manifest) throw refusals.backup_already_running();
  return manifest;
}

type EachRow = (query: string, take: (line: string) => Promise<void> | void) => Promise<void>;

/** One read-only REPEATABLE READ transaction: every table as of the same moment, while others go on writing. */
async function inSnapshot<Result>(
  database: Database,
  work: (sql: Sql, each: EachRow) => Promise<Result>,
): Promise<Result> {
  return database.transaction(async (sql) => {
    await sql`set transaction isolation level repeatable read, read only`;
    await sql`set local statement_timeout = 0`;
    await sql`set local idle_in_transaction_session_timeout = 0`;
    await settleText(sql);
    const each: EachRow = async (query, take) => {
      const text = `declare lines no scroll cursor for ${query}`;
      await sql(Object.assign([text], { raw: [text] }));
      for (;;) {
        const rows = await sql<{ line: string }>`fetch 1000 from lines`;
        for (const { line } of rows) await take(line);
        if (rows.length < rowsAtOnce) break;
      }
      await sql`close lines`;
    };
    return work(sql, each);
  });
}

async function copyRows(parts: BackupParts, sql: Sql, each: EachRow) {
  const tables: { name: string; rows: number; sha256: string }[] = [];
  const names = await listTables(sql);
  for (const name of names) {
    await using lines = await openLines(rowsPath(parts.folder, name));
    let rows = 0;
    const columns = (await listColumns(sql, name)).map((column) => pg.escapeIdentifier(column.name));
    const texts = columns.map((column) => `${column}::text`).join(', ');
    await each(
      `select row_to_json(t)::text as line from (select ${texts} from ${pg.escapeIdentifier(name)}) t`,
      (line) => {
        rows += 1;
        return lines.write(line);
      },
    );
    tables.push({ name, rows, sha256: await lines.finish() });
    parts.onProgress?.({ phase: 'rows', done: tables.length, total: names.length });
  }
  const blobIds = new Set<string>();
  for (const { table, column } of await listBlobColumns(sql)) {
    const name = pg.escapeIdentifier(column);
    const query = `select distinct ${name} as line from ${pg.escapeIdentifier(table)} where ${name} is not null`;
    await each(query, (line) => void blobIds.add(line));
  }
  const keys = await sql<{ id: string }>`select distinct master_key_id as id from data_keys order by 1`;
  const [newest] = await sql<{ id: string }>`select max(data_key_id) as id from data_keys`;
  return {
    masterKeyIds: keys.map(({ id }) => id),
    migrations: await sql<{ name: string; sha256: string }>`select name, sha256 from migrations order by name`,
    tables,
    sequences: await listSequences(sql),
    auditHead: await parts.audit.findHead(sql),
    blobIds,
    // What the backup encrypts must open with the keys that it holds, even if a new one is made meanwhile.
    dataKeyId: newest?.id ?? '',
  };
}

/** Sequences are read after the rows: they are outside transactions, and may be ahead of the snapshot but never behind it. */
async function listSequences(sql: Sql) {
  const names = await sql<{ name: string }>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S' order by relname`;
  const sequences: { name: string; lastValue: string; isCalled: boolean }[] = [];
  for (const { name } of names) {
    const text = `select last_value::text as "lastValue", is_called as "isCalled" from ${pg.escapeIdentifier(name)}`;
    const [row] = await sql<{ lastValue: string; isCalled: boolean }>(Object.assign([text], { raw: [text] }));
    sequences.push({ name, ...row! });
  }
  return sequences;
}

/** Copies every blob through a verified read into a store of its own under the same keys. */
async function copyBlobs(parts: BackupParts, blobIds: ReadonlySet<string>, dataKeyId: string) {
  const keys: DataKeys = { current: () => parts.vault.getDataKey(dataKeyId), find: (id) => parts.vault.find(id) };
  const copies = await openFileBlobs({ folder: blobsFolder(parts.folder), keys, ids: parts.ids });
  await using lines = await openLines(blobListPath(parts.folder));
  const absent: { blobId: string; why: 'staged' | 'expired' }[] = [];
  let count = 0;
  let sizeBytes = 0;

  await forEachAtOnce(blobIds.values(), blobsAtOnce, async (blobId) => {
    const found = await copyOne(parts.blobs, copies, blobId);
    if (!found) absent.push({ blobId, why: await explainAbsence(parts, blobId) });
    else {
      await lines.write(JSON.stringify(found));
      count += 1;
      sizeBytes += found.sizeBytes;
    }
    parts.onProgress?.({ phase: 'blobs', done: count + absent.length, total: blobIds.size });
  });
  return { absent, blobs: { count, sizeBytes, sha256: await lines.finish() } };
}

async function copyOne(from: BlobStore, to: BlobStore, blobId: string): Promise<BlobLine | undefined> {
  try {
    await using reader = await from.open(blobId);
    const copied = await to.put(reader.stream(), { blobId });
    if (copied.sha256 !== reader.sha256) throw new BlobFault(blobId, 'damaged', 'the copy has another hash');
    return copied;
  } catch (fault) {
    if (fault instanceof BlobFault && fault.sort === 'missing') return undefined;
    throw fault;
  }
}

/** A blob that is not there is a fault, unless it is still being written or no row names it any more. */
async function explainAbsence(parts: BackupParts, blobId: string): Promise<'staged' | 'expired'> {
  for (const { table, column } of await listBlobColumns(parts.database.sql)) {
    const [before, after] = [
      `select 1 from ${pg.escapeIdentifier(table)} where ${pg.escapeIdentifier(column)} = `,
      ' limit 1',
    ];
    const rows = await parts.database.sql(Object.assign([before, after], { raw: [before, after] }), blobId);
    if (rows.length === 0) continue;
    for await (const listed of parts.blobs.list()) if (listed.blobId === blobId && listed.staged) return 'staged';
    throw new BlobFault(blobId, 'missing', `a row of ${table} names it`);
  }
  return 'expired';
}
