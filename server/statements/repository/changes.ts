// Changes of a repository by its client, each in one transaction that holds the tree: delete, move, make, copy.
import type { Actor, ClientActor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import { partOf } from '../../kernel/blob-parts.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Sql } from '../../kernel/sql.ts';
import * as rules from './rules.ts';
import { refusals } from './rules.ts';
import * as store from './store.ts';
import type { Tree } from './tree.ts';
import * as uploadStore from './uploads-store.ts';

export function createChanges(parts: { clock: Clock; ids: Ids; audit: Audit; tree: Tree }) {
  const { clock, ids, audit, tree } = parts;

  /** One change of the tree: locked, decided, written and audited in one transaction; blobs let go after it. */
  async function change(
    actor: ClientActor,
    record: { action: string; subject: string; detail?: Record<string, string> },
    work: (sql: Sql, quota: rules.Quota) => Promise<string[]>,
  ): Promise<void> {
    const released = await tree.change(actor.clientId, async (sql, quota) => {
      const blobIds = await work(sql, quota);
      await audit.append(sql, { actor, ...record });
      return blobIds;
    });
    await tree.release(released);
  }

  return {
    /** Deletes a file of the client, or its unfinished upload. Refuses: path_not_found, path_is_folder, statement_protected. */
    async remove(actor: Actor, asked: string): Promise<void> {
      const client = rules.checkClient(actor);
      const path = rules.canonicalPath(asked);
      await change(client, { action: 'file.deleted', subject: `path:${path}` }, async (sql) => {
        const dropped = await tree.dropUpload(sql, client.clientId, path);
        const entry = await store.findEntry(sql, client.clientId, path);
        if (entry === undefined && dropped.length === 0) throw refusals.path_not_found();
        if (entry === undefined) return dropped;
        if (entry.kind === 'folder') throw refusals.path_is_folder();
        rules.checkAlterable(entry);
        await store.deleteEntry(sql, entry.id);
        await store.addUse(sql, client.clientId, -entry.sizeBytes, -1);
        return [...dropped, entry.blobId!];
      });
    },

    /** Moves a file or folder. A file may replace a file of the client when `replace` says so; a folder replaces nothing. */
    async rename(actor: Actor, askedFrom: string, askedTo: string, how: { replace: boolean }): Promise<void> {
      const client = rules.checkClient(actor);
      const { clientId } = client;
      const [from, to] = [rules.canonicalPath(askedFrom), rules.canonicalPath(askedTo)];
      if (from === '/' || to === '/') throw refusals.statement_protected();
      const record = { action: 'file.moved', subject: `path:${from}`, detail: { to } };
      await change(client, record, async (sql) => {
        const entry = await tree.getEntry(sql, clientId, from);
        rules.checkAlterable(entry);
        if (from === to) return [];
        if (rules.isBelow(to, from)) throw refusals.folder_into_itself();
        await tree.checkParent(sql, clientId, to);
        const target = await store.findEntry(sql, clientId, to);
        if (target !== undefined) rules.checkAlterable(target);
        else await tree.checkFreeName(sql, clientId, to);
        const released = await tree.dropUpload(sql, clientId, to);
        if (target !== undefined) {
          if (!how.replace || target.kind === 'folder' || entry.kind === 'folder') throw refusals.path_taken();
          await store.deleteEntry(sql, target.id);
          await store.addUse(sql, clientId, -target.sizeBytes, -1);
          released.push(target.blobId!);
        }
        if (entry.kind === 'folder') await moveFolder(sql, clientId, from, to);
        else released.push(...(await tree.dropUpload(sql, clientId, from)));
        await store.updatePath(sql, entry.id, { path: to, parent: rules.parentOf(to), name: rules.nameOf(to) });
        return released;
      });
    },

    /** Refuses: path_taken, path_not_found for the parent, quota_entries_reached. */
    async makeFolder(actor: Actor, asked: string): Promise<void> {
      const client = rules.checkClient(actor);
      const path = rules.canonicalPath(asked);
      if (path === '/') throw refusals.path_taken();
      await change(client, { action: 'folder.made', subject: `path:${path}` }, async (sql, quota) => {
        await tree.checkFreeName(sql, client.clientId, path);
        await tree.checkParent(sql, client.clientId, path);
        rules.checkQuota(quota, { bytes: 0, entries: 1 });
        const dropped = await tree.dropUpload(sql, client.clientId, path);
        const place = { path, parent: rules.parentOf(path), name: rules.nameOf(path) };
        const nowMs = clock.nowMs();
        const entry = { id: ids.next(), clientId: client.clientId, ...place, placedAtMs: nowMs, modifiedAtMs: nowMs };
        if (!(await store.insertEntry(sql, { ...entry, kind: 'folder', origin: 'client' })))
          throw refusals.path_taken();
        await store.addUse(sql, client.clientId, 0, 1);
        return dropped;
      });
    },

    /** Refuses: path_not_found, path_is_file, folder_not_empty, statement_protected. */
    async removeFolder(actor: Actor, asked: string): Promise<void> {
      const client = rules.checkClient(actor);
      const path = rules.canonicalPath(asked);
      if (path === '/') throw refusals.statement_protected();
      await change(client, { action: 'folder.deleted', subject: `path:${path}` }, async (sql) => {
        const folder = await tree.getEntry(sql, client.clientId, path);
        if (folder.kind === 'file') throw refusals.path_is_file();
        rules.checkAlterable(folder);
        if (await store.hasChildren(sql, client.clientId, path)) throw refusals.folder_not_empty();
        const dropped = await uploadStore.deleteUploadsBelow(sql, client.clientId, path);
        const freed = dropped.reduce((sum, upload) => sum + upload.reservedBytes, 0);
        await store.deleteEntry(sql, folder.id);
        await store.addUse(sql, client.clientId, -freed, -1);
        return dropped.map((upload) => upload.blobId);
      });
    },

    /** A second entry over the same bytes, as a new file of the client. Refuses as an upload would. */
    async copy(actor: Actor, askedFrom: string, askedTo: string): Promise<void> {
      const client = rules.checkClient(actor);
      const { clientId } = client;
      const [from, to] = [rules.canonicalPath(askedFrom), rules.canonicalPath(askedTo)];
      await change(client, { action: 'file.copied', subject: `path:${from}`, detail: { to } }, async (sql, quota) => {
        const entry = await tree.getEntry(sql, clientId, from);
        if (entry.kind === 'folder') throw refusals.path_is_folder();
        await tree.checkFreeName(sql, clientId, to);
        await tree.checkParent(sql, clientId, to);
        rules.checkQuota(quota, { bytes: entry.sizeBytes, entries: 1 });
        const nowMs = clock.nowMs();
        const dropped = await tree.dropUpload(sql, clientId, to);
        const place = {
          path: to,
          parent: rules.parentOf(to),
          name: rules.nameOf(to),
          placedAtMs: nowMs,
          modifiedAtMs: nowMs,
        };
        const contents = partOf(entry);
        const copy = { id: ids.next(), clientId, ...place, ...contents, kind: 'file', origin: 'client' } as const;
        if (!(await store.insertEntry(sql, copy))) throw refusals.path_taken();
        await store.addUse(sql, clientId, entry.sizeBytes, 1);
        return dropped;
      });
    },
  };
}

async function moveFolder(sql: Sql, clientId: string, from: string, to: string): Promise<void> {
  const below = await store.measureBelow(sql, clientId, from);
  if (below.hasBroker) throw refusals.statement_protected();
  if (below.entries > rules.movedEntriesMax) throw refusals.folder_too_large({ entries: rules.movedEntriesMax });
  const longerBytes = Buffer.byteLength(to) - Buffer.byteLength(from);
  const deeper = to.split('/').length - from.split('/').length;
  const { bytes, depth } = rules.pathLimits;
  if (below.longestBytes + longerBytes > bytes || below.deepest + deeper > depth) {
    throw refusals.repository_path_too_deep({ depth, bytes });
  }
  await store.moveBelow(sql, clientId, from, to);
  await uploadStore.moveUploadsBelow(sql, clientId, from, to);
}
