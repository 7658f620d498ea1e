// The only source of randomness: unpredictable by default, seeded in tests that must repeat.
import { createCipheriv, createHash, randomBytes } from 'node:crypto';

export interface Random {
  /** Fresh bytes, never shared with another caller. */
  bytes(sizeBytes: number): Buffer;
}

export const systemRandom: Random = { bytes: (sizeBytes) => randomBytes(sizeBytes) };

/** A repeatable stream for tests, which print their seed. NOTE: never for keys, ids or tokens of a real installation. */
export function createSeededRandom(seed: string): Random {
  const key = createHash('sha256').update(seed).digest();
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  return { bytes: (sizeBytes) => stream.update(Buffer.alloc(sizeBytes)) };
}

/** An integer from 0 up to but not including `below` (at most 2^32), without modulo bias. */
export function randomBelow(random: Random, below: number): number {
  const limit = Math.floor(2 ** 32 / below) * below;
  for (;;) {
    const value = random.bytes(4).readUInt32BE();
    if (value < limit) return value % below;
  }
}

const crockford = '0123456789abcdefghjkmnpqrstvwxyz';

/** Lower-case Crockford base 32, 5 bits a character: for user names, codes and references that people read. */
export const randomText = (random: Random, characters: number): string =>
  Array.from(random.bytes(characters), (byte) => crockford[byte & 31]).join('');

/** Unguessable token, 256 bits, base64url: for sign-ins and one-time links. */
export function randomToken(random: Random): string {
  // A command line takes a word that begins with a minus for an option.
  for (;;) {
    const token = random.bytes(32).toString('base64url');
    if (!token.startsWith('-')) return token;
  }
}
