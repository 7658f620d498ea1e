// Clients that are libraries: each has a small program here that is given account, steps and choice as JSON.
import path from 'node:path';
import { run } from '../clients.ts';
import { type ClientProgram, linesOf, type Slot } from './client-program.ts';
import { openSshChooses } from './openssh.ts';

// Debian's own, which sees Debian's packages whatever else is on PATH.
const python = '/usr/bin/python3';

interface Scripted extends Pick<ClientProgram, 'name' | 'id' | 'readVersion' | 'chooses'> {
  readonly interpreter: string;
  readonly script: string;
  readonly cannot?: ClientProgram['cannot'];
}

const scripted = ({ interpreter, script, ...client }: Scripted): ClientProgram => ({
  cannot: {},
  ...client,
  takesManySteps: true,
  command: (account, steps, choice) => ({
    program: interpreter,
    args: [path.join(import.meta.dirname, script), JSON.stringify({ account, steps, choice })],
    env: { HOME: account.home },
  }),
  readNames: linesOf,
});

/** Version of a Debian package that brings a library. */
const readPackageVersion = async (name: string): Promise<string> =>
  (await run('dpkg-query', ['-W', '-f', '${Version}', name])).stdout.toString() || 'unknown';

const { keyExchange, cipher, mac, hostKey } = openSshChooses;
const without = (names: readonly string[], ...missing: string[]): string[] =>
  names.filter((name) => !missing.includes(name));
const sntrup = 'sntrup761x25519-sha512@openssh.com';

export const paramiko = scripted({
  name: 'paramiko',
  id: 'paramiko',
  interpreter: python,
  script: 'paramiko-client.py',
  chooses: {
    keyExchange: without(keyExchange, sntrup, 'curve25519-sha256'),
    cipher: ['aes128-ctr', 'aes192-ctr', 'aes256-ctr'],
    mac,
    hostKey,
  },
  readVersion: () => readPackageVersion('python3-paramiko'),
});

const noWait =
  'AsyncSSH 2.10 goes on sending channel data inside a key exchange, where RFC 4253 §7.1 has nothing else, so the server ' +
  'ends the connection; it renews keys at 1 GiB';

export const asyncssh = scripted({
  name: 'AsyncSSH',
  id: 'asyncssh',
  interpreter: python,
  script: 'asyncssh-client.py',
  cannot: { gibibyte: noWait, rekeyByUs: noWait, rekeyByIt: noWait },
  chooses: { keyExchange: without(keyExchange, sntrup), cipher, mac, hostKey },
  readVersion: () => readPackageVersion('python3-asyncssh'),
});

export const libssh = scripted({
  name: 'libssh',
  id: 'libssh',
  interpreter: python,
  script: 'libssh-client.py',
  chooses: { keyExchange: without(keyExchange, sntrup), cipher, mac, hostKey },
  readVersion: () => readPackageVersion('libssh-4'),
});

const noChoice = 'FileZilla has no setting for it';

export const fzsftp = scripted({
  name: 'FileZilla’s `fzsftp`',
  id: 'fzsftp',
  interpreter: process.execPath,
  script: 'fzsftp-client.ts',
  cannot: { rekeyByIt: 'FileZilla has no setting for it; its PuTTY renews keys at 1 GiB or after an hour' },
  chooses: { keyExchange: noChoice, cipher: noChoice, mac: noChoice, hostKey: noChoice },
  readVersion: () => readPackageVersion('filezilla'),
});

const russhChooses: Readonly<Record<Slot, readonly string[]>> = {
  keyExchange: ['mlkem768x25519-sha256', ...without(keyExchange, sntrup)],
  cipher,
  mac,
  hostKey,
};

export const russh = scripted({
  name: 'russh',
  id: 'russh',
  interpreter: process.execPath,
  script: 'russh-client.ts',
  cannot: {
    resumeGet: 'the npm package cannot seek in a file',
    rekeyByIt: 'the npm package has no setting for it; the library renews keys at 1 GiB or after an hour',
  },
  chooses: russhChooses,
  async readVersion() {
    const { default: about } = await import('russh/package.json', { with: { type: 'json' } });
    return (about as { version: string }).version;
  },
});
