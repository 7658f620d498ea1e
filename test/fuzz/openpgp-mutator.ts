// Changes OpenPGP files as packets: left out, repeated, moved, borrowed from others, or changed inside with a right length.
import type { Dice } from './dice.ts';
import { mutate } from './mutate.ts';

interface Piece {
  readonly tag: number;
  readonly body: Buffer;
}

export function mutatePackets(dice: Dice, input: Buffer, pool: readonly Buffer[]): Buffer {
  const pieces = split(input);
  if (pieces.length === 0) return mutate(dice, input, { pool, bytesMax: 65_536 });
  const edits = 1 + dice.below(3);
  for (let edit = 0; edit < edits && pieces.length > 0; edit++) editOnce(dice, pieces, pool);
  return Buffer.concat(pieces.map((piece) => join(dice, piece)));
}

function editOnce(dice: Dice, pieces: Piece[], pool: readonly Buffer[]): void {
  const at = dice.below(pieces.length);
  const one = pieces[at]!;
  switch (dice.below(7)) {
    case 0:
      pieces.splice(at, 1);
      return;
    case 1:
      pieces.splice(at, 0, ...Array.from({ length: dice.isOneIn(10) ? 120 : 1 }, () => one));
      return;
    case 2: {
      const others = split(dice.pick(pool));
      if (others.length > 0) pieces.splice(dice.below(pieces.length + 1), 0, dice.pick(others));
      return;
    }
    case 3:
      pieces.push(...pieces.splice(at, 1));
      return;
    case 4:
      pieces[at] = {
        tag: dice.isOneIn(2) ? dice.pick([2, 5, 6, 7, 10, 12, 13, 14, 17, 21]) : dice.below(64),
        body: one.body,
      };
      return;
    default:
      pieces[at] = {
        tag: one.tag,
        body: mutate(dice, one.body, { pool: pieces.map(({ body }) => body), bytesMax: 20_000 }),
      };
  }
}

/** As far as the bytes are packets with definite lengths. */
function split(input: Buffer): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at + 2 < input.length; ) {
    const first = input[at]!;
    const isCurrent = (first & 0x40) !== 0;
    const [lengthBytes, size] = isCurrent ? currentLength(input, at + 1) : legacyLength(input, at + 1, first & 3);
    const end = at + 1 + lengthBytes + size;
    if ((first & 0x80) === 0 || end > input.length) break;
    pieces.push({ tag: isCurrent ? first & 0x3f : (first >> 2) & 15, body: input.subarray(at + 1 + lengthBytes, end) });
    at = end;
  }
  return pieces;
}

function currentLength(input: Buffer, at: number): [number, number] {
  const first = input[at]!;
  if (first < 192) return [1, first];
  if (first < 224) return [2, ((first - 192) << 8) + (input[at + 1] ?? 0) + 192];
  return first === 255 && at + 5 <= input.length ? [5, input.readUInt32BE(at + 1)] : [1, input.length];
}

function legacyLength(input: Buffer, at: number, type: number): [number, number] {
  const lengthBytes = 2 ** type;
  return type === 3 || at + lengthBytes > input.length
    ? [1, input.length]
    : [lengthBytes, input.readUIntBE(at, lengthBytes)];
}

/** In one of the forms that the specification allows for a length. */
function join(dice: Dice, { tag, body }: Piece): Buffer {
  if (tag < 16 && dice.isOneIn(4)) {
    const head = Buffer.alloc(5);
    head[0] = 0x80 | (tag << 2) | 2;
    head.writeUInt32BE(body.length, 1);
    return Buffer.concat([head, body]);
  }
  if (body.length < 192 && !dice.isOneIn(6)) return Buffer.concat([Buffer.of(0xc0 | tag, body.length), body]);
  const head = Buffer.alloc(6, 0xff);
  head[0] = 0xc0 | tag;
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}
