// Rows of issued statements, their feeds, and the state of their delivery. SQL only.
import type { Sql } from '../../kernel/sql.ts';
import type { WaitsFor } from './rules.ts';

export interface StatementRow {
  readonly id: string;
  readonly clientId: string;
  readonly accountId: string;
  readonly accountNumber: string;
  readonly kind: string;
  readonly periodFrom: string;
  readonly periodTo: string;
  readonly extension: string;
  readonly version: number;
  readonly name: string;
  readonly title: string | null;
  readonly blobId: string | null;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number | null;
  readonly expiredAtMs: number | null;
  readonly withdrawnAtMs: number | null;
  readonly withdrawnReason: string | null;
  readonly runId: string | null;
  /** The delivered form; null when the statement is for the portal alone. */
  readonly deliveryState: 'waiting' | 'placed' | null;
  readonly waitsFor: WaitsFor | null;
  readonly waitingSinceMs: number | null;
  readonly deliveredName: string | null;
  readonly entryId: string | null;
  readonly isEncrypted: boolean | null;
  readonly certificateFingerprint: string | null;
  readonly subkeyId: string | null;
  readonly deliveredSizeBytes: number | null;
  readonly deliveredSha256: string | null;
  readonly placedAtMs: number | null;
}

export interface NewStatement {
  readonly id: string;
  readonly clientId: string;
  readonly accountId: string;
  readonly accountNumber: string;
  readonly kind: string;
  readonly periodFrom: string;
  readonly periodTo: string;
  readonly extension: string;
  readonly version: number;
  readonly name: string;
  readonly title: string | null;
  readonly blobId: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number | null;
  readonly runId: string | null;
}

/** The feed code of an account, or the given one when it has none yet. */
export async function takeFeedCode(sql: Sql, accountId: string, fresh: string): Promise<string> {
  const [row] = await sql<{ code: string }>`insert into feeds (account_id, code) values (${accountId}, ${fresh})
    on conflict (account_id) do update set code = feeds.code returning code`;
  return row!.code;
}

/** The highest version there is; the row lock on the feed makes the next one ours until the transaction ends. */
export async function lockLastVersion(
  sql: Sql,
  of: { accountId: string; kind: string; periodTo: string; extension: string },
): Promise<number> {
  const [row] = await sql<{ last: number }>`select coalesce(max(version), 0)::integer as last from statements
    where account_id = ${of.accountId} and kind = ${of.kind} and period_to = ${of.periodTo} and extension = ${of.extension}`;
  return row!.last;
}

export async function insertStatement(sql: Sql, row: NewStatement): Promise<void> {
  await sql`insert into statements (id, client_id, account_id, account_number, kind, period_from, period_to, extension,
      version, name, title, blob_id, size_bytes, sha256, issued_at_ms, expires_at_ms, run_id)
    values (${row.id}, ${row.clientId}, ${row.accountId}, ${row.accountNumber}, ${row.kind}, ${row.periodFrom},
      ${row.periodTo}, ${row.extension}, ${row.version}, ${row.name}, ${row.title}, ${row.blobId}, ${row.sizeBytes},
      ${row.sha256}, ${row.issuedAtMs}, ${row.expiresAtMs}, ${row.runId})`;
}

export async function insertWaiting(
  sql: Sql,
  row: { statementId: string; clientId: string; waitsFor: WaitsFor; nowMs: number },
): Promise<void> {
  await sql`insert into deliveries (statement_id, client_id, state, waits_for, waiting_since_ms)
    values (${row.statementId}, ${row.clientId}, 'waiting', ${row.waitsFor}, ${row.nowMs})`;
}

export async function findStatement(sql: Sql, statementId: string): Promise<StatementRow | undefined> {
  const [row] = await sql<StatementRow>`select s.id, s.client_id as "clientId", s.account_id as "accountId",
    s.account_number as "accountNumber", s.kind, s.period_from as "periodFrom", s.period_to as "periodTo", s.extension,
    s.version, s.name, s.title, s.blob_id as "blobId", s.size_bytes as "sizeBytes", s.sha256,
    s.issued_at_ms as "issuedAtMs", s.expires_at_ms as "expiresAtMs", s.expired_at_ms as "expiredAtMs",
    s.withdrawn_at_ms as "withdrawnAtMs", s.withdrawn_reason as "withdrawnReason",
    s.run_id as "runId", d.state as "deliveryState",
    d.waits_for as "waitsFor", d.waiting_since_ms as "waitingSinceMs", d.name as "deliveredName",
    d.entry_id as "entryId", d.is_encrypted as "isEncrypted", d.certificate_fingerprint as "certificateFingerprint",
    d.subkey_id as "subkeyId", d.size_bytes as "deliveredSizeBytes", d.sha256 as "deliveredSha256",
    d.placed_at_ms as "placedAtMs"
    from statements s left join deliveries d on d.statement_id = s.id where s.id = ${statementId}`;
  return row;
}

export interface StatementFilter {
  readonly clientId: string | undefined;
  readonly accountNumber: string | undefined;
  readonly kind: string | undefined;
  /** The period touches these days. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Withdrawn and expired ones too; the desk reads them. */
  readonly isWithGone: boolean;
}

/** Newest first. */
export async function listStatements(
  sql: Sql,
  filter: StatementFilter,
  page: { beforeId: string | undefined; limit: number },
): Promise<StatementRow[]> {
  return sql<StatementRow>`select s.id, s.client_id as "clientId", s.account_id as "accountId",
    s.account_number as "accountNumber", s.kind, s.period_from as "periodFrom", s.period_to as "periodTo", s.extension,
    s.version, s.name, s.title, s.blob_id as "blobId", s.size_bytes as "sizeBytes", s.sha256,
    s.issued_at_ms as "issuedAtMs", s.expires_at_ms as "expiresAtMs", s.expired_at_ms as "expiredAtMs",
    s.withdrawn_at_ms as "withdrawnAtMs", s.withdrawn_reason as "withdrawnReason",
    s.run_id as "runId", d.state as "deliveryState",
    d.waits_for as "waitsFor", d.waiting_since_ms as "waitingSinceMs", d.name as "deliveredName",
    d.entry_id as "entryId", d.is_encrypted as "isEncrypted", d.certificate_fingerprint as "certificateFingerprint",
    d.subkey_id as "subkeyId", d.size_bytes as "deliveredSizeBytes", d.sha256 as "deliveredSha256",
    d.placed_at_ms as "placedAtMs"
    from statements s left join deliveries d on d.statement_id = s.id
    where (${filter.clientId ?? null}::text is null or s.client_id = ${filter.clientId ?? null})
      and (${filter.accountNumber ?? null}::text is null or s.account_number = ${filter.accountNumber ?? null})
      and (${filter.kind ?? null}::text is null or s.kind = ${filter.kind ?? null})
      and (${filter.from ?? null}::date is null or s.period_to >= ${filter.from ?? null})
      and (${filter.to ?? null}::date is null or s.period_from <= ${filter.to ?? null})
      and (${filter.isWithGone} or (s.withdrawn_at_ms is null and s.blob_id is not null))
      and (${page.beforeId ?? null}::text is null or s.id < ${page.beforeId ?? null})
    order by s.id desc limit ${page.limit}`;
}

/** True when this transaction may place the file: the row still waits, and is locked until the end. */
export async function lockWaiting(sql: Sql, statementId: string): Promise<boolean> {
  const rows = await sql`select 1 from deliveries d join statements s on s.id = d.statement_id
    where d.statement_id = ${statementId} and d.state = 'waiting' and s.withdrawn_at_ms is null for update`;
  return rows.length === 1;
}

export async function updateWaitsFor(sql: Sql, statementId: string, waitsFor: WaitsFor): Promise<boolean> {
  const rows = await sql`update deliveries set waits_for = ${waitsFor}
    where statement_id = ${statementId} and state = 'waiting' and waits_for <> ${waitsFor} returning statement_id`;
  return rows.length === 1;
}

/** The client no longer elects the folder: what waits stays in the portal alone, and its days count. */
export async function deleteWaiting(sql: Sql, statementId: string, expiresAtMs: number): Promise<void> {
  await sql`delete from deliveries where statement_id = ${statementId} and state = 'waiting'`;
  await sql`update statements set expires_at_ms = ${expiresAtMs} where id = ${statementId}`;
}

export interface PlacedForm {
  readonly name: string;
  readonly entryId: string;
  readonly isEncrypted: boolean;
  readonly certificateId: string | null;
  readonly certificateFingerprint: string | null;
  readonly subkeyId: string | null;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly placedAtMs: number;
}

export async function updatePlaced(
  sql: Sql,
  statementId: string,
  form: PlacedForm,
  expiresAtMs: number,
): Promise<void> {
  await sql`with placed as (update deliveries set state = 'placed', waits_for = null, name = ${form.name},
      entry_id = ${form.entryId}, is_encrypted = ${form.isEncrypted}, certificate_id = ${form.certificateId},
      certificate_fingerprint = ${form.certificateFingerprint}, subkey_id = ${form.subkeyId},
      size_bytes = ${form.sizeBytes}, sha256 = ${form.sha256}, placed_at_ms = ${form.placedAtMs}
      where statement_id = ${statementId} returning statement_id)
    update statements set expires_at_ms = ${expiresAtMs} from placed where id = placed.statement_id`;
}

/** Statements that wait, in the order of their issue; those of one client, or of all. */
export async function listWaiting(
  sql: Sql,
  asked: { clientId: string | undefined; afterId: string; limit: number },
): Promise<{ statementId: string; clientId: string }[]> {
  return sql<{
    statementId: string;
    clientId: string;
  }>`select d.statement_id as "statementId", d.client_id as "clientId"
    from deliveries d join statements s on s.id = d.statement_id
    where d.state = 'waiting' and s.withdrawn_at_ms is null and d.statement_id > ${asked.afterId}
      and (${asked.clientId ?? null}::text is null or d.client_id = ${asked.clientId ?? null})
    order by d.statement_id limit ${asked.limit}`;
}

/** How many statements of a client wait for this, this one aside. */
export async function countWaiting(sql: Sql, clientId: string, waitsFor: WaitsFor, exceptId: string): Promise<number> {
  const [row] = await sql<{ waiting: number }>`select count(*)::integer as waiting from (select 1 from deliveries
    where client_id = ${clientId} and state = 'waiting' and waits_for = ${waitsFor} and statement_id <> ${exceptId}
    limit 1) some`;
  return row!.waiting;
}

/** Shape: false when it was withdrawn before. */
export async function updateWithdrawn(
  sql: Sql,
  statementId: string,
  withdrawn: { atMs: number; reason: string; keptUntilMs: number },
): Promise<boolean> {
  const rows =
    await sql`update statements set withdrawn_at_ms = ${withdrawn.atMs}, withdrawn_reason = ${withdrawn.reason},
      expires_at_ms = coalesce(expires_at_ms, ${withdrawn.keptUntilMs})
    where id = ${statementId} and withdrawn_at_ms is null returning id`;
  return rows.length === 1;
}
