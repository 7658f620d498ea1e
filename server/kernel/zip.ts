// A ZIP file written as it is sent, whose size is known before: nothing is compressed, each file lies in stored blocks of DEFLATE.
//
// Source: PKWARE APPNOTE 6.3.10 (no ZIP64), RFC 1951 §3.2.4. Files marked "stored" could not say their checksum after their
// bytes to every reader; stored blocks of DEFLATE can, and their length follows from the file's.
import { crc32 } from 'node:zlib';

export interface ZipFile {
  /** Path in the archive with forward slashes, without a leading one. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  /** Exactly `sizeBytes` bytes. */
  open(): AsyncIterable<Uint8Array>;
}

const blockBytesMax = 65_535;
const blockHeaderBytes = 5;
const localHeaderBytes = 30;
const descriptorBytes = 16;
const centralHeaderBytes = 46;
const endBytes = 22;
/** Beyond these the format needs ZIP64. */
const zipLimits = { files: 65_534, bytes: 0xffff_fffe } as const;

// APPNOTE §4.4.4: bit 3, sizes and checksum follow the data; bit 11, names are UTF-8.
const flags = 0x0808;
const deflate = 8;

const packedBytes = (sizeBytes: number): number =>
  sizeBytes + blockHeaderBytes * Math.max(1, Math.ceil(sizeBytes / blockBytesMax));

/** The size of the whole archive. Units: bytes. Throws where it would need ZIP64. */
export function zipSize(files: readonly Pick<ZipFile, 'name' | 'sizeBytes'>[]): number {
  let sum = endBytes;
  for (const { name, sizeBytes } of files) {
    const nameBytes = Buffer.byteLength(name);
    sum += localHeaderBytes + nameBytes + packedBytes(sizeBytes) + descriptorBytes + centralHeaderBytes + nameBytes;
  }
  if (files.length > zipLimits.files || sum > zipLimits.bytes) throw new Error('an archive this large needs ZIP64');
  return sum;
}

/** The archive. Throws where a file gives another number of bytes than it announced, so that it never looks complete. */
export async function* writeZip(files: readonly ZipFile[]): AsyncGenerator<Buffer> {
  const central: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const name = Buffer.from(file.name);
    const time = dosTime(file.modifiedAtMs);
    const local = Buffer.alloc(localHeaderBytes);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(deflate, 8);
    local.writeUInt32LE(time, 10);
    local.writeUInt16LE(name.length, 26);
    yield Buffer.concat([local, name]);

    let crc = 0;
    for await (const block of blocksOf(file)) {
      crc = crc32(block.data, crc);
      yield block.header;
      yield block.data;
    }
    const descriptor = Buffer.alloc(descriptorBytes);
    descriptor.writeUInt32LE(0x08074b50, 0);
    descriptor.writeUInt32LE(crc, 4);
    descriptor.writeUInt32LE(packedBytes(file.sizeBytes), 8);
    descriptor.writeUInt32LE(file.sizeBytes, 12);
    yield descriptor;

    const entry = Buffer.alloc(centralHeaderBytes);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(20, 4);
    entry.writeUInt16LE(20, 6);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(deflate, 10);
    entry.writeUInt32LE(time, 12);
    entry.writeUInt32LE(crc, 16);
    entry.writeUInt32LE(packedBytes(file.sizeBytes), 20);
    entry.writeUInt32LE(file.sizeBytes, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    central.push(entry, name);
    offset += localHeaderBytes + name.length + packedBytes(file.sizeBytes) + descriptorBytes;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(endBytes);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  yield directory;
  yield end;
}

/** Whole blocks whatever pieces come: their number is part of the announced size. */
async function* blocksOf(file: ZipFile): AsyncGenerator<{ header: Buffer; data: Buffer }> {
  let pieces: Uint8Array[] = [];
  let heldBytes = 0;
  let writtenBytes = 0;
  const cut = (lengthBytes: number): { header: Buffer; data: Buffer } => {
    const all = Buffer.concat(pieces);
    const data = all.subarray(0, lengthBytes);
    pieces = [all.subarray(lengthBytes)];
    heldBytes -= lengthBytes;
    writtenBytes += lengthBytes;
    const header = Buffer.alloc(blockHeaderBytes);
    // RFC 1951 §3.2.3: the last block is marked; type 0 is stored.
    header.writeUInt8(writtenBytes === file.sizeBytes ? 1 : 0, 0);
    header.writeUInt16LE(lengthBytes, 1);
    header.writeUInt16LE(lengthBytes ^ 0xffff, 3);
    return { header, data };
  };
  for await (const piece of file.open()) {
    pieces.push(piece);
    heldBytes += piece.length;
    for (let left = Math.floor(heldBytes / blockBytesMax); left > 0; left -= 1) yield cut(blockBytesMax);
  }
  if (heldBytes > 0 || file.sizeBytes === 0) yield cut(heldBytes);
  if (writtenBytes !== file.sizeBytes) {
    throw new Error(`a file of an archive gave ${writtenBytes} bytes of ${file.sizeBytes}`);
  }
}

/** Time and date as the format has them, in UTC, to two seconds, from 1980 on. */
function dosTime(atMs: number): number {
  const at = new Date(Math.max(atMs, Date.UTC(1980, 0, 1)));
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  return ((date << 16) | time) >>> 0;
}
