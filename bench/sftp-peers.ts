// The SFTP servers that ours is measured against, from Debian: each on loopback, with a configuration of its own in a
// temporary folder, and stopped at the end.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { eventually } from '../test/eventually.ts';
import type { Target } from '../test/sftp-programs.ts';
import { type CpuAccount, openCpuAccount } from './cpu-account.ts';
import { needPackages } from './debian.ts';

export interface SftpServer extends AsyncDisposable {
  readonly name: 'Broadgate' | 'OpenSSH' | 'ProFTPD';
  readonly version: string;
  readonly target: Target;
  /** The absolute path of a name, as the client writes it. */
  at(name: string): string;
  /** The processes whose cost is the server's, each with its descendants. */
  readonly pids: readonly number[];
  /** Those among them that hold memory for clients. */
  readonly holders: readonly number[];
  readonly cpu: CpuAccount;
}

interface PeerParts {
  /** For the configuration, the host key and the files of clients. */
  readonly folder: string;
  readonly keyFile: string;
}

/** Whom clients sign in as: root gives way to nobody, as any such server would be set up. */
function findUser(): { name: string; group: string; uid: number; gid: number; home: string } {
  const { username, uid, gid } = os.userInfo();
  if (uid !== 0) return { name: username, group: String(gid), uid, gid, home: os.homedir() };
  const fields = /^nobody:.*$/m.exec(readFileSync('/etc/passwd', 'utf8'))![0].split(':');
  return { name: 'nobody', group: 'nogroup', uid: Number(fields[2]), gid: Number(fields[3]), home: '/' };
}

function makeFolders(folder: string): { files: string; hostKeyFile: string } {
  const user = findUser();
  const files = path.join(folder, 'files');
  mkdirSync(files, { recursive: true });
  chmodSync(folder, 0o755);
  chownSync(files, user.uid, user.gid);
  const hostKeyFile = path.join(folder, 'host-key');
  spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', hostKeyFile]);
  return { files, hostKeyFile };
}

async function findFreePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts a daemon in the foreground and waits until it sends its banner. */
async function startDaemon(file: string, words: readonly string[], port: number) {
  const child = spawn(file, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => void (said = `${said}${bytes.toString()}`.slice(-2000)));
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  try {
    await eventually(() => child.exitCode !== null || hasBanner(port), { what: `the banner of ${file}` });
    if (child.exitCode !== null) throw new Error(`${file} ended with ${child.exitCode}: ${said}`);
  } catch (fault) {
    child.kill('SIGKILL');
    throw fault;
  }
  const pids = [child.pid!];
  const cpu = openCpuAccount(pids);
  return {
    pids,
    holders: pids,
    cpu,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      const cut = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(cut);
      cpu.close();
    },
  };
}

const hasBanner = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = net.connect(port, '127.0.0.1');
    const answer = (has: boolean): void => {
      socket.destroy();
      done(has);
    };
    socket.setTimeout(2000, () => answer(false));
    socket.once('data', (bytes: Buffer) => answer(bytes.toString().startsWith('SSH-2.0-')));
    socket.once('error', () => answer(false));
  });

/** Debian's version of a package, without its own revision's tail. */
const versionOf = (name: string): string =>
  spawnSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' }).stdout.replace(/^\d+:/, '');

/** Its SFTP server inside the process, which spares it a program to start; nobody is turned away early. */
export async function openOpenSsh({ folder, keyFile }: PeerParts): Promise<SftpServer> {
  needPackages({ 'openssh-server': '/usr/sbin/sshd' });
  const { files, hostKeyFile } = makeFolders(folder);
  const [port, user] = [await findFreePort(), findUser()];
  const isRoot = process.getuid?.() === 0;
  // The folder that its privilege separation needs, which Debian's start script makes.
  if (isRoot && !existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
  const configuration = path.join(folder, 'sshd_config');
  const authorized = path.join(folder, 'authorized_keys');
  writeFileSync(authorized, readFileSync(`${keyFile}.pub`));
  chmodSync(authorized, 0o644);
  writeFileSync(
    configuration,
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${hostKeyFile}`,
      'PidFile none',
      'UsePAM no',
      'StrictModes no',
      `AuthorizedKeysFile ${authorized}`,
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'Subsystem sftp internal-sftp',
      'MaxStartups 2000',
      'PrintMotd no',
      '',
    ].join('\n'),
  );
  const words = ['-D', '-f', configuration, '-E', path.join(folder, 'sshd.log')];
  const daemon = await startDaemon('/usr/sbin/sshd', words, port);
  return {
    name: 'OpenSSH',
    version: versionOf('openssh-server'),
    target: { port, user: user.name, keyFile },
    at: (name) => path.posix.join(files, name),
    ...daemon,
  };
}

const proFtpdModules = '/usr/lib/proftpd';

export async function openProFtpd({ folder, keyFile }: PeerParts): Promise<SftpServer> {
  needPackages({ 'proftpd-core': '/usr/sbin/proftpd', 'proftpd-mod-crypto': `${proFtpdModules}/mod_sftp.so` });
  const { files, hostKeyFile } = makeFolders(folder);
  const [port, user] = [await findFreePort(), findUser()];
  const at = (name: string): string => path.join(folder, name);
  writeFileSync(at('passwd'), `bench:!:${user.uid}:${user.gid}::${files}:/bin/sh\n`, { mode: 0o600 });
  const exported = spawnSync('ssh-keygen', ['-e', '-m', 'RFC4716', '-f', `${keyFile}.pub`], { encoding: 'utf8' });
  writeFileSync(at('authorized'), exported.stdout, { mode: 0o644 });
  writeFileSync(
    at('proftpd.conf'),
    [
      `ModulePath ${proFtpdModules}`,
      'LoadModule mod_sftp.c',
      'ServerType standalone',
      'ServerName bench',
      'DefaultAddress 127.0.0.1',
      'SocketBindTight on',
      `Port ${port}`,
      'UseIPv6 off',
      'UseReverseDNS off',
      `User ${user.name}`,
      `Group ${user.group}`,
      'MaxInstances 2000',
      `PidFile ${at('proftpd.pid')}`,
      `ScoreboardFile ${at('scoreboard')}`,
      `SystemLog ${at('proftpd.log')}`,
      'TransferLog none',
      'WtmpLog off',
      'DelayEngine off',
      'AllowOverwrite on',
      'RequireValidShell off',
      'AuthOrder mod_auth_file.c',
      `AuthUserFile ${at('passwd')}`,
      'SFTPEngine on',
      `SFTPHostKey ${hostKeyFile}`,
      `SFTPAuthorizedUserKeys file:${at('authorized')}`,
      'SFTPAuthMethods publickey',
      '',
    ].join('\n'),
  );
  const daemon = await startDaemon('/usr/sbin/proftpd', ['-n', '-q', '-c', at('proftpd.conf')], port);
  return {
    name: 'ProFTPD',
    version: versionOf('proftpd-core'),
    target: { port, user: 'bench', keyFile },
    at: (name) => path.posix.join(files, name),
    ...daemon,
  };
}
