// Every reply of a version 3 server as bytes, its length field included.
// Source: draft-ietf-secsh-filexfer-02 §4, §7; replies of extensions as in OpenSSH PROTOCOL §4 and the extensions draft.
import { type FileAttributes, writeAttributes } from './attributes.ts';
import { announcedExtensions } from './extensions.ts';
import { PacketWriter, type StatusName, limits, packetTypes, protocolVersion, statusCodes } from './wire.ts';

/** Draft §4: the version, then what we can do beyond it. */
export function formatVersion(): Buffer {
  const writer = new PacketWriter(512).byte(packetTypes.version).uint32(protocolVersion);
  for (const [name, data] of announcedExtensions) writer.string(name).string(data);
  return writer.finish();
}

/** Draft §7; the text is for people, in English. */
export const formatStatus = (id: number, status: StatusName, text: string): Buffer =>
  new PacketWriter(32 + text.length)
    .byte(packetTypes.status)
    .uint32(id)
    .uint32(statusCodes[status])
    .string(text)
    .string('en')
    .finish();

export const formatHandle = (id: number, handle: string): Buffer =>
  new PacketWriter().byte(packetTypes.handle).uint32(id).string(Buffer.from(handle, 'latin1')).finish();

/** What stands before the bytes of a DATA reply, so that these need no copy: send both, one after the other. */
export function formatDataHead(id: number, dataBytes: number): Buffer {
  const head = Buffer.allocUnsafe(13);
  head.writeUInt32BE(9 + dataBytes, 0);
  head[4] = packetTypes.data;
  head.writeUInt32BE(id, 5);
  head.writeUInt32BE(dataBytes, 9);
  return head;
}

export function formatAttributes(id: number, attributes: FileAttributes): Buffer {
  const writer = new PacketWriter().byte(packetTypes.attrs).uint32(id);
  writeAttributes(writer, attributes);
  return writer.finish();
}

export interface NameEntry {
  readonly name: string;
  readonly longName: string;
  readonly attributes: FileAttributes;
}

/** Units: bytes of one entry in a NAME reply, at most. */
export const nameEntryBytes = (entry: NameEntry): number =>
  4 + Buffer.byteLength(entry.name) + 4 + Buffer.byteLength(entry.longName) + 4 + 8 + 8 + 4 + 8;

export function formatNames(id: number, entries: readonly NameEntry[]): Buffer {
  const writer = new PacketWriter(64 + entries.length * 160).byte(packetTypes.name).uint32(id).uint32(entries.length);
  for (const entry of entries) {
    writer.string(entry.name).string(entry.longName);
    writeAttributes(writer, entry.attributes);
  }
  return writer.finish();
}

/** One path, as REALPATH and its kin answer it: draft §6.11 has the attributes empty. */
export const formatPath = (id: number, path: string): Buffer =>
  formatNames(id, [{ name: path, longName: path, attributes: {} }]);

const extendedReply = (id: number, sizeHintBytes = 64): PacketWriter =>
  new PacketWriter(sizeHintBytes).byte(packetTypes.extendedReply).uint32(id);

/** limits@openssh.com, PROTOCOL §4.8. */
export const formatLimits = (id: number): Buffer =>
  extendedReply(id)
    .uint64(limits.packetBytes)
    .uint64(limits.readBytes)
    .uint64(limits.writeBytes)
    .uint64(limits.handles)
    .finish();

export interface VolumeSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly totalFiles: number;
  readonly freeFiles: number;
}

const blockBytes = 4096;
const nameBytesMax = 255;

/** statvfs@openssh.com, PROTOCOL §4.4: fields of struct statvfs, in blocks. */
export function formatVolume(id: number, space: VolumeSpace): Buffer {
  const freeBlocks = Math.floor(space.freeBytes / blockBytes);
  const flagNoSetuid = 2;
  return extendedReply(id, 128)
    .uint64(blockBytes)
    .uint64(blockBytes)
    .uint64(Math.ceil(space.totalBytes / blockBytes))
    .uint64(freeBlocks)
    .uint64(freeBlocks)
    .uint64(space.totalFiles)
    .uint64(space.freeFiles)
    .uint64(space.freeFiles)
    .uint64(0)
    .uint64(flagNoSetuid)
    .uint64(nameBytesMax)
    .finish();
}

/** space-available, extensions draft §4: the device and the user have the same limits here. */
export const formatSpace = (id: number, space: VolumeSpace): Buffer =>
  extendedReply(id)
    .uint64(space.totalBytes)
    .uint64(space.freeBytes)
    .uint64(space.totalBytes)
    .uint64(space.freeBytes)
    .uint32(blockBytes)
    .finish();

/** check-file, extensions draft §3: the hash that was used, then the hashes without lengths between them. */
export const formatHashes = (id: number, algorithm: string, hashes: readonly Buffer[]): Buffer => {
  const writer = extendedReply(id, 64 + hashes.length * 64).string(algorithm);
  for (const hash of hashes) writer.raw(hash);
  return writer.finish();
};

/** users-groups-by-id@openssh.com, PROTOCOL §4.12: an unknown id has the empty name. */
export const formatNamesById = (id: number, users: readonly string[], groups: readonly string[]): Buffer =>
  extendedReply(id, 256).string(packStrings(users)).string(packStrings(groups)).finish();

function packStrings(texts: readonly string[]): Buffer {
  const writer = new PacketWriter(256);
  for (const text of texts) writer.string(text);
  return writer.finish().subarray(4);
}
