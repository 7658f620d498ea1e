// Faults that strike between two steps, drawn from a seed: what a killed process or a failing medium leaves behind.
import { randomBytes } from 'node:crypto';
import type { BlobStore } from '../server/kernel/blobs.ts';
import { createSeededRandom, randomBelow } from '../server/kernel/random.ts';
import { Outage } from '../server/kernel/refusal.ts';
import type { Database, Sql } from '../server/kernel/sql.ts';

/** One call in `oneIn` is broken off, before or after its effect. A failed test repeats with the seed that it printed. */
export function createRandomFaults(options: { seed?: string; oneIn?: number } = {}) {
  const { seed = process.env['BROADGATE_TEST_SEED'] ?? randomBytes(4).toString('hex'), oneIn = 60 } = options;
  const random = createSeededRandom(seed);
  const strikes = (): boolean => randomBelow(random, oneIn) === 0;

  async function around<Result>(work: () => Promise<Result>): Promise<Result> {
    if (strikes()) throw new Outage('the medium');
    const result = await work();
    if (strikes()) throw new Outage('the medium');
    return result;
  }

  const wrapSql = (sql: Sql): Sql =>
    ((text: TemplateStringsArray, ...values: readonly unknown[]) => around(() => sql(text, ...values))) as Sql;

  return {
    seed,
    around,
    /** A transaction may be broken off anywhere, and also right after its commit. */
    database: (database: Database): Database => ({
      ...database,
      sql: wrapSql(database.sql),
      transaction: (work) => around(() => database.transaction((sql) => work(wrapSql(sql)))),
    }),
    blobs: (blobs: BlobStore): BlobStore => ({
      ...blobs,
      put: (bytes) => around(() => blobs.put(bytes)),
      remove: (blobId) => around(() => blobs.remove(blobId)),
    }),
  };
}
