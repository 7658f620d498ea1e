// lftp, which speaks SFTP itself and SSH through OpenSSH.
import { run } from '../clients.ts';
import { type ClientProgram, formatStep, linesOf, type Words } from './client-program.ts';
import { openSshChooses, openSshOptions } from './openssh.ts';

const words: Words = {
  list: (remote) => `cls -1 --basename ${remote}/`,
  get: (remote, local) => `get ${remote} -o ${local}`,
  resumeGet: (remote, local) => `get -c ${remote} -o ${local}`,
  put: (remote, local) => `put ${local} -o ${remote}`,
  resumePut: (remote, local) => `put -c ${local} -o ${remote}`,
  getFolder: (remote, local) => `mirror ${remote} ${local}`,
  putFolder: (remote, local) => `mirror -R ${local} ${remote}`,
  rename: (from, to) => `mv ${from} ${to}`,
};

export const lftp: ClientProgram = {
  name: 'lftp over OpenSSH',
  id: 'lftp',
  cannot: {},
  chooses: openSshChooses,
  takesManySteps: true,
  readVersion: async () =>
    /LFTP \| Version (\S+)/.exec((await run('lftp', ['--version'])).stdout.toString())?.[1] ?? '',
  command(account, steps, choice) {
    const program = ['ssh', '-a', '-x', ...openSshOptions(account, choice)].join(' ');
    const settings = `set cmd:fail-exit true; set net:max-retries 1; set sftp:connect-program "${program}"`;
    const open = `open -p ${account.port} sftp://${account.user}:@127.0.0.1`;
    return {
      program: 'lftp',
      args: ['--norc', '-c', [settings, open, ...steps.map((step) => formatStep(words, step))].join('; ')],
      env: { HOME: account.home, LFTP_HOME: account.home, LC_ALL: 'C.UTF-8' },
    };
  },
  readNames: linesOf,
};
