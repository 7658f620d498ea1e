// sshfs: the repository as a folder of the client's machine, used with the programs that work on any folder.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { run } from '../clients.ts';
import { type ClientProgram, formatStep, linesOf, type Words } from './client-program.ts';
import { openSshChooses, openSshOptions } from './openssh.ts';

/** Words of a shell; paths hold nothing that it would read otherwise. `dd` goes on at the size that the other side has. */
const words: Words = {
  list: (remote) => `ls -1 ${at(remote)}`,
  get: (remote, local) => `cp ${at(remote)} ${local}`,
  put: (remote, local) => `cp ${local} ${at(remote)}`,
  resumeGet: (remote, local) => resume(at(remote), local),
  resumePut: (remote, local) => resume(local, at(remote)),
  getFolder: (remote, local) => `cp -r ${at(remote)} ${local}`,
  putFolder: (remote, local) => `cp -r ${local} ${at(remote)}`,
  rename: (from, to) => `mv ${at(from)} ${at(to)}`,
};

const at = (remote: string): string => `"$mount"${remote}`;

const resume = (from: string, to: string): string =>
  `size=$(stat -c %s ${to}) && dd if=${from} of=${to} bs=1M iflag=skip_bytes oflag=seek_bytes conv=notrunc status=none ` +
  'skip="$size" seek="$size"';

export const sshfs: ClientProgram = {
  name: 'sshfs over OpenSSH',
  id: 'sshfs',
  needs: { file: '/dev/fuse', otherwise: 'the machine of this run has no /dev/fuse' },
  cannot: {},
  chooses: openSshChooses,
  takesManySteps: true,
  readVersion: async () => /SSHFS version (\S+)/.exec((await run('sshfs', ['--version'])).stdout.toString())?.[1] ?? '',
  command(account, steps, choice) {
    const mount = path.join(account.home, `mount-${process.hrtime.bigint()}`);
    mkdirSync(mount);
    const program = ['ssh', '-a', '-x', ...openSshOptions(account, choice)].join(' ');
    const script = [
      'sshfs -f -p "$port" -o ssh_command="$program" "$user@127.0.0.1:/" "$mount" & daemon=$!',
      'for try in $(seq 200); do mountpoint -q "$mount" && break; kill -0 $daemon 2>/dev/null || exit 1; sleep 0.05; done',
      `${steps.map((step) => formatStep(words, step)).join(' && ')}; status=$?`,
      'fusermount3 -u "$mount" && wait $daemon && rmdir "$mount"; exit $status',
    ].join('\n');
    return {
      program: 'sh',
      args: ['-c', script],
      env: { mount, program, port: `${account.port}`, user: account.user },
      cleanUp: ['fusermount3', '-u', '-z', mount],
    };
  },
  readNames: linesOf,
};
