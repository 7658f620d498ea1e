// From payloads to bytes for the socket: the sending half of the binary packet protocol (RFC 4253 §6).
import { clearSealer, type PacketSealer } from './ciphers.ts';

export interface PacketOutput {
  /** Bytes outside packets: the identification line. */
  pushRaw(bytes: Buffer): void;
  /** Seals one packet; its payload is the parts in order, copied. */
  pushPacket(...parts: readonly Buffer[]): void;
  setSealer(sealer: PacketSealer): void;
  resetSequence(): void;
  /** Everything sealed so far, small pieces joined; call `send` for each. */
  take(): Buffer[];
  readonly waitingBytes: number;
  readonly packetsPushed: number;
  clear(): void;
}

/** Payloads up to this size are laid out on the shared bench; channels cut their data so that it fits. */
export const payloadBytesMax = 64 * 1024 + 1024;

const framingBytesMax = 4 + 1 + 255;

/** Clear packets are laid out here. One for all connections: sealing is over before anything else runs. */
const sharedBench = Buffer.alloc(payloadBytesMax + framingBytesMax);

/** Pieces from this size on go to the socket as they are; smaller ones are joined first. */
const apartBytesMin = 4096;

const paddingPoolBytes = 1024;

export function createPacketOutput(random: (sizeBytes: number) => Buffer): PacketOutput {
  let sealer = clearSealer;
  let nextSequence = 0;
  let packetsPushed = 0;
  let pieces: Buffer[] = [];
  let waitingBytes = 0;
  let paddingPool: Buffer = Buffer.alloc(0);
  let paddingAt = 0;

  function push(piece: Buffer): void {
    pieces.push(piece);
    waitingBytes += piece.length;
  }

  /** RFC 4253 §6 asks for random padding; it is drawn in batches because a draw costs more than a small packet. */
  function pad(bench: Buffer, from: number, sizeBytes: number): void {
    if (paddingPool.length - paddingAt < sizeBytes) {
      paddingPool = random(paddingPoolBytes);
      paddingAt = 0;
    }
    paddingPool.copy(bench, from, paddingAt, paddingAt + sizeBytes);
    paddingAt += sizeBytes;
  }

  return {
    pushRaw: push,
    pushPacket(...parts) {
      let payloadBytes = 0;
      for (const part of parts) payloadBytes += part.length;
      const bench = payloadBytes <= payloadBytesMax ? sharedBench : Buffer.alloc(payloadBytes + framingBytesMax);
      let end = 5;
      for (const part of parts) end += part.copy(bench, end);
      const countedBytes = sealer.isLengthApart ? end - 4 : end;
      let paddingBytes = sealer.blockBytes - (countedBytes % sealer.blockBytes);
      if (paddingBytes < 4) paddingBytes += sealer.blockBytes;
      pad(bench, end, paddingBytes);
      bench.writeUInt32BE(end - 4 + paddingBytes, 0);
      bench[4] = paddingBytes;
      for (const piece of sealer.seal(bench.subarray(0, end + paddingBytes), nextSequence)) push(piece);
      nextSequence = (nextSequence + 1) % 2 ** 32;
      packetsPushed += 1;
    },
    setSealer(next) {
      sealer = next;
      packetsPushed = 0;
    },
    resetSequence() {
      nextSequence = 0;
    },
    take() {
      const runs = joinSmall(pieces);
      pieces = [];
      waitingBytes = 0;
      return runs;
    },
    get waitingBytes() {
      return waitingBytes;
    },
    get packetsPushed() {
      return packetsPushed;
    },
    clear() {
      pieces = [];
      waitingBytes = 0;
    },
  };
}

/** Joins neighbours that are small: a socket write costs more than the copy. */
function joinSmall(pieces: readonly Buffer[]): Buffer[] {
  const runs: Buffer[] = [];
  let small: Buffer[] = [];
  const closeRun = (): void => {
    if (small.length > 0) runs.push(small.length === 1 ? small[0]! : Buffer.concat(small));
    small = [];
  };
  for (const piece of pieces) {
    if (piece.length < apartBytesMin) {
      small.push(piece);
    } else {
      closeRun();
      runs.push(piece);
    }
  }
  closeRun();
  return runs;
}
