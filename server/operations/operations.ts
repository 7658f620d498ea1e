// The door of operations: what whoever looks after the machine can see and do. It changes nothing of any client.
import process from 'node:process';
import type { Actor } from '../kernel/actor.ts';
import type { Audit, AuditRow, AuditVerdict } from '../kernel/audit.ts';
import type { Clock } from '../kernel/clock.ts';
import type { HealthReport } from '../kernel/health.ts';
import type { Outbox } from '../kernel/outbox.ts';
import { Refusal } from '../kernel/refusal.ts';
import type { Database } from '../kernel/sql.ts';
import { checkOperations, forgottenAfterMs, refusals, silentAfterMs, stepMsOf } from './rules.ts';
import * as store from './store.ts';

export { createSampler } from './sampler.ts';

export interface Worker extends store.Sample {
  readonly isSilent: boolean;
}

export interface Condition {
  readonly report: HealthReport;
  readonly version: string;
  readonly node: string;
  readonly nowMs: number;
  readonly database: { readonly version: string; readonly sizeBytes: number };
  readonly freeBytes: number | undefined;
  readonly workers: readonly Worker[];
  readonly queues: {
    readonly jobsWaiting: number;
    readonly jobsFailed: number;
    readonly eventsWaiting: number;
    readonly eventsFailed: number;
    readonly oldestEventAtMs: number | undefined;
    readonly auditUnsealed: number;
  };
}

export interface FailedWork {
  /** `job:<number>` or `event:<id>`. */
  readonly workId: string;
  readonly sort: 'job' | 'event';
  readonly name: string;
  readonly attempts: number;
  readonly fault: string;
  readonly sinceMs: number;
}

export type Operations = ReturnType<typeof createOperations>;

const failedMax = 100;
const faultLengthMax = 2000;
const hourMs = 3_600_000;

export function createOperations(parts: {
  database: Database;
  clock: Clock;
  audit: Pick<Audit, 'append' | 'list' | 'verify'>;
  outbox: Pick<Outbox, 'count' | 'listDead' | 'revive'>;
  health: { ready(): Promise<HealthReport> };
  freeBytes: () => Promise<number | undefined>;
  version: string;
}) {
  const { database, clock, audit, outbox } = parts;
  const { sql } = database;

  return {
    /** How the installation is: checks of this worker, all workers, and what waits. Refuses: operations_only. */
    async getCondition(actor: Actor): Promise<Condition> {
      checkOperations(actor);
      const nowMs = clock.nowMs();
      const [report, found, workers, queues, events, freeBytes] = await Promise.all([
        parts.health.ready(),
        store.findDatabase(sql),
        store.listWorkers(sql, nowMs - forgottenAfterMs),
        store.listQueues(sql),
        outbox.count(sql),
        parts.freeBytes().catch(() => undefined),
      ]);
      const sum = (of: (queue: store.QueueRow) => number): number => queues.reduce((all, queue) => all + of(queue), 0);
      return {
        report,
        version: parts.version,
        node: process.version,
        nowMs,
        database: { version: found.version, sizeBytes: found.sizeBytes },
        freeBytes,
        workers: workers.map((worker) => ({ ...worker, isSilent: nowMs - worker.atMs > silentAfterMs })),
        queues: {
          jobsWaiting: sum(({ waiting, running }) => waiting + running),
          jobsFailed: sum(({ failed }) => failed),
          eventsWaiting: events.pending,
          eventsFailed: events.dead,
          oldestEventAtMs: events.oldestPendingAtMs,
          auditUnsealed: found.unsealed,
        },
      };
    },

    /** Refuses: operations_only. */
    async listQueues(actor: Actor): Promise<store.QueueRow[]> {
      checkOperations(actor);
      return store.listQueues(sql);
    },

    /** Jobs and events that were given up, at most a hundred of each. Refuses: operations_only. */
    async listFailed(actor: Actor): Promise<FailedWork[]> {
      checkOperations(actor);
      const jobs = await store.listFailedJobs(sql, failedMax);
      const events = await outbox.listDead(sql, failedMax);
      const brief = (fault: string): string => fault.slice(0, faultLengthMax);
      return [
        ...events.map(
          (event): FailedWork => ({
            workId: `event:${event.eventId}`,
            sort: 'event',
            name: event.kind,
            attempts: event.attempts,
            fault: brief(event.lastFault),
            sinceMs: event.recordedAtMs,
          }),
        ),
        ...jobs.map(
          (job): FailedWork => ({
            workId: `job:${job.id}`,
            sort: 'job',
            name: job.task,
            attempts: job.attempts,
            fault: brief(job.fault ?? ''),
            sinceMs: job.sinceMs,
          }),
        ),
      ];
    },

    /** Tries again what was given up. Refuses: operations_only, work_not_failed. */
    async retry(actor: Actor, workId: string): Promise<void> {
      checkOperations(actor);
      const at = workId.indexOf(':');
      const [sort, id] = [workId.slice(0, at), workId.slice(at + 1)];
      await database.transaction(async (inside) => {
        if (sort === 'job') {
          if (!(await store.retryJob(inside, id))) throw refusals.work_not_failed();
        } else {
          await outbox.revive(inside, id).catch((thrown: unknown) => {
            throw thrown instanceof Refusal ? refusals.work_not_failed() : thrown;
          });
        }
        await audit.append(inside, { actor, action: 'work.retry', subject: workId });
      });
    },

    /** The trail, newest first, of one subject or of one actor when asked for. Refuses: operations_only. */
    async listAudit(
      actor: Actor,
      asked: { subject?: string | undefined; actor?: string | undefined },
      page: { after?: string | undefined; limit: number },
    ): Promise<{ items: AuditRow[]; next: string | undefined }> {
      checkOperations(actor);
      const beforeSequence = page.after === undefined ? undefined : Number(page.after);
      const rows = await audit.list(sql, { ...asked, beforeSequence, limit: page.limit + 1 });
      const items = rows.slice(0, page.limit);
      return { items, next: rows.length > page.limit ? String(items.at(-1)!.sequence) : undefined };
    },

    /** Recomputes the whole chain of the trail. Refuses: operations_only. */
    async checkAudit(actor: Actor): Promise<AuditVerdict> {
      checkOperations(actor);
      return audit.verify(sql);
    },

    /** What the workers did in the last hours. Refuses: operations_only. */
    async getSeries(actor: Actor, hours: number): Promise<{ stepMs: number; points: store.Point[] }> {
      checkOperations(actor);
      const stepMs = stepMsOf(hours);
      const sinceMs = clock.nowMs() - hours * hourMs;
      return { stepMs, points: await store.listPoints(sql, { sinceMs, stepMs }) };
    },
  };
}
