// Verifies the broker's detached signatures with the public certificate alone.
import { createPublicKey, verify } from 'node:crypto';
import { OpenPgpFormatError, unarmorCertificate } from './armor.ts';
import { readInteger, readLength, readPackets } from './packet-reader.ts';
import { formatUint32, tags } from './packets.ts';
import { createSignatureHash, eddsaLegacyId, signatureTypes } from './signature.ts';
import { nameKey, readPublicBody } from './signing-key.ts';

export interface Verification {
  readonly good: boolean;
  /** Of the certificate, hex, upper case. */
  readonly fingerprint: string;
  /** Units: ms since 1970; only present when the signature is good. */
  readonly signedAtMs: number | undefined;
}

/**
 * Checks the signature of `NAME.sig` over `data`; a signature by another key, or over other bytes, is not good.
 * Refuses: a certificate or signature of another make than the broker's (OpenPgpFormatError).
 * Source: RFC 9580 §5.2.3, §5.2.4.
 */
export function verifyDetached(options: {
  certificate: Uint8Array | string;
  signature: Uint8Array;
  data: Uint8Array;
}): Verification {
  const { certificate } = options;
  const [key] = readPackets(typeof certificate === 'string' ? unarmorCertificate(certificate) : certificate);
  if (key?.tag !== tags.publicKey) throw new OpenPgpFormatError('The certificate does not begin with a public key');
  const { point, bodyBytes } = readPublicBody(key.body);
  const { fingerprint } = nameKey(key.body.subarray(0, bodyBytes));
  const [signature, ...others] = readPackets(options.signature);
  if (signature?.tag !== tags.signature || others.length > 0)
    throw new OpenPgpFormatError('The signature file does not hold exactly one signature');
  const { body } = signature;
  if (body[0] !== 4 || body[1] !== signatureTypes.binary || body[2] !== eddsaLegacyId || body[3] !== 8)
    throw new OpenPgpFormatError('The signature is not of the kind that Broadgate makes');
  const hashedEnd = 6 + readUint16(body, 4);
  const integersAt = hashedEnd + 2 + readUint16(body, hashedEnd) + 2;
  const r = readInteger(body, integersAt);
  const s = readInteger(body, r.next);
  if (r.value.length > 32 || s.value.length > 32) throw new OpenPgpFormatError('The signature is malformed');
  const value = Buffer.alloc(64);
  value.set(r.value, 32 - r.value.length);
  value.set(s.value, 64 - s.value.length);
  const digest = createSignatureHash()
    .update(options.data)
    .update(body.subarray(0, hashedEnd))
    .update(Buffer.from([4, 0xff]))
    .update(formatUint32(hashedEnd))
    .digest();
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') },
    format: 'jwk',
  });
  const hashed = body.subarray(6, hashedEnd);
  // §5.2.3.35: who says to have signed. The point alone would also hold for a certificate with another name or time.
  const issuer = findSubpacket(hashed, 33)?.toString('hex', 1).toUpperCase();
  const good = verify(null, digest, publicKey, value) && issuer === fingerprint;
  return { good, fingerprint, signedAtMs: good ? readCreationTime(hashed) : undefined };
}

function readUint16(body: Buffer, at: number): number {
  if (at + 2 > body.length) throw new OpenPgpFormatError('The signature is cut off');
  return body.readUInt16BE(at);
}

/** Source: RFC 9580 §5.2.3.11. */
function readCreationTime(subpackets: Buffer): number | undefined {
  const time = findSubpacket(subpackets, 2);
  return time?.length === 4 ? time.readUInt32BE() * 1000 : undefined;
}

/** The body of the first of that type. Source: RFC 9580 §5.2.3.7. */
function findSubpacket(subpackets: Buffer, type: number): Buffer | undefined {
  for (let at = 0; at < subpackets.length; ) {
    const length = readLength(subpackets, at);
    if (!length || length.partial || length.size < 1) return undefined;
    at += length.lengthBytes;
    // The highest bit of the type says "critical" and is no part of the type.
    if ((subpackets[at]! & 0x7f) === type) return subpackets.subarray(at + 1, at + length.size);
    at += length.size;
  }
  return undefined;
}
