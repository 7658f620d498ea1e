// Runs over HTTPS: handed over as a tar, watched while they go, and read as CSV when they are done.
import { createHash } from 'node:crypto';
import { closed, id } from '@broadgate/contract';
import * as shapes from '@broadgate/contract/statements.ts';
import { type Static, Type } from 'typebox';
import { downloadRoute, listRoute, type Route, route, uploadRoute } from '../../faces/https/route.ts';
import { formatInstant } from '../../kernel/clock.ts';
import { runLimits } from './run-rules.ts';
import { readTar } from './run-sources.ts';
import type { Run, Runs } from './runs.ts';

const tag = 'Runs';
const one = closed({ runId: id('run') });

export const createRunRoutes = ({ runs }: { runs: Runs }): Route[] => [
  uploadRoute({
    method: 'POST',
    path: '/v1/runs',
    operationId: 'startRun',
    tag,
    summary: 'Hand over a run: a tar with run.csv (account, kind, period, file, sha256) and its files.',
    who: 'operator',
    query: closed({
      reference: shapes.runReference,
      dryRun: Type.Optional(Type.Boolean({ description: 'Check everything and issue nothing.' })),
    }),
    mediaTypes: ['application/x-tar'],
    // The tar adds a header and padding to every file.
    bodyLimitBytes: runLimits.bytes + runLimits.rows * 2048,
    answers: { 202: shapes.run },
    refusals: [
      'issuing_not_yours',
      'run_reference_invalid',
      'run_receiving',
      'run_reused',
      'run_unreadable',
      'run_csv_missing',
      'run_csv_invalid',
      'run_empty',
      'run_too_large',
      'run_file_name_invalid',
      'run_file_repeated',
      'statement_too_large',
    ],
    async handle({ actor, query, upload }) {
      const asked = { reference: query.reference, isDryRun: query.dryRun ?? false };
      return { status: 202, body: formatRun(await runs.startRun(actor, asked, readTar(upload.chunks))) };
    },
  }),
  listRoute({
    path: '/v1/runs',
    operationId: 'listRuns',
    tag,
    summary: 'List runs, the newest first.',
    who: 'operator',
    item: shapes.run,
    refusals: ['issuing_not_yours'],
    async handle({ actor, page }) {
      const { items, next } = await runs.listRuns(actor, page);
      return { items: items.map(formatRun), next };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/runs/:runId',
    operationId: 'getRun',
    tag,
    summary: 'Tell how far a run is.',
    who: 'operator',
    params: one,
    answers: { 200: shapes.run },
    refusals: ['issuing_not_yours', 'run_not_found'],
    handle: async ({ actor, params }) => ({ status: 200, body: formatRun(await runs.getRun(actor, params.runId)) }),
  }),
  listRoute({
    path: '/v1/runs/:runId/rows',
    operationId: 'listRunRows',
    tag,
    summary: 'List what became of each row of a run.',
    who: 'operator',
    params: one,
    query: shapes.runRowFilter,
    item: shapes.runRow,
    refusals: ['issuing_not_yours', 'run_not_found'],
    async handle({ actor, params, query, page }) {
      const { items, next } = await runs.listRows(actor, { runId: params.runId, state: query.state }, page);
      return { items: items.map(formatRow), next };
    },
  }),
  downloadRoute({
    path: '/v1/runs/:runId/outcomes.csv',
    operationId: 'downloadOutcomes',
    tag,
    summary: 'Fetch what became of every row, as CSV.',
    who: 'operator',
    params: one,
    mediaTypes: ['text/csv'],
    refusals: ['issuing_not_yours', 'run_not_found'],
    async handle({ actor, params }) {
      // At most a hundred thousand short lines: it is written whole, so that its size and tag can be told.
      const lines: string[] = [];
      for await (const page of await runs.formatOutcomes(actor, params.runId)) lines.push(page);
      const bytes = Buffer.from(lines.join(''));
      return {
        fileName: 'outcomes.csv',
        contentType: 'text/csv; charset=utf-8',
        sizeBytes: bytes.length,
        etag: createHash('sha256').update(bytes).digest('hex'),
        async *open({ start, end }) {
          yield bytes.subarray(start, end);
        },
      };
    },
  }),
];

const formatRun = (run: Run): Static<typeof shapes.run> => ({
  id: run.runId,
  reference: run.reference,
  state: run.state,
  isDryRun: run.isDryRun,
  rows: run.rows,
  askedBy: run.askedBy,
  begunAt: formatInstant(run.begunAtMs),
  checkedAt: run.checkedAtMs === undefined ? null : formatInstant(run.checkedAtMs),
  doneAt: run.doneAtMs === undefined ? null : formatInstant(run.doneAtMs),
});

type Row = Awaited<ReturnType<Runs['listRows']>>['items'][number];

const formatRow = (row: Row): Static<typeof shapes.runRow> => ({
  row: row.rowNumber,
  account: row.accountNumber,
  kind: row.kind,
  period: row.period,
  file: row.fileName,
  state: row.state as Static<typeof shapes.runRow>['state'],
  code: row.code,
  detail: row.detail,
  statementId: row.statementId,
  delivery: row.deliveryState as Static<typeof shapes.runRow>['delivery'],
});
