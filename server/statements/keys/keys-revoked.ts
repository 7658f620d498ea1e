// Whose certificate it was that was handed in as revoked, so that the one on file can be ended (D-26).
import { readKeys } from 'openpgp';
import { decodeKeyText, stripQuoting } from './key-text.ts';

/**
 * The primary fingerprint of a certificate that the checks refused as revoked; they have verified that its owner revoked it.
 * Shape: upper-case hexadecimal digits; undefined when it cannot be read.
 */
export async function readRevokedFingerprint(bytes: Uint8Array): Promise<string | undefined> {
  const text = decodeKeyText(bytes);
  const isArmored = text?.includes('-----BEGIN PGP ') ?? false;
  const reading = isArmored ? readKeys({ armoredKeys: stripQuoting(text!) }) : readKeys({ binaryKeys: bytes });
  const [key] = await reading.catch(() => []);
  return key?.getFingerprint().toUpperCase();
}
