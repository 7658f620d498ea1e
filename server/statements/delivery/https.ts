// Delivery over HTTPS, for the client: what it elects, the one intake, its confirmation, its keys and addresses.
import { createHash } from 'node:crypto';
import * as shapes from '@broadgate/contract/delivery.ts';
import { downloadRoute, listRoute, noBody, type Route, route, uploadRoute } from '../../faces/https/route.ts';
import { formatAddress, formatElected, formatKeys, formatRequest, parseInstant } from './answers.ts';
import type { Delivery } from './delivery.ts';
import { createDeliveryDeskRoutes } from './desk-https.ts';
import { addressRefusals, deliveryRefusals, intakeRefusals, keyRefusals } from './intake-refusals.ts';
import { privateKeyWarning } from './rules.ts';

const tag = 'Delivery';
const keyLimitBytes = 64 * 1024;
// A key of 64 KiB as a JSON string, whose line ends take two characters each.
const submissionLimitBytes = 160 * 1024;
// Looking for private keys in whatever was packed into a file costs far more than any other reading of a body.
const submissionWeight = 20;

/** All routes of delivery, the desk's included. */
export const createDeliveryRoutes = (parts: { delivery: Delivery }): Route[] => [
  ...electionRoutes(parts),
  ...intakeRoutes(parts),
  ...keyRoutes(parts),
  ...createDeliveryDeskRoutes(parts),
];

const electionRoutes = ({ delivery }: { delivery: Delivery }): Route[] => [
  route({
    method: 'GET',
    path: '/v1/delivery',
    operationId: 'getDelivery',
    tag,
    summary: 'Tell where your reports go and how far your connection is.',
    who: 'client',
    answers: { 200: shapes.deliveryState },
    refusals: deliveryRefusals,
    async handle({ actor, address }) {
      const { encryption } = await delivery.listKeys(actor);
      const body = formatElected(await delivery.getElected(actor), { yourAddress: address, encryption });
      return { status: 200, body };
    },
  }),
  route({
    method: 'PUT',
    path: '/v1/delivery',
    operationId: 'electDelivery',
    tag,
    summary: 'Choose the channels for every report from now on.',
    who: 'client',
    body: shapes.election,
    answers: { 200: shapes.deliveryState },
    refusals: [...deliveryRefusals, 'channel_not_offered', 'no_channel_elected'],
    async handle({ actor, body, address }) {
      const { sftp, portal, ftp = false, email = false, contact } = body;
      const elected = await delivery.elect(actor, { channels: { sftp, portal, ftp, email }, contact });
      const { encryption } = await delivery.listKeys(actor);
      return { status: 200, body: formatElected(elected, { yourAddress: address, encryption }) };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/delivery/instructions',
    operationId: 'getDeliveryInstructions',
    tag,
    summary: 'Tell what to type into an SFTP program.',
    who: 'client',
    answers: { 200: shapes.instructions },
    refusals: deliveryRefusals,
    async handle({ actor }) {
      const found = await delivery.getInstructions(actor);
      const hostKeys = found.hostKeys.map((key) => ({ ...key }));
      return {
        status: 200,
        body: {
          ...found,
          hostKeys,
          knownHosts: [...found.knownHosts],
          systems: found.systems.map(({ system, commands }) => ({ system, commands: [...commands] })),
          warning: privateKeyWarning,
        },
      };
    },
  }),
  downloadRoute({
    path: '/v1/delivery/filezilla.xml',
    operationId: 'downloadFileZillaSite',
    tag,
    summary: 'Your connection as a site for FileZilla: File, Import. Then choose your private key file in the site.',
    who: 'client',
    mediaTypes: ['application/xml'],
    refusals: deliveryRefusals,
    async handle({ actor }) {
      const bytes = Buffer.from((await delivery.getInstructions(actor)).fileZillaSites);
      return {
        fileName: 'statements-filezilla.xml',
        contentType: 'application/xml',
        sizeBytes: bytes.length,
        etag: createHash('sha256').update(bytes).digest('hex'),
        async *open({ start, end }) {
          yield bytes.subarray(start, end);
        },
      };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/delivery/close',
    operationId: 'closeDelivery',
    tag,
    summary: 'Close the SFTP connection with its keys and addresses.',
    who: 'client',
    answers: { 200: shapes.deliveryState },
    refusals: [...deliveryRefusals, 'sftp_not_elected', 'state_moved'],
    async handle({ actor, address }) {
      const closed = await delivery.closeConnection(actor);
      const { encryption } = await delivery.listKeys(actor);
      return { status: 200, body: formatElected(closed, { yourAddress: address, encryption }) };
    },
  }),
];

const intakeRoutes = ({ delivery }: { delivery: Delivery }): Route[] => [
  route({
    method: 'POST',
    path: '/v1/delivery/requests',
    operationId: 'submitDelivery',
    tag,
    summary: 'Hand in a public key, addresses, or both: the one intake (article KB3842).',
    description: privateKeyWarning,
    who: 'client',
    body: shapes.submission,
    bodyLimitBytes: submissionLimitBytes,
    weight: submissionWeight,
    answers: { 201: shapes.request },
    refusals: [...intakeRefusals, ...keyRefusals, ...addressRefusals],
    async handle({ actor, body }) {
      const view = await delivery.submit(actor, {
        channel: 'portal',
        key: body.key === undefined ? undefined : Buffer.from(body.key),
        purpose: body.purpose,
        expiresAtMs: parseInstant(body.expiresAt),
        addresses: body.addresses,
      });
      return { status: 201, body: formatRequest(view) };
    },
  }),
  uploadRoute({
    method: 'POST',
    path: '/v1/delivery/keys',
    operationId: 'uploadDeliveryKey',
    tag,
    summary: 'Hand in a public key file as it is.',
    description: privateKeyWarning,
    who: 'client',
    query: shapes.keyQuery,
    mediaTypes: ['text/plain', 'application/octet-stream', 'application/pgp-keys', 'application/x-pem-file'],
    bodyLimitBytes: keyLimitBytes,
    weight: submissionWeight,
    answers: { 201: shapes.request },
    refusals: [...intakeRefusals, ...keyRefusals],
    async handle({ actor, query, upload }) {
      const chunks: Buffer[] = [];
      for await (const chunk of upload.chunks) chunks.push(chunk);
      const view = await delivery.submit(actor, {
        channel: 'portal',
        key: Buffer.concat(chunks),
        purpose: query.purpose,
        expiresAtMs: parseInstant(query.expiresAt),
      });
      return { status: 201, body: formatRequest(view) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/delivery/addresses',
    operationId: 'submitDeliveryAddresses',
    tag,
    summary: 'Hand in public addresses that you connect from.',
    who: 'client',
    body: shapes.addressSubmission,
    answers: { 201: shapes.request },
    refusals: [...intakeRefusals, ...addressRefusals],
    async handle({ actor, body }) {
      const view = await delivery.submit(actor, { channel: 'portal', addresses: body.addresses });
      return { status: 201, body: formatRequest(view) };
    },
  }),
  listRoute({
    path: '/v1/delivery/requests',
    operationId: 'listDeliveryRequests',
    tag,
    summary: 'List your requests, newest first, with when they are due.',
    who: 'client',
    item: shapes.request,
    refusals: deliveryRefusals,
    async handle({ actor, page }) {
      const found = await delivery.listRequests(actor, {}, page);
      return { items: found.items.map(formatRequest), next: found.next };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/delivery/requests/:requestId',
    operationId: 'getDeliveryRequest',
    tag,
    summary: 'Show one request.',
    who: 'signed_in',
    params: shapes.requestPath,
    answers: { 200: shapes.request },
    refusals: deliveryRefusals,
    handle: async ({ actor, params }) => ({
      status: 200,
      body: formatRequest(await delivery.getRequest(actor, params.requestId)),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/delivery/requests/:requestId/confirm',
    operationId: 'confirmDeliveryRequest',
    tag,
    summary: 'Confirm exactly the fingerprints and addresses that were shown, with the password typed afresh.',
    who: 'client',
    params: shapes.requestPath,
    body: shapes.confirmation,
    answers: { 200: shapes.request },
    refusals: [
      ...deliveryRefusals,
      'confirmation_mismatch',
      'nothing_to_confirm',
      'request_finished',
      'state_moved',
      'password_wrong',
      'sign_in_locked',
      'person_only',
      'key_registered_elsewhere',
    ],
    handle: async ({ actor, params, body }) => ({
      status: 200,
      body: formatRequest(await delivery.confirm(actor, params.requestId, body)),
    }),
  }),
];

const keyRoutes = ({ delivery }: { delivery: Delivery }): Route[] => [
  route({
    method: 'GET',
    path: '/v1/delivery/keys',
    operationId: 'listDeliveryKeys',
    tag,
    summary: 'List your keys with their fingerprints, ended ones too.',
    who: 'client',
    answers: { 200: shapes.keys },
    refusals: deliveryRefusals,
    handle: async ({ actor }) => ({ status: 200, body: formatKeys(await delivery.listKeys(actor)) }),
  }),
  route({
    method: 'POST',
    path: '/v1/delivery/keys/:keyId/end',
    operationId: 'endDeliveryKey',
    tag,
    summary: 'End a key now; connections opened with it close.',
    who: 'signed_in',
    params: shapes.keyPath,
    body: shapes.optionalReason,
    answers: { 200: shapes.keys },
    refusals: [...deliveryRefusals, 'key_not_in_force', 'state_moved'],
    handle: async ({ actor, params, body }) => ({
      status: 200,
      body: formatKeys(await delivery.endKey(actor, params.keyId, body.reason ?? '')),
    }),
  }),
  route({
    method: 'PUT',
    path: '/v1/delivery/encryption',
    operationId: 'switchDeliveryEncryption',
    tag,
    summary: 'Switch encryption of all reports on or off, after the notice that your OpenPGP key is imported.',
    who: 'client',
    body: shapes.encryptionSwitch,
    answers: { 200: shapes.keys },
    refusals: [...deliveryRefusals, 'no_certificate_imported', 'encryption_required', 'state_moved'],
    async handle({ actor, body }) {
      const keys =
        body.encryption === 'on' ? await delivery.enableEncryption(actor) : await delivery.disableEncryption(actor);
      return { status: 200, body: formatKeys(keys) };
    },
  }),
  listRoute({
    path: '/v1/delivery/addresses',
    operationId: 'listDeliveryAddresses',
    tag,
    summary: 'List addresses on file: your own, or for the delivery desk everyone’s.',
    who: 'signed_in',
    query: shapes.addressFilter,
    item: shapes.address,
    refusals: deliveryRefusals,
    async handle({ actor, query, page }) {
      const filter = { clientId: query.clientId, isLive: query.all !== 'true' };
      const found = await delivery.listAddresses(actor, filter, page);
      return { items: found.items.map(formatAddress), next: found.next };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/delivery/addresses/:entryId/remove',
    operationId: 'removeDeliveryAddress',
    tag,
    summary: 'Take an address off the list; connections from it end.',
    who: 'signed_in',
    params: shapes.addressPath,
    body: shapes.optionalReason,
    answers: { 204: noBody },
    refusals: [...deliveryRefusals, 'state_moved'],
    async handle({ actor, params, body }) {
      await delivery.removeAddress(actor, params.entryId, body.reason ?? '');
      return { status: 204 };
    },
  }),
];
