// Limits that every part shares: how many at once, how many in a time, one at a time a key, and once for all who ask.
import type { Clock } from './clock.ts';
import { Outage } from './refusal.ts';

export interface Semaphore {
  /** Runs the work when a permit is free. Throws an Outage at once when too many wait already. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  readonly running: number;
  readonly waiting: number;
}

/** At most `permits` pieces of work at once, first come first served; at most `waitingMax` wait for their turn. */
export function createSemaphore(limits: { permits: number; waitingMax: number; what?: string }): Semaphore {
  const queue: (() => void)[] = [];
  let running = 0;
  return {
    get running() {
      return running;
    },
    get waiting() {
      return queue.length;
    },
    async run(work) {
      if (running < limits.permits) running += 1;
      else if (queue.length >= limits.waitingMax)
        throw new Outage(limits.what ?? 'a free place', { retryAfterMs: 1000 });
      else await new Promise<void>((go) => queue.push(go));
      try {
        return await work();
      } finally {
        // The permit goes straight to the next in line, so that nobody can slip in between.
        const next = queue.shift();
        if (next) next();
        else running -= 1;
      }
    },
  };
}

export interface TokenBuckets {
  /** Takes tokens for a key. Shape: 0 when taken, otherwise ms until they would be there; nothing is taken then. */
  take(key: string, tokens?: number): number;
  readonly keys: number;
}

/**
 * A bucket a key: it holds `capacity` tokens and refills steadily. At most `keysMax` keys are remembered: the one unused
 * for longest is forgotten first. NOTE: whoever can invent keys can have others forgotten, so choose keys that cost something.
 */
export function createTokenBuckets(limits: {
  clock: Clock;
  capacity: number;
  refillPerSecond: number;
  keysMax: number;
}): TokenBuckets {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return {
    get keys() {
      return buckets.size;
    },
    take(key, tokens = 1) {
      const nowMs = limits.clock.monotonicMs();
      const known = buckets.get(key) ?? { tokens: limits.capacity, atMs: nowMs };
      const refilled = known.tokens + ((nowMs - known.atMs) / 1000) * limits.refillPerSecond;
      const available = Math.min(limits.capacity, refilled);
      const isEnough = available >= tokens;
      // Setting it anew moves the key to the end of the map's order: the first key is the one unused for longest.
      buckets.delete(key);
      buckets.set(key, { tokens: isEnough ? available - tokens : available, atMs: nowMs });
      if (buckets.size > limits.keysMax) buckets.delete(buckets.keys().next().value!);
      // Rounded to a microsecond first: a hair of rounding error would otherwise cost a whole millisecond.
      const waitMs = ((tokens - available) / limits.refillPerSecond) * 1000;
      return isEnough ? 0 : Math.ceil(Math.round(waitMs * 1000) / 1000);
    },
  };
}

/** Work of one key in turn, in the order of asking, `permits` at once (default 1); keys do not wait for each other. */
export function createTurns(limits: { permits?: number; waitingMax: number; what?: string }) {
  const lines = new Map<string, Semaphore>();
  return {
    async take<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
      const line = lines.get(key) ?? createSemaphore({ permits: 1, ...limits });
      lines.set(key, line);
      try {
        return await line.run(work);
      } finally {
        if (line.running === 0 && lines.get(key) === line) lines.delete(key);
      }
    },
  };
}

/** Callers that ask for the same key while the work runs share its one result, or its one fault. */
export function createSingleFlight<Result>() {
  const flights = new Map<string, Promise<Result>>();
  return {
    run(key: string, work: () => Promise<Result>): Promise<Result> {
      const flying = flights.get(key);
      if (flying) return flying;
      const flight = work().finally(() => flights.delete(key));
      flights.set(key, flight);
      return flight;
    },
  };
}

/** Rejects with an Outage when the work takes longer; the work is told through its signal and goes on or stops. */
export async function withTimeout<Result>(
  clock: Clock,
  limits: { timeoutMs: number; what: string },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const stopper = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = clock.after(limits.timeoutMs, () => {
    const outage = new Outage(limits.what);
    stopper.abort(outage);
    late.reject(outage);
  });
  try {
    return await Promise.race([work(stopper.signal), late.promise]);
  } finally {
    timer.close();
  }
}
