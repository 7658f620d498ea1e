// What identity decides: who may administer whom, names, passwords, how long a sign-in lives, and when a counter locks.
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { type Actor, type Desk, desks, isAtDesk } from '../kernel/actor.ts';
import { defineRefusals } from '../kernel/refusal.ts';

export const refusals = defineRefusals({
  sign_in_refused: {
    kind: 'unauthenticated',
    text: 'The login or the password is not right. Check both and try again.',
  },
  sign_in_locked: {
    kind: 'too_many',
    text: 'Too many failed attempts. Signing in with a password opens again in {retryAfterSeconds} s; the desk can set a new password before that.',
  },
  access_suspended: { kind: 'forbidden', text: 'Access is suspended. Ask the broker.' },
  access_ended: { kind: 'forbidden', text: 'This access has ended. Ask the broker.' },
  password_wrong: { kind: 'forbidden', text: 'The password is not right. Type it again.' },
  password_too_short: {
    kind: 'invalid',
    text: 'A password has at least {charactersMin} characters. Choose a longer one.',
  },
  password_too_long: { kind: 'invalid', text: 'A password has at most {bytesMax} bytes.' },
  password_too_plain: {
    kind: 'invalid',
    text: 'This password is easy to guess: it repeats a pattern, or the login stands in it. Choose another.',
  },
  invitation_invalid: {
    kind: 'not_found',
    text: 'This link is used up, has expired or never was. Ask the desk for a new one.',
  },
  desk_only: { kind: 'forbidden', text: 'This is for operators at the desk: {desks}.' },
  person_only: { kind: 'forbidden', text: 'This is for somebody who is signed in with a login of their own.' },
  not_on_yourself: {
    kind: 'forbidden',
    text: 'Nobody changes their own desks or ends their own access. Ask a colleague.',
  },
  client_not_found: { kind: 'not_found', text: 'No such client.' },
  login_not_found: { kind: 'not_found', text: 'No such login.' },
  operator_not_found: { kind: 'not_found', text: 'No such operator.' },
  sign_in_not_found: { kind: 'not_found', text: 'No such sign-in.' },
  client_closed: { kind: 'conflict', text: 'This client is closed for good. Add a new client instead.' },
  login_taken: { kind: 'conflict', text: 'The login {login} is taken. Choose another.' },
  account_taken: { kind: 'conflict', text: 'The account {accountNumber} belongs to a client already.' },
  login_malformed: {
    kind: 'invalid',
    text: 'A login has 3 to 64 characters: letters, digits and . _ @ + -, a letter or digit first.',
  },
  name_malformed: { kind: 'invalid', text: 'A name has 1 to 200 characters, without control characters.' },
  email_malformed: { kind: 'invalid', text: '{email} is not an e-mail address.' },
  locale_malformed: { kind: 'invalid', text: '{locale} is not a language tag such as en or pt.' },
  time_zone_unknown: { kind: 'invalid', text: '{timeZone} is not a time zone such as Europe/Lisbon.' },
  kind_malformed: { kind: 'invalid', text: 'A client is a person or an institution.' },
  account_malformed: {
    kind: 'invalid',
    text: 'An account number has 1 to 32 letters, digits or hyphens; a client has 1 to 100 of them, each once.',
  },
  desk_unknown: { kind: 'invalid', text: 'An operator works at one or more of these desks: {desks}.' },
  reason_missing: { kind: 'invalid', text: 'Give the reason, in 1 to 500 characters.' },
  tokens_too_many: { kind: 'too_many', text: 'A login has at most {tokensMax} tokens. End one first.' },
  token_malformed: { kind: 'invalid', text: 'A token has a name of 1 to 64 characters and lives 1 to 366 days.' },
  import_malformed: {
    kind: 'invalid',
    text: 'The file is not a CSV with the columns {columns} ({reason}). Nothing was imported.',
  },
  import_rejected: {
    kind: 'invalid',
    text: 'Nothing was imported: {count} faults. Correct them and send the file again.',
  },
  import_too_large: { kind: 'too_large', text: 'A file holds at most {rowsMax} clients. Split it.' },
});

export interface IdentitySettings {
  /** Failures that lock a counter (D-08). */
  readonly failuresMax: number;
  /** Failures count together within this time, and a lock holds as long. Units: ms. */
  readonly failureWindowMs: number;
  /** A source that signed in within this time keeps its own counter. Units: ms. */
  readonly knownSourceMs: number;
  readonly signInIdleMs: number;
  readonly signInLifeMs: number;
  readonly invitationLifeMs: number;
  readonly passwordCharactersMin: number;
}

const hourMs = 3_600_000;
export const defaultSettings: IdentitySettings = {
  failuresMax: 10,
  failureWindowMs: 24 * hourMs,
  knownSourceMs: 30 * 24 * hourMs,
  signInIdleMs: hourMs / 2,
  signInLifeMs: 12 * hourMs,
  invitationLifeMs: 72 * hourMs,
  passwordCharactersMin: 10,
};

export const tokensMax = 50;
const passwordBytesMax = 1024;

/** The desks whose people look after clients. */
const clientDesks: readonly Desk[] = ['delivery', 'service'];

/** Refuses: desk_only. */
export function checkClientDesk(actor: Actor): void {
  if (!clientDesks.some((desk) => isAtDesk(actor, desk))) throw refusals.desk_only({ desks: clientDesks.join(', ') });
}

/** Operators are looked after at the operations desk and on the console. Refuses: desk_only. */
export function checkOperationsDesk(actor: Actor): void {
  if (!isAtDesk(actor, 'operations')) throw refusals.desk_only({ desks: 'operations' });
}

/** Refuses: desk_only, not_on_yourself. */
export function checkOtherOperator(actor: Actor, operatorId: string): void {
  checkOperationsDesk(actor);
  if (actor.kind === 'operator' && actor.operatorId === operatorId) throw refusals.not_on_yourself();
}

/**
 * A client's login is reset where clients are looked after, an operator's at the operations desk; elsewhere it is as if it
 * were not there. Refuses: desk_only, login_not_found.
 */
export function checkMayReset(
  actor: Actor,
  login: { readonly operatorId: string | null; readonly state: string } | undefined,
): void {
  const isAtClientDesk = clientDesks.some((desk) => isAtDesk(actor, desk));
  const isAtOperations = isAtDesk(actor, 'operations');
  if (!isAtClientDesk && !isAtOperations)
    throw refusals.desk_only({ desks: [...clientDesks, 'operations'].join(', ') });
  const isEnded = !login || login.state === 'closed' || login.state === 'ended';
  if (isEnded || !(login.operatorId === null ? isAtClientDesk : isAtOperations)) throw refusals.login_not_found();
}

/** Whether the actor may read this client: itself, or a desk that looks after clients. */
export const mayReadClient = (actor: Actor, clientId: string): boolean =>
  actor.kind === 'client' ? actor.clientId === clientId : clientDesks.some((desk) => isAtDesk(actor, desk));

/** How a person likes to read; undefined is "as the browser says". */
export interface Preferences {
  readonly locale: string | undefined;
  readonly timeZone: string | undefined;
  readonly theme: 'system' | 'light' | 'dark';
}

export const defaultPreferences: Preferences = { locale: undefined, timeZone: undefined, theme: 'system' };

/** Refuses: locale_malformed, time_zone_unknown. */
export function checkPreferences({ locale, timeZone }: Preferences): void {
  if (locale !== undefined) checkLocale(locale);
  if (timeZone === undefined) return;
  // An offset such as +01:00 is taken as a zone as well, yet knows no summer.
  const isName = /^[A-Za-z]/.test(timeZone);
  try {
    if (isName) Intl.DateTimeFormat('en', { timeZone });
  } catch {
    throw refusals.time_zone_unknown({ timeZone });
  }
  if (!isName) throw refusals.time_zone_unknown({ timeZone });
}

export const normalLogin = (login: string): string => login.trim().normalize('NFKC').toLowerCase();

export interface NewClient {
  readonly kind: string;
  readonly name: string;
  readonly login: string;
  readonly email?: string;
  readonly accountNumbers: readonly string[];
  readonly locale?: string;
}

/** Checks what a desk, a console or a file gives. Refuses: the *_malformed codes. */
export function checkNewClient(client: NewClient): void {
  if (client.kind !== 'person' && client.kind !== 'institution') throw refusals.kind_malformed();
  checkName(client.name);
  checkLogin(client.login);
  if (client.email !== undefined) checkEmail(client.email);
  if (client.locale !== undefined) checkLocale(client.locale);
  checkAccountNumbers(client.accountNumbers);
}

export function checkName(name: string): void {
  if (name.trim() === '' || name.length > 200 || /\p{Cc}/u.test(name)) throw refusals.name_malformed();
}

export function checkLogin(login: string): void {
  if (!/^[a-z0-9][a-z0-9._@+-]{2,63}$/.test(normalLogin(login))) throw refusals.login_malformed();
}

function checkEmail(email: string): void {
  // RFC 5321 §4.5.3.1 bounds the lengths; the rest is proved only by a mail that arrives.
  if (email.length > 254 || !/^[^\s@<>"(),:;[\]\\]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z0-9-]{2,}$/.test(email)) {
    throw refusals.email_malformed({ email });
  }
}

function checkLocale(locale: string): void {
  if (locale.length > 35 || !/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(locale))
    throw refusals.locale_malformed({ locale });
}

export function checkAccountNumbers(numbers: readonly string[]): void {
  const isFine = numbers.every((number) => /^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/.test(number));
  if (!isFine || numbers.length === 0 || numbers.length > 100 || new Set(numbers).size !== numbers.length) {
    throw refusals.account_malformed();
  }
}

/** Refuses: desk_unknown. */
export function checkDesks(names: readonly string[]): asserts names is readonly Desk[] {
  const known = new Set<string>(desks);
  if (names.length === 0 || !names.every((name) => known.has(name)))
    throw refusals.desk_unknown({ desks: desks.join(', ') });
}

export function checkReason(reason: string): void {
  if (reason.trim() === '' || reason.length > 500) throw refusals.reason_missing();
}

/** Refuses: password_too_short, password_too_long, password_too_plain. */
export function checkPassword(password: string, login: string, settings: IdentitySettings): void {
  const charactersMin = settings.passwordCharactersMin;
  const characters = Array.from(password);
  if (characters.length < charactersMin) throw refusals.password_too_short({ charactersMin });
  if (Buffer.byteLength(password) > passwordBytesMax) throw refusals.password_too_long({ bytesMax: passwordBytesMax });
  const isRepeated = /^(.{1,4}?)\1+$/su.test(password) || new Set(characters).size < 4;
  if (isRepeated || password.toLowerCase().includes(login.toLowerCase())) throw refusals.password_too_plain();
}

/**
 * The part of an address that one caller holds: an IPv4 address, or the 64-bit prefix of an IPv6 one, inside which a
 * caller picks freely.
 */
export function sourceOf(address: string | undefined): string {
  if (address === undefined || !isIPv6(address)) return address ?? 'none';
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** All counters of a login begin with this. */
export const counterPrefix = (login: string): string => `${digest(normalLogin(login))}:`;

/** The counter that a failure falls on: the source's own when it is known, otherwise the one of all strangers to this login. */
export const counterOf = (login: string, knownSource: string | undefined): string =>
  `${counterPrefix(login)}${knownSource === undefined ? 'strangers' : digest(knownSource)}`;

/** How a token stands in the database. */
export const hashToken = (token: string): string => digest(token);

export interface Counter {
  /** Failures within the window, oldest first. */
  readonly failedAtMs: readonly number[];
  /** 0 when it never locked. */
  readonly lockedUntilMs: number;
}
export const freshCounter: Counter = { failedAtMs: [], lockedUntilMs: 0 };

/** Milliseconds until the counter opens again, 0 when it is open. */
export const lockedForMs = (counter: Counter, nowMs: number): number => Math.max(0, counter.lockedUntilMs - nowMs);

/** The counter after one more failure; the last one allowed locks it and starts the count afresh. */
export function countFailure(counter: Counter, nowMs: number, settings: IdentitySettings): Counter {
  const within = counter.failedAtMs.filter((atMs) => atMs > nowMs - settings.failureWindowMs);
  const failedAtMs = [...within, nowMs];
  return failedAtMs.length < settings.failuresMax
    ? { failedAtMs, lockedUntilMs: 0 }
    : { failedAtMs: [], lockedUntilMs: nowMs + settings.failureWindowMs };
}

export interface SignInLife {
  readonly sort: 'password' | 'token';
  readonly usedAtMs: number;
  readonly expiresAtMs: number;
  readonly endedAtMs: number | undefined;
}

/** Whether a sign-in still opens anything: not ended, not past its life, and not left idle; tokens of scripts may idle. */
export const isAlive = (signIn: SignInLife, nowMs: number, settings: IdentitySettings): boolean =>
  signIn.endedAtMs === undefined &&
  nowMs < signIn.expiresAtMs &&
  (signIn.sort === 'token' || nowMs - signIn.usedAtMs < settings.signInIdleMs);

/** Refuses: access_suspended, access_ended. */
export function checkAccess(state: 'active' | 'suspended' | 'closed' | 'ended'): void {
  if (state === 'suspended') throw refusals.access_suspended();
  if (state !== 'active') throw refusals.access_ended();
}
