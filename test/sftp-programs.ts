// Command lines of the SFTP programs that clients use, so that a journey says what is done and not how it is spelled.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Ran, run, type RunOptions } from './clients.ts';

export interface Target {
  readonly port: number;
  readonly user: string;
  /** A private key: OpenSSH format for OpenSSH's programs, .ppk for PuTTY's. */
  readonly keyFile: string;
}

const quiet = ['-F', '/dev/null', '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'LogLevel=ERROR'];
const anyHost = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];

/** OpenSSH's `sftp -b`: ends with a status other than 0 at the first command that fails. */
export const sftp = (
  { port, user, keyFile }: Target,
  commands: readonly string[],
  options: RunOptions & { readonly args?: readonly string[] } = {},
): Promise<Ran> =>
  run(
    'sftp',
    ['-b', '-', '-P', `${port}`, '-i', keyFile, ...quiet, ...anyHost, ...(options.args ?? []), `${user}@127.0.0.1`],
    { ...options, input: `${commands.join('\n')}\n` },
  );

/** The names that OpenSSH lists in a folder. */
export async function listNames(target: Target, folder = '.'): Promise<string[]> {
  const { status, stdout, stderr } = await sftp(target, [`ls -1a ${folder}`]);
  if (status !== 0) throw new Error(`sftp ended with ${status}: ${stderr}`);
  const lines = stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('sftp>'));
  return lines.map((line) => path.posix.basename(line.trim())).filter((name) => name !== '.' && name !== '..');
}

/** Options of a plain `ssh`, which may ask for a passphrase; append what it shall do. */
export const plainSsh = ({ port, user, keyFile }: Target): string[] => [
  ...['-F', '/dev/null', '-p', `${port}`, '-i', keyFile, '-o', 'IdentitiesOnly=yes', '-o', 'LogLevel=ERROR'],
  ...[...anyHost, `${user}@127.0.0.1`],
];

/** A connection that stays open until the server ends it. Shape: `ended` is true when it did within the time. */
export function openSftp(target: Target, more: readonly string[] = [], timeoutMs = 15_000) {
  const child = spawn('ssh', [...more, ...plainSsh(target), '-s', 'sftp'], { stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = new Promise<boolean>((done) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.on('exit', (_, signal) => {
      clearTimeout(timer);
      done(signal === null);
    });
  });
  return { ended, close: () => child.kill('SIGKILL') };
}

/** PuTTY's `psftp` with a script. NOTE: it reads its script from a file, and asks for an unknown host key unless told it. */
export async function psftp(
  { port, user, keyFile }: Target,
  commands: readonly string[],
  options: RunOptions & { readonly folder: string; readonly hostKeyFingerprint: string },
): Promise<Ran> {
  const script = path.join(options.folder, `psftp-${process.hrtime.bigint()}.txt`);
  writeFileSync(script, `${commands.join('\n')}\n`);
  const identity = ['-i', keyFile, '-l', user, '-hostkey', options.hostKeyFingerprint];
  return run('psftp', ['-batch', '-P', `${port}`, ...identity, '-b', script, '127.0.0.1'], {
    ...options,
    env: { HOME: options.folder, ...options.env },
  });
}

/** What an SSH program is told, step by step, on its standard error. */
export const plink = (target: Target, folder: string, hostKeyFingerprint: string, ...more: readonly string[]) =>
  run(
    'plink',
    [
      ...['-batch', '-v', '-ssh', '-P', `${target.port}`, '-i', target.keyFile, '-l', target.user],
      ...['-hostkey', hostKeyFingerprint, ...more, '127.0.0.1', '-s', 'sftp'],
    ],
    { env: { HOME: folder }, timeoutMs: 20_000 },
  );

/** lftp over OpenSSH, as its users set it up: ends with a status other than 0 at the first command that fails. */
export function lftp({ port, user, keyFile }: Target, commands: string, folder: string): Promise<Ran> {
  const program = ['ssh', '-a', '-x', '-i', keyFile, ...quiet, ...anyHost].join(' ');
  const settings = `set cmd:fail-exit true; set net:max-retries 1; set sftp:connect-program "${program}"`;
  return run('lftp', ['--norc', '-c', `${settings}; open -p ${port} sftp://${user}:@127.0.0.1; ${commands}`], {
    cwd: folder,
    env: { HOME: folder, LFTP_HOME: folder, LC_ALL: 'C.UTF-8' },
  });
}

/**
 * An upload by OpenSSH that is not left to end: it goes at `kibPerSecond`, and `cut` kills the program with its `ssh`,
 * so that the server sees a connection that is gone and no word before.
 */
export function startUpload({ port, user, keyFile }: Target, from: string, to: string, kibPerSecond: number) {
  const slow = ['-l', `${kibPerSecond * 8}`, '-b', '-', '-P', `${port}`, '-i', keyFile];
  const child = spawn('sftp', [...slow, ...quiet, ...anyHost, `${user}@127.0.0.1`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.end(`put ${from} ${to}\n`);
  const ended = new Promise<number | null>((done) => child.on('exit', done));
  return {
    /** Shape: null where it was cut, the exit status where it had ended before. */
    async cut(): Promise<number | null> {
      if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL');
      return ended;
    },
  };
}
