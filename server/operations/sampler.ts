// What this worker reads of itself a few times a minute, written where every worker's page can show it.
import { hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import type { Database } from '../kernel/sql.ts';
import { sampledEveryMs, samplesKeptMs } from './rules.ts';
import { deleteSamplesBefore, insertSample, updateEnded } from './store.ts';

const cleanedEvery = 40;

export function createSampler(parts: {
  database: Database;
  clock: Clock;
  ids: Ids;
  log: Pick<Log, 'fault'>;
  version: string;
  /** What is open in this process now. */
  counts: () => { connections: number; streams: number };
}) {
  const { database, clock, log } = parts;
  const workerId = parts.ids.next();
  const startedAtMs = clock.nowMs();
  const delay = monitorEventLoopDelay({ resolution: 10 });
  let [answers, refused, failed] = [0, 0, 0];
  let lastAtMs = startedAtMs;
  let taken = 0;

  async function take(): Promise<void> {
    const atMs = clock.nowMs();
    const sample = {
      workerId,
      atMs,
      periodMs: Math.max(0, Math.min(2 ** 31 - 1, atMs - lastAtMs)),
      startedAtMs,
      host: hostname().slice(0, 200),
      pid: process.pid,
      version: parts.version,
      rssBytes: process.memoryUsage.rss(),
      lagMs: Math.round(delay.max / 10_000) / 100,
      ...parts.counts(),
      answers,
      refused,
      failed,
    };
    [answers, refused, failed] = [0, 0, 0];
    lastAtMs = atMs;
    delay.reset();
    await insertSample(database.sql, sample);
    if ((taken += 1) % cleanedEvery === 0) await deleteSamplesBefore(database.sql, atMs - samplesKeptMs);
  }

  return {
    /** Called for every answer of the HTTPS face. */
    noteAnswer({ status }: { readonly status: number }): void {
      answers += 1;
      if (status >= 500) failed += 1;
      else if (status >= 400) refused += 1;
    },

    take,

    /** Takes a sample now and then again and again. */
    start(): { close(): Promise<void> } {
      delay.enable();
      let timer: Timer;
      let isClosed = false;
      const again = (): void => {
        take()
          .catch((fault: unknown) => log.fault('a worker could not tell of itself', fault))
          .finally(() => {
            if (!isClosed) timer = clock.after(sampledEveryMs, again);
          });
      };
      timer = clock.after(0, again);
      return {
        async close() {
          isClosed = true;
          timer.close();
          delay.disable();
          await updateEnded(database.sql, workerId, lastAtMs).catch((fault: unknown) =>
            log.fault('a worker could not say that it stops', fault),
          );
        },
      };
    },
  };
}
