// The whole SFTP face on loopback over a tree in memory, with a client key, and the command lines of the real clients.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fingerprint, generateHostKey, type HostKey } from '@broadgate/ssh';
import { createSftpListener, type SftpListenerParts } from '../../server/faces/sftp/listener.ts';
import type { ConnectionFailure, ConnectionSummary, SftpGate, SignInAttempt } from '../../server/faces/sftp/mount.ts';
import { systemClock } from '../../server/kernel/clock.ts';
import { createIds } from '../../server/kernel/ids.ts';
import { systemRandom } from '../../server/kernel/random.ts';
import { openTempFolder, type Ran, type RunOptions, run } from '../clients.ts';
import { createFakeTree, type FakeTree } from './sftp-mount.ts';

export interface FakeTicket {
  readonly user: string;
  readonly fingerprint: string;
}

export interface TestFace extends AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly tree: FakeTree;
  readonly hostKey: HostKey;
  readonly user: string;
  readonly keyFile: string;
  readonly listener: ReturnType<typeof createSftpListener<FakeTicket>>;
  readonly attempts: SignInAttempt[];
  readonly failures: ConnectionFailure[];
  readonly summaries: ConnectionSummary<FakeTicket>[];
  readonly faults: unknown[];
  /** Runs OpenSSH's sftp with these commands, as `sftp -b` does. */
  sftp(commands: readonly string[], options?: RunOptions & { args?: readonly string[] }): Promise<Ran>;
  psftp(commands: readonly string[]): Promise<Ran>;
  lftp(commands: string): Promise<Ran>;
  ssh(args: readonly string[], options?: RunOptions & { user?: string }): Promise<Ran>;
  /** Options that `ssh` and `sftp` share, the port left out. */
  readonly sshOptions: readonly string[];
}

export interface TestFaceOptions {
  readonly gate?: Partial<SftpGate<FakeTicket>>;
  readonly parts?: Partial<SftpListenerParts<FakeTicket>>;
  readonly tree?: FakeTree;
}

export async function openTestFace(options: TestFaceOptions = {}): Promise<TestFace> {
  const temp = openTempFolder('sftp-face-');
  const { folder } = temp;
  const keyFile = path.join(folder, 'id');
  const ppkFile = path.join(folder, 'id.ppk');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', keyFile]);
  chmodSync(keyFile, 0o600);
  const user = 'u-7k2m';
  const tree = options.tree ?? createFakeTree();
  const blob = Buffer.from(readFileSync(`${keyFile}.pub`, 'latin1').split(' ')[1]!, 'base64');
  const attempts: SignInAttempt[] = [];
  const failures: ConnectionFailure[] = [];
  const summaries: ConnectionSummary<FakeTicket>[] = [];
  const faults: unknown[] = [];
  const hostKey = await generateHostKey('ed25519');
  const gate: SftpGate<FakeTicket> = {
    admit: async () => 'banner',
    isKnown: () => false,
    async authenticate(attempt) {
      attempts.push(attempt);
      if (attempt.user !== user || !attempt.key?.blob.equals(blob)) return { verdict: 'reject' };
      return { verdict: 'accept', ticket: { user, fingerprint: attempt.key.fingerprint } };
    },
    ownerOf: (ticket) => ticket.user,
    signedIn: () => undefined,
    open: async () => tree.mount(),
    failed: (failure) => void failures.push(failure),
    ended: (summary) => void summaries.push(summary),
    ...options.gate,
  };
  const listener = createSftpListener<FakeTicket>({
    gate,
    clock: systemClock,
    random: systemRandom,
    ids: createIds({ clock: systemClock, random: systemRandom }),
    software: 'Broadgate_1',
    hostKeys: [hostKey],
    recordFault: (fault) => `incident-${faults.push(fault)}`,
    ...options.parts,
  });
  const port = await listener.listen({ port: 0, host: '127.0.0.1' });
  const sshOptions = [
    '-F/dev/null',
    `-i${keyFile}`,
    '-oBatchMode=yes',
    '-oIdentitiesOnly=yes',
    '-oLogLevel=ERROR',
    '-oStrictHostKeyChecking=no',
    '-oUserKnownHostsFile=/dev/null',
  ];
  return {
    port,
    folder,
    tree,
    hostKey,
    user,
    keyFile,
    listener,
    attempts,
    failures,
    summaries,
    faults,
    sshOptions,
    sftp: (commands, { args = [], ...rest } = {}) =>
      run('sftp', [...sshOptions, '-P', String(port), ...args, '-b', '-', `${user}@127.0.0.1`], {
        input: commands.join('\n'),
        cwd: folder,
        ...rest,
      }),
    async psftp(commands) {
      const script = path.join(folder, 'psftp.script');
      writeFileSync(script, `${commands.join('\n')}\n`);
      await run('puttygen', [keyFile, '-O', 'private', '-o', ppkFile]);
      const print = fingerprint(hostKey.blob);
      const args = ['-batch', '-P', String(port), '-i', ppkFile, '-hostkey', print, '-be', `${user}@127.0.0.1`];
      return run('psftp', [...args, '-b', script], { cwd: folder });
    },
    lftp(commands) {
      const program = ['ssh', '-a', '-x', ...sshOptions].join(' ');
      const script = `set cmd:fail-exit true; set net:max-retries 1; set sftp:connect-program "${program}"; open -p ${port} sftp://${user}:@127.0.0.1; ${commands}`;
      return run('lftp', ['--norc', '-c', script], { cwd: folder, env: { HOME: folder, LFTP_HOME: folder } });
    },
    ssh: (args, { user: name = user, ...rest } = {}) =>
      run('ssh', [...sshOptions, '-p', String(port), '-l', name, ...args], { cwd: folder, ...rest }),
    async [Symbol.asyncDispose]() {
      await listener.close(0);
      temp[Symbol.dispose]();
    },
  };
}
