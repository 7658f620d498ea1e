// Uploads: staged out of sight, published whole in one step at close, kept for resume when the connection is lost.
//
// A client has at most one unfinished upload at a path. It is in no list, but a stat of its exact path by the same client
// answers the size that is safely on disk: OpenSSH `reput`, psftp and lftp learn there where to go on. That holds also
// where an older published file has the name: the answer for the old file would make the client append to the wrong bytes.
// Whoever opens the path again takes the upload over; the handle before it, often one of a connection that has not yet
// noticed that its peer is gone, may write no more.
import type { ClientActor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import { openPart, partOf } from '../../kernel/blob-parts.ts';
import type { BlobPart, BlobStore, SealedBlob, StagedBlob } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import { isDoubtful, Refusal } from '../../kernel/refusal.ts';
import { type Database, makeDurable, type Sql } from '../../kernel/sql.ts';
import {
  checkAlterable,
  firstReservation,
  gapBytesMax,
  nextReservation,
  type Quota,
  refusals,
  uploadsMax,
} from './rules.ts';
import type { Tree } from './tree.ts';
import { createPublishing, type Published } from './publishing.ts';
import * as store from './store.ts';
import * as uploadStore from './uploads-store.ts';

export interface WriteMode {
  readonly create: boolean;
  readonly exclusive: boolean;
  /** Starts from nothing; otherwise the handle begins with the unfinished upload, else with the published file. */
  readonly truncate: boolean;
}

/** An open upload. Exactly one of `close`, `abort` and `discard` ends it; calls on one handle never overlap. */
export interface UploadHandle {
  attributes(): { readonly sizeBytes: number; readonly modifiedAtMs: number };
  /** Refuses: quota_reached, upload_gap, upload_taken_over; then nothing of the call is kept. */
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>;
  read(offsetBytes: number, lengthBytes: number): Promise<Buffer>;
  truncate(sizeBytes: number): Promise<void>;
  setModifiedAt(atMs: number): void;
  sync(): Promise<void>;
  /** Publishes in one step. Shape: the entry as it is now. When it refuses, the upload is dropped. */
  close(): Promise<Published>;
  /** Keeps what came for resume; nothing is published. */
  abort(): Promise<void>;
  /** Keeps nothing. */
  discard(): Promise<void>;
}

export function createUploads(parts: {
  database: Database;
  clock: Clock;
  ids: Ids;
  blobs: BlobStore;
  audit: Audit;
  tree: Tree;
}) {
  const { database, clock, ids, blobs, tree } = parts;
  const publish = createPublishing(parts);
  /** Open handles of this process by holder, so that a take-over stops them at once. */
  const held = new Map<string, { readonly clientId: string; lose(): Promise<void>; sizeBytes(): number }>();

  interface Claim {
    readonly uploadId: string;
    readonly holder: string;
    readonly blobId: string;
    readonly resumeBytes: number;
    readonly reservedBytes: number;
    readonly copyFrom?: store.EntryRow;
    readonly takenFrom?: string;
    readonly dropped: readonly string[];
  }

  /** Decides and writes, in a change of the tree, who may write here now; a blob that it begins is given back in `now`, for the caller to end. */
  async function claim(
    sql: Sql,
    actor: ClientActor,
    path: string,
    mode: WriteMode,
    now: { readonly quota: Quota; staged?: StagedBlob },
  ): Promise<Claim> {
    const { clientId } = actor;
    await tree.checkParent(sql, clientId, path);
    const entry = await store.findEntry(sql, clientId, path);
    if (entry?.kind === 'folder' || path === '/') throw refusals.path_is_folder();
    if (entry !== undefined) checkAlterable(entry);
    else await tree.checkFreeName(sql, clientId, path);
    const before = await uploadStore.findUpload(sql, clientId, path);
    if (mode.exclusive && (entry !== undefined || before !== undefined)) throw refusals.path_taken();
    if (!mode.create && entry === undefined && before === undefined) throw refusals.path_not_found();

    const holder = ids.next();
    const takenFrom = before?.holder;
    if (takenFrom !== undefined) await uploadStore.notifyTaken(sql, takenFrom);
    // What came before was acknowledged, and its bytes may be dropped after this: both go with the same commit.
    if (before !== undefined) await makeDurable(sql);
    if (before !== undefined && !mode.truncate) {
      await uploadStore.updateHolder(sql, before.id, holder, clock.nowMs());
      return {
        uploadId: before.id,
        holder,
        blobId: before.blobId,
        resumeBytes: before.sizeBytes,
        reservedBytes: before.reservedBytes,
        takenFrom,
        dropped: [],
      };
    }
    if (before !== undefined) {
      await uploadStore.deleteUpload(sql, { id: before.id, clientId }, { bytes: -before.reservedBytes, entries: 0 });
    }
    const staged = (now.staged = await blobs.stage());
    const upload = {
      id: ids.next(),
      clientId,
      path,
      blobId: staged.blobId,
      holder,
      reservedBytes: firstReservation(now.quota),
      nowMs: clock.nowMs(),
    };
    if (!(await uploadStore.insertUpload(sql, upload, uploadsMax))) {
      throw refusals.uploads_too_many({ uploads: uploadsMax });
    }
    return {
      uploadId: upload.id,
      holder,
      blobId: staged.blobId,
      resumeBytes: 0,
      reservedBytes: upload.reservedBytes,
      ...(mode.truncate || entry === undefined ? {} : { copyFrom: entry }),
      takenFrom,
      dropped: before === undefined ? [] : [before.blobId],
    };
  }

  async function open(actor: ClientActor, path: string, mode: WriteMode): Promise<UploadHandle> {
    // A handle of this process lets go first, so that what it wrote is on disk and counted before it is taken over.
    if (!mode.exclusive && [...held.values()].some(({ clientId }) => clientId === actor.clientId)) {
      const current = await uploadStore.findUpload(database.sql, actor.clientId, path);
      if (current !== undefined) await held.get(current.holder)?.lose();
    }
    let now: { readonly quota: Quota; staged?: StagedBlob } | undefined;
    const claimed = await tree
      .change(actor.clientId, (sql, quota) => claim(sql, actor, path, mode, (now = { quota })), 'soon')
      .catch(async (fault: unknown) => {
        await (isDoubtful(fault) ? now?.staged?.close() : now?.staged?.discard());
        throw fault;
      });
    await tree.release(claimed.dropped);
    const staged = now!.staged ?? (await reopen(actor.clientId, claimed));
    const handle = createHandle(actor, claimed, staged, mode);
    if (claimed.copyFrom !== undefined) await copyInto(handle, partOf(claimed.copyFrom));
    return handle;
  }

  /** Opens the kept bytes at exactly the size that a stat has told. Refuses: upload_lost. */
  async function reopen(clientId: string, claimed: Claim): Promise<StagedBlob> {
    const staged = await reopenPatiently(claimed.blobId);
    if (staged !== undefined && staged.sizeBytes >= claimed.resumeBytes) {
      if (staged.sizeBytes > claimed.resumeBytes) await staged.truncate(claimed.resumeBytes);
      return staged;
    }
    await staged?.close();
    await drop(clientId, claimed);
    throw refusals.upload_lost();
  }

  /** A handle of another process has been told to let go, and needs a moment for it. */
  async function reopenPatiently(blobId: string): Promise<StagedBlob | undefined> {
    for (let left = 30; ; left -= 1) {
      try {
        return await blobs.reopen(blobId);
      } catch (fault) {
        if (!(fault instanceof Refusal) || left === 0) throw fault;
        await new Promise<void>((resume) => clock.after(100, resume));
      }
    }
  }

  async function copyInto(handle: UploadHandle, part: BlobPart): Promise<void> {
    const reader = await openPart(blobs, part);
    try {
      let offset = 0;
      for await (const bytes of reader.stream()) {
        await handle.write(offset, bytes);
        offset += bytes.length;
      }
    } catch (fault) {
      await handle.discard();
      throw fault;
    } finally {
      await reader.close();
    }
  }

  /** Lets go of an unfinished upload that this holder has. */
  async function drop(clientId: string, upload: { uploadId: string; holder: string; blobId: string }): Promise<void> {
    await tree.change(clientId, async (sql) => {
      const row = await uploadStore.findHeldUpload(sql, upload.uploadId, upload.holder);
      if (row === undefined) return;
      await uploadStore.deleteUpload(sql, { id: row.id, clientId }, { bytes: -row.reservedBytes, entries: 0 });
    });
    await tree.release([upload.blobId]);
  }

  function createHandle(actor: ClientActor, claimed: Claim, staged: StagedBlob, mode: WriteMode): UploadHandle {
    const { clientId } = actor;
    const me = { uploadId: claimed.uploadId, holder: claimed.holder };
    let { reservedBytes } = claimed;
    let modifiedAtMs: number | undefined;
    let checkpoint: Promise<void> = Promise.resolve();
    let checkpointBytes = staged.sizeBytes;
    let state: 'open' | 'lost' | 'ended' = 'open';

    const checkOpen = (): void => {
      if (state !== 'open') throw refusals.upload_taken_over();
    };

    /** Work that was under way when the upload was taken over finds its staged bytes closed, which is no fault of ours. */
    async function whileOpen<Result>(work: () => Promise<Result>): Promise<Result> {
      checkOpen();
      try {
        return await work();
      } catch (fault) {
        checkOpen();
        throw fault;
      }
    }

    /** Grows the reservation in the quota, in steps. It need not survive a crash that the bytes do not survive either. */
    async function reserve(neededBytes: number): Promise<void> {
      if (neededBytes <= reservedBytes) return;
      const grow = async (sql: Sql, quota: Quota): Promise<number> => {
        const row = await uploadStore.findHeldUpload(sql, me.uploadId, me.holder);
        if (row === undefined) throw refusals.upload_taken_over();
        if (row.reservedBytes >= neededBytes) return row.reservedBytes;
        const next = nextReservation(quota, row.reservedBytes, neededBytes);
        await uploadStore.updateReserved(sql, row.id, next);
        await store.addUse(sql, clientId, next - row.reservedBytes, 0);
        return next;
      };
      reservedBytes = await tree.change(clientId, grow, 'soon');
    }

    /** Makes what is staged durable, then says so in the row: never the other way round. */
    async function record(rowState: 'open' | 'kept'): Promise<void> {
      const sizeBytes = staged.sizeBytes;
      await staged.sync();
      await uploadStore.updateSize(database.sql, me, { sizeBytes, state: rowState, atMs: clock.nowMs() });
      checkpointBytes = sizeBytes;
    }

    /** The same beside the writing, for as much as is settled: no write waits for the disk. */
    async function recordSettled(): Promise<void> {
      const sizeBytes = await staged.checkpoint();
      await uploadStore.updateSize(database.sql, me, { sizeBytes, state: 'open', atMs: clock.nowMs() });
    }

    async function extend(toBytes: number): Promise<void> {
      if (toBytes - staged.sizeBytes > gapBytesMax) throw refusals.upload_gap({ bytes: gapBytesMax });
      await reserve(toBytes);
      const zeros = Buffer.alloc(Math.min(toBytes - staged.sizeBytes, 1024 * 1024));
      while (staged.sizeBytes < toBytes) {
        await staged.writeAt(staged.sizeBytes, zeros.subarray(0, toBytes - staged.sizeBytes));
      }
    }

    async function keep(): Promise<void> {
      held.delete(me.holder);
      // What a checkpoint could not record is recorded now, or fails now.
      await checkpoint.catch(() => undefined);
      if (staged.sizeBytes === 0) {
        await staged.close();
        return drop(clientId, claimed);
      }
      const sizeBytes = staged.sizeBytes;
      try {
        await record('kept');
      } finally {
        await staged.close();
      }
      const isOurs = await tree.change(clientId, async (sql) => {
        const row = await uploadStore.findHeldUpload(sql, me.uploadId, me.holder);
        if (row === undefined) return false;
        await uploadStore.updateReserved(sql, row.id, sizeBytes);
        await store.addUse(sql, clientId, sizeBytes - row.reservedBytes, 0);
        return true;
      });
      // Its blob was removed while it was written, and closing may have left a second copy of a frame.
      if (!isOurs) await tree.release([claimed.blobId]);
    }

    /** What the upload is now, sealed. Refuses: upload_taken_over, where its path was removed and its bytes with it. */
    async function seal(): Promise<SealedBlob> {
      try {
        return await staged.seal();
      } catch (fault) {
        await staged.close();
        const row = await uploadStore.findHeldUpload(database.sql, me.uploadId, me.holder);
        if (row !== undefined) throw fault;
        await tree.release([claimed.blobId]);
        throw refusals.upload_taken_over();
      }
    }

    held.set(me.holder, {
      clientId,
      async lose() {
        if (state !== 'open') return;
        state = 'lost';
        await keep();
      },
      sizeBytes: () => staged.sizeBytes,
    });

    return {
      attributes: () => ({ sizeBytes: staged.sizeBytes, modifiedAtMs: modifiedAtMs ?? clock.nowMs() }),
      write: (offsetBytes, bytes) =>
        whileOpen(async () => {
          await reserve(offsetBytes + bytes.length);
          if (offsetBytes > staged.sizeBytes) await extend(offsetBytes);
          await staged.writeAt(offsetBytes, bytes);
          if (staged.sizeBytes - checkpointBytes < checkpointStepBytes) return;
          checkpointBytes = staged.sizeBytes;
          // Recorded beside the writing; a fault shows at the next write or at close.
          const next = checkpoint.catch(() => undefined).then(recordSettled);
          checkpoint = next;
          next.catch(() => undefined);
        }),
      read: (offsetBytes, lengthBytes) => whileOpen(() => staged.readAt(offsetBytes, lengthBytes)),
      truncate: (sizeBytes) =>
        whileOpen(async () => {
          await checkpoint.catch(() => undefined);
          if (sizeBytes > staged.sizeBytes) return extend(sizeBytes);
          // The row goes first: a stat must never tell more than there is.
          await uploadStore.updateSize(database.sql, me, { sizeBytes, state: 'open', atMs: clock.nowMs() });
          await staged.truncate(sizeBytes);
          checkpointBytes = sizeBytes;
        }),
      setModifiedAt(atMs) {
        modifiedAtMs = atMs;
      },
      sync: () =>
        whileOpen(async () => {
          await checkpoint.catch(() => undefined);
          await record('open');
        }),
      async close() {
        checkOpen();
        state = 'ended';
        held.delete(me.holder);
        await checkpoint.catch(() => undefined);
        const sealed = await seal();
        try {
          return await publish(actor, me, sealed, { exclusive: mode.exclusive, modifiedAtMs });
        } catch (fault) {
          await drop(clientId, claimed);
          throw fault;
        }
      },
      async abort() {
        if (state !== 'open') return;
        state = 'ended';
        await keep();
      },
      async discard() {
        if (state !== 'open') return;
        state = 'ended';
        held.delete(me.holder);
        await checkpoint.catch(() => undefined);
        await staged.close();
        await drop(clientId, claimed);
      },
    };
  }

  return {
    open,
    /** What a stat of this exact path tells of an unfinished upload. */
    async find(clientId: string, path: string): Promise<{ sizeBytes: number; modifiedAtMs: number } | undefined> {
      const row = await uploadStore.findUpload(database.sql, clientId, path);
      if (row === undefined) return undefined;
      return { sizeBytes: held.get(row.holder)?.sizeBytes() ?? row.sizeBytes, modifiedAtMs: row.touchedAtMs };
    },
    /** Another process tells that this handle was taken over. */
    async taken(holder: string): Promise<void> {
      await held.get(holder)?.lose();
    },
  };
}

/** How much may be lost to a crash of the server at most. Units: bytes. */
const checkpointStepBytes = 8 * 1024 * 1024;
