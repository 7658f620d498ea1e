// The states of delivery and every legal move between them: a move that is not listed here does not compile, and the database refuses it too.

type Moves = Readonly<Record<string, readonly string[]>>;

// Every submission is checked, so the states of a set-up lead back to `checking`; only a desk or a setting configures.
export const connectionMoves = {
  elected: ['waiting_for_keys', 'closed'],
  waiting_for_keys: ['checking', 'closed'],
  checking: ['refused', 'waiting_for_keys', 'waiting_for_confirmation'],
  refused: ['checking', 'closed'],
  waiting_for_confirmation: ['checking', 'waiting_for_approval', 'refused', 'closed'],
  waiting_for_approval: ['checking', 'configured', 'refused', 'closed'],
  configured: ['proven', 'suspended', 'closed'],
  proven: ['suspended', 'closed'],
  suspended: ['configured', 'closed'],
  closed: ['elected'],
} as const satisfies Moves;

// An ended key stays ended: whoever wants it back hands it in again.
export const sshKeyMoves = {
  submitted: ['refused', 'checked'],
  checked: ['confirmed', 'refused'],
  confirmed: ['approved', 'refused'],
  approved: ['active', 'refused'],
  active: ['replaced', 'revoked', 'expired'],
  refused: [],
  replaced: [],
  revoked: [],
  expired: [],
} as const satisfies Moves;

// NOTE: enabled and expiring go back to imported when the client switches encryption off.
export const certificateMoves = {
  submitted: ['refused', 'checked'],
  checked: ['confirmed', 'refused'],
  confirmed: ['imported', 'refused'],
  imported: ['enabled', 'replaced', 'revoked', 'expired'],
  enabled: ['imported', 'expiring', 'expired', 'replaced', 'revoked'],
  expiring: ['imported', 'expired', 'replaced', 'revoked'],
  refused: [],
  expired: [],
  replaced: [],
  revoked: [],
} as const satisfies Moves;

export const addressMoves = {
  submitted: ['confirmed', 'removed'],
  confirmed: ['approved', 'removed'],
  approved: ['active', 'removed'],
  active: ['removed'],
  removed: [],
} as const satisfies Moves;

export const requestMoves = {
  open: ['in_work'],
  in_work: ['done', 'refused'],
  done: [],
  refused: [],
} as const satisfies Moves;

export type ConnectionState = keyof typeof connectionMoves;
export type SshKeyState = keyof typeof sshKeyMoves;
export type CertificateState = keyof typeof certificateMoves;
export type AddressState = keyof typeof addressMoves;
export type RequestState = keyof typeof requestMoves;

/** Moves of all objects, under the names the database knows them by. */
export const moves = {
  connection: connectionMoves,
  ssh_key: sshKeyMoves,
  certificate: certificateMoves,
  address: addressMoves,
  request: requestMoves,
} as const;

export type MovingObject = keyof typeof moves;
type StateOf<Name extends MovingObject> = keyof (typeof moves)[Name];

/** A checked move: only a legal pair of states can be written down. */
export type Move<Name extends MovingObject> = {
  [From in StateOf<Name>]: (typeof moves)[Name][From] extends readonly (infer To)[] ? { from: From; to: To } : never;
}[StateOf<Name>];

/** A connection whose first set-up is behind it: what is handed in now is a change. */
export const isSetUp = (state: ConnectionState): boolean =>
  state === 'configured' || state === 'proven' || state === 'suspended';

/** A connection through which a client may sign in. SF-13: nothing opens before `configured`. */
export const isOpenForSignIn = (state: ConnectionState): boolean => state === 'configured' || state === 'proven';

/** Counted over the items of the running set-up request. */
export interface SetUpFacts {
  /** Items of the set-up request that the client has still to confirm. */
  readonly unconfirmed: number;
  readonly confirmedSshKeys: number;
  readonly confirmedAddresses: number;
}

/**
 * The state of a connection that is being set up, after its request changed: what is waited for next.
 * A key alone or an address alone keeps waiting for the client, since neither opens anything without the other.
 */
export function settledSetUpState(
  facts: SetUpFacts,
): 'waiting_for_keys' | 'waiting_for_confirmation' | 'waiting_for_approval' {
  if (facts.unconfirmed > 0) return 'waiting_for_confirmation';
  if (facts.confirmedSshKeys === 0) return 'waiting_for_keys';
  return facts.confirmedAddresses > 0 ? 'waiting_for_approval' : 'waiting_for_confirmation';
}

/**
 * The legal way from one set-up state to another, without the state it starts in.
 * Shape: empty when already there; undefined when there is none.
 */
export function wayBetween(from: ConnectionState, to: ConnectionState): ConnectionState[] | undefined {
  if (from === to) return [];
  const seen = new Set<ConnectionState>([from]);
  let front: ConnectionState[][] = [[from]];
  while (front.length > 0) {
    const next: ConnectionState[][] = [];
    for (const way of front) {
      for (const step of connectionMoves[way.at(-1)!] as readonly ConnectionState[]) {
        // Closing, suspending and signing in are acts of their own and never a detour.
        if (step === to) return [...way.slice(1), step];
        if (seen.has(step) || step === 'closed' || step === 'suspended' || step === 'configured') continue;
        seen.add(step);
        next.push([...way, step]);
      }
    }
    front = next;
  }
  return undefined;
}
