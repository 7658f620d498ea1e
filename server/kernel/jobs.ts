// Work for later, in PostgreSQL: queued in the caller's transaction, run by whichever worker is free, retried with back-off.
import { Logger, run, type Runner, type TaskList } from 'graphile-worker';
import type { JsonValue } from './json.ts';
import type { Log } from './log.ts';
import type { Database, Sql } from './sql.ts';

export interface Attempt {
  /** 1 for the first try. */
  readonly number: number;
  readonly isLast: boolean;
  /** Aborts some seconds after the installation began to stop. */
  readonly signal: AbortSignal;
}

/** A task may run twice for one job, when a worker dies at the wrong moment: it must not mind. A throw means: try again. */
export type Task = (payload: JsonValue, attempt: Attempt) => Promise<void>;

export interface EnqueueOptions {
  /** Earliest time to run. Units: ms since 1970. Default: as soon as possible after commit. */
  readonly runAtMs?: number;
  /** A waiting job with the same key is replaced instead of joined. */
  readonly key?: string;
  /** Tries before the job is given up; the pause grows from e to e^10 seconds. Default 25, about three days. */
  readonly attemptsMax?: number;
  /** Jobs of one queue run one after the other. Few names only: each is a row. */
  readonly queue?: string;
}

/** Queues a job in the caller's transaction. */
export async function enqueue(sql: Sql, task: string, payload: JsonValue, options: EnqueueOptions = {}): Promise<void> {
  const runAt = options.runAtMs === undefined ? null : new Date(options.runAtMs).toISOString();
  await sql`select 1 from graphile_worker.add_job(
    ${task}::text, ${JSON.stringify(payload)}::json, queue_name := ${options.queue ?? null}::text,
    run_at := ${runAt}::timestamptz, max_attempts := ${options.attemptsMax ?? 25}::int, job_key := ${options.key ?? null}::text)`;
}

export function createJobs(parts: { database: Database; log: Log; concurrency?: number }) {
  const { database, log } = parts;
  let runner: Runner | undefined;
  return {
    enqueue,

    /**
     * Begins to run jobs, and those of a crontab (`m h dom mon dow task`, one a line) once for all workers together.
     * A task of another release's name waits until a worker knows it.
     */
    async start(tasks: Readonly<Record<string, Task>>, crontab = ''): Promise<void> {
      const taskList: TaskList = {};
      for (const [name, task] of Object.entries(tasks)) {
        taskList[name] = (payload, { job, abortSignal }) =>
          task(payload as JsonValue, {
            number: job.attempts,
            isLast: job.attempts >= job.max_attempts,
            signal: abortSignal,
          });
      }
      runner = await run({
        pgPool: database.pool,
        taskList,
        crontab,
        concurrency: parts.concurrency ?? 4,
        // Only the supervisor acts on signals; it then closes us.
        noHandleSignals: true,
        pollInterval: 2000,
        logger: adaptLog(log),
      });
      runner.promise.catch((fault: unknown) => log.fault('the job runner ended', fault));
    },

    /** Takes no more jobs and waits for those that run; what does not end in time is tried again elsewhere. */
    async close(): Promise<void> {
      await runner?.stop().catch((fault: unknown) => log.fault('the job runner did not stop cleanly', fault));
      runner = undefined;
    },
  };
}

/** The runner reports every job it takes at info; here that is debug, and only what failed is news. */
function adaptLog(log: Log): Logger {
  const levels = { error: 'error', warning: 'warn', info: 'debug', debug: 'debug' } as const;
  return new Logger((scope) => (level, message, meta) => {
    if (level === 'debug') return;
    const { error } = (meta ?? {}) as { error?: unknown };
    const fields = { part: 'jobs', task: scope.taskIdentifier, job: scope.jobId };
    if (error === undefined) log[levels[level]](message, fields);
    else log.fault('a job failed and will be tried again', error, fields);
  });
}
