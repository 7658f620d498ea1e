// The one check that every key passes, in the server and in `keys check FILE`: which sort it is, and whether it will do.
import { decodeKeyText } from './key-text.ts';
import { type OpenPgpCertificate, readCertificate } from './openpgp-certificate.ts';
import { findPrivateKey, type PrivateKeyKind } from './private-key.ts';
import { keyLimits, refusals } from './rules.ts';
import { parseSshKey, type SshPublicKey } from './ssh-key.ts';

/** A public key that may be registered. */
export type DeliveryKey =
  | { readonly sort: 'ssh'; readonly key: SshPublicKey }
  | { readonly sort: 'openpgp'; readonly certificate: OpenPgpCertificate };

const privateForms: Readonly<Record<PrivateKeyKind, string>> = {
  openssh: 'OpenSSH',
  pem: 'PEM',
  ppk: 'PuTTY .ppk',
  ssh2: 'SSH2',
  openpgp: 'OpenPGP',
};

/**
 * Decides about the bytes as they came. A private key is refused before any parser sees it; the caller drops the bytes
 * and keeps no copy of them.
 * Refuses: key_empty, key_too_large, key_private, and what parseSshKey and readCertificate refuse.
 * Source: D-11, D-12, D-13.
 */
export async function checkDeliveryKey(
  bytes: Uint8Array,
  options: {
    nowMs: number;
    /** Reads a certificate away from the event loop; default: in this thread. */
    inspectCertificate?: ((bytes: Uint8Array, nowMs: number) => Promise<OpenPgpCertificate>) | undefined;
  },
): Promise<DeliveryKey> {
  if (bytes.length === 0) throw refusals.key_empty();
  // A private key is looked for first, so that a large one is not answered with "too large" alone.
  const privateKind = findPrivateKey(bytes);
  if (privateKind) throw refusals.key_private({ form: privateForms[privateKind] });
  if (bytes.length > keyLimits.uploadBytesMax) throw refusals.key_too_large({ limitBytes: keyLimits.uploadBytesMax });
  if (!isOpenPgp(bytes)) return { sort: 'ssh', key: parseSshKey(bytes) };
  const inspect = options.inspectCertificate ?? readCertificate;
  return { sort: 'openpgp', certificate: await inspect(bytes, options.nowMs) };
}

/** Armour names itself; binary packets begin with a byte above 127 that no text has. */
function isOpenPgp(bytes: Uint8Array): boolean {
  const text = decodeKeyText(bytes);
  if (text?.includes('-----BEGIN PGP ')) return true;
  const isText = text !== undefined && /^[\uFEFF\s]*[\x20-\x7e]/.test(text);
  return !isText && (bytes[0]! & 0x80) !== 0;
}
