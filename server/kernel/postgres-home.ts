// Decides where the embedded PostgreSQL lives, which programs it uses and as whom they run; remembers it for the next start.
import { randomUUID } from 'node:crypto';
import { access, chmod, constants, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { copyBinaries, findBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { describeFolder, type PostgresFolder } from './postgres-folder.ts';
import { findClosedFolder, listIdentities, type PostgresIdentity, runProgram } from './postgres-identity.ts';
import { refusals } from './rules.ts';

export interface PostgresHome {
  readonly folder: PostgresFolder;
  readonly binaries: PostgresBinaries;
  readonly identity: PostgresIdentity;
}

/** Kept as `home.json` in the data folder once a cluster had to be put elsewhere or given to another user. */
interface Pointer {
  readonly home: string;
  readonly becomes: { readonly uid: number; readonly gid: number };
}

/** Where a cluster goes that its user could not reach inside the data folder. */
const systemFolder = '/var/lib/broadgate';

/** The cluster's folder for this data folder, made or not. */
export async function findFolder(dataDir: string): Promise<PostgresFolder> {
  return describeFolder((await readPointer(dataDir))?.home ?? join(dataDir, 'postgres'));
}

const readPointer = (dataDir: string): Promise<Pointer | undefined> =>
  readFile(join(dataDir, 'postgres', 'home.json'), 'utf8').then(
    (text) => JSON.parse(text) as Pointer,
    () => undefined,
  );

/** Makes the data folder and checks that it is ours to write. Refuses: folder_not_writable, folder_of_another_user. */
export async function openDataFolder(dataDir: string): Promise<void> {
  try {
    await makeFolders(join(dataDir, 'postgres'));
    await access(join(dataDir, 'postgres'), constants.W_OK | constants.X_OK);
  } catch (fault) {
    throw refusals.folder_not_writable({ folder: dataDir, reason: (fault as Error).message });
  }
  const self = process.getuid!();
  const { uid } = await stat(join(dataDir, 'postgres'));
  if (uid !== self) throw refusals.folder_of_another_user({ folder: join(dataDir, 'postgres'), owner: uid, self });
}

/** NOTE: Node's own `recursive` never returns where a parent exists but nothing can be made in it, as below /proc. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (fault) {
    const { code } = fault as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path || (await exists(dirname(path)))) throw fault;
    await makeFolders(dirname(path));
    await makeFolders(path);
  }
}

/**
 * Takes the first way of running PostgreSQL that works here.
 * Refuses: postgres_not_shipped, postgres_not_runnable, naming what stands in the way.
 */
export async function chooseHome(
  dataDir: string,
  options: { identities?: PostgresIdentity[]; packageDir?: string; systemFolder?: string } = {},
): Promise<PostgresHome> {
  const inside = describeFolder(join(dataDir, 'postgres'));
  const pointer = await readPointer(dataDir);
  const shipped = await findBinaries(join(inside.home, 'programs'), options.packageDir);
  if (pointer) {
    const identity: PostgresIdentity = { how: 'as an unprivileged user', prefix: [], becomes: pointer.becomes };
    return settle(describeFolder(pointer.home), shipped, identity);
  }
  const hasCluster = await exists(inside.cluster);
  let refusal: Error | undefined;
  for (const identity of options.identities ?? (await listIdentities())) {
    if (identity.becomes && hasCluster) continue;
    try {
      if (!identity.becomes) return await settle(inside, shipped, identity);
      const folder = await findReachable(inside, identity.becomes, options.systemFolder ?? systemFolder);
      await mkdir(folder.home, { recursive: true });
      await chmod(folder.home, 0o711);
      const home = await settle(folder, shipped, identity);
      const text = JSON.stringify({ home: folder.home, becomes: identity.becomes } satisfies Pointer);
      await writeFile(join(inside.home, 'home.json'), text, { mode: 0o600, flush: true });
      return home;
    } catch (fault) {
      refusal = fault as Error;
    }
  }
  throw refusal ?? refusals.postgres_not_runnable({ reason: `root may not make a user namespace here` });
}

/** Proves that the programs start; where the user cannot reach them in node_modules, with a copy beside the cluster. */
async function settle(
  folder: PostgresFolder,
  shipped: PostgresBinaries,
  identity: PostgresIdentity,
): Promise<PostgresHome> {
  const first = await runProgram(identity, shipped.postgres, ['--version']);
  if (first.status === 0) return { folder, binaries: shipped, identity };
  if (!/failed to execute|EACCES|Permission denied/i.test(first.output)) {
    throw refusals.postgres_not_runnable({ reason: first.output });
  }
  const copy = await copyBinaries(shipped, join(folder.home, 'programs'));
  const second = await runProgram(identity, copy.postgres, ['--version']);
  if (second.status === 0) return { folder, binaries: copy, identity };
  throw refusals.postgres_not_runnable({ reason: second.output });
}

async function findReachable(
  inside: PostgresFolder,
  user: { uid: number; gid: number },
  system: string,
): Promise<PostgresFolder> {
  if ((await findClosedFolder(inside.home, user)) === undefined) return inside;
  const outside = describeFolder(join(system, randomUUID()));
  try {
    await mkdir(system, { recursive: true, mode: 0o711 });
    const closed = await findClosedFolder(outside.home, user);
    if (closed === undefined) return outside;
    throw new Error(`${closed} is closed to user id ${user.uid}`);
  } catch (fault) {
    const reason = `user id ${user.uid} cannot reach ${inside.home}, and ${system} does not serve instead (${(fault as Error).message})`;
    throw refusals.postgres_not_runnable({ reason });
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
