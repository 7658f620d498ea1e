// A blob while it is written: frames in a file, rewritable, with nothing that was synced ever at risk.
//
// A few frames are held in memory and written out when they fall out of use. A frame that was synced before is first
// written to a second file (`.redo`) and synced there, because a write in its place that is torn by a crash would take
// the synced bytes with it. Reopening verifies every frame and keeps what is whole, up to the first that is not.
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import {
  countFrames,
  createNonces,
  type FrameCipher,
  frameExtraBytes,
  framesEnd,
  frameSizeBytes,
  headerSizeBytes,
  strideBytes,
} from './blob-frames.ts';
import { onMedium, writeAllFully, writeFully } from './blob-medium.ts';
import { BlobFault, type SealedBlob, type StagedBlob } from './blobs.ts';
import { releaseMemory } from './buffers.ts';
import { createSemaphore } from './limits.ts';
import type { Random } from './random.ts';

interface StagedParts {
  readonly blobId: string;
  readonly path: string;
  readonly handle: FileHandle;
  readonly cipher: FrameCipher;
  readonly random: Random;
  /** Moves the synced, sealed file to its place, durably. */
  readonly place: () => Promise<void>;
  /** Lets others open it again. */
  readonly release: () => Promise<void>;
}

interface HeldFrame {
  readonly bytes: Buffer;
  isDirty: boolean;
}

/** Frames held in memory a staged blob: half a megabyte, as many as a client has requests in flight. */
const heldFramesMax = 8;
const nonceBytes = 12;
const writesWaitingMax = 4096;

export const redoPath = (path: string): string => `${path}.redo`;

/** A staged blob over an open file that holds a header. `recover` reads back what an earlier opening left. */
export async function openStagedFile(parts: StagedParts, recover: boolean): Promise<StagedBlob> {
  const { blobId, handle, cipher } = parts;
  const nextNonce = createNonces(parts.random);
  const held = new Map<number, HeldFrame>();
  const turns = createSemaphore({ permits: 1, waitingMax: writesWaitingMax, what: 'the staged blob' });
  /** Used for every frame that is read or written: buffers of this size are what a busy server would collect all day. */
  const slotBuffer = Buffer.allocUnsafe(strideBytes);
  let nonces = Buffer.alloc(nonceBytes * 16);
  let sizeBytes = 0;
  /** Frames below this were synced, and are not overwritten in place without a second copy. */
  let syncedFrames = 0;
  /** The lowest frame that was written since the checkpoint under way began. */
  let touchedFrame = Infinity;
  let redo: FileHandle | undefined;
  let redoSizeBytes = 0;
  let hash: Hash | undefined = createHash('sha256');
  let hashedBytes = 0;
  let isClosed = false;

  const lengthOf = (index: number): number => Math.min(frameSizeBytes, sizeBytes - index * frameSizeBytes);

  async function readSlot(index: number): Promise<Buffer> {
    const { bytesRead } = await handle.read(slotBuffer, 0, strideBytes, headerSizeBytes + index * strideBytes);
    return slotBuffer.subarray(0, bytesRead);
  }

  function noteNonce(index: number, nonce: Buffer): void {
    if ((index + 1) * nonceBytes > nonces.length) nonces = Buffer.concat([nonces, Buffer.alloc(nonces.length)]);
    nonce.copy(nonces, index * nonceBytes);
  }

  async function writeOut(index: number, frame: HeldFrame): Promise<void> {
    const nonce = nextNonce();
    const slot = cipher.sealFrame(index, nonce, frame.bytes.subarray(0, lengthOf(index)), slotBuffer);
    if (index < syncedFrames) {
      redo ??= await open(redoPath(parts.path), 'w', 0o600);
      const head = Buffer.alloc(8);
      head.writeUInt32BE(index);
      head.writeUInt32BE(slot.length, 4);
      await writeFully(redo, Buffer.concat([head, slot]), redoSizeBytes);
      redoSizeBytes += slot.length + 8;
      await redo.datasync();
    }
    touchedFrame = Math.min(touchedFrame, index);
    await writeFully(handle, slot, headerSizeBytes + index * strideBytes);
    noteNonce(index, nonce);
    frame.isDirty = false;
  }

  /** The frame's bytes, ready to be changed; the one unused for longest makes room for it. */
  async function hold(index: number): Promise<HeldFrame> {
    let frame = held.get(index);
    if (!frame) {
      // What a buffer held before lies beyond the end of the frame's text, which is neither written nor given out.
      let bytes: Buffer | undefined;
      while (held.size >= heldFramesMax) {
        const [oldest, leaving] = held.entries().next().value!;
        if (leaving.isDirty) await writeOut(oldest, leaving);
        held.delete(oldest);
        bytes = leaving.bytes;
      }
      bytes ??= Buffer.allocUnsafe(frameSizeBytes);
      if (index < countFrames(sizeBytes)) {
        const found = cipher.openFrame(index, await readSlot(index));
        if (!found || !found.nonce.equals(nonces.subarray(index * nonceBytes, (index + 1) * nonceBytes))) {
          throw new BlobFault(blobId, 'damaged', `staged frame ${index} is not the one that was written`);
        }
        found.text.copy(bytes);
      }
      frame = { bytes, isDirty: false };
    }
    held.delete(index);
    held.set(index, frame);
    return frame;
  }

  async function writeOutAll(): Promise<void> {
    for (const [index, frame] of [...held].sort(([a], [b]) => a - b)) if (frame.isDirty) await writeOut(index, frame);
  }

  async function write(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    if (offsetBytes > sizeBytes) await fill(offsetBytes);
    noteHash(offsetBytes, bytes);
    for (let done = 0; done < bytes.length; ) {
      const at = offsetBytes + done;
      const index = Math.floor(at / frameSizeBytes);
      const inFrame = at - index * frameSizeBytes;
      const wholeBytes = bytes.length - done - ((bytes.length - done) % frameSizeBytes);
      if (inFrame === 0 && at === sizeBytes && wholeBytes > 0) {
        await append(index, bytes.subarray(done, done + wholeBytes));
        done += wholeBytes;
        continue;
      }
      const part = bytes.subarray(done, done + frameSizeBytes - inFrame);
      const frame = await hold(index);
      frame.bytes.set(part, inFrame);
      frame.isDirty = true;
      sizeBytes = Math.max(sizeBytes, at + part.length);
      done += part.length;
    }
  }

  /** Whole frames at the end go to the medium in one write, past those held. */
  async function append(first: number, bytes: Uint8Array): Promise<void> {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const pieces: Buffer[] = [];
    const used: Buffer[] = [];
    for (let at = 0; at < text.length; at += frameSizeBytes) {
      const nonce = nextNonce();
      pieces.push(...cipher.sealPieces(first + used.length, nonce, text.subarray(at, at + frameSizeBytes)));
      used.push(nonce);
    }
    touchedFrame = Math.min(touchedFrame, first);
    await writeAllFully(handle, pieces, headerSizeBytes + first * strideBytes);
    for (const [at, nonce] of used.entries()) noteNonce(first + at, nonce);
    for (const piece of pieces) releaseMemory(piece);
    sizeBytes += text.length;
  }

  /** Bytes that follow those hashed so far are hashed as they pass; once an earlier byte changes, sealing reads all again. */
  function noteHash(offsetBytes: number, bytes: Uint8Array): void {
    if (offsetBytes < hashedBytes) hash = undefined;
    else if (offsetBytes === hashedBytes && hash) {
      hash.update(bytes);
      hashedBytes += bytes.length;
    }
  }

  async function fill(untilBytes: number): Promise<void> {
    const zeros = Buffer.alloc(frameSizeBytes);
    while (sizeBytes < untilBytes) {
      const roomBytes = frameSizeBytes - (sizeBytes % frameSizeBytes);
      await write(sizeBytes, zeros.subarray(0, Math.min(roomBytes, untilBytes - sizeBytes)));
    }
  }

  async function read(offsetBytes: number, lengthBytes: number): Promise<Buffer> {
    const end = Math.min(offsetBytes + lengthBytes, sizeBytes);
    const pieces: Buffer[] = [];
    for (let at = offsetBytes; at < end; ) {
      const index = Math.floor(at / frameSizeBytes);
      const from = at - index * frameSizeBytes;
      const until = Math.min(frameSizeBytes, end - index * frameSizeBytes);
      const { bytes } = await hold(index);
      pieces.push(Buffer.from(bytes.subarray(from, until)));
      at = index * frameSizeBytes + until;
    }
    return Buffer.concat(pieces);
  }

  async function shorten(toBytes: number): Promise<void> {
    const kept = countFrames(toBytes);
    if (toBytes < hashedBytes) hash = undefined;
    const last = toBytes % frameSizeBytes === 0 ? undefined : await hold(kept - 1);
    for (const index of held.keys()) if (index >= kept) held.delete(index);
    sizeBytes = toBytes;
    touchedFrame = Math.min(touchedFrame, kept);
    if (last) await writeOut(kept - 1, last);
    await handle.truncate(framesEnd(toBytes));
    syncedFrames = Math.min(syncedFrames, kept);
  }

  async function syncAll(): Promise<void> {
    await writeOutAll();
    await handle.datasync();
    syncedFrames = countFrames(sizeBytes);
    if (redoSizeBytes > 0) await redo!.truncate(0);
    redoSizeBytes = 0;
  }

  /**
   * Writing goes on while the medium syncs. A frame that is written meanwhile may be torn, so only those below it are settled;
   * one that was synced before has its second copy.
   */
  async function checkpoint(): Promise<number> {
    const frames = await inTurn(async () => {
      await writeOutAll();
      touchedFrame = Infinity;
      return Math.floor(sizeBytes / frameSizeBytes);
    });
    await onMedium(blobId, () => handle.datasync());
    const settled = Math.min(frames, Math.max(syncedFrames, touchedFrame));
    syncedFrames = Math.max(syncedFrames, settled);
    return settled * frameSizeBytes;
  }

  async function finishHash(): Promise<Buffer> {
    if (!hash) {
      hash = createHash('sha256');
      hashedBytes = 0;
    }
    while (hashedBytes < sizeBytes) {
      const bytes = await read(hashedBytes, frameSizeBytes);
      hash.update(bytes);
      hashedBytes += bytes.length;
    }
    return hash.copy().digest();
  }

  async function seal(): Promise<SealedBlob> {
    const sha256 = await finishHash();
    await writeOutAll();
    const end = framesEnd(sizeBytes);
    const used = nonces.subarray(0, countFrames(sizeBytes) * nonceBytes);
    const tail = cipher.formatSeal(nextNonce(), { sizeBytes, sha256, nonces: used });
    await handle.truncate(end);
    await writeFully(handle, tail, end);
    await handle.datasync();
    await parts.place();
    await letGo();
    await rm(redoPath(parts.path), { force: true });
    return { blobId, sizeBytes, sha256: sha256.toString('hex') };
  }

  async function letGo(): Promise<void> {
    if (isClosed) return;
    isClosed = true;
    held.clear();
    await redo?.close();
    await handle.close();
    await parts.release();
  }

  async function readBack(): Promise<void> {
    const rewritten = await readRedo(parts.path);
    let text: Buffer | undefined;
    for (let index = 0; text === undefined || text.length === frameSizeBytes; index += 1) {
      const slot = await readSlot(index);
      let found = cipher.openFrame(index, slot);
      const copy = rewritten.get(index);
      if (!found && copy) {
        found = cipher.openFrame(index, copy);
        if (found) await writeFully(handle, copy, headerSizeBytes + index * strideBytes);
      }
      if (!found) break;
      text = found.text;
      noteNonce(index, found.nonce);
      hash!.update(text);
      sizeBytes += text.length;
    }
    hashedBytes = sizeBytes;
    await handle.truncate(framesEnd(sizeBytes));
    await handle.datasync();
    syncedFrames = countFrames(sizeBytes);
    await rm(redoPath(parts.path), { force: true });
  }

  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> =>
    turns.run(() => {
      if (isClosed) throw new Error(`staged blob ${blobId} is closed`);
      return onMedium(blobId, work);
    });

  const close = (): Promise<void> =>
    turns.run(async () => {
      if (isClosed) return;
      try {
        await onMedium(blobId, writeOutAll);
      } finally {
        await letGo();
      }
    });

  if (recover) await onMedium(blobId, readBack);
  return {
    blobId,
    get sizeBytes() {
      return sizeBytes;
    },
    writeAt: (offsetBytes, bytes) => inTurn(() => write(offsetBytes, bytes)),
    readAt: (offsetBytes, lengthBytes) => inTurn(() => read(offsetBytes, lengthBytes)),
    truncate: (toBytes) => inTurn(() => (toBytes < sizeBytes ? shorten(toBytes) : fill(toBytes))),
    sync: () => inTurn(syncAll),
    checkpoint,
    seal: () => inTurn(seal),
    async discard() {
      await turns.run(letGo);
      await onMedium(blobId, async () => {
        for (const path of [parts.path, redoPath(parts.path)]) await rm(path, { force: true });
      });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Second copies of frames, by index; the last one whole in the file counts. */
async function readRedo(path: string): Promise<Map<number, Buffer>> {
  const bytes = await readFile(redoPath(path)).catch(() => Buffer.alloc(0));
  const copies = new Map<number, Buffer>();
  for (let at = 0; at + 8 + frameExtraBytes <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    const end = at + 8 + length;
    if (length > strideBytes || end > bytes.length) break;
    copies.set(bytes.readUInt32BE(at), bytes.subarray(at + 8, end));
    at = end;
  }
  return copies;
}
