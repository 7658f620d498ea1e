// Requests beyond version 3 that we announce: OpenSSH's own and three of the extensions draft.
// Source: OpenSSH PROTOCOL §4 (numbers below are of its sub-sections); draft-ietf-secsh-filexfer-extensions-00 §3–§7.
import { type FileAttributes, readAttributes } from './attributes.ts';
import { MalformedPacket, OffsetTooLarge, type PacketReader, limits } from './wire.ts';

/**
 * What the VERSION reply announces, with the version or data of each. Links (hardlink@openssh.com) are missing on
 * purpose: the tree has none.
 */
export const announcedExtensions: readonly (readonly [name: string, data: string])[] = [
  ['posix-rename@openssh.com', '1'],
  ['statvfs@openssh.com', '2'],
  ['fstatvfs@openssh.com', '2'],
  ['fsync@openssh.com', '1'],
  ['lsetstat@openssh.com', '1'],
  ['limits@openssh.com', '1'],
  ['expand-path@openssh.com', '1'],
  ['copy-data', '1'],
  ['home-directory', '1'],
  ['users-groups-by-id@openssh.com', '1'],
  ['check-file', 'sha256,sha384,sha512'],
  ['space-available', '1'],
];

/** Hashes that check-file offers, strongest of habit first. Names of the extensions draft are those of node:crypto. */
export const checkFileAlgorithms = ['sha256', 'sha384', 'sha512'] as const;
export type CheckFileAlgorithm = (typeof checkFileAlgorithms)[number];

const algorithmListBytesMax = 1024;
const userNameBytesMax = 1024;
const idsBytesMax = 4 * 1024;
const nameBytesMax = 128;

export type ExtendedRequest =
  | { readonly kind: 'posix_rename'; readonly id: number; readonly from: Buffer; readonly to: Buffer }
  | { readonly kind: 'statvfs' | 'expand_path' | 'space_available'; readonly id: number; readonly path: Buffer }
  | { readonly kind: 'fstatvfs' | 'fsync'; readonly id: number; readonly handle: string }
  | { readonly kind: 'lsetstat'; readonly id: number; readonly path: Buffer; readonly attributes: FileAttributes }
  | { readonly kind: 'limits'; readonly id: number }
  | {
      readonly kind: 'copy_data';
      readonly id: number;
      readonly from: string;
      readonly fromOffset: number;
      /** 0: up to the end of the file. */
      readonly length: number;
      readonly to: string;
      readonly toOffset: number;
    }
  | { readonly kind: 'home_directory'; readonly id: number; readonly user: Buffer }
  | { readonly kind: 'names_by_id'; readonly id: number; readonly uids: number[]; readonly gids: number[] }
  | ({ readonly kind: 'check_file_name'; readonly id: number; readonly path: Buffer } & CheckFileRange)
  | ({ readonly kind: 'check_file_handle'; readonly id: number; readonly handle: string } & CheckFileRange)
  | { readonly kind: 'unknown_extension'; readonly id: number; readonly name: string };

export interface CheckFileRange {
  /** In the client's order, as sent. */
  readonly algorithms: readonly string[];
  readonly start: number;
  /** 0: up to the end of the file. */
  readonly length: number;
  /** 0: one hash over all of it. */
  readonly blockBytes: number;
}

/** Reads what follows the id of SSH_FXP_EXTENDED, draft §8. The caller checks that nothing follows. */
export function parseExtended(id: number, reader: PacketReader): ExtendedRequest {
  const name = reader.string('the name of an extension', nameBytesMax).toString('latin1');
  const path = (): Buffer => reader.string('a path', limits.pathBytes);
  const handle = (): string => reader.string('a handle', limits.handleBytes).toString('latin1');
  switch (name) {
    case 'posix-rename@openssh.com': // 4.3
      return { kind: 'posix_rename', id, from: path(), to: path() };
    case 'statvfs@openssh.com': // 4.4
      return { kind: 'statvfs', id, path: path() };
    case 'fstatvfs@openssh.com': // 4.4
      return { kind: 'fstatvfs', id, handle: handle() };
    case 'fsync@openssh.com': // 4.6
      return { kind: 'fsync', id, handle: handle() };
    case 'lsetstat@openssh.com': // 4.7
      return { kind: 'lsetstat', id, path: path(), attributes: readAttributes(reader) };
    case 'limits@openssh.com': // 4.8
      return { kind: 'limits', id };
    case 'expand-path@openssh.com': // 4.9
      return { kind: 'expand_path', id, path: path() };
    case 'copy-data': // 4.10; extensions draft §7
      return parseCopyData(id, reader, handle);
    case 'home-directory': // 4.11; extensions draft §5
      return { kind: 'home_directory', id, user: reader.string('a user name', userNameBytesMax) };
    case 'users-groups-by-id@openssh.com': // 4.12
      return { kind: 'names_by_id', id, uids: parseIds(reader), gids: parseIds(reader) };
    case 'check-file-name': // extensions draft §3
      return { kind: 'check_file_name', id, path: path(), ...parseRange(reader) };
    case 'check-file-handle': // extensions draft §3
      return { kind: 'check_file_handle', id, handle: handle(), ...parseRange(reader) };
    case 'space-available': // extensions draft §4
      return { kind: 'space_available', id, path: path() };
    default:
      // Its data has a shape that only its author knows.
      reader.skip(reader.leftBytes);
      return { kind: 'unknown_extension', id, name };
  }
}

function parseCopyData(id: number, reader: PacketReader, handle: () => string): ExtendedRequest {
  const from = handle();
  const fromOffset = reader.safeUint64('the offset to read from');
  const length = reader.safeUint64('the length');
  const to = handle();
  const toOffset = reader.safeUint64('the offset to write to');
  if (!Number.isSafeInteger(fromOffset + length) || !Number.isSafeInteger(toOffset + length)) {
    throw new OffsetTooLarge('the end of the copy');
  }
  return { kind: 'copy_data', id, from, fromOffset, length, to, toOffset };
}

function parseIds(reader: PacketReader): number[] {
  const packed = reader.string('a list of ids', idsBytesMax);
  if (packed.length % 4 !== 0) throw new MalformedPacket('a list of ids ends inside an id');
  return Array.from({ length: packed.length / 4 }, (_, index) => packed.readUInt32BE(index * 4));
}

function parseRange(reader: PacketReader): CheckFileRange {
  const algorithms = reader.string('the list of algorithms', algorithmListBytesMax).toString('latin1').split(',');
  const start = reader.safeUint64('the start');
  const length = reader.safeUint64('the length');
  if (!Number.isSafeInteger(start + length)) throw new OffsetTooLarge('the end of the range');
  return { algorithms, start, length, blockBytes: reader.uint32() };
}
