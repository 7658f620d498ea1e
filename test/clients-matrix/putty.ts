// PuTTY's `psftp`, told what to use by the default settings in its user's home.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../clients.ts';
import { type Account, type Choice, type ClientProgram, formatStep, linesOf, type Words } from './client-program.ts';

// PuTTY orders groups of algorithms, and each group has its own inner order: what can be reached is the first of each.
const groups: Readonly<Record<string, string>> = {
  'curve25519-sha256': 'ecdh',
  'diffie-hellman-group16-sha512': 'dh-group16-sha512',
  'diffie-hellman-group14-sha256': 'dh-group14-sha1',
  'aes128-gcm@openssh.com': 'aesgcm',
  'aes256-ctr': 'aes',
  'chacha20-poly1305@openssh.com': 'chacha20',
  'ssh-ed25519': 'ed25519',
  'rsa-sha2-512': 'rsa',
};

// A list that leaves a group out has it put where PuTTY thinks best, so lists are whole, with the wanted group first.
const exchangeGroups = [
  'ecdh',
  'ntru-curve25519',
  'dh-group16-sha512',
  'dh-group14-sha1',
  'WARN',
  'dh-gex-sha1',
  'rsa',
];
const cipherGroups = ['aes', 'chacha20', 'aesgcm', 'WARN', '3des', 'des', 'blowfish', 'arcfour'];
const hostKeyGroups = ['ed25519', 'rsa', 'ed448', 'ecdsa', 'WARN', 'dsa'];

/** A line of settings, none where nothing is asked for. */
function formatOrder(name: string, asked: string | undefined, all: readonly string[]): string[] {
  if (asked === undefined) return [];
  const first = groups[asked]!;
  return [`${name}=${[first, ...all.filter((group) => group !== first)].join(',')}`];
}

function writeSettings({ home }: Account, choice: Choice): string {
  const asked = [choice.keyExchange, choice.cipher, choice.hostKey, choice.rekeyBytes];
  const folder = path.join(home, `putty-${asked.map((word) => word ?? 'any').join('-')}`);
  const sessions = path.join(folder, 'sessions');
  mkdirSync(sessions, { recursive: true });
  const lines = [
    ...formatOrder('KEX', choice.keyExchange, exchangeGroups),
    ...formatOrder('Cipher', choice.cipher, cipherGroups),
    ...formatOrder('HostKey', choice.hostKey, hostKeyGroups),
    ...(choice.rekeyBytes === undefined ? [] : [`RekeyBytes=${choice.rekeyBytes}`]),
  ];
  writeFileSync(path.join(sessions, 'Default%20Settings'), `${lines.join('\n')}\n`);
  return folder;
}

const words: Words = {
  list: (remote) => `ls ${remote}`,
  get: (remote, local) => `get ${remote} ${local}`,
  resumeGet: (remote, local) => `reget ${remote} ${local}`,
  put: (remote, local) => `put ${local} ${remote}`,
  resumePut: (remote, local) => `reput ${local} ${remote}`,
  getFolder: (remote, local) => `get -r ${remote} ${local}`,
  putFolder: (remote, local) => `put -r ${local} ${remote}`,
  rename: (from, to) => `mv ${from} ${to}`,
};

export const psftp: ClientProgram = {
  name: 'PuTTY `psftp`',
  id: 'psftp',
  cannot: {},
  chooses: {
    keyExchange: Object.keys(groups).slice(0, 3),
    cipher: Object.keys(groups).slice(3, 6),
    mac: 'PuTTY has no setting for it',
    hostKey: Object.keys(groups).slice(6),
  },
  takesManySteps: true,
  readVersion: async () => `PuTTY ${/Release ([\d.]+)/.exec((await run('psftp', ['-V'])).stdout.toString())?.[1]}`,
  command(account, steps, choice) {
    const script = path.join(account.home, `psftp-${process.hrtime.bigint()}`);
    writeFileSync(script, `${steps.map((step) => formatStep(words, step)).join('\n')}\nquit\n`);
    const identity = [
      '-i',
      account.ppkFile,
      '-l',
      account.user,
      ...account.hostKeyFingerprints.flatMap((one) => ['-hostkey', one]),
    ];
    return {
      program: 'psftp',
      args: ['-batch', '-P', `${account.port}`, ...identity, '-b', script, '127.0.0.1'],
      env: { HOME: account.home, PUTTYDIR: writeSettings(account, choice) },
    };
  },
  readNames: (ran) =>
    linesOf(ran)
      .filter((line) => /^[-d][rwx-]{9} /.test(line))
      .map((line) => line.split(' ').at(-1)!),
};
