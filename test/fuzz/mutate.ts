// Makes an input that is nearly right from one that is right: the edits that parsers trip over.
import type { Dice } from './dice.ts';

/** Numbers at the edges of fields. */
const edges = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 191, 192, 223, 224, 254, 255] as const;
const edges32 = [
  0, 1, 5, 0x7f, 0xff, 0x100, 0x7fff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];

export interface MutationOptions {
  /** What else there is, to splice with. */
  readonly pool: readonly Buffer[];
  /** Pieces that mean something to the parser. */
  readonly words?: readonly Buffer[];
  readonly bytesMax: number;
}

/** One to six edits, most often one or two. */
export function mutate(dice: Dice, input: Buffer, options: MutationOptions): Buffer {
  let bytes: Buffer = Buffer.from(input);
  const edits = 1 + dice.below(1 + dice.below(6));
  for (let edit = 0; edit < edits; edit++) bytes = editOnce(dice, bytes, options);
  return bytes.length > options.bytesMax ? bytes.subarray(0, options.bytesMax) : bytes;
}

function editOnce(dice: Dice, bytes: Buffer, options: MutationOptions): Buffer {
  const size = bytes.length;
  if (size === 0) return dice.bytes(1 + dice.below(16));
  const at = dice.below(size);
  switch (dice.below(14)) {
    case 0:
      bytes[at]! ^= 1 << dice.below(8);
      return bytes;
    case 1:
      bytes[at] = dice.pick(edges);
      return bytes;
    case 2:
      bytes[at] = (bytes[at]! + dice.below(17) - 8) & 0xff;
      return bytes;
    case 3:
      return bytes.subarray(0, at);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + dice.size(size - at))]);
    case 5:
      return repeat(dice, bytes, at, options.bytesMax);
    case 6:
      return Buffer.concat([bytes.subarray(0, at), dice.bytes(1 + dice.size(32)), bytes.subarray(at)]);
    case 7:
      return splice(dice, bytes, at, options.pool);
    case 8:
      return overwrite(bytes, at, cutOut(dice, dice.pick(options.pool)));
    case 9:
    case 10:
      return editLength(dice, bytes);
    case 11:
      return editNumber(dice, bytes, at);
    case 12:
      return swap(dice, bytes);
    default: {
      const word = options.words && options.words.length > 0 ? dice.pick(options.words) : dice.bytes(2);
      return dice.isOneIn(2)
        ? overwrite(bytes, at, word)
        : Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(at)]);
    }
  }
}

/** A range once more, or many times over. */
function repeat(dice: Dice, bytes: Buffer, at: number, bytesMax: number): Buffer {
  const range = bytes.subarray(at, at + 1 + dice.size(bytes.length - at));
  const room = Math.max(1, Math.floor((bytesMax - bytes.length) / range.length));
  const times = Math.min(room, dice.isOneIn(8) ? 1 + dice.below(2000) : 1 + dice.below(3));
  return Buffer.concat([bytes.subarray(0, at), ...Array.from({ length: times }, () => range), bytes.subarray(at)]);
}

/** The beginning of one and the end of another. */
function splice(dice: Dice, bytes: Buffer, at: number, pool: readonly Buffer[]): Buffer {
  const other = dice.pick(pool);
  return Buffer.concat([bytes.subarray(0, at), other.subarray(dice.below(other.length + 1))]);
}

function cutOut(dice: Dice, other: Buffer): Buffer {
  const from = dice.below(other.length + 1);
  return other.subarray(from, from + 1 + dice.size(64));
}

function overwrite(bytes: Buffer, at: number, piece: Buffer): Buffer {
  piece.copy(bytes, at);
  return bytes;
}

/** Changes a number that looks like the length of what follows it, where there is one. */
function editLength(dice: Dice, bytes: Buffer): Buffer {
  const start = dice.below(bytes.length);
  for (let step = 0; step < Math.min(64, bytes.length); step++) {
    const at = (start + step) % bytes.length;
    const left = bytes.length - at;
    if (left >= 4 && bytes.readUInt32BE(at) > 0 && bytes.readUInt32BE(at) <= left) {
      bytes.writeUInt32BE(near(dice, bytes.readUInt32BE(at), edges32), at);
      return bytes;
    }
    if (left >= 2 && bytes[at] === 0 && bytes[at + 1]! > 0 && bytes[at + 1]! <= left) {
      bytes.writeUInt16BE(near(dice, bytes.readUInt16BE(at), edges) & 0xffff, at);
      return bytes;
    }
  }
  return editNumber(dice, bytes, start);
}

const near = (dice: Dice, value: number, others: readonly number[]): number =>
  (dice.isOneIn(2) ? value + dice.pick([-4, -2, -1, 1, 2, 4, 8]) : dice.pick(others)) >>> 0;

/** Writes an edge into a field of one of the usual widths, whatever stands there. */
function editNumber(dice: Dice, bytes: Buffer, at: number): Buffer {
  const value = dice.pick(edges32);
  if (at + 4 <= bytes.length && dice.isOneIn(2)) {
    if (dice.isOneIn(4)) bytes.writeUInt32LE(value, at);
    else bytes.writeUInt32BE(value, at);
  } else if (at + 2 <= bytes.length) bytes.writeUInt16BE(value & 0xffff, at);
  else bytes[at] = value & 0xff;
  return bytes;
}

function swap(dice: Dice, bytes: Buffer): Buffer {
  const cuts = [dice.below(bytes.length), dice.below(bytes.length), dice.below(bytes.length)].sort((a, b) => a - b);
  const [a, b, c] = cuts as [number, number, number];
  return Buffer.concat([bytes.subarray(0, a), bytes.subarray(b, c), bytes.subarray(a, b), bytes.subarray(c)]);
}

/** Changes the inside of one length-prefixed field and keeps its length right, so that what lies deeper is reached. */
export function mutateField(dice: Dice, input: Buffer, options: MutationOptions, startAt = 0): Buffer {
  const fields = readFields(input, startAt);
  if (fields.length === 0) return mutate(dice, input, options);
  const { from, end } = dice.pick(fields);
  const inside = input.subarray(from, end);
  const nested = readFields(inside, 0).at(-1)?.end === inside.length;
  const changed = nested && dice.isOneIn(2) ? mutateField(dice, inside, options) : mutate(dice, inside, options);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(changed.length);
  return Buffer.concat([input.subarray(0, from - 4), length, changed, input.subarray(end)]);
}

function readFields(bytes: Buffer, startAt: number): { from: number; end: number }[] {
  const fields: { from: number; end: number }[] = [];
  for (let at = startAt; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    fields.push({ from: at + 4, end });
    at = end;
  }
  return fields;
}
