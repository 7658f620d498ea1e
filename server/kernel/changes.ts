// What changed, told to every process at once over LISTEN/NOTIFY: kinds and ids, never content, and a bounded log to resume from.
//
// Triggers tell most changes in the transaction that makes them; what happens many times a second is told after it, by
// `tellChanges`. All processes hear the same in the same order, so an id given out by one is found in the log of another.
import { createHash } from 'node:crypto';
import type { Clock, Timer } from './clock.ts';
import type { Ids } from './ids.ts';
import type { Database, Sql } from './sql.ts';

/** Whom a change concerns: `client:<id>`, `login:<id>`, `operator:<id>`, `desk:<name>`. */
export type Audience = string;

export interface Change {
  /** Opaque, the same in every process. */
  readonly id: string;
  /** What sort of thing changed, in snake case. */
  readonly kind: string;
  /** Which one; absent where the change is of the kind as a whole. */
  readonly subject: string | undefined;
}

/** One who listens. `reset` says that changes may have been missed: whatever was read before must be read again. */
export interface Follower {
  changed(change: Change): void;
  reset(id: string): void;
}

export interface Following {
  /** What to resume from as long as nothing is heard. */
  readonly at: string;
  /** False where the log does not hold what was asked for: something may have been missed. */
  readonly isWhole: boolean;
  close(): void;
}

export type Changes = ReturnType<typeof createChanges>;

const channel = 'changes';
const loggedMax = 4096;
// Changes of one moment reach a follower together, the same thing once.
const gatheredMs = 50;
const pendingMax = 500;

interface Logged extends Change {
  readonly audiences: readonly Audience[];
}

interface Seat {
  readonly follower: Follower;
  readonly audiences: readonly Audience[];
  /** By kind and subject, the latest last; undefined once too much came at a time and only a reset is left. */
  pending: Map<string, Change> | undefined;
}

/** Tells changes now, outside the transaction that made them: a crash between the two loses the telling and nothing else. */
export async function tellChanges(
  sql: Sql,
  changes: readonly { kind: string; subject?: string; audiences: readonly Audience[] }[],
  ids: Ids,
): Promise<void> {
  if (changes.length === 0) return;
  const payloads = changes.map(
    ({ kind, subject = '-', audiences }) => `${ids.next()} ${kind} ${subject} ${audiences.join(',')}`,
  );
  await sql`select pg_notify(${channel}, payload) from unnest(${payloads}::text[]) as payload`;
}

export function createChanges(parts: { database: Database; clock: Clock; ids: Ids }) {
  const { database, clock, ids } = parts;
  const seats = new Map<Audience, Set<Seat>>();
  const waiting = new Set<Seat>();
  // A mark stands at the beginning: whoever heard nothing yet resumes from it.
  let logged: Logged[] = [markNow()];
  let timer: Timer | undefined;

  function markNow(): Logged {
    return { id: ids.next(), kind: 'mark', subject: undefined, audiences: [] };
  }

  function wake(seat: Seat): void {
    waiting.add(seat);
    timer ??= clock.after(gatheredMs, give);
  }

  function give(): void {
    timer = undefined;
    const due = [...waiting];
    waiting.clear();
    for (const seat of due) {
      const { pending } = seat;
      seat.pending = new Map();
      if (pending === undefined) seat.follower.reset(latest());
      else for (const change of pending.values()) seat.follower.changed(change);
    }
  }

  const latest = (): string => logged.at(-1)!.id;

  function add(seat: Seat, change: Change): void {
    const { pending } = seat;
    if (pending !== undefined) {
      const key = `${change.kind} ${change.subject ?? ''}`;
      pending.delete(key);
      pending.set(key, change);
      if (pending.size > pendingMax) seat.pending = undefined;
    }
    wake(seat);
  }

  function heard(payload: string): void {
    const change = parse(payload);
    if (change === undefined) return lose();
    logged.push(change);
    // Cut now and then, so that a change costs no copy of the whole log.
    if (logged.length > 2 * loggedMax) logged = logged.slice(-loggedMax);
    // A change that concerns somebody twice is given once: the second sets the same key.
    for (const audience of change.audiences) for (const seat of seats.get(audience) ?? []) add(seat, change);
  }

  /** Changes were missed, or too many came at a time to be told one by one. */
  function lose(): void {
    logged = [markNow()];
    for (const seat of new Set([...seats.values()].flatMap((set) => [...set]))) {
      seat.pending = undefined;
      wake(seat);
    }
  }

  return {
    /** Begins to listen. Until then, and after it is closed, nothing is heard. */
    async start(): Promise<{ close(): Promise<void> }> {
      const ear = await database.listen(channel, heard);
      return {
        async close() {
          timer?.close();
          await ear.close();
        },
      };
    },

    /** Follows what concerns these audiences, from the change after `since` where the log still holds it. */
    follow(audiences: readonly Audience[], since: string | undefined, follower: Follower): Following {
      const seat: Seat = { follower, audiences, pending: new Map() };
      for (const audience of audiences) seats.set(audience, (seats.get(audience) ?? new Set()).add(seat));
      const at = since === undefined ? -1 : logged.findLastIndex((change) => change.id === since);
      const missed = at === -1 ? [] : logged.slice(at + 1);
      for (const change of missed) {
        if (change.audiences.some((audience) => audiences.includes(audience))) add(seat, change);
      }
      return {
        at: at === -1 ? latest() : since!,
        isWhole: since === undefined || at !== -1,
        close() {
          waiting.delete(seat);
          for (const audience of audiences) {
            const set = seats.get(audience);
            set?.delete(seat);
            if (set?.size === 0) seats.delete(audience);
          }
        },
      };
    },
  };
}

/** `<nonce> <kind> <subject or -> <audience>,…`. Shape: undefined for an empty payload, which says that something was missed. */
function parse(payload: string): Logged | undefined {
  const [nonce = '', kind = '', subject = '-', audiences = ''] = payload.split(' ');
  if (nonce === '') return undefined;
  // The payload is the same in every process, and so is what is made of it.
  const id = createHash('sha256').update(payload).digest('base64url').slice(0, 22);
  return { id, kind, subject: subject === '-' ? undefined : subject, audiences: audiences.split(',') };
}
