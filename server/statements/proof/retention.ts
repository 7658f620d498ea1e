// Retention (D-24): every file is kept for 100 times 24 hours from the moment it was placed, and is gone at the first purge
// after that; the portal's copy goes with it. Each deletion is logged. A wall clock that jumped is not believed.
import { type Actor, formatActor, isAtDesk, systemActor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import { blobRemovalLease } from '../../kernel/backup.ts';
import type { BlobStore } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import { withLease } from '../../kernel/lease.ts';
import type { Log } from '../../kernel/log.ts';
import type { Database } from '../../kernel/sql.ts';
import type { Messages } from '../../messages/messages.ts';
import type { Repository } from '../repository/repository.ts';
import { addUse } from '../repository/store.ts';
import { deleteStaleUploads, listStaleUploads, notifyTaken } from '../repository/uploads-store.ts';
import type { Deletions } from './deletions.ts';
import { dueBefore, isClockPlausible, partialKeptMs, refusals } from './rules.ts';
import * as store from './retention-store.ts';

export interface Purged {
  readonly files: number;
  readonly portalCopies: number;
  readonly partialUploads: number;
}

export function createRetention(parts: {
  database: Database;
  clock: Clock;
  blobs: BlobStore;
  audit: Audit;
  log: Log;
  messages: Pick<Messages, 'notify'>;
  repository: Repository;
  deletions: Deletions;
}) {
  const { database, clock, blobs, audit, log, messages, repository, deletions } = parts;

  /** Refuses: retention_clock_jumped, when the wall clock stands further from the last purge than a pause explains. */
  async function checkClock(): Promise<number> {
    const nowMs = clock.nowMs();
    const last = await store.findClock(database.sql);
    const seenAtMs = seenBefore(last);
    if (isClockPlausible(seenAtMs, nowMs)) return nowMs;
    const hours = Math.round((nowMs - seenAtMs) / 3_600_000);
    await database.transaction(async (sql) => {
      if (last === undefined) await store.updateClock(sql, seenAtMs, null);
      if (!(await store.holdClock(sql, nowMs))) return;
      await messages.notify(sql, { desk: 'operations', kind: 'retention_held', params: { hours }, atMs: nowMs });
      await audit.append(sql, {
        actor: systemActor('retention'),
        action: 'retention.held',
        subject: 'retention',
        detail: { hours },
      });
    });
    throw refusals.retention_clock_jumped({ hours });
  }

  const begun = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  /** The time as this process lived it: a wall clock that jumped ahead must not make what was just written look old. */
  const livedMs = (): number => Math.floor(begun.wallMs + clock.monotonicMs() - begun.monotonicMs);

  /** What the wall clock is compared with: the last purge, or before the first one the time that this process has lived. */
  const seenBefore = (last: { readonly seenAtMs: number } | undefined): number => last?.seenAtMs ?? livedMs();

  async function purgeFiles(dueMs: number): Promise<number> {
    const due = await store.listDueFiles(database.sql, dueMs, batchMax);
    if (due.length === 0) return 0;
    const gone = await database.transaction(async (sql) => {
      const clientIds = [...new Set(due.map((file) => file.clientId))];
      await store.lockRepositories(sql, clientIds);
      const rows = await store.deleteDueFiles(
        sql,
        due.map((file) => file.id),
        dueMs,
      );
      for (const clientId of clientIds) {
        const own = rows.filter((row) => row.clientId === clientId && row.origin === 'client');
        if (own.length > 0) await addUse(sql, clientId, -own.reduce((sum, row) => sum + row.sizeBytes, 0), -own.length);
      }
      await deletions.append(
        sql,
        rows.map((row) => ({ ...factsOf(row), path: row.path, what: 'file' as const })),
      );
      return rows;
    });
    await repository.release(gone.map((row) => row.blobId));
    return gone.length;
  }

  async function purgeCopies(nowMs: number): Promise<number> {
    const gone = await database.transaction(async (sql) => {
      const rows = await store.takeDueCopies(sql, nowMs, batchMax);
      await deletions.append(
        sql,
        rows.map((row) => ({
          ...factsOf({ ...row, statementId: row.id, placedAtMs: row.issuedAtMs }),
          path: row.name,
          what: 'portal_copy' as const,
        })),
      );
      return rows;
    });
    await repository.release(gone.map((row) => row.blobId));
    return gone.length;
  }

  async function purgePartials(beforeMs: number): Promise<number> {
    const stale = await listStaleUploads(database.sql, beforeMs, batchMax);
    if (stale.length === 0) return 0;
    const gone = await database.transaction(async (sql) => {
      await store.lockRepositories(sql, [...new Set(stale.map((upload) => upload.clientId))]);
      const rows = await deleteStaleUploads(
        sql,
        stale.map((upload) => upload.id),
        beforeMs,
      );
      for (const upload of rows) {
        await notifyTaken(sql, upload.holder);
        await addUse(sql, upload.clientId, -upload.reservedBytes, 0);
      }
      await deletions.append(
        sql,
        rows.map((upload) => ({
          ...factsOf({ ...upload, sha256: null, statementId: null, placedAtMs: upload.begunAtMs }),
          path: upload.path,
          what: 'partial_upload' as const,
        })),
      );
      return rows;
    });
    await repository.release(gone.map((upload) => upload.blobId));
    return gone.length;
  }

  /** Removes blobs that no row names and that are older than a day: what a crash between store and commit leaves. */
  async function sweep(nowMs: number): Promise<number> {
    let removed = 0;
    let batch: string[] = [];
    const check = async (): Promise<void> => {
      const used = new Set(await store.findBlobsInUse(database.sql, batch));
      for (const blobId of batch) {
        if (used.has(blobId)) continue;
        await blobs.remove(blobId);
        removed += 1;
      }
      batch = [];
    };
    for await (const blob of blobs.list()) {
      if (blob.modifiedAtMs > nowMs - orphanAgeMs) continue;
      batch.push(blob.blobId);
      if (batch.length >= batchMax) await check();
    }
    if (batch.length > 0) await check();
    return removed;
  }

  return {
    /**
     * Purges what is due now; one process at a time, undefined when another is at it. Run it hourly.
     * Refuses: retention_clock_jumped.
     */
    async purge(): Promise<Purged | undefined> {
      return withLease(database, 'retention', async ({ signal }) => {
        const nowMs = await checkClock();
        const purged = { files: 0, portalCopies: 0, partialUploads: 0 };
        const drain = async (what: keyof Purged, work: () => Promise<number>): Promise<void> => {
          for (let count = batchMax; count > 0; ) {
            signal.throwIfAborted();
            count = await work();
            purged[what] += count;
          }
        };
        await drain('files', () => purgeFiles(dueBefore(nowMs)));
        await drain('portalCopies', () => purgeCopies(nowMs));
        await drain('partialUploads', () => purgePartials(nowMs - partialKeptMs));
        if (purged.files + purged.portalCopies + purged.partialUploads > 0) await deletions.seal();
        await store.updateClock(database.sql, nowMs, null);
        log.info('retention purged', { ...purged });
        return purged;
      });
    },

    /** Removes orphaned blobs; it believes the clock on the same terms, and leaves out while a backup runs. Shape: how many. */
    async sweepOrphans(): Promise<number> {
      const nowMs = await checkClock();
      return (await withLease(database, blobRemovalLease, () => sweep(Math.min(nowMs, livedMs())))) ?? 0;
    },

    /** What a purge would take now, without taking it. Refuses: proof_not_yours. */
    async previewPurge(actor: Actor) {
      checkOperations(actor);
      const nowMs = clock.nowMs();
      const last = await store.findClock(database.sql);
      const at = { dueMs: dueBefore(nowMs), nowMs, partialDueMs: nowMs - partialKeptMs };
      const isHeld = !isClockPlausible(seenBefore(last), nowMs);
      return { ...(await store.countDue(database.sql, at)), isHeld, lastPurgeAtMs: last?.seenAtMs, nowMs };
    },

    /** A person has looked at the clock and says that it is right. Refuses: proof_not_yours. */
    async confirmClock(actor: Actor): Promise<void> {
      checkOperations(actor);
      const nowMs = clock.nowMs();
      await database.transaction(async (sql) => {
        await store.updateClock(sql, nowMs, formatActor(actor));
        await audit.append(sql, {
          actor,
          action: 'retention.clock_confirmed',
          subject: 'retention',
          detail: { nowMs },
        });
      });
    },
  };
}

export type Retention = ReturnType<typeof createRetention>;

const batchMax = 500;
const orphanAgeMs = 24 * 3_600_000;

const factsOf = (row: {
  clientId: string;
  sha256: string | null;
  sizeBytes: number;
  statementId: string | null;
  placedAtMs: number;
}) => ({
  clientId: row.clientId,
  why: 'retention' as const,
  sha256: row.sha256,
  sizeBytes: row.sizeBytes,
  statementId: row.statementId,
  placedAtMs: row.placedAtMs,
});

function checkOperations(actor: Actor): void {
  if (!isAtDesk(actor, 'operations') && !isAtDesk(actor, 'delivery')) throw refusals.proof_not_yours();
}
