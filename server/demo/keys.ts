// The demo's own keys, as a client would make them: an SSH pair, a second one that nobody registered, and an OpenPGP pair.
import { formatHostKey, formatPublicKeyLine, generateHostKey } from '@broadgate/ssh';
import { generateKey } from 'openpgp';

export interface SshPair {
  /** OpenSSH format, without passphrase. */
  readonly privateKey: string;
  /** One line, as `ssh-keygen` writes it. */
  readonly publicKey: string;
}

export async function makeSshPair(comment: string): Promise<SshPair> {
  const key = await generateHostKey('ed25519', comment);
  return { privateKey: formatHostKey(key), publicKey: `${formatPublicKeyLine({ blob: key.blob, comment })}\n` };
}

export interface OpenPgpPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** Curve25519 in version 4, which GnuPG 2.2 reads; without passphrase, so that scripts can use it. */
export async function makeOpenPgpPair(person: { name: string; email: string }, at: Date): Promise<OpenPgpPair> {
  const { privateKey, publicKey } = await generateKey({
    type: 'ecc',
    curve: 'curve25519Legacy',
    userIDs: [person],
    date: at,
    format: 'armored',
  });
  return { privateKey, publicKey };
}
