// The tree as its changes see it: the lock that orders them, the quota, names that are free, blobs that nobody names.
import { blobRemovalLease } from '../../kernel/backup.ts';
import type { BlobStore } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import { isLeaseHeld } from '../../kernel/lease.ts';
import { createTurns } from '../../kernel/limits.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import * as rules from './rules.ts';
import { refusals } from './rules.ts';
import * as store from './store.ts';
import * as uploadStore from './uploads-store.ts';

export interface RepositorySettings {
  /** Units: bytes, for what a client uploads. */
  readonly quotaBytes: number;
  /** Files and folders that a client makes. */
  readonly quotaEntries: number;
}

// One client's requests wait here for one another. In the database each would keep a connection from all other clients.
const waitingMax = 10_000;
const looksAtOnce = 4;

export function createTree(parts: {
  database: Database;
  clock: Clock;
  ids: Ids;
  blobs: BlobStore;
  settings: RepositorySettings;
}) {
  const { database, clock, ids, blobs, settings } = parts;
  const changes = createTurns({ waitingMax, what: 'a turn of this client' });
  const looks = createTurns({ permits: looksAtOnce, waitingMax, what: 'a turn of this client' });

  /** Makes the trees that are not there yet, each with the folder of manifests, so that nothing else can take that name. */
  async function prepare(sql: Sql, clientIds: readonly string[]): Promise<void> {
    const nowMs = clock.nowMs();
    const made = await store.insertRepositories(sql, clientIds, nowMs);
    if (made.length === 0) return;
    const path = rules.manifestFolder;
    const place = { path, parent: rules.parentOf(path), name: rules.nameOf(path) };
    const fixed = { ...place, placedAtMs: nowMs, modifiedAtMs: nowMs, kind: 'folder', origin: 'broker' } as const;
    await store.insertEntries(
      sql,
      made.map((clientId) => ({ id: ids.next(), clientId, ...fixed })),
    );
  }

  const quotaOf = (row: store.RepositoryRow): rules.Quota => ({
    usedBytes: row.usedBytes,
    usedEntries: row.usedEntries,
    quotaBytes: settings.quotaBytes,
    quotaEntries: settings.quotaEntries,
  });

  async function lock(sql: Sql, clientId: string): Promise<rules.Quota> {
    let row = await store.lockRepository(sql, clientId);
    if (row === undefined) {
      await prepare(sql, [clientId]);
      row = await store.lockRepository(sql, clientId);
    }
    return quotaOf(row!);
  }

  return {
    prepare,
    quotaOf,

    /**
     * Runs a change in one transaction that locks the client's tree, so that two changes never count the same free room.
     * NOTE: a change inside a change would wait for itself.
     */
    change: <Result>(
      clientId: string,
      work: (sql: Sql, quota: rules.Quota) => Promise<Result>,
      durable: 'at once' | 'soon' = 'at once',
    ): Promise<Result> =>
      changes.take(clientId, () => database.transaction(async (sql) => work(sql, await lock(sql, clientId)), durable)),

    /** Runs a look at the client's tree in its turn. */
    look: <Result>(clientId: string, work: () => Promise<Result>): Promise<Result> => looks.take(clientId, work),

    /** Refuses: path_not_found. */
    async getEntry(sql: Sql, clientId: string, path: string): Promise<store.EntryRow> {
      const entry = await store.findEntry(sql, clientId, path);
      if (entry === undefined) throw refusals.path_not_found();
      return entry;
    },

    /** Refuses unless the folder that would hold the path is there: path_not_found, path_is_file. */
    async checkParent(sql: Sql, clientId: string, path: string): Promise<void> {
      const parent = rules.parentOf(path);
      if (parent === '/') return;
      const folder = await store.findEntry(sql, clientId, parent);
      if (folder === undefined) throw refusals.path_not_found();
      if (folder.kind === 'file') throw refusals.path_is_file();
    },

    /** Refuses names that a coming statement or manifest will need: name_reserved. */
    async checkFreeName(sql: Sql, clientId: string, path: string): Promise<void> {
      const reserved = rules.reservationOf(path);
      if (reserved === 'manifest') throw refusals.name_reserved();
      if (reserved !== undefined && (await store.isFeedOfClient(sql, clientId, reserved.feedCode))) {
        throw refusals.name_reserved();
      }
    },

    /** Drops an unfinished upload of this path, under the lock. Shape: blobs to release after commit. */
    async dropUpload(sql: Sql, clientId: string, path: string): Promise<string[]> {
      const upload = await uploadStore.findUpload(sql, clientId, path);
      if (upload === undefined) return [];
      await uploadStore.notifyTaken(sql, upload.holder);
      await uploadStore.deleteUpload(sql, { id: upload.id, clientId }, { bytes: -upload.reservedBytes, entries: 0 });
      return [upload.blobId];
    },

    /**
     * Removes blobs that no row names any more: only after the commit that let go of them, so a crash leaves orphans at
     * most. While a backup runs its rows may name them still; the sweep takes them later.
     */
    async release(blobIds: readonly string[]): Promise<void> {
      if (blobIds.length === 0) return;
      const used = new Set(await store.findUsedBlobs(database.sql, blobIds));
      const free = blobIds.filter((blobId) => !used.has(blobId));
      // Looking suffices: a backup that begins after this sees rows that have let go already.
      if (free.length === 0 || (await isLeaseHeld(database.sql, blobRemovalLease))) return;
      for (const blobId of free) await blobs.remove(blobId);
    },
  };
}

export type Tree = ReturnType<typeof createTree>;
