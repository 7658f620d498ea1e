// A sealed blob, read: any range, every frame of it verified against the seal before a byte is given out.
import type { FileHandle } from 'node:fs/promises';
import {
  countFrames,
  type FrameCipher,
  framesEnd,
  frameSizeBytes,
  headerSizeBytes,
  openFrameCipher,
  type SealRecord,
  sealSize,
  strideBytes,
} from './blob-frames.ts';
import { onMedium } from './blob-medium.ts';
import { BlobFault, type BlobReader, type DataKeys } from './blobs.ts';
import { releaseMemory } from './buffers.ts';

/** Frames read at once when a range spans several, and frames kept for the next read: a quarter of a megabyte. */
const framesAtOnce = 4;
const framesKept = 4;

/** Opens a reader over an open file, and closes the file with it. Throws a BlobFault unless header and seal are genuine. */
export async function openSealedFile(blobId: string, handle: FileHandle, keys: DataKeys): Promise<BlobReader> {
  try {
    const { size } = await handle.stat();
    // Most blobs are documents of some kilobytes: one read takes in header, frames and seal.
    const first = await readAt(handle, 0, Math.min(size, headerSizeBytes + strideBytes + 128));
    const cipher = await openFrameCipher(blobId, first, keys);
    const isWhole = first.length === size;
    const end = isWhole ? first : await readAt(handle, size - 8, 8);
    const tailBytes = sealSize(blobId, end.subarray(-8));
    if (tailBytes > size - headerSizeBytes) throw new BlobFault(blobId, 'damaged', 'its seal is longer than the blob');
    const tail = isWhole ? first.subarray(size - tailBytes) : await readAt(handle, size - tailBytes, tailBytes);
    const seal = cipher.parseSeal(tail);
    if (framesEnd(seal.sizeBytes) + tailBytes !== size)
      throw new BlobFault(blobId, 'damaged', 'its length is not the sealed one');
    return createReader({ blobId, handle, cipher, seal, first: isWhole ? first : undefined });
  } catch (fault) {
    await handle.close();
    throw fault;
  }
}

/** Where a stretch that begins there ends, so that the next one begins with a frame. */
const stretchEnd = (offsetBytes: number, end: number): number =>
  Math.min(end, (Math.floor(offsetBytes / frameSizeBytes) + framesAtOnce) * frameSizeBytes);

function createReader(parts: {
  blobId: string;
  handle: FileHandle;
  cipher: FrameCipher;
  seal: SealRecord;
  first: Buffer | undefined;
}): BlobReader {
  const { blobId, handle, cipher, seal } = parts;
  const kept = new Map<number, Promise<Buffer>>();

  function keep(index: number, frame: Promise<Buffer>): void {
    kept.delete(index);
    kept.set(index, frame);
    if (kept.size > framesKept) kept.delete(kept.keys().next().value!);
    // A frame that could not be read is asked for again by the next reader, and its fault goes to those who wait for it.
    frame.catch(() => kept.delete(index));
  }

  function openFrame(index: number, slot: Buffer): Buffer {
    const found = cipher.openFrame(index, slot);
    const length = Math.min(frameSizeBytes, seal.sizeBytes - index * frameSizeBytes);
    const isTheOne =
      found?.nonce.equals(seal.nonces.subarray(index * 12, index * 12 + 12)) && found.text.length === length;
    if (!isTheOne) throw new BlobFault(blobId, 'damaged', `frame ${index} is not the one that was sealed`);
    return found!.text;
  }

  /** Buffers for ciphertext, used again as soon as it is decrypted. */
  const spare: Buffer[] = [];

  /** Frames from `from` up to and with `to`, which lie one after the other on the medium: one read for all. */
  async function readFrames(from: number, to: number): Promise<Buffer[]> {
    const start = headerSizeBytes + from * strideBytes;
    const end = Math.min(headerSizeBytes + (to + 1) * strideBytes, framesEnd(seal.sizeBytes));
    const buffer = parts.first ? undefined : (spare.pop() ?? Buffer.allocUnsafe(framesAtOnce * strideBytes));
    const bytes = buffer
      ? await onMedium(blobId, () => readInto(handle, buffer, start, end - start))
      : parts.first!.subarray(start, end);
    const frames: Buffer[] = [];
    for (let index = from; index <= to; index += 1) {
      frames.push(openFrame(index, bytes.subarray((index - from) * strideBytes, (index - from + 1) * strideBytes)));
    }
    if (buffer && spare.length < 2) spare.push(buffer);
    return frames;
  }

  /** Starts reading a stretch of frames and keeps those that small reads will ask for again. */
  function getFrames(from: number, to: number): Promise<Buffer>[] {
    const known = kept.get(from);
    if (from === to && known) return [known];
    const reading = readFrames(from, to);
    return Array.from({ length: to - from + 1 }, (_, at) => {
      const frame = reading.then((frames) => frames[at]!);
      keep(from + at, frame);
      return frame;
    });
  }

  /** The parts of some frames' texts that lie in a range: at most `framesAtOnce` of them are read together. */
  async function readStretch(offsetBytes: number, end: number): Promise<Buffer[]> {
    const from = Math.floor(offsetBytes / frameSizeBytes);
    const frames = await Promise.all(getFrames(from, countFrames(end) - 1));
    return frames.map((frame, at) => {
      const base = (from + at) * frameSizeBytes;
      return frame.subarray(Math.max(0, offsetBytes - base), end - base);
    });
  }

  /** Puts a stretch into a buffer. Frames that lie in it whole are let go at once; those at its ends may be asked for again. */
  async function copyStretch(offsetBytes: number, end: number, into: Buffer): Promise<void> {
    const from = Math.floor(offsetBytes / frameSizeBytes);
    const known = await kept.get(from);
    const first = known ? from + 1 : from;
    const read = first < countFrames(end) ? await readFrames(first, countFrames(end) - 1) : [];
    for (const [at, text] of [...(known ? [known] : []), ...read].entries()) {
      const base = (from + at) * frameSizeBytes;
      text.copy(into, Math.max(0, base - offsetBytes), Math.max(0, offsetBytes - base), end - base);
      if (text === known) continue;
      if (offsetBytes <= base && base + text.length <= end) releaseMemory(text);
      else keep(from + at, Promise.resolve(text));
    }
  }

  async function read(offsetBytes: number, lengthBytes: number, into?: Buffer): Promise<Buffer> {
    const end = Math.min(offsetBytes + lengthBytes, seal.sizeBytes);
    if (offsetBytes >= end) return Buffer.alloc(0);
    if (!into && stretchEnd(offsetBytes, end) === end) {
      const pieces = await readStretch(offsetBytes, end);
      return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    }
    const bytes = into ? into.subarray(0, end - offsetBytes) : Buffer.allocUnsafeSlow(end - offsetBytes);
    for (let at = offsetBytes; at < end; at = stretchEnd(at, end))
      await copyStretch(at, stretchEnd(at, end), bytes.subarray(at - offsetBytes));
    return bytes;
  }

  const close = async (): Promise<void> => {
    kept.clear();
    await handle.close();
  };

  return {
    blobId,
    sizeBytes: seal.sizeBytes,
    sha256: seal.sha256.toString('hex'),
    read,
    async *stream(range = {}) {
      const end = Math.min(range.end ?? seal.sizeBytes, seal.sizeBytes);
      let at = range.start ?? 0;
      // While one stretch is being sent the next is already read.
      let next = at < end ? readStretch(at, stretchEnd(at, end)) : undefined;
      while (next) {
        const pieces = await next;
        at = stretchEnd(at, end);
        next = at < end ? readStretch(at, stretchEnd(at, end)) : undefined;
        // A fault is thrown when its turn comes, also where the caller takes its time until then.
        next?.catch(() => undefined);
        yield* pieces;
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const readAt = (handle: FileHandle, position: number, length: number): Promise<Buffer> =>
  readInto(handle, Buffer.allocUnsafe(length), position, length);

async function readInto(handle: FileHandle, buffer: Buffer, position: number, length: number): Promise<Buffer> {
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
