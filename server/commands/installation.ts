// Opens what an installation stands on: its data folder, held by one server at a time, and its database.
import { mkdir } from 'node:fs/promises';
import type { Settings } from '../config.ts';
import { lockFolder } from '../kernel/folder-lock.ts';
import { attachEmbeddedPostgres, openEmbeddedPostgres } from '../kernel/postgres.ts';

export interface Installation extends AsyncDisposable {
  readonly databaseUrl: string;
  /** True when a PostgreSQL that outlived its server was taken over. */
  readonly wasAdopted: boolean;
}

/** Opens it for serving. Refuses: folder_in_use when a server already works in the folder, and what the kernel refuses. */
export async function openInstallation(settings: Settings): Promise<Installation> {
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
  if (settings.databaseUrl === undefined) {
    const postgres = await openEmbeddedPostgres({ dataDir: settings.dataDir });
    return { databaseUrl: postgres.url, wasAdopted: postgres.adopted, [Symbol.asyncDispose]: () => postgres.close() };
  }
  const lock = await lockFolder(settings.dataDir);
  return { databaseUrl: settings.databaseUrl, wasAdopted: false, [Symbol.asyncDispose]: () => lock.close() };
}

/** What is not ours to close. */
const keepOpen = async (): Promise<void> => undefined;

/** Opens it for one command: beside a running server through its database, otherwise with a database for the while. */
export async function attachInstallation(settings: Settings): Promise<Installation> {
  const url = settings.databaseUrl ?? (await attachEmbeddedPostgres(settings.dataDir));
  if (url !== undefined) return { databaseUrl: url, wasAdopted: false, [Symbol.asyncDispose]: keepOpen };
  return openInstallation(settings);
}
