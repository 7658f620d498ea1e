// Rows of runs, their files and their lines. SQL only.
import type { Sql } from '../../kernel/sql.ts';

export type RunState = 'receiving' | 'refused' | 'checked' | 'running' | 'done';

export interface RunRow {
  readonly id: string;
  readonly reference: string;
  readonly state: RunState;
  readonly isDryRun: boolean;
  readonly csvSha256: string | null;
  readonly rowsTotal: number;
  readonly rowsDone: number;
  readonly rowsFailed: number;
  readonly rowsWaiting: number;
  readonly askedBy: string;
  readonly begunAtMs: number;
  readonly checkedAtMs: number | null;
  readonly doneAtMs: number | null;
}

export async function findRun(sql: Sql, by: { id?: string; reference?: string }): Promise<RunRow | undefined> {
  const [row] = await sql<RunRow>`select id, reference, state, is_dry_run as "isDryRun", csv_sha256 as "csvSha256",
    rows_total as "rowsTotal", rows_done as "rowsDone", rows_failed as "rowsFailed", rows_waiting as "rowsWaiting",
    asked_by as "askedBy", begun_at_ms as "begunAtMs", checked_at_ms as "checkedAtMs", done_at_ms as "doneAtMs"
    from runs where id = ${by.id ?? null} or reference = ${by.reference ?? null}`;
  return row;
}

export async function listRuns(sql: Sql, beforeId: string | undefined, limit: number): Promise<RunRow[]> {
  return sql<RunRow>`select id, reference, state, is_dry_run as "isDryRun", csv_sha256 as "csvSha256",
    rows_total as "rowsTotal", rows_done as "rowsDone", rows_failed as "rowsFailed", rows_waiting as "rowsWaiting",
    asked_by as "askedBy", begun_at_ms as "begunAtMs", checked_at_ms as "checkedAtMs", done_at_ms as "doneAtMs"
    from runs where (${beforeId ?? null}::text is null or id < ${beforeId ?? null}) order by id desc limit ${limit}`;
}

/** Oldest first. Without a moment all of them: a clock that was set back must hold up none. */
export async function listRunIds(sql: Sql, state: RunState, begunBeforeMs?: number): Promise<string[]> {
  const rows = await sql<{ id: string }>`select id from runs where state = ${state}
    and (${begunBeforeMs ?? null}::bigint is null or begun_at_ms < ${begunBeforeMs ?? null}) order by id limit 100`;
  return rows.map((row) => row.id);
}

/** Begins to receive a run, or begins anew one that was never accepted. */
export async function saveReceiving(
  sql: Sql,
  run: { id: string; reference: string; isDryRun: boolean; askedBy: string; nowMs: number },
): Promise<void> {
  await sql`insert into runs (id, reference, state, is_dry_run, asked_by, begun_at_ms)
    values (${run.id}, ${run.reference}, 'receiving', ${run.isDryRun}, ${run.askedBy}, ${run.nowMs})
    on conflict (id) do update set state = 'receiving', is_dry_run = ${run.isDryRun}, asked_by = ${run.askedBy},
      begun_at_ms = ${run.nowMs}, checked_at_ms = null, done_at_ms = null, csv_sha256 = null, rows_total = 0, rows_done = 0,
      rows_failed = 0, rows_waiting = 0`;
}

/**
 * Forgets files and lines, unless the run was accepted: then a commit that its sender heard nothing of has come about.
 * Shape: the blobs they named; undefined where it was accepted.
 */
export async function clearRun(sql: Sql, runId: string): Promise<string[] | undefined> {
  const [run] = await sql<{ state: RunState }>`select state from runs where id = ${runId} for update`;
  if (run?.state === 'running' || run?.state === 'done') return undefined;
  await sql`delete from run_rows where run_id = ${runId}`;
  const rows = await sql<{
    blobId: string | null;
  }>`delete from run_files where run_id = ${runId} returning blob_id as "blobId"`;
  return rows.flatMap((row) => (row.blobId === null ? [] : [row.blobId]));
}

export interface RunFileRow {
  readonly name: string;
  readonly blobId: string | null;
  readonly blobOffset: number;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export async function insertFiles(sql: Sql, runId: string, files: readonly RunFileRow[]): Promise<void> {
  const records = files.map((file) => ({
    name: file.name,
    blob_id: file.blobId,
    blob_offset: file.blobOffset,
    size_bytes: file.sizeBytes,
    sha256: file.sha256,
  }));
  await sql`insert into run_files (run_id, name, blob_id, blob_offset, size_bytes, sha256)
    select ${runId}, * from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as new (name text, blob_id text,
      blob_offset bigint, size_bytes bigint, sha256 text)`;
}

export async function listFiles(sql: Sql, runId: string): Promise<RunFileRow[]> {
  return sql<RunFileRow>`select name, blob_id as "blobId", blob_offset as "blobOffset", size_bytes as "sizeBytes", sha256
    from run_files where run_id = ${runId} order by name`;
}

/** Lets go of the run's own hold on its blobs; statements hold theirs. */
export async function clearBlobs(sql: Sql, runId: string): Promise<string[]> {
  const rows = await sql<{ blobId: string }>`with held as (select name, blob_id from run_files
      where run_id = ${runId} and blob_id is not null for update)
    update run_files set blob_id = null from held where run_files.run_id = ${runId} and run_files.name = held.name
    returning held.blob_id as "blobId"`;
  return rows.map((row) => row.blobId);
}

export interface LineRow {
  readonly rowNumber: number;
  readonly accountNumber: string;
  readonly kind: string;
  readonly period: string;
  readonly fileName: string;
  readonly sha256: string;
  readonly state: 'waiting' | 'issued' | 'failed' | 'refused';
  readonly code: string | null;
  readonly detail: string | null;
}

/** One statement for the whole page of lines. */
export async function insertLines(sql: Sql, runId: string, lines: readonly LineRow[]): Promise<void> {
  const records = lines.map((line) => ({
    row_number: line.rowNumber,
    account_number: line.accountNumber,
    kind: line.kind,
    period: line.period,
    file_name: line.fileName,
    sha256: line.sha256,
    state: line.state,
    code: line.code,
    detail: line.detail,
  }));
  await sql`insert into run_rows (run_id, row_number, account_number, kind, period, file_name, sha256, state, code, detail)
    select ${runId}, * from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as new (row_number integer,
      account_number text, kind text, period text, file_name text, sha256 text, state text, code text, detail text)`;
}

export async function updateChecked(
  sql: Sql,
  runId: string,
  now: { state: RunState; csvSha256: string | null; rowsTotal: number; rowsFailed: number; atMs: number },
): Promise<void> {
  await sql`update runs set state = ${now.state}, csv_sha256 = ${now.csvSha256}, rows_total = ${now.rowsTotal},
    rows_failed = ${now.rowsFailed}, checked_at_ms = ${now.atMs} where id = ${runId}`;
}

/** Lines that are not issued yet, each with its file; in their order, in which most runs bring the files that share a blob. */
export async function listWaitingLines(
  sql: Sql,
  runId: string,
  limit: number,
): Promise<(LineRow & { readonly file: RunFileRow })[]> {
  const rows = await sql<LineRow & RunFileRow & { fileSha256: string }>`select r.row_number as "rowNumber",
    r.account_number as "accountNumber", r.kind, r.period, r.file_name as "fileName", r.sha256, r.state, r.code, r.detail,
    f.name, f.blob_id as "blobId", f.blob_offset as "blobOffset", f.size_bytes as "sizeBytes", f.sha256 as "fileSha256"
    from run_rows r join run_files f on f.run_id = r.run_id and f.name = r.file_name
    where r.run_id = ${runId} and r.state = 'waiting' order by r.row_number limit ${limit}`;
  return rows.map(({ name, blobId, blobOffset, sizeBytes, fileSha256, ...line }) => ({
    ...line,
    file: { name, blobId, blobOffset, sizeBytes, sha256: fileSha256 },
  }));
}

/** Claims lines for this transaction. Shape: those that are still waiting; a line is claimed so by one transaction at a time. */
export async function claimLines(sql: Sql, runId: string, rowNumbers: readonly number[]): Promise<Set<number>> {
  const rows = await sql<{ rowNumber: number }>`select row_number as "rowNumber" from run_rows
    where run_id = ${runId} and row_number = any(${rowNumbers}::integer[]) and state = 'waiting' order by row_number for update`;
  return new Set(rows.map((row) => row.rowNumber));
}

export interface LineOutcome {
  readonly rowNumber: number;
  readonly state: 'issued' | 'failed';
  readonly statementId: string | null;
  readonly code: string | null;
  readonly detail: string | null;
}

export async function updateLines(
  sql: Sql,
  runId: string,
  outcomes: readonly LineOutcome[],
  atMs: number,
): Promise<void> {
  const records = outcomes.map((outcome) => ({
    row_number: outcome.rowNumber,
    state: outcome.state,
    statement_id: outcome.statementId,
    code: outcome.code,
    detail: outcome.detail,
  }));
  await sql`update run_rows set state = new.state, statement_id = new.statement_id, code = new.code, detail = new.detail,
      done_at_ms = ${atMs}
    from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as new (row_number integer, state text, statement_id text,
      code text, detail text)
    where run_rows.run_id = ${runId} and run_rows.row_number = new.row_number`;
}

/** Statements of the run whose turn to be placed was never finished: a worker died in between. */
export async function listUnplaced(sql: Sql, runId: string, afterId: string, limit: number): Promise<string[]> {
  const rows = await sql<{ id: string }>`select d.statement_id as id from run_rows r
    join deliveries d on d.statement_id = r.statement_id
    where r.run_id = ${runId} and d.state = 'waiting' and d.waits_for = 'encryption' and d.statement_id > ${afterId}
    order by d.statement_id limit ${limit}`;
  return rows.map((row) => row.id);
}

/** Counts the lines anew and writes it into the run, for whoever watches. */
export async function updateProgress(
  sql: Sql,
  runId: string,
  done?: { atMs: number },
): Promise<{ rowsTotal: number; rowsFailed: number }> {
  const [row] = await sql<{ rowsTotal: number; rowsFailed: number }>`with counted as (select
      count(*) filter (where r.state <> 'waiting')::integer as done,
      count(*) filter (where r.state = 'failed')::integer as failed,
      count(*) filter (where d.state = 'waiting')::integer as waiting
      from run_rows r left join deliveries d on d.statement_id = r.statement_id where r.run_id = ${runId})
    update runs set rows_done = counted.done, rows_failed = counted.failed, rows_waiting = counted.waiting,
      state = case when ${done !== undefined} then 'done' else runs.state end,
      done_at_ms = coalesce(${done?.atMs ?? null}::bigint, runs.done_at_ms)
    from counted where runs.id = ${runId} returning rows_total as "rowsTotal", rows_failed as "rowsFailed"`;
  return row!;
}

export interface OutcomeRow extends LineRow {
  readonly statementId: string | null;
  readonly deliveryState: string | null;
  readonly waitsFor: string | null;
  readonly name: string | null;
  readonly placedAtMs: number | null;
  readonly isWithdrawn: boolean;
}

export async function listOutcomes(
  sql: Sql,
  runId: string,
  page: { afterRow: number; limit: number; state?: string | undefined },
): Promise<OutcomeRow[]> {
  return sql<OutcomeRow>`select r.row_number as "rowNumber", r.account_number as "accountNumber", r.kind, r.period,
    r.file_name as "fileName", r.sha256, r.state, r.code, r.detail, r.statement_id as "statementId",
    d.state as "deliveryState", d.waits_for as "waitsFor", coalesce(d.name, s.name) as name,
    d.placed_at_ms as "placedAtMs", coalesce(s.withdrawn_at_ms is not null, false) as "isWithdrawn"
    from run_rows r left join statements s on s.id = r.statement_id left join deliveries d on d.statement_id = s.id
    where r.run_id = ${runId} and r.row_number > ${page.afterRow}
      and (${page.state ?? null}::text is null or r.state = ${page.state ?? null})
    order by r.row_number limit ${page.limit}`;
}

/** Clients for whom the run placed or issued something. */
export async function listClientsOfRun(sql: Sql, runId: string, afterId: string, limit: number): Promise<string[]> {
  const rows = await sql<{ clientId: string }>`select distinct client_id as "clientId" from statements
    where run_id = ${runId} and client_id > ${afterId} order by client_id limit ${limit}`;
  return rows.map((row) => row.clientId);
}
