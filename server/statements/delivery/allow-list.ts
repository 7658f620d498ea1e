// The address allow-list as a process holds it: a prefix table in memory, renewed when the list changes, with the database behind it.
import type { Clock } from '../../kernel/clock.ts';
import { createSemaphore } from '../../kernel/limits.ts';
import type { Log } from '../../kernel/log.ts';
import type { Database } from '../../kernel/sql.ts';
import { findEffect, listActiveNetworks } from './address-store.ts';
import { type PrefixTable, readPrefixTable } from './prefix-table.ts';

export type AllowList = ReturnType<typeof createAllowList>;

/** Renewed at least this often, so that a lost notification cannot last; a list that takes long to read, less often. */
const renewedEveryMs = 60_000;
const restsBetweenRenewals = 200;
/** A list that changes while it is read is read again, but a long one not without a rest: reading must not be all we do. */
const restsWhileChanging = 9;
const quickMs = 50;
const lookUpsAtOnce = 4;
const lookUpsWaiting = 64;

export function createAllowList(parts: { database: Database; clock: Clock; log: Log }) {
  const { database, clock, log } = parts;
  let table: PrefixTable | undefined;
  let isStale = true;
  let renewing: Promise<void> | undefined;
  let tookMs = 0;
  const lookUps = createSemaphore({ permits: lookUpsAtOnce, waitingMax: lookUpsWaiting, what: 'the allow-list' });

  async function load(): Promise<void> {
    // A change heard while the rows are read makes the table stale again, and it is read once more.
    do {
      isStale = false;
      const startedMs = clock.monotonicMs();
      try {
        table = await readPrefixTable(listActiveNetworks(database.sql));
      } catch (fault) {
        isStale = true;
        throw fault;
      }
      tookMs = clock.monotonicMs() - startedMs;
      // Until it is read again addresses are looked up where they stand, so nobody waits for this.
      if (isStale && tookMs > quickMs) await rest(tookMs * restsWhileChanging);
    } while (isStale);
  }

  const rest = (ms: number): Promise<void> => {
    const over = Promise.withResolvers<void>();
    clock.after(Math.min(ms, renewedEveryMs), over.resolve);
    return over.promise;
  };

  /** Reads the list anew; callers at the same time share one reading. */
  function renew(): Promise<void> {
    isStale = true;
    renewing ??= load().finally(() => (renewing = undefined));
    return renewing;
  }

  const renewLater = (): void => {
    renew().catch((fault: unknown) => log.fault('the allow-list could not be read', fault));
  };

  return {
    renew,

    /** The entry in memory that decides, without asking the database. */
    find: (address: string) => table?.find(address),

    /**
     * True when an address is let in. An address that memory does not know is looked up, because its entry may be a moment
     * old; where that is not possible, memory's answer stands.
     */
    async admits(address: string): Promise<boolean> {
      const found = isStale ? undefined : table?.find(address);
      if (found !== undefined) return found === 'allow';
      try {
        return (await lookUps.run(() => findEffect(database.sql, address))) === 'allow';
      } catch (fault) {
        log.debug('an address was judged from memory alone', { fault });
        return table?.find(address) === 'allow';
      }
    },

    /** Reads the list and keeps it current from now on. Shape: close it to stop listening. */
    async start(): Promise<{ close(): Promise<void> }> {
      const ear = await database.listen('allow_list_changed', renewLater);
      await renew();
      let isClosed = false;
      const pauseMs = (): number => Math.max(renewedEveryMs, tookMs * restsBetweenRenewals);
      let timer = clock.after(pauseMs(), again);
      function again(): void {
        if (isClosed) return;
        renewLater();
        timer = clock.after(pauseMs(), again);
      }
      return {
        async close() {
          isClosed = true;
          timer.close();
          await ear.close();
        },
      };
    },
  };
}
