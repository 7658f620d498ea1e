// Tells when inputs reach code of ours that none before had reached, so that a long run builds on them.
import { type Profiler, Session } from 'node:inspector';

export interface Coverage {
  /** Notes a case; answers the inputs since the last look when something new was reached among them. */
  note(input: Buffer): readonly Buffer[];
  /** Pieces of our code reached since the start of this target. */
  readonly reached: number;
}

/** Looks cost some milliseconds, so they grow rare while nothing new comes. Units: cases. */
const casesBetweenLooks = { min: 8, max: 512 } as const;
const keptOfALook = 16;

let session: Session | undefined;

/** One profiler for the process. NOTE: only code that runs for the first time after this is seen piece by piece. */
export function startCoverage(): void {
  session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
}

export function createCoverage(): Coverage {
  const seen = new Set<string>();
  let waiting: Buffer[] = [];
  let every: number = casesBetweenLooks.min;

  function look(): boolean {
    const before = seen.size;
    // A session to one's own thread calls back before it returns.
    session?.post('Profiler.takePreciseCoverage', (_, taken) => {
      for (const script of (taken as Profiler.TakePreciseCoverageReturnType | undefined)?.result ?? []) {
        if (!/\/(server|packages)\//.test(script.url) || script.url.includes('.test.ts')) continue;
        for (const { ranges } of script.functions)
          for (const { startOffset, count } of ranges) if (count > 0) seen.add(`${script.scriptId}:${startOffset}`);
      }
    });
    return seen.size > before;
  }

  look();
  return {
    note(input) {
      waiting.push(input);
      if (waiting.length < every) return [];
      const isNew = look();
      const found = isNew ? waiting.slice(-keptOfALook) : [];
      every = isNew ? casesBetweenLooks.min : Math.min(casesBetweenLooks.max, every * 2);
      waiting = [];
      return found;
    },
    get reached() {
      return seen.size;
    },
  };
}
