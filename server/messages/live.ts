// Changes for whoever is signed in, as they happen: who hears what, how many streams one sign-in may hold, and their end with it.
import { type Actor, isAtDesk } from '../kernel/actor.ts';
import type { Audience, Change, Changes } from '../kernel/changes.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Database, Sql } from '../kernel/sql.ts';
import { audiencesOf, refusals, streamsOfSignInMax } from './rules.ts';

/** What live changes ask of identity. */
interface IdentityDoor {
  /** Of these sign-ins those that still open something, with the desks of their owner now. */
  listAliveSignIns(sql: Sql, signInIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** One who listens. */
export interface Listener {
  /** First of all, where nothing was missed: what to resume from as long as nothing else is heard. */
  ready(id: string): void;
  changed(change: Change): void;
  /** Something may have been missed. */
  reset(id: string): void;
  /** The sign-in is over. */
  end(): void;
}

interface Stream {
  readonly desks: readonly string[];
  readonly listener: Listener;
}

export type Live = ReturnType<typeof createLive>;

const checkedEveryMs = 25_000;
const checkedAtOnce = 1000;

export function createLive(parts: {
  database: Database;
  clock: Clock;
  changes: Pick<Changes, 'follow'>;
  identity: IdentityDoor;
  log: Pick<Log, 'fault'>;
}) {
  const { database, clock, changes, log } = parts;
  /** By sign-in. */
  const streams = new Map<string, Set<Stream>>();

  function end(signInId: string): void {
    for (const stream of streams.get(signInId) ?? []) stream.listener.end();
  }

  /** Ends what stands on a sign-in that ended by its date, by idleness, or in another way that nobody told. */
  async function check(signInIds: readonly string[]): Promise<void> {
    for (let at = 0; at < signInIds.length; at += checkedAtOnce) {
      const some = signInIds.slice(at, at + checkedAtOnce);
      const alive = await parts.identity.listAliveSignIns(database.sql, some);
      for (const signInId of some) {
        const desks = alive.get(signInId)?.join();
        // Whoever changed desks hears of others from now on: the stream ends, and a new one is opened with them.
        for (const stream of streams.get(signInId) ?? []) if (stream.desks.join() !== desks) stream.listener.end();
      }
    }
  }

  const checkLater = (signInIds: readonly string[]): void => {
    check(signInIds).catch((fault: unknown) => log.fault('open streams could not be checked', fault));
  };

  return {
    /**
     * The delivery desk may follow one client beside its own queue.
     * Refuses: events_forbidden, streams_too_many.
     */
    checkMayFollow(actor: Actor, clientId?: string): void {
      const { through } = actor.origin;
      if (actor.kind === 'system' || through === undefined) throw refusals.events_forbidden();
      if (clientId !== undefined && !isAtDesk(actor, 'delivery')) throw refusals.events_forbidden();
      const count = streams.get(through)?.size ?? 0;
      if (count >= streamsOfSignInMax) throw refusals.streams_too_many({ streamsMax: streamsOfSignInMax });
    },

    /** Follows what concerns the actor. The caller has asked `checkMayFollow` just before. */
    follow(
      actor: Actor,
      asked: { since: string | undefined; clientId?: string | undefined },
      listener: Listener,
    ): { close(): void } {
      const signInId = actor.origin.through!;
      const own = streams.get(signInId) ?? new Set();
      const stream = { desks: actor.kind === 'operator' ? [...actor.desks] : [], listener };
      streams.set(signInId, own.add(stream));
      const audiences: Audience[] = audiencesOf(actor, asked.clientId);
      const following = changes.follow(audiences, asked.since, listener);
      if (following.isWhole) listener.ready(following.at);
      else listener.reset(following.at);
      // What ended since the caller was found was told before it stood here.
      checkLater([signInId]);
      return {
        close() {
          following.close();
          own.delete(stream);
          if (own.size === 0) streams.delete(signInId);
        },
      };
    },

    /** How many streams this process holds. */
    count(): number {
      let sum = 0;
      for (const own of streams.values()) sum += own.size;
      return sum;
    },

    /** Ends streams with their sign-ins from now on. */
    async start(): Promise<{ close(): Promise<void> }> {
      const ear = await database.listen('sign_in_ended', (signInId) => {
        if (signInId === '') checkLater([...streams.keys()]);
        else end(signInId);
      });
      let timer: Timer = clock.after(checkedEveryMs, again);
      function again(): void {
        checkLater([...streams.keys()]);
        timer = clock.after(checkedEveryMs, again);
      }
      return {
        async close() {
          timer.close();
          await ear.close();
        },
      };
    },
  };
}
