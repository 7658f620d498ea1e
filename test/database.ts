// Real PostgreSQL for tests: every caller gets a migrated database of its own in a cluster that all test files share.
import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { listMigrations, migrate } from '../server/kernel/migrate.ts';
import { openEmbeddedPostgres } from '../server/kernel/postgres.ts';
import { type Database, openDatabase } from '../server/kernel/sql.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly database: Database;
  readonly url: string;
}

export interface TestCluster {
  /** The superuser's address; the test runner hands it on as BROADGATE_TEST_DATABASE_URL. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts a cluster in a temporary folder, from a copy of one that was prepared before. It does not sync to disk, and it
 * goes with this process, even a killed one: a small shell waits for the end of our pipe, then stops the server and
 * removes the folder.
 */
export async function startTestCluster(): Promise<TestCluster> {
  const prepared = await findPrepared();
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-test-'));
  // Where PostgreSQL must run as another user, that user has to pass through.
  await chmod(folder, 0o711);
  // A cluster that had to be put elsewhere knows its place and cannot be copied.
  const isMovable = !(await isThere(join(prepared, 'postgres', 'home.json')));
  if (isMovable) await promisify(execFile)('cp', ['-a', `${prepared}/postgres`, folder]);
  const postgres = await openEmbeddedPostgres({ dataDir: folder, durable: false });
  // The number alone may be another program's by then: only a PostgreSQL is ended.
  const isOurs = '[ "$(cat /proc/$1/comm 2>/dev/null)" = postgres ]';
  const script = `cat; ${isOurs} && kill -QUIT "$1"; while ${isOurs}; do sleep 0.05; done; rm -rf "$2"`;
  const guard = spawn('/bin/sh', ['-c', script, 'guard', String(postgres.pid), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
  return {
    url: postgres.superuserUrl,
    async close() {
      await postgres.close();
      guard.stdin.end();
    },
  };
}

/** A stopped cluster with the template in it, kept for the next test run as long as no migration changes. */
async function findPrepared(): Promise<string> {
  const self = process.getuid!();
  const cache = join(tmpdir(), `broadgate-test-clusters-${self}`);
  await mkdir(cache, { recursive: true, mode: 0o700 });
  if ((await stat(cache)).uid !== self) throw new Error(`${cache} belongs to somebody else: remove it`);
  const kept = join(cache, await nameTemplate());
  if (await isThere(kept)) return kept;
  await removeOld(cache);
  const fresh = await mkdtemp(join(cache, 'new-'));
  const postgres = await openEmbeddedPostgres({ dataDir: fresh, durable: false });
  try {
    await prepareTemplate(postgres.superuserUrl);
  } catch (fault) {
    await postgres.close();
    await rm(fresh, { recursive: true });
    throw fault;
  } finally {
    await closeAdmin();
    await postgres.close();
  }
  // Another process may have been quicker: its cluster is as good.
  await rename(fresh, kept).catch(() => rm(fresh, { recursive: true }));
  return kept;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** How long a cluster is kept that no test asked for: migrations change often while they are written. */
const keptMs = 6 * 3_600_000;

async function removeOld(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const found = await stat(join(cache, name)).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > keptMs) await rm(join(cache, name), { recursive: true, force: true });
  }
}

let cluster: Promise<string> | undefined;
const findCluster = (): Promise<string> =>
  (cluster ??= process.env['BROADGATE_TEST_DATABASE_URL']
    ? Promise.resolve(process.env['BROADGATE_TEST_DATABASE_URL'])
    : startTestCluster().then(({ url }) => url));

let admin: pg.Pool | undefined;
const openAdmin = (connectionString: string): pg.Pool =>
  (admin ??= new pg.Pool({ connectionString, max: 2, allowExitOnIdle: true }));

const inDatabase = (url: string, name: string): string => {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
};

async function closeAdmin(): Promise<void> {
  await admin?.end();
  admin = undefined;
}

async function nameTemplate(): Promise<string> {
  const digest = createHash('sha256');
  for (const { sha256 } of await listMigrations()) digest.update(sha256);
  return `template_${digest.digest('hex').slice(0, 16)}`;
}

let template: Promise<string> | undefined;

/** The migrated database that all others are copied from; made once a cluster, by whichever process comes first. */
async function prepareTemplate(url: string): Promise<string> {
  const name = await nameTemplate();
  const connection = await openAdmin(url).connect();
  try {
    await connection.query(`select pg_advisory_lock(hashtext('template'))`);
    const { rows } = await connection.query('select datistemplate from pg_database where datname = $1', [name]);
    if (rows[0]?.datistemplate) return name;
    // A run that was killed while it made the template left a database that is not yet marked as one.
    await connection.query(`drop database if exists ${name} with (force)`);
    await connection.query(`create database ${name} template template0`);
    const database = openDatabase({ url: inDatabase(url, name), connectionsMax: 2 });
    try {
      await migrate(database);
    } finally {
      await database.close();
    }
    await connection.query(`alter database ${name} is_template true allow_connections false`);
    return name;
  } finally {
    await connection.query(`select pg_advisory_unlock_all()`);
    connection.release();
  }
}

/** A fresh database with every migration applied, dropped when disposed of: `await using db = await openTestDatabase()`. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const server = await findCluster();
  const from = await (template ??= prepareTemplate(server));
  const name = `test_${randomBytes(8).toString('hex')}`;
  await openAdmin(server).query(`create database ${name} template ${from}`);
  const url = inDatabase(server, name);
  const database = openDatabase({ url, connectionsMax: 8 });
  return {
    database,
    url,
    async [Symbol.asyncDispose]() {
      await database.close();
      await openAdmin(server).query(`drop database ${name} with (force)`);
    },
  };
}
