// Costly steps of all connections of a listener, some milliseconds each, spread over the turns of the event loop: when a
// crowd asks for key exchanges in one moment, everybody else is served between them.

/** What costly steps may take of one turn. One is always done. */
const turnMsMax = 10;

/** Shape: takes work that never throws; it runs soon, first come first served. NOTE: each connection has two steps at most. */
export function createCostlyTurns(monotonicMs: () => number): (work: () => void) => void {
  const waiting: (() => void)[] = [];
  let isDue = false;

  function run(): void {
    isDue = false;
    const untilMs = monotonicMs() + turnMsMax;
    do waiting.shift()?.();
    while (waiting.length > 0 && monotonicMs() < untilMs);
    if (waiting.length > 0) arm();
  }

  function arm(): void {
    if (isDue) return;
    isDue = true;
    setImmediate(run);
  }

  return (work) => {
    waiting.push(work);
    arm();
  };
}
