// Executing an accepted run: rows are issued a few at a time, each marked in the transaction that issues it.
import { systemActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import { withLease } from '../../kernel/lease.ts';
import type { Log } from '../../kernel/log.ts';
import type { Outbox } from '../../kernel/outbox.ts';
import { Outage, Refusal } from '../../kernel/refusal.ts';
import type { Database } from '../../kernel/sql.ts';
import { events } from '../events.ts';
import type { Manifests } from '../proof/manifests.ts';
import type { Repository } from '../repository/repository.ts';
import type { Issuing } from './issuing.ts';
import type { Placing } from './placing.ts';
import { extensionOf, parsePeriod } from './rules.ts';
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

  /** Issues one row and marks it, in one transaction. Shape: undefined when it was marked before. */
  async function issue(runId: string, line: WaitingLine): Promise<string | undefined> {
    return database.transaction(async (sql) => {
      if (!(await store.claimLine(sql, runId, line.rowNumber))) return undefined;
      const account = await issuing.getAccount(sql, line.accountNumber);
      const { blobId, sizeBytes, sha256 } = line.file;
      const { statementId } = await issuing.insert(sql, actor, {
        account,
        kind: line.kind,
        period: parsePeriod(line.period),
        extension: extensionOf(line.fileName),
        title: undefined,
        // The run's blob becomes the statement's: the bytes are written once.
        plain: { blobId: blobId!, sizeBytes, sha256 },
        runId,
      });
      const done = { state: 'issued', statementId, code: null, detail: null, atMs: clock.nowMs() } as const;
      await store.updateLine(sql, runId, line.rowNumber, done);
      return statementId;
    });
  }

  /** One row as far as it goes. What concerns this row alone is its outcome; an outage stops the run until later. */
  async function work(runId: string, line: WaitingLine): Promise<void> {
    let statementId: string | undefined;
    try {
      statementId = await issue(runId, line);
    } catch (fault) {
      if (fault instanceof Outage) throw fault;
      const isRefusal = fault instanceof Refusal;
      if (!isRefusal) log.fault('a row of a run failed', fault, { runId, row: line.rowNumber });
      const code = isRefusal ? fault.code : 'internal';
      const detail = isRefusal ? fault.message : 'This row could not be issued. The log of the server says why.';
      const done = { state: 'failed', statementId: null, code, detail, atMs: clock.nowMs() } as const;
      await store.updateLine(database.sql, runId, line.rowNumber, done);
      return;
    }
    if (statementId !== undefined) await placing.deliver(statementId);
  }

  async function executeHeld(runId: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const page = await store.listWaitingLines(database.sql, runId, pageRows);
      if (page.length === 0) break;
      await inParallel(page, settings.runConcurrency, async (line) => {
        signal.throwIfAborted();
        await work(runId, line);
      });
      await store.updateProgress(database.sql, runId);
    }
    for (let afterId = ''; ; ) {
      const left = await store.listUnplaced(database.sql, runId, afterId, pageRows);
      if (left.length === 0) break;
      afterId = left.at(-1)!;
      await inParallel(left, settings.runConcurrency, async (statementId) => {
        signal.throwIfAborted();
        await placing.deliver(statementId);
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

const pageRows = 200;

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
