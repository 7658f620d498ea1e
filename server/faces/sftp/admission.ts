// Who may begin to sign in, when many want to: early drop of strangers, a cap for each known address, and caps in total.
// It only counts; listener.ts acts.
import type { Random } from '../../kernel/random.ts';
import { randomBelow } from '../../kernel/random.ts';
import { sourceOf } from './addresses.ts';

export interface AdmissionLimits {
  /** Early drop of strangers as in sshd's MaxStartups: from `start` on, with `percent`, and all from `full` on. */
  readonly dropStart: number;
  readonly dropPercent: number;
  readonly dropFull: number;
  /** Connections that are not signed in, of one source that is not known, and of one that is. */
  readonly strangerSigningInMax: number;
  readonly knownSigningInMax: number;
  /** All connections of one source, and of all. */
  readonly sourceConnectionsMax: number;
  readonly connectionsMax: number;
}

export const defaultAdmissionLimits: AdmissionLimits = {
  dropStart: 10,
  dropPercent: 30,
  dropFull: 100,
  strangerSigningInMax: 30,
  knownSigningInMax: 50,
  sourceConnectionsMax: 200,
  connectionsMax: 5000,
};

export type Admitted =
  | { readonly verdict: 'take'; readonly place: Place }
  | { readonly verdict: 'dropped_early' | 'too_many_connections' };

/** The place of one connection in the counts. */
export interface Place {
  /** It no longer counts as signing in: it is signed in, or it is held. */
  leaveSignIn(): void;
  /** It no longer counts at all. Both may be called more than once. */
  leave(): void;
}

export function createAdmission(
  limits: AdmissionLimits,
  random: Random,
  /** Whether the address has a sign-in in the last hour. */
  isKnown: (address: string) => boolean,
) {
  const signingIn = createTally();
  const all = createTally();
  let strangersSigningIn = 0;

  /** sshd_config(5) MaxStartups: the chance rises in a line from `percent` at `start` to all at `full`. */
  function isDroppedEarly(): boolean {
    if (strangersSigningIn < limits.dropStart) return false;
    if (strangersSigningIn >= limits.dropFull) return true;
    const span = limits.dropFull - limits.dropStart;
    const rise = ((100 - limits.dropPercent) * (strangersSigningIn - limits.dropStart)) / span;
    return randomBelow(random, 10_000) < (limits.dropPercent + rise) * 100;
  }

  return {
    /** Judges a new connection and, where it is taken, counts it. */
    admit(address: string): Admitted {
      const source = sourceOf(address);
      if (all.total >= limits.connectionsMax || all.of(source) >= limits.sourceConnectionsMax) {
        return { verdict: 'too_many_connections' };
      }
      const known = isKnown(address);
      const signingInMax = known ? limits.knownSigningInMax : limits.strangerSigningInMax;
      if (signingIn.of(source) >= signingInMax) return { verdict: 'too_many_connections' };
      // T7: a client that signed in within the hour is not shut out by a crowd of strangers.
      if (!known && isDroppedEarly()) return { verdict: 'dropped_early' };
      const leaveAll = all.add(source);
      const leaveSigningIn = signingIn.add(source);
      let isStranger = !known;
      if (isStranger) strangersSigningIn++;
      const leaveSignIn = (): void => {
        leaveSigningIn();
        if (isStranger) strangersSigningIn--;
        isStranger = false;
      };
      const leave = (): void => {
        leaveSignIn();
        leaveAll();
      };
      return { verdict: 'take', place: { leaveSignIn, leave } };
    },
    get counts() {
      return { connections: all.total, signingIn: signingIn.total, strangersSigningIn };
    },
  };
}

/** Counts by source; a source without connections takes no memory. */
function createTally() {
  const bySource = new Map<string, number>();
  let total = 0;
  return {
    of: (source: string): number => bySource.get(source) ?? 0,
    get total(): number {
      return total;
    },
    /** Answers how to take it back; once counts. */
    add(source: string): () => void {
      total++;
      bySource.set(source, (bySource.get(source) ?? 0) + 1);
      let isThere = true;
      return () => {
        if (!isThere) return;
        isThere = false;
        total--;
        const left = bySource.get(source)! - 1;
        if (left === 0) bySource.delete(source);
        else bySource.set(source, left);
      };
    },
  };
}
