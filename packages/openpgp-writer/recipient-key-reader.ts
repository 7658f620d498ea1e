// Reads the public part of an encryption key or subkey into the facts that sealing needs.
import { createHash } from 'node:crypto';
import { OpenPgpFormatError } from './armor.ts';
import { readInteger } from './packet-reader.ts';
import { formatUint16, formatUint32 } from './packets.ts';
import type { Cipher, Container, EcdhCurve, RecipientKey, RecipientKeyMaterial } from './recipient-key.ts';
import { curveIds, kdfCipherIds, kdfHashIds } from './session-key.ts';

/**
 * Takes the body of a public key or subkey packet of a certificate that the caller has validated.
 * Refuses: algorithms and curves that the writer does not know, malformed fields (OpenPgpFormatError).
 * Source: RFC 9580 §5.5.2, §5.5.4, §5.5.5.
 */
export function recipientKeyOf(body: Uint8Array, options: { cipher: Cipher; container: Container }): RecipientKey {
  const input = Buffer.from(body);
  const keyVersion = input[0];
  if (keyVersion !== 4 && keyVersion !== 6) throw new OpenPgpFormatError('Only keys of version 4 and 6 can be read');
  // §5.5.4.2: a version 4 fingerprint has two octets for the size of the key.
  if (keyVersion === 4 && input.length > 0xffff) throw new OpenPgpFormatError('The key is too large');
  // §5.5.2.3: version 6 counts its key material in four octets.
  const material = input.subarray(keyVersion === 4 ? 6 : 10);
  return { keyVersion, ...nameKey(keyVersion, input), ...options, key: readMaterial(input[5], material) };
}

/** Source: RFC 9580 §5.5.4.2 and §5.5.4.3. */
function nameKey(keyVersion: 4 | 6, body: Buffer): { fingerprint: string; keyId: string } {
  const hash = keyVersion === 4 ? createHash('sha1') : createHash('sha256');
  const prefix =
    keyVersion === 4
      ? [Buffer.from([0x99]), formatUint16(body.length)]
      : [Buffer.from([0x9b]), formatUint32(body.length)];
  const fingerprint = hash
    .update(Buffer.concat([...prefix, body]))
    .digest('hex')
    .toUpperCase();
  return { fingerprint, keyId: keyVersion === 4 ? fingerprint.slice(-16) : fingerprint.slice(0, 16) };
}

function readMaterial(algorithm: number | undefined, material: Buffer): RecipientKeyMaterial {
  switch (algorithm) {
    // §9.1: 2 is RSA for encryption only, deprecated and still met.
    case 1:
    case 2: {
      const n = readInteger(material, 0);
      const e = readInteger(material, n.next);
      return { kind: 'rsa', n: n.value.toString('base64url'), e: e.value.toString('base64url') };
    }
    case 18:
      return readEcdh(material);
    case 25:
      return { kind: 'x25519', point: takePoint(material, 32) };
    case 26:
      return { kind: 'x448', point: takePoint(material, 56) };
    default:
      throw new OpenPgpFormatError(`Algorithm ${algorithm} does not encrypt or is not supported`);
  }
}

/** Source: RFC 9580 §5.5.5.6: curve, point, and the KDF parameters 3, 1, hash, cipher. */
function readEcdh(material: Buffer): RecipientKeyMaterial {
  const idEnd = 1 + (material[0] ?? 0);
  const id = material.subarray(0, idEnd);
  const curve = (Object.keys(curveIds) as EcdhCurve[]).find((name) => curveIds[name].equals(id));
  if (!curve) throw new OpenPgpFormatError('The curve is not supported');
  const { value, next } = readInteger(material, idEnd);
  const [kdfSize, kdfVersion, hashId, cipherId] = material.subarray(next, next + 4);
  const kdfHash = nameOf(kdfHashIds, hashId);
  const kdfCipher = nameOf(kdfCipherIds, cipherId);
  if (kdfSize !== 3 || kdfVersion !== 1 || !kdfHash || !kdfCipher)
    throw new OpenPgpFormatError('The key derivation parameters are not supported');
  if (curve === 'curve25519' && (value.length !== 33 || value[0] !== 0x40))
    throw new OpenPgpFormatError('The point is malformed');
  const point = curve === 'curve25519' ? value.subarray(1) : value;
  return { kind: 'ecdh', curve, point: point.toString('base64url'), kdfHash, kdfCipher };
}

const nameOf = <Name extends string>(ids: Readonly<Record<Name, number>>, id: number | undefined): Name | undefined =>
  (Object.keys(ids) as Name[]).find((name) => ids[name] === id);

function takePoint(material: Buffer, sizeBytes: number): string {
  if (material.length !== sizeBytes) throw new OpenPgpFormatError('The point is malformed');
  return material.toString('base64url');
}
