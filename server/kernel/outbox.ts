// What happened, recorded with the change itself, and told to those concerned after commit until they have taken it in.
import { describeFault, type Log } from './log.ts';
import type { Clock } from './clock.ts';
import type { Ids } from './ids.ts';
import { enqueue, type Task } from './jobs.ts';
import { type JsonValue, storableJson } from './json.ts';
import { refusals } from './rules.ts';
import type { Database, Sql } from './sql.ts';

export interface OutboxEvent {
  readonly eventId: string;
  readonly kind: string;
  readonly payload: JsonValue;
  readonly recordedAtMs: number;
}

/** Takes one event in. It may be given the same event again, and must then do nothing more. A throw means: again later. */
export type Consumer = (event: OutboxEvent) => Promise<void>;

export interface DeadEvent extends OutboxEvent {
  readonly attempts: number;
  readonly lastFault: string;
}

export type Outbox = ReturnType<typeof createOutbox>;

/** The name under which the job runner knows the outbox. */
const taskName = 'outbox';
const attemptsMax = 25;

/**
 * The table is the record; a job a row is only the trigger. An event is `pending` until every consumer of its kind took
 * it in (`done`) or the last try failed (`dead`, shown by doctor, tried again on request).
 */
export function createOutbox(parts: { clock: Clock; ids: Ids; log?: Log }) {
  const { clock, ids, log } = parts;
  const consumers = new Map<string, Consumer[]>();

  async function deliver(database: Database, eventId: string, isLast: boolean): Promise<'done' | 'dead' | 'gone'> {
    const [event] = await database.sql<OutboxEvent>`
      select event_id as "eventId", kind, payload, recorded_at_ms as "recordedAtMs"
      from outbox where event_id = ${eventId} and state = 'pending'`;
    if (!event) return 'gone';
    try {
      const concerned = consumers.get(event.kind);
      if (!concerned) throw new Error(`nobody consumes events of kind ${event.kind}`);
      for (const consume of concerned) await consume(event);
    } catch (fault) {
      const text = JSON.stringify(describeFault(fault)).slice(0, 4000);
      await database.sql`
        update outbox set attempts = attempts + 1, last_fault = ${text.replaceAll('\0', '')},
          state = ${isLast ? 'dead' : 'pending'}, ended_at_ms = ${isLast ? clock.nowMs() : null}
        where event_id = ${eventId} and state = 'pending'`;
      if (!isLast) throw fault;
      log?.fault('an event was given up', fault, { event: eventId, kind: event.kind });
      return 'dead';
    }
    await database.sql`
      update outbox set state = 'done', attempts = attempts + 1, ended_at_ms = ${clock.nowMs()}
      where event_id = ${eventId} and state = 'pending'`;
    return 'done';
  }

  return {
    /** Adds a consumer of a kind; all of a kind are given each event, in the order of their adding. */
    consume(kind: string, consumer: Consumer): void {
      consumers.set(kind, [...(consumers.get(kind) ?? []), consumer]);
    },

    /** Records an event in the caller's transaction and returns its id. */
    async record(sql: Sql, event: { kind: string; payload: JsonValue }): Promise<string> {
      const eventId = ids.next();
      await sql`insert into outbox (event_id, kind, payload, recorded_at_ms)
        values (${eventId}, ${event.kind}, ${JSON.stringify(storableJson(event.payload))}::jsonb, ${clock.nowMs()})`;
      await trigger(sql, eventId);
      return eventId;
    },

    /** The task to hand to the job runner. */
    tasks(database: Database): Record<string, Task> {
      return {
        [taskName]: async (payload, attempt) => {
          await deliver(database, (payload as { eventId: string }).eventId, attempt.isLast);
        },
      };
    },

    /** Delivers what is pending now, in order, without the job runner: for commands and tests. The first fault is thrown. */
    async deliverPending(database: Database): Promise<number> {
      let delivered = 0;
      for (let after = ''; ; ) {
        const page = await database.sql<{ eventId: string }>`
          select event_id as "eventId" from outbox where state = 'pending' and event_id > ${after} order by event_id limit 100`;
        if (page.length === 0) return delivered;
        for (const { eventId } of page) if ((await deliver(database, eventId, false)) === 'done') delivered += 1;
        after = page.at(-1)!.eventId;
      }
    },

    /** Triggers every pending event anew: after a restore, when the queue is empty and the record is not. */
    async triggerPending(sql: Sql): Promise<number> {
      const pending = await sql<{ eventId: string }>`
        select event_id as "eventId" from outbox where state = 'pending' order by event_id`;
      for (const { eventId } of pending) await trigger(sql, eventId);
      return pending.length;
    },

    /** Events that were given up, oldest first. */
    listDead: (sql: Sql, limit = 100): Promise<DeadEvent[]> => sql<DeadEvent>`
      select event_id as "eventId", kind, payload, recorded_at_ms as "recordedAtMs", attempts, last_fault as "lastFault"
      from outbox where state = 'dead' order by event_id limit ${Math.min(limit, 1000)}`,

    /** Tries an event again that was given up. Refuses: event_not_dead. */
    async revive(sql: Sql, eventId: string): Promise<void> {
      const revived = await sql`update outbox set state = 'pending', ended_at_ms = null
        where event_id = ${eventId} and state = 'dead' returning 1`;
      if (revived.length === 0) throw refusals.event_not_dead({ event: eventId });
      await trigger(sql, eventId);
    },

    /** How much waits, for metrics and doctor. */
    async count(sql: Sql): Promise<{ pending: number; dead: number; oldestPendingAtMs: number | undefined }> {
      const [row] = await sql<{ pending: number; dead: number; oldest: number | null }>`
        select count(*) filter (where state = 'pending')::int as pending, count(*) filter (where state = 'dead')::int as dead,
          min(recorded_at_ms) filter (where state = 'pending') as oldest
        from outbox where state <> 'done'`;
      return { pending: row!.pending, dead: row!.dead, oldestPendingAtMs: row!.oldest ?? undefined };
    },

    /** Deletes done events that ended before then, a bounded number at a time. Shape: how many were deleted. */
    async deleteDone(sql: Sql, beforeMs: number, limit = 10_000): Promise<number> {
      const gone = await sql`delete from outbox where event_id in (
        select event_id from outbox where state = 'done' and ended_at_ms < ${beforeMs} limit ${limit}) returning 1`;
      return gone.length;
    },
  };
}

const trigger = (sql: Sql, eventId: string): Promise<void> =>
  enqueue(sql, taskName, { eventId }, { key: `outbox:${eventId}`, attemptsMax });
