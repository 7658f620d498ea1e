// Commands that may be sent twice: the answer is kept in the transaction of the effect, and the same request gets it again.
import { createHash } from 'node:crypto';
import { type Actor, formatActor } from './actor.ts';
import type { Clock } from './clock.ts';
import { canonicalJson, type JsonValue } from './json.ts';
import { defineRefusals } from './refusal.ts';
import type { Sql } from './sql.ts';

export const refusals = defineRefusals({
  request_key_reused: {
    kind: 'conflict',
    text: 'This key was used for another request. Send a fresh Idempotency-Key with a new request.',
  },
  request_running: {
    kind: 'conflict',
    text: 'The same request is still running. Send it again in {retryAfterSeconds} s to get its answer.',
  },
});

export interface RepeatableRequest {
  readonly actor: Actor;
  readonly operation: string;
  /** The caller's key; without one the work simply runs. */
  readonly requestId: string | undefined;
  /** Everything that was asked for, so that a key used for something else is noticed. */
  readonly input: JsonValue;
}

export type Requests = ReturnType<typeof createRequests>;

export function createRequests(parts: { clock: Clock }) {
  return {
    /**
     * Runs the work once for a key and gives its result to everyone who sends the key again.
     * Shape: the result must be JSON, and is kept as text: no secret may be in it.
     * Refuses: request_key_reused, request_running.
     */
    async once<Result>(sql: Sql, request: RepeatableRequest, work: () => Promise<Result>): Promise<Result> {
      const { requestId, operation } = request;
      if (requestId === undefined) return work();
      const actor = formatActor(request.actor);
      const inputHash = createHash('sha256').update(canonicalJson(request.input)).digest('hex');
      // Held until the transaction ends, so that a second sender sees either the answer or that it is still being made.
      const scope = createHash('sha256')
        .update(JSON.stringify([actor, operation, requestId]))
        .digest();
      const [lock] = await sql<{ taken: boolean }>`
        select pg_try_advisory_xact_lock(${scope.readInt32BE(0)}::int, ${scope.readInt32BE(4)}::int) as taken`;
      if (!lock!.taken) throw refusals.request_running({ retryAfterSeconds: 1 });
      const [known] = await sql<{ inputHash: string; answer: string }>`
        select input_hash as "inputHash", answer from requests
        where actor = ${actor} and operation = ${operation} and request_id = ${requestId}`;
      if (known) {
        if (known.inputHash !== inputHash) throw refusals.request_key_reused();
        return JSON.parse(known.answer) as Result;
      }
      const result = await work();
      await sql`
        insert into requests (actor, operation, request_id, input_hash, answer, created_at_ms)
        values (${actor}, ${operation}, ${requestId}, ${inputHash}, ${JSON.stringify(result ?? null)}, ${parts.clock.nowMs()})`;
      return result;
    },

    /** Forgets answers older than this; keep them for at least a day. Shape: how many, at most `limit` a call. */
    async forget(sql: Sql, olderThanMs: number, limit = 10_000): Promise<number> {
      const gone = await sql`
        delete from requests where ctid in (
          select ctid from requests where created_at_ms < ${parts.clock.nowMs() - olderThanMs} limit ${limit})
        returning 1`;
      return gone.length;
    },
  };
}
