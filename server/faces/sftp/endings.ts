// Why an SSH connection ended, in the words that a gate is told.
import type { EndReason } from '@broadgate/ssh';
import type { ConnectionEnd, ConnectionFailure } from './mount.ts';

/** For a connection on which nobody signed in. */
export function formatFailure(reason: EndReason): Pick<ConnectionFailure, 'reason' | 'detail'> {
  switch (reason.kind) {
    case 'no_common_algorithm':
      return {
        reason: 'no_common_algorithm',
        detail: `${reason.slot}: the client offers ${reason.offered.join(', ')}`,
      };
    case 'grace_expired':
      return { reason: 'sign_in_time_over', detail: 'the client did not sign in in time' };
    case 'too_many_tries':
      return { reason: 'too_many_tries', detail: `${reason.tries} tries failed` };
    case 'not_ssh':
      return { reason: 'protocol_error', detail: `the first line is not SSH 2.0: ${reason.line}` };
    case 'protocol_fault':
    case 'flood':
      return { reason: 'protocol_error', detail: reason.detail };
    case 'peer_disconnected':
      return { reason: 'peer_left', detail: `the client said goodbye with code ${reason.code}` };
    case 'peer_silent':
    case 'idle':
      return { reason: 'sign_in_time_over', detail: 'the client went silent' };
    case 'connection_lost':
      return { reason: 'peer_left', detail: 'the client closed the connection' };
    default:
      return { reason: 'peer_left', detail: 'the server ended the connection' };
  }
}

export function formatEnd(
  reason: EndReason,
  of: { readonly isSignedIn: boolean; readonly isStopping: boolean },
): ConnectionEnd {
  switch (reason.kind) {
    case 'peer_disconnected':
      return 'peer_disconnected';
    case 'connection_lost':
      return 'peer_left';
    case 'stopped':
      return of.isStopping ? 'stopping' : 'ended_by_us';
    case 'grace_expired':
    case 'too_many_tries':
      return 'sign_in_failed';
    case 'peer_silent':
    case 'idle':
      return of.isSignedIn ? 'idle' : 'sign_in_failed';
    case 'internal_fault':
      return 'internal';
    default:
      return 'protocol_error';
  }
}
