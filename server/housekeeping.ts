// What is done by the clock and belongs to no statement: seals, warnings, and the end of what need not be kept.
import type { Audit } from './kernel/audit.ts';
import type { Clock } from './kernel/clock.ts';
import type { Task } from './kernel/jobs.ts';
import type { Outbox } from './kernel/outbox.ts';
import type { Requests } from './kernel/requests.ts';
import type { Database } from './kernel/sql.ts';
import type { Identity } from './identity/identity.ts';
import type { Messages } from './messages/messages.ts';
import type { Delivery } from './statements/delivery/delivery.ts';

const dayMs = 86_400_000;
/** An answer to a repeated request is kept this long; a caller that repeats later than that does something new. */
const answersKeptMs = 7 * dayMs;
const eventsKeptMs = 30 * dayMs;

/** Each task may run twice, and on any process. */
export function housekeeping(parts: {
  database: Database;
  clock: Clock;
  audit: Audit;
  outbox: Outbox;
  requests: Requests;
  identity: Pick<Identity, 'purge'>;
  messages: Pick<Messages, 'purge'>;
  delivery: Pick<Delivery, 'warnOfExpiry' | 'purgeHistory'>;
}): { tasks: Record<string, Task>; crontab: string } {
  const { database, clock, audit, outbox, requests, identity, messages, delivery } = parts;
  return {
    tasks: {
      'audit:seal': async () => void (await audit.seal(database)),
      'keys:warn': async () => void (await delivery.warnOfExpiry()),
      'history:purge': async () => {
        await delivery.purgeHistory();
        await messages.purge();
        await identity.purge(database.sql);
        const doneMs = clock.nowMs() - eventsKeptMs;
        await drain((limit) => outbox.deleteDone(database.sql, doneMs, limit));
        await drain((limit) => requests.forget(database.sql, answersKeptMs, limit));
      },
    },
    crontab: ['* * * * * audit:seal', '17 * * * * keys:warn', '43 3 * * * history:purge'].join('\n'),
  };
}

const deletedAtOnce = 10_000;

/** A day may bring more than one deletion takes: it is repeated until it finds less. */
async function drain(take: (limit: number) => Promise<number>): Promise<void> {
  for (let count = deletedAtOnce; count >= deletedAtOnce; ) count = await take(deletedAtOnce);
}

/** The crontab line `m h dom mon dow` for something that is done every so many minutes, counted from midnight. */
export function crontabEvery(minutes: number): string {
  if (minutes < 60) return `*/${minutes} * * * *`;
  return minutes === 1440 ? '7 0 * * *' : `7 */${minutes / 60} * * *`;
}
