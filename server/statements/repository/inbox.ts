// What clients uploaded, for the delivery desk: listed and fetched, never changed.
import { type Actor, isAtDesk } from '../../kernel/actor.ts';
import { partOf } from '../../kernel/blob-parts.ts';
import type { Database } from '../../kernel/sql.ts';
import type { createReading, FileReader } from './reading.ts';
import { refusals } from './rules.ts';
import * as store from './store.ts';

export interface UploadedFile {
  readonly entryId: string;
  readonly clientId: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly uploadedAtMs: number;
}

export function createInbox(parts: { database: Database; reading: ReturnType<typeof createReading> }) {
  const { database, reading } = parts;
  return {
    /** Uploads of one client or of all, in the order of their first upload. Refuses: uploads_not_yours. */
    async listUploads(
      actor: Actor,
      asked: { readonly clientId?: string | undefined },
      page: { after?: string | undefined; limit: number },
    ): Promise<{ items: UploadedFile[]; next: string | undefined }> {
      checkDesk(actor);
      const query = { clientId: asked.clientId, afterId: page.after ?? '', limit: page.limit + 1 };
      const rows = await store.listUploaded(database.sql, query);
      const items = rows.slice(0, page.limit).map((row) => ({
        entryId: row.id,
        clientId: row.clientId,
        path: row.path,
        sizeBytes: row.sizeBytes,
        sha256: row.sha256!,
        uploadedAtMs: row.placedAtMs,
      }));
      return { items, next: rows.length > page.limit ? items.at(-1)?.entryId : undefined };
    },

    /** Opens a client's upload; the receipt says that the desk fetched it. Refuses: uploads_not_yours, path_not_found. */
    async openUpload(actor: Actor, entryId: string): Promise<FileReader> {
      checkDesk(actor);
      const entry = await store.findEntryById(database.sql, entryId);
      // What the broker issued is fetched as a statement, not as an upload.
      if (entry === undefined || entry.origin !== 'client' || entry.kind === 'folder') throw refusals.path_not_found();
      const file = {
        path: entry.path,
        origin: entry.origin,
        sizeBytes: entry.sizeBytes,
        sha256: entry.sha256 ?? undefined,
        modifiedAtMs: entry.modifiedAtMs,
        statementId: undefined,
      };
      return reading.open(actor, entry.clientId, file, partOf(entry));
    },
  };
}

function checkDesk(actor: Actor): void {
  if (!isAtDesk(actor, 'delivery')) throw refusals.uploads_not_yours();
}
