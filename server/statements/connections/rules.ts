// Why a connection was refused, in plain words: the cause, and what to do. Only the client itself and the desk read it.
import { defineRefusals } from '../../kernel/refusal.ts';

export const refusals = defineRefusals({
  connections_forbidden: {
    kind: 'forbidden',
    text: 'Refused connections are read by the client that they concern and by the delivery desk.',
  },
});

interface Explanation {
  readonly cause: string;
  readonly whatToDo: string;
}

const explanations = {
  address_not_listed: {
    cause:
      'The connection came from {address}, which is on no allow-list. It was not answered, so your program reports a time-out.',
    whatToDo: 'If {address} is yours, hand it in as a new address and confirm it.',
  },
  address_not_yours: {
    cause:
      'The connection came from {address}, which is not on your allow-list. It was not answered, so your program reports a time-out.',
    whatToDo: 'If {address} is yours, hand it in as a new address and confirm it.',
  },
  address_blocked: {
    cause: 'The connection came from {address}, which the delivery desk has blocked.',
    whatToDo: 'Ask the delivery desk.',
  },
  unknown_user: {
    cause: 'The user name that was typed is not one that was issued.',
    whatToDo: 'Use exactly the user name shown in the portal under Delivery.',
  },
  not_configured: {
    cause: 'The connection is not configured yet.',
    whatToDo: 'Wait for the notice that it is configured, and look at your open request for what is still missing.',
  },
  connection_suspended: {
    cause: 'The connection is suspended.',
    whatToDo: 'Read the cause in the portal under Delivery, or ask the delivery desk.',
  },
  connection_closed: {
    cause: 'The connection is closed.',
    whatToDo: 'Elect "statements by SFTP" again and hand in a key and an address.',
  },
  client_suspended: {
    cause: 'The account is not active.',
    whatToDo: 'Ask the service desk.',
  },
  key_not_registered: {
    cause: 'The key {fingerprint} was offered, and it is not registered for you.',
    whatToDo:
      'Choose the private key that belongs to a registered key in your program, or hand in this key as a replacement.',
  },
  key_waiting: {
    cause: 'The key {fingerprint} is handed in but not active yet.',
    whatToDo: 'Confirm it if you have not, and wait until the delivery desk has approved it.',
  },
  key_replaced: {
    cause: 'The key {fingerprint} was replaced on {on}.',
    whatToDo: 'Choose the new private key file in your program.',
  },
  key_revoked: {
    cause: 'The key {fingerprint} was revoked on {on}.',
    whatToDo: 'Hand in a new public key.',
  },
  key_expired: {
    cause: 'The key {fingerprint} expired on {on}.',
    whatToDo: 'Hand in a new public key.',
  },
  key_unfit: {
    cause: 'A key was offered that is not accepted ({fault}).',
    whatToDo: 'Use the key that is registered: RSA of 2048 to 4096 bits, Ed25519, or ECDSA.',
  },
  signature_algorithm_old: {
    cause: 'Your program signed with {algorithm}, which is not accepted any more.',
    whatToDo: 'Update your program so that it signs with rsa-sha2-256 or rsa-sha2-512, or make an Ed25519 key.',
  },
  signature_wrong: {
    cause: 'The signature made with the key {fingerprint} was wrong.',
    whatToDo: 'Choose the private key file that belongs to the registered public key.',
  },
  key_not_unlocked: {
    cause:
      'The registered key {fingerprint} was offered and would have been accepted, but your program did not sign with it.',
    whatToDo:
      'Enter the right passphrase for the private key file. If it is lost, make a new key pair and hand in its public half.',
  },
  password_offered: {
    cause: 'Your program offered a password. SFTP takes keys only.',
    whatToDo: 'Set the logon type of your program to "Key file" and choose your private key file.',
  },
  method_not_offered: {
    cause: 'Your program asked for the sign-in method "{method}". SFTP takes keys only.',
    whatToDo: 'Set the logon type of your program to "Key file" and choose your private key file.',
  },
  no_key_offered: {
    cause: 'Your program offered no key.',
    whatToDo:
      'Set the logon type of your program to "Key file" and choose your private key file. Update the program if it is old: ' +
      'one that signs with SHA-1 only offers nothing here.',
  },
  no_common_algorithm: {
    cause: 'Your program and this server have no algorithm in common ({detail}).',
    whatToDo: 'Update your program.',
  },
  left_before_sign_in: {
    cause: 'Your program left before it signed in.',
    whatToDo:
      'If it asked whether to trust the host key, compare the fingerprint with the one in the portal and accept it.',
  },
  sign_in_time_over: {
    cause: 'The sign-in took too long.',
    whatToDo: 'Enter the passphrase of your key sooner, or load the key into an agent first.',
  },
  protocol_error: {
    cause: 'Your program broke the SSH protocol ({detail}).',
    whatToDo: 'Check that the program speaks SFTP (not FTP or HTTPS) to this port, and update it.',
  },
  too_busy: {
    cause: 'Too many connections were waiting to sign in.',
    whatToDo: 'Try again in a minute, and let your program open fewer connections at a time.',
  },
  overflow: {
    cause: 'More connections were refused than are kept one by one.',
    whatToDo: 'Look at the addresses of the same hour; consider the firewall export.',
  },
} as const satisfies Readonly<Record<string, Explanation>>;

export type RefusalReason = keyof typeof explanations;
export const refusalReasons = Object.keys(explanations) as RefusalReason[];

export type RefusalDetail = Readonly<Record<string, string>>;

/** The cause and the advice, filled from the record. */
export function explain(reason: RefusalReason, values: RefusalDetail): Explanation {
  const fill = (text: string): string => text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'unknown');
  const { cause, whatToDo } = explanations[reason];
  return { cause: fill(cause), whatToDo: fill(whatToDo) };
}

const printableLengthMax = 64;

/** What a stranger sent, made safe to show and short enough to keep. */
export const printable = (text: string, lengthMax = printableLengthMax): string =>
  text.replace(/[^\x20-\x7e]/g, '?').slice(0, lengthMax);

/** The beginning of the hour that counts are kept by. Units: ms. */
export const hourOf = (atMs: number): number => atMs - (atMs % 3_600_000);

/**
 * The part of a record's detail that tells one line of the list from another; the rest is the latest of its kind.
 * A user name that nobody was issued is not part of it, since a stranger can invent as many as it likes.
 */
export const detailKeyOf = (detail: RefusalDetail): string =>
  detail['fingerprint'] ?? detail['method'] ?? detail['slot'] ?? '';
