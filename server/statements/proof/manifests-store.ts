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

/** The newest list of each client that has one. */
export async function listLast(sql: Sql, clientIds: readonly string[]): Promise<ManifestRow[]> {
  return sql<ManifestRow>`select m.client_id as "clientId", m.number, m.day, m.sha256, m.is_final as "isFinal",
    m.made_at_ms as "madeAtMs" from unnest(${clientIds}::text[]) as asked (client_id)
    cross join lateral (select * from manifests where client_id = asked.client_id order by number desc limit 1) m`;
}

/** A list that is due. */
export interface Due {
  readonly clientId: string;
  readonly number: number;
  /** What was placed or taken away before this instant belongs in it. Units: ms since the epoch. */
  readonly beforeMs: number;
}

/** One of each that is due, as arrays: a column of a statement each. */
const columnsOf = (due: readonly Due[]) => ({
  clientIds: due.map((one) => one.clientId),
  numbers: due.map((one) => one.number),
  befores: due.map((one) => one.beforeMs),
});

/** The hashes of the lists before those that are due, by client. */
export async function findPrevious(sql: Sql, due: readonly Due[]): Promise<Map<string, ManifestRow>> {
  const { clientIds, numbers } = columnsOf(due);
  const rows = await sql<ManifestRow>`select m.client_id as "clientId", m.number, m.day, m.sha256,
    m.is_final as "isFinal", m.made_at_ms as "madeAtMs"
    from unnest(${clientIds}::text[], ${numbers}::integer[]) as due (client_id, number)
    join manifests m on m.client_id = due.client_id and m.number = due.number - 1`;
  return new Map(rows.map((row) => [row.clientId, row]));
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
  readonly clientId: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly statementId: string;
  readonly placedAtMs: number;
}

/** What each due list holds already, and what is not listed yet and belongs in it; by path. */
export async function listFiles(sql: Sql, due: readonly Due[]): Promise<ListedFile[]> {
  const { clientIds, numbers, befores } = columnsOf(due);
  return sql<ListedFile>`select e.id, e.client_id as "clientId", e.path, e.size_bytes as "sizeBytes", e.sha256,
      e.statement_id as "statementId", e.placed_at_ms as "placedAtMs"
    from unnest(${clientIds}::text[], ${numbers}::integer[], ${befores}::bigint[]) as due (client_id, number, before_ms)
    join entries e on e.client_id = due.client_id and e.statement_id is not null
      and (e.listed_in = due.number or (e.listed_in is null and e.placed_at_ms < due.before_ms))
    order by e.client_id, e.path`;
}

export interface ListedDeletion {
  readonly number: number;
  readonly clientId: string;
  readonly path: string;
  readonly sha256: string;
  readonly why: 'retention' | 'withdrawn';
  readonly deletedAtMs: number;
}

export async function listGone(sql: Sql, due: readonly Due[]): Promise<ListedDeletion[]> {
  const { clientIds, numbers, befores } = columnsOf(due);
  return sql<ListedDeletion>`select d.number, d.client_id as "clientId", d.path, d.sha256, d.why,
      d.deleted_at_ms as "deletedAtMs"
    from unnest(${clientIds}::text[], ${numbers}::integer[], ${befores}::bigint[]) as due (client_id, number, before_ms)
    join deletions d on d.client_id = due.client_id and d.what = 'file' and d.statement_id is not null
      and (d.listed_in = due.number or (d.listed_in is null and d.deleted_at_ms < due.before_ms))
    order by d.number`;
}

/** Says of what is in the lists which list that is. Shape: a client has one list among them. */
export async function updateListed(
  sql: Sql,
  due: readonly Due[],
  rows: { entryIds: readonly string[]; deletionNumbers: readonly number[] },
): Promise<void> {
  const { clientIds, numbers } = columnsOf(due);
  await sql`update entries set listed_in = due.number
    from unnest(${clientIds}::text[], ${numbers}::integer[]) as due (client_id, number)
    where id = any(${rows.entryIds}::text[]) and listed_in is null and entries.client_id = due.client_id`;
  if (rows.deletionNumbers.length === 0) return;
  await sql`update deletions set listed_in = due.number
    from unnest(${clientIds}::text[], ${numbers}::integer[]) as due (client_id, number)
    where deletions.number = any(${rows.deletionNumbers}::bigint[]) and listed_in is null
      and deletions.client_id = due.client_id`;
}

export async function saveManifests(sql: Sql, rows: readonly ManifestRow[]): Promise<void> {
  await sql`insert into manifests (client_id, number, day, sha256, is_final, made_at_ms)
    select "clientId", number, day, sha256, "isFinal", "madeAtMs" from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as new ("clientId" text, number integer, day date, sha256 text, "isFinal" boolean, "madeAtMs" bigint)
    on conflict (client_id, number) do update set sha256 = excluded.sha256, is_final = excluded.is_final,
      made_at_ms = excluded.made_at_ms`;
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
