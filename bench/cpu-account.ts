// Processor time of a server with everything that it ever started, as the kernel keeps it for a control group.
// A tree of processes alone forgets those that nobody waited for, as sshd does with the one that served a connection.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cpuSecondsOf, treeOf } from './process-cost.ts';

export interface CpuAccount {
  /** Units: seconds, since some moment. */
  seconds(): number;
  close(): void;
}

/** Version 1 and version 2 of the kernel's control groups, where they are usually mounted. */
const hierarchies = [
  {
    root: '/sys/fs/cgroup/cpuacct',
    read: (folder: string): number => Number(readFileSync(path.join(folder, 'cpuacct.usage'), 'utf8')) / 1e9,
  },
  {
    root: '/sys/fs/cgroup',
    read: (folder: string): number =>
      Number(/^usage_usec (\d+)/m.exec(readFileSync(path.join(folder, 'cpu.stat'), 'utf8'))?.[1]) / 1e6,
  },
];

let groups = 0;

/** Puts running processes into a group of their own; what they start later is in it too. Where that may not be, `/proc` has to do. */
export function openCpuAccount(roots: readonly number[]): CpuAccount {
  for (const { root, read } of hierarchies) {
    if (!existsSync(path.join(root, 'cgroup.procs'))) continue;
    const folder = path.join(root, `broadgate-bench-${process.pid}-${(groups += 1)}`);
    try {
      mkdirSync(folder);
      // One that has ended meanwhile is no fault, a root that cannot be moved is.
      for (const pid of treeOf(roots)) {
        try {
          writeFileSync(path.join(folder, 'cgroup.procs'), String(pid));
        } catch (fault) {
          if (roots.includes(pid)) throw fault;
        }
      }
      read(folder);
    } catch {
      continue;
    }
    return {
      seconds: () => read(folder),
      close() {
        try {
          rmdirSync(folder);
        } catch {
          // Something of the server still ends; an empty group is left behind, which costs nothing.
        }
      },
    };
  }
  return { seconds: () => cpuSecondsOf(roots), close: () => undefined };
}
