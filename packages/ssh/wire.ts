// The data types of RFC 4251 §5, read and written. Reading is total: any bytes end in a value or a ConnectionFault.
import { isAscii } from 'node:buffer';
import { protocolFault } from './faults.ts';

export interface WireReader {
  byte(): number;
  boolean(): boolean;
  uint32(): number;
  /** A view of the bytes, no copy. Refuses: more than `sizeBytesMax`. */
  string(sizeBytesMax?: number): Buffer;
  /** A string of printable US-ASCII. */
  ascii(sizeBytesMax: number): string;
  nameList(): string[];
  /** Positive multiple-precision integer as big-endian bytes without leading zeros. */
  mpint(sizeBytesMax: number): Buffer;
  /** A view of the next bytes as they are. */
  raw(sizeBytes: number): Buffer;
  /** Everything left. */
  rest(): Buffer;
  readonly leftBytes: number;
  /** Refuses: bytes left over. */
  end(): void;
}

// OpenSSH's longest list, the host key algorithms, has about 700 bytes; names end at 64 (RFC 4251 §6).
const nameListBytesMax = 8192;
const namesMax = 256;
const nameCharactersMax = 64;

export function createReader(bytes: Buffer, startAt = 0): WireReader {
  let at = startAt;
  const advance = (sizeBytes: number): number => {
    const from = at;
    if (sizeBytes > bytes.length - from) throw protocolFault('a field ends outside its packet');
    at = from + sizeBytes;
    return from;
  };
  const reader: WireReader = {
    byte: () => bytes[advance(1)]!,
    // RFC 4251 §5: every value that is not zero is true.
    boolean: () => bytes[advance(1)] !== 0,
    uint32: () => bytes.readUInt32BE(advance(4)),
    string(sizeBytesMax = bytes.length) {
      const sizeBytes = bytes.readUInt32BE(advance(4));
      if (sizeBytes > sizeBytesMax) throw protocolFault('a string is longer than allowed here');
      const from = advance(sizeBytes);
      return bytes.subarray(from, from + sizeBytes);
    },
    ascii(sizeBytesMax) {
      const text = reader.string(sizeBytesMax);
      if (!isPrintable(text)) throw protocolFault('a name is not printable US-ASCII');
      return text.toString('latin1');
    },
    nameList() {
      const text = reader.string(nameListBytesMax);
      if (text.length === 0) return [];
      if (!isPrintable(text)) throw protocolFault('a name-list is not printable US-ASCII');
      const names = text.toString('latin1').split(',');
      if (names.length > namesMax) throw protocolFault('a name-list has too many names');
      if (names.some((name) => name.length > nameCharactersMax)) {
        throw protocolFault('a name-list has a name of more than 64 characters');
      }
      // RFC 4251 §5 forbids an empty name, and libssh 0.10 ends its lists of ciphers with a comma.
      return names.filter((name) => name !== '');
    },
    mpint(sizeBytesMax) {
      const bytesRead = reader.string(sizeBytesMax + 1);
      if (bytesRead.length > 0 && bytesRead[0]! >= 0x80) throw protocolFault('a number is negative');
      let from = 0;
      while (from < bytesRead.length && bytesRead[from] === 0) from += 1;
      if (bytesRead.length - from > sizeBytesMax) throw protocolFault('a number is too large');
      return bytesRead.subarray(from);
    },
    raw(sizeBytes) {
      const from = advance(sizeBytes);
      return bytes.subarray(from, from + sizeBytes);
    },
    rest: () => bytes.subarray(advance(bytes.length - at)),
    get leftBytes() {
      return bytes.length - at;
    },
    end() {
      if (at !== bytes.length) throw protocolFault('a packet has bytes after its last field');
    },
  };
  return reader;
}

/** Printable US-ASCII without blank: the alphabet of names (RFC 4251 §6). */
function isPrintable(bytes: Buffer): boolean {
  return isAscii(bytes) && bytes.every((byte) => byte > 0x20 && byte < 0x7f);
}

export const formatByte = (value: number): Buffer => Buffer.from([value]);

export const formatBoolean = (value: boolean): Buffer => Buffer.from([value ? 1 : 0]);

export function formatUint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function formatString(value: Buffer | string): Buffer {
  const content = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([formatUint32(content.length), content]);
}

export const formatNameList = (names: readonly string[]): Buffer => formatString(names.join(','));

/** From a positive big-endian integer with or without leading zeros. Source: RFC 4251 §5, mpint. */
export function formatMpint(value: Buffer): Buffer {
  let from = 0;
  while (from < value.length && value[from] === 0) from += 1;
  const digits = value.subarray(from);
  // A set top bit would read as a minus sign, so a zero byte goes before it.
  const isTopBitSet = digits.length > 0 && digits[0]! >= 0x80;
  return formatString(isTopBitSet ? Buffer.concat([Buffer.alloc(1), digits]) : digits);
}

/** Text from the peer made safe for logs: printable US-ASCII, other bytes as '?', cut. */
export function toPlainText(bytes: Buffer, charactersMax: number): string {
  return bytes
    .subarray(0, charactersMax)
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '?');
}
