// Puts SFTP packets together again from channel data, which cuts them anywhere. The payload of a WRITE is not copied:
// it stays a list of views into what came from the channel. Source: draft-ietf-secsh-filexfer-02 §3.
import { limits, packetTypes } from './wire.ts';

/** One packet without its length field. */
export interface Packet {
  /** All of it, or of a long WRITE all that stands before the payload. */
  readonly head: Buffer;
  /** Payload of a WRITE beyond `head`, in order; empty for every other packet. */
  readonly tail: readonly Buffer[];
  /** Units: bytes of the whole packet, its length field included. */
  readonly sizeBytes: number;
}

export interface FrameReader {
  /** Takes channel data. The bytes are kept as views until their packet was taken. */
  push(bytes: Buffer): void;
  /** The next whole packet; undefined while it is not complete, or after `fault` was set. */
  next(): Packet | undefined;
  /** Why no packet can follow: a length beyond the limit. The stream cannot be trusted from there on. */
  readonly fault: string | undefined;
  /** Bytes pushed that no packet has taken yet. */
  readonly waitingBytes: number;
}

// Type, id, handle with its length, offset, length of the payload.
const writeHeadBytesMax = 1 + 4 + 4 + limits.handleBytes + 8 + 4;
const lengthBytes = 4;

export function createFrameReader(packetBytesMax: number = limits.packetBytes): FrameReader {
  // Consumed chunks leave from the front by index, so that a backlog of many small ones stays linear.
  let chunks: Buffer[] = [];
  let first = 0;
  let firstOffset = 0;
  let waitingBytes = 0;
  let fault: string | undefined;

  /** Looks at byte `at` of what waits; the caller knows that it is there. */
  function peek(at: number): number {
    let index = first;
    let offset = firstOffset + at;
    while (offset >= chunks[index]!.length) offset -= chunks[index++]!.length;
    return chunks[index]![offset]!;
  }

  const peekUint32 = (at: number): number =>
    ((peek(at) << 24) | (peek(at + 1) << 16) | (peek(at + 2) << 8) | peek(at + 3)) >>> 0;

  /** Takes exactly that many bytes, as views. */
  function take(sizeBytes: number): Buffer[] {
    const taken: Buffer[] = [];
    let left = sizeBytes;
    while (left > 0) {
      const chunk = chunks[first]!;
      const end = Math.min(chunk.length, firstOffset + left);
      taken.push(firstOffset === 0 && end === chunk.length ? chunk : chunk.subarray(firstOffset, end));
      left -= end - firstOffset;
      firstOffset = end;
      if (end === chunk.length) {
        first++;
        firstOffset = 0;
      }
    }
    waitingBytes -= sizeBytes;
    if (first > 64 && first * 2 > chunks.length) {
      chunks = chunks.slice(first);
      first = 0;
    }
    return taken;
  }

  const takeWhole = (sizeBytes: number): Buffer => {
    const views = take(sizeBytes);
    return views.length === 1 ? views[0]! : Buffer.concat(views, sizeBytes);
  };

  return {
    push(bytes) {
      if (bytes.length === 0 || fault !== undefined) return;
      chunks.push(bytes);
      waitingBytes += bytes.length;
    },
    next() {
      if (fault !== undefined || waitingBytes < lengthBytes) return undefined;
      const length = peekUint32(0);
      if (length === 0 || length > packetBytesMax) {
        fault =
          length === 0 ? 'a packet of length 0' : `a packet of ${length} bytes; at most ${packetBytesMax} are allowed`;
        chunks = [];
        first = firstOffset = waitingBytes = 0;
        return undefined;
      }
      if (waitingBytes < lengthBytes + length) return undefined;
      take(lengthBytes);
      const sizeBytes = lengthBytes + length;
      if (length <= writeHeadBytesMax || peek(0) !== packetTypes.write) {
        return { head: takeWhole(length), tail: [], sizeBytes };
      }
      // A WRITE whose handle is longer than a handle can be is left whole: its parser says what is wrong with it.
      const handleBytes = peekUint32(5);
      const headBytes = handleBytes <= limits.handleBytes ? 1 + 4 + 4 + handleBytes + 8 + 4 : length;
      return { head: takeWhole(headBytes), tail: take(length - headBytes), sizeBytes };
    },
    get fault() {
      return fault;
    },
    get waitingBytes() {
      return waitingBytes;
    },
  };
}
