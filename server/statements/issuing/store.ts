// Rows of issued statements, their feeds, and the state of their delivery. SQL only.
import type { Sql } from '../../kernel/sql.ts';
import type { WaitsFor } from './rules.ts';

interface StatementFacts {
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
  readonly blobOffset: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number | null;
  readonly runId: string | null;
}

export interface NewStatement extends StatementFacts {
  readonly blobId: string;
}

export interface StatementRow extends StatementFacts {
  readonly blobId: string | null;
  readonly expiredAtMs: number | null;
  readonly withdrawnAtMs: number | null;
  readonly withdrawnReason: string | null;
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

/**
 * The feed codes of accounts; those that have none take the fresh one. Their rows stay locked until the transaction ends,
 * so that versions of one statement are numbered one after the other.
 */
export async function lockFeedCodes(
  sql: Sql,
  accounts: readonly { accountId: string; freshCode: string }[],
): Promise<Map<string, string>> {
  const fresh = accounts.map((account) => ({ account_id: account.accountId, code: account.freshCode }));
  await sql`insert into feeds (account_id, code)
    select * from jsonb_to_recordset(${JSON.stringify(fresh)}::jsonb) as new (account_id text, code text)
    order by account_id on conflict (account_id) do nothing`;
  const rows = await sql<{ accountId: string; code: string }>`select account_id as "accountId", code from feeds
    where account_id = any(${accounts.map((account) => account.accountId)}::text[]) order by account_id for update`;
  return new Map(rows.map((row) => [row.accountId, row.code]));
}

export interface Series {
  readonly accountId: string;
  readonly kind: string;
  readonly periodTo: string;
  readonly extension: string;
}

/** The highest version of each series that has one. Shape: in the order of no importance; match by the series itself. */
export async function listLastVersions(
  sql: Sql,
  series: readonly Series[],
): Promise<(Series & { readonly last: number })[]> {
  const asked = series.map((one) => ({
    account_id: one.accountId,
    kind: one.kind,
    period_to: one.periodTo,
    extension: one.extension,
  }));
  return sql<
    Series & { last: number }
  >`select s.account_id as "accountId", s.kind, s.period_to as "periodTo", s.extension,
      max(s.version)::integer as last
    from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) as asked (account_id text, kind text, period_to date, extension text)
    join statements s using (account_id, kind, period_to, extension)
    group by s.account_id, s.kind, s.period_to, s.extension`;
}

export async function insertStatements(sql: Sql, rows: readonly NewStatement[]): Promise<void> {
  const records = rows.map((row) => ({
    id: row.id,
    client_id: row.clientId,
    account_id: row.accountId,
    account_number: row.accountNumber,
    kind: row.kind,
    period_from: row.periodFrom,
    period_to: row.periodTo,
    extension: row.extension,
    version: row.version,
    name: row.name,
    title: row.title,
    blob_id: row.blobId,
    blob_offset: row.blobOffset,
    size_bytes: row.sizeBytes,
    sha256: row.sha256,
    issued_at_ms: row.issuedAtMs,
    expires_at_ms: row.expiresAtMs,
    run_id: row.runId,
  }));
  await sql`insert into statements (id, client_id, account_id, account_number, kind, period_from, period_to, extension,
      version, name, title, blob_id, blob_offset, size_bytes, sha256, issued_at_ms, expires_at_ms, run_id)
    select * from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as new (id text, client_id text, account_id text,
      account_number text, kind text, period_from date, period_to date, extension text, version integer, name text,
      title text, blob_id text, blob_offset bigint, size_bytes bigint, sha256 text, issued_at_ms bigint,
      expires_at_ms bigint, run_id text)`;
}

export async function insertWaiting(
  sql: Sql,
  rows: readonly { statementId: string; clientId: string; waitsFor: WaitsFor; nowMs: number }[],
): Promise<void> {
  const records = rows.map((row) => ({
    statement_id: row.statementId,
    client_id: row.clientId,
    waits_for: row.waitsFor,
    waiting_since_ms: row.nowMs,
  }));
  await sql`insert into deliveries (statement_id, client_id, state, waits_for, waiting_since_ms)
    select statement_id, client_id, 'waiting', waits_for, waiting_since_ms
    from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as new (statement_id text, client_id text, waits_for text,
      waiting_since_ms bigint)`;
}

export async function findStatements(sql: Sql, statementIds: readonly string[]): Promise<StatementRow[]> {
  return sql<StatementRow>`select s.id, s.client_id as "clientId", s.account_id as "accountId",
    s.account_number as "accountNumber", s.kind, s.period_from as "periodFrom", s.period_to as "periodTo", s.extension,
    s.version, s.name, s.title, s.blob_id as "blobId", s.blob_offset as "blobOffset", s.size_bytes as "sizeBytes", s.sha256,
    s.issued_at_ms as "issuedAtMs", s.expires_at_ms as "expiresAtMs", s.expired_at_ms as "expiredAtMs",
    s.withdrawn_at_ms as "withdrawnAtMs", s.withdrawn_reason as "withdrawnReason",
    s.run_id as "runId", d.state as "deliveryState",
    d.waits_for as "waitsFor", d.waiting_since_ms as "waitingSinceMs", d.name as "deliveredName",
    d.entry_id as "entryId", d.is_encrypted as "isEncrypted", d.certificate_fingerprint as "certificateFingerprint",
    d.subkey_id as "subkeyId", d.size_bytes as "deliveredSizeBytes", d.sha256 as "deliveredSha256",
    d.placed_at_ms as "placedAtMs"
    from statements s left join deliveries d on d.statement_id = s.id where s.id = any(${statementIds}::text[])
    order by s.id`;
}

export async function findStatement(sql: Sql, statementId: string): Promise<StatementRow | undefined> {
  return (await findStatements(sql, [statementId]))[0];
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

interface PageOf {
  readonly beforeId: string | undefined;
  readonly limit: number;
}

/** Newest first. A page is read by the index that fits what was asked for; without one it could mean reading everything. */
export async function listStatements(sql: Sql, filter: StatementFilter, page: PageOf): Promise<StatementRow[]> {
  const isByPeriod = filter.clientId === undefined && filter.accountNumber === undefined && filter.isWithGone;
  const ids =
    isByPeriod && (filter.from !== undefined || filter.to !== undefined)
      ? await listOfPeriods(sql, filter, page)
      : filter.clientId !== undefined && filter.to !== undefined
        ? await listOfClientUntil(sql, filter, page)
        : await listMatching(sql, filter, page);
  return (await findStatements(sql, ids)).toReversed();
}

async function listMatching(sql: Sql, filter: StatementFilter, page: PageOf): Promise<string[]> {
  const rows = await sql<{ id: string }>`select id from statements
    where (${filter.clientId ?? null}::text is null or client_id = ${filter.clientId ?? null})
      and (${filter.accountNumber ?? null}::text is null
        or account_id = (select id from accounts where number = ${filter.accountNumber ?? null}))
      and (${filter.kind ?? null}::text is null or kind = ${filter.kind ?? null})
      and (${filter.from ?? null}::date is null or period_to >= ${filter.from ?? null})
      and (${filter.to ?? null}::date is null or period_from <= ${filter.to ?? null})
      and (${filter.isWithGone} or (withdrawn_at_ms is null and blob_id is not null))
      and (${page.beforeId ?? null}::text is null or id < ${page.beforeId ?? null})
    order by id desc limit ${page.limit}`;
  return rows.map((row) => row.id);
}

/**
 * One client's list up to a day, which may lie far back. A period of 400 days or less that touches the days asked for ends no
 * later than 400 days after them: so an index of ends is read between two ends, and the few longer periods apart.
 */
async function listOfClientUntil(sql: Sql, filter: StatementFilter, page: PageOf): Promise<string[]> {
  const { clientId, accountNumber = null, kind = null, from = null, to } = filter;
  const rows = await sql<{ id: string }>`select id from (
      (select id from statements
        where client_id = ${clientId} and period_to <= ${to}::date + 400 and period_to - period_from <= 400
          and period_to >= coalesce(${from}::date, '-infinity'::date) and period_from <= ${to}::date
          and (${accountNumber}::text is null or account_number = ${accountNumber})
          and (${kind}::text is null or kind = ${kind})
          and (${filter.isWithGone} or (withdrawn_at_ms is null and blob_id is not null))
          and (${page.beforeId ?? null}::text is null or id < ${page.beforeId ?? null})
        order by id desc limit ${page.limit})
      union all
      (select id from statements
        where client_id = ${clientId} and period_to - period_from > 400
          and period_to >= coalesce(${from}::date, '-infinity'::date) and period_from <= ${to}::date
          and (${accountNumber}::text is null or account_number = ${accountNumber})
          and (${kind}::text is null or kind = ${kind})
          and (${filter.isWithGone} or (withdrawn_at_ms is null and blob_id is not null))
          and (${page.beforeId ?? null}::text is null or id < ${page.beforeId ?? null})
        order by id desc limit ${page.limit})
    ) as own order by id desc limit ${page.limit}`;
  return rows.map((row) => row.id);
}

/**
 * The desk's list of all clients between two days. The different kinds and periods are few beside the statements: they are
 * walked one index step each, newest first, and the page lies in those whose own newest are the latest.
 */
async function listOfPeriods(sql: Sql, filter: StatementFilter, page: PageOf): Promise<string[]> {
  const { kind = null, from = null, to = null } = filter;
  const rows = await sql<{ id: string }>`with recursive series as (
      (select kind, period_from, period_to from statements
        where (${kind}::text is null or kind = ${kind})
        order by kind desc, period_from desc, period_to desc limit 1)
      union all
      select next.* from series cross join lateral (select s.kind, s.period_from, s.period_to from statements s
        where (${kind}::text is null or s.kind = ${kind})
          and (s.kind, s.period_from, s.period_to) < (series.kind, series.period_from, series.period_to)
        order by s.kind desc, s.period_from desc, s.period_to desc limit 1) next
    ), latest as (
      select series.*, newest.id from series cross join lateral (select s.id from statements s
        where s.kind = series.kind and s.period_from = series.period_from and s.period_to = series.period_to
          and (${page.beforeId ?? null}::text is null or s.id < ${page.beforeId ?? null})
        order by s.id desc limit 1) newest
      where (${from}::date is null or series.period_to >= ${from}) and (${to}::date is null or series.period_from <= ${to})
      order by newest.id desc limit ${page.limit}
    )
    select own.id from latest cross join lateral (select s.id from statements s
      where s.kind = latest.kind and s.period_from = latest.period_from and s.period_to = latest.period_to
        and s.id <= latest.id
      order by s.id desc limit ${page.limit}) own
    order by own.id desc limit ${page.limit}`;
  return rows.map((row) => row.id);
}

/** Of these statements, those that this transaction may place: they still wait, and are locked until its end. */
export async function lockWaiting(sql: Sql, statementIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql<{
    id: string;
  }>`select d.statement_id as id from deliveries d join statements s on s.id = d.statement_id
    where d.statement_id = any(${statementIds}::text[]) and d.state = 'waiting' and s.withdrawn_at_ms is null
    order by d.statement_id for update`;
  return new Set(rows.map((row) => row.id));
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
  readonly statementId: string;
  readonly name: string;
  readonly entryId: string;
  readonly isEncrypted: boolean;
  readonly certificateId: string | null;
  readonly certificateFingerprint: string | null;
  readonly subkeyId: string | null;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** The days of the portal's copy count from now on as well (D-24). */
export async function updatePlaced(
  sql: Sql,
  forms: readonly PlacedForm[],
  at: { placedAtMs: number; expiresAtMs: number },
): Promise<void> {
  const records = forms.map((form) => ({
    statement_id: form.statementId,
    name: form.name,
    entry_id: form.entryId,
    is_encrypted: form.isEncrypted,
    certificate_id: form.certificateId,
    certificate_fingerprint: form.certificateFingerprint,
    subkey_id: form.subkeyId,
    size_bytes: form.sizeBytes,
    sha256: form.sha256,
  }));
  await sql`with form as (select * from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as new (statement_id text,
      name text, entry_id text, is_encrypted boolean, certificate_id text, certificate_fingerprint text, subkey_id text,
      size_bytes bigint, sha256 text)),
    placed as (update deliveries d set state = 'placed', waits_for = null, name = form.name, entry_id = form.entry_id,
      is_encrypted = form.is_encrypted, certificate_id = form.certificate_id,
      certificate_fingerprint = form.certificate_fingerprint, subkey_id = form.subkey_id, size_bytes = form.size_bytes,
      sha256 = form.sha256, placed_at_ms = ${at.placedAtMs}
      from form where d.statement_id = form.statement_id returning d.statement_id)
    update statements set expires_at_ms = ${at.expiresAtMs} from placed where id = placed.statement_id`;
}

/** Statements that wait, in the order of their issue; those of one client, or of all. */
export async function listWaiting(
  sql: Sql,
  asked: { clientId: string | undefined; afterId: string; limit: number },
): Promise<string[]> {
  const rows = await sql<{ id: string }>`select d.statement_id as id
    from deliveries d join statements s on s.id = d.statement_id
    where d.state = 'waiting' and s.withdrawn_at_ms is null and d.statement_id > ${asked.afterId}
      and (${asked.clientId ?? null}::text is null or d.client_id = ${asked.clientId ?? null})
    order by d.statement_id limit ${asked.limit}`;
  return rows.map((row) => row.id);
}

/** True when a statement of the client already waits for this, these aside. */
export async function hasWaiting(
  sql: Sql,
  clientId: string,
  waitsFor: WaitsFor,
  exceptIds: readonly string[],
): Promise<boolean> {
  const rows = await sql`select 1 from deliveries where client_id = ${clientId} and state = 'waiting'
    and waits_for = ${waitsFor} and statement_id <> all(${exceptIds}::text[]) limit 1`;
  return rows.length > 0;
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
