// Who may act on a client's delivery: the client on its own, the delivery desk on anyone's.
import { type Actor, type ClientActor, isAtDesk } from '../../kernel/actor.ts';
import { refusals } from './rules.ts';

/** The client that an operation is about. Refuses: delivery_forbidden, client_not_named, delivery_not_found. */
export function checkClientOrDesk(actor: Actor, clientId: string | undefined): string {
  if (actor.kind === 'client') {
    if (clientId !== undefined && clientId !== actor.clientId) throw refusals.delivery_not_found();
    return actor.clientId;
  }
  checkDesk(actor);
  if (clientId === undefined) throw refusals.client_not_named();
  return clientId;
}

/** Refuses: delivery_forbidden for everyone but the delivery desk and the console. */
export function checkDesk(actor: Actor): void {
  if (!isAtDesk(actor, 'delivery')) throw refusals.delivery_forbidden();
}

/** For what only the client itself may do: confirm, and switch encryption. A delivery connection is not the client's person. */
export function checkPerson(actor: Actor): ClientActor {
  if (actor.kind !== 'client' || actor.origin.face === 'sftp' || actor.origin.face === 'ftp') {
    throw refusals.delivery_forbidden();
  }
  return actor;
}

/** Someone else's object and no object get the same answer. */
export function checkOwn<Found extends { readonly clientId: string | null }>(
  actor: Actor,
  found: Found | undefined,
): Found & { readonly clientId: string } {
  if (actor.kind !== 'client') checkDesk(actor);
  if (found === undefined || found.clientId === null) throw refusals.delivery_not_found();
  if (actor.kind === 'client' && found.clientId !== actor.clientId) throw refusals.delivery_not_found();
  return found as Found & { clientId: string };
}
