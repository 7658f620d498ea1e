// The delivery half of the SFTP gate: who is let in, from where, with which key; and which open connections must end.
import type { ClientActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Database } from '../../kernel/sql.ts';
import type { Recorder } from '../connections/recorder.ts';
import { printable } from '../connections/rules.ts';
import type { AllowList } from './allow-list.ts';
import type { DeliverySettings, IdentityDoor } from './delivery.ts';
import { decideSignIn } from './gate-rules.ts';
import { findSignInFacts } from './gate-store.ts';
import { createPending } from './pending.ts';

/** One authentication request as the face hands it on. */
export interface SignInAttempt {
  readonly connectionId: string;
  /** Canonical text. */
  readonly address: string;
  readonly user: string;
  readonly method: string;
  readonly key?: { readonly algorithm: string; readonly blob: Buffer; readonly fingerprint: string };
  readonly signed: boolean;
  /** Why the attempt can only fail; it is judged all the same, so that it is recorded, and held where that is due. */
  readonly fault?: string;
}

/** An accepted sign-in, as the face keeps it. */
export interface Ticket {
  readonly actor: ClientActor;
  readonly connectionId: string;
  readonly sshKeyId: string;
  readonly fingerprint: string;
  readonly userName: string;
}

export type GateVerdict =
  | { readonly verdict: 'accept'; readonly ticket: Ticket }
  | { readonly verdict: 'reject' }
  | { readonly verdict: 'hold' };

/** Why a connection came to nothing, as far as the face alone can know it. */
export interface FailedConnection {
  readonly connectionId: string;
  readonly address: string;
  readonly user: string | undefined;
  readonly clientSoftware: string | undefined;
  readonly reason: string;
  readonly detail: string;
}

const reasonOfFailure = {
  no_common_algorithm: 'no_common_algorithm',
  sign_in_time_over: 'sign_in_time_over',
  protocol_error: 'protocol_error',
  dropped_early: 'too_busy',
  too_many_connections: 'too_busy',
  peer_left: 'left_before_sign_in',
} as const;

const userNameLengthMax = 64;

export function createGate(parts: {
  database: Database;
  clock: Clock;
  log: Log;
  identity: Pick<IdentityDoor, 'getClientState'>;
  allowList: AllowList;
  recorder: Recorder;
  settings: Pick<DeliverySettings, 'zone' | 'rejectedAfterMs'>;
}) {
  const { database, clock, log, allowList, recorder, settings } = parts;
  const pending = createPending({ clock, recorder });

  /** T14: a rejection leaves at the same time after its question, whichever rule it broke. */
  async function waitSince(startedMs: number): Promise<void> {
    const leftMs = settings.rejectedAfterMs - (clock.monotonicMs() - startedMs);
    if (leftMs <= 0) return;
    const over = Promise.withResolvers<void>();
    clock.after(leftMs, over.resolve);
    await over.promise;
  }

  const operations = {
    /** D-14: an address on no list gets silence, and the refusal is recorded. */
    async admit(address: string): Promise<'banner' | 'silence'> {
      if (await allowList.admits(address)) return 'banner';
      recorder.record({ address, userName: '', reason: 'address_not_listed', detail: {} });
      // A stranger must not be able to fill the log either.
      log.debug('connection refused', {
        'activity-type': 'AUTH_FAILURE',
        'source-ip': address,
        message: 'address_not_listed',
      });
      return 'silence';
    },

    /**
     * Judges the query step and the signed step alike. The same statements run for a name that exists and one that does not.
     * Source: RFC 4252 §7.
     */
    async authenticate(attempt: SignInAttempt): Promise<GateVerdict> {
      const startedMs = clock.monotonicMs();
      const userName = attempt.user.length <= userNameLengthMax ? attempt.user : '';
      const fingerprint = attempt.key?.fingerprint;
      const facts = await findSignInFacts(database.sql, {
        userName: attempt.fault === 'user_malformed' || userName.includes('\0') ? '' : userName,
        fingerprint: fingerprint ?? '',
        address: attempt.address,
      });
      const clientState = await parts.identity.getClientState(database.sql, facts.clientId ?? 'nobody');
      const decision = decideSignIn(
        {
          method: printable(attempt.method),
          fingerprint,
          algorithm: attempt.key && printable(attempt.key.algorithm),
          fault: attempt.fault,
          nowMs: clock.nowMs(),
          zone: settings.zone,
        },
        { ...facts, clientState },
      );
      if (decision.verdict === 'accept' && facts.clientId !== null && facts.sshKeyId !== null) {
        const { clientId, sshKeyId } = facts;
        if (attempt.signed) pending.drop(attempt.connectionId);
        else
          pending.offered(attempt.connectionId, {
            address: attempt.address,
            clientId,
            userName,
            fingerprint: fingerprint!,
          });
        const origin = { face: 'sftp', address: attempt.address, through: attempt.connectionId } as const;
        const actor: ClientActor = { kind: 'client', clientId, origin };
        const { connectionId } = attempt;
        return { verdict: 'accept', ticket: { actor, connectionId, sshKeyId, fingerprint: fingerprint!, userName } };
      }
      if (decision.verdict === 'accept') throw new Error('a sign-in was accepted without a client');
      pending.add(attempt.connectionId, {
        address: attempt.address,
        clientId: facts.clientId ?? undefined,
        userName: facts.clientId === null ? '' : userName,
        reason: decision.reason,
        detail: decision.detail,
      });
      log.info('sign-in refused', {
        'activity-type': 'AUTH_FAILURE',
        'session-id': attempt.connectionId,
        'source-ip': attempt.address,
        user: facts.clientId === null ? '(not issued)' : userName,
        method: printable(attempt.method),
        message: decision.reason ?? 'no_key_offered',
      });
      if (decision.verdict === 'hold') {
        pending.flush(attempt.connectionId);
        return { verdict: 'hold' };
      }
      await waitSince(startedMs);
      return { verdict: 'reject' };
    },

    /** A connection that came to nothing before sign-in, as far as `authenticate` has not recorded why. */
    failed(failure: FailedConnection): void {
      const reason = reasonOfFailure[failure.reason as keyof typeof reasonOfFailure];
      log.info('connection failed', {
        'activity-type': 'AUTH_FAILURE',
        'session-id': failure.connectionId,
        'source-ip': failure.address,
        client: failure.clientSoftware,
        message: failure.reason,
      });
      if (reason === undefined) return pending.flush(failure.connectionId);
      pending.fail(failure.connectionId, {
        address: failure.address,
        userName: '',
        reason,
        detail: {
          detail: printable(failure.detail, 200),
          client: printable(failure.clientSoftware ?? '', 100),
          // Each sort of algorithm that found no match is a line of its own: `kex`, `host_key`, `cipher`, …
          ...(reason === 'no_common_algorithm' ? { slot: printable(failure.detail.split(':')[0]!, 40) } : {}),
        },
      });
    },
  };
  return { pending, operations };
}
