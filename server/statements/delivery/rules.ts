// What delivery declines, with what to do instead, and the pure decisions about elections and requests.
import { defineRefusals } from '../../kernel/refusal.ts';

export const refusals = defineRefusals({
  channel_not_offered: {
    kind: 'unsupported',
    text: 'Delivery by {channel} is not offered yet. Choose SFTP or the portal.',
  },
  no_channel_elected: {
    kind: 'invalid',
    text: 'Choose at least one channel, so that your reports have somewhere to go: SFTP or the portal.',
  },
  sftp_not_elected: {
    kind: 'conflict',
    text: 'Elect "statements by SFTP" first; then hand in the key or the address.',
  },
  nothing_submitted: { kind: 'invalid', text: 'Hand in a public key, an address, or both.' },
  client_not_named: { kind: 'invalid', text: 'Say for which client this is handed in.' },
  delivery_forbidden: {
    kind: 'forbidden',
    text: 'This belongs to the delivery desk. Ask the delivery desk to do it.',
  },
  delivery_not_found: {
    kind: 'not_found',
    text: 'There is no such delivery object among yours. List them and use an id from there.',
  },
  client_not_active: {
    kind: 'conflict',
    text: 'The account is not active, so its delivery cannot be changed. Ask the service desk.',
  },
  address_malformed: {
    kind: 'invalid',
    text: '"{address}" is not an IP address or a CIDR range. Write it like 203.0.113.7, 203.0.113.0/28 or 2001:db8::1.',
  },
  address_private: {
    kind: 'invalid',
    text: '{address} is used inside networks only and never reaches us. Hand in the public address of your network.',
  },
  address_unusable: {
    kind: 'invalid',
    text: '{address} is not the address of a computer. Hand in your public address.',
  },
  address_too_wide: {
    kind: 'invalid',
    text: '{address} covers too many addresses. The widest range accepted is /{widest}; hand in a narrower one.',
  },
  address_listed: { kind: 'conflict', text: '{address} is on your list already, or handed in and waiting.' },
  addresses_too_many: {
    kind: 'too_many',
    text: 'At most {max} addresses can be on file. Remove one that you no longer use, then hand in the new one.',
  },
  submissions_too_many: {
    kind: 'too_many',
    text: 'More than {max} keys or addresses were handed in within a day. Try again tomorrow or ask the delivery desk.',
  },
  requests_too_many: {
    kind: 'too_many',
    text: '{max} requests are waiting already. Wait until the delivery desk has worked on them.',
  },
  several_keys_not_offered: {
    kind: 'unsupported',
    text: 'Only one SSH key can be active here. Hand the new key in as a replacement of the old one.',
  },
  key_expiry_missing: {
    kind: 'invalid',
    text: 'An additional SSH key needs an expiry date in the future. Give one and hand the key in again.',
  },
  key_registered_elsewhere: {
    kind: 'conflict',
    text: 'This key cannot be registered because it is in use already. Make a new key pair and hand in its public half.',
  },
  key_registered_already: {
    kind: 'conflict',
    text: 'The key {fingerprint} is registered for you already. Use it, or hand in a different key.',
  },
  confirmation_mismatch: {
    kind: 'conflict',
    text: 'What you confirmed is not what is waiting to be confirmed. Look at the request again and compare each fingerprint and address.',
  },
  nothing_to_confirm: { kind: 'conflict', text: 'Nothing in this request waits for your confirmation.' },
  request_not_confirmed: {
    kind: 'conflict',
    text: 'The client has not confirmed every key and address of this request yet. Wait for the confirmation.',
  },
  request_finished: { kind: 'conflict', text: 'This request is finished. Open a new one.' },
  request_incomplete: {
    kind: 'conflict',
    text: 'A first set-up needs an SSH key and an address. Wait until the client has handed in and confirmed both.',
  },
  request_not_approved: {
    kind: 'conflict',
    text: 'The set-up request is not approved yet. Approve it first, then mark the connection configured.',
  },
  approver_is_requester: {
    kind: 'forbidden',
    text: 'Who opened a request or handed in a part of it cannot approve it. Another person of the delivery desk has to.',
  },
  approver_reset_password: {
    kind: 'forbidden',
    text: 'You reset a password of this client, so you cannot approve what it confirms. Another person of the delivery desk has to.',
  },
  approved_already: {
    kind: 'conflict',
    text: 'You have approved this request already. A second, different person of the delivery desk has to approve it.',
  },
  approver_not_operator: {
    kind: 'forbidden',
    text: 'Approvals are given by people of the delivery desk. Sign in as an operator.',
  },
  delivery_reason_missing: {
    kind: 'invalid',
    text: 'Give a reason in a few words, or one of the listed ones; the client reads it.',
  },
  login_not_issued: {
    kind: 'conflict',
    text: 'User name and password are not issued yet. Issue the log-in details first.',
  },
  connection_state_wrong: {
    kind: 'conflict',
    text: 'The connection is {state}, so this cannot be done now. Look at its state and its open request.',
  },
  no_certificate_imported: {
    kind: 'conflict',
    text: 'No OpenPGP key is imported, so nothing could be encrypted. Hand one in and wait for the notice that it is imported.',
  },
  encryption_required: {
    kind: 'conflict',
    text: 'Encryption is required here and cannot be switched off. Hand in another OpenPGP key to replace the present one.',
  },
  key_not_in_force: { kind: 'conflict', text: 'This key is {state} and cannot be ended again.' },
  state_moved: { kind: 'conflict', text: 'It was changed by someone else just now. Load it again and repeat.' },
});

/** Every channel that has a place in an election (EN-17). */
export const channels = ['sftp', 'portal', 'ftp', 'email'] as const;
export type Channel = (typeof channels)[number];
const offered: readonly Channel[] = ['sftp', 'portal'];

/** Refuses a channel that has its place but is not offered yet, and an election of nothing. */
export function checkElection(wanted: Readonly<Record<Channel, boolean>>): void {
  for (const channel of channels) {
    if (wanted[channel] && !offered.includes(channel)) throw refusals.channel_not_offered({ channel });
  }
  if (!wanted.sftp && !wanted.portal) throw refusals.no_channel_elected();
}

export type Approval = 'none' | 'one' | 'two';
/** How many different people of the desk must approve (D-23). */
export const approvalsNeeded: Readonly<Record<Approval, number>> = { none: 0, one: 1, two: 2 };

export type Purpose = 'replace' | 'add';
export type RequestKind = 'set_up' | 'new_key' | 're_key' | 'new_address';

/** Which request a submission belongs to: everything before `configured` is one set-up; afterwards by what it does. */
export function requestKindOf(submission: {
  readonly isSetUp: boolean;
  readonly sort: 'ssh' | 'openpgp' | undefined;
  readonly purpose: Purpose;
  readonly hasKeyInForce: boolean;
}): RequestKind {
  if (submission.sort === 'openpgp') {
    return submission.purpose === 'replace' && submission.hasKeyInForce ? 're_key' : 'new_key';
  }
  if (!submission.isSetUp) return 'set_up';
  if (submission.sort === undefined) return 'new_address';
  return submission.purpose === 'add' ? 'new_key' : 're_key';
}

/** D-22: adding a second SSH key is refused where the setting allows one only, and needs an expiry date ahead. */
export function checkAddedKey(wanted: {
  readonly severalKeys: boolean;
  readonly expiresAtMs: number | undefined;
  readonly nowMs: number;
}): void {
  if (!wanted.severalKeys) throw refusals.several_keys_not_offered();
  if (wanted.expiresAtMs === undefined || wanted.expiresAtMs <= wanted.nowMs) throw refusals.key_expiry_missing();
}

/** True when exactly the things that wait were shown and confirmed, in any order. */
export function isSameSet(shown: readonly string[], waiting: readonly string[]): boolean {
  const seen = new Set(shown);
  return seen.size === shown.length && seen.size === waiting.length && waiting.every((item) => seen.has(item));
}

/** D-13, EN-19: said wherever a key is handed in. */
export const privateKeyWarning =
  'Hand in the public key only. Never send, paste or upload the private key or its passphrase to anyone, us included: ' +
  'a private key that has left your computer is compromised and must be replaced.';

/** Days before its end at which the owner of a key is warned (D-26). */
export const warningDays = [60, 30, 7] as const;
const dayMs = 86_400_000;

/** The warning that is due: the smallest threshold reached and not yet told; undefined when none is. */
export function dueWarning(key: {
  readonly expiresAtMs: number;
  readonly warnedDays: number | undefined;
  readonly nowMs: number;
}): number | undefined {
  if (key.expiresAtMs <= key.nowMs) return undefined;
  const reached = warningDays.filter((days) => key.expiresAtMs - key.nowMs <= days * dayMs).at(-1);
  return reached !== undefined && (key.warnedDays === undefined || reached < key.warnedDays) ? reached : undefined;
}

/** True from 60 days before the end: the state in which a certificate is called expiring. */
export const isExpiring = (expiresAtMs: number | undefined, nowMs: number): boolean =>
  expiresAtMs !== undefined && expiresAtMs - nowMs <= warningDays[0] * dayMs;

/** SF-06, D-15: a name that nobody chose. 13 characters of base 32 after the first letter carry 65 random bits. */
export const userNameOf = (randomCharacters: string): string => `d${randomCharacters}`;
export const userNameRandomCharacters = 13;

/** Why the desk declines, in English; a page says the same in its reader's language, by the code. */
const declineTexts = {
  key_unconfirmed: 'It could not be confirmed that this key is yours.',
  address_unconfirmed: 'It could not be confirmed that this address is yours.',
  address_shared: 'This address is shared with others, as those of hotels, mobile networks and VPN services are.',
  client_not_reached: 'You could not be reached to confirm this.',
  handed_in_twice: 'The same was handed in twice; the other request goes on.',
  incomplete: 'Something is missing.',
  asked_by_client: 'You asked for it.',
  other: '',
} as const;
export type DeclineCode = keyof typeof declineTexts;

const reasonLengthMax = 500;

/** What the client reads. Refuses: delivery_reason_missing. */
export function declineReason(reason: string, code: DeclineCode | undefined): string {
  const said = reason.trim().slice(0, reasonLengthMax) || (code === undefined ? '' : declineTexts[code]);
  if (said === '') throw refusals.delivery_reason_missing();
  return said;
}
