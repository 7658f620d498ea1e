// How often one caller may ask: a token bucket for each key, the oldest keys forgotten first so that memory stays bounded.
import type { Clock } from '../../kernel/clock.ts';

export interface Rate {
  /** Units: requests that may come at once. */
  readonly burst: number;
  readonly perSecond: number;
}

/** Shape: state is of this process alone, so N workers together allow up to N times the rate. */
export function createRates(parts: { clock: Clock; rate: Rate; keysMax?: number }) {
  const { clock, rate, keysMax = 50_000 } = parts;
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return {
    /** Takes `weight` tokens. Units: 0 when taken, otherwise seconds until they would be there. */
    take(key: string, weight = 1): number {
      const nowMs = clock.monotonicMs();
      const known = buckets.get(key);
      const tokens = known
        ? Math.min(rate.burst, known.tokens + ((nowMs - known.atMs) / 1000) * rate.perSecond)
        : rate.burst;
      const missing = weight - tokens;
      // Deleting first moves the key to the end: the map's order is the order of use.
      buckets.delete(key);
      buckets.set(key, { tokens: missing > 0 ? tokens : tokens - weight, atMs: nowMs });
      if (buckets.size > keysMax) buckets.delete(buckets.keys().next().value!);
      return missing > 0 ? Math.ceil(missing / rate.perSecond) : 0;
    },
  };
}
