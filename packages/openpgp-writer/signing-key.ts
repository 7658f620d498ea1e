// The broker's own signing key: made once, kept secret in its OpenPGP form, shown to clients as a certificate.
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { OpenPgpFormatError } from './armor.ts';
import { readInteger, readPackets } from './packet-reader.ts';
import {
  formatInteger,
  formatPacket,
  formatSubpacket,
  formatTime,
  formatUint16,
  formatUint32,
  tags,
} from './packets.ts';
import { createSignatureHash, eddsaLegacyId, formatSignature, type Signer, signatureTypes } from './signature.ts';

/** An Ed25519 key with the certificate that clients import. NOTE: `secret` must only ever go to the vault. */
export interface SigningKey extends Signer {
  readonly userId: string;
  readonly createdAtMs: number;
  readonly certificate: Buffer;
  readonly secret: Buffer;
}

/** Object identifier of Ed25519 with its length. Source: RFC 9580 §9.2 (Ed25519Legacy). */
const ed25519Legacy = Buffer.from('092b06010401da470f01', 'hex');

/**
 * Makes a version 4 Ed25519 key with one user id, signed by itself, without expiry.
 * Units: `createdAtMs` is kept to the second. Source: RFC 9580 §5.5.5.5, §10.1.1.
 */
export function generateSigningKey(options: { userId: string; createdAtMs: number }): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { x, d } = privateKey.export({ format: 'jwk' });
  const publicBody = formatPublicBody(options.createdAtMs, Buffer.from(x!, 'base64url'));
  const names = nameKey(publicBody);
  const userId = Buffer.from(options.userId, 'utf8');
  const rest = Buffer.concat([
    formatPacket(tags.userId, userId),
    certify({ ...names, privateKey }, publicBody, userId, options.createdAtMs),
  ]);
  const secretValue = formatInteger(Buffer.from(d!, 'base64url'));
  let sum = 0;
  for (const byte of secretValue) sum = (sum + byte) & 0xffff;
  // RFC 9580 §5.5.3: usage octet 0, the secret in clear, and a checksum. The vault encrypts the whole.
  const secretBody = Buffer.concat([publicBody, Buffer.from([0]), secretValue, formatUint16(sum)]);
  return importSigningKey(Buffer.concat([formatPacket(tags.secretKey, secretBody), rest]));
}

/** The private form, a binary transferable secret key that GnuPG reads too. NOTE: secret and not encrypted. */
export const exportSigningKey = (key: SigningKey): Buffer => Buffer.from(key.secret);

/** The public form, a binary transferable public key. */
export const exportCertificate = (key: SigningKey): Buffer => Buffer.from(key.certificate);

/** Reads what `exportSigningKey` wrote. Refuses: anything else (OpenPgpFormatError, without a byte of the input). */
export function importSigningKey(bytes: Uint8Array): SigningKey {
  const [key, userId, certification, ...others] = readPackets(Buffer.from(bytes));
  if (key?.tag !== tags.secretKey || userId?.tag !== tags.userId || certification?.tag !== tags.signature)
    throw new OpenPgpFormatError('This is not a signing key that Broadgate made');
  const { createdAtMs, point, bodyBytes } = readPublicBody(key.body);
  const publicBody = key.body.subarray(0, bodyBytes);
  if (others.length > 0 || key.body[bodyBytes] !== 0)
    throw new OpenPgpFormatError('The signing key has more packets than one user id, or is protected by a passphrase');
  const secret = readInteger(key.body, bodyBytes + 1);
  if (secret.next + 2 !== key.body.length || secret.value.length > 32)
    throw new OpenPgpFormatError('The signing key has a malformed secret');
  const seed = Buffer.concat([Buffer.alloc(32 - secret.value.length), secret.value]);
  const privateKey = importPair(point, seed);
  return {
    ...nameKey(publicBody),
    privateKey,
    userId: userId.body.toString('utf8'),
    createdAtMs,
    certificate: Buffer.concat([
      formatPacket(tags.publicKey, publicBody),
      formatPacket(tags.userId, userId.body),
      formatPacket(tags.signature, certification.body),
    ]),
    secret: Buffer.from(bytes),
  };
}

function importPair(point: Buffer, seed: Buffer): KeyObject {
  const key = { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url'), d: seed.toString('base64url') };
  try {
    return createPrivateKey({ key, format: 'jwk' });
  } catch {
    throw new OpenPgpFormatError('The public and the secret half of the signing key do not belong together');
  }
}

/** Source: RFC 9580 §5.5.2.2, §5.5.5.5: the point is marked as native by 0x40. */
const formatPublicBody = (createdAtMs: number, point: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([4]),
    formatTime(createdAtMs),
    Buffer.from([eddsaLegacyId]),
    ed25519Legacy,
    formatInteger(Buffer.concat([Buffer.from([0x40]), point])),
  ]);

/** Reads the public part of a version 4 Ed25519 key. Refuses: any other key (OpenPgpFormatError). */
export function readPublicBody(body: Buffer): { createdAtMs: number; point: Buffer; bodyBytes: number } {
  const start = 6 + ed25519Legacy.length;
  if (body[0] !== 4 || body[5] !== eddsaLegacyId || !body.subarray(6, start).equals(ed25519Legacy))
    throw new OpenPgpFormatError('The key is not a version 4 Ed25519 key');
  const { value, next } = readInteger(body, start);
  if (value.length !== 33 || value[0] !== 0x40) throw new OpenPgpFormatError('The key has a malformed point');
  return { createdAtMs: body.readUInt32BE(1) * 1000, point: value.subarray(1), bodyBytes: next };
}

/** Source: RFC 9580 §5.5.4.2: SHA-1 over the public body; the key id is its last eight octets. */
export function nameKey(publicBody: Buffer): { fingerprint: string; keyId: string } {
  const digest = createHash('sha1')
    .update(Buffer.from([0x99]))
    .update(formatUint16(publicBody.length));
  const fingerprint = digest.update(publicBody).digest('hex').toUpperCase();
  return { fingerprint, keyId: fingerprint.slice(-16) };
}

function certify(signer: Signer, publicBody: Buffer, userId: Buffer, signedAtMs: number): Buffer {
  // RFC 9580 §5.2.4: key with prefix 0x99, user id with prefix 0xB4, each with its length.
  const hash = createSignatureHash()
    .update(Buffer.from([0x99]))
    .update(formatUint16(publicBody.length))
    .update(publicBody)
    .update(Buffer.from([0xb4]))
    .update(formatUint32(userId.length))
    .update(userId);
  const subpackets = [
    // §5.2.3.29: the key certifies and signs, and never encrypts.
    formatSubpacket(27, Buffer.from([0x03])),
    // §5.2.3.14, §5.2.3.16, §5.2.3.17: AES-256 then AES-128; SHA-512 then SHA-256; ZIP then none.
    formatSubpacket(11, Buffer.from([9, 7])),
    formatSubpacket(21, Buffer.from([10, 8])),
    formatSubpacket(22, Buffer.from([1, 0])),
    // §5.2.3.32: SEIPD version 1 is understood. §5.2.3.25: key servers change nothing on it.
    formatSubpacket(30, Buffer.from([0x01])),
    formatSubpacket(23, Buffer.from([0x80])),
  ];
  return formatSignature(signer, hash, { type: signatureTypes.positiveCertification, signedAtMs, subpackets });
}
