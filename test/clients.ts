// Runs the real client programs: a bounded command, and a GnuPG home of its own.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Options of a test that drives a real client: skipped, and counted as skipped, only where the runner was told so. */
export const withClients = {
  skip: process.env['BROADGATE_TEST_WITHOUT_CLIENTS'] === '1' ? 'run without the real clients' : false,
} as const;

export interface Ran {
  /** The exit status; -1 when the program was ended by the time limit or a signal. */
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly lastedMs: number;
}

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Refuses: nothing; a program that cannot be started rejects. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const startedMs = performance.now();
  return new Promise((done, failed) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own, so that a time limit also ends the programs that this one started.
      detached: true,
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), options.timeoutMs ?? 60_000);
    child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', failed);
    child.on('close', (status) => {
      clearTimeout(timer);
      done({
        status: status ?? -1,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString(),
        lastedMs: performance.now() - startedMs,
      });
    });
  });
}

/** A folder that is removed at the end of its scope. */
export function openTempFolder(prefix = 'broadgate-test-') {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A GnuPG home of its own, whose agent ends with it. NOTE: an agent's socket path must stay below 108 bytes. */
export function openGpgHome() {
  const folder = mkdtempSync(path.join(tmpdir(), 'gpg-'));
  const base = ['--homedir', folder, '--batch', '--no-tty', '--yes', '--pinentry-mode', 'loopback', '--passphrase', ''];
  return {
    folder,
    gpg: (args: readonly string[], options: RunOptions = {}) => run('gpg', [...base, ...args], options),
    [Symbol.dispose]() {
      spawnSync('gpgconf', ['--homedir', folder, '--kill', 'all']);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
