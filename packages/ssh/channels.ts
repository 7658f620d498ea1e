// Channels of a signed-in client: opening, windows both ways, requests, and the order of goodbye (RFC 4254 §5 and §6).
import { createChannel, type OpenChannel } from './channel.ts';
import { protocolFault } from './faults.ts';
import type { Limits } from './limits.ts';
import { message, openFailure } from './message-numbers.ts';
import type { Channel } from './ssh.ts';
import type { Transport } from './transport.ts';
import { createReader, formatByte, formatString, formatUint32, toPlainText } from './wire.ts';

// Output sealed in one go before the socket is asked again.
const sealedBytesMax = 256 * 1024;
const subsystemBytesMax = 64;
/** Around channel data in its packet: length and padding length, the head of the message, padding (RFC 4253 §6). */
export const packetFramingBytes = 5 + 9 + 255;

export function createChannels(parts: {
  readonly transport: Transport;
  readonly limits: Limits;
  /** Somebody queued something outside `receive`. */
  wake(): void;
  subsystem(channel: Channel, name: string): boolean;
  declined(what: string): void;
  /** Channel data moved. */
  moved(): void;
}) {
  const { transport, limits } = parts;
  const open = new Map<number, OpenChannel>();
  // Where the next round of sending begins, so that no channel starves the others.
  let turn = 0;

  function find(id: number): OpenChannel {
    const channel = open.get(id);
    if (channel === undefined) throw protocolFault('a message names a channel that is not open');
    return channel;
  }

  function handleOpen(payload: Buffer): void {
    const reader = createReader(payload, 1);
    const type = reader.ascii(64);
    const peerId = reader.uint32();
    const windowBytes = reader.uint32();
    const packetBytes = reader.uint32();
    transport.countChatter(1);
    const refuse = (code: number, text: string): void =>
      transport.send(
        formatByte(message.channelOpenFailure),
        formatUint32(peerId),
        formatUint32(code),
        formatString(text),
        formatString('en'),
      );
    if (type !== 'session') {
      parts.declined(type);
      const isKnown = ['direct-tcpip', 'direct-streamlocal@openssh.com', 'tun@openssh.com'].includes(type);
      return refuse(isKnown ? openFailure.prohibited : openFailure.unknownType, 'only sessions are offered');
    }
    reader.end();
    // A size of 0 would make the sender loop for ever; a tiny one would make it waste time.
    if (packetBytes < limits.peerPacketBytesMin) {
      return refuse(openFailure.resourceShortage, 'the maximum packet size is too small');
    }
    if (open.size >= limits.channelsMax) return refuse(openFailure.resourceShortage, 'too many channels are open');
    // The lowest free number, as others do; it is only looked up in this connection's own map.
    let id = 0;
    while (open.has(id)) id += 1;
    const channel = createChannel({
      ids: { ours: id, peers: peerId },
      peerWindowBytes: windowBytes,
      peerPacketBytes: packetBytes,
      limits,
      transport,
      wake: () => parts.wake(),
      closed: () => void open.delete(id),
      growable: (bytes) => takeFromBudget(bytes),
    });
    open.set(id, channel);
    transport.send(
      formatByte(message.channelOpenConfirmation),
      formatUint32(peerId),
      formatUint32(id),
      formatUint32(limits.windowBytes),
      formatUint32(limits.channelPacketBytes),
    );
  }

  /** All windows of a connection together may not outgrow twice what one may have. */
  function takeFromBudget(bytes: number): boolean {
    let sum = bytes;
    for (const channel of open.values()) sum += channel.windowBytes;
    return sum <= 2 * limits.windowBytesMax;
  }

  function handleData(payload: Buffer): void {
    if (payload.length < 9) throw protocolFault('a field ends outside its packet');
    const sizeBytes = payload.readUInt32BE(5);
    if (sizeBytes !== payload.length - 9) throw protocolFault('channel data does not fill its packet');
    parts.moved();
    find(payload.readUInt32BE(1)).receiveData(payload.subarray(9));
  }

  /** RFC 4254 §5.2: no type of extended data is meant for a server, but it counts against the window. */
  function handleExtendedData(payload: Buffer): void {
    const reader = createReader(payload, 1);
    const channel = find(reader.uint32());
    reader.uint32();
    const data = reader.string();
    reader.end();
    transport.countChatter(1);
    channel.receiveUseless(data.length);
  }

  function handleAdjust(payload: Buffer): void {
    const reader = createReader(payload, 1);
    const channel = find(reader.uint32());
    const bytes = reader.uint32();
    reader.end();
    channel.growPeerWindow(bytes);
  }

  function handleEof(payload: Buffer): void {
    const reader = createReader(payload, 1);
    const channel = find(reader.uint32());
    reader.end();
    channel.receiveEof();
  }

  function handleClose(payload: Buffer): void {
    const reader = createReader(payload, 1);
    const channel = find(reader.uint32());
    reader.end();
    channel.receiveClose();
  }

  /** RFC 4254 §5.4: whatever cannot be served is answered by FAILURE, never by a fault, while its frame is sound. */
  function handleRequest(payload: Buffer): void {
    const reader = createReader(payload, 1);
    const channel = find(reader.uint32());
    const type = reader.ascii(64);
    const wantsReply = reader.boolean();
    transport.countChatter(1);
    const name = type === 'subsystem' ? readSubsystem(reader.rest()) : undefined;
    const isServed = name !== undefined && channel.startOnce(() => parts.subsystem(channel.handle, name));
    // OpenSSH sends the environment unasked, so that refusing it is no news to anybody.
    if (!isServed && type !== 'env') parts.declined(type === 'subsystem' ? `subsystem ${name ?? ''}` : type);
    if (!wantsReply || channel.isCloseSent) return;
    const number = isServed ? message.channelSuccess : message.channelFailure;
    transport.send(formatByte(number), formatUint32(channel.peerId));
  }

  return {
    /** Takes messages 90 to 100. Answers false where a server knows no such message. */
    handle(payload: Buffer): boolean {
      switch (payload[0]) {
        case message.channelData:
          handleData(payload);
          return true;
        case message.channelWindowAdjust:
          handleAdjust(payload);
          return true;
        case message.channelOpen:
          handleOpen(payload);
          return true;
        case message.channelRequest:
          handleRequest(payload);
          return true;
        case message.channelEof:
          handleEof(payload);
          return true;
        case message.channelClose:
          handleClose(payload);
          return true;
        case message.channelExtendedData:
          handleExtendedData(payload);
          return true;
        default:
          // We open no channels and send no requests that want a reply, so there is nothing to confirm.
          return false;
      }
    },
    /** Sends what the windows allow, in turns, until the socket has enough. */
    pump(): void {
      let isMoving = true;
      while (isMoving && transport.canSendData) {
        isMoving = false;
        const ids = [...open.keys()];
        for (let step = 0; step < ids.length && transport.canSendData; step += 1) {
          const channel = open.get(ids[(turn + step) % ids.length]!);
          if (channel?.sendSome(sealedBytesMax)) {
            isMoving = true;
            parts.moved();
          }
          if (transport.sealedBytes >= sealedBytesMax) transport.flush();
        }
        turn += 1;
      }
      for (const channel of open.values()) channel.tellDrained();
    },
    /** The connection is over: every channel hears it once. */
    closeAll(): void {
      for (const channel of open.values()) channel.abandon();
      open.clear();
    },
    get queuedBytes(): number {
      let sum = 0;
      for (const channel of open.values()) sum += channel.handle.queuedBytes;
      return sum;
    },
  };
}

function readSubsystem(bytes: Buffer): string | undefined {
  if (bytes.length < 4 || bytes.readUInt32BE(0) !== bytes.length - 4) return undefined;
  if (bytes.length === 4 || bytes.length > 4 + subsystemBytesMax) return undefined;
  return toPlainText(bytes.subarray(4), subsystemBytesMax);
}
