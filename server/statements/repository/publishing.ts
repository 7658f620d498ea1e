// Publishing an upload: the file appears whole, or in place of its former self, in one transaction.
import type { ClientActor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import { wholeOf } from '../../kernel/blob-parts.ts';
import type { SealedBlob } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import { checkAlterable, checkQuota, nameOf, parentOf, refusals } from './rules.ts';
import * as store from './store.ts';
import type { Tree } from './tree.ts';
import * as uploadStore from './uploads-store.ts';

export interface Published {
  readonly entryId: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export function createPublishing(parts: { clock: Clock; ids: Ids; audit: Audit; tree: Tree }) {
  const { clock, ids, audit, tree } = parts;

  return async function publish(
    actor: ClientActor,
    me: { uploadId: string; holder: string },
    sealed: SealedBlob,
    how: { exclusive: boolean; modifiedAtMs: number | undefined },
  ): Promise<Published> {
    const { clientId } = actor;
    const nowMs = clock.nowMs();
    const contents = {
      ...wholeOf(sealed),
      placedAtMs: nowMs,
      modifiedAtMs: how.modifiedAtMs ?? nowMs,
    };
    const { published, replaced } = await tree.change(clientId, async (sql, quota) => {
      const upload = await uploadStore.findHeldUpload(sql, me.uploadId, me.holder);
      if (upload === undefined) throw refusals.upload_taken_over();
      // The row's path, not the one it was opened by: the folder may have been moved meanwhile.
      const { path } = upload;
      await tree.checkParent(sql, clientId, path);
      const entry = await store.findEntry(sql, clientId, path);
      if (entry?.kind === 'folder') throw refusals.path_is_folder();
      if (entry !== undefined && how.exclusive) throw refusals.path_taken();
      if (entry !== undefined) checkAlterable(entry);
      const bytes = sealed.sizeBytes - upload.reservedBytes - (entry?.sizeBytes ?? 0);
      const growth = { bytes, entries: entry === undefined ? 1 : 0 };
      checkQuota(quota, growth);
      await uploadStore.deleteUpload(sql, { id: upload.id, clientId }, growth);
      const entryId = entry?.id ?? ids.next();
      if (entry !== undefined) await store.updateContents(sql, entryId, contents);
      else {
        const place = { path, parent: parentOf(path), name: nameOf(path) };
        await store.insertEntry(sql, { id: entryId, clientId, ...place, kind: 'file', origin: 'client', ...contents });
      }
      const published = { entryId, path, sizeBytes: sealed.sizeBytes, sha256: sealed.sha256 };
      await audit.append(sql, { actor, action: 'file.uploaded', subject: `entry:${entryId}`, detail: published });
      return { published, replaced: entry?.blobId };
    });
    if (replaced) await tree.release([replaced]);
    return published;
  };
}
