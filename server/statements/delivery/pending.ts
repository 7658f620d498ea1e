// Refusals of connections that may still sign in: a program that offers three keys, the last of them right, was not refused.
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Recorder, RefusedConnection } from '../connections/recorder.ts';

export type Tried = Omit<RefusedConnection, 'reason'> & {
  /** undefined for the question which methods there are, which refuses nothing by itself. */
  readonly reason: RefusedConnection['reason'] | undefined;
};

interface Waiting {
  readonly tried: Map<string, RefusedConnection>;
  /** Who asked for the methods, if nothing else came. */
  asked: Tried | undefined;
  /** The registered key that was offered and has not signed yet. */
  offered: RefusedConnection | undefined;
  timer: Timer | undefined;
}

/** A program that goes on within this time is still trying its keys. */
const settledAfterMs = 2000;
const connectionsMax = 4096;
const triesMax = 16;

export function createPending(parts: { clock: Clock; recorder: Recorder }) {
  const waiting = new Map<string, Waiting>();

  /** Records what was tried so far; what is tried later is recorded later. */
  function flush(connectionId: string): void {
    const found = waiting.get(connectionId);
    if (found === undefined) return;
    for (const refused of found.tried.values()) parts.recorder.record(refused);
    found.tried.clear();
    found.timer?.close();
    found.timer = undefined;
  }

  function end(connectionId: string): void {
    waiting.get(connectionId)?.timer?.close();
    waiting.delete(connectionId);
  }

  function findOrMake(connectionId: string): Waiting {
    const known = waiting.get(connectionId);
    if (known !== undefined) return known;
    const [oldest] = waiting.keys();
    if (waiting.size >= connectionsMax && oldest !== undefined) {
      flush(oldest);
      end(oldest);
    }
    const made: Waiting = { tried: new Map(), asked: undefined, offered: undefined, timer: undefined };
    waiting.set(connectionId, made);
    return made;
  }

  return {
    flush,

    /** The registered key was offered: if nothing follows, it could not be unlocked. */
    offered(
      connectionId: string,
      by: { address: string; clientId: string; userName: string; fingerprint: string },
    ): void {
      const { fingerprint, ...rest } = by;
      findOrMake(connectionId).offered = { ...rest, reason: 'key_not_unlocked', detail: { fingerprint } };
    },

    /** Notes one refused try of a connection that may go on. */
    add(connectionId: string, tried: Tried): void {
      const found = findOrMake(connectionId);
      const { reason } = tried;
      if (reason === undefined) {
        found.asked ??= tried;
        return;
      }
      const key = `${tried.userName} ${reason} ${tried.detail['fingerprint'] ?? ''}`;
      if (found.tried.size < triesMax) found.tried.set(key, { ...tried, reason });
      found.timer ??= parts.clock.after(settledAfterMs, () => flush(connectionId));
      found.asked = undefined;
    },

    /** The connection failed: what it tried is recorded, or else the reason given here. */
    fail(connectionId: string, refused: RefusedConnection): void {
      const found = waiting.get(connectionId);
      if (found?.offered !== undefined && refused.reason !== 'no_common_algorithm') {
        parts.recorder.record(found.offered);
      } else if (found !== undefined && found.tried.size > 0) {
        flush(connectionId);
      } else if (found?.asked !== undefined && refused.reason === 'left_before_sign_in') {
        parts.recorder.record({ ...found.asked, reason: 'no_key_offered' });
      } else if (
        found === undefined ||
        refused.reason === 'no_common_algorithm' ||
        refused.reason === 'protocol_error'
      ) {
        parts.recorder.record(refused);
      }
      end(connectionId);
    },

    /** Signed in after all. */
    drop: end,

    /** The connection is over, however it went. */
    end(connectionId: string): void {
      flush(connectionId);
      end(connectionId);
    },

    /** Records everything that still waits. */
    close(): void {
      for (const connectionId of waiting.keys()) {
        flush(connectionId);
        end(connectionId);
      }
    },
  };
}
