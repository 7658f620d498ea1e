// What a client looks after itself: where its reports go, its keys and addresses, encryption, and why it was refused.
import { readFile } from 'node:fs/promises';
import type {
  address,
  certificate,
  deliveryState,
  instructions,
  keys,
  request,
  sshKey,
} from '@broadgate/contract/delivery.ts';
import type { notice } from '@broadgate/contract/notices.ts';
import type { Static } from 'typebox';
import type { Caller } from './calls.ts';
import { type Command, type CommandCall, isSet, optionText } from './commands.ts';
import { Misuse } from './faults.ts';
import { formatFacts, formatTable, formatTime, print, quiet, strong } from './output.ts';
import { takePassword } from './prompts.ts';

type Request = Static<typeof request>;
type Keys = Static<typeof keys>;

/** Said wherever a key is handed in (EN-19). */
export const keyWarning =
  'Hand in the public key only. A private key that leaves your machine is compromised and must be replaced.';

export function describeRequest(one: Request): string {
  const facts: [string, string | undefined][] = [
    ['Request', `${one.id}  ${quiet(`${one.kind}, ${one.state}`)}`],
    ['Reason', one.reason ?? undefined],
    ...one.sshKeys.map((key): [string, string] => ['SSH key', describeSshKey(key)]),
    ...one.openPgpKeys.map((key): [string, string] => ['OpenPGP key', describeCertificate(key)]),
    ...one.addresses.map((entry): [string, string] => ['Address', `${entry.network}  ${quiet(entry.state)}`]),
    ['Approvals', one.approvalsNeeded === 0 ? undefined : `${one.approvalsGiven} of ${one.approvalsNeeded}`],
    ['Due', one.finishedAt === null ? `${formatTime(one.dueAt)}${one.isLate ? ', late' : ''}` : undefined],
    ['To confirm', one.awaiting.length === 0 ? undefined : one.awaiting.join('\n            ')],
    ['Note', one.sshKeys.length + one.openPgpKeys.length === 0 ? undefined : one.warning],
  ];
  return formatFacts(facts);
}

const describeSshKey = (key: Static<typeof sshKey>): string =>
  `${[key.algorithm, key.bits, key.fingerprint].filter((part) => part !== null).join(' ')}  ${quiet(stateOf(key))}`;

const describeCertificate = (key: Static<typeof certificate>): string =>
  `${[key.algorithm, key.fingerprint].filter((part) => part !== null).join(' ')}, encrypts to subkey ${key.subkeyId}  ${quiet(stateOf(key))}`;

const stateOf = (key: { state: string; reason: string | null }): string =>
  key.reason === null ? key.state : `${key.state}: ${key.reason}`;

function answer(call: CommandCall, value: unknown, text: string): void {
  print(isSet(call, 'json') ? JSON.stringify(value, null, 2) : text);
}

const afterSubmission = (one: Request): string =>
  one.awaiting.length === 0
    ? describeRequest(one)
    : `${describeRequest(one)}\n\nCompare the fingerprint with your own, then: broadgate delivery confirm ${one.id}`;

/** The client's newest request that waits for its word. */
async function findAwaiting(caller: Caller): Promise<Request> {
  for await (const one of caller.list<Request>('/v1/delivery/requests')) if (one.awaiting.length > 0) return one;
  throw new Misuse('Nothing waits for your confirmation.');
}

const electionCommands: readonly Command[] = [
  {
    name: 'delivery elect',
    takes: '[--sftp] [--portal] [--contact TEXT]',
    meaning: 'choose the channels for every report from now on',
    options: { sftp: { type: 'boolean' }, portal: { type: 'boolean' }, contact: { type: 'string' } },
    async run(call) {
      const contact = optionText(call, 'contact');
      const caller = await call.caller();
      const body = {
        sftp: isSet(call, 'sftp'),
        portal: isSet(call, 'portal'),
        ...(contact === undefined ? {} : { contact }),
      };
      const state = await caller.send<Static<typeof deliveryState>>('PUT', '/v1/delivery', body);
      answer(call, state, describeState(state));
    },
  },
  {
    name: 'delivery status',
    takes: '',
    meaning: 'where reports go and how far the connection is, with what to type into an SFTP program',
    async run(call) {
      const caller = await call.caller();
      const state = await caller.get<Static<typeof deliveryState>>('/v1/delivery');
      const how = await caller.get<Static<typeof instructions>>('/v1/delivery/instructions');
      const lines = [describeState(state), '', strong('To connect'), `  ${how.sftpCommand}`];
      for (const key of how.hostKeys) lines.push(`  ${quiet(key.algorithm.padEnd(12))} ${key.fingerprint}`);
      lines.push('', how.warning);
      answer(call, { state, instructions: how }, lines.join('\n'));
    },
  },
  {
    name: 'delivery requests',
    takes: '',
    meaning: 'your requests to the delivery desk, newest first',
    async run(call) {
      const found = await Array.fromAsync((await call.caller()).list<Request>('/v1/delivery/requests'));
      answer(call, found, found.length === 0 ? 'None.' : found.map(describeRequest).join('\n\n'));
    },
  },
  {
    name: 'delivery confirm',
    takes: '[REQUEST] [--shown TEXT…] [--password-file FILE]',
    meaning: 'confirm the fingerprints and addresses of a request, with the password typed afresh',
    notes: ['--shown: what you compared, word for word; without it everything that waits is confirmed as shown.'],
    options: { shown: { type: 'string', multiple: true } },
    positionals: { min: 0, max: 1 },
    async run(call) {
      const caller = await call.caller();
      const [requestId] = call.positionals;
      const one =
        requestId === undefined
          ? await findAwaiting(caller)
          : await caller.get<Request>(`/v1/delivery/requests/${encodeURIComponent(requestId)}`);
      const given = call.options['shown'];
      const shown = Array.isArray(given) ? given : one.awaiting;
      process.stderr.write(`${describeRequest(one)}\n\n`);
      const file = optionText(call, 'password-file');
      const password = await takePassword({
        label: 'Your password, to confirm this',
        file: file === undefined ? undefined : call.path(file),
      });
      const done = await caller.send<Request>('POST', `/v1/delivery/requests/${one.id}/confirm`, { shown, password });
      answer(call, done, describeRequest(done));
    },
  },
  {
    name: 'delivery encryption',
    takes: 'on|off',
    meaning: 'switch encryption of all reports, once your OpenPGP key is imported',
    positionals: { min: 1, max: 1 },
    async run(call) {
      const encryption = call.positionals[0];
      if (encryption !== 'on' && encryption !== 'off') throw new Misuse('Say on or off.');
      const found = await (await call.caller()).send<Keys>('PUT', '/v1/delivery/encryption', { encryption });
      answer(call, found, describeKeys(found));
    },
  },
];

const keyCommands: readonly Command[] = [
  {
    name: 'delivery key add',
    takes: 'FILE [--add] [--expires INSTANT]',
    meaning: 'hand in a public key: SSH for signing in, OpenPGP for encryption',
    notes: [
      keyWarning,
      'The new key replaces the one in force. --add keeps both, where the broker allows several; then --expires names an end.',
    ],
    options: { add: { type: 'boolean' }, expires: { type: 'string' } },
    positionals: { min: 1, max: 1 },
    async run(call) {
      const key = await readFile(call.path(call.positionals[0]!));
      process.stderr.write(`${keyWarning}\n\n`);
      const query = { purpose: isSet(call, 'add') ? 'add' : 'replace', expiresAt: optionText(call, 'expires') };
      const upload = {
        contentType: 'application/octet-stream',
        sizeBytes: key.length,
        async *open() {
          yield key;
        },
      };
      const one = await (await call.caller()).upload<Request>('/v1/delivery/keys', upload, query);
      answer(call, one, afterSubmission(one));
    },
  },
  {
    name: 'delivery key list',
    takes: '',
    meaning: 'your keys with their fingerprints, ended ones too',
    async run(call) {
      const found = await (await call.caller()).get<Keys>('/v1/delivery/keys');
      answer(call, found, describeKeys(found));
    },
  },
  {
    name: 'delivery key end',
    takes: 'KEY-ID [--reason TEXT]',
    meaning: 'end a key now; connections opened with it close',
    options: { reason: { type: 'string' } },
    positionals: { min: 1, max: 1 },
    async run(call) {
      const reason = optionText(call, 'reason');
      const path = `/v1/delivery/keys/${encodeURIComponent(call.positionals[0]!)}/end`;
      const found = await (await call.caller()).send<Keys>('POST', path, reason === undefined ? {} : { reason });
      answer(call, found, describeKeys(found));
    },
  },
  {
    name: 'delivery address add',
    takes: 'ADDRESS…',
    meaning: 'hand in the public addresses, or CIDR ranges, that you connect from',
    positionals: { min: 1, max: 20 },
    async run(call) {
      const body = { addresses: call.positionals };
      const one = await (await call.caller()).send<Request>('POST', '/v1/delivery/addresses', body);
      answer(call, one, afterSubmission(one));
    },
  },
  {
    name: 'delivery address list',
    takes: '',
    meaning: 'your addresses on file',
    async run(call) {
      const found = await Array.fromAsync((await call.caller()).list<Static<typeof address>>('/v1/delivery/addresses'));
      const rows = found.map((entry) => [entry.network, entry.state, formatTime(entry.activatedAt), entry.id]);
      answer(call, found, formatTable(['Address', 'State', 'Since', 'Id'], rows));
    },
  },
  {
    name: 'delivery address remove',
    takes: 'ID',
    meaning: 'take an address off the list; connections from it end',
    positionals: { min: 1, max: 1 },
    async run(call) {
      const path = `/v1/delivery/addresses/${encodeURIComponent(call.positionals[0]!)}/remove`;
      await (await call.caller()).send('POST', path, {});
      print('Taken off the list.');
    },
  },
];

const noticeCommands: readonly Command[] = [
  {
    name: 'notices',
    takes: '[--unread]',
    meaning: 'what happened that you should know',
    options: { unread: { type: 'boolean' } },
    async run(call) {
      const query = isSet(call, 'unread') ? { unread: 'true' } : {};
      const found = await Array.fromAsync((await call.caller()).list<Static<typeof notice>>('/v1/notices', query));
      const rows = found.map((one) => [formatTime(one.createdAt), one.kind, one.text]);
      answer(call, found, rows.length === 0 ? 'None.' : formatTable(['When', 'Kind', 'Text'], rows));
    },
  },
];

function describeState(state: Static<typeof deliveryState>): string {
  const channels = Object.entries(state.channels).filter(([, isOn]) => isOn);
  return formatFacts([
    ['Channels', channels.length === 0 ? 'none' : channels.map(([name]) => name).join(', ')],
    ['Connection', state.connection.state],
    ['Reason', state.connection.reason ?? undefined],
    ['User name', state.connection.userName ?? undefined],
    ['Encryption', state.encryption],
    ['Your address', state.yourAddress],
  ]);
}

const describeKeys = (found: Keys): string =>
  formatFacts([
    ['Encryption', found.encryption],
    ...found.sshKeys.map((key): [string, string] => ['SSH key', `${describeSshKey(key)}  ${quiet(key.id)}`]),
    ...found.openPgpKeys.map((key): [string, string] => [
      'OpenPGP key',
      `${describeCertificate(key)}  ${quiet(key.id)}`,
    ]),
    ['Note', found.warning],
  ]);

export const deliveryCommands: readonly Command[] = [...electionCommands, ...keyCommands, ...noticeCommands];
