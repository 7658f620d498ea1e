// Where a benchmark ran: the machine, what it was doing at the start, and the versions of what was measured.
import { execFileSync } from 'node:child_process';
import os from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly openssl: string;
  /** What is measured, as the version control names it. */
  readonly ours: string;
}

export function describeMachine(folder: string): Machine {
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGib: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
    ours: nameVersion(folder),
  };
}

function nameVersion(folder: string): string {
  try {
    return execFileSync('git', ['-C', folder, 'describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

/** The load average of the last minute. */
export const loadNow = (): number => Math.round(os.loadavg()[0]! * 100) / 100;
