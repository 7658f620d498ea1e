// Operations over HTTPS: health, workers, jobs, the audit trail, and series to draw.
import * as shapes from '@broadgate/contract/operations.ts';
import type { Static } from 'typebox';
import { listRoute, noBody, type Route, route } from '../faces/https/route.ts';
import type { AuditRow } from '../kernel/audit.ts';
import { formatInstant } from '../kernel/clock.ts';
import type { Operations, Worker } from './operations.ts';

const tag = 'Operations';
// A check reads the whole trail.
const checkWeight = 50;
const instant = (atMs: number | null | undefined): string | null =>
  atMs === null || atMs === undefined ? null : formatInstant(atMs);

export const createOperationsRoutes = ({ operations }: { operations: Operations }): Route[] => [
  route({
    method: 'GET',
    path: '/v1/operations/health',
    operationId: 'getHealth',
    tag,
    summary: 'Tell how the installation is: checks, workers, and what waits.',
    who: 'operator',
    answers: { 200: shapes.health },
    refusals: ['operations_only'],
    async handle({ actor }) {
      const { report, nowMs, workers, queues, ...rest } = await operations.getCondition(actor);
      const { oldestEventAtMs, ...counts } = queues;
      return {
        status: 200,
        body: {
          ...rest,
          isReady: report.ok,
          checks: Object.entries(report.checks).map(([name, state]) => ({ name, state })),
          now: formatInstant(nowMs),
          freeBytes: rest.freeBytes ?? null,
          workers: workers.map(formatWorker),
          queues: { ...counts, oldestEventAt: instant(oldestEventAtMs) },
        },
      };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/operations/jobs',
    operationId: 'listJobQueues',
    tag,
    summary: 'Tell how many jobs of each task wait, run, or were given up.',
    who: 'operator',
    answers: { 200: shapes.jobQueues },
    refusals: ['operations_only'],
    async handle({ actor }) {
      const queues = await operations.listQueues(actor);
      const shown = queues.map(({ nextAtMs, ...counts }) => ({ ...counts, nextAt: instant(nextAtMs) }));
      return { status: 200, body: { queues: shown } };
    },
  }),
  listRoute({
    path: '/v1/operations/failed',
    operationId: 'listFailedWork',
    tag,
    summary: 'List jobs and events that were given up, at most a hundred of each.',
    who: 'operator',
    item: shapes.failedWork,
    refusals: ['operations_only'],
    async handle({ actor }) {
      const failed = await operations.listFailed(actor);
      const items = failed.map(({ workId, sinceMs, ...rest }) => ({
        id: workId,
        ...rest,
        since: formatInstant(sinceMs),
      }));
      return { items: items.slice(0, 200), next: undefined };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/operations/failed/:workId/retry',
    operationId: 'retryFailedWork',
    tag,
    summary: 'Try again what was given up.',
    who: 'operator',
    params: shapes.failedWorkPath,
    answers: { 204: noBody },
    refusals: ['operations_only', 'work_not_failed'],
    async handle({ actor, params }) {
      await operations.retry(actor, params.workId);
      return { status: 204 };
    },
  }),
  listRoute({
    path: '/v1/operations/audit',
    operationId: 'listAudit',
    tag,
    summary: 'Read the audit trail, newest first, of one subject or one actor when asked for.',
    who: 'operator',
    query: shapes.auditFilter,
    item: shapes.auditRow,
    refusals: ['operations_only'],
    async handle({ actor, query, page }) {
      const { items, next } = await operations.listAudit(actor, query, page);
      return { items: items.map(formatAuditRow), next };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/operations/audit/check',
    operationId: 'checkAudit',
    tag,
    summary: 'Recompute the chain of the audit trail.',
    who: 'operator',
    weight: checkWeight,
    answers: { 200: shapes.auditCheck },
    refusals: ['operations_only'],
    async handle({ actor }) {
      const verdict = await operations.checkAudit(actor);
      const none = { rows: null, unsealed: null, hash: null, brokenAt: null, reason: null };
      return {
        status: 200,
        body: verdict.whole
          ? { ...none, isWhole: true, rows: verdict.head.index, unsealed: verdict.unsealed, hash: verdict.head.hash }
          : { ...none, isWhole: false, brokenAt: verdict.index, reason: verdict.reason },
      };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/operations/series',
    operationId: 'getSeries',
    tag,
    summary: 'Tell what all workers together did in the last hours, as points to draw.',
    who: 'operator',
    query: shapes.seriesQuery,
    answers: { 200: shapes.series },
    refusals: ['operations_only'],
    async handle({ actor, query }) {
      const { stepMs, points } = await operations.getSeries(actor, query.hours ?? 1);
      const shown = points.map(({ atMs, ...point }) => ({ at: formatInstant(atMs), ...point }));
      return { status: 200, body: { stepSeconds: stepMs / 1000, points: shown } };
    },
  }),
];

const formatWorker = (worker: Worker): Static<typeof shapes.worker> => ({
  id: worker.workerId,
  host: worker.host,
  pid: worker.pid,
  version: worker.version,
  startedAt: formatInstant(worker.startedAtMs),
  seenAt: formatInstant(worker.atMs),
  isSilent: worker.isSilent,
  rssBytes: worker.rssBytes,
  lagMs: worker.lagMs,
  connections: worker.connections,
  streams: worker.streams,
});

const formatAuditRow = (row: AuditRow): Static<typeof shapes.auditRow> => {
  const origin = row.origin as { readonly face?: string; readonly address?: string };
  return {
    sequence: row.sequence,
    at: formatInstant(row.atMs),
    actor: row.actor,
    face: origin.face ?? null,
    address: origin.address ?? null,
    action: row.action,
    subject: row.subject,
    detail: JSON.stringify(row.detail),
  };
};
