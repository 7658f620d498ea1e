// What a backup folder holds: rows as JSON lines, blobs as a store of its own, and a manifest written last.
//
//   manifest.json        what the rest is, with a SHA-256 of every file, and the hash of itself sealed by the vault
//   rows/<table>.jsonl   one row a line: an object of column and the text that PostgreSQL writes for its value
//   blobs.jsonl          id, size and SHA-256 of every blob
//   blobs/               the blobs, encrypted as they are in the installation
//
// The master key is not in it. Whoever has the folder alone reads the rows, as with any database dump, but no blob and
// no secret; whoever restores it must have the master key, and with it sees whether the folder was altered.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AuditHead } from './audit.ts';
import { canonicalJson, type JsonValue } from './json.ts';
import { refusals } from './rules.ts';
import type { Sql } from './sql.ts';

export interface BackupManifest {
  readonly format: 1;
  readonly createdAtMs: number;
  readonly masterKeyIds: readonly string[];
  readonly migrations: readonly { readonly name: string; readonly sha256: string }[];
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly sha256: string }[];
  readonly sequences: readonly { readonly name: string; readonly lastValue: string; readonly isCalled: boolean }[];
  readonly blobs: { readonly count: number; readonly sizeBytes: number; readonly sha256: string };
  /** Blobs that rows name and the backup does not hold: uploads that were not finished, and what retention took meanwhile. */
  readonly absent: readonly { readonly blobId: string; readonly why: 'staged' | 'expired' }[];
  readonly auditHead: AuditHead;
}

/** The manifest with its own hash, sealed: only who holds the master key can make one. */
export interface SealedManifest {
  readonly manifest: BackupManifest;
  readonly seal: string;
}

export interface BlobLine {
  readonly blobId: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** The name under which the vault seals a manifest's hash. */
export const sealName = 'backup manifest';

export const manifestPath = (folder: string): string => join(folder, 'manifest.json');
export const rowsPath = (folder: string, table: string): string => join(folder, 'rows', `${table}.jsonl`);
export const blobListPath = (folder: string): string => join(folder, 'blobs.jsonl');
export const blobsFolder = (folder: string): string => join(folder, 'blobs');

export const hashManifest = (manifest: BackupManifest): string =>
  createHash('sha256')
    .update(canonicalJson(manifest as unknown as JsonValue))
    .digest('hex');

/** Refuses: backup_incomplete, where no manifest was written or it is not one of ours. */
export async function readManifest(folder: string): Promise<SealedManifest> {
  const text = await readFile(manifestPath(folder), 'utf8').catch(() => {
    throw refusals.backup_incomplete({ folder });
  });
  try {
    const sealed = JSON.parse(text) as SealedManifest;
    if (sealed.manifest.format === 1 && sealed.seal) return sealed;
  } catch {
    // Not JSON: it is as good as not there.
  }
  throw refusals.backup_incomplete({ folder });
}

/** Every table with rows of ours, by name. The migrations' own table is made anew by migrating. */
export async function listTables(sql: Sql): Promise<string[]> {
  const rows = await sql<{ name: string }>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'migrations' order by relname`;
  return rows.map(({ name }) => name);
}

export interface Column {
  readonly name: string;
  /** As SQL writes it, with its modifiers. */
  readonly type: string;
}

/** The columns of a table that hold values of their own; generated ones are computed again. */
export const listColumns = (sql: Sql, table: string): Promise<Column[]> =>
  sql<Column>`
    select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
    where attrelid = (select oid from pg_class where relname = ${table} and relnamespace = 'public'::regnamespace)
      and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`;

/**
 * Values are written and read as text, which every type has and which loses nothing: JSON's own numbers would, and its
 * null would not tell a missing value from a JSON null. The text must mean the same on both sides.
 */
export async function settleText(sql: Sql): Promise<void> {
  await sql`set local datestyle = 'ISO'`;
  await sql`set local timezone = 'UTC'`;
  await sql`set local intervalstyle = 'iso_8601'`;
  await sql`set local bytea_output = 'hex'`;
  await sql`set local extra_float_digits = 1`;
}

/** Columns that name a blob: text, and called `blob_id` or something that ends in it. */
export const listBlobColumns = (sql: Sql): Promise<{ table: string; column: string }[]> =>
  sql<{ table: string; column: string }>`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = 'public' and data_type = 'text' and column_name ~ '(^|_)blob_id$'
    order by table_name, column_name`;

/** Writes lines to a new file and hashes them on the way; `await using` closes it. */
export async function openLines(path: string) {
  const handle = await open(path, 'wx', 0o600);
  const digest = createHash('sha256');
  let pending: string[] = [];
  let pendingSize = 0;
  async function flush(): Promise<void> {
    const bytes = Buffer.from(pending.join(''));
    pending = [];
    pendingSize = 0;
    digest.update(bytes);
    await handle.writeFile(bytes);
  }
  return {
    async write(line: string): Promise<void> {
      pending.push(line, '\n');
      pendingSize += line.length;
      if (pendingSize > 2 ** 20) await flush();
    },
    /** Shape: the SHA-256 of the whole file, which is on disk. */
    async finish(): Promise<string> {
      await flush();
      await handle.sync();
      return digest.digest('hex');
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** Reads lines in order. Refuses: backup_damaged when the whole file does not have the hash; ask for all lines to know. */
export async function* readLines(path: string, sha256: string): AsyncIterable<string> {
  const digest = createHash('sha256');
  const source = createReadStream(path);
  source.on('data', (bytes) => digest.update(bytes));
  try {
    for await (const line of createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })) yield line;
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') throw refusals.backup_damaged({ file: path });
    throw fault;
  }
  if (digest.digest('hex') !== sha256) throw refusals.backup_damaged({ file: path });
}

/** Checks a whole file before a line of it is used. Refuses: backup_damaged. */
export async function checkFile(path: string, sha256: string): Promise<void> {
  for await (const _ of readLines(path, sha256));
}

/** Runs the work for each of the items, some at a time. The first fault stops the rest and is thrown when all have ended. */
export async function forEachAtOnce<Item>(
  items: AsyncIterator<Item> | Iterator<Item>,
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const faults: unknown[] = [];
  async function lane(): Promise<void> {
    try {
      while (faults.length === 0) {
        const { value, done } = await items.next();
        if (done) return;
        await work(value);
      }
    } catch (fault) {
      faults.push(fault);
    }
  }
  await Promise.all(Array.from({ length: width }, lane));
  if (faults.length > 0) throw faults[0];
}
