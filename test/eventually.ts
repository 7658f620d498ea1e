// Waits for something that other processes or sockets bring about, without guessing how long it takes.
import { setTimeout as delay } from 'node:timers/promises';

type Truthy<Value> = Exclude<Value, false | 0 | '' | null | undefined>;

/**
 * Asks until the probe gives something truthy, and resolves with it. A probe that throws has not succeeded yet; its last
 * fault is the cause of the failure when time runs out.
 */
export async function eventually<Result>(
  probe: () => Result | Promise<Result>,
  options: { timeoutMs?: number; pauseMsMax?: number; what?: string } = {},
): Promise<Truthy<Result>> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const deadlineMs = performance.now() + timeoutMs;
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 1.5, options.pauseMsMax ?? 100)) {
    let fault: unknown;
    try {
      const result = await probe();
      if (result) return result as Truthy<Result>;
    } catch (thrown) {
      fault = thrown;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`${options.what ?? 'what was awaited'} did not come about within ${timeoutMs} ms`, {
        cause: fault,
      });
    }
    await delay(pauseMs);
  }
}
