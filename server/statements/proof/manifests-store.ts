// Rows of manifests, and what is not listed in one yet. SQL only.
import type { Sql } from '../../kernel/sql.ts';

export interface ManifestRow {
  readonly clientId: string;
  readonly number: number;
  readonly day: string;
  readonly sha256: string;
  readonly isFinal: boolean;
  readonly madeAtMs: number;
}

/** Clients with something to list, or with a list to close because its day is over. Each source gives a page at most. */
export async function listClientsToList(
  sql: Sql,
  asked: { today: string; afterClientId: string; limit: number },
): Promise<string[]> {
  const { today, afterClientId, limit } = asked;
  const rows = await sql<{ clientId: string }>`select client_id as "clientId" from (
      (select distinct client_id from entries where statement_id is not null and listed_in is null
        and client_id > ${afterClientId} order by client_id limit ${limit})
      union (select distinct client_id from deletions where what = 'file' and statement_id is not null and listed_in is null
        and client_id > ${afterClientId} order by client_id limit ${limit})
      union (select distinct client_id from manifests where not is_final and day < ${today}
        and client_id > ${afterClientId} order by client_id limit ${limit})) due
    order by client_id limit ${limit}`;
  return rows.map((row) => row.clientId);
}

export async function findLast(sql: Sql, clientId: string): Promise<ManifestRow | undefined> {
  const [row] = await sql<ManifestRow>`select client_id as "clientId", number, day, sha256, is_final as "isFinal",
    made_at_ms as "madeAtMs" from manifests where client_id = ${clientId} order by number desc limit 1`;
  return row;
}

export async function findByNumber(sql: Sql, clientId: string, number: number): Promise<ManifestRow | undefined> {
  const [row] = await sql<ManifestRow>`select client_id as "clientId", number, day, sha256, is_final as "isFinal",
    made_at_ms as "madeAtMs" from manifests where client_id = ${clientId} and number = ${number}`;
  return row;
}

export async function listManifests(
  sql: Sql,
  asked: { clientId: string; beforeNumber: number | undefined; limit: number },
): Promise<ManifestRow[]> {
  return sql<ManifestRow>`select client_id as "clientId", number, day, sha256, is_final as "isFinal",
    made_at_ms as "madeAtMs" from manifests
    where client_id = ${asked.clientId} and number < ${asked.beforeNumber ?? 2 ** 31 - 1}
    order by number desc limit ${asked.limit}`;
}

export interface ListedFile {
  readonly id: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly statementId: string;
  readonly placedAtMs: number;
}

/** What the list of that number holds already, and what is not listed yet and was placed before that instant. */
export async function listFiles(sql: Sql, clientId: string, number: number, beforeMs: number): Promise<ListedFile[]> {
  return sql<ListedFile>`select id, path, size_bytes as "sizeBytes", sha256, statement_id as "statementId",
    placed_at_ms as "placedAtMs" from entries
    where client_id = ${clientId} and statement_id is not null
      and (listed_in = ${number} or (listed_in is null and placed_at_ms < ${beforeMs})) order by path`;
}

export interface ListedDeletion {
  readonly number: number;
  readonly path: string;
  readonly sha256: string;
  readonly why: 'retention' | 'withdrawn';
  readonly deletedAtMs: number;
}

export async function listGone(
  sql: Sql,
  clientId: string,
  number: number,
  beforeMs: number,
): Promise<ListedDeletion[]> {
  return sql<ListedDeletion>`select number, path, sha256, why, deleted_at_ms as "deletedAtMs" from deletions
    where client_id = ${clientId} and what = 'file' and statement_id is not null
      and (listed_in = ${number} or (listed_in is null and deleted_at_ms < ${beforeMs})) order by number`;
}

export async function updateListed(
  sql: Sql,
  number: number,
  rows: { entryIds: readonly string[]; deletionNumbers: readonly number[] },
): Promise<void> {
  await sql`update entries set listed_in = ${number} where id = any(${rows.entryIds}::text[]) and listed_in is null`;
  await sql`update deletions set listed_in = ${number}
    where number = any(${rows.deletionNumbers}::bigint[]) and listed_in is null`;
}

export async function saveManifest(sql: Sql, row: ManifestRow): Promise<void> {
  await sql`insert into manifests (client_id, number, day, sha256, is_final, made_at_ms)
    values (${row.clientId}, ${row.number}, ${row.day}, ${row.sha256}, ${row.isFinal}, ${row.madeAtMs})
    on conflict (client_id, number) do update set sha256 = ${row.sha256}, is_final = ${row.isFinal},
      made_at_ms = ${row.madeAtMs}`;
}

export async function listClientsWithManifests(sql: Sql, afterClientId: string, limit: number): Promise<string[]> {
  const rows = await sql<{ clientId: string }>`select distinct client_id as "clientId" from manifests
    where client_id > ${afterClientId} order by client_id limit ${limit}`;
  return rows.map((row) => row.clientId);
}

/** What the client's tree holds of statements, as its rows have it. */
export async function listHeld(
  sql: Sql,
  clientId: string,
): Promise<{ path: string; sizeBytes: number; sha256: string }[]> {
  return sql<{
    path: string;
    sizeBytes: number;
    sha256: string;
  }>`select path, size_bytes as "sizeBytes", sha256 from entries
    where client_id = ${clientId} and statement_id is not null`;
}
