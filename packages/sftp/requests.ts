// Every request of a version 3 client as a value. The parser is total: any bytes end in a request, in `malformed` with
// the id to answer, or in `unknown`. Source: draft-ietf-secsh-filexfer-02 §4, §6; extensions in extensions.ts.
import { type FileAttributes, readAttributes } from './attributes.ts';
import { type ExtendedRequest, parseExtended } from './extensions.ts';
import type { Packet } from './frames.ts';
import { MalformedPacket, OffsetTooLarge, PacketReader, limits, openFlags, packetTypes } from './wire.ts';

/** A handle as the client sent it back. Shape: Latin-1 text, one character a byte, at most 256. */
export type HandleText = string;

/** Shape: paths are the client's bytes, undecoded; offsets and sizes are safe integers. */
export type Request =
  | { readonly kind: 'init'; readonly version: number }
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly path: Buffer;
      readonly mode: OpenMode;
      readonly attributes: FileAttributes;
    }
  | { readonly kind: 'close' | 'fstat' | 'readdir'; readonly id: number; readonly handle: HandleText }
  | {
      readonly kind: 'read';
      readonly id: number;
      readonly handle: HandleText;
      readonly offset: number;
      readonly length: number;
    }
  | {
      readonly kind: 'write';
      readonly id: number;
      readonly handle: HandleText;
      readonly offset: number;
      /** In order; views into the channel's data. */
      readonly payload: readonly Buffer[];
      readonly payloadBytes: number;
    }
  | {
      readonly kind: 'stat' | 'lstat' | 'opendir' | 'remove' | 'rmdir' | 'realpath' | 'readlink';
      readonly id: number;
      readonly path: Buffer;
    }
  | {
      readonly kind: 'setstat' | 'mkdir';
      readonly id: number;
      readonly path: Buffer;
      readonly attributes: FileAttributes;
    }
  | {
      readonly kind: 'fsetstat';
      readonly id: number;
      readonly handle: HandleText;
      readonly attributes: FileAttributes;
    }
  | { readonly kind: 'rename' | 'symlink'; readonly id: number; readonly from: Buffer; readonly to: Buffer }
  | ExtendedRequest
  /** A type this version does not have; it is answered as unsupported. */
  | { readonly kind: 'unknown'; readonly id: number; readonly type: number }
  /** `id` is absent when the packet is too short to hold one, which ends the stream. */
  | { readonly kind: 'malformed'; readonly id: number | undefined; readonly why: string }
  /** Well-formed, but an offset or size beyond 2^53 − 1. */
  | { readonly kind: 'out_of_range'; readonly id: number; readonly why: string };

export interface OpenMode {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  readonly create: boolean;
  readonly truncate: boolean;
  readonly exclusive: boolean;
}

/** Parses one packet. Never throws. */
export function parseRequest(packet: Packet): Request {
  const reader = new PacketReader(packet.head);
  let id: number | undefined;
  try {
    const type = reader.byte();
    if (type === packetTypes.init) return parseInit(reader);
    id = reader.uint32();
    return parseBody(type, id, reader, packet);
  } catch (fault) {
    if (fault instanceof OffsetTooLarge && id !== undefined) return { kind: 'out_of_range', id, why: fault.message };
    if (fault instanceof MalformedPacket) return { kind: 'malformed', id, why: fault.message };
    throw fault;
  }
}

function parseInit(reader: PacketReader): Request {
  // Draft §4: extension pairs may follow; none that a client sends concerns us.
  return { kind: 'init', version: reader.uint32() };
}

function parseBody(type: number, id: number, reader: PacketReader, packet: Packet): Request {
  switch (type) {
    case packetTypes.open:
      return whole(reader, { kind: 'open', id, path: path(reader), mode: mode(reader), attributes: attrs(reader) });
    case packetTypes.close:
      return whole(reader, { kind: 'close', id, handle: handle(reader) });
    case packetTypes.fstat:
      return whole(reader, { kind: 'fstat', id, handle: handle(reader) });
    case packetTypes.readdir:
      return whole(reader, { kind: 'readdir', id, handle: handle(reader) });
    case packetTypes.read: {
      const request = { kind: 'read', id, handle: handle(reader), offset: offset(reader), length: reader.uint32() };
      return whole(reader, request as Request);
    }
    case packetTypes.write:
      return parseWrite(id, reader, packet);
    case packetTypes.stat:
      return whole(reader, { kind: 'stat', id, path: path(reader) });
    case packetTypes.lstat:
      return whole(reader, { kind: 'lstat', id, path: path(reader) });
    case packetTypes.opendir:
      return whole(reader, { kind: 'opendir', id, path: path(reader) });
    case packetTypes.remove:
      return whole(reader, { kind: 'remove', id, path: path(reader) });
    case packetTypes.rmdir:
      return whole(reader, { kind: 'rmdir', id, path: path(reader) });
    case packetTypes.realpath:
      return whole(reader, { kind: 'realpath', id, path: path(reader) });
    case packetTypes.readlink:
      return whole(reader, { kind: 'readlink', id, path: path(reader) });
    case packetTypes.setstat:
      return whole(reader, { kind: 'setstat', id, path: path(reader), attributes: attrs(reader) });
    case packetTypes.mkdir:
      return whole(reader, { kind: 'mkdir', id, path: path(reader), attributes: attrs(reader) });
    case packetTypes.fsetstat:
      return whole(reader, { kind: 'fsetstat', id, handle: handle(reader), attributes: attrs(reader) });
    case packetTypes.rename:
      return whole(reader, { kind: 'rename', id, from: path(reader), to: path(reader) });
    case packetTypes.symlink:
      return whole(reader, { kind: 'symlink', id, from: path(reader), to: path(reader) });
    case packetTypes.extended:
      return whole(reader, parseExtended(id, reader));
    default:
      return { kind: 'unknown', id, type };
  }
}

/** Draft §6.4. The payload is what follows its own length, in `head` for short packets, else in `tail`. */
function parseWrite(id: number, reader: PacketReader, packet: Packet): Request {
  const request = { kind: 'write' as const, id, handle: handle(reader), offset: offset(reader) };
  const payloadBytes = reader.uint32();
  const tailBytes = packet.tail.reduce((sum, view) => sum + view.length, 0);
  const restBytes = reader.leftBytes + tailBytes;
  // Bytes may follow the data: the Go library in rclone 1.60 fills up its last packet, and OpenSSH's server lets it.
  if (payloadBytes > restBytes) {
    throw new MalformedPacket('the length of the data does not fit its packet');
  }
  if (payloadBytes > limits.writeBytes) {
    throw new MalformedPacket(`a write of ${payloadBytes} bytes; at most ${limits.writeBytes} are allowed`);
  }
  if (!Number.isSafeInteger(request.offset + payloadBytes)) throw new OffsetTooLarge('the end of the write');
  const inHead = reader.leftBytes === 0 ? [] : [packet.head.subarray(packet.head.length - reader.leftBytes)];
  const payload = inHead.length === 0 ? packet.tail : inHead;
  return { ...request, payload: payloadBytes === restBytes ? payload : cut(payload, payloadBytes), payloadBytes };
}

/** The first bytes of a list of views, which holds at least so many. */
function cut(views: readonly Buffer[], sizeBytes: number): readonly Buffer[] {
  let left = sizeBytes;
  const kept: Buffer[] = [];
  for (const view of views) {
    if (left === 0) break;
    kept.push(view.length > left ? view.subarray(0, left) : view);
    left -= kept.at(-1)!.length;
  }
  return kept;
}

function whole(reader: PacketReader, request: Request): Request {
  reader.end();
  return request;
}

const path = (reader: PacketReader): Buffer => reader.string('a path', limits.pathBytes);
const handle = (reader: PacketReader): HandleText => reader.string('a handle', limits.handleBytes).toString('latin1');
const offset = (reader: PacketReader): number => reader.safeUint64('the offset');
const attrs = (reader: PacketReader): FileAttributes => readAttributes(reader);

/** Draft §6.3. Which combinations make sense is not the codec's to say. */
function mode(reader: PacketReader): OpenMode {
  const flags = reader.uint32();
  return {
    read: (flags & openFlags.read) !== 0,
    write: (flags & openFlags.write) !== 0,
    append: (flags & openFlags.append) !== 0,
    create: (flags & openFlags.create) !== 0,
    truncate: (flags & openFlags.truncate) !== 0,
    exclusive: (flags & openFlags.exclusive) !== 0,
  };
}
