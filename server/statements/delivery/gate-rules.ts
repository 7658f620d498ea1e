// Decides one sign-in from its facts: who comes in, who fails like a stranger, and who is held in silence.
import { dateInZone } from '../../kernel/clock.ts';
import type { RefusalDetail, RefusalReason } from '../connections/rules.ts';
import { isOpenForSignIn, type ConnectionState, type SshKeyState } from './state-rules.ts';

/** What the caller brought, made printable. */
export interface SignInQuestion {
  readonly method: string;
  readonly fingerprint: string | undefined;
  readonly algorithm: string | undefined;
  /** What the face found wrong with the attempt itself. */
  readonly fault: string | undefined;
  readonly nowMs: number;
  readonly zone: string;
}

/** What is on file about the name, the key and the address it brought; null where there is nothing. */
export interface KnownFacts {
  readonly clientId: string | null;
  readonly clientState: 'active' | 'suspended' | 'closed' | undefined;
  readonly state: ConnectionState | null;
  readonly keyState: SshKeyState | null;
  readonly keyExpiresAtMs: number | null;
  readonly keyEndedAtMs: number | null;
  readonly listedWidth: number | null;
  readonly blockedWidth: number | null;
}

export type Decision =
  | { readonly verdict: 'accept' }
  | { readonly verdict: 'reject' | 'hold'; readonly reason: RefusalReason | undefined; readonly detail: RefusalDetail };

const reject = (reason: RefusalReason | undefined, detail: RefusalDetail = {}): Decision => ({
  verdict: 'reject',
  reason,
  detail,
});

/** The longest prefix decides between a client's entry and a block; a block wins between equals. */
export const isAddressListed = (facts: Pick<KnownFacts, 'listedWidth' | 'blockedWidth'>): boolean =>
  facts.listedWidth !== null && (facts.blockedWidth === null || facts.listedWidth > facts.blockedWidth);

/**
 * SF-13, SF-19, SF-21, D-15. A name that was not issued, or whose connection is not open, fails like any wrong key. Only then is
 * the address looked at: a listed one goes on to the key, another is held without a further byte.
 */
export function decideSignIn(asked: SignInQuestion, facts: KnownFacts): Decision {
  // What was typed is not kept: people type passwords where a name is asked for.
  if (facts.clientId === null || facts.state === null) return reject('unknown_user');
  if (facts.clientState !== 'active') return reject('client_suspended');
  if (facts.state === 'suspended') return reject('connection_suspended');
  if (facts.state === 'closed') return reject('connection_closed');
  if (!isOpenForSignIn(facts.state)) return reject('not_configured');
  if (!isAddressListed(facts)) {
    const isBlocked = facts.listedWidth !== null;
    return { verdict: 'hold', reason: isBlocked ? 'address_blocked' : 'address_not_yours', detail: {} };
  }
  const { fingerprint = 'unknown' } = asked;
  if (asked.method === 'none') return reject(undefined);
  if (asked.method === 'password' || asked.method === 'keyboard-interactive') return reject('password_offered');
  if (asked.method !== 'publickey') return reject('method_not_offered', { method: asked.method });
  if (asked.fault === 'signature_wrong') return reject('signature_wrong', { fingerprint });
  if (asked.fault === 'algorithm_not_offered') {
    return reject('signature_algorithm_old', { algorithm: asked.algorithm ?? 'unknown', fingerprint });
  }
  if (asked.fault !== undefined || asked.fingerprint === undefined) {
    return reject('key_unfit', { fault: asked.fault ?? 'key_malformed' });
  }
  return decideKey(asked, facts, fingerprint);
}

function decideKey(asked: SignInQuestion, facts: KnownFacts, fingerprint: string): Decision {
  const on = (atMs: number | null): string => dateInZone(atMs ?? asked.nowMs, asked.zone);
  switch (facts.keyState) {
    case 'active':
      if (facts.keyExpiresAtMs !== null && facts.keyExpiresAtMs <= asked.nowMs) {
        return reject('key_expired', { fingerprint, on: on(facts.keyExpiresAtMs) });
      }
      return { verdict: 'accept' };
    case 'replaced':
      return reject('key_replaced', { fingerprint, on: on(facts.keyEndedAtMs) });
    case 'revoked':
      return reject('key_revoked', { fingerprint, on: on(facts.keyEndedAtMs) });
    case 'expired':
      return reject('key_expired', { fingerprint, on: on(facts.keyExpiresAtMs) });
    case 'checked':
    case 'confirmed':
    case 'approved':
    case 'submitted':
      return reject('key_waiting', { fingerprint });
    default:
      return reject('key_not_registered', { fingerprint });
  }
}

/** A connection that is open and may stay so. */
export function mayStay(
  facts: {
    keyState: SshKeyState | null;
    keyExpiresAtMs: number | null;
    state: ConnectionState | null;
    isListed: boolean;
    clientState: string | undefined;
  },
  nowMs: number,
): boolean {
  const isKeyGood = facts.keyState === 'active' && (facts.keyExpiresAtMs === null || facts.keyExpiresAtMs > nowMs);
  return (
    isKeyGood &&
    facts.state !== null &&
    isOpenForSignIn(facts.state) &&
    facts.isListed &&
    facts.clientState === 'active'
  );
}
