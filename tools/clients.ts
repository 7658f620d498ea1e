// The real client programs that the tests drive, the Debian package of each, and their installation.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, globSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A program on PATH, or a file where a package brings no program; a star stands for what differs between machines. */
const packages: Readonly<Record<string, string>> = {
  ssh: 'openssh-client',
  sftp: 'openssh-client',
  scp: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  psftp: 'putty-tools',
  plink: 'putty-tools',
  puttygen: 'putty-tools',
  gpg: 'gnupg',
  sq: 'sq',
  lftp: 'lftp',
  curl: 'curl',
  rclone: 'rclone',
  sshfs: 'sshfs',
  fusermount3: 'fuse3',
  'ssh-audit': 'ssh-audit',
  dbclient: 'dropbear-bin',
  dropbearconvert: 'dropbear-bin',
  '/usr/bin/python3': 'python3',
  '/usr/lib/python3/dist-packages/paramiko': 'python3-paramiko',
  '/usr/lib/python3/dist-packages/asyncssh': 'python3-asyncssh',
  '/usr/lib/*-linux-gnu/libssh.so.4': 'libssh-4',
  filezilla: 'filezilla',
  fzsftp: 'filezilla',
  Xvfb: 'xvfb',
  xdotool: 'xdotool',
  import: 'imagemagick',
  chromium: 'chromium',
  '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc': 'fonts-noto-cjk',
};

/** What this machine lacks, each with the package that brings it. */
export const missingClients = (): { program: string; package: string }[] =>
  Object.entries(packages)
    .filter(([program]) => !isPresent(program))
    .map(([program, name]) => ({ program, package: name }));

const isPresent = (program: string): boolean =>
  program.startsWith('/') ? globSync(program).length > 0 : isOnPath(program);

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Installs what is missing, where this user may and this is a Debian. No service of a package is started.
 * Shape: what is still missing afterwards.
 */
export function installClients(): { program: string; package: string }[] {
  const missing = missingClients();
  if (missing.length === 0 || process.getuid?.() !== 0 || !isOnPath('apt-get')) return missing;
  const names = [...new Set(missing.map((row) => row.package))];
  console.log(`installing the clients that the tests drive: ${names.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  using _policy = forbidServices();
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...names]]) {
    const run = spawnSync('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], { env, encoding: 'utf8' });
    if (run.status !== 0) console.error(`apt-get ${args[0]} failed:\n${run.stderr}`);
  }
  return missingClients();
}

/** Debian asks this program whether a service may start; 101 forbids it. One that is there already stays as it is. */
function forbidServices(): Disposable {
  const file = '/usr/sbin/policy-rc.d';
  if (existsSync(file)) return { [Symbol.dispose]: () => undefined };
  writeFileSync(file, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}
