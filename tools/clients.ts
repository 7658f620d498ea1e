// The real client programs that the tests drive, the Debian package of each, and their installation.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

const packages: Readonly<Record<string, string>> = {
  ssh: 'openssh-client',
  sftp: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  psftp: 'putty-tools',
  plink: 'putty-tools',
  puttygen: 'putty-tools',
  gpg: 'gnupg',
  sq: 'sq',
  lftp: 'lftp',
  'ssh-audit': 'ssh-audit',
  filezilla: 'filezilla',
  Xvfb: 'xvfb',
  xdotool: 'xdotool',
  import: 'imagemagick',
};

/** Programs that are not on PATH, each with the package that brings it. */
export const missingClients = (): { program: string; package: string }[] =>
  Object.entries(packages)
    .filter(([program]) => !isOnPath(program))
    .map(([program, name]) => ({ program, package: name }));

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
 * Installs what is missing, where this user may and this is a Debian.
 * Shape: what is still missing afterwards.
 */
export function installClients(): { program: string; package: string }[] {
  const missing = missingClients();
  if (missing.length === 0 || process.getuid?.() !== 0 || !isOnPath('apt-get')) return missing;
  const names = [...new Set(missing.map((row) => row.package))];
  console.log(`installing the clients that the tests drive: ${names.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...names]]) {
    const run = spawnSync('apt-get', ['-q', ...args], { env, encoding: 'utf8' });
    if (run.status !== 0) console.error(`apt-get ${args[0]} failed:\n${run.stderr}`);
  }
  return missingClients();
}
