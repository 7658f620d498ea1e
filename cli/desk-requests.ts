// The delivery desk's queue: what clients asked for, approved or declined, log-ins issued, connections configured.
import type { deliveryState, logIn, request } from '@broadgate/contract/delivery.ts';
import type { Client } from '@broadgate/contract/identity.ts';
import type { Static } from 'typebox';
import type { Caller } from './calls.ts';
import { type Command, isSet, neededText } from './commands.ts';
import { describeRequest } from './delivery.ts';
import { Refused } from './faults.ts';
import { formatFacts, print } from './output.ts';

type Request = Static<typeof request>;

/** The client with that account number or login. */
export async function findClient(caller: Caller, who: string): Promise<Client> {
  for await (const client of caller.list<Client>('/v1/clients', { search: who })) {
    const isIt = client.accountNumbers.includes(who) || client.logins.some(({ login }) => login === who.toLowerCase());
    if (isIt) return client;
  }
  throw new Refused('nobody_found', `There is no client with the account number or login ${who}.`);
}

const path = (requestId: string, step: string): string =>
  `/v1/delivery-desk/requests/${encodeURIComponent(requestId)}/${step}`;

/** A step on one request, named by its id. */
const stepOf = (name: string, step: string, meaning: string): Command => ({
  name,
  takes: 'REQUEST',
  meaning,
  positionals: { min: 1, max: 1 },
  async run(call) {
    const done = await (await call.caller()).send<Request>('POST', path(call.positionals[0]!, step));
    print(isSet(call, 'json') ? JSON.stringify(done, null, 2) : describeRequest(done));
  },
});

export const deskRequestCommands: readonly Command[] = [
  {
    name: 'desk requests',
    takes: '[--all]',
    meaning: 'requests that wait, newest first; --all shows finished ones too',
    options: { all: { type: 'boolean' } },
    async run(call) {
      const query = isSet(call, 'all') ? {} : { state: 'unfinished' };
      const found = await Array.fromAsync((await call.caller()).list<Request>('/v1/delivery-desk/requests', query));
      if (isSet(call, 'json')) print(JSON.stringify(found, null, 2));
      else print(found.length === 0 ? 'None.' : found.map(describeRequest).join('\n\n'));
    },
  },
  stepOf('desk take', 'take', 'begin to work on a request; the client sees it'),
  stepOf('desk approve', 'approve', 'approve what the client confirmed'),
  {
    name: 'desk decline',
    takes: 'REQUEST --reason TEXT',
    meaning: 'refuse a request, with a reason that the client reads',
    options: { reason: { type: 'string' } },
    positionals: { min: 1, max: 1 },
    async run(call) {
      const body = { reason: neededText(call, 'reason') };
      const done = await (await call.caller()).send<Request>('POST', path(call.positionals[0]!, 'decline'), body);
      print(isSet(call, 'json') ? JSON.stringify(done, null, 2) : describeRequest(done));
    },
  },
  {
    name: 'desk configure',
    takes: 'ACCOUNT|LOGIN',
    meaning: 'issue user name and password and mark the connection configured; the client is told',
    notes: ['The password opens FTP where FTP is granted, and never SFTP. It is shown this once.'],
    positionals: { min: 1, max: 1 },
    async run(call) {
      const caller = await call.caller();
      const client = await findClient(caller, call.positionals[0]!);
      const issued = await caller.send<Static<typeof logIn>>('POST', `/v1/clients/${client.id}/delivery/log-in`);
      const configured = `/v1/clients/${client.id}/delivery/configured`;
      const state = await caller.send<Static<typeof deliveryState>>('POST', configured);
      const facts = formatFacts([
        ['Client', client.name],
        ['User name', issued.userName],
        ['Password', issued.password],
        ['Connection', state.connection.state],
      ]);
      print(isSet(call, 'json') ? JSON.stringify({ ...issued, ...state }, null, 2) : facts);
    },
  },
  {
    name: 'desk suspend',
    takes: 'ACCOUNT|LOGIN --reason TEXT',
    meaning: 'suspend a connection for a cause that the client reads',
    options: { reason: { type: 'string' } },
    positionals: { min: 1, max: 1 },
    async run(call) {
      const caller = await call.caller();
      const client = await findClient(caller, call.positionals[0]!);
      await caller.send('POST', `/v1/clients/${client.id}/delivery/suspend`, { reason: neededText(call, 'reason') });
      print(`The connection of ${client.name} is suspended.`);
    },
  },
  {
    name: 'desk resume',
    takes: 'ACCOUNT|LOGIN',
    meaning: 'open a suspended connection again',
    positionals: { min: 1, max: 1 },
    async run(call) {
      const caller = await call.caller();
      const client = await findClient(caller, call.positionals[0]!);
      await caller.send('POST', `/v1/clients/${client.id}/delivery/resume`);
      print(`The connection of ${client.name} is open again.`);
    },
  },
];
