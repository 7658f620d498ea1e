// What is asked of an installation however large it is, each as one call: the same on a small one and on a large one.
import type { Parts } from '../server/app.ts';
import type { ClientActor, OperatorActor } from '../server/kernel/actor.ts';
import type { PopulatedClient } from '../test/long-haul/population.ts';

export interface Asked {
  readonly parts: Parts;
  /** A client of ten statements, and the institution that has a hundredth of all. */
  readonly client: PopulatedClient;
  readonly institution: PopulatedClient;
}

const origin = { face: 'https', address: '203.0.113.20' } as const;
const desk: OperatorActor = {
  kind: 'operator',
  operatorId: 'bench',
  desks: ['delivery', 'operations', 'service'],
  origin,
};
const page = { after: undefined, limit: 50 };
const dayMs = 86_400_000;

const actorOf = ({ clientId }: PopulatedClient): ClientActor => ({ kind: 'client', clientId, origin });
const dayOf = ({ clock }: Parts, daysAgo: number): string =>
  new Date(clock.nowMs() - daysAgo * dayMs).toISOString().slice(0, 10);

/** Each reads only, so that it can be repeated. */
export const operations: Readonly<Record<string, (asked: Asked) => Promise<unknown>>> = {
  async 'sign-in by SFTP'({ parts, client }) {
    const { address, userName: user, fingerprint } = client;
    const connectionId = parts.ids.next();
    const key = { algorithm: 'ssh-ed25519', blob: Buffer.alloc(51), fingerprint };
    await parts.delivery.admit(address);
    const verdict = await parts.delivery.authenticate({
      connectionId,
      address,
      user,
      method: 'publickey',
      key,
      signed: true,
    });
    if (verdict.verdict !== 'accept') throw new Error(`the sign-in was answered ${verdict.verdict}`);
    await parts.delivery.isTicketGood(verdict.ticket, address);
  },
  'listing of a folder': ({ parts, client }) => parts.statements.repository.list(actorOf(client), '/', page),
  'listing of a large folder': ({ parts, institution }) =>
    parts.statements.repository.list(actorOf(institution), '/', { after: '8', limit: 1000 }),
  "a client's statements": ({ parts, client }) => parts.statements.catalog.listStatements(actorOf(client), {}, page),
  'statements by account': ({ parts, client }) =>
    parts.statements.catalog.listStatements(desk, { accountNumber: client.accountNumber }, page),
  'statements of a rare kind': ({ parts }) =>
    parts.statements.catalog.listStatements(desk, { kind: 'no-such-kind' }, page),
  'statements of a day long ago': ({ parts }) =>
    parts.statements.catalog.listStatements(desk, { from: dayOf(parts, 150), to: dayOf(parts, 150) }, page),
  'search for a name': ({ parts }) => parts.identity.listClients(desk, { ...page, search: 'keller 0a' }),
  'search for an account': ({ parts, client }) =>
    parts.identity.listClients(desk, { ...page, search: client.accountNumber }),
  'search in vain': ({ parts }) => parts.identity.listClients(desk, { ...page, search: 'zz no such name' }),
  'desk queue': ({ parts }) =>
    parts.delivery.listRequests(desk, { states: ['open', 'in_work'] }, { ...page, limit: 5 }),
  'connection log': ({ parts, client }) => parts.delivery.listConnections(desk, { clientId: client.clientId }, page),
  'why was I refused': ({ parts, client }) => parts.delivery.listRefusals(actorOf(client), {}, page),
  notices: ({ parts, client }) => parts.messages.listNotices(actorOf(client), page),
  receipts: ({ parts, client }) => parts.statements.records.listReceipts(actorOf(client), {}, page),
  'uploads at the desk': ({ parts }) => parts.statements.repository.listUploads(desk, {}, page),
  'keys that end soon': ({ parts }) => parts.delivery.listEndingKeys(desk, 60, page),
  'warnings of keys, all said': ({ parts }) => parts.delivery.warnOfExpiry(),
  'manifests, none due': ({ parts }) => parts.statements.manifests.updateManifests(),
  'queue of events': ({ parts }) => parts.outbox.count(parts.sql),
};
