// Writes the outer shape of OpenPGP packets: headers, lengths, integers, signature subpackets.

/** Packet tags that the writer makes or recognises. Source: RFC 9580 §5. */
export const tags = {
  sessionKey: 1,
  signature: 2,
  onePassSignature: 4,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  compressed: 8,
  marker: 10,
  literal: 11,
  userId: 13,
  publicSubkey: 14,
  sealed: 18,
  integrity: 19,
} as const;

/**
 * A definite packet or subpacket length in its shortest form.
 * Source: RFC 4880 §4.2.2.1 to §4.2.2.3, RFC 9580 §4.2.1.
 */
export function formatLength(sizeBytes: number): Buffer {
  if (sizeBytes < 192) return Buffer.from([sizeBytes]);
  if (sizeBytes < 8384) return Buffer.from([((sizeBytes - 192) >> 8) + 192, (sizeBytes - 192) & 0xff]);
  if (sizeBytes > 0xffffffff) throw new RangeError('A packet of 4 GiB or more needs partial lengths');
  const length = Buffer.alloc(5, 0xff);
  length.writeUInt32BE(sizeBytes, 1);
  return length;
}

/** A header with a definite length in the current packet format. */
export const formatHeader = (tag: number, sizeBytes: number): Buffer =>
  Buffer.concat([Buffer.from([0xc0 | tag]), formatLength(sizeBytes)]);

/** A whole packet. */
export const formatPacket = (tag: number, body: Uint8Array): Buffer =>
  Buffer.concat([formatHeader(tag, body.length), body]);

/** A multiprecision integer: bit count, then the bytes without leading zeros. Source: RFC 9580 §3.2. */
export function formatInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length && bytes[start] === 0) start++;
  const value = bytes.subarray(start);
  const bits = value.length === 0 ? 0 : value.length * 8 - (Math.clz32(value[0]!) - 24);
  const integer = Buffer.alloc(2 + value.length);
  integer.writeUInt16BE(bits);
  integer.set(value, 2);
  return integer;
}

/** A signature subpacket. Source: RFC 9580 §5.2.3.7. */
export const formatSubpacket = (type: number, body: Uint8Array): Buffer =>
  Buffer.concat([formatLength(body.length + 1), Buffer.from([type]), body]);

export function formatUint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function formatUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** OpenPGP time: whole seconds since 1970. Units: takes ms. Source: RFC 9580 §3.5. */
export const formatTime = (atMs: number): Buffer =>
  formatUint32(Math.min(0xffffffff, Math.max(0, Math.floor(atMs / 1000))));

const partExponent = 16;
/** Units: bytes in each part of a packet whose size is not known beforehand. */
export const partSizeBytes = 2 ** partExponent;

/**
 * Frames a body of unknown size as one packet: parts of 64 KiB, the last with a definite length.
 * Source: RFC 9580 §4.2.1.4: a part is a power of two, the first at least 512 bytes, the last part is definite.
 */
export async function* framePartial(tag: number, body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let header = Buffer.from([0xc0 | tag]);
  let part = Buffer.alloc(1 + partSizeBytes);
  let filled = 0;
  for await (const piece of body) {
    for (let taken = 0; taken < piece.length; ) {
      // A full part is written only when more follows, so that a short packet is one definite part.
      if (filled === partSizeBytes) {
        part[0] = 0xe0 | partExponent;
        yield header.length > 0 ? Buffer.concat([header, part]) : part;
        header = Buffer.alloc(0);
        part = Buffer.alloc(1 + partSizeBytes);
        filled = 0;
      }
      const size = Math.min(piece.length - taken, partSizeBytes - filled);
      part.set(piece.subarray(taken, taken + size), 1 + filled);
      filled += size;
      taken += size;
    }
  }
  yield Buffer.concat([header, formatLength(filled), part.subarray(1, 1 + filled)]);
}
