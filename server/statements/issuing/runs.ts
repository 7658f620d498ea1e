// Runs: a batch of statements handed over at once, checked whole, then issued row by row, exactly once whatever happens.
//
// States: receiving -> refused (may be sent again) | checked (a dry run) | running -> done. A run belongs to the worker that
// holds its lease; when that worker dies another goes on. A row is issued in the transaction that marks it, so a crash
// between two rows repeats neither; what was issued but not placed is placed before the run is done.
import { type Actor, formatActor } from '../../kernel/actor.ts';
import type { BlobStore } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import { enqueue } from '../../kernel/jobs.ts';
import { tryLease } from '../../kernel/lease.ts';
import type { Audit } from '../../kernel/audit.ts';
import type { Log } from '../../kernel/log.ts';
import type { Outbox } from '../../kernel/outbox.ts';
import type { Database } from '../../kernel/sql.ts';
import type { Manifests } from '../proof/manifests.ts';
import type { Repository } from '../repository/repository.ts';
import { checkDesk, type Issuing, tasks } from './issuing.ts';
import type { Placing } from './placing.ts';
import { createRunExecution } from './run-execution.ts';
import { checkRun, createRunIntake, type ReceivedRun } from './run-intake.ts';
import { checkReference, formatCsvLine, refusals } from './run-rules.ts';
import type { RunFile } from './run-sources.ts';
import * as store from './runs-store.ts';

export interface Run {
  readonly runId: string;
  /** The id that the desk gave it. */
  readonly reference: string;
  readonly state: store.RunState;
  readonly isDryRun: boolean;
  readonly rows: {
    readonly total: number;
    /** Issued or failed. */
    readonly done: number;
    readonly failed: number;
    /** Issued, and waiting to be placed. */
    readonly waiting: number;
  };
  readonly askedBy: string;
  readonly begunAtMs: number;
  readonly checkedAtMs: number | undefined;
  readonly doneAtMs: number | undefined;
}

export interface RunParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly blobs: BlobStore;
  readonly audit: Audit;
  readonly outbox: Outbox;
  readonly log: Log;
  readonly repository: Repository;
  readonly placing: Placing;
  readonly issuing: Issuing;
  readonly manifests: Manifests;
  readonly settings: { readonly runConcurrency: number };
}

export function createRuns(parts: RunParts) {
  const { database, clock, ids, audit, repository, issuing } = parts;
  const intake = createRunIntake(parts);
  const execution = createRunExecution(parts);

  async function getRow(runId: string): Promise<store.RunRow> {
    const row = await store.findRun(database.sql, { id: runId });
    if (row === undefined) throw refusals.run_not_found();
    return row;
  }

  /** Shape: false, and nothing is cleared, where the run was accepted. */
  async function clear(runId: string): Promise<boolean> {
    const released = await database.transaction((sql) => store.clearRun(sql, runId));
    if (released !== undefined) await repository.release(released);
    return released !== undefined;
  }

  /** The same id once more: it must be the same run, or it is another one that took the id by mistake. */
  async function compare(run: store.RunRow, files: AsyncIterable<RunFile>): Promise<Run> {
    const again = await intake.receive(files, undefined);
    const known = await store.listFiles(database.sql, run.id);
    const isSame =
      again.csvSha256 === run.csvSha256 &&
      again.files.size === known.length &&
      known.every((file) => again.files.get(file.name)?.sha256 === file.sha256);
    if (!isSame) throw refusals.run_reused({ reference: run.reference });
    return describeRun(await getRow(run.id));
  }

  async function accept(actor: Actor, runId: string, isDryRun: boolean, received: ReceivedRun): Promise<void> {
    const checked = await checkRun(received, (numbers) => issuing.findAccounts(database.sql, numbers));
    const state = checked.faults > 0 ? 'refused' : isDryRun ? 'checked' : 'running';
    await database.transaction(async (sql) => {
      for (let from = 0; from < checked.lines.length; from += linesAtOnce) {
        await store.insertLines(sql, runId, checked.lines.slice(from, from + linesAtOnce));
      }
      const now = {
        state,
        csvSha256: received.csvSha256,
        rowsTotal: checked.rows,
        rowsFailed: checked.faults,
        atMs: clock.nowMs(),
      } as const;
      await store.updateChecked(sql, runId, now);
      const detail = { state, rows: checked.rows, faults: checked.faults };
      await audit.append(sql, { actor, action: 'run.checked', subject: `run:${runId}`, detail });
      if (state === 'running') await enqueue(sql, tasks.run, { runId }, { key: `${tasks.run}:${runId}` });
    });
    if (state !== 'running') await repository.release(await store.clearBlobs(database.sql, runId));
  }

  return {
    /**
     * Receives a run whole, checks it, and has it executed by a job unless it is a dry run. Sending the same run again
     * answers how it stands. A refused run answers with state `refused`: its outcomes say which rows are at fault.
     * Refuses: issuing_not_yours, run_reference_invalid, run_receiving, run_reused, run_csv_missing, run_csv_invalid, …
     */
    async startRun(
      actor: Actor,
      asked: { readonly reference: string; readonly isDryRun: boolean },
      files: AsyncIterable<RunFile>,
    ): Promise<Run> {
      checkDesk(actor);
      const reference = checkReference(asked.reference);
      // Two senders of one id never mix their files; a sender that died leaves the lease free.
      await using lease = await tryLease(database, `run receiving ${reference}`);
      if (lease === undefined) throw refusals.run_receiving({ reference });
      const before = await store.findRun(database.sql, { reference });
      if (before !== undefined && !(await clear(before.id))) return await compare(await getRow(before.id), files);
      const runId = before?.id ?? ids.next();
      const run = { id: runId, reference, isDryRun: asked.isDryRun, askedBy: formatActor(actor), nowMs: clock.nowMs() };
      await store.saveReceiving(database.sql, run);
      // Files are written down as they are stored; what a crash leaves out is an orphan that the sweep takes.
      const stored = new Set<string>();
      try {
        const received = await intake.receive(files, async (batch) => {
          for (const { blobId } of batch) stored.add(blobId!);
          await store.insertFiles(database.sql, runId, batch);
        });
        await accept(actor, runId, asked.isDryRun, received);
      } catch (fault) {
        await clear(runId);
        await repository.release([...stored]);
        throw fault;
      }
      return describeRun(await getRow(runId));
    },

    /** Refuses: issuing_not_yours, run_not_found. */
    async getRun(actor: Actor, runId: string): Promise<Run> {
      checkDesk(actor);
      return describeRun(await getRow(runId));
    },

    /** Newest first. */
    async listRuns(
      actor: Actor,
      page: { after?: string | undefined; limit: number },
    ): Promise<{ items: Run[]; next: string | undefined }> {
      checkDesk(actor);
      const rows = await store.listRuns(database.sql, page.after, page.limit + 1);
      const items = rows.slice(0, page.limit).map(describeRun);
      return { items, next: rows.length > page.limit ? items.at(-1)?.runId : undefined };
    },

    /** What became of every row, as CSV in pages. Refuses: issuing_not_yours, run_not_found. */
    async formatOutcomes(actor: Actor, runId: string): Promise<AsyncGenerator<string>> {
      checkDesk(actor);
      await getRow(runId);
      return outcomeLines(database, runId);
    },

    /** What became of each row, in order; of one state when asked for. Refuses: issuing_not_yours, run_not_found. */
    async listRows(
      actor: Actor,
      asked: { runId: string; state?: string | undefined },
      page: { after?: string | undefined; limit: number },
    ): Promise<{ items: store.OutcomeRow[]; next: string | undefined }> {
      checkDesk(actor);
      await getRow(asked.runId);
      const afterRow = Number(page.after ?? 0);
      const rows = await store.listOutcomes(database.sql, asked.runId, {
        afterRow,
        limit: page.limit + 1,
        state: asked.state,
      });
      const items = rows.slice(0, page.limit);
      return { items, next: rows.length > page.limit ? String(items.at(-1)?.rowNumber) : undefined };
    },

    /** Executes what is accepted and not done, for whatever this worker can take; also after a crash. */
    async resume(): Promise<void> {
      const nowMs = clock.nowMs();
      for (const runId of await store.listRunIds(database.sql, 'running')) await execution.execute(runId);
      // A sender that never came back: its files are let go of after a day.
      for (const runId of await store.listRunIds(database.sql, 'receiving', nowMs - receivingKeptMs))
        await clear(runId);
    },
  };
}

export type Runs = ReturnType<typeof createRuns>;

const linesAtOnce = 1000;
const outcomesAtOnce = 1000;
const receivingKeptMs = 24 * 3_600_000;

const describeRun = (row: store.RunRow): Run => ({
  runId: row.id,
  reference: row.reference,
  state: row.state,
  isDryRun: row.isDryRun,
  rows: { total: row.rowsTotal, done: row.rowsDone, failed: row.rowsFailed, waiting: row.rowsWaiting },
  askedBy: row.askedBy,
  begunAtMs: row.begunAtMs,
  checkedAtMs: row.checkedAtMs ?? undefined,
  doneAtMs: row.doneAtMs ?? undefined,
});

async function* outcomeLines(database: Database, runId: string): AsyncGenerator<string> {
  yield formatCsvLine(['row', 'account', 'kind', 'period', 'file', 'outcome', 'code', 'text', 'name', 'statement']);
  for (let afterRow = 0; ; ) {
    const page = await store.listOutcomes(database.sql, runId, { afterRow, limit: outcomesAtOnce });
    if (page.length === 0) return;
    afterRow = page.at(-1)!.rowNumber;
    yield page.map((row) => formatCsvLine(outcomeCells(row))).join('');
  }
}

function outcomeCells(row: store.OutcomeRow): string[] {
  const isWaiting = row.deliveryState === 'waiting';
  const issued = row.isWithdrawn
    ? 'withdrawn'
    : isWaiting
      ? 'waits'
      : row.deliveryState === 'placed'
        ? 'placed'
        : 'portal';
  return [
    String(row.rowNumber),
    row.accountNumber,
    row.kind,
    row.period,
    row.fileName,
    row.state === 'issued' ? issued : row.state === 'waiting' ? 'not_yet' : row.state,
    row.code ?? (isWaiting ? row.waitsFor! : ''),
    row.detail ?? '',
    row.name ?? '',
    row.statementId ?? '',
  ];
}
