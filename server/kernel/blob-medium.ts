// The file system below the blob store: faults told apart, folders synced once for all who wait, paths fanned out.
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isBlobId } from './blob-frames.ts';
import { BlobFault } from './blobs.ts';
import { Outage } from './refusal.ts';

const mediumCodes = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE', 'ESTALE', 'ENODEV']);

/** Runs file work; a full or failing medium is an Outage, a file that is not there a BlobFault. */
export async function onMedium<Result>(blobId: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (fault) {
    const { code } = fault as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new BlobFault(blobId, 'missing', 'there is no such file', fault);
    if (code === undefined || !mediumCodes.has(code)) throw fault;
    throw new Outage(code === 'ENOSPC' || code === 'EDQUOT' ? 'room in the blob store' : 'the blob store', {
      retryAfterMs: 10_000,
      cause: fault,
    });
  }
}

/** Writes all of the bytes: a nearly full disk may take only some of them before it says so. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Writes all of the pieces one behind the other, in one call where the disk takes them. */
export async function writeAllFully(handle: FileHandle, pieces: readonly Buffer[], position: number): Promise<void> {
  const sizeBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const { bytesWritten } = await handle.writev(pieces, position);
  if (bytesWritten < sizeBytes) {
    await writeFully(handle, Buffer.concat(pieces).subarray(bytesWritten), position + bytesWritten);
  }
}

/**
 * Two levels of folders. Ids begin with their time, so blobs of the same minute share a folder (and the sync of it), and
 * a year makes fewer than two thousand folders on the first level.
 */
export function fanOut(root: string, blobId: string): string {
  if (!isBlobId(blobId)) throw new BlobFault(blobId.slice(0, 40), 'missing', 'that is no blob id');
  const digits = blobId.replaceAll('-', '');
  return join(root, digits.slice(0, 6), digits.slice(6, 8), blobId);
}

async function syncNow(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

/** Makes entries of folders durable: callers that come while a sync runs share the one after it. */
export function createFolderSync() {
  const rounds = new Map<string, { running: Promise<void>; next?: Promise<void> }>();
  const known = new Set<string>();

  function sync(folder: string): Promise<void> {
    const round = rounds.get(folder);
    if (round) {
      // The running sync may have begun before our entry was written: only the next one is sure to cover it.
      return (round.next ??= round.running.catch(() => undefined).then(() => start(folder)));
    }
    return start(folder);
  }

  function start(folder: string): Promise<void> {
    const running = syncNow(folder).finally(() => {
      if (rounds.get(folder) === round && round.next === undefined) rounds.delete(folder);
    });
    const round: { running: Promise<void>; next?: Promise<void> } = { running };
    rounds.set(folder, round);
    return running;
  }

  return {
    sync,
    /** Makes a folder durably, with its parents below `root`. */
    async make(root: string, folder: string): Promise<void> {
      if (known.has(folder)) return;
      await mkdir(folder, { recursive: true, mode: 0o700 }).catch((fault: NodeJS.ErrnoException) => {
        // NOTE: on a read-only disk Node ends in ENOENT when it makes a folder with its parents.
        throw fault.code === 'ENOENT' ? new Outage('the blob store', { retryAfterMs: 10_000, cause: fault }) : fault;
      });
      for (let at = folder; at !== root; at = dirname(at)) await sync(dirname(at));
      if (known.size > 10_000) known.clear();
      known.add(folder);
    },
  };
}
