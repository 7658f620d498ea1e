// The clients of the matrix, in the order of its page.
import { existsSync } from 'node:fs';
import type { ClientProgram } from './client-program.ts';
import { curl } from './curl.ts';
import { lftp } from './lftp.ts';
import { dropbear, openSshScp, openSshSftp } from './openssh.ts';
import { psftp } from './putty.ts';
import { rclone } from './rclone.ts';
import { asyncssh, fzsftp, libssh, paramiko, russh } from './scripted.ts';
import { sshfs } from './sshfs.ts';

export const everyClient: readonly ClientProgram[] = [
  openSshSftp,
  openSshScp,
  psftp,
  fzsftp,
  lftp,
  curl,
  rclone,
  sshfs,
  paramiko,
  asyncssh,
  dropbear,
  libssh,
  russh,
];

/** All, or those that the runner was asked for. */
export function chosenClients(): readonly ClientProgram[] {
  const asked = process.env['BROADGATE_TEST_CLIENTS']?.split(',');
  return everyClient.filter((client) => asked?.includes(client.id) ?? true);
}

/** Why a client cannot run on this machine, where it cannot. */
export const absenceOf = ({ needs }: ClientProgram): string | undefined =>
  needs === undefined || existsSync(needs.file) ? undefined : needs.otherwise;
