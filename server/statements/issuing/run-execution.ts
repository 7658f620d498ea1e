// Executing an accepted run: rows are issued a few at a time, each marked in the transaction that issues it.
import { systemActor } from '../../kernel/actor.ts';
import { partOf } from '../../kernel/blob-parts.ts';
import type { Clock } from '../../kernel/clock.ts';
import { withLease } from '../../kernel/lease.ts';
import type { Log } from '../../kernel/log.ts';
import type { Outbox } from '../../kernel/outbox.ts';
import { Outage, Refusal } from '../../kernel/refusal.ts';
import type { Database } from '../../kernel/sql.ts';
import { events } from '../events.ts';
import type { Manifests } from '../proof/manifests.ts';
import type { Repository } from '../repository/repository.ts';
import type { Account, Issuing, ReadyStatement } from './issuing.ts';
import type { Placing } from './placing.ts';
import { extensionOf, parsePeriod, refusals } from './rules.ts';
import * as store from './runs-store.ts';

type WaitingLine = Awaited<ReturnType<typeof store.listWaitingLines>>[number];

export function createRunExecution(parts: {
  database: Database;
  clock: Clock;
  outbox: Outbox;
  log: Log;
  repository: Repository;
  placing: Placing;
  issuing: Issuing;
  manifests: Manifests;
  settings: { readonly runConcurrency: number };
}) {
  const { database, clock, outbox, log, repository, placing, issuing, manifests, settings } = parts;
  const actor = systemActor('run');

  /** Issues rows and marks them, in one transaction. Shape: the statements made; a row's own refusal becomes its outcome. */
  async function issue(runId: string, lines: readonly WaitingLine[]): Promise<string[]> {
    return database.transaction(async (sql) => {
      const claimed = await store.claimLines(
        sql,
        runId,
        lines.map((line) => line.rowNumber),
      );
      const accounts = await issuing.findAccounts(
        sql,
        lines.map((line) => line.accountNumber),
      );
      const outcomes: store.LineOutcome[] = [];
      const ready: { line: WaitingLine; statement: ReadyStatement }[] = [];
      for (const line of lines) {
        if (!claimed.has(line.rowNumber)) continue;
        const { accountNumber } = line;
        const account = accounts.get(accountNumber);
        if (account === undefined) outcomes.push(failed(line, refusals.account_unknown({ accountNumber })));
        else ready.push({ line, statement: readyOf(runId, line, account) });
      }
      const answers = await issuing.insertAll(
        sql,
        actor,
        ready.map((item) => item.statement),
      );
      for (const [index, { line }] of ready.entries()) {
        const answer = answers[index]!;
        if (answer instanceof Refusal) outcomes.push(failed(line, answer));
        else
          outcomes.push({
            rowNumber: line.rowNumber,
            state: 'issued',
            statementId: answer.statementId,
            code: null,
            detail: null,
          });
      }
      await store.updateLines(sql, runId, outcomes, clock.nowMs());
      return outcomes.flatMap((outcome) => outcome.statementId ?? []);
    });
  }

  /** Rows as far as they go. What concerns one row alone is its outcome; an outage stops the run until later. */
  async function work(runId: string, lines: readonly WaitingLine[]): Promise<void> {
    let statementIds: string[];
    try {
      statementIds = await issue(runId, lines);
    } catch (fault) {
      if (fault instanceof Outage) throw fault;
      if (lines.length > 1) {
        // One of them is at fault: each by itself shows which.
        for (const line of lines) await work(runId, [line]);
        return;
      }
      const [line] = lines;
      log.fault('a row of a run failed', fault, { runId, row: line!.rowNumber });
      const text = 'This row could not be issued. The log of the server says why.';
      const outcome = {
        rowNumber: line!.rowNumber,
        state: 'failed',
        statementId: null,
        code: 'internal',
        detail: text,
      } as const;
      await store.updateLines(database.sql, runId, [outcome], clock.nowMs());
      return;
    }
    await placing.deliverAll(statementIds);
  }

  async function executeHeld(runId: string, signal: AbortSignal): Promise<void> {
    let shownAtMs = clock.monotonicMs();
    for (;;) {
      const lines = await store.listWaitingLines(database.sql, runId, pageRows);
      if (lines.length === 0) break;
      await inParallel(chunks(lines, batchRows), settings.runConcurrency, async (batch) => {
        signal.throwIfAborted();
        await work(runId, batch);
        if (clock.monotonicMs() - shownAtMs < progressEveryMs) return;
        shownAtMs = clock.monotonicMs();
        await store.updateProgress(database.sql, runId);
      });
    }
    for (let afterId = ''; ; ) {
      const left = await store.listUnplaced(database.sql, runId, afterId, pageRows);
      if (left.length === 0) break;
      afterId = left.at(-1)!;
      await inParallel(chunks(left, batchRows), settings.runConcurrency, async (batch) => {
        signal.throwIfAborted();
        await placing.deliverAll(batch);
      });
    }
    await finish(runId);
  }

  async function finish(runId: string): Promise<void> {
    const run = await store.findRun(database.sql, { id: runId });
    const atMs = clock.nowMs();
    const released = await database.transaction(async (sql) => {
      const { rowsTotal, rowsFailed } = await store.updateProgress(sql, runId, { atMs });
      const payload = { runId, reference: run!.reference, rows: rowsTotal, failed: rowsFailed };
      await outbox.record(sql, { kind: events.runEnded, payload });
      return store.clearBlobs(sql, runId);
    });
    await repository.release(released);
    await manifests.updateManifests();
  }

  return {
    /** Executes a run unless another worker is at it. It may be called any number of times. */
    async execute(runId: string): Promise<void> {
      await withLease(database, `run ${runId}`, async ({ signal }) => {
        const run = await store.findRun(database.sql, { id: runId });
        if (run?.state === 'running') await executeHeld(runId, signal);
      });
    },
  };
}

const pageRows = 1000;
/** Rows of one transaction; about as many statements as share a blob. */
const batchRows = 80;
const progressEveryMs = 1000;

const chunks = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));

const failed = (line: WaitingLine, refusal: Refusal): store.LineOutcome => ({
  rowNumber: line.rowNumber,
  state: 'failed',
  statementId: null,
  code: refusal.code,
  detail: refusal.message,
});

const readyOf = (runId: string, line: WaitingLine, account: Account): ReadyStatement => ({
  account,
  kind: line.kind,
  period: parsePeriod(line.period),
  extension: extensionOf(line.fileName),
  title: undefined,
  // The run's blob becomes the statement's: the bytes are written once.
  plain: partOf(line.file),
  runId,
});

/** Runs the work over all items, some at a time; the first fault ends it after what runs has ended. */
async function inParallel<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const faults: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (faults.length > 0) return;
      await work(item).catch((fault: unknown) => void faults.push(fault));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  if (faults.length > 0) throw faults[0];
}
