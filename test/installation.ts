// A whole installation as its operator runs it: `serve` in its own processes, on ports that the system picks.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Parts } from '../server/app.ts';
import { readSettings } from '../server/config.ts';
import { silentLog } from '../server/kernel/log.ts';
import { attachEmbeddedPostgres } from '../server/kernel/postgres.ts';
import { readPostmaster } from '../server/kernel/postgres-folder.ts';
import { findFolder } from '../server/kernel/postgres-home.ts';
import { eventually } from './eventually.ts';

const root = path.join(import.meta.dirname, '..');

/** The file that a running server keeps in its data folder. */
export interface RunFile {
  readonly pid: number;
  readonly httpsPort: number;
  readonly sftpPort: number;
}

export interface InstallationOptions {
  readonly command?: 'serve' | 'demo';
  /** Settings beside the data folder and the ports. */
  readonly env?: Readonly<Record<string, string>>;
  /** True for what a default installation has: its own ports and addresses, one worker a core. */
  readonly isDefault?: boolean;
  /** Words before the program, instead of those that make it another user's. */
  readonly prefix?: readonly string[];
  /** Words before a command of the installation, where it must run in another place than this process. */
  readonly commandPrefix?: (serverPid: number) => readonly string[];
  /** A process group of its own, as a shell gives to what it runs in the foreground. */
  readonly isOwnGroup?: boolean;
  /** A folder that is kept and served again; without it one is made, and removed at the end. */
  readonly dataDir?: string;
}

/** The words before a command that make it another user's where this one is root: PostgreSQL and `serve` refuse root. */
export const asUser: readonly string[] =
  process.getuid?.() === 0 && spawnSync('unshare', ['--user', '--map-user=1000', 'true']).status === 0
    ? ['unshare', '--user', '--map-user=1000']
    : [];

const fixedEnvironment = {
  BROADGATE_HTTPS_PORT: '0',
  BROADGATE_SFTP_PORT: '0',
  BROADGATE_SFTP_ADDRESS: '127.0.0.1',
  // Where it matters that there are several, the test says so.
  BROADGATE_WORKERS: '1',
  // Journeys of programs need no pages; those of browsers turn them on.
  BROADGATE_PORTAL: 'off',
};

/** Starts a server and waits until it has written `run.json`. Refuses: a server that ends first, with what it printed. */
export async function openInstallation(options: InstallationOptions = {}) {
  const isOwn = options.dataDir === undefined;
  const dataDir = options.dataDir ?? path.join(mkdtempSync(path.join(tmpdir(), 'broadgate-')), 'data');
  const environment: Record<string, string> = {
    ...(options.isDefault === true ? {} : fixedEnvironment),
    ...options.env,
    BROADGATE_DATA_DIR: dataDir,
  };
  if (isOwn) chmodSync(path.dirname(dataDir), 0o755);
  const { child, output } = start([path.join(root, 'server/main.ts'), options.command ?? 'serve'], environment, {
    prefix: options.prefix,
    isOwnGroup: options.isOwnGroup,
  });
  const ended = new Promise<never>((_, failed) => {
    child.once('exit', (code, signal) => failed(new Error(`the server ended (${signal ?? code}):\n${output()}`)));
  });
  ended.catch(() => undefined);
  const isServing = (): RunFile | undefined => {
    const runFile = readRunFile(dataDir);
    // A server that was killed leaves its file, and the next one takes it away only after a moment.
    if (runFile?.pid !== child.pid) return undefined;
    const isSeeded = options.command !== 'demo' || existsSync(path.join(dataDir, 'demo/people.json'));
    return isSeeded ? runFile : undefined;
  };
  const runFile = await Promise.race([ended, eventually(isServing, { timeoutMs: 90_000 })]);

  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const exit = (): Promise<void> =>
    isOver() ? Promise.resolve() : new Promise((done) => child.once('exit', () => done()));
  return {
    dataDir,
    ...runFile,
    url: `http://127.0.0.1:${runFile.httpsPort}`,
    environment,
    output,
    /** Stops it as Ctrl-C would. */
    async stop(): Promise<void> {
      process.kill(runFile.pid, 'SIGINT');
      await exit();
    },
    /** Ends the supervisor and its workers as a power cut would; the database is left behind unless it is named too. */
    async kill(options: { database?: boolean } = {}): Promise<void> {
      const database = options.database === true ? [await readDatabasePid(dataDir)] : [];
      for (const pid of [runFile.pid, ...workersOf(runFile.pid), ...database]) killQuietly(pid);
      await exit();
    },
    /** Ends when the server does. */
    exit,
    /** Process numbers of the workers. */
    workers: () => workersOf(runFile.pid),
    /** Process number of the embedded PostgreSQL. */
    databasePid: () => readDatabasePid(dataDir),
    /** The operations below the faces, in this process and beside the server: for bulk work and for a look inside. */
    async openParts(): Promise<Parts> {
      const databaseUrl = await attachEmbeddedPostgres(dataDir);
      if (databaseUrl === undefined) throw new Error(`no database serves ${dataDir}`);
      const { openParts } = await import('../server/app.ts');
      return openParts({ settings: readSettings(environment), databaseUrl }, silentLog);
    },
    /** Runs a command of the installation, as its operator would. */
    command: (...args: readonly string[]) => runCommand(args, environment, options.commandPrefix?.(runFile.pid)),
    async [Symbol.asyncDispose]() {
      if (!isOver()) killQuietly(runFile.pid, 'SIGTERM');
      await Promise.race([exit(), new Promise((done) => setTimeout(done, 20_000).unref())]);
      if (!isOver()) for (const pid of [...childrenOf(runFile.pid), runFile.pid]) killQuietly(pid);
      if (isOwn) rmSync(path.dirname(dataDir), { recursive: true, force: true });
    },
  };
}

export type Installation = Awaited<ReturnType<typeof openInstallation>>;

interface Started {
  readonly child: ChildProcess;
  /** Everything printed so far, as a terminal shows it. */
  output(): string;
  stdout(): string;
}

function start(
  args: readonly string[],
  environment: Record<string, string>,
  how: { readonly prefix?: readonly string[] | undefined; readonly isOwnGroup?: boolean | undefined } = {},
): Started {
  const [file, ...words] = [...(how.prefix ?? asUser), process.execPath, ...args];
  const child = spawn(file!, words, {
    env: cleanEnvironment(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: how.isOwnGroup ?? false,
  });
  const [chunks, out]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (bytes: Buffer) => void [chunks.push(bytes), out.push(bytes)]);
  child.stderr.on('data', (bytes: Buffer) => chunks.push(bytes));
  const textOf = (list: readonly Buffer[]) => () => Buffer.concat(list).toString();
  return { child, output: textOf(chunks), stdout: textOf(out) };
}

/** What a fresh shell would have: the runner's own settings are no settings of the server. */
function cleanEnvironment(environment: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(BROADGATE_|NODE_TEST_CONTEXT|NODE_OPTIONS)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...environment };
}

interface Ended {
  /** The exit status; -1 where a signal ended it. */
  readonly status: number;
  readonly output: string;
  readonly stdout: string;
}

async function toEnd({ child, output, stdout }: Started): Promise<Ended> {
  const status = await new Promise<number>((done) => child.once('close', (code) => done(code ?? -1)));
  return { status, output: output(), stdout: stdout() };
}

const runCommand = (
  args: readonly string[],
  environment: Record<string, string>,
  prefix?: readonly string[],
): Promise<Ended> => toEnd(start([path.join(root, 'cli/main.ts'), ...args], environment, { prefix }));

/** Runs a command on an installation that may not be serving. */
export const commandOn = (
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> => runCommand(args, { ...fixedEnvironment, ...env, BROADGATE_DATA_DIR: dataDir });

/** A start that is refused: runs until the server ends by itself. */
export const startInVain = (
  dataDir: string,
  options: Pick<InstallationOptions, 'command' | 'env' | 'prefix'> = {},
): Promise<Ended> => {
  const environment = { ...fixedEnvironment, ...options.env, BROADGATE_DATA_DIR: dataDir };
  return toEnd(start([path.join(root, 'server/main.ts'), options.command ?? 'serve'], environment, options));
};

/** Shape: undefined where no server has written it, or it was taken away again. */
export function readRunFile(dataDir: string): RunFile | undefined {
  const file = path.join(dataDir, 'run.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RunFile) : undefined;
}

async function readDatabasePid(dataDir: string): Promise<number> {
  const postmaster = await readPostmaster(await findFolder(dataDir));
  if (postmaster === undefined) throw new Error(`no database serves ${dataDir}`);
  return postmaster.pid;
}

const workersOf = (pid: number): number[] =>
  childrenOf(pid).filter((child) => readCommand(child).includes('worker.ts'));

const childrenOf = (pid: number): number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

const readCommand = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

function killQuietly(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
