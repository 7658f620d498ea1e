// Why a connection was refused: the client's own, or for the delivery desk all of them.
import type { refusedConnection } from '@broadgate/contract/delivery.ts';
import type { Static } from 'typebox';
import { type Command, type CommandCall, isSet } from './commands.ts';
import { formatTime, print, quiet, strong } from './output.ts';

type RefusedConnection = Static<typeof refusedConnection>;

const shownMax = 50;

async function showRefusals(call: CommandCall): Promise<void> {
  const caller = await call.caller();
  const found: RefusedConnection[] = [];
  for await (const one of caller.list<RefusedConnection>('/v1/delivery/refusals')) {
    found.push(one);
    if (found.length === shownMax) break;
  }
  if (isSet(call, 'json')) print(JSON.stringify(found, null, 2));
  else print(found.length === 0 ? 'No connection of yours was refused.' : found.map(describe).join('\n\n'));
}

function describe(one: RefusedConnection): string {
  const times = one.count === 1 ? '' : `, ${one.count} times since ${formatTime(one.firstAt)}`;
  const from = one.address === null ? '' : ` from ${one.address}`;
  const offered = one.detail['fingerprint'];
  return [
    `${strong(formatTime(one.lastAt))}${from}${times}  ${quiet(one.reason)}`,
    `  ${one.cause}`,
    ...(offered === undefined ? [] : [`  ${quiet('offered   ')} ${offered}`]),
    ...one.registeredFingerprints.map((fingerprint) => `  ${quiet('registered')} ${fingerprint}`),
    `  ${one.whatToDo}`,
  ].join('\n');
}

export const whyCommands: readonly Command[] = [
  {
    name: 'why',
    takes: '',
    meaning: 'why your connection was refused, and what to do',
    run: showRefusals,
  },
];

export const deskRefusalCommands: readonly Command[] = [
  {
    name: 'desk refusals',
    takes: '',
    meaning: 'all refused connections, latest first',
    run: showRefusals,
  },
];
