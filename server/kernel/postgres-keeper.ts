// Keeps the embedded PostgreSQL running: one that died is started again, after a pause that grows while it cannot start.
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

export interface Keeper {
  /** Lets go: nothing is started any more once this has resolved. */
  close(): Promise<void>;
}

const lookEveryMs = 250;
const pauseMsMin = 250;
const pauseMsMax = 10_000;

/** `isRunning` looks; `start` starts it, and throws where it does not come up, as on a disk that is still full. */
export function keepRunning(parts: {
  clock: Clock;
  log: Log;
  isRunning(): Promise<boolean>;
  start(signal: AbortSignal): Promise<void>;
}): Keeper {
  const { clock, log } = parts;
  const stopper = new AbortController();

  const pause = (delayMs: number): Promise<void> =>
    new Promise((over) => {
      const timer = clock.after(delayMs, over);
      const stop = (): void => void [timer.close(), over()];
      stopper.signal.addEventListener('abort', stop, { once: true });
    });

  async function revive(): Promise<void> {
    log.error('the database died and is started again');
    for (let pauseMs = pauseMsMin; !stopper.signal.aborted; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
      try {
        await parts.start(stopper.signal);
        log.info('the database runs again');
        return;
      } catch (fault) {
        log.fault('the database does not start', fault, { retryAfterMs: pauseMs });
        await pause(pauseMs);
      }
    }
  }

  async function watch(): Promise<void> {
    while (!stopper.signal.aborted) {
      await pause(lookEveryMs);
      if (!stopper.signal.aborted && !(await parts.isRunning().catch(() => true))) await revive();
    }
  }

  const watching = watch();
  return {
    async close() {
      stopper.abort();
      await watching;
    },
  };
}
