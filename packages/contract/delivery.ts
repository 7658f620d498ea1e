// What crosses the wire about delivery: elections, keys, addresses, requests, and why a connection was refused.
import { type Static, Type } from 'typebox';
import { closed, count, id, instant, line, nullable, oneOf } from './contract.ts';
import { clientBrief } from './identity.ts';

export const requestStates = ['open', 'in_work', 'done', 'refused'] as const;
export const requestKinds = ['set_up', 'new_key', 're_key', 'new_address'] as const;
export const connectionStates = [
  'none',
  'elected',
  'waiting_for_keys',
  'checking',
  'refused',
  'waiting_for_confirmation',
  'waiting_for_approval',
  'configured',
  'proven',
  'suspended',
  'closed',
] as const;
const sshKeyStates = [
  'submitted',
  'refused',
  'checked',
  'confirmed',
  'approved',
  'active',
  'replaced',
  'revoked',
  'expired',
] as const;
const certificateStates = [
  'submitted',
  'refused',
  'checked',
  'confirmed',
  'imported',
  'enabled',
  'expiring',
  'expired',
  'replaced',
  'revoked',
] as const;
const addressStates = ['submitted', 'confirmed', 'approved', 'active', 'removed'] as const;
const purposes = ['replace', 'add'] as const;

const purpose = oneOf(purposes, '`replace` (default) ends the old key when this one takes effect; `add` keeps both.');
/** Why the desk declines, as words that every reader gets in its own language. */
export const declineCodes = [
  'key_unconfirmed',
  'address_unconfirmed',
  'address_shared',
  'client_not_reached',
  'handed_in_twice',
  'incomplete',
  'asked_by_client',
  'other',
] as const;
export type DeclineCode = (typeof declineCodes)[number];

const reason = line(500, 'Why, in a few words; the client reads it.');
const addressText = Type.String({ minLength: 2, maxLength: 64, description: 'An IP address or CIDR range.' });
const warning = Type.String({ description: 'Said wherever a key is handed in: never the private key.' });

/** Units: characters; a key of 64 KiB at most, as text. */
const keyText = Type.String({
  minLength: 1,
  maxLength: 65_536,
  description: 'The public key file as text: an OpenSSH line, RFC 4716, PEM, or an OpenPGP public key block.',
});

export const election = closed({
  sftp: Type.Boolean(),
  portal: Type.Boolean(),
  ftp: Type.Optional(Type.Boolean({ description: 'Not offered yet.' })),
  email: Type.Optional(Type.Boolean({ description: 'Not offered yet.' })),
  contact: Type.Optional(line(200, 'Whom the delivery desk may ask.', 0)),
});

export const deliveryState = closed(
  {
    channels: closed({ sftp: Type.Boolean(), portal: Type.Boolean(), ftp: Type.Boolean(), email: Type.Boolean() }),
    contact: nullable(Type.String()),
    encryption: oneOf(['off', 'on'], 'One switch for all reports.'),
    connection: closed({
      state: oneOf(connectionStates),
      reason: nullable(Type.String({ description: 'Why it is refused or suspended.' })),
      userName: nullable(Type.String({ description: 'Issued by the broker; it never changes.' })),
      configuredAt: nullable(instant('When the delivery desk configured it.')),
      provenAt: nullable(instant('The first good sign-in.')),
    }),
    yourAddress: Type.String({ description: 'The public address this question came from.' }),
  },
  { title: 'Delivery' },
);

export const systems = ['linux', 'macos', 'windows'] as const;
export const commandSteps = ['make_key', 'show_key', 'trust_host', 'connect', 'fetch_all', 'decrypt'] as const;
const systemCommands = closed({
  system: oneOf(systems, 'For Windows in PowerShell, where OpenSSH comes with it.'),
  commands: Type.Array(closed({ step: oneOf(commandSteps), command: Type.String() })),
});

const hostKey = closed({ algorithm: Type.String(), fingerprint: Type.String(), line: Type.String() });

export const instructions = closed(
  {
    hostName: Type.String({ description: 'Enter exactly this as Host.' }),
    port: Type.Integer(),
    userName: nullable(Type.String()),
    hostKeys: Type.Array(hostKey, { description: 'Compare the fingerprint before you accept it.' }),
    knownHosts: Type.Array(Type.String()),
    sftpCommand: Type.String(),
    psftpCommand: Type.String(),
    lftpCommand: Type.String(),
    sshConfig: Type.String(),
    fileZillaSites: Type.String({ description: 'An XML file for FileZilla’s "Import".' }),
    gpgCommand: Type.String(),
    systems: Type.Array(systemCommands, { description: 'Commands that work as they are, for each system.' }),
    warning,
  },
  { title: 'DeliveryInstructions' },
);

export const sshKey = closed(
  {
    id: id('key'),
    state: oneOf(sshKeyStates),
    purpose: oneOf(purposes),
    algorithm: nullable(Type.String()),
    bits: nullable(Type.Integer()),
    fingerprint: nullable(Type.String({ description: '`SHA256:…`, as `ssh-keygen -l` prints it.' })),
    comment: nullable(Type.String()),
    reason: nullable(Type.String({ description: 'The code or words of why it was refused or ended.' })),
    submittedAt: instant('When it was handed in.'),
    activatedAt: nullable(instant('Since when it opens the connection.')),
    endedAt: nullable(instant('When it ended.')),
    expiresAt: nullable(instant('When it ends by itself.')),
  },
  { title: 'SshKey' },
);

export const certificate = closed(
  {
    id: id('key'),
    state: oneOf(certificateStates),
    purpose: oneOf(purposes),
    fingerprint: nullable(Type.String()),
    subkeyId: nullable(Type.String({ description: 'The subkey that reports are encrypted to.' })),
    algorithm: nullable(Type.String()),
    userIds: Type.Array(Type.String()),
    cipher: nullable(oneOf(['aes256', 'aes128'])),
    reason: nullable(Type.String()),
    submittedAt: instant('When it was handed in.'),
    importedAt: nullable(instant('When the delivery desk imported it.')),
    enabledAt: nullable(instant('When the client switched it on.')),
    endedAt: nullable(instant('When it ended.')),
    expiresAt: nullable(instant('When it ends by itself.')),
  },
  { title: 'OpenPgpKey' },
);

export const keys = closed(
  {
    encryption: oneOf(['off', 'on']),
    sshKeys: Type.Array(sshKey),
    openPgpKeys: Type.Array(certificate),
    warning,
  },
  { title: 'DeliveryKeys' },
);

export const address = closed(
  {
    id: id('address entry'),
    clientId: nullable(id('client')),
    network: Type.String({ description: 'Canonical text; a range has a prefix.' }),
    state: oneOf(addressStates),
    reason: nullable(Type.String()),
    submittedAt: instant('When it was handed in.'),
    activatedAt: nullable(instant('Since when it is on the list.')),
    removedAt: nullable(instant('When it was taken off.')),
  },
  { title: 'DeliveryAddress' },
);

export const request = closed(
  {
    id: id('request'),
    clientId: id('client'),
    kind: oneOf(requestKinds),
    channel: oneOf(['portal', 'desk', 'mail']),
    state: oneOf(requestStates),
    reason: nullable(Type.String()),
    reasonCode: nullable(oneOf(declineCodes, 'Why the desk declined; `reason` holds its own words beside it.')),
    sshKeys: Type.Array(sshKey),
    openPgpKeys: Type.Array(certificate),
    addresses: Type.Array(address),
    awaiting: Type.Array(Type.String(), {
      description: 'Fingerprints and addresses that wait for the client’s confirmation, to be confirmed word for word.',
    }),
    approvalsNeeded: Type.Integer({ minimum: 0, maximum: 2 }),
    approvalsGiven: Type.Integer({ minimum: 0 }),
    openedAt: instant('When it was opened.'),
    confirmedAt: nullable(instant('When the client confirmed it; the desk’s time runs from here.')),
    dueAt: instant('Two business days after that.'),
    takenAt: nullable(instant('When the desk began.')),
    approvedAt: nullable(instant('When the last approval was given.')),
    finishedAt: nullable(instant('When it was done or refused.')),
    businessSeconds: count('Time it has taken, weekends and holidays left out.'),
    isLate: Type.Boolean(),
    warning,
  },
  { title: 'DeliveryRequest' },
);
export type RequestBody = Static<typeof request>;

/** A request in the lists of the desk: with the client it belongs to. */
export const deskRequest = closed({ ...request.properties, client: clientBrief }, { title: 'DeskRequest' });

/** The one intake: a key, addresses, or both (SF-30). */
export const submission = closed(
  {
    key: Type.Optional(keyText),
    purpose: Type.Optional(purpose),
    expiresAt: Type.Optional(instant('End of an added SSH key.')),
    addresses: Type.Optional(Type.Array(addressText, { minItems: 1, maxItems: 20 })),
  },
  { title: 'DeliverySubmission', minProperties: 1 },
);
export const keyQuery = closed({
  purpose: Type.Optional(purpose),
  expiresAt: Type.Optional(instant('End of an added SSH key.')),
});
export const addressSubmission = closed({ addresses: Type.Array(addressText, { minItems: 1, maxItems: 20 }) });

export const confirmation = closed({
  shown: Type.Array(Type.String({ maxLength: 200 }), {
    maxItems: 200,
    description: 'Exactly what the request’s `awaiting` listed: every fingerprint and address.',
  }),
  password: Type.String({ minLength: 1, maxLength: 1024, description: 'Typed afresh for this confirmation.' }),
});

export const encryptionSwitch = closed({ encryption: oneOf(['off', 'on']) });
export const optionalReason = closed({ reason: Type.Optional(reason) });
export const requiredReason = closed({ reason });
export const declining = closed({
  code: Type.Optional(oneOf(declineCodes, 'The client reads it in its own language. `other` needs a reason.')),
  reason: Type.Optional(reason),
});

export const logIn = closed(
  {
    userName: Type.String(),
    password: Type.String({ description: 'Shown this once. It opens FTP where FTP is granted, and never SFTP.' }),
  },
  { title: 'DeliveryLogIn' },
);

export const refusedConnection = closed(
  {
    id: id('record'),
    reason: Type.String({ description: 'Stable code.' }),
    cause: Type.String({ description: 'Why, in English.' }),
    whatToDo: Type.String({ description: 'What to do, in English.' }),
    address: nullable(Type.String({ description: 'Where it came from.' })),
    clientId: nullable(id('client')),
    userName: nullable(Type.String({ description: 'The issued user name it came with.' })),
    detail: Type.Record(Type.String(), Type.String()),
    registeredFingerprints: Type.Array(Type.String(), { description: 'To compare with the one that was offered.' }),
    count: count('How often within the hour.'),
    firstAt: instant('The first of them.'),
    lastAt: instant('The last of them.'),
  },
  { title: 'RefusedConnection' },
);

export const connection = closed(
  {
    id: id('connection'),
    clientId: id('client'),
    address: Type.String(),
    fingerprint: Type.String({ description: 'The key that opened it.' }),
    openedAt: instant('When it signed in.'),
    endedAt: nullable(instant('When it ended.')),
    endReason: nullable(Type.String()),
    clientSoftware: nullable(Type.String()),
    kex: nullable(Type.String()),
    hostKeyAlgorithm: nullable(Type.String()),
    cipher: nullable(Type.String()),
    mac: nullable(Type.String()),
    bytesIn: nullable(count('Bytes from the client.')),
    bytesOut: nullable(count('Bytes to the client.')),
  },
  { title: 'SftpConnection' },
);

export const endingKey = closed(
  {
    id: id('key'),
    clientId: id('client'),
    sort: oneOf(['ssh', 'openpgp']),
    state: Type.String(),
    fingerprint: Type.String(),
    expiresAt: instant('When it ends.'),
    client: clientBrief,
  },
  { title: 'EndingKey' },
);

export const block = closed({ network: addressText });
export const requestPath = closed({ requestId: id('request') });
export const keyPath = closed({ keyId: id('key') });
export const addressPath = closed({ entryId: id('address entry') });
export const clientPath = closed({ clientId: id('client') });
export const requestFilter = closed({
  state: Type.Optional(oneOf([...requestStates, 'unfinished'], '`unfinished` is open and in work.')),
  clientId: Type.Optional(id('client')),
});
export const clientFilter = closed({ clientId: Type.Optional(id('client')) });
export const addressFilter = closed({
  clientId: Type.Optional(id('client')),
  all: Type.Optional(oneOf(['true', 'false'], 'Also those that were removed.')),
});
export const endingFilter = closed({
  withinDays: Type.Optional(Type.Integer({ minimum: 0, maximum: 3650, description: 'Default 60.' })),
});

export const queueFilter = closed({
  waitsFor: Type.Optional(
    oneOf(['desk', 'client'], 'desk: confirmed, the clock runs; client: not confirmed yet. Without it both.'),
  ),
});

/** What the desk looks at when it opens a client, beside the client itself: one call. */
export const deliveryView = closed(
  {
    delivery: deliveryState,
    keys,
    requests: Type.Array(request, { maxItems: 20, description: 'The newest 20.' }),
    addresses: Type.Array(address, { maxItems: 50, description: 'Those in force or on their way.' }),
    connections: Type.Array(connection, { maxItems: 10, description: 'The newest 10.' }),
    refusals: Type.Array(refusedConnection, { maxItems: 10, description: 'The newest 10.' }),
  },
  { title: 'DeliveryView' },
);
