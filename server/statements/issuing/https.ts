// Statements over HTTPS: the client's list, files and timeline; the desk's issuing and withdrawing.
import { closed, id } from '@broadgate/contract';
import * as shapes from '@broadgate/contract/statements.ts';
import { type Static, Type } from 'typebox';
import { downloadRoute, listRoute, noBody, type Route, route, uploadRoute } from '../../faces/https/route.ts';
import { formatInstant } from '../../kernel/clock.ts';
import { formatReceipt } from '../proof/https.ts';
import { formatDownload } from '../repository/download-https.ts';
import type { Archives } from './archive.ts';
import type { Catalog, Statement, StatementDelivery, TimelineStep } from './catalog.ts';
import type { Issued, Issuing } from './issuing.ts';
import { statementBytesMax } from './rules.ts';

interface Parts {
  readonly archives: Archives;
  readonly issuing: Issuing;
  readonly catalog: Catalog;
}

const tag = 'Statements';
const desk = 'Delivery desk';
const one = closed({ statementId: id('statement') });

export const createIssuingRoutes = (parts: Parts): Route[] => [...clientRoutes(parts), ...deskRoutes(parts)];

const clientRoutes = ({ issuing, catalog, archives }: Parts): Route[] => [
  listRoute({
    path: '/v1/statements',
    operationId: 'listStatements',
    tag,
    summary: 'List your statements, the newest first.',
    who: 'client',
    query: closed(shapes.statementFilter),
    item: shapes.statement,
    refusals: [],
    async handle({ actor, query, page }) {
      const { account: accountNumber, ...rest } = query;
      const { items, next } = await catalog.listStatements(actor, { accountNumber, ...rest }, page);
      return { items: items.map(formatStatement), next };
    },
  }),
  downloadRoute({
    path: '/v1/statements/archive',
    operationId: 'downloadStatements',
    tag,
    summary: 'Fetch several statements in clear, in one ZIP file.',
    who: 'signed_in',
    query: shapes.archiveQuery,
    mediaTypes: ['application/zip'],
    weight: 10,
    refusals: ['statement_not_found', 'statement_expired', 'archive_too_large'],
    async handle({ actor, query }) {
      const archive = await archives.openArchive(actor, query.ids.split(','));
      return {
        fileName: 'statements.zip',
        contentType: 'application/zip',
        sizeBytes: archive.sizeBytes,
        etag: archive.etag,
        isMadeAnew: true,
        open: () => archive.stream(),
        sent: ({ isComplete }) => archive.close(isComplete),
      };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/statements/:statementId',
    operationId: 'getStatement',
    tag,
    summary: 'Tell one statement.',
    who: 'signed_in',
    params: one,
    answers: { 200: shapes.statement },
    refusals: ['statement_not_found'],
    handle: async ({ actor, params }) => ({
      status: 200,
      body: formatStatement(await catalog.getStatement(actor, params.statementId)),
    }),
  }),
  downloadRoute({
    path: '/v1/statements/:statementId/file',
    operationId: 'downloadStatement',
    tag,
    summary: 'Fetch the statement in clear.',
    who: 'signed_in',
    params: one,
    mediaTypes: Object.values(mediaTypes()),
    refusals: ['statement_not_found', 'statement_expired'],
    async handle({ actor, params }) {
      const reader = await catalog.openPortalCopy(actor, params.statementId);
      return formatDownload(reader, mediaTypeOf(reader.file.path));
    },
  }),
  downloadRoute({
    path: '/v1/statements/:statementId/delivered',
    operationId: 'downloadDelivered',
    tag,
    summary: 'Fetch the statement in the form that lies in the repository.',
    who: 'signed_in',
    params: one,
    mediaTypes: ['application/octet-stream'],
    refusals: ['statement_not_found', 'statement_not_delivered'],
    handle: async ({ actor, params }) => formatDownload(await catalog.openDelivered(actor, params.statementId)),
  }),
  route({
    method: 'GET',
    path: '/v1/statements/:statementId/timeline',
    operationId: 'getTimeline',
    tag,
    summary: 'Tell everything that happened to a statement, and when it will be gone.',
    who: 'signed_in',
    params: one,
    answers: { 200: shapes.timeline },
    refusals: ['statement_not_found'],
    async handle({ actor, params }) {
      const steps = await catalog.getTimeline(actor, params.statementId);
      return { status: 200, body: { steps: steps.map(formatStep) } };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/delivery/test-file',
    operationId: 'sendTestFile',
    tag: 'Delivery',
    summary: 'Send yourself a test file through the real delivery.',
    who: 'client',
    answers: { 201: shapes.issued },
    idempotency: 'accepted',
    refusals: ['test_file_not_possible', 'client_without_account'],
    async handle({ actor, requestId }) {
      return { status: 201, body: formatIssued(await issuing.issueTestFile(actor, { requestId })) };
    },
  }),
];

const deskRoutes = ({ issuing, catalog }: Parts): Route[] => [
  listRoute({
    path: '/v1/delivery-desk/statements',
    operationId: 'listIssued',
    tag: desk,
    summary: 'List what was issued, expired and withdrawn ones included.',
    who: 'operator',
    query: closed({ client: Type.Optional(id('client')), ...shapes.statementFilter }),
    item: shapes.statement,
    refusals: ['issuing_not_yours'],
    async handle({ actor, query, page }) {
      const { account: accountNumber, client: clientId, ...rest } = query;
      const { items, next } = await catalog.listStatements(actor, { accountNumber, clientId, ...rest }, page);
      return { items: items.map(formatStatement), next };
    },
  }),
  uploadRoute({
    method: 'POST',
    path: '/v1/delivery-desk/statements',
    operationId: 'issueStatement',
    tag: desk,
    summary: 'Issue one statement or document; the body is the file.',
    who: 'operator',
    query: shapes.issueQuery,
    mediaTypes: ['application/octet-stream'],
    bodyLimitBytes: statementBytesMax,
    answers: { 201: shapes.issued },
    idempotency: 'accepted',
    refusals: [
      'issuing_not_yours',
      'account_unknown',
      'statement_kind_invalid',
      'statement_period_invalid',
      'statement_extension_invalid',
      'statement_empty',
      'statement_too_large',
      'statement_hash_differs',
      'statement_versions_too_many',
    ],
    async handle({ actor, query, requestId, upload }) {
      const { account: accountNumber, file: fileName, ...rest } = query;
      const asked = { accountNumber, fileName, ...rest, requestId };
      return { status: 201, body: formatIssued(await issuing.issueStatement(actor, asked, upload.chunks)) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/delivery-desk/statements/:statementId/withdraw',
    operationId: 'withdrawStatement',
    tag: desk,
    summary: 'Hide a wrongly issued statement everywhere and tell the client.',
    who: 'operator',
    params: one,
    body: shapes.withdrawal,
    answers: { 204: noBody },
    refusals: ['issuing_not_yours', 'statement_not_found', 'statement_withdrawn_already'],
    async handle({ actor, params, body }) {
      await issuing.withdraw(actor, params.statementId, body.reason);
      return { status: 204 };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/clients/:clientId/delivery/test-file',
    operationId: 'sendTestFileTo',
    tag: desk,
    summary: 'Send a client a test file through the real delivery.',
    who: 'operator',
    params: closed({ clientId: id('client') }),
    answers: { 201: shapes.issued },
    idempotency: 'accepted',
    refusals: ['issuing_not_yours', 'test_file_not_possible', 'client_without_account'],
    async handle({ actor, params, requestId }) {
      const issued = await issuing.issueTestFile(actor, { clientId: params.clientId, requestId });
      return { status: 201, body: formatIssued(issued) };
    },
  }),
];

function mediaTypes(): Readonly<Record<string, string>> {
  return {
    pdf: 'application/pdf',
    csv: 'text/csv; charset=utf-8',
    xml: 'application/xml',
    txt: 'text/plain; charset=utf-8',
    other: 'application/octet-stream',
  };
}

/** HTML is not among them: a file that came from elsewhere is never shown as a page of ours. */
const mediaTypeOf = (name: string): string =>
  mediaTypes()[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';

const formatIssued = ({ statementId, ...rest }: Issued): Static<typeof shapes.issued> => ({ id: statementId, ...rest });

export const formatStatement = (statement: Statement): Static<typeof shapes.statement> => ({
  id: statement.statementId,
  clientId: statement.clientId,
  accountNumber: statement.accountNumber,
  kind: statement.kind,
  periodFrom: statement.periodFrom,
  periodTo: statement.periodTo,
  name: statement.name,
  title: statement.title ?? null,
  version: statement.version,
  sizeBytes: statement.sizeBytes,
  sha256: statement.sha256,
  state: statement.state,
  issuedAt: formatInstant(statement.issuedAtMs),
  expiresAt: statement.expiresAtMs === undefined ? null : formatInstant(statement.expiresAtMs),
  withdrawn:
    statement.withdrawn === undefined
      ? null
      : { at: formatInstant(statement.withdrawn.atMs), reason: statement.withdrawn.reason },
  delivery: statement.delivery === undefined ? null : formatDelivery(statement.delivery),
});

const formatDelivery = (delivery: StatementDelivery): Static<typeof shapes.statementDelivery> =>
  delivery.state === 'waiting'
    ? { state: 'waiting', waitsFor: delivery.waitsFor, since: formatInstant(delivery.sinceMs) }
    : {
        state: 'placed',
        path: delivery.path,
        isEncrypted: delivery.isEncrypted,
        certificateFingerprint: delivery.certificateFingerprint ?? null,
        subkeyId: delivery.subkeyId ?? null,
        sizeBytes: delivery.sizeBytes,
        sha256: delivery.sha256,
        placedAt: formatInstant(delivery.placedAtMs),
        expiresAt: formatInstant(delivery.expiresAtMs),
      };

function formatStep(step: TimelineStep): Static<typeof shapes.timelineStep> {
  const { step: name, atMs, ...rest } = step;
  const shape = { step: name, at: formatInstant(atMs) };
  return 'receipt' in rest ? { ...shape, receipt: formatReceipt(rest.receipt) } : { ...shape, ...rest };
}
