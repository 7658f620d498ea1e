// A client's repository: one tree of entries over blobs, the same under SFTP, FTP, portal and API.
//
// States of a file: staged (uploads.ts) -> published -> gone (deleted by the client, withdrawn, or purged by retention).
// Invariants: a path is canonical and unique in its tree; every entry's folder exists; what the broker put there is never
// changed by the client (D-21), nor moved with its folder; what clients put there stays within the quota, staged bytes
// included; a tree is reached by its own client only, so a path cannot name another's file.
import type { Actor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import { partOf } from '../../kernel/blob-parts.ts';
import type { BlobPart, BlobStore } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import type { Receipts } from '../proof/receipts.ts';
import { createInbox } from './inbox.ts';
import { createReading, type FileReader, type Readable, type Via } from './reading.ts';
import * as rules from './rules.ts';
import { refusals } from './rules.ts';
import * as store from './store.ts';
import { createChanges } from './changes.ts';
import { createTree, type RepositorySettings } from './tree.ts';
import { createUploads, type UploadHandle, type WriteMode } from './uploads.ts';

/** A file or folder as anyone may see it. */
export interface Attributes {
  readonly entryId: string | undefined;
  readonly path: string;
  readonly name: string;
  readonly kind: 'file' | 'folder';
  readonly origin: 'broker' | 'client';
  /** Units: bytes; 0 for folders. */
  readonly sizeBytes: number;
  readonly sha256: string | undefined;
  readonly placedAtMs: number;
  readonly modifiedAtMs: number;
  readonly statementId: string | undefined;
  /** True for an upload that is not published: no list shows it. */
  readonly isPartial: boolean;
}

export interface RepositoryParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly blobs: BlobStore;
  readonly audit: Audit;
  readonly receipts: Receipts;
  readonly settings: RepositorySettings;
}

export function createRepository(parts: RepositoryParts) {
  const { database, clock, ids } = parts;

  const tree = createTree(parts);
  const uploads = createUploads({ ...parts, tree });
  const changes = createChanges({ ...parts, tree });
  const reading = createReading(parts);

  return {
    ...changes,
    ...createInbox({ database, reading }),
    /** Makes the trees of these clients where they are not there yet, in the caller's transaction. */
    prepare: (sql: Sql, clientIds: readonly string[]) => tree.prepare(sql, clientIds),
    /** Removes blobs that no row names any more; only after the commit that let go of them. */
    release: (blobIds: readonly string[]) => tree.release(blobIds),

    /** Refuses: path_not_found. An unfinished upload of the caller is told by its exact path (uploads.ts says why). */
    async stat(actor: Actor, asked: string): Promise<Attributes> {
      const { clientId } = rules.checkClient(actor);
      const path = rules.canonicalPath(asked);
      return tree.look(clientId, async () => {
        if (path === '/') return rootOf(await store.findRepository(database.sql, clientId));
        const entry = await store.findEntry(database.sql, clientId, path);
        if (entry?.kind === 'folder' || entry?.origin === 'broker') return describe(entry);
        const partial = await uploads.find(clientId, path);
        if (partial !== undefined) return { ...describePartial(path), ...partial };
        if (entry === undefined) throw refusals.path_not_found();
        return describe(entry);
      });
    },

    /**
     * One page of a folder by name in byte order, published entries only.
     * Shape: `next` is the name to go on after. Refuses: path_not_found, path_is_file.
     */
    async list(
      actor: Actor,
      asked: string,
      page: { after?: string | undefined; limit: number },
    ): Promise<{ entries: Attributes[]; next: string | undefined }> {
      const { clientId } = rules.checkClient(actor);
      const path = rules.canonicalPath(asked);
      const afterName = page.after ?? '';
      const limit = Math.min(page.limit, pageEntriesMax);
      return tree.look(clientId, async () => {
        if (path !== '/' && afterName === '') {
          const folder = await tree.getEntry(database.sql, clientId, path);
          if (folder.kind === 'file') throw refusals.path_is_file();
        }
        const rows = await store.listEntries(database.sql, { clientId, parent: path, afterName, limit: limit + 1 });
        const entries = rows.slice(0, limit).map(describe);
        return { entries, next: rows.length > limit ? entries.at(-1)?.name : undefined };
      });
    },

    /** Opens a published file; what was fetched of it becomes a receipt at close. Refuses: path_not_found, path_is_folder. */
    async openRead(actor: Actor, asked: string, via: { keyFingerprint?: string } = {}): Promise<FileReader> {
      const client = rules.checkClient(actor);
      const path = rules.canonicalPath(asked);
      if (path === '/') throw refusals.path_is_folder();
      const entry = await tree.look(client.clientId, () => tree.getEntry(database.sql, client.clientId, path));
      if (entry.kind === 'folder') throw refusals.path_is_folder();
      return reading.open(actor, client.clientId, describe(entry), partOf(entry), via);
    },

    /** Opens an upload. Refuses: statement_protected, name_reserved, path_not_found, path_taken, path_is_folder, … */
    async openWrite(actor: Actor, asked: string, mode: WriteMode): Promise<UploadHandle> {
      return uploads.open(rules.checkClient(actor), rules.canonicalPath(asked), mode);
    },

    /** Keeps the time that a client gives its file; without one it only answers whether the entry may be changed. */
    async setModified(actor: Actor, asked: string, modifiedAtMs: number | undefined): Promise<void> {
      const client = rules.checkClient(actor);
      const entry = await tree.getEntry(database.sql, client.clientId, rules.canonicalPath(asked));
      rules.checkAlterable(entry);
      if (modifiedAtMs !== undefined) await store.updateModified(database.sql, entry.id, modifiedAtMs);
    },

    /** The quota of the caller, unfinished uploads counted as used. */
    async space(actor: Actor): Promise<rules.Quota> {
      const { clientId } = rules.checkClient(actor);
      const row = await store.findRepository(database.sql, clientId);
      return tree.quotaOf(row ?? { usedBytes: 0, usedEntries: 0, madeAtMs: 0 });
    },

    /** Takes every entry of a statement out of the tree, in the caller's transaction. Shape: blobs to release after commit. */
    takeAway: (sql: Sql, statementId: string) => store.deleteEntriesOfStatement(sql, statementId),

    /** Puts files of the broker's own in their places, or new contents into them, in the caller's transaction. Shape: as takeAway. */
    async placeOwn(
      sql: Sql,
      files: readonly { readonly clientId: string; readonly path: string; readonly part: BlobPart }[],
    ): Promise<string[]> {
      const nowMs = clock.nowMs();
      const entries = files.map(({ clientId, path, part: { blobId, blobOffset, sizeBytes, sha256 } }) => {
        const contents = { blobId, blobOffset, sizeBytes, sha256, placedAtMs: nowMs, modifiedAtMs: nowMs };
        const place = { path, parent: rules.parentOf(path), name: rules.nameOf(path) };
        return { id: ids.next(), clientId, ...place, kind: 'file', origin: 'broker', ...contents } as const;
      });
      const inserted = await store.insertEntries(sql, entries);
      const taken = entries.filter((entry) => !inserted.has(`${entry.clientId} ${entry.path}`));
      if (taken.length === 0) return [];
      const replaced = await store.replaceOwn(sql, taken);
      if (replaced.length < taken.length) throw new Error("the place of a file of the broker's own is a client's");
      return replaced;
    },

    /** Another process tells that an open upload was taken over. */
    uploadTaken: (holder: string) => uploads.taken(holder),

    /** Opens a file whose reader was checked elsewhere. */
    openFile: (actor: Actor, clientId: string, file: Readable, part: BlobPart, via: Via) =>
      reading.open(actor, clientId, file, part, via),
  };
}

export type Repository = ReturnType<typeof createRepository>;

/** Entries of one page at most. */
export const pageEntriesMax = 500;

export const describe = (row: store.EntryRow): Attributes => ({
  entryId: row.id,
  path: row.path,
  name: row.name,
  kind: row.kind,
  origin: row.origin,
  sizeBytes: row.sizeBytes,
  sha256: row.sha256 ?? undefined,
  placedAtMs: row.placedAtMs,
  modifiedAtMs: row.modifiedAtMs,
  statementId: row.statementId ?? undefined,
  isPartial: false,
});

const describePartial = (path: string): Omit<Attributes, 'sizeBytes' | 'modifiedAtMs'> => ({
  entryId: undefined,
  path,
  name: rules.nameOf(path),
  kind: 'file',
  origin: 'client',
  sha256: undefined,
  placedAtMs: 0,
  statementId: undefined,
  isPartial: true,
});

const rootOf = (row: store.RepositoryRow | undefined): Attributes => ({
  entryId: undefined,
  path: '/',
  name: '',
  kind: 'folder',
  // The client puts things here, so it shows as its own; that it cannot be moved or deleted is decided by path.
  origin: 'client',
  sizeBytes: 0,
  sha256: undefined,
  placedAtMs: 0,
  modifiedAtMs: row?.madeAtMs ?? 0,
  statementId: undefined,
  isPartial: false,
});
