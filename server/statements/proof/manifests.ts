// Manifests: a signed list a client and day of what the broker placed, chained by hash, lying in the repository itself.
//
// What is placed or taken away is listed exactly once: a row keeps the number of the list that names it, so a commit that
// comes late stands in the next list instead of in none. A day's list is written anew while the day goes on and final after
// it; a day on which nothing happened has none, and the numbers show that none is missing.
import { type Manifest, manifestName } from '@broadgate/contract/manifest.ts';
import type { Actor } from '../../kernel/actor.ts';
import { isAtDesk } from '../../kernel/actor.ts';
import type { BlobStore } from '../../kernel/blobs.ts';
import { type Clock, dateInZone, formatInstant } from '../../kernel/clock.ts';
import { withLease } from '../../kernel/lease.ts';
import type { Ids } from '../../kernel/ids.ts';
import { isDoubtful } from '../../kernel/refusal.ts';
import type { Database } from '../../kernel/sql.ts';
import type { EncryptionPool } from '../issuing/encryption-pool.ts';
import type { Repository } from '../repository/repository.ts';
import { joinPath, manifestFolder } from '../repository/rules.ts';
import { refusals } from './rules.ts';
import * as store from './manifests-store.ts';

export interface ManifestItem {
  readonly number: number;
  readonly day: string;
  readonly path: string;
  readonly sha256: string;
  readonly isFinal: boolean;
  readonly madeAtMs: number;
}

export function createManifests(parts: {
  database: Database;
  clock: Clock;
  ids: Ids;
  blobs: BlobStore;
  pool: Pick<EncryptionPool, 'sign'>;
  repository: Repository;
  settings: { readonly timeZone: string };
}) {
  const { database, clock, blobs, pool, repository, settings } = parts;

  /** The end of a calendar day. Units: ms since the epoch. */
  const endOf = (day: string): number =>
    Temporal.PlainDate.from(day).add({ days: 1 }).toZonedDateTime(settings.timeZone).epochMilliseconds;

  /** Writes one list: files and rows first read, then signed, then published with its signature in one transaction. */
  async function write(clientId: string, at: { number: number; day: string; isFinal: boolean }): Promise<boolean> {
    const nowMs = clock.nowMs();
    const beforeMs = endOf(at.day);
    const files = await store.listFiles(database.sql, clientId, at.number, beforeMs);
    const gone = await store.listGone(database.sql, clientId, at.number, beforeMs);
    const before = await store.findByNumber(database.sql, clientId, at.number - 1);
    const list: Manifest = {
      format: 'broadgate-manifest-1',
      clientId,
      number: at.number,
      day: at.day,
      zone: settings.timeZone,
      isFinal: at.isFinal,
      madeAt: formatInstant(nowMs),
      previous: before === undefined ? null : { number: before.number, sha256: before.sha256 },
      files: files.map(({ path, sizeBytes, sha256, statementId, placedAtMs }) => ({
        path,
        sizeBytes,
        sha256,
        statementId,
        placedAt: formatInstant(placedAtMs),
      })),
      gone: gone.map(({ path, sha256, why, deletedAtMs }) => ({
        path,
        sha256,
        why,
        deletedAt: formatInstant(deletedAtMs),
      })),
    };
    // A list that exists is closed even when all that it named is gone.
    if (files.length === 0 && gone.length === 0 && !at.isFinal) return false;
    const bytes = Buffer.from(`${JSON.stringify(list, undefined, 2)}\n`);
    const signature = await pool.sign({ data: bytes, signedAtMs: nowMs });
    const [listBlob, signatureBlob] = [await blobs.put(bytes), await blobs.put(signature)];
    const path = joinPath(manifestFolder, manifestName(at.day));
    const released = await database
      .transaction(async (sql) => {
        await repository.prepare(sql, [clientId]);
        const replaced = [
          ...(await repository.placeOwn(sql, clientId, path, listBlob)),
          ...(await repository.placeOwn(sql, clientId, `${path}.sig`, signatureBlob)),
        ];
        const deletionNumbers = gone.map((row) => row.number);
        await store.updateListed(sql, at.number, { entryIds: files.map((file) => file.id), deletionNumbers });
        await store.saveManifest(sql, { clientId, ...at, sha256: listBlob.sha256, madeAtMs: nowMs });
        return replaced;
      })
      .catch(async (fault: unknown) => {
        if (!isDoubtful(fault)) await repository.release([listBlob.blobId, signatureBlob.blobId]);
        throw fault;
      });
    await repository.release(released);
    return true;
  }

  /** Brings one client's lists up to now. */
  async function update(clientId: string, today: string): Promise<number> {
    let written = 0;
    let last = await store.findLast(database.sql, clientId);
    if (last !== undefined && !last.isFinal && last.day < today) {
      await write(clientId, { number: last.number, day: last.day, isFinal: true });
      written += 1;
      last = await store.findLast(database.sql, clientId);
    }
    // With the clock set back behind the last list nothing can be listed in order: it waits until the clock has caught up.
    if (last !== undefined && (last.day > today || (last.day === today && last.isFinal))) return written;
    const number = last === undefined ? 1 : last.isFinal ? last.number + 1 : last.number;
    if (await write(clientId, { number, day: today, isFinal: false })) written += 1;
    return written;
  }

  return {
    /** Writes every list that is due; one process at a time, undefined when another is at it. Run it hourly and after runs. */
    async updateManifests(): Promise<number | undefined> {
      return withLease(database, 'manifests', async ({ signal }) => {
        let written = 0;
        const today = dateInZone(clock.nowMs(), settings.timeZone);
        for (let afterClientId = ''; ; ) {
          const clientIds = await store.listClientsToList(database.sql, { today, afterClientId, limit: 100 });
          if (clientIds.length === 0) return written;
          afterClientId = clientIds.at(-1)!;
          for (const clientId of clientIds) {
            signal.throwIfAborted();
            written += await update(clientId, today);
          }
        }
      });
    },

    /** Newest first. A client lists its own; the desk names the client. Refuses: proof_not_yours. */
    async listManifests(
      actor: Actor,
      asked: { clientId?: string | undefined },
      page: { after?: string | undefined; limit: number },
    ): Promise<{ items: ManifestItem[]; next: string | undefined }> {
      const clientId = actor.kind === 'client' ? actor.clientId : asked.clientId;
      if (clientId === undefined || (actor.kind !== 'client' && !isAtDesk(actor, 'delivery')))
        throw refusals.proof_not_yours();
      const beforeNumber = page.after === undefined ? undefined : Number(page.after);
      const rows = await store.listManifests(database.sql, { clientId, beforeNumber, limit: page.limit + 1 });
      const items = rows.slice(0, page.limit).map((row) => ({
        ...row,
        path: joinPath(manifestFolder, manifestName(row.day)),
      }));
      return { items, next: rows.length > page.limit ? String(items.at(-1)?.number) : undefined };
    },
  };
}

export type Manifests = ReturnType<typeof createManifests>;
