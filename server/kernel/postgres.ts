// The embedded PostgreSQL: a real server under the data folder, started, adopted when it outlived us, and stopped cleanly.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm, stat } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { resolve as resolvePath } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Clock } from './clock.ts';
import { lockFolder } from './folder-lock.ts';
import type { Log } from './log.ts';
import {
  type Access,
  explainOutput,
  isServing,
  makePrivate,
  type PostgresFolder,
  prepareCluster,
  readAccess,
  readPostmaster,
  socketFits,
  writeAccess,
} from './postgres-folder.ts';
import { chooseHome, findFolder, openDataFolder, type PostgresHome } from './postgres-home.ts';
import { programEnvironment, type PostgresIdentity } from './postgres-identity.ts';
import { keepRunning } from './postgres-keeper.ts';
import { type Random, systemRandom } from './random.ts';
import { Outage, Refusal } from './refusal.ts';
import { refusals } from './rules.ts';

export interface EmbeddedPostgres extends AsyncDisposable {
  /** Of the database `broadgate`, as its owner, who is no superuser. Holds a password: never log it. */
  readonly url: string;
  /** Of the database `postgres`, as its superuser: for tests and for restoring. */
  readonly superuserUrl: string;
  /** True when the server was already running, left over by a process that died. */
  readonly adopted: boolean;
  readonly pid: number;
  /** Stops the server: open statements are rolled back, everything committed is on disk. */
  close(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** The installation's folder; the server lives in `postgres` below it. */
  readonly dataDir: string;
  readonly random?: Random;
  /** False only for tests: commits then do not reach the disk. */
  readonly durable?: boolean;
  readonly startTimeoutMs?: number;
  readonly stopTimeoutMs?: number;
  /** Ways to run the programs, instead of those that fit this process: for tests. */
  readonly identities?: PostgresIdentity[];
  readonly packageDir?: string;
  readonly systemFolder?: string;
  /** Starts it again whenever it dies, at the same address; without this it is opened once. */
  readonly keep?: { readonly clock: Clock; readonly log: Log };
  /** Connect over loopback TCP even where a socket fits: for tests. */
  readonly overTcp?: boolean;
}

/**
 * Opens the server of a data folder, made on first use. It runs in a process group of its own, so that Ctrl-C reaches
 * only us; if we are killed it runs on and is adopted at the next call.
 * Refuses: folder_in_use, folder_not_writable, folder_of_another_user, postgres_other_major, postgres_not_runnable,
 * postgres_not_shipped.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolvePath(options.dataDir);
  await openDataFolder(dataDir);
  const lock = await lockFolder(dataDir);
  try {
    const running = await adopt(await findFolder(dataDir));
    let server = running ?? (await startFresh(await chooseHome(dataDir, options), options));
    const { folder, access } = server;
    await createDatabase(folder, access);
    const keeper =
      options.keep &&
      keepRunning({
        ...options.keep,
        isRunning: () => isServing(folder, server.pid),
        async start(signal) {
          const home = await chooseHome(dataDir, options);
          server = (await adopt(folder)) ?? { folder, access, pid: await relaunch(home, access, options, signal) };
        },
      });
    const close = closeOnce(async () => {
      try {
        await keeper?.close();
        await stop(server, options.stopTimeoutMs ?? 30_000);
      } finally {
        await lock.close();
      }
    });
    return {
      url: formatUrl(folder, access, 'broadgate', access.password, 'broadgate'),
      superuserUrl: formatUrl(folder, access, 'postgres', access.superuserPassword, 'postgres'),
      adopted: running !== undefined,
      get pid() {
        return server.pid;
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (fault) {
    await lock.close();
    throw fault;
  }
}

/** The address of the server that runs on a data folder now; undefined when none does. For commands beside a running server. */
export async function attachEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  const folder = await findFolder(resolvePath(dataDir));
  const postmaster = await readPostmaster(folder);
  if (!postmaster?.isReady || !(await isServing(folder, postmaster.pid))) return undefined;
  const access = await readAccess(folder);
  return formatUrl(folder, access, 'broadgate', access.password, 'broadgate');
}

interface Running {
  readonly folder: PostgresFolder;
  readonly access: Access;
  readonly pid: number;
}

function formatUrl(folder: PostgresFolder, access: Access, user: string, password: string, database: string): string {
  const where = access.port === undefined ? `localhost/${database}?host=${encodeURIComponent(folder.run)}` : undefined;
  return `postgres://${user}:${password}@${where ?? `127.0.0.1:${access.port}/${database}`}`;
}

/** Takes over a server that still runs on the folder, whatever became of the process that started it. */
async function adopt(folder: PostgresFolder): Promise<Running | undefined> {
  const deadlineMs = performance.now() + 60_000;
  for (;;) {
    const postmaster = await readPostmaster(folder);
    if (!postmaster) return undefined;
    if (!(await isServing(folder, postmaster.pid))) {
      // The file outlived its server. PostgreSQL would trust the number even where another program now has it.
      await rm(`${folder.cluster}/postmaster.pid`, { force: true });
      return undefined;
    }
    if (performance.now() > deadlineMs) throw refusals.folder_in_use({ folder: folder.home, pid: postmaster.pid });
    const access = await readAccess(folder);
    if (postmaster.isReady && (await answers(folder, access))) return { folder, access, pid: postmaster.pid };
    // It is starting, or it is stopping and will be gone.
    await delay(50);
  }
}

const answers = (folder: PostgresFolder, access: Access): Promise<boolean> =>
  asSuperuser(folder, access, async () => true).catch(() => false);

async function asSuperuser<R>(
  folder: PostgresFolder,
  access: Access,
  work: (client: pg.Client) => Promise<R>,
): Promise<R> {
  const connectionString = formatUrl(folder, access, 'postgres', access.superuserPassword, 'postgres');
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Each step is repeated safely, so that a start that was killed between them is completed by the next. */
async function createDatabase(folder: PostgresFolder, access: Access): Promise<void> {
  await asSuperuser(folder, access, async (client) => {
    const { rows } = await client.query<{ role: boolean; base: boolean }>(
      `select exists(select from pg_roles where rolname = 'broadgate') as role,
              exists(select from pg_database where datname = 'broadgate') as base`,
    );
    if (!rows[0]!.role) await client.query(`create role broadgate login password '${access.password}'`);
    if (!rows[0]!.base) await client.query('create database broadgate owner broadgate template template0');
  });
}

async function startFresh(home: PostgresHome, options: EmbeddedPostgresOptions): Promise<Running> {
  const { folder, identity, binaries } = home;
  const durable = options.durable ?? true;
  await prepareCluster(folder, { binaries, identity, random: options.random ?? systemRandom, durable });
  await makePrivate(folder.run, identity);
  const useSocket = socketFits(folder) && !options.overTcp;
  for (let attempt = 1; ; attempt += 1) {
    const { port: _, ...secrets } = await readAccess(folder);
    const access: Access = useSocket ? secrets : { ...secrets, port: await findFreePort() };
    await writeAccess(folder, access);
    try {
      return { folder, access, pid: await launch(home, access, durable, options.startTimeoutMs ?? startTimeoutMs) };
    } catch (fault) {
      // Between our look and its bind somebody may have taken the port; and backends of a killed server need a moment to go.
      if (!(fault instanceof Refusal && fault.code === 'folder_in_use') || attempt === 5) throw fault;
      await delay(200 * attempt);
    }
  }
}

/** Starts a prepared cluster again as it ran before, so that those who know its address find it there. */
const relaunch = (
  home: PostgresHome,
  access: Access,
  options: EmbeddedPostgresOptions,
  signal: AbortSignal,
): Promise<number> => launch(home, access, options.durable ?? true, options.startTimeoutMs ?? startTimeoutMs, signal);

async function findFreePort(): Promise<number> {
  const probe = net.createServer().listen({ port: 0, host: '127.0.0.1', exclusive: true });
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function listSettings(folder: PostgresFolder, access: Access, durable: boolean): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: access.port === undefined ? '' : '127.0.0.1',
    port: access.port ?? 5432,
    unix_socket_directories: access.port === undefined ? folder.run : '',
    unix_socket_permissions: '0700',
    max_connections: 200,
    shared_buffers: '128MB',
    max_wal_size: '1GB',
    checkpoint_timeout: '15min',
    idle_in_transaction_session_timeout: '60s',
    jit: 'off',
    // Containers give /dev/shm 64 MB, which parallel queries can exhaust; ours are short and need none.
    max_parallel_workers_per_gather: 0,
    max_parallel_maintenance_workers: 0,
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_min_messages: 'warning',
    // Statements may carry personal data: neither they nor their values reach the log.
    log_min_error_statement: 'panic',
    log_parameter_max_length: 0,
    log_checkpoints: 'off',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Above this the log starts again; it holds only faults, so a longer one helps nobody. Units: bytes. */
const logSizeBytesMax = 8 * 2 ** 20;
const startTimeoutMs = 300_000;

async function launch(
  home: PostgresHome,
  access: Access,
  durable: boolean,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<number> {
  const { folder, identity, binaries } = home;
  const logSizeBytes = await stat(folder.log).then(
    (found) => found.size,
    () => 0,
  );
  const log = await open(folder.log, logSizeBytes > logSizeBytesMax ? 'w' : 'a', 0o600);
  const from = logSizeBytes > logSizeBytesMax ? 0 : logSizeBytes;
  const settings = listSettings(folder, access, durable);
  const [file, ...words] = [...identity.prefix, binaries.postgres, '-D', folder.cluster, ...settings];
  const child = spawn(file!, words, {
    ...identity.becomes,
    cwd: '/',
    detached: true,
    env: programEnvironment,
    stdio: ['ignore', log.fd, log.fd],
  });
  child.once('error', () => undefined);
  child.unref();
  await log.close();
  await waitUntilReady(folder, child, { deadlineMs: performance.now() + timeoutMs, from, signal });
  return child.pid!;
}

async function waitUntilReady(
  folder: PostgresFolder,
  child: ChildProcess,
  limits: { deadlineMs: number; from: number; signal?: AbortSignal | undefined },
): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      const log = await readFile(folder.log);
      throw explainOutput(folder.home, log.subarray(limits.from).toString());
    }
    const postmaster = await readPostmaster(folder);
    if (postmaster?.pid === child.pid && postmaster.isReady) return;
    if (performance.now() > limits.deadlineMs || limits.signal?.aborted === true) {
      child.kill('SIGQUIT');
      throw new Outage(`PostgreSQL in ${folder.home}`);
    }
    await delay(10);
  }
}

/** Fast shutdown (SIGINT), and after the time-out an immediate one, from which the next start recovers. */
async function stop(server: Running, timeoutMs: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    try {
      process.kill(server.pid, signal);
    } catch {
      return;
    }
    const deadlineMs = performance.now() + timeoutMs;
    while (performance.now() < deadlineMs) {
      if (!(await isServing(server.folder, server.pid))) return;
      await delay(10);
    }
  }
  throw new Outage(`stopping PostgreSQL (process ${server.pid})`);
}

function closeOnce(work: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => (closing ??= work());
}
