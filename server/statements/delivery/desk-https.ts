// Delivery over HTTPS, for the delivery desk: the queue of requests, log-ins, the allow-list, and keys that end soon (EN-22).
import { createHash } from 'node:crypto';
import * as shapes from '@broadgate/contract/delivery.ts';
import { downloadRoute, listRoute, noBody, type Route, route } from '../../faces/https/route.ts';
import {
  formatAddress,
  formatDeskRequest,
  formatElected,
  formatEndingKey,
  formatKeys,
  formatRequest,
  parseInstant,
} from './answers.ts';
import type { Actor } from '../../kernel/actor.ts';
import type { Delivery } from './delivery.ts';
import { createDeliveryViewRoutes } from './view-https.ts';
import { addressRefusals, deliveryRefusals, intakeRefusals, keyRefusals } from './intake-refusals.ts';
import type { RequestView } from './requests.ts';
import type { RequestState } from './state-rules.ts';

const tag = 'Delivery desk';
const deskRefusals = [...deliveryRefusals, 'state_moved'];
const stepRefusals = [...deskRefusals, 'request_finished'];
const connectionRefusals = [...deskRefusals, 'sftp_not_elected', 'connection_state_wrong'];
const submissionLimitBytes = 160 * 1024;
const daysShown = 60;

export const createDeliveryDeskRoutes = (parts: { delivery: Delivery }): Route[] => [
  ...queueRoutes(parts),
  ...clientRoutes(parts),
  ...listRoutes(parts),
  ...createDeliveryViewRoutes(parts),
];

const statesOf = (state: string | undefined): RequestState[] | undefined =>
  state === undefined ? undefined : state === 'unfinished' ? ['open', 'in_work'] : [state as RequestState];

const queueRoutes = ({ delivery }: { delivery: Delivery }): Route[] => [
  listRoute({
    path: '/v1/delivery-desk/requests',
    operationId: 'listDeskRequests',
    tag,
    summary: 'List requests of all clients, newest first.',
    who: 'operator',
    query: shapes.requestFilter,
    item: shapes.deskRequest,
    refusals: deskRefusals,
    async handle({ actor, query, page }) {
      const filter = { clientId: query.clientId, states: statesOf(query.state) };
      const found = await delivery.listRequests(actor, filter, page);
      return { items: await withClients(delivery, actor, found.items), next: found.next };
    },
  }),
  listRoute({
    path: '/v1/delivery-desk/queue',
    operationId: 'listQueue',
    tag,
    summary: 'List requests that are not finished, the soonest due first.',
    who: 'operator',
    query: shapes.queueFilter,
    item: shapes.deskRequest,
    refusals: deskRefusals,
    async handle({ actor, query, page }) {
      const found = await delivery.listQueue(actor, query, page);
      return { items: await withClients(delivery, actor, found.items), next: found.next };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/delivery-desk/requests/:requestId/take',
    operationId: 'takeDeliveryRequest',
    tag,
    summary: 'Begin to work on a request; the client sees it.',
    who: 'operator',
    params: shapes.requestPath,
    answers: { 200: shapes.request },
    refusals: stepRefusals,
    handle: async ({ actor, params }) => ({
      status: 200,
      body: formatRequest(await delivery.takeRequest(actor, params.requestId)),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/delivery-desk/requests/:requestId/approve',
    operationId: 'approveDeliveryRequest',
    tag,
    summary: 'Approve what the client confirmed. After the first set-up it takes effect with the last approval.',
    who: 'operator',
    params: shapes.requestPath,
    answers: { 200: shapes.request },
    refusals: [
      ...stepRefusals,
      'request_not_confirmed',
      'request_incomplete',
      'approver_is_requester',
      'approver_reset_password',
      'approved_already',
      'approver_not_operator',
      'key_registered_elsewhere',
    ],
    handle: async ({ actor, params }) => ({
      status: 200,
      body: formatRequest(await delivery.approve(actor, params.requestId)),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/delivery-desk/requests/:requestId/decline',
    operationId: 'declineDeliveryRequest',
    tag,
    summary: 'Refuse a request with a reason that the client reads.',
    who: 'operator',
    params: shapes.requestPath,
    body: shapes.declining,
    answers: { 200: shapes.request },
    refusals: [...stepRefusals, 'delivery_reason_missing'],
    handle: async ({ actor, params, body }) => ({
      status: 200,
      body: formatRequest(await delivery.decline(actor, params.requestId, body.reason ?? '', body.code)),
    }),
  }),
];

async function withClients(delivery: Delivery, actor: Actor, views: readonly RequestView[]) {
  const briefs = await delivery.describeClients(
    actor,
    views.map(({ clientId }) => clientId),
  );
  return views.map((view) => formatDeskRequest(view, briefs));
}

async function show(delivery: Delivery, actor: Actor, clientId: string, yourAddress: string) {
  const { encryption } = await delivery.listKeys(actor, clientId);
  return formatElected(await delivery.getElected(actor, clientId), { yourAddress, encryption });
}

const clientRoutes = ({ delivery }: { delivery: Delivery }): Route[] => [
  route({
    method: 'GET',
    path: '/v1/clients/:clientId/delivery',
    operationId: 'getDeliveryOfClient',
    tag,
    summary: 'Tell where a client’s reports go and how far its connection is.',
    who: 'operator',
    params: shapes.clientPath,
    answers: { 200: shapes.deliveryState },
    refusals: deskRefusals,
    handle: async ({ actor, params, address }) => ({
      status: 200,
      body: await show(delivery, actor, params.clientId, address),
    }),
  }),
  route({
    method: 'GET',
    path: '/v1/clients/:clientId/delivery/keys',
    operationId: 'listDeliveryKeysOfClient',
    tag,
    summary: 'List a client’s keys.',
    who: 'operator',
    params: shapes.clientPath,
    answers: { 200: shapes.keys },
    refusals: deskRefusals,
    handle: async ({ actor, params }) => ({
      status: 200,
      body: formatKeys(await delivery.listKeys(actor, params.clientId)),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/clients/:clientId/delivery/requests',
    operationId: 'submitDeliveryForClient',
    tag,
    summary: 'Hand in for a client what it sent; nothing takes effect before the client confirms it.',
    who: 'operator',
    params: shapes.clientPath,
    body: shapes.submission,
    bodyLimitBytes: submissionLimitBytes,
    answers: { 201: shapes.request },
    refusals: [...intakeRefusals, ...keyRefusals, ...addressRefusals],
    async handle({ actor, params, body }) {
      const view = await delivery.submit(actor, {
        clientId: params.clientId,
        channel: 'desk',
        key: body.key === undefined ? undefined : Buffer.from(body.key),
        purpose: body.purpose,
        expiresAtMs: parseInstant(body.expiresAt),
        addresses: body.addresses,
      });
      return { status: 201, body: formatRequest(view) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/clients/:clientId/delivery/log-in',
    operationId: 'issueDeliveryLogIn',
    tag,
    summary: 'Issue user name and password together; the password is shown this once.',
    who: 'operator',
    params: shapes.clientPath,
    answers: { 200: shapes.logIn },
    refusals: connectionRefusals,
    async handle({ actor, params }) {
      const issued = await delivery.issueLogIn(actor, params.clientId);
      return { status: 200, body: issued, headers: { 'cache-control': 'no-store' } };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/clients/:clientId/delivery/configured',
    operationId: 'markConfigured',
    tag,
    summary: 'Mark the connection configured: approved keys and addresses take effect and the client is told.',
    who: 'operator',
    params: shapes.clientPath,
    answers: { 200: shapes.deliveryState },
    refusals: [...connectionRefusals, 'request_not_approved', 'login_not_issued'],
    async handle({ actor, params, address }) {
      await delivery.markConfigured(actor, params.clientId);
      return { status: 200, body: await show(delivery, actor, params.clientId, address) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/clients/:clientId/delivery/resume',
    operationId: 'resumeConnection',
    tag,
    summary: 'Open a suspended connection again.',
    who: 'operator',
    params: shapes.clientPath,
    answers: { 200: shapes.deliveryState },
    refusals: connectionRefusals,
    async handle({ actor, params, address }) {
      await delivery.resumeConnection(actor, params.clientId);
      return { status: 200, body: await show(delivery, actor, params.clientId, address) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/clients/:clientId/delivery/close',
    operationId: 'closeConnection',
    tag,
    summary: 'Close a connection with its keys and addresses.',
    who: 'operator',
    params: shapes.clientPath,
    answers: { 200: shapes.deliveryState },
    refusals: connectionRefusals,
    async handle({ actor, params, address }) {
      await delivery.closeConnection(actor, params.clientId);
      return { status: 200, body: await show(delivery, actor, params.clientId, address) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/clients/:clientId/delivery/suspend',
    operationId: 'suspendConnection',
    tag,
    summary: 'Suspend a connection for a cause that the client reads; what is open ends.',
    who: 'operator',
    params: shapes.clientPath,
    body: shapes.requiredReason,
    answers: { 200: shapes.deliveryState },
    refusals: [...connectionRefusals, 'delivery_reason_missing'],
    async handle({ actor, params, body, address }) {
      await delivery.suspendConnection(actor, params.clientId, body.reason);
      return { status: 200, body: await show(delivery, actor, params.clientId, address) };
    },
  }),
];

const listRoutes = ({ delivery }: { delivery: Delivery }): Route[] => [
  listRoute({
    path: '/v1/delivery-desk/ending-keys',
    operationId: 'listEndingKeys',
    tag,
    summary: 'List keys that end soon, soonest first.',
    who: 'operator',
    query: shapes.endingFilter,
    item: shapes.endingKey,
    refusals: deskRefusals,
    async handle({ actor, query, page }) {
      const found = await delivery.listEndingKeys(actor, query.withinDays ?? daysShown, page);
      const briefs = await delivery.describeClients(
        actor,
        found.items.map(({ clientId }) => clientId),
      );
      return { items: found.items.map((key) => formatEndingKey(key, briefs)), next: found.next };
    },
  }),
  listRoute({
    path: '/v1/delivery-desk/blocks',
    operationId: 'listBlockedAddresses',
    tag,
    summary: 'List networks that the desk keeps out.',
    who: 'operator',
    item: shapes.address,
    refusals: deskRefusals,
    async handle({ actor, page }) {
      const found = await delivery.listBlocks(actor, page);
      return { items: found.items.map(formatAddress), next: found.next };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/delivery-desk/blocks',
    operationId: 'blockAddress',
    tag,
    summary: 'Keep a network out, whoever listed it more widely.',
    who: 'operator',
    body: shapes.block,
    answers: { 201: shapes.address },
    refusals: [...deskRefusals, 'address_malformed', 'address_listed'],
    handle: async ({ actor, body }) => ({
      status: 201,
      body: formatAddress(await delivery.blockAddress(actor, body.network)),
    }),
  }),
  route({
    method: 'DELETE',
    path: '/v1/delivery-desk/blocks/:entryId',
    operationId: 'unblockAddress',
    tag,
    summary: 'Let a blocked network in again where a client lists it.',
    who: 'operator',
    params: shapes.addressPath,
    answers: { 204: noBody },
    refusals: deskRefusals,
    async handle({ actor, params }) {
      await delivery.unblockAddress(actor, params.entryId);
      return { status: 204 };
    },
  }),
  downloadRoute({
    path: '/v1/delivery-desk/allow-list.nft',
    operationId: 'exportAllowList',
    tag,
    summary: 'The allow-list as nftables sets, for `nft -f`.',
    who: 'operator',
    refusals: deskRefusals,
    mediaTypes: ['text/plain'],
    async handle({ actor }) {
      const bytes = Buffer.from(await delivery.formatNftables(actor));
      return {
        fileName: 'allow-list.nft',
        contentType: 'text/plain; charset=utf-8',
        sizeBytes: bytes.length,
        etag: createHash('sha256').update(bytes).digest('hex'),
        async *open({ start, end }) {
          yield bytes.subarray(start, end);
        },
      };
    },
  }),
];
