// Keeps worker threads and gives them jobs: started when needed, replaced when they crash, their jobs tried once more.
import { Worker } from 'node:worker_threads';
import { Outage } from '../../kernel/refusal.ts';
import type { WorkerAnswer, WorkerJob } from './encryption-worker.ts';

export interface Task {
  /** Makes the message anew for every attempt, because what is transferred is gone. */
  readonly prepare: () => { job: WorkerJob; transfer: readonly Transferable[] };
  /** False for streams, which wait for others and share a worker meanwhile. */
  readonly takesTurn: boolean;
  /** Asked when the worker crashed: false for what has been read and cannot be read again. */
  readonly mayRetry: () => boolean;
  /** Told when a worker begins. */
  readonly onStart?: (worker: Worker) => void;
}

export type Outcome = Exclude<WorkerAnswer, { started: true }>;

type Transferable = NonNullable<Parameters<Worker['postMessage']>[1]>[number];

interface Entry {
  readonly task: Task;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (fault: unknown) => void;
  attempts: number;
}

interface Slot {
  readonly worker: Worker;
  readonly taken: Map<number, Entry>;
  /** Tasks that take turns. */
  turns: number;
}

export interface Lane {
  /** Refuses: an Outage when too many wait, when the lane is closed, or when the worker crashed twice. */
  run(task: Task): Promise<Outcome>;
  close(): Promise<void>;
}

const outage = (): Outage => new Outage('encryption workers', { retryAfterMs: 1000 });

export function createLane(options: {
  workers: number;
  /** Tasks given to a worker at once; two, so that it finds the next when it has finished one. */
  turnsMax: number;
  waitingMax: number;
  signingKey: Uint8Array | undefined;
}): Lane {
  const slots = new Set<Slot>();
  const waiting: Entry[] = [];
  let nextJobId = 0;
  let closed = false;

  function open(): Slot {
    // NOTE: an empty environment keeps the server's settings, secrets among them, out of the thread.
    const worker = new Worker(new URL('./encryption-worker.ts', import.meta.url), {
      workerData: { signingKey: options.signingKey },
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    const slot: Slot = { worker, taken: new Map(), turns: 0 };
    worker.on('message', (answer: WorkerAnswer) => finish(slot, answer));
    // An error is always followed by the exit, where its tasks are taken up again.
    worker.on('error', () => {});
    worker.on('exit', () => replace(slot));
    slots.add(slot);
    return slot;
  }

  function finish(slot: Slot, answer: WorkerAnswer): void {
    const entry = slot.taken.get(answer.jobId);
    if (!entry) return;
    if ('started' in answer) return entry.task.onStart?.(slot.worker);
    slot.taken.delete(answer.jobId);
    if (entry.task.takesTurn) slot.turns--;
    if (slot.taken.size === 0) slot.worker.unref();
    entry.resolve(answer);
    dispatch();
  }

  function replace(slot: Slot): void {
    slots.delete(slot);
    for (const entry of [...slot.taken.values()].toReversed()) {
      if (closed || entry.attempts > 1 || !entry.task.mayRetry()) entry.reject(outage());
      else waiting.unshift(entry);
    }
    dispatch();
  }

  function dispatch(): void {
    for (let entry = waiting[0]; entry; entry = waiting[0]) {
      const slot = findSlot(entry.task);
      if (!slot) return;
      waiting.shift();
      give(slot, entry);
    }
  }

  /** The least busy worker, a new one before a busy one. */
  function findSlot(task: Task): Slot | undefined {
    const [least] = [...slots].sort((a, b) => a.taken.size - b.taken.size);
    if (least?.taken.size === 0) return least;
    if (slots.size < options.workers) return open();
    if (!task.takesTurn) return least;
    return [...slots].filter((slot) => slot.turns < options.turnsMax).sort((a, b) => a.turns - b.turns)[0];
  }

  function give(slot: Slot, entry: Entry): void {
    const jobId = nextJobId++;
    entry.attempts++;
    slot.taken.set(jobId, entry);
    if (entry.task.takesTurn) slot.turns++;
    slot.worker.ref();
    const { job, transfer } = entry.task.prepare();
    slot.worker.postMessage({ jobId, job }, transfer);
  }

  return {
    async run(task) {
      if (closed || waiting.length >= options.waitingMax) throw outage();
      return await new Promise<Outcome>((resolve, reject) => {
        waiting.push({ task, resolve, reject, attempts: 0 });
        dispatch();
      });
    },
    async close() {
      closed = true;
      for (const entry of waiting.splice(0)) entry.reject(outage());
      // Tasks that take turns are short and finish; streams are cut, as their readers are told.
      const short = [...slots].flatMap((slot) => [...slot.taken.values()].filter((entry) => entry.task.takesTurn));
      await Promise.all(short.map(settled));
      await Promise.all([...slots].map((slot) => slot.worker.terminate()));
    },
  };
}

/** Resolves when the entry has its answer, good or not. */
function settled(entry: Entry): Promise<void> {
  return new Promise((done) => {
    const { resolve, reject } = entry;
    Object.assign(entry, {
      resolve(outcome: Outcome) {
        resolve(outcome);
        done();
      },
      reject(fault: unknown) {
        reject(fault);
        done();
      },
    });
  });
}
