// The demo's data folder: only one that it made itself is used, and what scripts and people need lies in `demo/` below it.
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { refusals } from '../commands/rules.ts';

/** What the demo remembers of its broker; written when the seeding began and again when it was done. */
export interface DemoFacts {
  readonly state: 'seeding' | 'seeded';
  readonly people: readonly DemoLogin[];
  /** The user name that the delivery desk issued to the fund. */
  readonly sftpUser: string;
  /** A statement that lies in the fund's repository. */
  readonly statementName: string;
}

export interface DemoLogin {
  readonly key: string;
  readonly login: string;
  readonly password: string;
}

/** Absolute paths of everything in `demo/`. */
export interface DemoFiles {
  readonly folder: string;
  readonly facts: string;
  readonly people: string;
  readonly sshKey: string;
  readonly strangeSshKey: string;
  readonly openPgpKey: string;
  readonly openPgpCertificate: string;
  readonly brokerCertificate: string;
  readonly knownHosts: string;
  readonly gnupgHome: string;
  passwordOf(login: string): string;
}

export function demoFiles(dataDir: string): DemoFiles {
  const folder = join(dataDir, 'demo');
  const file = (name: string): string => join(folder, name);
  return {
    folder,
    facts: file('demo.json'),
    people: file('people.json'),
    sshKey: file('alderrock-ssh-key'),
    strangeSshKey: file('wrong-ssh-key'),
    openPgpKey: file('alderrock-openpgp-key.asc'),
    openPgpCertificate: file('alderrock-openpgp-public.asc'),
    brokerCertificate: file('broker-openpgp-public.asc'),
    knownHosts: file('known_hosts'),
    gnupgHome: file('gnupg'),
    passwordOf: (login) => file(`${login}.password`),
  };
}

/**
 * Shape: the facts of a folder that the demo made before; undefined for an empty one.
 * Refuses: demo_folder_foreign for any other.
 */
export async function openDemoFolder(dataDir: string): Promise<DemoFacts | undefined> {
  const found = await readFile(demoFiles(dataDir).facts, 'utf8').catch(() => undefined);
  if (found !== undefined) return JSON.parse(found) as DemoFacts;
  const names = await readdir(dataDir).catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === 'ENOENT') return [];
    throw fault;
  });
  if (names.length > 0) throw refusals.demo_folder_foreign({ folder: dataDir });
  return undefined;
}

/** Marks the folder as the demo's before anything else is in it, so that a start that was cut off can begin again. */
export async function markSeeding(files: DemoFiles): Promise<void> {
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  await chmod(files.folder, 0o700);
  await writeFacts(files, { state: 'seeding', people: [], sftpUser: '', statementName: '' });
}

export const writeFacts = (files: DemoFiles, facts: DemoFacts): Promise<void> =>
  writePrivate(files.facts, `${JSON.stringify(facts)}\n`);

/** Takes away what an earlier, unfinished seeding left beside the database. */
export async function clearUnfinished(dataDir: string): Promise<void> {
  for (const name of ['blobs', 'master.key']) await rm(join(dataDir, name), { recursive: true, force: true });
}

/** Writes a file that only its owner reads, whole or not at all. */
export async function writePrivate(file: string, content: string): Promise<void> {
  await writeFile(`${file}.partial`, content, { mode: 0o600 });
  await rename(`${file}.partial`, file);
}
