// As whom PostgreSQL runs. It refuses root, and an unprivileged user cannot look below a folder such as /root.
import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';

/** How to start a PostgreSQL program, and who must own the files it works on. */
export interface PostgresIdentity {
  readonly how: 'directly' | 'in a user namespace' | 'as an unprivileged user';
  /** Words put before the program's path. */
  readonly prefix: readonly string[];
  /** Set when the process changes user: files must be given to this uid and lie where it can reach them. */
  readonly becomes?: { readonly uid: number; readonly gid: number };
}

const programPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';

/** PostgreSQL sees nothing of our environment: messages are parsed, so they are in English, and times are UTC. */
export const programEnvironment: NodeJS.ProcessEnv = { PATH: programPath, LC_ALL: 'C', TZ: 'UTC' };

const direct: PostgresIdentity = { how: 'directly', prefix: [] };

/**
 * The ways open to this process, best first. An ordinary user runs the programs directly. Root maps itself to an
 * unprivileged uid in a user namespace, so that its files stay its own; where that is forbidden it becomes that uid.
 */
export async function listIdentities(): Promise<PostgresIdentity[]> {
  const isRoot = process.getuid!() === 0;
  if (!isRoot && hasName()) return [direct];
  const { uid, gid } = await findUnprivileged();
  const mapped: PostgresIdentity = {
    how: 'in a user namespace',
    prefix: ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--'],
  };
  // A uid without a line in /etc/passwd (some container platforms) cannot run initdb under its own number.
  if (!isRoot) return [mapped];
  return [mapped, { how: 'as an unprivileged user', prefix: [], becomes: { uid, gid } }];
}

function hasName(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}

/** An account that owns little: postgres where it exists, otherwise nobody. */
async function findUnprivileged(): Promise<{ uid: number; gid: number }> {
  const lines = await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const wanted of ['postgres', 'nobody']) {
    const fields = lines.match(new RegExp(`^${wanted}:[^:]*:(\\d+):(\\d+):`, 'm'));
    if (fields) return { uid: Number(fields[1]), gid: Number(fields[2]) };
  }
  return { uid: 65_534, gid: 65_534 };
}

export interface Outcome {
  readonly status: number | undefined;
  readonly output: string;
}

/** Runs a program to its end. Shape: what it printed on both streams, at most the last 4,000 characters. */
export async function runProgram(
  identity: PostgresIdentity,
  program: string,
  words: readonly string[],
): Promise<Outcome> {
  const [file, ...rest] = [...identity.prefix, program, ...words];
  const child = spawn(file!, rest, { ...identity.becomes, env: programEnvironment, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<{ status: number | undefined; fault?: Error }>((resolve) => {
    child.once('error', (fault) => resolve({ status: undefined, fault }));
    child.once('close', (status) => resolve({ status: status ?? undefined }));
  });
  const [out, err, end] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status: end.status, output: `${out}${err}${end.fault?.message ?? ''}`.trim().slice(-4000) };
}

/** The first folder on the way to `path` that the user may not pass through; undefined when it may pass them all. */
export async function findClosedFolder(path: string, user: { uid: number; gid: number }): Promise<string | undefined> {
  const folders: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  for (const folder of folders) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return folder;
  }
  return undefined;
}
