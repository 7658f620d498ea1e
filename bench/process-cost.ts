// What processes cost, as Linux counts it: processor time and memory of a server with all that it started.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

// USER_HZ of every Linux that Node runs on.
const ticksPerSecond = 100;
// A look walks every page of the processes, which costs those with much memory most.
const sampledEveryMs = 2000;
const leaversMs = 3000;

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
};

/** These processes and all that descend from them. */
export function treeOf(roots: readonly number[]): number[] {
  // A root may descend from another.
  const found = new Set<number>();
  const toVisit = [...roots];
  for (let pid = toVisit.pop(); pid !== undefined; pid = toVisit.pop()) {
    if (found.has(pid)) continue;
    found.add(pid);
    for (const task of listTasks(pid)) {
      const children = read(`/proc/${pid}/task/${task}/children`).trim();
      if (children !== '') toVisit.push(...children.split(' ').map(Number));
    }
  }
  return [...found];
}

const listTasks = (pid: number): string[] => {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
};

/** Processor time so far of the trees, ended children that were waited for included. Units: seconds. */
export function cpuSecondsOf(roots: readonly number[]): number {
  let ticks = 0;
  for (const pid of treeOf(roots)) {
    // proc(5): the fields after the name in brackets; utime, stime, cutime and cstime are the 14th to the 17th of all.
    const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)!.split(' ');
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return ticks / ticksPerSecond;
}

/** Memory of the trees, each shared page split among those who share it. Units: bytes. */
export function memoryBytesOf(roots: readonly number[]): number {
  let kib = 0;
  for (const pid of treeOf(roots)) kib += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
  return kib * 1024;
}

export interface Cost {
  readonly cpuSeconds: number;
  /** Highest that was seen, and how much that is above the start. */
  readonly memoryBytesMax: number;
  readonly memoryGrowthBytes: number;
}

/** Whose cost is told: memory is that of `holders`, since pages that a database reads the first time are not held for clients. */
export interface Payer {
  readonly pids: readonly number[];
  readonly holders?: readonly number[];
  /** Where the kernel keeps an account; without it the trees of the processes are added up. */
  readonly cpu?: { seconds(): number };
}

/** Does the work and tells what the server spent meanwhile. */
export async function withCost<Result>(
  { pids, holders = pids, cpu = { seconds: () => cpuSecondsOf(pids) } }: Payer,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly cost: Cost; readonly seconds: number }> {
  const memoryBytesBefore = memoryBytesOf(holders);
  const processesBefore = treeOf(pids).length;
  const cpuBefore = cpu.seconds();
  let memoryBytesMax = memoryBytesBefore;
  const look = (): void => void (memoryBytesMax = Math.max(memoryBytesMax, memoryBytesOf(holders)));
  const timer = setInterval(look, sampledEveryMs);
  const startedMs = performance.now();
  try {
    const result = await work();
    const seconds = (performance.now() - startedMs) / 1000;
    look();
    await endOfLeavers(pids, processesBefore);
    const cpuSeconds = cpu.seconds() - cpuBefore;
    return {
      result,
      seconds,
      cost: { cpuSeconds, memoryBytesMax, memoryGrowthBytes: memoryBytesMax - memoryBytesBefore },
    };
  } finally {
    clearInterval(timer);
  }
}

/** Waits until the processes that served are gone: what they do after their goodbye is their cost too. */
async function endOfLeavers(roots: readonly number[], processesBefore: number): Promise<void> {
  const untilMs = performance.now() + leaversMs;
  while (treeOf(roots).length > processesBefore && performance.now() < untilMs) await delay(20);
}
