// Identity over HTTPS, for the desks: clients with their accounts and people, and operators.
import { closed, id } from '@broadgate/contract';
import * as shapes from '@broadgate/contract/identity.ts';
import type { Static } from 'typebox';
import { listRoute, noBody, type Route, route, type Upload, uploadRoute } from '../faces/https/route.ts';
import { formatInstant } from '../kernel/clock.ts';
import type { Client, Identity, Invitation, Operator } from './identity.ts';
import { refusals } from './rules.ts';

const malformedRefusals = [
  'kind_malformed',
  'name_malformed',
  'login_malformed',
  'email_malformed',
  'locale_malformed',
  'account_malformed',
];
const importRefusals = ['desk_only', 'import_malformed', 'import_rejected', 'import_too_large'];
// Ten thousand clients with long names fit in it.
const importLimitBytes = 5 * 1024 * 1024;

const clientIdParams = closed({ clientId: id('client') });
const loginIdParams = closed({ loginId: id('login') });
const operatorIdParams = closed({ operatorId: id('operator') });

/** The routes of the desks. */
export const createDeskRoutes = (parts: { identity: Identity }): Route[] => [
  ...clientRoutes(parts),
  ...importRoutes(parts),
  ...loginRoutes(parts),
  ...operatorRoutes(parts),
];

const clientRoutes = ({ identity }: { identity: Identity }): Route[] => [
  listRoute({
    path: '/v1/clients',
    operationId: 'listClients',
    tag: 'Clients',
    summary: 'List clients in the order in which they were added.',
    who: 'operator',
    query: shapes.clientFilter,
    item: shapes.client,
    refusals: ['desk_only'],
    async handle({ actor, page, query }) {
      const { items, next } = await identity.listClients(actor, { ...page, ...query });
      return { items: items.map(formatClient), next };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/clients',
    operationId: 'addClient',
    tag: 'Clients',
    summary: 'Add a client with its accounts and its first login.',
    who: 'operator',
    body: shapes.newClient,
    answers: { 201: shapes.addedClient },
    refusals: ['desk_only', 'login_taken', 'account_taken', ...malformedRefusals],
    async handle({ actor, body }) {
      const { invitation, ...added } = await identity.addClient(actor, body);
      return { status: 201, body: { ...added, invitation: formatInvitation(invitation) } };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/clients/:clientId',
    operationId: 'getClient',
    tag: 'Clients',
    summary: 'Read one client; a client reads itself.',
    who: 'signed_in',
    params: clientIdParams,
    answers: { 200: shapes.client },
    refusals: ['client_not_found'],
    handle: async ({ actor, params }) => ({
      status: 200,
      body: formatClient(await identity.getClient(actor, params.clientId)),
    }),
  }),
  ...(['suspend', 'resume', 'close'] as const).map((verb) =>
    route({
      method: 'POST',
      path: `/v1/clients/:clientId/${verb}`,
      operationId: `${verb}Client`,
      tag: 'Clients',
      summary: {
        suspend: 'End sign-ins and connections of a client at once and let none in.',
        resume: 'Let a suspended client in again.',
        close: 'End a client for good; its records stay.',
      }[verb],
      who: 'operator',
      params: clientIdParams,
      body: shapes.stateChange,
      answers: { 204: noBody },
      refusals: ['desk_only', 'client_not_found', 'client_closed', 'reason_missing'],
      async handle({ actor, params, body }) {
        const change = {
          suspend: identity.suspendClient,
          resume: identity.resumeClient,
          close: identity.closeClient,
        }[verb];
        await change(actor, params.clientId, body.reason);
        return { status: 204 };
      },
    }),
  ),
  route({
    method: 'POST',
    path: '/v1/clients/:clientId/accounts',
    operationId: 'addAccount',
    tag: 'Clients',
    summary: 'Add an account to a client.',
    who: 'operator',
    params: clientIdParams,
    body: shapes.newAccount,
    answers: { 201: shapes.addedAccount },
    refusals: ['desk_only', 'client_not_found', 'client_closed', 'account_taken', 'account_malformed'],
    handle: async ({ actor, params, body }) => ({
      status: 201,
      body: await identity.addAccount(actor, params.clientId, body.accountNumber),
    }),
  }),
];

const importRoutes = ({ identity }: { identity: Identity }): Route[] => [
  uploadRoute({
    method: 'POST',
    path: '/v1/clients/import/check',
    operationId: 'checkClientImport',
    tag: 'Clients',
    summary: 'Check a CSV file of new clients and change nothing.',
    who: 'operator',
    mediaTypes: ['text/csv'],
    bodyLimitBytes: importLimitBytes,
    answers: { 200: shapes.importCheck },
    refusals: importRefusals,
    handle: async ({ actor, upload }) => ({
      status: 200,
      body: await identity.checkImport(actor, await readText(upload)),
    }),
  }),
  uploadRoute({
    method: 'POST',
    path: '/v1/clients/import',
    operationId: 'importClients',
    tag: 'Clients',
    summary: 'Add every client of a CSV file, or none.',
    description: 'Columns: kind, name, login, accounts (separated by semicolons) and, if wanted, email and locale.',
    who: 'operator',
    mediaTypes: ['text/csv'],
    bodyLimitBytes: importLimitBytes,
    answers: { 201: shapes.importAnswer },
    refusals: [...importRefusals, 'login_taken', 'account_taken'],
    async handle({ actor, upload }) {
      const { clients } = await identity.importClients(actor, await readText(upload));
      const rows = clients.map((client) => ({ ...client, invitation: formatInvitation(client.invitation) }));
      return { status: 201, body: { clients: rows } };
    },
  }),
];

const loginRoutes = ({ identity }: { identity: Identity }): Route[] => [
  route({
    method: 'POST',
    path: '/v1/clients/:clientId/logins',
    operationId: 'addLogin',
    tag: 'Clients',
    summary: 'Add another person of a client.',
    who: 'operator',
    params: clientIdParams,
    body: shapes.newLogin,
    answers: { 201: shapes.addedLogin },
    refusals: ['desk_only', 'client_not_found', 'client_closed', 'login_taken', 'login_malformed'],
    async handle({ actor, params, body }) {
      const { loginId, invitation } = await identity.addLogin(actor, params.clientId, body);
      return { status: 201, body: { loginId, invitation: formatInvitation(invitation) } };
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/logins/:loginId',
    operationId: 'endLogin',
    tag: 'Clients',
    summary: 'End the access of one person of a client.',
    who: 'operator',
    params: loginIdParams,
    answers: { 204: noBody },
    refusals: ['desk_only', 'login_not_found'],
    async handle({ actor, params }) {
      await identity.endLogin(actor, params.loginId);
      return { status: 204 };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/logins/:loginId/reset',
    operationId: 'resetPassword',
    tag: 'Clients',
    summary: 'Open a one-time link for a new password; the old one opens nothing from now on.',
    who: 'operator',
    params: loginIdParams,
    answers: { 201: shapes.invitation },
    refusals: ['desk_only', 'login_not_found'],
    async handle({ actor, params }) {
      const { invitation } = await identity.resetPassword(actor, params.loginId);
      return { status: 201, body: formatInvitation(invitation) };
    },
  }),
];

const operatorRoutes = ({ identity }: { identity: Identity }): Route[] => [
  listRoute({
    path: '/v1/operators',
    operationId: 'listOperators',
    tag: 'Operators',
    summary: 'List operators in the order in which they were added.',
    who: 'operator',
    item: shapes.operator,
    refusals: ['desk_only'],
    async handle({ actor, page }) {
      const { items, next } = await identity.listOperators(actor, page);
      return { items: items.map(formatOperator), next };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/operators',
    operationId: 'addOperator',
    tag: 'Operators',
    summary: 'Add an operator, who sets a password through the one-time link.',
    who: 'operator',
    body: shapes.newOperator,
    answers: { 201: shapes.addedOperator },
    refusals: ['desk_only', 'login_taken', 'login_malformed', 'name_malformed', 'desk_unknown'],
    async handle({ actor, body }) {
      const { invitation, ...added } = await identity.addOperator(actor, body);
      return { status: 201, body: { ...added, invitation: formatInvitation(invitation) } };
    },
  }),
  route({
    method: 'PUT',
    path: '/v1/operators/:operatorId/desks',
    operationId: 'setDesks',
    tag: 'Operators',
    summary: 'Change the desks an operator works at, from the next request on.',
    who: 'operator',
    params: operatorIdParams,
    body: shapes.deskChange,
    answers: { 204: noBody },
    refusals: ['desk_only', 'not_on_yourself', 'operator_not_found', 'desk_unknown'],
    async handle({ actor, params, body }) {
      await identity.setDesks(actor, params.operatorId, body.desks);
      return { status: 204 };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/operators/:operatorId/end',
    operationId: 'endOperator',
    tag: 'Operators',
    summary: "End an operator's access at once.",
    who: 'operator',
    params: operatorIdParams,
    answers: { 204: noBody },
    refusals: ['desk_only', 'not_on_yourself', 'operator_not_found'],
    async handle({ actor, params }) {
      await identity.endOperator(actor, params.operatorId);
      return { status: 204 };
    },
  }),
];

// The one-time link leaves in this answer alone; only its hash is kept, so it cannot be shown again.
const formatInvitation = (invitation: Invitation): Static<typeof shapes.invitation> => ({
  token: invitation.token,
  expiresAt: formatInstant(invitation.expiresAtMs),
});

const formatClient = (client: Client): shapes.Client => ({
  id: client.clientId,
  kind: client.kind,
  name: client.name,
  email: client.email ?? null,
  locale: client.locale,
  state: client.state,
  stateReason: client.stateReason ?? null,
  accountNumbers: [...client.accountNumbers],
  logins: [...client.logins],
  createdAt: formatInstant(client.createdAtMs),
});

const formatOperator = (operator: Operator): Static<typeof shapes.operator> => ({
  id: operator.operatorId,
  login: operator.login,
  name: operator.name,
  desks: [...operator.desks],
  state: operator.state,
  isSetUp: operator.isSetUp,
  createdAt: formatInstant(operator.createdAtMs),
});

/** The whole body as text. Refuses: import_malformed where it is not UTF-8. */
async function readText(upload: Upload): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of upload.chunks) chunks.push(chunk);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw refusals.import_malformed({ columns: 'kind, name, login, accounts', reason: 'not UTF-8' });
  }
}
