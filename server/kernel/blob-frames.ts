// The bytes of an encrypted blob: a header, frames of 64 KiB that are each verified on their own, and a seal over all of them.
//
//   header  64  magic 'BGB1' · blob id 16 · data key id 16 · salt 16 · 12 zeros
//   frame   32 more than its text: nonce 12 · length 4 · ciphertext · tag 16; all frames but the last hold 64 KiB
//   seal    nonce 12 · ciphertext · tag 16 · length of the ciphertext 4 · magic 'BGS1'
//
// The key is derived for each blob (HKDF-SHA-256 over the data key, a random salt and both ids), so a header that was
// altered, and a file in another's place, decrypt to nothing. AES-256-GCM must never see one nonce twice under one key
// (NIST SP 800-38D §8), and a staged frame may be rewritten, also after a crash that lost the last nonces used. So a nonce
// is 8 random bytes drawn at each opening and a counter of writes since then; it is stored with the frame. The index and
// length of a frame are authenticated with it, and the seal lists the nonce of every frame: an older version of a frame,
// put back where it once stood, does not match.
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { BlobFault, type DataKey, type DataKeys } from './blobs.ts';
import type { Random } from './random.ts';

export const frameSizeBytes = 65_536;
export const headerSizeBytes = 64;
export const frameExtraBytes = 32;
export const strideBytes = frameSizeBytes + frameExtraBytes;
const nonceBytes = 12;
const tagBytes = 16;

const magic = Buffer.from('BGB1');
const sealMagic = Buffer.from('BGS1');

export interface BlobHeader {
  readonly blobId: string;
  readonly dataKeyId: string;
  readonly salt: Buffer;
}

const idBytes = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex');

function formatId(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** True for the 36 lower-case characters of an id: all that may become a file's name. */
export const isBlobId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

export const formatHeader = ({ blobId, dataKeyId, salt }: BlobHeader): Buffer =>
  Buffer.concat([magic, idBytes(blobId), idBytes(dataKeyId), salt, Buffer.alloc(12)]);

/** Throws a BlobFault when the header is not that of the blob asked for. */
export function parseHeader(blobId: string, bytes: Buffer): BlobHeader {
  const isHeader = bytes.length >= headerSizeBytes && bytes.subarray(0, 4).equals(magic);
  if (!isHeader || bytes.subarray(52, headerSizeBytes).some((byte) => byte !== 0)) {
    throw new BlobFault(blobId, 'damaged', 'it has no header');
  }
  if (!bytes.subarray(4, 20).equals(idBytes(blobId)))
    throw new BlobFault(blobId, 'damaged', 'another blob is in its place');
  return { blobId, dataKeyId: formatId(bytes.subarray(20, 36)), salt: Buffer.from(bytes.subarray(36, 52)) };
}

/** Source: RFC 5869, with the header's salt and both ids as info. */
export function deriveBlobKey(dataKey: DataKey, header: BlobHeader): KeyObject {
  const info = Buffer.concat([Buffer.from('broadgate blob 1'), idBytes(header.blobId), idBytes(header.dataKeyId)]);
  return createSecretKey(Buffer.from(hkdfSync('sha256', dataKey.key, header.salt, info, 32)));
}

/** Nonces that do not repeat under one key, across openings and crashes. */
export function createNonces(random: Random): () => Buffer {
  let prefix = random.bytes(8);
  let writes = 0;
  return () => {
    if (writes === 2 ** 32) {
      prefix = random.bytes(8);
      writes = 0;
    }
    const nonce = Buffer.alloc(nonceBytes);
    prefix.copy(nonce);
    nonce.writeUInt32BE(writes, 8);
    writes += 1;
    return nonce;
  };
}

/** What the seal says of the whole blob. */
export interface SealRecord {
  readonly sizeBytes: number;
  readonly sha256: Buffer;
  /** The nonce of each frame, 12 bytes each. */
  readonly nonces: Buffer;
}

export type FrameCipher = ReturnType<typeof createFrameCipher>;

export function createFrameCipher(blobId: string, key: KeyObject) {
  const id = idBytes(blobId);

  function authenticated(kind: 1 | 2, index: number, length: number): Buffer {
    const bytes = Buffer.alloc(29);
    bytes[0] = kind;
    id.copy(bytes, 1);
    bytes.writeBigUInt64BE(BigInt(index), 17);
    bytes.writeUInt32BE(length, 25);
    return bytes;
  }

  function encrypt(nonce: Buffer, text: Buffer, aad: Buffer): Buffer[] {
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(aad);
    return [cipher.update(text), cipher.final(), cipher.getAuthTag()];
  }

  function decrypt(nonce: Buffer, sealed: Buffer, aad: Buffer): Buffer {
    const end = sealed.length - tagBytes;
    const cipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(aad).setAuthTag(sealed.subarray(end));
    const text = cipher.update(sealed.subarray(0, end));
    cipher.final();
    return text;
  }

  return {
    /** The frame as it stands on the medium, in pieces. */
    sealPieces(index: number, nonce: Buffer, text: Buffer): Buffer[] {
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32BE(text.length);
      return [nonce, length, ...encrypt(nonce, text, authenticated(1, index, text.length))];
    },

    /** The frame as it stands on the medium; written into a buffer of `strideBytes` where one is given to be used again. */
    sealFrame(
      index: number,
      nonce: Buffer,
      text: Buffer,
      into = Buffer.allocUnsafe(text.length + frameExtraBytes),
    ): Buffer {
      nonce.copy(into);
      into.writeUInt32BE(text.length, nonceBytes);
      let end = nonceBytes + 4;
      for (const piece of encrypt(nonce, text, authenticated(1, index, text.length))) end += piece.copy(into, end);
      return into.subarray(0, end);
    },

    /** Shape: undefined when the bytes are not a whole, genuine frame of that index. Bytes beyond the frame are ignored. */
    openFrame(index: number, bytes: Buffer): { nonce: Buffer; text: Buffer } | undefined {
      if (bytes.length < frameExtraBytes) return undefined;
      const length = bytes.readUInt32BE(nonceBytes);
      if (length > frameSizeBytes || bytes.length < length + frameExtraBytes) return undefined;
      const nonce = bytes.subarray(0, nonceBytes);
      const sealed = bytes.subarray(nonceBytes + 4, length + frameExtraBytes);
      try {
        return { nonce, text: decrypt(nonce, sealed, authenticated(1, index, length)) };
      } catch {
        return undefined;
      }
    },

    formatSeal(nonce: Buffer, record: SealRecord): Buffer {
      const runs = formatRuns(record.nonces);
      const text = Buffer.alloc(40 + runs.length);
      text.writeBigUInt64BE(BigInt(record.sizeBytes));
      record.sha256.copy(text, 8);
      runs.copy(text, 40);
      const tail = Buffer.alloc(8);
      tail.writeUInt32BE(text.length);
      sealMagic.copy(tail, 4);
      return Buffer.concat([nonce, ...encrypt(nonce, text, authenticated(2, 0, text.length)), tail]);
    },

    /** Reads the seal from a blob's last bytes, as many as `sealSize` says. Throws a BlobFault unless it is genuine. */
    parseSeal(bytes: Buffer): SealRecord {
      const length = bytes.length - nonceBytes - tagBytes - 8;
      try {
        const text = decrypt(
          bytes.subarray(0, nonceBytes),
          bytes.subarray(nonceBytes, bytes.length - 8),
          authenticated(2, 0, length),
        );
        const sizeBytes = Number(text.readBigUInt64BE());
        return { sizeBytes, sha256: Buffer.from(text.subarray(8, 40)), nonces: parseRuns(text.subarray(40)) };
      } catch (fault) {
        throw new BlobFault(blobId, 'damaged', 'its seal is not genuine', fault);
      }
    },
  };
}

/** The cipher of a blob by its first bytes. Throws a BlobFault unless they are the blob's header, with a key that there is. */
export async function openFrameCipher(blobId: string, start: Buffer, keys: DataKeys): Promise<FrameCipher> {
  const header = parseHeader(blobId, start);
  const dataKey = await keys.find(header.dataKeyId);
  if (dataKey === undefined) throw new BlobFault(blobId, 'damaged', `there is no data key ${header.dataKeyId}`);
  return createFrameCipher(blobId, deriveBlobKey(dataKey, header));
}

/** How many bytes the seal takes, read from the last 8 of the blob. Throws a BlobFault when there is no seal. */
export function sealSize(blobId: string, lastBytes: Buffer): number {
  if (lastBytes.length < 8 || !lastBytes.subarray(-4).equals(sealMagic)) {
    throw new BlobFault(blobId, 'damaged', 'it is cut off, or was never sealed');
  }
  return lastBytes.readUInt32BE(lastBytes.length - 8) + nonceBytes + tagBytes + 8;
}

/** Frames of a text of that size; an empty one has none. */
export const countFrames = (sizeBytes: number): number => Math.ceil(sizeBytes / frameSizeBytes);

/** Bytes that header and frames take for a text of that size. */
export const framesEnd = (sizeBytes: number): number =>
  headerSizeBytes + sizeBytes + countFrames(sizeBytes) * frameExtraBytes;

/** Frames written one after the other have nonces that count up: a run of them is kept as its length and first nonce. */
function formatRuns(nonces: Buffer): Buffer {
  const runs: Buffer[] = [];
  for (let at = 0; at < nonces.length; at += nonceBytes) {
    const last = runs.at(-1);
    const count = last?.readUInt32BE() ?? 0;
    const continues =
      last !== undefined &&
      last.compare(nonces, at, at + 8, 4, 12) === 0 &&
      nonces.readUInt32BE(at + 8) === last.readUInt32BE(12) + count;
    if (continues) last.writeUInt32BE(count + 1);
    else {
      const run = Buffer.alloc(4 + nonceBytes);
      run.writeUInt32BE(1);
      nonces.copy(run, 4, at, at + nonceBytes);
      runs.push(run);
    }
  }
  return Buffer.concat(runs);
}

function parseRuns(bytes: Buffer): Buffer {
  const nonces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 4 + nonceBytes) {
    const first = bytes.readUInt32BE(at + 12);
    for (let index = 0; index < bytes.readUInt32BE(at); index += 1) {
      const nonce = Buffer.from(bytes.subarray(at + 4, at + 4 + nonceBytes));
      nonce.writeUInt32BE(first + index, 8);
      nonces.push(nonce);
    }
  }
  return Buffer.concat(nonces);
}
