// File attributes of version 3, as they stand in OPEN, SETSTAT, MKDIR and in ATTRS and NAME replies.
// Source: draft-ietf-secsh-filexfer-02 §5.
import { MalformedPacket, type PacketReader, type PacketWriter } from './wire.ts';

/** Attributes as sent: a field that is absent was not given. Units: bytes, and seconds since the epoch. */
export interface FileAttributes {
  readonly sizeBytes?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Permission bits with the type bits of POSIX (S_IFREG, S_IFDIR). */
  readonly mode?: number;
  readonly times?: { readonly accessedAt: number; readonly modifiedAt: number };
}

const flagSize = 0x0000_0001;
const flagOwner = 0x0000_0002;
const flagMode = 0x0000_0004;
const flagTimes = 0x0000_0008;
const flagExtended = 0x8000_0000;
const knownFlags = flagSize | flagOwner | flagMode | flagTimes | flagExtended;

const extendedPairsMax = 32;
const extendedBytesMax = 4096;

export const modeFile = 0o100000;
export const modeFolder = 0o040000;
export const modeTypeMask = 0o170000;

/** Reads ATTRS. Extended pairs are read and dropped: draft §5 has them ignored where they are not understood. */
export function readAttributes(reader: PacketReader): FileAttributes {
  const flags = reader.uint32();
  // Draft §5: a flag we do not know stands for a field that we cannot skip.
  if ((flags & ~knownFlags) !== 0) throw new MalformedPacket(`unknown attribute flags 0x${flags.toString(16)}`);
  const sizeBytes = flags & flagSize ? reader.safeUint64('the size') : undefined;
  const owner = flags & flagOwner ? { uid: reader.uint32(), gid: reader.uint32() } : undefined;
  const mode = flags & flagMode ? reader.uint32() : undefined;
  const times = flags & flagTimes ? { accessedAt: reader.uint32(), modifiedAt: reader.uint32() } : undefined;
  if (flags & flagExtended) skipExtended(reader);
  return {
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(owner && { owner }),
    ...(mode !== undefined && { mode }),
    ...(times && { times }),
  };
}

function skipExtended(reader: PacketReader): void {
  const pairs = reader.uint32();
  if (pairs > extendedPairsMax) throw new MalformedPacket(`more than ${extendedPairsMax} extended attributes`);
  for (let pair = 0; pair < pairs; pair++) {
    reader.string('an extended attribute name', extendedBytesMax);
    reader.string('an extended attribute', extendedBytesMax);
  }
}

export function writeAttributes(writer: PacketWriter, attributes: FileAttributes): void {
  const { sizeBytes, owner, mode, times } = attributes;
  writer.uint32(
    (sizeBytes === undefined ? 0 : flagSize) |
      (owner ? flagOwner : 0) |
      (mode === undefined ? 0 : flagMode) |
      (times ? flagTimes : 0),
  );
  if (sizeBytes !== undefined) writer.uint64(sizeBytes);
  if (owner) writer.uint32(owner.uid).uint32(owner.gid);
  if (mode !== undefined) writer.uint32(mode);
  if (times) writer.uint32(times.accessedAt).uint32(times.modifiedAt);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const halfYearSeconds = 182 * 24 * 3600;
const two = (value: number): string => String(value).padStart(2, '0');
const triplets = ['---', '--x', '-w-', '-wx', 'r--', 'r-x', 'rw-', 'rwx'];

/** `rwx` triplets with the type letter, as `ls -l` prints them. */
export function formatMode(mode: number): string {
  const type = (mode & modeTypeMask) === modeFolder ? 'd' : '-';
  return `${type}${triplets[(mode >> 6) & 7]}${triplets[(mode >> 3) & 7]}${triplets[mode & 7]}`;
}

// A folder's entries often carry the same minute: of a long listing most of the time went into writing it anew.
let lastDay = { minute: -1, isRecent: false, text: '' };

/** When, as `ls -l` prints it. Units: seconds since the epoch. */
function formatDay(modifiedAt: number, nowAt: number): string {
  const minute = Math.floor(modifiedAt / 60);
  const isRecent = modifiedAt <= nowAt && nowAt - modifiedAt < halfYearSeconds;
  if (lastDay.minute === minute && lastDay.isRecent === isRecent) return lastDay.text;
  const date = new Date(modifiedAt * 1000);
  const tail = isRecent ? `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}` : ` ${date.getUTCFullYear()}`;
  const text = `${months[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${tail}`;
  lastDay = { minute, isRecent, text };
  return text;
}

/**
 * The `longname` of a NAME reply: what `ls -l` prints, in UTC, as draft §7 recommends.
 * Units: `nowAt` in seconds since the epoch; within half a year of it the time is shown, else the year.
 */
export function formatLongName(
  name: string,
  attributes: FileAttributes,
  ownerName: string,
  groupName: string,
  nowAt: number,
): string {
  const day = formatDay(attributes.times?.modifiedAt ?? 0, nowAt);
  const mode = formatMode(attributes.mode ?? modeFile);
  const links = mode.startsWith('d') ? '2' : '1';
  return `${mode} ${links.padStart(4)} ${ownerName.padEnd(8)} ${groupName.padEnd(8)} ${String(attributes.sizeBytes ?? 0).padStart(8)} ${day} ${name}`;
}
