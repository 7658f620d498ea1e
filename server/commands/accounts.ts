// The users of this machine that an installation can belong to, and the making of a folder that belongs to one.
import { chown, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { refusals } from './rules.ts';

export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** By name or number. Refuses: run_as_unknown. */
export async function findAccount(user: string): Promise<Account> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const row = lines.find(([name, , uid]) => name === user || uid === user);
  if (!row) throw refusals.run_as_unknown({ user });
  return { uid: Number(row[2]), gid: Number(row[3]), home: row[5] ?? '/' };
}

/** Makes the folder for that user, closed to others; one that is there already is left as it is. */
export async function giveFolder(folder: string, account: Account): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw fault;
  }
  await chown(folder, account.uid, account.gid);
}
