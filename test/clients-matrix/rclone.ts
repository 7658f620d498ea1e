// rclone, whose SSH is that of the Go project.
import path from 'node:path';
import { run } from '../clients.ts';
import { type ClientProgram, linesOf } from './client-program.ts';

const noChoice = 'rclone 1.60 has no option for it';
const fromTheFront = 'rclone always copies from the front';

export const rclone: ClientProgram = {
  name: 'rclone',
  id: 'rclone',
  cannot: {
    resumeGet: fromTheFront,
    resumePut: fromTheFront,
    rekeyByIt: 'rclone has no option for it; its SSH renews keys at 1 GiB',
  },
  chooses: { keyExchange: noChoice, cipher: noChoice, mac: noChoice, hostKey: noChoice },
  takesManySteps: false,
  readVersion: async () => /rclone v(\S+)/.exec((await run('rclone', ['version'])).stdout.toString())?.[1] ?? '',
  command(account, [step]) {
    const base = [
      ...['--config', path.join(account.home, 'rclone.conf'), '--retries', '1', '--low-level-retries', '1'],
      ...['--sftp-host', '127.0.0.1', '--sftp-port', `${account.port}`, '--sftp-user', account.user],
      ...['--sftp-key-file', account.keyFile],
    ];
    const there = (remote: string): string => `:sftp:${remote}`;
    const words = (): string[] => {
      switch (step?.verb) {
        case 'list':
          return ['lsf', there(step.remote)];
        case 'get':
          return ['copyto', there(step.remote), step.local];
        case 'put':
          return ['copyto', step.local, there(step.remote)];
        case 'getFolder':
          return ['copy', there(step.remote), step.local];
        case 'putFolder':
          return ['copy', step.local, there(step.remote)];
        case 'rename':
          return ['moveto', there(step.remote), there(step.to)];
        default:
          throw new Error(`rclone has no ${step?.verb}`);
      }
    };
    return { program: 'rclone', args: [...base, ...words()], env: { HOME: account.home } };
  },
  readNames: linesOf,
};
