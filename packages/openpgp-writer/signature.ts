// Makes the broker's signature packets: over the content of a message or file, and over its own user id.
import { createHash, type Hash, type KeyObject, sign } from 'node:crypto';
import {
  formatInteger,
  formatPacket,
  formatSubpacket,
  formatTime,
  formatUint16,
  formatUint32,
  tags,
} from './packets.ts';

/** Source: RFC 9580 §5.2.1. */
export const signatureTypes = { binary: 0x00, positiveCertification: 0x13 } as const;
/** Source: RFC 9580 §9.1 and §9.5. */
export const eddsaLegacyId = 22;
const sha256Id = 8;

/** What signs: the private half with the names that verifiers look it up by. */
export interface Signer {
  readonly fingerprint: string;
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

/** The announcement that lets a reader hash while it reads. Source: RFC 9580 §5.4. */
export const formatOnePassSignature = (signer: Signer): Buffer =>
  formatPacket(
    tags.onePassSignature,
    Buffer.concat([
      Buffer.from([3, signatureTypes.binary, sha256Id, eddsaLegacyId]),
      Buffer.from(signer.keyId, 'hex'),
      // §5.4: one, because no other signature nests inside this one.
      Buffer.from([1]),
    ]),
  );

/** The hash that a signature continues; content is hashed first, as it is. */
export const createSignatureHash = (): Hash => createHash('sha256');

/**
 * Finishes a version 4 signature over what `hash` has seen.
 * Source: RFC 9580 §5.2.3 (packet), §5.2.4 (what is hashed), §5.2.3.3 (EdDSALegacy: two integers).
 */
export function formatSignature(
  signer: Signer,
  hash: Hash,
  options: { type: number; signedAtMs: number; subpackets?: readonly Buffer[] },
): Buffer {
  const hashed = Buffer.concat([
    // §5.2.3.35: issuer fingerprint, with the version of the key; §5.2.3.11: creation time.
    formatSubpacket(33, Buffer.concat([Buffer.from([4]), Buffer.from(signer.fingerprint, 'hex')])),
    formatSubpacket(2, formatTime(options.signedAtMs)),
    ...(options.subpackets ?? []),
  ]);
  // §5.2.3.12: the key id is a hint for older readers and need not be signed.
  const unhashed = formatSubpacket(16, Buffer.from(signer.keyId, 'hex'));
  const signed = Buffer.concat([
    Buffer.from([4, options.type, eddsaLegacyId, sha256Id]),
    formatUint16(hashed.length),
    hashed,
  ]);
  // §5.2.4: the trailer names the version and the length of what was hashed of the signature itself.
  hash
    .update(signed)
    .update(Buffer.from([4, 0xff]))
    .update(formatUint32(signed.length));
  const digest = hash.digest();
  const value = sign(null, digest, signer.privateKey);
  return formatPacket(
    tags.signature,
    Buffer.concat([
      signed,
      formatUint16(unhashed.length),
      unhashed,
      digest.subarray(0, 2),
      formatInteger(value.subarray(0, 32)),
      formatInteger(value.subarray(32)),
    ]),
  );
}

/** A detached signature over bytes, as it stands in `NAME.sig`. Units: `signedAtMs` is kept to the second. */
export function signDetached(options: { signer: Signer; data: Uint8Array; signedAtMs: number }): Buffer {
  const hash = createSignatureHash().update(options.data);
  return formatSignature(options.signer, hash, { type: signatureTypes.binary, signedAtMs: options.signedAtMs });
}

/** The same for content of any size, read once. */
export async function signDetachedStream(options: {
  signer: Signer;
  source: AsyncIterable<Uint8Array>;
  signedAtMs: number;
}): Promise<Buffer> {
  const hash = createSignatureHash();
  for await (const piece of options.source) hash.update(piece);
  return formatSignature(options.signer, hash, { type: signatureTypes.binary, signedAtMs: options.signedAtMs });
}
