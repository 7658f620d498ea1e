// From a stream of bytes, cut anywhere, to lines and packets: the receiving half of the binary packet protocol.
import { clearOpener, type PacketOpener } from './ciphers.ts';
import { ConnectionFault, protocolFault } from './faults.ts';
import { toPlainText } from './wire.ts';

export interface PacketInput {
  /** Appends bytes; they are not copied until a packet is cut in two. */
  push(bytes: Buffer): void;
  /** Takes a line without its line end, or undefined when it is not complete yet. Refuses: more bytes without a line end. */
  takeLine(bytesMax: number): Buffer | undefined;
  /** Takes the payload of the next packet, or undefined when it is not complete yet. */
  takePacket(packetBytesMax: number): Buffer | undefined;
  /** Switches keys; everything pushed and not yet taken is read with the new ones (RFC 4253 §7.3). */
  setOpener(opener: PacketOpener): void;
  /** Strict key exchange: numbers start again (OpenSSH PROTOCOL §1.10). */
  resetSequence(): void;
  /** Of the packet taken last. */
  readonly sequence: number;
  /** Taken since the numbers or keys were set: for the limit of a key. */
  readonly packetsTaken: number;
  readonly bufferedBytes: number;
  clear(): void;
}

const empty: Buffer = Buffer.alloc(0);

export function createPacketInput(): PacketInput {
  let opener = clearOpener;
  // Unread bytes: those of `chunk` from `at`, then those of `next`.
  let chunk = empty;
  let at = 0;
  let next = empty;
  const joiner = createJoiner();
  let packetsTaken = 0;
  let nextSequence = 0;
  // packet_length of the packet whose head was read already.
  let packetLength: number | undefined;

  /** Makes the next bytes contiguous; only a packet that crosses chunks is copied, onto the bench where that will do. */
  function gather(sizeBytes: number, isBenchFit: boolean): boolean {
    if (at === chunk.length) {
      chunk = next;
      at = 0;
      next = empty;
    }
    const missingBytes = sizeBytes - (chunk.length - at);
    if (missingBytes <= 0) return true;
    if (next.length > 0) {
      const isEnough = next.length >= missingBytes;
      const added = isEnough ? next.subarray(0, missingBytes) : next;
      chunk = isEnough && isBenchFit ? joinOnBench(chunk, at, added) : joiner.join(chunk.subarray(at), added, isEnough);
      at = 0;
      next = isEnough ? next.subarray(missingBytes) : empty;
      return isEnough;
    }
    return false;
  }

  function readHead(packetBytesMax: number): boolean {
    if (!gather(opener.headBytes, false)) return false;
    const length = opener.readLength(chunk.subarray(at, at + opener.headBytes), nextSequence);
    // RFC 4253 §6: padding_length, a payload of at least one byte and 4 bytes of padding.
    if (length < 6 || length > packetBytesMax) throw protocolFault('a packet length is out of range');
    const aligned = opener.isLengthApart ? length : length + 4;
    if (aligned % opener.blockBytes !== 0 || length + 4 < opener.headBytes) {
      throw protocolFault('a packet length does not fit the cipher block');
    }
    packetLength = length;
    return true;
  }

  return {
    push(bytes) {
      if (bytes.length === 0) return;
      if (at === chunk.length && next.length === 0) {
        chunk = bytes;
        at = 0;
      } else {
        next = next.length === 0 ? bytes : joiner.join(next, bytes, false);
      }
    },
    takeLine(bytesMax) {
      const waitingBytes = Math.min(bytesMax, chunk.length - at + next.length);
      gather(waitingBytes, false);
      const lineEnd = chunk.subarray(at, at + waitingBytes).indexOf(0x0a);
      if (lineEnd < 0) {
        if (waitingBytes < bytesMax) return undefined;
        throw new ConnectionFault({ kind: 'not_ssh', line: toPlainText(chunk.subarray(at), 64) });
      }
      const line = chunk.subarray(at, at + lineEnd);
      at += lineEnd + 1;
      return line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
    },
    takePacket(packetBytesMax) {
      if (packetLength === undefined && !readHead(packetBytesMax)) return undefined;
      const wholeBytes = 4 + packetLength! + opener.tagBytes;
      if (!gather(wholeBytes, opener.isCopying && wholeBytes <= bench.length)) return undefined;
      const clear = opener.open(chunk.subarray(at, at + wholeBytes), nextSequence);
      at += wholeBytes;
      if (at === chunk.length) {
        chunk = next;
        at = 0;
        next = empty;
        // An idle connection keeps no chunk alive.
        if (chunk.length === 0) joiner.clear();
      }
      packetLength = undefined;
      packetsTaken += 1;
      nextSequence = (nextSequence + 1) % 2 ** 32;
      const paddingBytes = clear[0]!;
      if (paddingBytes < 4 || paddingBytes > clear.length - 2) throw protocolFault('a padding length is out of range');
      return clear.subarray(1, clear.length - paddingBytes);
    },
    setOpener(fresh) {
      opener = fresh;
      packetsTaken = 0;
    },
    resetSequence() {
      nextSequence = 0;
    },
    get sequence() {
      return (nextSequence + 2 ** 32 - 1) % 2 ** 32;
    },
    get packetsTaken() {
      return packetsTaken;
    },
    get bufferedBytes() {
      return chunk.length - at + next.length;
    },
    clear() {
      chunk = empty;
      at = 0;
      next = empty;
      joiner.clear();
    },
  };
}

/** A packet lies here while it is opened, where opening copies it anyway. One for all connections. */
const bench = Buffer.alloc(64 * 1024);

function joinOnBench(first: Buffer, from: number, second: Buffer): Buffer {
  const firstBytes = first.copy(bench, 0, from);
  second.copy(bench, firstBytes);
  return bench.subarray(0, firstBytes + second.length);
}

/** Joins pieces into growing buffers, so that many small pieces cost no more than a few large ones. */
function createJoiner() {
  let store = empty;
  let filledBytes = 0;
  return {
    /** `isLast`: nothing will be added to the result, so no room is kept. NOTE: views given out earlier stay valid. */
    join(first: Buffer, second: Buffer, isLast: boolean): Buffer {
      const sizeBytes = first.length + second.length;
      const isOurs =
        first.buffer === store.buffer && first.byteOffset + first.length === store.byteOffset + filledBytes;
      if (isOurs && store.length - filledBytes >= second.length) {
        const startAt = filledBytes - first.length;
        filledBytes += second.copy(store, filledBytes);
        return store.subarray(startAt, filledBytes);
      }
      store = Buffer.allocUnsafeSlow(isLast ? sizeBytes : 2 * sizeBytes);
      first.copy(store);
      second.copy(store, first.length);
      filledBytes = sizeBytes;
      return store.subarray(0, sizeBytes);
    },
    clear() {
      store = empty;
      filledBytes = 0;
    },
  };
}
