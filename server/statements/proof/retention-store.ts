// Rows that are due, and the clock that retention believes. SQL only.
import type { Sql } from '../../kernel/sql.ts';

export interface DueFile {
  readonly id: string;
  readonly clientId: string;
  readonly path: string;
  readonly origin: 'broker' | 'client';
  readonly blobId: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly placedAtMs: number;
  readonly statementId: string | null;
}

export async function listDueFiles(sql: Sql, dueMs: number, limit: number): Promise<DueFile[]> {
  return sql<DueFile>`select id, client_id as "clientId", path, origin, blob_id as "blobId", sha256,
    size_bytes as "sizeBytes", placed_at_ms as "placedAtMs", statement_id as "statementId"
    from entries where kind = 'file' and placed_at_ms <= ${dueMs} order by placed_at_ms, id limit ${limit}`;
}

export async function countDue(
  sql: Sql,
  at: { dueMs: number; nowMs: number; partialDueMs: number },
): Promise<{ files: number; fileBytes: number; portalCopies: number; partialUploads: number }> {
  const [row] = await sql<{ files: number; fileBytes: number; portalCopies: number; partialUploads: number }>`select
    (select count(*) from entries where kind = 'file' and placed_at_ms <= ${at.dueMs})::integer as files,
    (select coalesce(sum(size_bytes), 0) from entries where kind = 'file' and placed_at_ms <= ${at.dueMs})::bigint as "fileBytes",
    (select count(*) from statements where blob_id is not null and expires_at_ms <= ${at.nowMs})::integer as "portalCopies",
    (select count(*) from uploads where touched_at_ms <= ${at.partialDueMs})::integer as "partialUploads"`;
  return row!;
}

/** Locks the trees in one order, so that two who lock several never wait for each other. */
export async function lockRepositories(sql: Sql, clientIds: readonly string[]): Promise<void> {
  await sql`select 1 from repositories where client_id = any(${clientIds}::text[]) order by client_id for update`;
}

/** Deletes those that are still due: a file may have been overwritten since it was listed. */
export async function deleteDueFiles(sql: Sql, entryIds: readonly string[], dueMs: number): Promise<DueFile[]> {
  return sql<DueFile>`delete from entries where id = any(${entryIds}::text[]) and placed_at_ms <= ${dueMs}
    returning id, client_id as "clientId", path, origin, blob_id as "blobId", sha256, size_bytes as "sizeBytes",
      placed_at_ms as "placedAtMs", statement_id as "statementId"`;
}

export interface DueCopy {
  readonly id: string;
  readonly clientId: string;
  readonly name: string;
  readonly blobId: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly issuedAtMs: number;
}

/** Takes the portal's copies that are due; the statement's row stays as the record. */
export async function takeDueCopies(sql: Sql, nowMs: number, limit: number): Promise<DueCopy[]> {
  return sql<DueCopy>`with due as (select id, client_id, name, blob_id, sha256, size_bytes, issued_at_ms from statements
      where blob_id is not null and expires_at_ms <= ${nowMs} order by expires_at_ms limit ${limit} for update),
    gone as (update statements set blob_id = null, expired_at_ms = ${nowMs} where id = any(array(select id from due)))
    select id, client_id as "clientId", name, blob_id as "blobId", sha256, size_bytes as "sizeBytes",
      issued_at_ms as "issuedAtMs" from due`;
}

export interface RetentionClock {
  readonly seenAtMs: number;
  readonly heldSinceMs: number | null;
}

export async function findClock(sql: Sql): Promise<RetentionClock | undefined> {
  const [row] =
    await sql<RetentionClock>`select seen_at_ms as "seenAtMs", held_since_ms as "heldSinceMs" from retention_clock`;
  return row;
}

/** Moves the clock forward only: a wall clock set back must not make a later true time look like a jump. */
export async function updateClock(sql: Sql, nowMs: number, confirmedBy: string | null): Promise<void> {
  await sql`insert into retention_clock (seen_at_ms, confirmed_by) values (${nowMs}, ${confirmedBy})
    on conflict (single) do update set seen_at_ms = greatest(retention_clock.seen_at_ms, ${nowMs}), held_since_ms = null,
      confirmed_by = coalesce(${confirmedBy}, retention_clock.confirmed_by)`;
}

/** Shape: true when it was not held before. */
export async function holdClock(sql: Sql, nowMs: number): Promise<boolean> {
  const rows =
    await sql`update retention_clock set held_since_ms = ${nowMs} where held_since_ms is null returning single`;
  return rows.length === 1;
}

export async function findBlobsInUse(sql: Sql, blobIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ blobId: string }>`select blobs_in_use as "blobId" from blobs_in_use(${blobIds}::text[])`;
  return rows.map((row) => row.blobId);
}
