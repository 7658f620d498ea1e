// Receipts: who fetched which bytes of which file, from where, with which key. Written once, kept for good.
//
// A close waits until its receipt is durable, yet closes that fall together share one statement of SQL and one commit.
import { type Actor, formatActor } from '../../kernel/actor.ts';
import { tellChanges } from '../../kernel/changes.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Log } from '../../kernel/log.ts';
import type { Database } from '../../kernel/sql.ts';
import * as store from './receipts-store.ts';
import { isWhole, mergeRanges } from './rules.ts';

export type ReceiptForm = 'portal' | 'delivered' | 'upload' | 'manifest';

/** Units: bytes; `endBytes` is exclusive. */
export interface ByteRange {
  readonly startBytes: number;
  readonly endBytes: number;
}

export interface Fetch {
  readonly clientId: string;
  readonly statementId: string | undefined;
  readonly form: ReceiptForm;
  readonly path: string;
  readonly sha256: string | undefined;
  readonly sizeBytes: number;
  readonly actor: Actor;
  readonly keyFingerprint: string | undefined;
  readonly openedAtMs: number;
  readonly closedAtMs: number;
  readonly ranges: readonly ByteRange[];
  /** True when the connection was lost first, so that the last bytes may not have arrived. */
  readonly isCut: boolean;
}

export interface Receipt {
  readonly receiptId: string;
  readonly statementId: string | undefined;
  readonly form: ReceiptForm;
  readonly path: string;
  readonly sha256: string | undefined;
  readonly sizeBytes: number;
  readonly actor: string;
  readonly face: string;
  readonly address: string | undefined;
  readonly through: string | undefined;
  readonly keyFingerprint: string | undefined;
  readonly openedAtMs: number;
  readonly closedAtMs: number;
  readonly sentBytes: number;
  readonly ranges: readonly ByteRange[];
  readonly isWhole: boolean;
  readonly isCut: boolean;
}

export function createReceipts(parts: { database: Database; ids: Ids; log: Pick<Log, 'fault'> }) {
  const { database, ids, log } = parts;
  let waiting: { row: store.NewReceipt; done: () => void; failed: (fault: unknown) => void }[] = [];
  let isWriting = false;

  async function write(): Promise<void> {
    isWriting = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchMax);
      try {
        await store.insertReceipts(
          database.sql,
          batch.map((item) => item.row),
        );
        for (const item of batch) item.done();
        tell(batch.map((item) => item.row)).catch((fault: unknown) => log.fault('receipts could not be told', fault));
      } catch (fault) {
        for (const item of batch) item.failed(fault);
      }
    }
    isWriting = false;
  }

  /** Nobody waits for it: a receipt stands whether or not a page hears of it. */
  const tell = (rows: readonly store.NewReceipt[]): Promise<void> =>
    tellChanges(
      database.sql,
      rows.map(({ statementId, clientId }) => ({
        kind: 'receipt',
        ...(statementId === null ? {} : { subject: statementId }),
        audiences: [`client:${clientId}`],
      })),
      ids,
    );

  return {
    /** Resolves once the receipt is durable. A read that sent nothing of a file that holds something leaves none. */
    async record(fetch: Fetch): Promise<void> {
      const ranges = mergeRanges(fetch.ranges, fetch.sizeBytes);
      if (ranges.length === 0 && fetch.sizeBytes > 0) return;
      const { origin } = fetch.actor;
      const row: store.NewReceipt = {
        id: ids.next(),
        clientId: fetch.clientId,
        statementId: fetch.statementId ?? null,
        form: fetch.form,
        path: fetch.path,
        sha256: fetch.sha256 ?? null,
        sizeBytes: fetch.sizeBytes,
        actor: formatActor(fetch.actor),
        face: origin.face,
        address: origin.address ?? null,
        through: origin.through ?? null,
        keyFingerprint: fetch.keyFingerprint ?? null,
        openedAtMs: fetch.openedAtMs,
        closedAtMs: fetch.closedAtMs,
        sentBytes: ranges.reduce((sum, range) => sum + range.endBytes - range.startBytes, 0),
        ranges,
        isWhole: isWhole(ranges, fetch.sizeBytes) && !fetch.isCut,
        isCut: fetch.isCut,
      };
      await new Promise<void>((done, failed) => {
        waiting.push({ row, done, failed });
        // The next turn of the loop writes, so that closes of the same turn are one batch.
        if (!isWriting && waiting.length === 1) setImmediate(() => void write());
      });
    },

    /** Receipts of one statement, oldest first. The caller has been checked. */
    async listOfStatement(statementId: string, limit: number): Promise<Receipt[]> {
      return store.listReceiptsOfStatement(database.sql, statementId, limit);
    },

    /** Receipts of one client, newest first. Shape: `next` is the id to go on after. */
    async listOfClient(
      clientId: string,
      page: { after: string | undefined; limit: number },
    ): Promise<{ items: Receipt[]; next: string | undefined }> {
      const rows = await store.listReceipts(database.sql, { clientId, beforeId: page.after, limit: page.limit + 1 });
      const items = rows.slice(0, page.limit);
      return { items, next: rows.length > page.limit ? items.at(-1)?.receiptId : undefined };
    },
  };
}

export type Receipts = ReturnType<typeof createReceipts>;

const batchMax = 500;
