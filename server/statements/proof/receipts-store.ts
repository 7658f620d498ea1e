// Rows of receipts. SQL only; nothing here changes or deletes one.
import type { Sql } from '../../kernel/sql.ts';
import type { ByteRange, Receipt } from './receipts.ts';

export interface NewReceipt {
  readonly id: string;
  readonly clientId: string;
  readonly statementId: string | null;
  readonly form: string;
  readonly path: string;
  readonly sha256: string | null;
  readonly sizeBytes: number;
  readonly actor: string;
  readonly face: string;
  readonly address: string | null;
  readonly through: string | null;
  readonly keyFingerprint: string | null;
  readonly openedAtMs: number;
  readonly closedAtMs: number;
  readonly sentBytes: number;
  readonly ranges: readonly ByteRange[];
  readonly isWhole: boolean;
  readonly isCut: boolean;
}

/** One statement for the whole batch. */
export async function insertReceipts(sql: Sql, rows: readonly NewReceipt[]): Promise<void> {
  await sql`insert into receipts (id, client_id, statement_id, form, path, sha256, size_bytes, actor, face, address, through,
      key_fingerprint, opened_at_ms, closed_at_ms, sent_bytes, ranges, is_whole, is_cut)
    select * from jsonb_to_recordset(${JSON.stringify(rows.map(asRecord))}::jsonb) as new (id text, client_id text,
      statement_id text, form text, path text, sha256 text, size_bytes bigint, actor text, face text, address text,
      through text, key_fingerprint text, opened_at_ms bigint, closed_at_ms bigint, sent_bytes bigint, ranges jsonb,
      is_whole boolean, is_cut boolean)`;
}

const asRecord = (row: NewReceipt) => ({
  id: row.id,
  client_id: row.clientId,
  statement_id: row.statementId,
  form: row.form,
  path: row.path,
  sha256: row.sha256,
  size_bytes: row.sizeBytes,
  actor: row.actor,
  face: row.face,
  address: row.address,
  through: row.through,
  key_fingerprint: row.keyFingerprint,
  opened_at_ms: row.openedAtMs,
  closed_at_ms: row.closedAtMs,
  sent_bytes: row.sentBytes,
  ranges: row.ranges,
  is_whole: row.isWhole,
  is_cut: row.isCut,
});

interface ReceiptRow extends Omit<Receipt, 'statementId' | 'sha256' | 'address' | 'through' | 'keyFingerprint'> {
  readonly statementId: string | null;
  readonly sha256: string | null;
  readonly address: string | null;
  readonly through: string | null;
  readonly keyFingerprint: string | null;
}

const asReceipt = (row: ReceiptRow): Receipt => ({
  ...row,
  statementId: row.statementId ?? undefined,
  sha256: row.sha256 ?? undefined,
  address: row.address ?? undefined,
  through: row.through ?? undefined,
  keyFingerprint: row.keyFingerprint ?? undefined,
});

export async function listReceiptsOfStatement(sql: Sql, statementId: string, limit: number): Promise<Receipt[]> {
  const rows = await sql<ReceiptRow>`select id as "receiptId", statement_id as "statementId", form, path, sha256,
    size_bytes as "sizeBytes", actor, face, address, through, key_fingerprint as "keyFingerprint",
    opened_at_ms as "openedAtMs", closed_at_ms as "closedAtMs", sent_bytes as "sentBytes", ranges,
    is_whole as "isWhole", is_cut as "isCut"
    from receipts where statement_id = ${statementId} order by id limit ${limit}`;
  return rows.map(asReceipt);
}

export async function listReceipts(
  sql: Sql,
  asked: { clientId: string; beforeId: string | undefined; limit: number },
): Promise<Receipt[]> {
  const rows = await sql<ReceiptRow>`select id as "receiptId", statement_id as "statementId", form, path, sha256,
    size_bytes as "sizeBytes", actor, face, address, through, key_fingerprint as "keyFingerprint",
    opened_at_ms as "openedAtMs", closed_at_ms as "closedAtMs", sent_bytes as "sentBytes", ranges,
    is_whole as "isWhole", is_cut as "isCut"
    from receipts where client_id = ${asked.clientId}
      and (${asked.beforeId ?? null}::text is null or id < ${asked.beforeId ?? null})
    order by id desc limit ${asked.limit}`;
  return rows.map(asReceipt);
}
