// Who asks: every operation of a domain takes an Actor first and decides from it, never from a request or a socket.

/** A desk is what an operator works at; it decides which operations the operator may call. */
export const desks = ['delivery', 'service', 'compliance', 'dealing', 'diagnostics', 'operations'] as const;
export type Desk = (typeof desks)[number];

/** Where the request came from, for the audit trail and for receipts; never a reason to allow anything. */
export interface Origin {
  readonly face: 'https' | 'sftp' | 'ftp' | 'console' | 'system';
  /** The peer's IP address in canonical text; absent for console and system. */
  readonly address?: string;
  /** Id of the sign-in (https) or connection (sftp, ftp) it came through. */
  readonly through?: string;
}

export interface ClientActor {
  readonly kind: 'client';
  readonly clientId: string;
  /** The person's login at the client; a delivery connection has none. */
  readonly loginId?: string;
  readonly origin: Origin;
}

export interface OperatorActor {
  readonly kind: 'operator';
  readonly operatorId: string;
  readonly desks: readonly Desk[];
  readonly origin: Origin;
}

/** The installation itself: schedules, the outbox, and the console of whoever holds the machine. */
export interface SystemActor {
  readonly kind: 'system';
  /** Which part acts: 'console', 'retention', 'run', … */
  readonly part: string;
  readonly origin: Origin;
}

export type Actor = ClientActor | OperatorActor | SystemActor;

export const systemActor = (part: string): SystemActor => ({ kind: 'system', part, origin: { face: 'system' } });
export const consoleActor: SystemActor = { kind: 'system', part: 'console', origin: { face: 'console' } };

/** True for an operator of that desk and for the console; operations staff run the machine, not the desks. */
export const isAtDesk = (actor: Actor, desk: Desk): boolean =>
  actor.kind === 'operator' ? actor.desks.includes(desk) : actor.kind === 'system';

/** One word for the audit trail: `client:<id>`, `operator:<id>` or `system:<part>`. */
export function formatActor(actor: Actor): string {
  if (actor.kind === 'client') return `client:${actor.clientId}`;
  if (actor.kind === 'operator') return `operator:${actor.operatorId}`;
  return `system:${actor.part}`;
}
