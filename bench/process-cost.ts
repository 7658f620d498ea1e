// What processes cost, as Linux counts it: processor time and memory of a server with all that it started.
import { readdirSync, readFileSync } from 'node:fs';

// USER_HZ of every Linux that Node runs on.
const ticksPerSecond = 100;
const sampledEveryMs = 250;

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
  const found: number[] = [];
  const toVisit = [...roots];
  for (let pid = toVisit.pop(); pid !== undefined; pid = toVisit.pop()) {
    found.push(pid);
    for (const task of listTasks(pid)) {
      const children = read(`/proc/${pid}/task/${task}/children`).trim();
      if (children !== '') toVisit.push(...children.split(' ').map(Number));
    }
  }
  return found;
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

/** Does the work and tells what the trees spent meanwhile. */
export async function withCost<Result>(
  roots: readonly number[],
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly cost: Cost; readonly seconds: number }> {
  const memoryBytesBefore = memoryBytesOf(roots);
  const cpuBefore = cpuSecondsOf(roots);
  let memoryBytesMax = memoryBytesBefore;
  const look = (): void => void (memoryBytesMax = Math.max(memoryBytesMax, memoryBytesOf(roots)));
  const timer = setInterval(look, sampledEveryMs);
  const startedMs = performance.now();
  try {
    const result = await work();
    const seconds = (performance.now() - startedMs) / 1000;
    look();
    const cpuSeconds = cpuSecondsOf(roots) - cpuBefore;
    return {
      result,
      seconds,
      cost: { cpuSeconds, memoryBytesMax, memoryGrowthBytes: memoryBytesMax - memoryBytesBefore },
    };
  } finally {
    clearInterval(timer);
  }
}
