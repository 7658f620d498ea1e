// Rows of the tree and of the quota. SQL only: it decides nothing.
import type { BlobPart } from '../../kernel/blobs.ts';
import type { Sql } from '../../kernel/sql.ts';

export interface EntryRow {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly kind: 'file' | 'folder';
  readonly origin: 'broker' | 'client';
  readonly blobId: string | null;
  readonly blobOffset: number;
  readonly sizeBytes: number;
  readonly sha256: string | null;
  readonly placedAtMs: number;
  readonly modifiedAtMs: number;
  readonly statementId: string | null;
}

export interface NewEntry {
  readonly id: string;
  readonly clientId: string;
  readonly path: string;
  readonly parent: string;
  readonly name: string;
  readonly kind: 'file' | 'folder';
  readonly origin: 'broker' | 'client';
  readonly blobId?: string;
  readonly blobOffset?: number;
  readonly sizeBytes?: number;
  readonly sha256?: string;
  readonly placedAtMs: number;
  readonly modifiedAtMs: number;
  readonly statementId?: string | undefined;
}

export interface RepositoryRow {
  readonly usedBytes: number;
  readonly usedEntries: number;
  readonly madeAtMs: number;
}

/** Makes the repositories that are not there yet. Shape: the clients whose repository this call made. */
export async function insertRepositories(sql: Sql, clientIds: readonly string[], nowMs: number): Promise<string[]> {
  const rows = await sql<{ clientId: string }>`insert into repositories (client_id, made_at_ms)
    select client_id, ${nowMs}::bigint from unnest(${clientIds}::text[]) as new (client_id)
    where not exists (select 1 from repositories r where r.client_id = new.client_id)
    order by client_id on conflict (client_id) do nothing returning client_id as "clientId"`;
  return rows.map((row) => row.clientId);
}

/** Reads the quota row and, inside a transaction, keeps every other change of this tree by its client out until the end. */
export async function lockRepository(sql: Sql, clientId: string): Promise<RepositoryRow | undefined> {
  const [row] =
    await sql<RepositoryRow>`select used_bytes as "usedBytes", used_entries as "usedEntries", made_at_ms as "madeAtMs"
    from repositories where client_id = ${clientId} for update`;
  return row;
}

export async function findRepository(sql: Sql, clientId: string): Promise<RepositoryRow | undefined> {
  const [row] =
    await sql<RepositoryRow>`select used_bytes as "usedBytes", used_entries as "usedEntries", made_at_ms as "madeAtMs"
    from repositories where client_id = ${clientId}`;
  return row;
}

export async function addUse(sql: Sql, clientId: string, bytes: number, entries: number): Promise<void> {
  await sql`update repositories set used_bytes = used_bytes + ${bytes}, used_entries = used_entries + ${entries}
    where client_id = ${clientId}`;
}

export async function findEntry(sql: Sql, clientId: string, path: string): Promise<EntryRow | undefined> {
  const [row] =
    await sql<EntryRow>`select id, path, name, kind, origin, blob_id as "blobId", blob_offset as "blobOffset", size_bytes as "sizeBytes",
    sha256, placed_at_ms as "placedAtMs", modified_at_ms as "modifiedAtMs", statement_id as "statementId"
    from entries where client_id = ${clientId} and path = ${path}`;
  return row;
}

export async function findEntryById(
  sql: Sql,
  entryId: string,
): Promise<(EntryRow & { readonly clientId: string }) | undefined> {
  const [row] = await sql<EntryRow & { clientId: string }>`select id, client_id as "clientId", path, name, kind, origin,
    blob_id as "blobId", blob_offset as "blobOffset", size_bytes as "sizeBytes", sha256, placed_at_ms as "placedAtMs",
    modified_at_ms as "modifiedAtMs", statement_id as "statementId" from entries where id = ${entryId}`;
  return row;
}

/** One page of a folder, by name in byte order. */
export async function listEntries(
  sql: Sql,
  asked: { clientId: string; parent: string; afterName: string; limit: number },
): Promise<EntryRow[]> {
  return sql<EntryRow>`select id, path, name, kind, origin, blob_id as "blobId", blob_offset as "blobOffset", size_bytes as "sizeBytes", sha256,
    placed_at_ms as "placedAtMs", modified_at_ms as "modifiedAtMs", statement_id as "statementId"
    from entries where client_id = ${asked.clientId} and parent = ${asked.parent} and name > ${asked.afterName}
    order by name limit ${asked.limit}`;
}

/** Files that clients uploaded, oldest id first: of one client, or of all. */
export async function listUploaded(
  sql: Sql,
  asked: { clientId: string | undefined; afterId: string; limit: number },
): Promise<(EntryRow & { readonly clientId: string })[]> {
  return sql<EntryRow & { clientId: string }>`select id, client_id as "clientId", path, name, kind, origin,
    blob_id as "blobId", blob_offset as "blobOffset", size_bytes as "sizeBytes", sha256, placed_at_ms as "placedAtMs",
    modified_at_ms as "modifiedAtMs", statement_id as "statementId"
    from entries where origin = 'client' and kind = 'file' and id > ${asked.afterId}
      and (${asked.clientId ?? null}::text is null or client_id = ${asked.clientId ?? null})
    order by id limit ${asked.limit}`;
}

/** Inserts what finds its path free. Shape: the paths that were free, each `clientId path`. */
export async function insertEntries(sql: Sql, entries: readonly NewEntry[]): Promise<Set<string>> {
  const records = entries.map((entry) => ({
    id: entry.id,
    client_id: entry.clientId,
    path: entry.path,
    parent: entry.parent,
    name: entry.name,
    kind: entry.kind,
    origin: entry.origin,
    blob_id: entry.blobId ?? null,
    blob_offset: entry.blobOffset ?? 0,
    size_bytes: entry.sizeBytes ?? 0,
    sha256: entry.sha256 ?? null,
    placed_at_ms: entry.placedAtMs,
    modified_at_ms: entry.modifiedAtMs,
    statement_id: entry.statementId ?? null,
  }));
  const rows = await sql<{
    clientId: string;
    path: string;
  }>`insert into entries (id, client_id, path, parent, name, kind,
      origin, blob_id, blob_offset, size_bytes, sha256, placed_at_ms, modified_at_ms, statement_id)
    select * from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as new (id text, client_id text, path text,
      parent text, name text, kind text, origin text, blob_id text, blob_offset bigint, size_bytes bigint, sha256 text,
      placed_at_ms bigint, modified_at_ms bigint, statement_id text)
    on conflict (client_id, path) do nothing returning client_id as "clientId", path`;
  return new Set(rows.map((row) => `${row.clientId} ${row.path}`));
}

/** Shape: false when the path is taken. */
export const insertEntry = async (sql: Sql, entry: NewEntry): Promise<boolean> =>
  (await insertEntries(sql, [entry])).size === 1;

/** Gives a file new contents, as one row change. */
export async function updateContents(
  sql: Sql,
  entryId: string,
  contents: BlobPart & { placedAtMs: number; modifiedAtMs: number },
): Promise<void> {
  await sql`update entries set blob_id = ${contents.blobId}, blob_offset = ${contents.blobOffset}, size_bytes = ${contents.sizeBytes}, sha256 = ${contents.sha256},
    placed_at_ms = ${contents.placedAtMs}, modified_at_ms = ${contents.modifiedAtMs} where id = ${entryId}`;
}

/** Gives files of the broker new contents. Shape: the blobs that they had. */
export async function replaceOwn(sql: Sql, entries: readonly NewEntry[]): Promise<string[]> {
  const rows = await sql<{
    blobId: string;
  }>`with new as (select * from jsonb_to_recordset(${JSON.stringify(entries)}::jsonb)
      as given ("clientId" text, path text, "blobId" text, "blobOffset" bigint, "sizeBytes" bigint, sha256 text,
        "placedAtMs" bigint, "modifiedAtMs" bigint)),
    old as (select e.id, e.blob_id from entries e join new on e.client_id = new."clientId" and e.path = new.path
      where e.origin = 'broker' and e.kind = 'file' order by e.id for update of e)
    update entries e set blob_id = new."blobId", blob_offset = new."blobOffset", size_bytes = new."sizeBytes",
      sha256 = new.sha256, placed_at_ms = new."placedAtMs", modified_at_ms = new."modifiedAtMs"
    from new, old where e.id = old.id and e.client_id = new."clientId" and e.path = new.path
    returning old.blob_id as "blobId"`;
  return rows.map((row) => row.blobId);
}

export async function updateModified(sql: Sql, entryId: string, modifiedAtMs: number): Promise<void> {
  await sql`update entries set modified_at_ms = ${modifiedAtMs} where id = ${entryId}`;
}

export async function deleteEntry(sql: Sql, entryId: string): Promise<void> {
  await sql`delete from entries where id = ${entryId}`;
}

export interface TakenEntry {
  readonly clientId: string;
  readonly path: string;
  readonly blobId: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly placedAtMs: number;
}

export async function deleteEntriesOfStatement(sql: Sql, statementId: string): Promise<TakenEntry[]> {
  return sql<TakenEntry>`delete from entries where statement_id = ${statementId} returning client_id as "clientId", path,
    blob_id as "blobId", sha256, size_bytes as "sizeBytes", placed_at_ms as "placedAtMs"`;
}

export async function updatePath(
  sql: Sql,
  entryId: string,
  place: { path: string; parent: string; name: string },
): Promise<void> {
  await sql`update entries set path = ${place.path}, parent = ${place.parent}, name = ${place.name} where id = ${entryId}`;
}

/** What lies below a folder: how much, the longest path, and whether the broker put any of it there. */
export async function measureBelow(
  sql: Sql,
  clientId: string,
  folder: string,
): Promise<{ entries: number; longestBytes: number; deepest: number; hasBroker: boolean }> {
  // '0' follows '/' in byte order, so this range is exactly what begins with `folder/`.
  const [row] = await sql<{ entries: number; longestBytes: number; deepest: number; hasBroker: boolean }>`
    select count(*)::integer as entries, coalesce(max(octet_length(path)), 0) as "longestBytes",
      coalesce(max(length(path) - length(replace(path, '/', ''))), 0) as deepest,
      coalesce(bool_or(origin = 'broker'), false) as "hasBroker"
    from entries where client_id = ${clientId} and path > ${`${folder}/`} and path < ${`${folder}0`}`;
  return row!;
}

export async function moveBelow(sql: Sql, clientId: string, from: string, to: string): Promise<void> {
  // Units: characters, as substr counts them; the folder's own row is moved by updatePath.
  const keep = Array.from(from).length + 1;
  await sql`update entries set path = ${to}::text || substr(path, ${keep}::integer),
      parent = ${to}::text || substr(parent, ${keep}::integer)
    where client_id = ${clientId} and path > ${`${from}/`} and path < ${`${from}0`}`;
}

export async function hasChildren(sql: Sql, clientId: string, folder: string): Promise<boolean> {
  const rows = await sql`select 1 from entries where client_id = ${clientId} and parent = ${folder} limit 1`;
  return rows.length > 0;
}

/** True when the code names an account of this client. */
export async function isFeedOfClient(sql: Sql, clientId: string, code: string): Promise<boolean> {
  const rows = await sql`select 1 from feeds join statements using (account_id)
    where feeds.code = ${code} and statements.client_id = ${clientId} limit 1`;
  return rows.length > 0;
}

/** Of these blobs, those that a row of this domain still names. */
export async function findUsedBlobs(sql: Sql, blobIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ blobId: string }>`
    select blob_id as "blobId" from entries where blob_id = any(${blobIds}::text[])
    union select blob_id from statements where blob_id = any(${blobIds}::text[])
    union select blob_id from uploads where blob_id = any(${blobIds}::text[])
    union select blob_id from run_files where blob_id = any(${blobIds}::text[])`;
  return rows.map((row) => row.blobId);
}
