// Numbers of SFTP version 3 and a bounded reader of its primitive types.
// Source: draft-ietf-secsh-filexfer-02 §3, §5, §6.3, §7; RFC 4251 §5 for the primitive types.

/** Packet types, draft §3. */
export const packetTypes = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 200,
  extendedReply: 201,
} as const;

/** Status codes, draft §7. 6 and 7 are for clients' own use and never sent. */
export const statusCodes = {
  ok: 0,
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  opUnsupported: 8,
} as const;
export type StatusName = keyof typeof statusCodes;

/** Flags of SSH_FXP_OPEN, draft §6.3. */
export const openFlags = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

/** The version this codec speaks; a newer client falls back to it, draft §4. */
export const protocolVersion = 3;

/** Limits announced by limits@openssh.com and enforced by the frame reader. Units: bytes, but for `handles`. */
export const limits = {
  /** The most a READ answers and a WRITE may carry. */
  readBytes: 256 * 1024 - 1024,
  writeBytes: 256 * 1024 - 1024,
  /** A whole packet after its length field; OpenSSH refuses what is above 256 KiB. */
  packetBytes: 256 * 1024,
  /** Draft §6.3: a handle is at most 256 bytes. */
  handleBytes: 256,
  /** OpenSSH's and PuTTY's longest path is far below; what is longer is refused as malformed. */
  pathBytes: 128 * 1024,
  handles: 100,
} as const;

/** A packet that says something else than its type allows. Thrown inside the codec only; parsers return it as a value. */
export class MalformedPacket extends Error {
  override readonly name = 'MalformedPacket';
}

/** Reads primitive types from one packet and throws MalformedPacket instead of passing its end. */
export class PacketReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get leftBytes(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++]!;
  }

  uint32(): number {
    this.#need(4);
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  uint64(): bigint {
    this.#need(8);
    const value = this.#bytes.readBigUInt64BE(this.#at);
    this.#at += 8;
    return value;
  }

  /** A uint64 that is a safe integer; a size or offset beyond 2^53 − 1 names no byte of any file we could hold. */
  safeUint64(what: string): number {
    const high = this.uint32();
    const low = this.uint32();
    if (high >= 2 ** 21) throw new OffsetTooLarge(what);
    return high * 2 ** 32 + low;
  }

  /** RFC 4251 §5 string, as a view of the packet. */
  string(what: string, sizeBytesMax: number): Buffer {
    const size = this.uint32();
    if (size > sizeBytesMax) throw new MalformedPacket(`${what} is longer than ${sizeBytesMax} bytes`);
    this.#need(size);
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  skip(sizeBytes: number): void {
    this.#need(sizeBytes);
    this.#at += sizeBytes;
  }

  /** Bytes after the last field are refused: a request that we read otherwise than its sender meant is worse than none. */
  end(): void {
    if (this.leftBytes !== 0) throw new MalformedPacket(`${this.leftBytes} bytes follow the last field`);
  }

  #need(sizeBytes: number): void {
    if (this.leftBytes < sizeBytes) throw new MalformedPacket('the packet ends inside a field');
  }
}

/** A well-formed offset or size that no file can have. */
export class OffsetTooLarge extends Error {
  override readonly name = 'OffsetTooLarge';

  constructor(what: string) {
    super(`${what} is beyond 2^53 − 1; use a smaller one`);
  }
}

/** Writes primitive types one after the other into a buffer that grows; the first four bytes are the packet's length. */
export class PacketWriter {
  #bytes: Buffer;
  #size = 4;

  constructor(sizeHintBytes = 64) {
    this.#bytes = Buffer.allocUnsafe(Math.max(16, sizeHintBytes));
  }

  get sizeBytes(): number {
    return this.#size;
  }

  byte(value: number): this {
    this.#room(1);
    this.#bytes[this.#size++] = value;
    return this;
  }

  uint32(value: number): this {
    this.#room(4);
    this.#size = this.#bytes.writeUInt32BE(value >>> 0, this.#size);
    return this;
  }

  uint64(value: number | bigint): this {
    this.#room(8);
    this.#size = this.#bytes.writeBigUInt64BE(BigInt(value), this.#size);
    return this;
  }

  string(value: string | Uint8Array): this {
    const size = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    return this.uint32(size).raw(value, size);
  }

  /** Bytes without a length before them. */
  raw(value: string | Uint8Array, size = Buffer.byteLength(value)): this {
    this.#room(size);
    if (typeof value === 'string') this.#bytes.write(value, this.#size);
    else this.#bytes.set(value, this.#size);
    this.#size += size;
    return this;
  }

  /** The finished packet. `followedBy` bytes, sent right after it, belong to it as well. */
  finish(followedBy = 0): Buffer {
    this.#bytes.writeUInt32BE(this.#size - 4 + followedBy, 0);
    return this.#bytes.subarray(0, this.#size);
  }

  #room(sizeBytes: number): void {
    if (this.#size + sizeBytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#size + sizeBytes));
    larger.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = larger;
  }
}
