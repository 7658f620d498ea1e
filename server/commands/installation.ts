// Opens what an installation stands on: its data folder, held by one server at a time, and its database.
import { mkdir, stat } from 'node:fs/promises';
import type { Settings } from '../config.ts';
import { lockFolder } from '../kernel/folder-lock.ts';
import { attachEmbeddedPostgres, type EmbeddedPostgresOptions, openEmbeddedPostgres } from '../kernel/postgres.ts';
import { refusals } from '../kernel/rules.ts';
import { findAccount, giveFolder } from './accounts.ts';

export interface Installation extends AsyncDisposable {
  readonly databaseUrl: string;
  /** True when a PostgreSQL that outlived its server was taken over. */
  readonly wasAdopted: boolean;
}

/**
 * Opens it for serving; with `keep`, an embedded database that dies is started again.
 * Refuses: folder_in_use when a server already works in the folder, and what the kernel refuses.
 */
export async function openInstallation(
  settings: Settings,
  keep?: EmbeddedPostgresOptions['keep'],
): Promise<Installation> {
  await becomeOwner(settings);
  if (settings.databaseUrl === undefined) {
    const postgres = await openEmbeddedPostgres({ dataDir: settings.dataDir, ...(keep === undefined ? {} : { keep }) });
    return { databaseUrl: postgres.url, wasAdopted: postgres.adopted, [Symbol.asyncDispose]: () => postgres.close() };
  }
  await makeFolder(settings.dataDir);
  const lock = await lockFolder(settings.dataDir);
  return { databaseUrl: settings.databaseUrl, wasAdopted: false, [Symbol.asyncDispose]: () => lock.close() };
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((fault: Error) => {
    throw refusals.folder_not_writable({ folder, reason: fault.message });
  });
}

/** What is not ours to close. */
const keepOpen = async (): Promise<void> => undefined;

/** Opens it for one command: beside a running server through its database, otherwise with a database for the while. */
export async function attachInstallation(settings: Settings): Promise<Installation> {
  await becomeOwner(settings);
  const url = settings.databaseUrl ?? (await attachEmbeddedPostgres(settings.dataDir));
  if (url !== undefined) return { databaseUrl: url, wasAdopted: false, [Symbol.asyncDispose]: keepOpen };
  return openInstallation(settings);
}

/**
 * Root works in a data folder as the user it belongs to, so that nothing in it ends up belonging to root. A folder that
 * is not there yet belongs to the user that BROADGATE_RUN_AS names, if it names one.
 */
async function becomeOwner(settings: Settings): Promise<void> {
  if (process.getuid!() !== 0) return;
  if (settings.runAs !== undefined) await giveFolder(settings.dataDir, await findAccount(settings.runAs));
  const folder = await stat(settings.dataDir).catch(() => undefined);
  if (folder === undefined || folder.uid === 0) return;
  process.setgroups!([folder.gid]);
  process.setgid!(folder.gid);
  process.setuid!(folder.uid);
}
