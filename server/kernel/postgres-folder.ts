// What lies in the folder of the embedded PostgreSQL, and how a cluster comes to be there whole or not at all.
import { chown, lchown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { runProgram, type PostgresIdentity } from './postgres-identity.ts';
import { randomToken, type Random } from './random.ts';
import { Outage } from './refusal.ts';
import { refusals } from './rules.ts';

/** Where everything is, below `home`. */
export interface PostgresFolder {
  readonly home: string;
  readonly cluster: string;
  /** Holds the socket; only its owner may enter. */
  readonly run: string;
  readonly log: string;
  readonly accessFile: string;
}

/** How we get in: kept beside the cluster, readable by the owner only. */
export interface Access {
  readonly password: string;
  readonly superuserPassword: string;
  /** The TCP port last used; absent where the socket is used. */
  readonly port?: number;
}

export const describeFolder = (home: string): PostgresFolder => ({
  home,
  cluster: join(home, 'cluster'),
  run: join(home, 'run'),
  log: join(home, 'postgres.log'),
  accessFile: join(home, 'access.json'),
});

/** The socket's path must fit sockaddr_un: 108 bytes with the closing NUL (unix(7)). */
export const socketFits = (folder: PostgresFolder): boolean =>
  Buffer.byteLength(join(folder.run, '.s.PGSQL.5432')) <= 107;

export const readAccess = async (folder: PostgresFolder): Promise<Access> =>
  JSON.parse(await readFile(folder.accessFile, 'utf8')) as Access;

/** Replaces the access file as a whole. */
export async function writeAccess(folder: PostgresFolder, access: Access): Promise<void> {
  const fresh = `${folder.accessFile}.partial`;
  await writeFile(fresh, `${JSON.stringify(access)}\n`, { mode: 0o600, flush: true });
  await rename(fresh, folder.accessFile);
}

/** Major version that wrote the cluster; undefined when there is none yet. */
export const readMajor = (folder: PostgresFolder): Promise<string | undefined> =>
  readFile(join(folder.cluster, 'PG_VERSION'), 'utf8').then(
    (text) => text.trim(),
    (fault: NodeJS.ErrnoException) => {
      if (fault.code === 'ENOENT') return undefined;
      throw refusals.folder_not_writable({ folder: folder.cluster, reason: fault.message });
    },
  );

/**
 * Makes the cluster where there is none: initialised beside its place and moved there when complete, so that a start
 * that was killed leaves nothing half made. Refuses: postgres_other_major, postgres_not_runnable.
 */
export async function prepareCluster(
  folder: PostgresFolder,
  parts: { binaries: PostgresBinaries; identity: PostgresIdentity; random: Random; durable: boolean },
): Promise<void> {
  const found = await readMajor(folder);
  if (found !== undefined) {
    if (found === parts.binaries.major) return;
    throw refusals.postgres_other_major({ folder: folder.cluster, found, expected: parts.binaries.major });
  }
  for (const name of await readdir(folder.home)) {
    if (name.endsWith('.partial')) await rm(join(folder.home, name), { recursive: true, force: true });
  }
  const access = { password: randomToken(parts.random), superuserPassword: randomToken(parts.random) };
  const fresh = `${folder.cluster}.partial`;
  const passwordFile = `${folder.home}/password.partial`;
  await writeFile(passwordFile, `${access.superuserPassword}\n`, { mode: 0o600 });
  await mkdir(fresh, { mode: 0o700 });
  await giveTo(parts.identity, passwordFile, fresh);
  const words = '--username postgres --auth scram-sha-256 --encoding UTF8 --locale C --locale-provider builtin'.split(
    ' ',
  );
  words.push('--builtin-locale', 'C.UTF-8', '--no-instructions', '--pgdata', fresh, '--pwfile', passwordFile);
  if (!parts.durable) words.push('--no-sync');
  const outcome = await runProgram(parts.identity, parts.binaries.initdb, words);
  await rm(passwordFile, { force: true });
  if (outcome.status !== 0) {
    await rm(fresh, { recursive: true, force: true });
    throw explainOutput(folder.home, outcome.output);
  }
  await writeAccess(folder, access);
  await rename(fresh, folder.cluster);
  if (parts.durable) await syncFolder(folder.home);
}

/** Gives files to the user that PostgreSQL runs as, where that is not ours. */
export async function giveTo(identity: PostgresIdentity, ...paths: string[]): Promise<void> {
  if (identity.becomes) for (const path of paths) await lchown(path, identity.becomes.uid, identity.becomes.gid);
}

async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

/** The postmaster's own file: who serves the cluster, and whether it takes connections. */
export interface Postmaster {
  readonly pid: number;
  readonly isReady: boolean;
}

/** Shape: undefined when no postmaster.pid is there, or only its first half was written. */
export async function readPostmaster(folder: PostgresFolder): Promise<Postmaster | undefined> {
  const lines = (await readFile(join(folder.cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0 ? { pid, isReady: lines[7]?.trim() === 'ready' } : undefined;
}

/**
 * True when that process is a live PostgreSQL on this very cluster. A process id alone proves nothing: after a reboot
 * another program may have it, and PostgreSQL itself would then refuse to start.
 */
export async function isServing(folder: PostgresFolder, pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  if (!/^Name:\s+postgres$/m.test(status) || /^State:\s+Z/m.test(status)) return false;
  const [theirs, ours] = await Promise.all([stat(`/proc/${pid}/cwd`).catch(() => undefined), stat(folder.cluster)]);
  return theirs === undefined || (theirs.dev === ours.dev && theirs.ino === ours.ino);
}

/** Turns what a PostgreSQL program printed before it gave up into what its operator can do. */
export function explainOutput(folder: string, output: string): Error {
  const lines = output.split('\n').filter((line) => /error|fatal|panic|could not|cannot/i.test(line));
  const reason = (lines.at(-1) ?? output).replace(/^.*?(error|FATAL|PANIC):\s*/, '').trim();
  if (/No space left on device|Disk quota exceeded/.test(output)) return new Outage(`room on the disk of ${folder}`);
  if (/Permission denied|Read-only file system|wrong ownership|invalid permissions/.test(output)) {
    return refusals.folder_not_writable({ folder, reason });
  }
  if (/pre-existing shared memory block|lock file ".*" already exists|Address already in use/.test(output)) {
    return refusals.folder_in_use({ folder, pid: output.match(/PID (\d+)/)?.[1] ?? 'unknown' });
  }
  return refusals.postgres_not_runnable({ reason: reason || 'it ended without a word' });
}

/** Makes a folder of ours that only its owner may enter. */
export async function makePrivate(path: string, identity: PostgresIdentity): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (identity.becomes) await chown(path, identity.becomes.uid, identity.becomes.gid);
}
