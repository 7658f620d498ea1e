// The demo's own keys, as a client would make them: an SSH pair, a second one that nobody registered, and an OpenPGP pair.
import { formatHostKey, formatPublicKeyLine, generateHostKey } from '@broadgate/ssh';
import { config, enums, generateKey } from 'openpgp';

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
  const { privateKey: key } = await generateKey({
    type: 'ecc',
    curve: 'curve25519Legacy',
    userIDs: [person],
    date: at,
    format: 'object',
  });
  // The library's own preferences name digests that GnuPG 2.2 does not know, and it warns about them at import.
  for (const user of key.users) {
    for (const signature of user.selfCertifications) {
      signature.preferredHashAlgorithms = [enums.hash.sha512, enums.hash.sha256];
      signature.rawNotations = [];
      // NOTE: the declared type lacks the last argument, without which this throws.
      const sign = signature.sign.bind(signature) as (...given: unknown[]) => Promise<unknown>;
      await sign(key.keyPacket, { userID: user.userID, key: key.keyPacket }, at, false, config);
    }
  }
  return { privateKey: key.armor(), publicKey: key.toPublic().armor() };
}
