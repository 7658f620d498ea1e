// All of a client's delivery in one answer, for the page of the desk that shows one client.
import * as shapes from '@broadgate/contract/delivery.ts';
import { type Route, route } from '../../faces/https/route.ts';
import { formatConnection, formatRefused } from '../connections/https.ts';
import { formatAddress, formatElected, formatKeys, formatRequest } from './answers.ts';
import type { Delivery } from './delivery.ts';

export const createDeliveryViewRoutes = ({ delivery }: { delivery: Delivery }): Route[] => [
  route({
    method: 'GET',
    path: '/v1/clients/:clientId/delivery/view',
    operationId: 'getDeliveryView',
    tag: 'Delivery desk',
    summary: 'Tell all of a client’s delivery at once: state, keys, requests, addresses, connections, refusals.',
    who: 'operator',
    params: shapes.clientPath,
    answers: { 200: shapes.deliveryView },
    refusals: ['delivery_forbidden', 'delivery_not_found', 'connections_forbidden'],
    async handle({ actor, params: { clientId }, address }) {
      const newest = (limit: number) => ({ after: undefined, limit });
      const [elected, keys, requests, addresses, connections, refused] = await Promise.all([
        delivery.getElected(actor, clientId),
        delivery.listKeys(actor, clientId),
        delivery.listRequests(actor, { clientId }, newest(20)),
        delivery.listAddresses(actor, { clientId, isLive: true }, newest(50)),
        delivery.listConnections(actor, { clientId }, newest(10)),
        delivery.listRefusals(actor, { clientId }, newest(10)),
      ]);
      const body = {
        delivery: formatElected(elected, { yourAddress: address, encryption: keys.encryption }),
        keys: formatKeys(keys),
        requests: requests.items.map(formatRequest),
        addresses: addresses.items.map(formatAddress),
        connections: connections.items.map(formatConnection),
        refusals: refused.items.map(formatRefused),
      };
      return { status: 200, body };
    },
  }),
];
