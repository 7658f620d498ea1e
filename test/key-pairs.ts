// SSH key pairs made by the programs that clients make them with, in a folder of the test.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './clients.ts';

export interface KeyPair {
  /** The private key in OpenSSH's format. */
  readonly keyFile: string;
  /** The private key in PuTTY's format. */
  readonly ppkFile: string;
  /** One line of OpenSSH. */
  readonly publicKey: string;
}

async function good(program: string, args: readonly string[]): Promise<void> {
  const ran = await run(program, args);
  assert.equal(ran.status, 0, `${program} ${args.join(' ')}: ${ran.stderr}`);
}

/** A pair by `ssh-keygen`, and the same key as a .ppk. Shape: `words` say which sort, as on the command line. */
export async function makeKeyPair(folder: string, name: string, words = ['-t', 'ed25519']): Promise<KeyPair> {
  const keyFile = path.join(folder, name);
  await good('ssh-keygen', ['-q', ...words, '-N', '', '-C', name, '-f', keyFile]);
  const ppkFile = `${keyFile}.ppk`;
  await good('puttygen', [keyFile, '-O', 'private', '-o', ppkFile]);
  return { keyFile, ppkFile, publicKey: readFileSync(`${keyFile}.pub`, 'utf8') };
}

/** A pair by `puttygen -t rsa -b 2048`, in a folder of its own. Shape: `rfc4716` is what its "Save public key" writes. */
export async function makePuttyPair(folder: string, name: string): Promise<KeyPair & { readonly rfc4716: string }> {
  const home = path.join(folder, name);
  mkdirSync(home);
  const [ppkFile, keyFile] = [path.join(home, 'privatekey.ppk'), path.join(home, 'openssh')];
  const nothing = path.join(home, 'passphrase');
  writeFileSync(nothing, '');
  await good('puttygen', ['-t', 'rsa', '-b', '2048', '-o', ppkFile, '--new-passphrase', nothing]);
  await good('puttygen', ['-L', ppkFile, '-o', path.join(home, 'public.key')]);
  await good('puttygen', ['-p', ppkFile, '-o', path.join(home, 'public.ssh2')]);
  await good('puttygen', [ppkFile, '-O', 'private-openssh', '-o', keyFile]);
  return {
    keyFile,
    ppkFile,
    publicKey: readFileSync(path.join(home, 'public.key'), 'utf8'),
    rfc4716: readFileSync(path.join(home, 'public.ssh2'), 'utf8'),
  };
}
