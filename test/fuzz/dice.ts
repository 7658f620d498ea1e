// Chance that repeats: a fast seeded generator for fuzzing, never for anything that must be hard to guess.
import { createHash } from 'node:crypto';

export interface Dice {
  /** A whole number from 0 up to but not including `limit`. */
  below(limit: number): number;
  /** True once in that many throws. */
  isOneIn(count: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  bytes(sizeBytes: number): Buffer;
  /** Small sizes mostly, now and then a large one. */
  size(max: number): number;
}

/** The same seed gives the same throws. Source: the generator is sfc32 of PractRand. */
export function createDice(seed: string): Dice {
  const start = createHash('sha256').update(seed).digest();
  let [a, b, c] = [start.readInt32LE(0), start.readInt32LE(4), start.readInt32LE(8)];
  let counter = 1;
  function next(): number {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
  for (let round = 0; round < 12; round++) next();
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return {
    below,
    isOneIn: (count) => below(count) === 0,
    pick: (items) => items[below(items.length)]!,
    bytes(sizeBytes) {
      const bytes = Buffer.alloc(sizeBytes);
      let at = 0;
      for (; at + 4 <= sizeBytes; at += 4) bytes.writeUInt32LE(next(), at);
      for (; at < sizeBytes; at++) bytes[at] = next() & 0xff;
      return bytes;
    },
    size: (max) => below(2 ** below(1 + Math.ceil(Math.log2(max + 1)))) % (max + 1),
  };
}
