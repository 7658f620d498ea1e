// Manifests: a signed list a client and day of what the broker placed, chained by hash, lying in the repository itself.
//
// What is placed or taken away is listed exactly once: a row keeps the number of the list that names it, so a commit that
// comes late stands in the next list instead of in none. A day's list is written anew while the day goes on and final after
// it; a day on which nothing happened has none, and the numbers show that none is missing.
import { type Manifest, manifestName } from '@broadgate/contract/manifest.ts';
import type { Actor } from '../../kernel/actor.ts';
import { isAtDesk } from '../../kernel/actor.ts';
import { blobsOf, putTogether } from '../../kernel/blob-parts.ts';
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

  const describe = (item: DueList, held: Held): Manifest => ({
    format: 'broadgate-manifest-1',
    clientId: item.clientId,
    number: item.number,
    day: item.day,
    zone: settings.timeZone,
    isFinal: item.isFinal,
    madeAt: formatInstant(held.nowMs),
    previous: held.previous === undefined ? null : { number: held.previous.number, sha256: held.previous.sha256 },
    files: held.files.map(({ path, sizeBytes, sha256, statementId, placedAtMs }) => ({
      path,
      sizeBytes,
      sha256,
      statementId,
      placedAt: formatInstant(placedAtMs),
    })),
    gone: held.gone.map(({ path, sha256, why, deletedAtMs }) => ({
      path,
      sha256,
      why,
      deletedAt: formatInstant(deletedAtMs),
    })),
  });

  /** Reads what each list holds. Shape: without those that would be empty and new. */
  async function read(due: readonly DueList[], nowMs: number): Promise<{ item: DueList; held: Held; bytes: Buffer }[]> {
    const previous = await store.findPrevious(database.sql, due);
    const files = Map.groupBy(await store.listFiles(database.sql, due), (row) => row.clientId);
    const gone = Map.groupBy(await store.listGone(database.sql, due), (row) => row.clientId);
    return due.flatMap((item) => {
      const { clientId } = item;
      const own = { files: files.get(clientId) ?? [], gone: gone.get(clientId) ?? [] };
      // A list that exists is closed even when all that it named is gone.
      if (own.files.length === 0 && own.gone.length === 0 && !item.isFinal) return [];
      const held = { ...own, previous: previous.get(clientId), nowMs };
      return { item, held, bytes: Buffer.from(`${JSON.stringify(describe(item, held), undefined, 2)}\n`) };
    });
  }

  /** Writes lists, one a client: files and rows first read, then signed, then published in one transaction. */
  async function write(due: readonly DueList[]): Promise<number> {
    if (due.length === 0) return 0;
    const nowMs = clock.nowMs();
    const lists = await read(due, nowMs);
    if (lists.length === 0) return 0;
    const signatures = await Promise.all(lists.map(({ bytes }) => pool.sign({ data: bytes, signedAtMs: nowMs })));
    const parts = await putTogether(blobs, [...lists.map((list) => list.bytes), ...signatures]);
    const placed = lists.flatMap(({ item }, index) => {
      const path = joinPath(manifestFolder, manifestName(item.day));
      const { clientId } = item;
      const [list, signature] = [parts[index]!, parts[lists.length + index]!];
      return [
        { clientId, path, part: list },
        { clientId, path: `${path}.sig`, part: signature },
      ];
    });
    const released = await database
      .transaction(async (sql) => {
        const items = lists.map(({ item }) => item);
        await repository.prepare(
          sql,
          items.map((item) => item.clientId),
        );
        const replaced = await repository.placeOwn(sql, placed);
        await store.updateListed(sql, items, {
          entryIds: lists.flatMap(({ held }) => held.files.map((file) => file.id)),
          deletionNumbers: lists.flatMap(({ held }) => held.gone.map((row) => row.number)),
        });
        const rows = items.map((item, index) => ({ ...item, sha256: parts[index]!.sha256, madeAtMs: nowMs }));
        await store.saveManifests(sql, rows);
        return replaced;
      })
      .catch(async (fault: unknown) => {
        if (!isDoubtful(fault)) await repository.release(blobsOf(parts));
        throw fault;
      });
    await repository.release(released);
    return lists.length;
  }

  /** Brings the lists of these clients up to now. */
  async function update(clientIds: readonly string[], today: string): Promise<number> {
    const before = await store.listLast(database.sql, clientIds);
    const over = before.filter((last) => !last.isFinal && last.day < today);
    const closed = await write(over.map((last) => ({ ...last, isFinal: true, beforeMs: endOf(last.day) })));
    const closedIds = new Set(over.map((last) => last.clientId));
    const lasts = new Map(before.map((last) => [last.clientId, last]));
    const due = clientIds.flatMap((clientId): DueList[] => {
      const last = lasts.get(clientId);
      const isFinal = last !== undefined && (last.isFinal || closedIds.has(clientId));
      // With the clock set back behind the last list nothing can be listed in order: it waits until the clock has caught up.
      if (last !== undefined && (last.day > today || (last.day === today && isFinal))) return [];
      const number = last === undefined ? 1 : isFinal ? last.number + 1 : last.number;
      return [{ clientId, number, day: today, isFinal: false, beforeMs: endOf(today) }];
    });
    return closed + (await write(due));
  }

  return {
    /** Writes every list that is due; one process at a time, undefined when another is at it. Run it hourly and after runs. */
    async updateManifests(): Promise<number | undefined> {
      return withLease(database, 'manifests', async ({ signal }) => {
        let written = 0;
        const today = dateInZone(clock.nowMs(), settings.timeZone);
        for (let afterClientId = ''; ; ) {
          const asked = { today, afterClientId, limit: clientsAtOnce };
          const clientIds = await store.listClientsToList(database.sql, asked);
          if (clientIds.length === 0) return written;
          afterClientId = clientIds.at(-1)!;
          signal.throwIfAborted();
          written += await update(clientIds, today);
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

/** Lists of one transaction, and of one blob. */
const clientsAtOnce = 50;

interface DueList extends store.Due {
  readonly day: string;
  readonly isFinal: boolean;
}

/** What a list says. */
interface Held {
  readonly files: readonly store.ListedFile[];
  readonly gone: readonly store.ListedDeletion[];
  readonly previous: store.ManifestRow | undefined;
  readonly nowMs: number;
}

export type Manifests = ReturnType<typeof createManifests>;
