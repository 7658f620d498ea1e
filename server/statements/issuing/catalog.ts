// What a client (and the delivery desk) can know and read of issued statements: list, one, its bytes, its timeline.
//
// "May this actor read this statement" is decided here, in findReadable, for every face.
import { type Actor, isAtDesk } from '../../kernel/actor.ts';
import { partOf } from '../../kernel/blob-parts.ts';
import type { BlobStore } from '../../kernel/blobs.ts';
import type { Database } from '../../kernel/sql.ts';
import type { Receipt, Receipts } from '../proof/receipts.ts';
import { keptMs } from '../proof/rules.ts';
import type { FileReader, Readable } from '../repository/reading.ts';
import type { Repository } from '../repository/repository.ts';
import { joinPath } from '../repository/rules.ts';
import { findEntryById } from '../repository/store.ts';
import { refusals, type WaitsFor } from './rules.ts';
import * as store from './store.ts';

export interface Statement {
  readonly statementId: string;
  readonly clientId: string;
  readonly accountNumber: string;
  readonly kind: string;
  readonly periodFrom: string;
  readonly periodTo: string;
  readonly name: string;
  readonly title: string | undefined;
  readonly version: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly state: 'available' | 'expired' | 'withdrawn';
  readonly issuedAtMs: number;
  /** Absent while it waits to be placed. */
  readonly expiresAtMs: number | undefined;
  readonly withdrawn: { readonly atMs: number; readonly reason: string } | undefined;
  /** The form in the repository; absent for the portal alone. */
  readonly delivery: StatementDelivery | undefined;
}

export type StatementDelivery =
  | { readonly state: 'waiting'; readonly waitsFor: WaitsFor; readonly sinceMs: number }
  | {
      readonly state: 'placed';
      readonly path: string;
      readonly isEncrypted: boolean;
      readonly certificateFingerprint: string | undefined;
      readonly subkeyId: string | undefined;
      readonly sizeBytes: number;
      readonly sha256: string;
      readonly placedAtMs: number;
      readonly expiresAtMs: number;
    };

export type TimelineStep =
  | { readonly step: 'issued' | 'published' | 'expired'; readonly atMs: number }
  | { readonly step: 'waiting'; readonly atMs: number; readonly waitsFor: WaitsFor }
  | {
      readonly step: 'encrypted';
      readonly atMs: number;
      readonly certificateFingerprint: string;
      readonly subkeyId: string;
    }
  | { readonly step: 'fetched'; readonly atMs: number; readonly receipt: Receipt }
  | { readonly step: 'withdrawn'; readonly atMs: number; readonly reason: string }
  /** The only step that may lie ahead. */
  | { readonly step: 'expires'; readonly atMs: number };

export interface StatementQuery {
  /** Desk only; a client always asks for its own. */
  readonly clientId?: string | undefined;
  readonly accountNumber?: string | undefined;
  readonly kind?: string | undefined;
  /** Periods that touch these days, `YYYY-MM-DD`. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export function createCatalog(parts: {
  database: Database;
  blobs: BlobStore;
  receipts: Receipts;
  repository: Repository;
}) {
  const { database, receipts, repository } = parts;

  /** The one place that decides it. Another client's statement and none get the same answer. Refuses: statement_not_found. */
  async function findReadable(actor: Actor, statementId: string): Promise<store.StatementRow> {
    const row = await store.findStatement(database.sql, statementId);
    const isReadable =
      row !== undefined &&
      (actor.kind === 'client'
        ? row.clientId === actor.clientId && row.withdrawnAtMs === null
        : isAtDesk(actor, 'delivery'));
    if (!isReadable) throw refusals.statement_not_found();
    return row;
  }

  return {
    /** Newest first; a client sees what it can read now, the desk also what is gone. */
    async listStatements(
      actor: Actor,
      query: StatementQuery,
      page: { after?: string | undefined; limit: number },
    ): Promise<{ items: Statement[]; next: string | undefined }> {
      if (actor.kind !== 'client' && !isAtDesk(actor, 'delivery')) throw refusals.issuing_not_yours();
      const filter: store.StatementFilter = {
        clientId: actor.kind === 'client' ? actor.clientId : query.clientId,
        accountNumber: query.accountNumber,
        kind: query.kind,
        from: query.from,
        to: query.to,
        isWithGone: actor.kind !== 'client',
      };
      const rows = await store.listStatements(database.sql, filter, { beforeId: page.after, limit: page.limit + 1 });
      const items = rows.slice(0, page.limit).map(describeStatement);
      return { items, next: rows.length > page.limit ? items.at(-1)?.statementId : undefined };
    },

    getStatement: async (actor: Actor, statementId: string): Promise<Statement> =>
      describeStatement(await findReadable(actor, statementId)),

    /** The portal's copy, in clear. Refuses: statement_not_found, statement_expired. */
    async openPortalCopy(actor: Actor, statementId: string): Promise<FileReader> {
      const row = await findReadable(actor, statementId);
      if (row.blobId === null) throw refusals.statement_expired();
      return repository.openFile(actor, row.clientId, readableOf(row), partOf(row), { form: 'portal' });
    },

    /** The form that lies in the repository, as it lies there. Refuses: statement_not_found, statement_not_delivered. */
    async openDelivered(actor: Actor, statementId: string): Promise<FileReader> {
      const row = await findReadable(actor, statementId);
      const entry = row.entryId === null ? undefined : await findEntryById(database.sql, row.entryId);
      if (entry === undefined) throw refusals.statement_not_delivered();
      const file = {
        ...readableOf(row),
        path: entry.path,
        sizeBytes: entry.sizeBytes,
        sha256: entry.sha256 ?? undefined,
      };
      return repository.openFile(actor, row.clientId, file, partOf(entry), { form: 'delivered' });
    },

    /** Everything that happened to one statement, in order, the coming expiry last. */
    async getTimeline(actor: Actor, statementId: string): Promise<TimelineStep[]> {
      const row = await findReadable(actor, statementId);
      const fetched = await receipts.listOfStatement(statementId, timelineReceiptsMax);
      return formatTimeline(row, fetched);
    },
  };
}

const readableOf = (row: store.StatementRow): Readable => ({
  path: row.name,
  origin: 'broker',
  sizeBytes: row.sizeBytes,
  sha256: row.sha256,
  modifiedAtMs: row.issuedAtMs,
  statementId: row.id,
});

export type Catalog = ReturnType<typeof createCatalog>;

const timelineReceiptsMax = 500;

export function formatTimeline(row: store.StatementRow, fetched: readonly Receipt[]): TimelineStep[] {
  const steps: TimelineStep[] = [{ step: 'issued', atMs: row.issuedAtMs }];
  const add = (step: TimelineStep): void => void steps.push(step);
  if (row.deliveryState === 'waiting' && row.waitsFor !== 'encryption') {
    add({ step: 'waiting', atMs: row.waitingSinceMs!, waitsFor: row.waitsFor! });
  }
  if (row.placedAtMs !== null) {
    if (row.isEncrypted) {
      const key = { certificateFingerprint: row.certificateFingerprint!, subkeyId: row.subkeyId! };
      add({ step: 'encrypted', atMs: row.placedAtMs, ...key });
    }
    add({ step: 'published', atMs: row.placedAtMs });
  }
  for (const receipt of fetched) add({ step: 'fetched', atMs: receipt.closedAtMs, receipt });
  if (row.withdrawnAtMs !== null) add({ step: 'withdrawn', atMs: row.withdrawnAtMs, reason: row.withdrawnReason! });
  if (row.expiredAtMs !== null) add({ step: 'expired', atMs: row.expiredAtMs });
  else if (row.expiresAtMs !== null && row.withdrawnAtMs === null) add({ step: 'expires', atMs: row.expiresAtMs });
  // Sorting is stable, so steps of one instant keep the order in which they follow from each other.
  return steps.sort((a, b) => a.atMs - b.atMs);
}

export function describeStatement(row: store.StatementRow): Statement {
  return {
    statementId: row.id,
    clientId: row.clientId,
    accountNumber: row.accountNumber,
    kind: row.kind,
    periodFrom: row.periodFrom,
    periodTo: row.periodTo,
    name: row.name,
    title: row.title ?? undefined,
    version: row.version,
    sizeBytes: row.sizeBytes,
    sha256: row.sha256,
    state: row.withdrawnAtMs !== null ? 'withdrawn' : row.blobId === null ? 'expired' : 'available',
    issuedAtMs: row.issuedAtMs,
    expiresAtMs: row.expiresAtMs ?? undefined,
    withdrawn: row.withdrawnAtMs === null ? undefined : { atMs: row.withdrawnAtMs, reason: row.withdrawnReason ?? '' },
    delivery: describeDelivery(row),
  };
}

function describeDelivery(row: store.StatementRow): StatementDelivery | undefined {
  if (row.deliveryState === 'waiting') {
    return { state: 'waiting', waitsFor: row.waitsFor!, sinceMs: row.waitingSinceMs! };
  }
  if (row.deliveryState === null) return undefined;
  return {
    state: 'placed',
    path: joinPath('/', row.deliveredName!),
    isEncrypted: row.isEncrypted!,
    certificateFingerprint: row.certificateFingerprint ?? undefined,
    subkeyId: row.subkeyId ?? undefined,
    sizeBytes: row.deliveredSizeBytes!,
    sha256: row.deliveredSha256!,
    placedAtMs: row.placedAtMs!,
    expiresAtMs: row.placedAtMs! + keptMs,
  };
}
