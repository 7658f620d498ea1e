// Keeps N identical workers over shared ports: starts them, replaces one that dies, and stops them all in order.
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { Clock } from './kernel/clock.ts';
import type { Log } from './kernel/log.ts';
import { serveClusterMetrics } from './kernel/metrics.ts';
import { Refusal, type RefusalKind } from './kernel/refusal.ts';

/** What the supervisor says to a worker, and the other way round. */
export type ToWorker<Start> =
  | { readonly kind: 'start'; readonly start: Start }
  | { readonly kind: 'stop'; readonly graceMs: number };
export type FromWorker =
  /** It listens to us now; what was said before could have been lost. */
  { readonly kind: 'listening' } | { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly failure: Failure };

/** Why a worker could not start, as it crosses the process border. */
export interface Failure {
  readonly text: string;
  readonly refusal?: { readonly kind: RefusalKind; readonly code: string };
}

export interface SupervisorParts<Start> {
  readonly workerFile: string;
  readonly workers: number;
  /** Given to every worker, over a pipe that no other process can read. */
  readonly start: Start;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a worker may take beyond its grace before it is killed. */
  readonly cutMs?: number;
}

export interface Supervisor {
  /** Rejects when every worker keeps dying: then it is not one request's fault and waiting helps nobody. */
  readonly fallen: Promise<never>;
  /** Stops all workers; those that are not done after `graceMs` are cut. */
  stop(graceMs: number): Promise<void>;
  /** Kills what still runs; a `stop` that waits goes on at once. */
  cut(): void;
}

// A worker that dies at once is started again after 100 ms, then 200, … up to 10 s; one that lived a minute starts afresh.
const backOffMs = 100;
const backOffMsMax = 10_000;
const healthyAfterMs = 60_000;
const deathsInRowMax = 20;
const defaultCutMs = 5_000;

/** Starts the workers and resolves once each of them serves. Refuses: whatever a worker could not start for. */
export async function openSupervisor<Start>(parts: SupervisorParts<Start>): Promise<Supervisor> {
  const { clock, log, cutMs = defaultCutMs } = parts;
  // Each worker accepts for itself. NOTE: under round robin a connection that was handed to a worker just before it died is
  // never answered and never closed: its client would wait for ever.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  // Structured clone carries byte arrays and undefined as they are.
  cluster.setupPrimary({ exec: parts.workerFile, args: [], serialization: 'advanced' });
  const alive = new Set<Worker>();
  let isStopping = false;
  const { promise: fallen, reject: fall } = Promise.withResolvers<never>();
  fallen.catch(() => undefined);

  async function startWorker(deathsInRow: number): Promise<void> {
    const worker = cluster.fork();
    const startedAtMs = clock.monotonicMs();
    alive.add(worker);
    worker.once('exit', (code, signal) => {
      alive.delete(worker);
      if (isStopping) return;
      const deaths = clock.monotonicMs() - startedAtMs > healthyAfterMs ? 1 : deathsInRow + 1;
      log.error('a worker died; its clients lost their connections', {
        worker: worker.process.pid,
        code,
        signal,
        deaths,
      });
      if (deaths > deathsInRowMax) {
        fall(new Error(`a worker died ${deaths} times in a row; the log has the reason`));
        return;
      }
      const delayMs = deaths === 1 ? 0 : Math.min(backOffMsMax, backOffMs * 2 ** (deaths - 2));
      setTimeout(() => {
        if (isStopping) return;
        // Its death, and so its next start, is handled by the listener above.
        startWorker(deaths).then(
          () => log.info('a worker was replaced'),
          () => undefined,
        );
      }, delayMs);
    });
    await Promise.race([greet(worker, parts.start), refuseDeath(worker)]);
  }

  const metrics = serveClusterMetrics();
  async function stop(graceMs: number): Promise<void> {
    isStopping = true;
    await Promise.all([...alive].map((worker) => stopWorker(worker, { graceMs, cutMs }, clock)));
    metrics.close();
  }

  try {
    await Promise.all(Array.from({ length: parts.workers }, () => startWorker(0)));
  } catch (fault) {
    await stop(0);
    throw fault;
  }
  return {
    fallen,
    stop,
    cut() {
      isStopping = true;
      for (const worker of alive) worker.process.kill('SIGKILL');
    },
  };
}

async function greet<Start>(worker: Worker, start: Start): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.on('message', (message: FromWorker) => {
    // Other parts talk over the same pipe.
    if (message.kind === 'listening') worker.send({ kind: 'start', start } satisfies ToWorker<Start>);
    else if (message.kind === 'ready') resolve();
    else if (message.kind === 'failed') reject(readFailure(message.failure));
  });
  await promise;
}

async function refuseDeath(worker: Worker): Promise<never> {
  const [code, signal] = (await once(worker, 'exit')) as [number | null, string | null];
  throw new Error(`a worker died at start (${signal ?? `exit code ${code}`}); the log has the reason`);
}

const readFailure = ({ text, refusal }: Failure): Error =>
  refusal ? new Refusal(refusal.kind, refusal.code, text) : new Error(text);

async function stopWorker(
  worker: Worker,
  { graceMs, cutMs }: { graceMs: number; cutMs: number },
  clock: Clock,
): Promise<void> {
  if (worker.isDead()) return;
  const gone = once(worker, 'exit');
  const cut = clock.after(graceMs + cutMs, () => worker.process.kill('SIGKILL'));
  if (worker.isConnected()) worker.send({ kind: 'stop', graceMs } satisfies ToWorker<never>);
  await gone;
  cut.close();
}
