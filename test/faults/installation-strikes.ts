// What breaks of a whole installation: processes that are killed or stopped, and disks that are full or read-only.
import { readFileSync } from 'node:fs';
import { randomBelow } from '../../server/kernel/random.ts';
import { eventually } from '../eventually.ts';
import type { Site } from './installation-round.ts';

const pause = (delayMs: number): Promise<void> => new Promise((over) => setTimeout(over, delayMs));

/** Signals a process that this test started; one that is gone already is no fault. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'ESRCH') throw fault;
  }
}

const childrenOf = (pid: number): number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

/** Stops the processes for a moment: their sockets take connections, and nothing is answered. */
async function stall(pids: readonly number[], forMs: number): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGSTOP');
  await pause(forMs);
  for (const pid of pids) signal(pid, 'SIGCONT');
}

type Strike = (site: Site) => Promise<void>;

export const siteStrikes = {
  'a worker is killed': async ({ installation, random }) => {
    const workers = installation.workers();
    signal(workers[randomBelow(random, workers.length)]!, 'SIGKILL');
  },
  'all workers are killed': async ({ installation }) => installation.workers().forEach((pid) => signal(pid, 'SIGKILL')),
  'the supervisor is killed': async (site) => {
    signal(site.installation.pid, 'SIGKILL');
    await site.reopen();
  },
  'everything is killed': async (site) => {
    await site.installation.kill({ database: true });
    await site.reopen();
  },
  'PostgreSQL is killed': async ({ installation }) => signal(await installation.databasePid(), 'SIGKILL'),
  /** PostgreSQL ends all others too, and recovers by itself. */
  'a backend of PostgreSQL is killed': async ({ installation, random }) => {
    const backends = childrenOf(await installation.databasePid());
    signal(backends[randomBelow(random, backends.length)]!, 'SIGKILL');
  },
  'PostgreSQL is shut down': async ({ installation }) => signal(await installation.databasePid(), 'SIGINT'),
  'PostgreSQL stalls': async ({ installation, random }) => {
    const pid = await installation.databasePid();
    await stall([pid, ...childrenOf(pid)], 1000 + randomBelow(random, 4000));
  },
  'the disk of the data is full': async ({ dataDisk, random }) => {
    if (dataDisk === undefined) return;
    dataDisk.fill(randomBelow(random, 300_000));
    await pause(2000 + randomBelow(random, 3000));
    dataDisk.empty();
  },
  'the disk of the blobs is full': async ({ blobDisk, random }) => {
    if (blobDisk === undefined) return;
    blobDisk.fill(randomBelow(random, 300_000));
    await pause(2000 + randomBelow(random, 3000));
    blobDisk.empty();
  },
  'the disk of the blobs is read-only': async ({ blobDisk, random }) => {
    if (blobDisk === undefined) return;
    // The kernel wants a moment in which no file is open for writing.
    await eventually(blobDisk.freeze, { timeoutMs: 5000, pauseMsMax: 10 }).catch(() => undefined);
    await pause(1000 + randomBelow(random, 3000));
    blobDisk.thaw();
  },
} satisfies Record<string, Strike>;

export type SiteStrikeName = keyof typeof siteStrikes;
export const siteStrikeNames = Object.keys(siteStrikes) as SiteStrikeName[];
