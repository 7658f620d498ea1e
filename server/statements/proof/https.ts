// Proof over HTTPS: receipts, manifests, the broker's key, the deletion log, and what the next purge would take.
import { closed, id } from '@broadgate/contract';
import * as shapes from '@broadgate/contract/statements.ts';
import { type Static, Type } from 'typebox';
import { listRoute, noBody, type Route, route } from '../../faces/https/route.ts';
import { formatInstant } from '../../kernel/clock.ts';
import type { Deletion } from './deletions.ts';
import type { ManifestItem, Manifests } from './manifests.ts';
import type { ManifestCheck } from './manifests-check.ts';
import type { ProofRecords } from './records.ts';
import type { Receipt } from './receipts.ts';
import type { Retention } from './retention.ts';

interface Parts {
  readonly manifests: Pick<Manifests, 'listManifests'> & Pick<ManifestCheck, 'checkManifests'>;
  readonly records: ProofRecords;
  readonly retention: Retention;
  readonly brokerKey: { readonly fingerprint: string; readonly userId: string; readonly certificate: string };
}

const tag = 'Proof';
// A check reads everything it checks.
const checkWeight = 50;
const ofClient = closed({ client: Type.Optional(id('client')) });

export const createProofRoutes = ({ manifests, records, retention, brokerKey }: Parts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/broker-key',
    operationId: 'getBrokerKey',
    tag,
    summary: 'Tell the public key that signs for the broker.',
    who: 'anyone',
    answers: { 200: shapes.brokerKey },
    refusals: [],
    handle: async () => ({ status: 200, body: brokerKey }),
  }),
  listRoute({
    path: '/v1/receipts',
    operationId: 'listReceipts',
    tag,
    summary: 'List who fetched what, the newest first.',
    who: 'signed_in',
    query: ofClient,
    item: shapes.receipt,
    refusals: ['proof_not_yours'],
    async handle({ actor, query, page }) {
      const { items, next } = await records.listReceipts(actor, { clientId: query.client }, page);
      return { items: items.map(formatReceipt), next };
    },
  }),
  listRoute({
    path: '/v1/manifests',
    operationId: 'listManifests',
    tag,
    summary: 'List the signed daily manifests, the newest first; the files lie in the repository.',
    who: 'signed_in',
    query: ofClient,
    item: shapes.manifest,
    refusals: ['proof_not_yours'],
    async handle({ actor, query, page }) {
      const { items, next } = await manifests.listManifests(actor, { clientId: query.client }, page);
      return { items: items.map(formatManifest), next };
    },
  }),
  listRoute({
    path: '/v1/deletions',
    operationId: 'listDeletions',
    tag,
    summary: 'List what retention and withdrawal took away, the newest first.',
    who: 'signed_in',
    query: ofClient,
    item: shapes.deletion,
    refusals: ['proof_not_yours'],
    async handle({ actor, query, page }) {
      const { items, next } = await records.listDeletions(actor, { clientId: query.client }, page);
      return { items: items.map(formatDeletion), next };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/manifests/check',
    operationId: 'checkManifests',
    tag,
    summary: 'Check the signatures and the chain of a client’s manifests, and that what they list is there.',
    who: 'signed_in',
    weight: checkWeight,
    body: ofClient,
    answers: { 200: shapes.manifestCheck },
    refusals: ['proof_not_yours'],
    async handle({ actor, body }) {
      const { manifests: checked, faults } = await manifests.checkManifests(actor, { clientId: body.client });
      const told = faults.map(({ manifest, fault, path }) => ({ manifest, fault, path: path ?? null }));
      return { status: 200, body: { manifests: checked, faults: told } };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/deletions/check',
    operationId: 'checkDeletions',
    tag,
    summary: 'Recompute the chain of the deletion log.',
    who: 'operator',
    weight: checkWeight,
    answers: { 200: shapes.deletionCheck },
    refusals: ['proof_not_yours'],
    async handle({ actor }) {
      const verdict = await records.checkDeletions(actor);
      return {
        status: 200,
        body: verdict.whole
          ? { isWhole: true, rows: verdict.rows, brokenAt: null }
          : { isWhole: false, rows: null, brokenAt: verdict.number },
      };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/retention',
    operationId: 'previewPurge',
    tag,
    summary: 'Tell what the next purge would take.',
    who: 'operator',
    answers: { 200: shapes.purgePreview },
    refusals: ['proof_not_yours'],
    async handle({ actor }) {
      const { nowMs, lastPurgeAtMs, ...due } = await retention.previewPurge(actor);
      const lastPurgeAt = lastPurgeAtMs === undefined ? null : formatInstant(lastPurgeAtMs);
      return { status: 200, body: { ...due, lastPurgeAt, now: formatInstant(nowMs) } };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/retention/clock',
    operationId: 'confirmClock',
    tag,
    summary: 'Confirm that the clock of the server is right, after it jumped.',
    who: 'operator',
    answers: { 204: noBody },
    refusals: ['proof_not_yours'],
    async handle({ actor }) {
      await retention.confirmClock(actor);
      return { status: 204 };
    },
  }),
];

export const formatReceipt = (receipt: Receipt): Static<typeof shapes.receipt> => ({
  id: receipt.receiptId,
  statementId: receipt.statementId ?? null,
  form: receipt.form,
  path: receipt.path,
  sha256: receipt.sha256 ?? null,
  sizeBytes: receipt.sizeBytes,
  actor: receipt.actor,
  face: receipt.face as Static<typeof shapes.receipt>['face'],
  address: receipt.address ?? null,
  through: receipt.through ?? null,
  keyFingerprint: receipt.keyFingerprint ?? null,
  openedAt: formatInstant(receipt.openedAtMs),
  closedAt: formatInstant(receipt.closedAtMs),
  sentBytes: receipt.sentBytes,
  ranges: receipt.ranges.map((range) => ({ start: range.startBytes, end: range.endBytes })),
  isWhole: receipt.isWhole,
  isCut: receipt.isCut,
});

const formatManifest = (item: ManifestItem): Static<typeof shapes.manifest> => ({
  number: item.number,
  day: item.day,
  path: item.path,
  sha256: item.sha256,
  isFinal: item.isFinal,
  madeAt: formatInstant(item.madeAtMs),
});

const formatDeletion = (row: Deletion): Static<typeof shapes.deletion> => ({
  number: row.number,
  clientId: row.clientId,
  what: row.what,
  why: row.why,
  path: row.path,
  sha256: row.sha256,
  sizeBytes: row.sizeBytes,
  statementId: row.statementId,
  placedAt: formatInstant(row.placedAtMs),
  deletedAt: formatInstant(row.deletedAtMs),
  hash: row.hash,
});
