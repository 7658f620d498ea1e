// OpenSSH's `sftp` and `scp`, and the same `sftp` with Dropbear's client underneath.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../clients.ts';
import {
  type Account,
  type Choice,
  type ClientProgram,
  formatStep,
  linesOf,
  type Slot,
  type Step,
  type Words,
} from './client-program.ts';

const optionNames: Readonly<Record<Slot, string>> = {
  keyExchange: 'KexAlgorithms',
  cipher: 'Ciphers',
  mac: 'MACs',
  hostKey: 'HostKeyAlgorithms',
};

/** What OpenSSH 9.2 knows of ours; it has no ML-KEM. */
export const openSshChooses: Readonly<Record<Slot, readonly string[]>> = {
  keyExchange: [
    'sntrup761x25519-sha512@openssh.com',
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
  ],
  mac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  hostKey: ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'],
};

/** Options that `ssh`, `sftp` and `scp` share: everything but port, user and host. */
export function openSshOptions({ keyFile }: Account, choice: Choice): string[] {
  const chosen = Object.entries(optionNames).flatMap(([slot, name]) =>
    choice[slot as Slot] === undefined ? [] : [`${name}=${choice[slot as Slot]}`],
  );
  const rekey = choice.rekeyBytes === undefined ? [] : [`RekeyLimit=${choice.rekeyBytes}`];
  const fixed = ['BatchMode=yes', 'IdentitiesOnly=yes', 'LogLevel=ERROR', 'StrictHostKeyChecking=no'];
  const all = [...fixed, 'UserKnownHostsFile=/dev/null', ...chosen, ...rekey];
  return ['-F', '/dev/null', '-i', keyFile, ...all.flatMap((option) => ['-o', option])];
}

const readOpenSshVersion = async (): Promise<string> =>
  /OpenSSH_[\w.]+/.exec((await run('ssh', ['-V'])).stderr)?.[0].replace('_', ' ') ?? 'unknown';

/** One line of `sftp -b` a step. */
const words: Words = {
  list: (remote) => `ls -1 ${remote}`,
  get: (remote, local) => `get ${remote} ${local}`,
  resumeGet: (remote, local) => `reget ${remote} ${local}`,
  put: (remote, local) => `put ${local} ${remote}`,
  resumePut: (remote, local) => `reput ${local} ${remote}`,
  getFolder: (remote, local) => `get -r ${remote} ${local}`,
  putFolder: (remote, local) => `put -r ${local} ${remote}`,
  rename: (from, to) => `rename ${from} ${to}`,
};

const formatSteps = (steps: readonly Step[]): string => `${steps.map((step) => formatStep(words, step)).join('\n')}\n`;

// In a batch each command is printed after its prompt.
const readSftpNames: ClientProgram['readNames'] = (ran) =>
  linesOf(ran)
    .filter((line) => !line.startsWith('sftp>'))
    .map((line) => path.posix.basename(line.trim()));

export const openSshSftp: ClientProgram = {
  name: 'OpenSSH `sftp`',
  id: 'sftp',
  triesPairs: true,
  cannot: {},
  chooses: openSshChooses,
  takesManySteps: true,
  readVersion: readOpenSshVersion,
  command: (account, steps, choice) => ({
    program: 'sftp',
    args: [...openSshOptions(account, choice), '-b', '-', '-P', `${account.port}`, `${account.user}@127.0.0.1`],
    input: formatSteps(steps),
  }),
  readNames: readSftpNames,
};

export const openSshScp: ClientProgram = {
  name: 'OpenSSH `scp`',
  id: 'scp',
  cannot: {
    list: 'scp only copies',
    rename: 'scp only copies',
    resumeGet: 'scp always copies from the front',
    resumePut: 'scp always copies from the front',
  },
  chooses: openSshChooses,
  takesManySteps: false,
  readVersion: readOpenSshVersion,
  command(account, [step], choice) {
    const base = ['-q', ...openSshOptions(account, choice), '-P', `${account.port}`];
    const there = (remote: string): string => `${account.user}@127.0.0.1:${remote}`;
    switch (step?.verb) {
      case 'get':
        return { program: 'scp', args: [...base, there(step.remote), step.local] };
      case 'getFolder':
        return { program: 'scp', args: [...base, '-r', there(step.remote), step.local] };
      case 'put':
        return { program: 'scp', args: [...base, step.local, there(step.remote)] };
      case 'putFolder':
        return { program: 'scp', args: [...base, '-r', step.local, there(step.remote)] };
      default:
        throw new Error(`scp has no ${step?.verb}`);
    }
  },
  readNames: linesOf,
};

/** `sftp` speaks to it as it would to `ssh`; of the words that it is given, Dropbear is told what it knows. */
function writeDropbearBridge({ home, port, user, dropbearFile }: Account, choice: Choice): string {
  const cipher = choice.cipher === undefined ? [] : ['-c', choice.cipher];
  const mac = choice.mac === undefined ? [] : ['-m', choice.mac];
  const words = ['-y', '-y', '-i', dropbearFile, '-p', `${port}`, ...cipher, ...mac, `${user}@127.0.0.1`, '-s', 'sftp'];
  const file = path.join(home, `dbclient-${choice.cipher ?? 'any'}-${choice.mac ?? 'any'}`);
  writeFileSync(file, `#!/bin/sh\nexport HOME='${home}'\nexec dbclient ${words.join(' ')}\n`, { mode: 0o755 });
  return file;
}

export const dropbear: ClientProgram = {
  name: 'Dropbear `dbclient` under OpenSSH `sftp`',
  id: 'dbclient',
  cannot: { rekeyByIt: 'dbclient has no setting for it; it renews keys at 1 GiB or 8 hours' },
  chooses: {
    keyExchange: 'dbclient has no option for it',
    cipher: ['chacha20-poly1305@openssh.com', 'aes128-ctr', 'aes256-ctr'],
    mac: ['hmac-sha2-256'],
    hostKey: 'dbclient has no option for it',
  },
  takesManySteps: true,
  readVersion: async () => /v\S+/.exec((await run('dbclient', ['-V'])).stderr)?.[0] ?? 'unknown',
  command: (account, steps, choice) => ({
    program: 'sftp',
    args: ['-S', writeDropbearBridge(account, choice), '-b', '-', `${account.user}@127.0.0.1`],
    input: formatSteps(steps),
  }),
  readNames: readSftpNames,
};
