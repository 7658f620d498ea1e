// The blob store on a file system: staged blobs in one folder, sealed ones fanned out below another.
import { hash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  countFrames,
  createFrameCipher,
  createNonces,
  deriveBlobKey,
  type FrameCipher,
  formatHeader,
  framesEnd,
  frameSizeBytes,
  headerSizeBytes,
  isBlobId,
  openFrameCipher,
  strideBytes,
} from './blob-frames.ts';
import { createFolderSync, fanOut, onMedium, writeFully } from './blob-medium.ts';
import {
  BlobFault,
  type BlobListing,
  type BlobStore,
  type DataKeys,
  type SealedBlob,
  type StagedBlob,
} from './blobs.ts';
import { lockFolder } from './folder-lock.ts';
import type { Ids } from './ids.ts';
import { type Random, systemRandom } from './random.ts';
import { Refusal } from './refusal.ts';
import { refusals } from './rules.ts';
import { openSealedFile } from './sealed-file.ts';
import { openStagedFile, redoPath } from './staged-file.ts';

/** Bytes that come as a stream are gathered up to this size, and put in one write when they end before. Units: bytes. */
const smallSizeBytesMax = 16 * frameSizeBytes;
/** Bytes that are in memory already are put in one write up to this size. Units: bytes. */
const wholeSizeBytesMax = 64 * frameSizeBytes;

/** Opens the store in a folder, which is made when it is not there. Several processes may open the same folder. */
export async function openFileBlobs(parts: {
  folder: string;
  keys: DataKeys;
  ids: Ids;
  random?: Random;
}): Promise<BlobStore> {
  const { folder, keys, ids, random = systemRandom } = parts;
  const stagedFolder = join(folder, 'staged');
  const sealedFolder = join(folder, 'sealed');
  await mkdir(stagedFolder, { recursive: true, mode: 0o700 });
  await mkdir(sealedFolder, { recursive: true, mode: 0o700 });
  const folders = createFolderSync();

  const stagedPath = (blobId: string): string => {
    if (!isBlobId(blobId)) throw new BlobFault(blobId.slice(0, 40), 'missing', 'that is no blob id');
    return join(stagedFolder, blobId);
  };
  const sealedPath = (blobId: string): string => fanOut(sealedFolder, blobId);

  /** Moves a whole, synced file from where it was staged to where sealed blobs are; it is there after a loss of power. */
  async function place(blobId: string): Promise<void> {
    const target = sealedPath(blobId);
    await folders.make(folder, dirname(target));
    await rename(stagedPath(blobId), target);
    await folders.sync(dirname(target));
  }

  async function newCipher(blobId: string): Promise<{ header: Buffer; cipher: FrameCipher }> {
    const dataKey = await keys.current();
    const header = { blobId, dataKeyId: dataKey.dataKeyId, salt: random.bytes(16) };
    return { header: formatHeader(header), cipher: createFrameCipher(blobId, deriveBlobKey(dataKey, header)) };
  }

  async function openStaged(
    blobId: string,
    handle: FileHandle,
    cipher: FrameCipher,
    recover: boolean,
  ): Promise<StagedBlob> {
    const path = stagedPath(blobId);
    const lock = await lockFolder(path).catch((fault: unknown) => {
      throw fault instanceof Refusal ? refusals.blob_busy() : fault;
    });
    const options = { blobId, path, handle, cipher, random, place: () => place(blobId), release: () => lock.close() };
    return openStagedFile(options, recover).catch(async (fault: unknown) => {
      await lock.close();
      throw fault;
    });
  }

  async function stage(blobId = ids.next()): Promise<StagedBlob> {
    return onMedium(blobId, async () => {
      const { header, cipher } = await newCipher(blobId);
      const handle = await open(stagedPath(blobId), 'wx+', 0o600);
      try {
        await writeFully(handle, header, 0);
        return await openStaged(blobId, handle, cipher, false);
      } catch (fault) {
        await handle.close();
        await rm(stagedPath(blobId), { force: true });
        throw fault;
      }
    });
  }

  /** Header, frames and seal of a small blob in one write and one sync: a statement, or many that share it. */
  async function putSmall(blobId: string, bytes: Buffer): Promise<SealedBlob> {
    const { header, cipher } = await newCipher(blobId);
    const nextNonce = createNonces(random);
    const nonces = Array.from({ length: countFrames(bytes.length) }, nextNonce);
    const sha256 = hash('sha256', bytes, 'buffer');
    const record = { sizeBytes: bytes.length, sha256, nonces: Buffer.concat(nonces) };
    const seal = cipher.formatSeal(nextNonce(), record);
    const file = Buffer.allocUnsafe(framesEnd(bytes.length) + seal.length);
    header.copy(file);
    seal.copy(file, framesEnd(bytes.length));
    for (const [index, nonce] of nonces.entries()) {
      const text = bytes.subarray(index * frameSizeBytes, (index + 1) * frameSizeBytes);
      cipher.sealFrame(index, nonce, text, file.subarray(headerSizeBytes + index * strideBytes));
    }
    await onMedium(blobId, async () => {
      try {
        const handle = await open(stagedPath(blobId), 'wx', 0o600);
        try {
          await writeFully(handle, file, 0);
          await handle.datasync();
        } finally {
          await handle.close();
        }
        await place(blobId);
      } catch (fault) {
        await rm(stagedPath(blobId), { force: true }).catch(() => undefined);
        throw fault;
      }
    });
    return { blobId, sizeBytes: bytes.length, sha256: sha256.toString('hex') };
  }

  async function putStream(
    blobId: string,
    pieces: AsyncIterable<Uint8Array> | readonly Uint8Array[],
  ): Promise<SealedBlob> {
    const early: Uint8Array[] = [];
    let earlyBytes = 0;
    let staged: StagedBlob | undefined;
    try {
      for await (const piece of pieces) {
        if (!staged && earlyBytes + piece.length <= smallSizeBytesMax) {
          early.push(piece);
          earlyBytes += piece.length;
          continue;
        }
        staged ??= await stage(blobId);
        for (const waiting of [...early.splice(0), piece]) await staged.writeAt(staged.sizeBytes, waiting);
      }
      return await (staged ? staged.seal() : putSmall(blobId, Buffer.concat(early)));
    } catch (fault) {
      // Where it cannot be removed now it is an orphan, which the sweep takes.
      await staged?.discard().catch(() => undefined);
      throw fault;
    }
  }

  return {
    stage: () => stage(),

    async reopen(blobId) {
      const path = stagedPath(blobId);
      const handle = await onMedium(blobId, () => open(path, 'r+')).catch((fault: unknown) => {
        if (fault instanceof BlobFault) return undefined;
        throw fault;
      });
      if (!handle) return undefined;
      try {
        const start = Buffer.alloc(headerSizeBytes);
        const { bytesRead } = await handle.read(start, 0, headerSizeBytes, 0);
        return await openStaged(
          blobId,
          handle,
          await openFrameCipher(blobId, start.subarray(0, bytesRead), keys),
          true,
        );
      } catch (fault) {
        await handle.close();
        throw fault;
      }
    },

    open: (blobId) => onMedium(blobId, async () => openSealedFile(blobId, await open(sealedPath(blobId), 'r'), keys)),

    async put(bytes, { blobId = ids.next() } = {}) {
      if (!(bytes instanceof Uint8Array)) return putStream(blobId, bytes);
      const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (whole.length <= wholeSizeBytesMax) return putSmall(blobId, whole);
      return putStream(blobId, [whole]);
    },

    async remove(blobId) {
      const paths = [stagedPath(blobId), redoPath(stagedPath(blobId)), sealedPath(blobId)];
      await onMedium(blobId, async () => {
        for (const path of paths) await rm(path, { force: true });
      });
    },

    async *list() {
      yield* listFiles(stagedFolder, true);
      for await (const first of listFolders(sealedFolder)) {
        for await (const second of listFolders(first)) yield* listFiles(second, false);
      }
    },

    async freeBytes() {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },

    close: () => Promise.resolve(),
  };
}

async function* listFolders(folder: string): AsyncIterable<string> {
  for (const name of await readdir(folder)) yield join(folder, name);
}

async function* listFiles(folder: string, staged: boolean): AsyncIterable<BlobListing> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!isBlobId(basename(path))) continue;
    // It may have been sealed or removed since the folder was read.
    const found = await stat(path).catch(() => undefined);
    if (found) yield { blobId: name, staged, modifiedAtMs: found.mtimeMs, sizeOnDiskBytes: found.size };
  }
}
