// Two orders for work that must not overtake: one after the other, and readers beside each other but not beside a writer.

/** Work never throws and never rejects: it answers its own request. Undefined: it was done at once. */
export interface Work {
  run(): Promise<void> | undefined;
}

export interface WorkQueue {
  push(work: Work): void;
  /** The newest work that has not begun. */
  readonly last: Work | undefined;
}

/** Runs one piece of work after the other, the first at once. */
export function createWorkQueue(): WorkQueue {
  const waiting: Work[] = [];
  let isRunning = false;

  function next(): void {
    while (!isRunning) {
      const work = waiting.shift();
      if (!work) return;
      // Set first: work that is done at once may push more, which then waits for this loop.
      isRunning = true;
      const done = work.run();
      if (done) return void done.then(goOn);
      isRunning = false;
    }
  }

  function goOn(): void {
    isRunning = false;
    next();
  }

  return {
    push(work) {
      waiting.push(work);
      next();
    },
    get last() {
      return waiting.at(-1);
    },
  };
}

export interface PathOrder {
  /** Runs beside other shared work, but after every exclusive work that was given before it. */
  shared(work: () => Promise<void>): void;
  /** Runs alone, after everything that was given before it. */
  exclusive(work: () => Promise<void>): void;
}

/**
 * Keeps requests on paths from overtaking where it matters: a client that sends REMOVE and OPEN of one name without
 * waiting means them in this order (draft-ietf-secsh-filexfer-02 §6.1), while many STATs may run at once.
 */
export function createPathOrder(): PathOrder {
  const waiting: { readonly isExclusive: boolean; readonly work: () => Promise<void> }[] = [];
  let sharedRunning = 0;
  let exclusiveRunning = false;

  function next(): void {
    for (;;) {
      const first = waiting[0];
      if (!first || exclusiveRunning || (first.isExclusive && sharedRunning > 0)) return;
      waiting.shift();
      if (first.isExclusive) exclusiveRunning = true;
      else sharedRunning++;
      void run(first);
    }
  }

  async function run({ isExclusive, work }: (typeof waiting)[number]): Promise<void> {
    await work();
    if (isExclusive) exclusiveRunning = false;
    else sharedRunning--;
    next();
  }

  const give = (isExclusive: boolean, work: () => Promise<void>): void => {
    waiting.push({ isExclusive, work });
    next();
  };
  return { shared: (work) => give(false, work), exclusive: (work) => give(true, work) };
}
