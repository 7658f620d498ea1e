// Refused connections and the sign-in history over HTTPS: a client's own, and all of them for the delivery desk.
import * as shapes from '@broadgate/contract/delivery.ts';
import { listRoute, type Route } from '../../faces/https/route.ts';
import { formatInstant } from '../../kernel/clock.ts';
import type { Connections, ExplainedRefusal, SignedInConnection } from './connections.ts';

type Reading = Pick<Connections, 'listRefusals' | 'listConnections'>;

export const createConnectionRoutes = ({ connections }: { connections: Reading }): Route[] => [
  listRoute({
    path: '/v1/delivery/refusals',
    operationId: 'listRefusedConnections',
    tag: 'Why was I refused',
    summary: 'List refused and failed connections, each with its cause and what to do.',
    description:
      'A client reads those that can be attributed to it; the delivery desk reads all, or those of one client.',
    who: 'signed_in',
    query: shapes.clientFilter,
    item: shapes.refusedConnection,
    refusals: ['connections_forbidden'],
    async handle({ actor, query, page }) {
      const found = await connections.listRefusals(actor, query, page);
      return { items: found.items.map(formatRefused), next: found.next };
    },
  }),
  listRoute({
    path: '/v1/delivery/connections',
    operationId: 'listConnections',
    tag: 'Why was I refused',
    summary: 'List connections that signed in, latest first.',
    who: 'signed_in',
    query: shapes.clientFilter,
    item: shapes.connection,
    refusals: ['connections_forbidden'],
    async handle({ actor, query, page }) {
      const found = await connections.listConnections(actor, query, page);
      return { items: found.items.map(formatConnection), next: found.next };
    },
  }),
];

export const formatRefused = (refused: ExplainedRefusal) => ({
  id: refused.refusalId,
  reason: refused.reason,
  cause: refused.cause,
  whatToDo: refused.whatToDo,
  address: refused.address,
  clientId: refused.clientId,
  userName: refused.userName === '' ? null : refused.userName,
  detail: { ...refused.detail },
  registeredFingerprints: [...refused.registered],
  count: refused.count,
  firstAt: formatInstant(refused.firstAtMs),
  lastAt: formatInstant(refused.lastAtMs),
});

export const formatConnection = (connection: SignedInConnection) => ({
  id: connection.connectionId,
  clientId: connection.clientId,
  address: connection.address,
  fingerprint: connection.fingerprint,
  openedAt: formatInstant(connection.openedAtMs),
  endedAt: connection.endedAtMs === null ? null : formatInstant(connection.endedAtMs),
  endReason: connection.endReason,
  clientSoftware: connection.clientSoftware,
  kex: connection.kex,
  hostKeyAlgorithm: connection.hostKeyAlgorithm,
  cipher: connection.cipher,
  mac: connection.mac,
  bytesIn: connection.bytesIn,
  bytesOut: connection.bytesOut,
});
