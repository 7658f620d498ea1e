// Seals the packets of a message: the body of a symmetrically encrypted, integrity protected data packet, piece by piece.
import { createCipheriv, createHash, hash, hkdfSync, randomBytes } from 'node:crypto';
import { createFeedback } from './feedback.ts';
import { formatHeader, tags } from './packets.ts';
import { type Cipher, ciphers, type Container } from './recipient-key.ts';

/** Turns plaintext, given in order, into the body of one packet. */
export interface Sealer {
  /** The body's first bytes. */
  start(): Buffer;
  /** The next pieces of the body, as far as they are complete. */
  update(plaintext: Uint8Array): Buffer[];
  /** The body's last pieces, with the proof that nothing was changed. */
  final(): Buffer[];
}

export function createSealer(container: Container, cipher: Cipher, sessionKey: Buffer): Sealer {
  if (container === 'seipd1') return createSealer1(sessionKey);
  return createSealer2(container === 'seipd2-gcm' ? 'gcm' : 'ocb', cipher, sessionKey);
}

/** Units: bytes of packet body for so many bytes of plaintext. */
export function sealedSize(container: Container, plaintextBytes: number): number {
  if (container === 'seipd1') return 1 + prefixSizeBytes + plaintextBytes + integritySizeBytes;
  return headSizeBytes + plaintextBytes + tagSizeBytes * (Math.ceil(plaintextBytes / chunkSizeBytes) + 1);
}

const prefixSizeBytes = 18;
const integritySizeBytes = 22;

/** Random start of the plaintext that stands for an initial vector: 16 octets, the last two repeated. */
function formatPrefix(): Buffer {
  const prefix = randomBytes(prefixSizeBytes);
  prefix.copyWithin(16, 14, 16);
  return prefix;
}

/** Source: RFC 9580 §5.13.1 (RFC 4880 §5.13, §5.14). */
function createSealer1(sessionKey: Buffer): Sealer {
  const encryption = createFeedback(sessionKey);
  const integrity = createHash('sha1');
  const update = (plaintext: Uint8Array): Buffer[] => {
    integrity.update(plaintext);
    return [encryption.encryptCopy(plaintext)];
  };
  return {
    start: () => Buffer.concat([Buffer.from([1]), ...update(formatPrefix())]),
    update,
    final() {
      // §5.13.1: the integrity packet's own header is hashed too.
      integrity.update(integrityHeader);
      return [encryption.encryptCopy(Buffer.concat([integrityHeader, integrity.digest()]))];
    },
  };
}

const integrityHeader = Buffer.from([0xc0 | tags.integrity, 20]);

/**
 * The whole SEIPD version 1 packet in one allocation, behind `before`: the quick way for content that is in memory.
 * Source: as createSealer1.
 */
export function sealWhole1(
  before: readonly Uint8Array[],
  plaintext: readonly Uint8Array[],
  sessionKey: Buffer,
): Buffer {
  const plaintextBytes = plaintext.reduce((sum, piece) => sum + piece.length, 0);
  const header = formatHeader(tags.sealed, sealedSize('seipd1', plaintextBytes));
  const start = before.reduce((sum, piece) => sum + piece.length, header.length + 1);
  // The encrypted part is aligned to words, so that the key stream is mixed in by words.
  const shift = (8 - (start % 8)) % 8;
  const encryptedBytes = prefixSizeBytes + plaintextBytes + integritySizeBytes;
  const message = Buffer.allocUnsafeSlow(shift + start + encryptedBytes).subarray(shift);
  let at = 0;
  for (const piece of [...before, header, Buffer.from([1]), formatPrefix(), ...plaintext, integrityHeader]) {
    message.set(piece, at);
    at += piece.length;
  }
  message.set(hash('sha1', message.subarray(start, at), 'buffer'), at);
  createFeedback(sessionKey).encrypt(message.subarray(start));
  return message;
}

const tagSizeBytes = 16;
const saltSizeBytes = 32;
const headSizeBytes = 4 + saltSizeBytes;
// RFC 9580 §5.13.2: the octet c stands for chunks of 2^(c + 6) octets.
const chunkOctet = 10;
const chunkSizeBytes = 2 ** (chunkOctet + 6);
const modes = { ocb: { id: 2, nonceSizeBytes: 15 }, gcm: { id: 3, nonceSizeBytes: 12 } } as const;

/** Source: RFC 9580 §5.13.2. */
function createSealer2(mode: keyof typeof modes, cipher: Cipher, sessionKey: Buffer): Sealer {
  const { id, nonceSizeBytes } = modes[mode];
  const { id: cipherId, keySizeBytes } = ciphers[cipher];
  const associated = Buffer.from([0xc0 | tags.sealed, 2, cipherId, id, chunkOctet]);
  const salt = randomBytes(saltSizeBytes);
  // §5.13.2: message key and the nonce's prefix come from the session key, bound to the header.
  const derivedSize = keySizeBytes + nonceSizeBytes - 8;
  const derived = Buffer.from(hkdfSync('sha256', sessionKey, salt, associated, derivedSize));
  const name = `aes-${keySizeBytes * 8}-${mode}` as 'aes-256-gcm';
  let chunkNumber = 0n;
  let totalBytes = 0n;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;

  function seal(plaintext: readonly Uint8Array[], extra: Buffer): Buffer[] {
    const nonce = Buffer.concat([derived.subarray(keySizeBytes), Buffer.alloc(8)]);
    nonce.writeBigUInt64BE(chunkNumber++, nonceSizeBytes - 8);
    const sealing = createCipheriv(name, derived.subarray(0, keySizeBytes), nonce, { authTagLength: tagSizeBytes });
    sealing.setAAD(Buffer.concat([associated, extra]));
    const pieces = plaintext.map((piece) => sealing.update(piece));
    totalBytes += BigInt(plaintext.reduce((sum, piece) => sum + piece.length, 0));
    return [...pieces, sealing.final(), sealing.getAuthTag()];
  }
  function flush(): Buffer[] {
    const sealed = seal(pending, Buffer.alloc(0));
    pending = [];
    pendingBytes = 0;
    return sealed;
  }
  return {
    start: () => Buffer.concat([Buffer.from([2, cipherId, id, chunkOctet]), salt]),
    update(plaintext) {
      const sealed: Buffer[] = [];
      for (let taken = 0; taken < plaintext.length; ) {
        const size = Math.min(plaintext.length - taken, chunkSizeBytes - pendingBytes);
        const piece = plaintext.subarray(taken, taken + size);
        taken += size;
        pendingBytes += size;
        // What waits is copied, because it may be the caller's; what fills the chunk is sealed at once.
        pending.push(pendingBytes === chunkSizeBytes ? piece : Buffer.from(piece));
        if (pendingBytes === chunkSizeBytes) sealed.push(...flush());
      }
      return sealed;
    },
    final() {
      const last = pendingBytes > 0 ? flush() : [];
      // §5.13.2: a last empty chunk proves the total, so that nothing can be cut off.
      const total = Buffer.alloc(8);
      total.writeBigUInt64BE(totalBytes);
      return [...last, ...seal([], total)];
    },
  };
}
