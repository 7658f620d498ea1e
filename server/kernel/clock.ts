// The only place that reads time. Everything else is given a Clock, so that tests move time instead of waiting.

/** A timer that was set; closing it more than once, or after it fired, does nothing. */
export interface Timer {
  close(): void;
}

export interface Clock {
  /** Wall-clock time. Units: ms since 1970-01-01T00:00Z. It may jump; use it for records, never for waits. */
  nowMs(): number;
  /** Monotonic time for waits and limits. Units: ms since an arbitrary start. */
  monotonicMs(): number;
  /** Calls `work` once, after `delayMs` of monotonic time; does not keep the process alive. */
  after(delayMs: number, work: () => void): Timer;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, work) {
    // Node fires at once for delays beyond 2^31-1 ms, so a longer wait is taken in steps.
    const longestMs = 2 ** 31 - 1;
    let handle: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      handle = setTimeout(() => (leftMs > longestMs ? arm(leftMs - longestMs) : work()), Math.min(leftMs, longestMs));
      handle.unref();
    };
    arm(Math.max(0, delayMs));
    return { close: () => clearTimeout(handle) };
  },
};

export interface FakeClock extends Clock {
  /** Moves both times forward and fires what fell due, in order. */
  advance(byMs: number): void;
  /** Sets the wall clock alone, as an administrator or NTP would; timers do not move. */
  jump(toMs: number): void;
}

export function createFakeClock(startMs = Date.UTC(2026, 10, 24, 12)): FakeClock {
  let wallMs = startMs;
  let monotonicMs = 0;
  let timers: { dueMs: number; work: () => void }[] = [];
  return {
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    after(delayMs, work) {
      const timer = { dueMs: monotonicMs + delayMs, work };
      timers.push(timer);
      return { close: () => (timers = timers.filter((other) => other !== timer)) };
    },
    advance(byMs) {
      const endMs = monotonicMs + byMs;
      for (;;) {
        const next = timers.filter((timer) => timer.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
        if (!next) break;
        timers = timers.filter((timer) => timer !== next);
        wallMs += next.dueMs - monotonicMs;
        monotonicMs = next.dueMs;
        next.work();
      }
      wallMs += endMs - monotonicMs;
      monotonicMs = endMs;
    },
    jump(toMs) {
      wallMs = toMs;
    },
  };
}

/** RFC 3339 text in UTC with milliseconds, the form every face uses for instants. */
export const formatInstant = (atMs: number): string => new Date(atMs).toISOString();

/** The calendar date at that instant in a zone, as `YYYY-MM-DD`. */
export const dateInZone = (atMs: number, zone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone).toPlainDate().toString();
