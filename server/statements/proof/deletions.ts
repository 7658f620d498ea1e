// The deletion log: what was taken away, when and why, each row bound to the one before by its hash, its head signed.
import type { Clock } from '../../kernel/clock.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import type { EncryptionPool } from '../issuing/encryption-pool.ts';
import * as store from './deletions-store.ts';
import { type DeletionFacts, firstHash, hashDeletion, sealText } from './rules.ts';

export type NewDeletion = Omit<DeletionFacts, 'number' | 'deletedAtMs'>;

export interface Deletion extends DeletionFacts {
  readonly hash: string;
}

export type DeletionVerdict =
  | { readonly whole: true; readonly rows: number; readonly hash: string }
  | { readonly whole: false; readonly number: number };

export function createDeletions(parts: {
  database: Database;
  clock: Clock;
  pool: Pick<EncryptionPool, 'sign'>;
  keyFingerprint: string;
}) {
  const { database, clock, pool, keyFingerprint } = parts;
  return {
    /** Appends rows in the caller's transaction, which then holds the log's lock: do it last. */
    async append(sql: Sql, rows: readonly NewDeletion[]): Promise<void> {
      if (rows.length === 0) return;
      await store.lockLog(sql);
      const head = await store.findHead(sql);
      let number = head?.number ?? 0;
      let hash = head?.hash ?? firstHash;
      const deletedAtMs = clock.nowMs();
      const hashed = rows.map((row) => {
        number += 1;
        const facts = { ...row, number, deletedAtMs };
        hash = hashDeletion(hash, facts);
        return { ...facts, hash };
      });
      await store.insertDeletions(sql, hashed);
    },

    /** Signs the head of the log, unless it is signed already. */
    async seal(): Promise<void> {
      const head = await store.findHead(database.sql);
      if (head === undefined) return;
      const sealedAtMs = clock.nowMs();
      const signature = await pool.sign({
        data: Buffer.from(sealText({ ...head, sealedAtMs })),
        signedAtMs: sealedAtMs,
      });
      await store.insertSeal(database.sql, { ...head, sealedAtMs, signature, keyFingerprint });
    },

    /** Newest first; of one client, or of all. Shape: `next` is the number to go on after. */
    async list(
      clientId: string | undefined,
      page: { before: number | undefined; limit: number },
    ): Promise<{ items: Deletion[]; next: number | undefined }> {
      const rows = await store.listDeletions(database.sql, { clientId, before: page.before, limit: page.limit + 1 });
      const items = rows.slice(0, page.limit);
      return { items, next: rows.length > page.limit ? items.at(-1)?.number : undefined };
    },

    /** Recomputes the whole chain. Shape: the first row that does not fit, if one does not. */
    async verify(): Promise<DeletionVerdict> {
      let [number, hash] = [0, firstHash];
      for (;;) {
        const page = await store.listFrom(database.sql, number, verifyPageRows);
        if (page.length === 0) return { whole: true, rows: number, hash };
        for (const row of page) {
          if (row.number !== number + 1 || hashDeletion(hash, row) !== row.hash)
            return { whole: false, number: number + 1 };
          number = row.number;
          hash = row.hash;
        }
      }
    },
  };
}

export type Deletions = ReturnType<typeof createDeletions>;

const verifyPageRows = 1000;
