// The client's half of SFTP version 3 for tests: packets as a client builds them, and replies as it reads them.
// It is written apart from packages/sftp on purpose, so that one misreading cannot hide in both halves.

export type Field =
  | { u8: number }
  | { u32: number }
  | { u64: bigint | number }
  | { string: string | Uint8Array }
  | Buffer;

/** One packet with its length in front. */
export function packet(type: number, ...fields: readonly Field[]): Buffer {
  const body = Buffer.concat([Buffer.from([type]), ...fields.map(encodeField)]);
  return Buffer.concat([encodeField({ u32: body.length }), body]);
}

function encodeField(field: Field): Buffer {
  if (Buffer.isBuffer(field)) return field;
  if ('u8' in field) return Buffer.from([field.u8]);
  const bytes = Buffer.alloc('u64' in field ? 8 : 4);
  if ('u64' in field) bytes.writeBigUInt64BE(BigInt(field.u64));
  else if ('u32' in field) bytes.writeUInt32BE(field.u32);
  else {
    const text = Buffer.from(field.string as Uint8Array);
    bytes.writeUInt32BE(text.length);
    return Buffer.concat([bytes, text]);
  }
  return bytes;
}

export const u32 = (value: number): Field => ({ u32: value });
export const u64 = (value: bigint | number): Field => ({ u64: value });
export const str = (value: string | Uint8Array): Field => ({ string: value });
export const noAttributes: Field = { u32: 0 };

export const client = {
  init: (version = 3): Buffer => packet(1, u32(version)),
  open: (id: number, path: string | Uint8Array, flags: number, attributes: Field = noAttributes): Buffer =>
    packet(3, u32(id), str(path), u32(flags), attributes),
  close: (id: number, handle: Buffer): Buffer => packet(4, u32(id), str(handle)),
  read: (id: number, handle: Buffer, offset: number | bigint, length: number): Buffer =>
    packet(5, u32(id), str(handle), u64(offset), u32(length)),
  write: (id: number, handle: Buffer, offset: number | bigint, bytes: Uint8Array): Buffer =>
    packet(6, u32(id), str(handle), u64(offset), str(bytes)),
  fstat: (id: number, handle: Buffer): Buffer => packet(8, u32(id), str(handle)),
  /** lstat 7, opendir 11, remove 13, rmdir 15, realpath 16, stat 17, readlink 19. */
  path: (type: number, id: number, path: string | Uint8Array): Buffer => packet(type, u32(id), str(path)),
  setstat: (id: number, path: string, ...attributes: Field[]): Buffer => packet(9, u32(id), str(path), ...attributes),
  fsetstat: (id: number, handle: Buffer, ...attributes: Field[]): Buffer =>
    packet(10, u32(id), str(handle), ...attributes),
  readdir: (id: number, handle: Buffer): Buffer => packet(12, u32(id), str(handle)),
  mkdir: (id: number, path: string): Buffer => packet(14, u32(id), str(path), noAttributes),
  rename: (id: number, from: string, to: string): Buffer => packet(18, u32(id), str(from), str(to)),
  extended: (id: number, name: string, ...fields: readonly Field[]): Buffer =>
    packet(200, u32(id), str(name), ...fields),
};

export const flags = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 };

/** One reply, its fields still to be read. */
export class Reply {
  readonly type: number;
  readonly id: number;
  readonly #bytes: Buffer;
  #at = 5;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.type = bytes[0]!;
    this.id = bytes.readUInt32BE(1);
  }

  u32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  u64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigUInt64BE(this.#at - 8);
  }

  string(): Buffer {
    const size = this.u32();
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  /** The code of a STATUS reply. */
  status(): number {
    if (this.type !== 101) throw new Error(`a reply of type ${this.type} where a status was expected`);
    return this.#bytes.readUInt32BE(5);
  }

  /** Fields of ATTRS at this place: only those that were sent. */
  attributes(): { size?: number; uid?: number; gid?: number; mode?: number; mtime?: number } {
    const flags = this.u32();
    return {
      ...(flags & 1 && { size: Number(this.u64()) }),
      ...(flags & 2 && { uid: this.u32(), gid: this.u32() }),
      ...(flags & 4 && { mode: this.u32() }),
      ...(flags & 8 && (this.u32(), { mtime: this.u32() })),
    };
  }

  /** Entries of a NAME reply. */
  names(): { name: string; longName: string; attributes: ReturnType<Reply['attributes']> }[] {
    return Array.from({ length: this.u32() }, () => ({
      name: this.string().toString(),
      longName: this.string().toString(),
      attributes: this.attributes(),
    }));
  }
}

/** Cuts a stream of replies into packets. */
export function createReplyReader() {
  let chunks: Buffer[] = [];
  let waitingBytes = 0;
  return {
    push(bytes: Buffer): Reply[] {
      chunks.push(bytes);
      waitingBytes += bytes.length;
      if (chunks[0]!.length < 4) chunks = [Buffer.concat(chunks)];
      const replies: Reply[] = [];
      while (waitingBytes >= 4 && waitingBytes >= 4 + chunks[0]!.readUInt32BE(0)) {
        const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
        const end = 4 + all.readUInt32BE(0);
        replies.push(new Reply(all.subarray(4, end)));
        chunks = [all.subarray(end)];
        waitingBytes -= end;
      }
      return replies;
    },
  };
}
