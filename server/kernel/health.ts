// Liveness and readiness: whether this process should be restarted, and whether it should be given work.
import type { Clock } from './clock.ts';
import { withTimeout } from './limits.ts';

export interface HealthReport {
  readonly ok: boolean;
  /** By name: 'ok', or in one word what is wrong. Reasons go to the log, never to a stranger who asks. */
  readonly checks: Readonly<Record<string, 'ok' | 'failed' | 'late' | 'stopping'>>;
}

export function createHealth(parts: { clock: Clock; onFault?: (name: string, fault: unknown) => void }) {
  const checks = new Map<string, { look: () => Promise<unknown>; timeoutMs: number }>();
  let isStopping = false;
  return {
    /** Adds something this process cannot work without; its look throws when it is not there. */
    add(name: string, look: () => Promise<unknown>, options: { timeoutMs?: number } = {}): void {
      checks.set(name, { look, timeoutMs: options.timeoutMs ?? 2000 });
    },

    /** From now on it is alive but not ready, so that nothing new is sent here while what runs is finished. */
    stop(): void {
      isStopping = true;
    },

    /** Answering at all is the proof: an event loop that is stuck does not. */
    live: (): HealthReport => ({ ok: true, checks: {} }),

    /** Looks at everything at once; each look has its own time limit. */
    async ready(): Promise<HealthReport> {
      if (isStopping) return { ok: false, checks: { process: 'stopping' } };
      const results = await Promise.all(
        [...checks].map(async ([name, { look, timeoutMs }]) => {
          let isLate = false;
          try {
            await withTimeout(parts.clock, { timeoutMs, what: name }, async (signal) => {
              signal.addEventListener('abort', () => (isLate = true));
              await look();
            });
            return [name, 'ok'] as const;
          } catch (fault) {
            parts.onFault?.(name, fault);
            return [name, isLate ? 'late' : 'failed'] as const;
          }
        }),
      );
      return { ok: results.every(([, result]) => result === 'ok'), checks: Object.fromEntries(results) };
    },
  };
}
