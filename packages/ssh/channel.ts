// One channel: what has arrived and was not consumed, what waits to be sent, and how it closes (RFC 4254 §5).
import { protocolFault } from './faults.ts';
import type { Limits } from './limits.ts';
import { message } from './message-numbers.ts';
import { payloadBytesMax } from './packet-output.ts';
import type { Channel } from './ssh.ts';
import type { Transport } from './transport.ts';
import { formatBoolean, formatByte, formatString, formatUint32 } from './wire.ts';

export type OpenChannel = ReturnType<typeof createChannel>;

const dataHeadBytes = 9;
const windowMax = 2 ** 32 - 1;

export function createChannel(parts: {
  readonly ids: { readonly ours: number; readonly peers: number };
  readonly peerWindowBytes: number;
  readonly peerPacketBytes: number;
  readonly limits: Limits;
  readonly transport: Transport;
  wake(): void;
  closed(): void;
  /** May this channel's window grow by so much? */
  growable(bytes: number): boolean;
}) {
  const { ids, limits, transport } = parts;
  // RFC 4254 §5.2: the peer's maximum counts data alone; ours keeps a packet within the shared bench.
  const packetBytesMax = Math.min(parts.peerPacketBytes, payloadBytesMax - dataHeadBytes);
  const queue = createByteQueue();
  let writtenBytes = 0;
  // Receiving: window size = left + unconsumed + given back and not yet announced.
  let windowBytes = limits.windowBytes;
  let windowLeft = windowBytes;
  let unconsumedBytes = 0;
  let returnedBytes = 0;
  let receivedAtSize = 0;
  // Sending: what the peer still takes, and what is to follow the queue.
  let peerWindow = parts.peerWindowBytes;
  let owesDrain = false;
  let exitStatus: number | undefined;
  let wantsEof = false;
  let wantsClose = false;
  let isEofSent = false;
  let isCloseSent = false;
  let isEofReceived = false;
  let isStarted = false;
  let isOver = false;

  const handle: Channel = {
    id: ids.ours,
    onData: (bytes) => handle.consume(bytes.length),
    onEof: () => undefined,
    onDrain: () => undefined,
    onClosed: () => undefined,
    consume(sizeBytes) {
      if (sizeBytes > unconsumedBytes) throw new RangeError('more bytes are consumed than were received');
      unconsumedBytes -= sizeBytes;
      returnedBytes += sizeBytes;
      announceWindow();
    },
    write(...pieces) {
      if (isOver || wantsEof || wantsClose) return true;
      for (const piece of pieces) {
        queue.push(piece);
        writtenBytes += piece.length;
      }
      parts.wake();
      if (queue.sizeBytes < limits.channelQueueBytesHigh) return true;
      owesDrain = true;
      return false;
    },
    exit(status) {
      if (isOver || wantsClose) return;
      exitStatus = status;
      parts.wake();
    },
    eof() {
      wantsEof = true;
      parts.wake();
    },
    close() {
      wantsEof = true;
      wantsClose = true;
      parts.wake();
    },
    get queuedBytes() {
      return queue.sizeBytes;
    },
    get writtenBytes() {
      return writtenBytes;
    },
  };

  /** RFC 4254 §5.2. Announced by halves; it doubles while a steady stream is consumed as it comes. */
  function announceWindow(): void {
    if (isOver || isEofReceived || isCloseSent || returnedBytes < windowBytes / 2) return;
    const isPrompt = unconsumedBytes <= windowBytes / 8 && receivedAtSize >= 2 * windowBytes;
    const grownBytes = isPrompt ? Math.min(windowBytes, limits.windowBytesMax - windowBytes) : 0;
    let added = returnedBytes;
    if (grownBytes > 0 && parts.growable(grownBytes)) {
      added += grownBytes;
      windowBytes += grownBytes;
      receivedAtSize = 0;
    }
    returnedBytes = 0;
    windowLeft += added;
    transport.send(formatByte(message.channelWindowAdjust), formatUint32(ids.peers), formatUint32(added));
    parts.wake();
  }

  /** Takes bytes out of the window. Refuses: more than it holds, more than a packet may carry, anything after EOF. */
  function admit(sizeBytes: number): void {
    if (isEofReceived) throw protocolFault('channel data comes after EOF');
    if (sizeBytes > limits.channelPacketBytes) throw protocolFault('channel data exceeds the maximum packet size');
    if (sizeBytes > windowLeft) throw protocolFault('channel data exceeds the window');
    windowLeft -= sizeBytes;
    unconsumedBytes += sizeBytes;
    receivedAtSize += sizeBytes;
  }

  /** What follows the data: exit-status, EOF, CLOSE (RFC 4254 §6.10 and §5.3). Answers true where something was sent. */
  function sendEnding(): boolean {
    const wasSent = { eof: isEofSent, close: isCloseSent };
    if (exitStatus !== undefined) {
      transport.sendData(
        formatByte(message.channelRequest),
        formatUint32(ids.peers),
        formatString('exit-status'),
        formatBoolean(false),
        formatUint32(exitStatus),
      );
      exitStatus = undefined;
    }
    if (wantsEof && !isEofSent) {
      isEofSent = true;
      transport.sendData(formatByte(message.channelEof), formatUint32(ids.peers));
    }
    if (wantsClose && !isCloseSent) {
      isCloseSent = true;
      transport.sendData(formatByte(message.channelClose), formatUint32(ids.peers));
    }
    return wasSent.eof !== isEofSent || wasSent.close !== isCloseSent;
  }

  function finish(): void {
    isOver = true;
    queue.clear();
    parts.closed();
    handle.onClosed();
  }

  return {
    handle,
    peerId: ids.peers,
    /** Runs `start` unless the channel serves something already. */
    startOnce(start: () => boolean): boolean {
      if (isStarted || isCloseSent || isEofReceived) return false;
      isStarted = start();
      return isStarted;
    },
    receiveData(bytes: Buffer): void {
      admit(bytes.length);
      // Data for nobody, or that crossed our CLOSE, is dropped.
      if (!isStarted || isCloseSent) handle.consume(bytes.length);
      else handle.onData(bytes);
    },
    receiveUseless(sizeBytes: number): void {
      admit(sizeBytes);
      handle.consume(sizeBytes);
    },
    growPeerWindow(bytes: number): void {
      peerWindow += bytes;
      // RFC 4254 §5.2: the window must not pass 2^32 - 1.
      if (peerWindow > windowMax) throw protocolFault('a window grows past 2^32 - 1');
    },
    receiveEof(): void {
      if (isEofReceived) throw protocolFault('EOF comes twice');
      isEofReceived = true;
      handle.onEof();
    },
    /** RFC 4254 §5.3: CLOSE is answered at once, and what was queued has nobody to go to. */
    receiveClose(): void {
      if (!isCloseSent) {
        isCloseSent = true;
        transport.send(formatByte(message.channelClose), formatUint32(ids.peers));
      }
      finish();
    },
    /** Seals data while both windows and the socket allow, up to `sealedBytesMax`. Answers true where anything went out. */
    sendSome(sealedBytesMax: number): boolean {
      if (isCloseSent) return false;
      let isMoving = false;
      while (queue.sizeBytes > 0 && peerWindow > 0) {
        if (transport.sealedBytes >= sealedBytesMax || !transport.canSendData) return isMoving;
        const sizeBytes = Math.min(queue.sizeBytes, peerWindow, packetBytesMax);
        peerWindow -= sizeBytes;
        const head = Buffer.allocUnsafe(dataHeadBytes);
        head[0] = message.channelData;
        head.writeUInt32BE(ids.peers, 1);
        head.writeUInt32BE(sizeBytes, 5);
        transport.sendData(head, ...queue.take(sizeBytes));
        isMoving = true;
      }
      if (queue.sizeBytes === 0 && transport.canSendData) isMoving = sendEnding() || isMoving;
      return isMoving;
    },
    tellDrained(): void {
      if (!owesDrain || queue.sizeBytes > limits.channelQueueBytesHigh / 2) return;
      owesDrain = false;
      handle.onDrain();
    },
    abandon(): void {
      if (!isOver) finish();
    },
    get isCloseSent(): boolean {
      return isCloseSent;
    },
    get windowBytes(): number {
      return windowBytes;
    },
  };
}

/** Bytes in order, taken out in any sizes without copying. */
function createByteQueue() {
  let pieces: Buffer[] = [];
  let first = 0;
  let sizeBytes = 0;
  return {
    push(piece: Buffer): void {
      if (piece.length === 0) return;
      pieces.push(piece);
      sizeBytes += piece.length;
    },
    /** Exactly so many; there must be that many. */
    take(wantedBytes: number): Buffer[] {
      const taken: Buffer[] = [];
      let leftBytes = wantedBytes;
      while (leftBytes > 0) {
        const piece = pieces[first]!;
        if (piece.length <= leftBytes) {
          taken.push(piece);
          leftBytes -= piece.length;
          first += 1;
        } else {
          taken.push(piece.subarray(0, leftBytes));
          pieces[first] = piece.subarray(leftBytes);
          leftBytes = 0;
        }
      }
      sizeBytes -= wantedBytes;
      // Taken pieces are let go in batches: moving the rest forward each time would cost more.
      if (first === pieces.length || first >= 256) {
        pieces = pieces.slice(first);
        first = 0;
      }
      return taken;
    },
    clear(): void {
      pieces = [];
      first = 0;
      sizeBytes = 0;
    },
    get sizeBytes(): number {
      return sizeBytes;
    },
  };
}
