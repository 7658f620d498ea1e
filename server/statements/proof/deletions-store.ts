// Rows of the deletion log and its seals. SQL only; nothing here changes a hashed field.
import type { Sql } from '../../kernel/sql.ts';
import type { Deletion } from './deletions.ts';

/** Lets one transaction at a time append, until it ends. */
export async function lockLog(sql: Sql): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('statements.deletions'))`;
}

export async function findHead(sql: Sql): Promise<{ number: number; hash: string } | undefined> {
  const [row] = await sql<{
    number: number;
    hash: string;
  }>`select number, hash from deletions order by number desc limit 1`;
  return row;
}

export async function insertDeletions(sql: Sql, rows: readonly Deletion[]): Promise<void> {
  const records = rows.map((row) => ({
    number: row.number,
    client_id: row.clientId,
    what: row.what,
    why: row.why,
    path: row.path,
    sha256: row.sha256,
    size_bytes: row.sizeBytes,
    statement_id: row.statementId,
    placed_at_ms: row.placedAtMs,
    deleted_at_ms: row.deletedAtMs,
    hash: row.hash,
  }));
  await sql`insert into deletions (number, client_id, what, why, path, sha256, size_bytes, statement_id, placed_at_ms,
      deleted_at_ms, hash)
    select * from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as new (number bigint, client_id text, what text,
      why text, path text, sha256 text, size_bytes bigint, statement_id text, placed_at_ms bigint,
      deleted_at_ms bigint, hash text)`;
}

export async function insertSeal(
  sql: Sql,
  seal: { number: number; hash: string; signature: Uint8Array; keyFingerprint: string; sealedAtMs: number },
): Promise<void> {
  await sql`insert into deletion_seals (number, hash, signature, key_fingerprint, sealed_at_ms)
    values (${seal.number}, ${seal.hash}, ${seal.signature}, ${seal.keyFingerprint}, ${seal.sealedAtMs})
    on conflict (number) do nothing`;
}

export async function listDeletions(
  sql: Sql,
  asked: { clientId: string | undefined; before: number | undefined; limit: number },
): Promise<Deletion[]> {
  return sql<Deletion>`select number, client_id as "clientId", what, why, path, sha256, size_bytes as "sizeBytes",
    statement_id as "statementId", placed_at_ms as "placedAtMs", deleted_at_ms as "deletedAtMs", hash
    from deletions where (${asked.clientId ?? null}::text is null or client_id = ${asked.clientId ?? null})
      and number < ${asked.before ?? Number.MAX_SAFE_INTEGER}
    order by number desc limit ${asked.limit}`;
}

export async function listFrom(sql: Sql, afterNumber: number, limit: number): Promise<Deletion[]> {
  return sql<Deletion>`select number, client_id as "clientId", what, why, path, sha256, size_bytes as "sizeBytes",
    statement_id as "statementId", placed_at_ms as "placedAtMs", deleted_at_ms as "deletedAtMs", hash
    from deletions where number > ${afterNumber} order by number limit ${limit}`;
}
