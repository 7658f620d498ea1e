// A whole installation as its operator runs it: `serve` in its own processes, on ports that the system picks.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
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
  BROADGATE_WORKERS: '2',
};

/** Starts a server and waits until it has written `run.json`. Refuses: a server that ends first, with what it printed. */
export async function openInstallation(options: InstallationOptions = {}) {
  const isOwn = options.dataDir === undefined;
  const dataDir = options.dataDir ?? path.join(mkdtempSync(path.join(tmpdir(), 'broadgate-')), 'data');
  const environment: Record<string, string> = {
    ...fixedEnvironment,
    ...options.env,
    BROADGATE_DATA_DIR: dataDir,
  };
  if (isOwn) chmodSync(path.dirname(dataDir), 0o755);
  const { child, output } = start([path.join(root, 'server/main.ts'), options.command ?? 'serve'], environment);
  const ended = new Promise<never>((_, failed) => {
    child.once('exit', (code, signal) => failed(new Error(`the server ended (${signal ?? code}):\n${output()}`)));
  });
  ended.catch(() => undefined);
  const awaited = options.command === 'demo' ? 'demo/people.json' : 'run.json';
  await Promise.race([ended, eventually(() => existsSync(path.join(dataDir, awaited)), { timeoutMs: 90_000 })]);
  const runFile = JSON.parse(readFileSync(path.join(dataDir, 'run.json'), 'utf8')) as RunFile;

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
    /** Ends the supervisor and its workers as a power cut would; the database is left behind. */
    async kill(): Promise<void> {
      for (const pid of [runFile.pid, ...childrenOf(runFile.pid)]) killQuietly(pid);
      await exit();
    },
    /** Process numbers of the workers. */
    workers: () => childrenOf(runFile.pid).filter((pid) => readCommand(pid).includes('worker.ts')),
    /** Runs a command of the installation, as its operator would. */
    command: (...args: readonly string[]) => runCommand(args, environment),
    async [Symbol.asyncDispose]() {
      if (!isOver()) killQuietly(runFile.pid, 'SIGTERM');
      await Promise.race([exit(), new Promise((done) => setTimeout(done, 20_000).unref())]);
      if (!isOver()) for (const pid of [...childrenOf(runFile.pid), runFile.pid]) killQuietly(pid);
      if (isOwn) rmSync(path.dirname(dataDir), { recursive: true, force: true });
    },
  };
}

export type Installation = Awaited<ReturnType<typeof openInstallation>>;

function start(
  args: readonly string[],
  environment: Record<string, string>,
): { child: ChildProcess; output: () => string } {
  const [file, ...words] = [...asUser, process.execPath, ...args];
  const child = spawn(file!, words, { env: cleanEnvironment(environment), stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => chunks.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => chunks.push(bytes));
  return { child, output: () => Buffer.concat(chunks).toString() };
}

/** What a fresh shell would have: the runner's own settings are no settings of the server. */
function cleanEnvironment(environment: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(BROADGATE_|NODE_TEST_CONTEXT|NODE_OPTIONS)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...environment };
}

async function runCommand(args: readonly string[], environment: Record<string, string>) {
  const { child, output } = start([path.join(root, 'cli/main.ts'), ...args], environment);
  const status = await new Promise<number>((done) => child.once('close', (code) => done(code ?? -1)));
  return { status, output: output() };
}

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
