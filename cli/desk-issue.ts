// The delivery desk's single statements: issued, listed, withdrawn; and what clients uploaded.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { issued, StatementShape, upload } from '@broadgate/contract/statements.ts';
import type { Static } from 'typebox';
import { type Command, isSet, neededText, optionText } from './commands.ts';
import { findClient } from './desk-requests.ts';
import { formatFacts, formatSize, formatTable, formatTime, print } from './output.ts';
import { describeStatements, filterOf, saveDownload } from './statements.ts';

type Uploaded = Static<typeof upload>;

export const deskIssueCommands: readonly Command[] = [
  {
    name: 'desk issue',
    takes: 'FILE --account NUMBER --kind KIND --period PERIOD [--title TEXT] [--sha256 HEX]',
    meaning: 'issue one statement or document',
    notes: ['PERIOD: a day (2026-11-24), a month (2026-11), a year (2026), or two days with a slash between.'],
    options: {
      account: { type: 'string' },
      kind: { type: 'string' },
      period: { type: 'string' },
      title: { type: 'string' },
      sha256: { type: 'string' },
    },
    positionals: { min: 1, max: 1 },
    async run(call) {
      const file = call.path(call.positionals[0]!);
      const { size } = await stat(file);
      const query = {
        account: neededText(call, 'account'),
        kind: neededText(call, 'kind'),
        period: neededText(call, 'period'),
        file: basename(file),
        title: optionText(call, 'title'),
        sha256: optionText(call, 'sha256'),
      };
      const given = { contentType: 'application/octet-stream', sizeBytes: size, open: () => createReadStream(file) };
      const done = await (await call.caller()).upload<Static<typeof issued>>(
        '/v1/delivery-desk/statements',
        given,
        query,
      );
      const facts = formatFacts([
        ['Issued', done.name],
        ['Version', String(done.version)],
        ['SHA-256', done.sha256],
        ['Id', done.id],
      ]);
      print(isSet(call, 'json') ? JSON.stringify(done, null, 2) : facts);
    },
  },
  {
    name: 'desk statements',
    takes: '[--account NUMBER] [--kind KIND] [--from DAY] [--to DAY]',
    meaning: 'what was issued, expired and withdrawn ones included',
    options: {
      account: { type: 'string' },
      kind: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
    },
    async run(call) {
      const caller = await call.caller();
      const found = await Array.fromAsync(caller.list<StatementShape>('/v1/delivery-desk/statements', filterOf(call)));
      print(isSet(call, 'json') ? JSON.stringify(found, null, 2) : describeStatements(found));
    },
  },
  {
    name: 'desk withdraw',
    takes: 'STATEMENT --reason TEXT',
    meaning: 'hide a wrongly issued statement everywhere and tell the client; its receipts stay',
    options: { reason: { type: 'string' } },
    positionals: { min: 1, max: 1 },
    async run(call) {
      const path = `/v1/delivery-desk/statements/${encodeURIComponent(call.positionals[0]!)}/withdraw`;
      await (await call.caller()).send('POST', path, { reason: neededText(call, 'reason') });
      print('Withdrawn.');
    },
  },
  {
    name: 'desk test-file',
    takes: 'ACCOUNT|LOGIN',
    meaning: 'send a client a test file through the real delivery',
    positionals: { min: 1, max: 1 },
    async run(call) {
      const caller = await call.caller();
      const client = await findClient(caller, call.positionals[0]!);
      const done = await caller.send<Static<typeof issued>>('POST', `/v1/clients/${client.id}/delivery/test-file`);
      print(`${done.name} is on its way to ${client.name}.`);
    },
  },
  {
    name: 'desk uploads',
    takes: '[--client ACCOUNT|LOGIN]',
    meaning: 'what clients uploaded, newest first',
    options: { client: { type: 'string' } },
    async run(call) {
      const caller = await call.caller();
      const who = optionText(call, 'client');
      const query = who === undefined ? {} : { client: (await findClient(caller, who)).id };
      const found = await Array.fromAsync(caller.list<Uploaded>('/v1/delivery-desk/uploads', query));
      const rows = found.map((one) => [one.path, formatSize(one.sizeBytes), formatTime(one.uploadedAt), one.id]);
      if (isSet(call, 'json')) print(JSON.stringify(found, null, 2));
      else print(rows.length === 0 ? 'None.' : formatTable(['Path', 'Size', 'Uploaded', 'Id'], rows));
    },
  },
  {
    name: 'desk fetch',
    takes: 'UPLOAD --out FILE',
    meaning: 'fetch what a client uploaded',
    options: { out: { type: 'string' } },
    positionals: { min: 1, max: 1 },
    async run(call) {
      const file = call.path(neededText(call, 'out'));
      const path = `/v1/delivery-desk/uploads/${encodeURIComponent(call.positionals[0]!)}/file`;
      await saveDownload(await (await call.caller()).download(path), file);
      print(file);
    },
  },
];
