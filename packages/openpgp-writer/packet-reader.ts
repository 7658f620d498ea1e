// Reads the outer shape of OpenPGP packets, as far as the writer needs it to load its own keys and to check its output.
import { OpenPgpFormatError } from './armor.ts';

export interface Packet {
  readonly tag: number;
  readonly body: Buffer;
}

/**
 * Splits bytes into packets with definite lengths.
 * Refuses: partial and indeterminate lengths, truncation (OpenPgpFormatError).
 * Source: RFC 9580 §4.2.
 */
export function readPackets(bytes: Uint8Array): Packet[] {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packets: Packet[] = [];
  for (let at = 0; at < input.length; ) {
    const first = input[at++]!;
    // §4.2: bit 7 is always one; bit 6 tells the current format from the legacy one.
    if (!(first & 0x80)) throw new OpenPgpFormatError('These bytes are not OpenPGP packets');
    const current = (first & 0x40) !== 0;
    const tag = current ? first & 0x3f : (first >> 2) & 0x0f;
    const length = current ? readLength(input, at) : readLegacyLength(input, at, first & 3);
    if (!length || length.partial) throw new OpenPgpFormatError('A packet has no definite length');
    at += length.lengthBytes;
    if (at + length.size > input.length) throw new OpenPgpFormatError('A packet is cut off');
    packets.push({ tag, body: input.subarray(at, at + length.size) });
    at += length.size;
  }
  return packets;
}

export interface Length {
  readonly lengthBytes: number;
  readonly size: number;
  readonly partial: boolean;
}

/** A length in the current format; undefined when more bytes are needed. Source: RFC 9580 §4.2.1. */
export function readLength(input: Buffer, at: number): Length | undefined {
  const first = input[at];
  if (first === undefined) return undefined;
  if (first < 192) return { lengthBytes: 1, size: first, partial: false };
  if (first >= 224 && first < 255) return { lengthBytes: 1, size: 2 ** (first & 31), partial: true };
  if (first < 224) {
    const second = input[at + 1];
    return second === undefined
      ? undefined
      : { lengthBytes: 2, size: ((first - 192) << 8) + second + 192, partial: false };
  }
  return at + 5 > input.length ? undefined : { lengthBytes: 5, size: input.readUInt32BE(at + 1), partial: false };
}

/** Source: RFC 9580 §4.2.2: type 3 is indeterminate and not read here. */
function readLegacyLength(input: Buffer, at: number, type: number): Length | undefined {
  const lengthBytes = 2 ** type;
  if (type === 3 || at + lengthBytes > input.length) return undefined;
  return { lengthBytes, size: input.readUIntBE(at, lengthBytes), partial: false };
}

/** A multiprecision integer and where the next field starts. Source: RFC 9580 §3.2. */
export function readInteger(input: Buffer, at: number): { value: Buffer; next: number } {
  if (at + 2 > input.length) throw new OpenPgpFormatError('An integer is cut off');
  const next = at + 2 + Math.ceil(input.readUInt16BE(at) / 8);
  if (next > input.length) throw new OpenPgpFormatError('An integer is cut off');
  return { value: input.subarray(at + 2, next), next };
}
