// Runs: checked whole before the first issue, then issued exactly once, whatever fails in between.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pack } from 'tar-stream';
import { createRandomFaults } from '../../../test/random-faults.ts';
import { makeCertificate, openGnupgHome } from '../../../test/openpgp-people.ts';
import { openStatementWorld, type StatementWorld } from '../../../test/statement-world.ts';
import type { EncryptionPool } from './encryption-pool.ts';
import { createStatements, readFolder, readTar } from '../statements.ts';

interface Row {
  readonly account: string;
  readonly kind?: string;
  readonly period?: string;
  readonly file: string;
  readonly text?: string;
  readonly sha256?: string;
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const csvOf = (rows: readonly Row[]): string =>
  [
    'account,kind,period,file,sha256',
    ...rows.map((row) =>
      [
        row.account,
        row.kind ?? 'daily',
        row.period ?? '2026-11-23',
        row.file,
        row.sha256 ?? hashOf(row.text ?? row.file),
      ].join(','),
    ),
  ].join('\n');

/** A tar as the desk sends it. `extra` comes beside what the rows name. */
function tarOf(
  rows: readonly Row[],
  extra: Readonly<Record<string, string>> = {},
  csv: string | undefined = csvOf(rows),
) {
  const tar = pack();
  for (const row of rows) if (row.text !== '-') tar.entry({ name: row.file }, row.text ?? row.file);
  for (const [name, text] of Object.entries(extra)) tar.entry({ name }, text);
  if (csv !== undefined) tar.entry({ name: './run.csv' }, csv);
  tar.finalize();
  return readTar(tar as AsyncIterable<Uint8Array>);
}

async function outcomesOf(world: StatementWorld, runId: string): Promise<string[][]> {
  let text = '';
  for await (const page of await world.statements.runs.formatOutcomes(world.desk, runId)) text += page;
  return text
    .trimEnd()
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(','));
}

async function* noise(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const countBlobs = async (world: StatementWorld): Promise<number> => {
  let count = 0;
  for await (const _ of world.blobs.list()) count += 1;
  return count;
};

test('a run issues every row once, tells its outcomes, and the same run again changes nothing', async () => {
  await using world = await openStatementWorld();
  const { runs, catalog } = world.statements;
  const [one, two] = [await world.addClient(), await world.addClient()];
  world.elect(one.clientId);
  const rows = [
    { account: one.accountNumber, file: 'a.pdf' },
    { account: one.accountNumber, file: 'a.csv' },
    { account: two.accountNumber, file: 'sub/b.pdf' },
  ];
  const asked = { reference: '2026-11-23-daily', isDryRun: false };
  const started = await runs.startRun(world.desk, asked, tarOf(rows));
  assert.equal(started.state, 'running');
  await runs.resume();
  const done = await runs.getRun(world.desk, started.runId);
  assert.deepEqual([done.state, done.rows], ['done', { total: 3, done: 3, failed: 0, waiting: 0 }]);
  assert.deepEqual(
    (await outcomesOf(world, started.runId)).map((cells) => [cells[0], cells[1], cells[5]]),
    [
      ['1', one.accountNumber, 'placed'],
      ['2', one.accountNumber, 'placed'],
      ['3', two.accountNumber, 'portal'],
    ],
  );
  const [pdf, csv, other] = (await outcomesOf(world, started.runId)).map((cells) => cells[8]!);
  // D-27: a name is made from the feed, whatever the file of the run was called.
  for (const [name, ending] of [
    [pdf, 'pdf'],
    [csv, 'csv'],
    [other, 'pdf'],
  ])
    assert.match(name!, new RegExp(`^[0-9a-z]{6}_daily_20261123\\.${ending}$`));
  const { entries } = await world.statements.repository.list(one.actor, '/', { limit: 10 });
  const files = entries.filter((entry) => entry.kind === 'file').map((entry) => entry.name);
  assert.deepEqual(files, [csv, `${csv}.sig`, pdf, `${pdf}.sig`]);
  const again = await runs.startRun(world.desk, asked, tarOf(rows));
  assert.deepEqual([again.runId, again.state], [started.runId, 'done']);
  await runs.resume();
  assert.equal((await catalog.listStatements(world.desk, {}, { limit: 50 })).items.length, 3);
  const changed = [{ account: one.accountNumber, file: 'a.pdf', text: 'other' }];
  await assert.rejects(runs.startRun(world.desk, asked, tarOf(changed)), { code: 'run_reused' });
  // Shared by three plaintexts (which are placed too), by two signatures, and by a list and its signature.
  assert.equal(await countBlobs(world), 3);
});

test('a run with faults issues nothing and names every fault; corrected, it goes through under the same id', async () => {
  await using world = await openStatementWorld();
  const { runs, catalog } = world.statements;
  const { accountNumber: account } = await world.addClient();
  const rows: Row[] = [
    { account, file: 'good.pdf' },
    { account: 'U0', file: 'account.pdf' },
    { account, kind: 'Daily!', file: 'kind.pdf' },
    { account, period: '2026-02-30', file: 'period.pdf' },
    { account, kind: 'monthly', file: 'hash.pdf', sha256: 'f'.repeat(64) },
    { account, kind: 'annual', file: 'nohash.pdf', sha256: 'abc' },
    { account, kind: 'x1', file: 'missing.pdf', text: '-' },
    { account, kind: 'x2', file: 'key.pgp' },
    { account, file: 'repeated.pdf' },
    { account, kind: 'x3', file: 'empty.pdf', text: '' },
  ];
  const asked = { reference: 'faulty', isDryRun: false };
  const refused = await runs.startRun(world.desk, asked, tarOf(rows, { 'unlisted.pdf': 'x' }));
  assert.equal(refused.state, 'refused');
  assert.deepEqual(
    (await outcomesOf(world, refused.runId)).map((cells) => cells[6]),
    [
      '',
      'account_unknown',
      'statement_kind_invalid',
      'statement_period_invalid',
      'statement_hash_differs',
      'run_hash_invalid',
      'run_file_missing',
      'statement_extension_invalid',
      'run_row_repeated',
      'statement_empty',
      'run_file_unlisted',
    ],
  );
  await runs.resume();
  assert.equal((await catalog.listStatements(world.desk, {}, { limit: 50 })).items.length, 0);
  assert.equal(await countBlobs(world), 0);
  const corrected = await runs.startRun(world.desk, asked, tarOf(rows.slice(0, 1)));
  assert.deepEqual([corrected.runId, corrected.state], [refused.runId, 'running']);
});

test('a dry run checks everything, keeps nothing, and the real run follows under the same id', async () => {
  await using world = await openStatementWorld();
  const { runs } = world.statements;
  const { accountNumber: account } = await world.addClient();
  const rows = [{ account, file: 'a.pdf' }];
  const dry = await runs.startRun(world.desk, { reference: 'r', isDryRun: true }, tarOf(rows));
  assert.equal(dry.state, 'checked');
  assert.equal(await countBlobs(world), 0);
  const real = await runs.startRun(world.desk, { reference: 'r', isDryRun: false }, tarOf(rows));
  assert.equal(real.state, 'running');
});

test('a tar that is no run is refused with what is wrong, and leaves nothing', async () => {
  await using world = await openStatementWorld();
  const { runs } = world.statements;
  const { accountNumber: account } = await world.addClient();
  const rows = [{ account, file: 'a.pdf' }];
  const cut = pack();
  cut.entry({ name: 'a.pdf' }, 'x'.repeat(5000));
  cut.finalize();
  const whole = Buffer.concat(await Array.fromAsync(cut as AsyncIterable<Buffer>));
  const link = pack();
  link.entry({ name: 'a.pdf', type: 'symlink', linkname: '/etc/passwd' });
  link.finalize();
  const cases = [
    ['run_csv_missing', readTar(noise(Buffer.alloc(1024)))],
    ['run_unreadable', readTar(noise(Buffer.alloc(2048, 'no tar')))],
    ['run_unreadable', readTar(noise(whole.subarray(0, 3000)))],
    ['run_file_name_invalid', readTar(link as AsyncIterable<Uint8Array>)],
    ['run_file_name_invalid', tarOf([], { '../a.pdf': 'x' })],
    ['run_file_name_invalid', tarOf([], { '/etc/a.pdf': 'x' })],
    ['run_file_repeated', tarOf([...rows, ...rows])],
    ['run_csv_invalid', tarOf(rows, {}, 'account,kind\n1,2\n')],
    ['run_csv_invalid', tarOf(rows, {}, `${csvOf(rows)}\nU1,daily\n`)],
    ['run_csv_invalid', tarOf(rows, {}, `account,kind,period,file,sha256\n"U1,daily`)],
    ['run_empty', tarOf([], {}, 'account,kind,period,file,sha256\n')],
  ] as const;
  for (const [index, [code, files]] of cases.entries()) {
    await assert.rejects(runs.startRun(world.desk, { reference: `r${index}`, isDryRun: false }, files), { code });
  }
  await assert.rejects(runs.startRun(world.desk, { reference: '../x', isDryRun: false }, tarOf(rows)), {
    code: 'run_reference_invalid',
  });
  assert.equal(await countBlobs(world), 0);
});

test('a folder is a run as a tar is, and a link in it is refused', async () => {
  await using world = await openStatementWorld();
  const { accountNumber: account } = await world.addClient();
  const folder = await mkdtemp(join(tmpdir(), 'run-'));
  try {
    await writeFile(join(folder, 'a.pdf'), 'a');
    await writeFile(
      join(folder, 'run.csv'),
      `\ufeff${csvOf([{ account, file: 'a.pdf', text: 'a' }]).replaceAll(',', ';')}`,
    );
    const run = await world.statements.runs.startRun(
      world.desk,
      { reference: 'f', isDryRun: false },
      readFolder(folder),
    );
    assert.equal(run.state, 'running');
    await symlink('/etc/passwd', join(folder, 'b.pdf'));
    await assert.rejects(
      world.statements.runs.startRun(world.desk, { reference: 'g', isDryRun: false }, readFolder(folder)),
      {
        code: 'run_file_name_invalid',
      },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('one bad certificate leaves its own rows waiting and stops no other', async () => {
  await using world = await openStatementWorld({ startMs: Date.now() });
  using home = openGnupgHome();
  const { runs } = world.statements;
  const people = [await world.addClient(), await world.addClient(), await world.addClient()];
  const good = await makeCertificate(home, 'Good', world.clock.nowMs());
  const bad = {
    ...good,
    recipient: { ...good.recipient, key: { ...good.recipient.key, point: 'AAAA' } },
  } as typeof good;
  for (const [index, { clientId }] of people.entries())
    world.elect(clientId, { encryption: 'on', certificates: [index === 1 ? bad : good] });
  const rows = people.map(({ accountNumber }) => ({ account: accountNumber, file: `${accountNumber}.pdf` }));
  const { runId } = await runs.startRun(world.desk, { reference: 'r', isDryRun: false }, tarOf(rows));
  await runs.resume();
  assert.deepEqual(
    (await outcomesOf(world, runId)).map((cells) => [cells[5], cells[6]]),
    [
      ['placed', ''],
      ['waits', 'encryption'],
      ['placed', ''],
    ],
  );
  const done = await runs.getRun(world.desk, runId);
  assert.deepEqual([done.state, done.rows.waiting], ['done', 1]);
});

test('the outcomes hand no formula to a spreadsheet', async () => {
  await using world = await openStatementWorld();
  const { runs } = world.statements;
  const rows = [{ account: '=HYPERLINK("x")', file: '@a.pdf' }];
  const csv = `account,kind,period,file,sha256\n"=HYPERLINK(""x"")",daily,2026-11-23,@a.pdf,${hashOf('@a.pdf')}`;
  const { runId } = await runs.startRun(world.desk, { reference: 'r', isDryRun: false }, tarOf(rows, {}, csv));
  let text = '';
  for await (const page of await runs.formatOutcomes(world.desk, runId)) text += page;
  assert.ok(text.includes(`"'=HYPERLINK(""x"")"`));
  assert.ok(text.includes(`"'@a.pdf"`));
  assert.ok(!/(^|,|\n)"?[=@+]/.test(text));
});

test('a run that is broken off at any step ends with every statement there exactly once', async (t) => {
  await using world = await openStatementWorld({ startMs: Date.now() });
  using home = openGnupgHome();
  const faults = createRandomFaults();
  t.diagnostic(`seed ${faults.seed}`);
  const certificates = [await makeCertificate(home, 'One', world.clock.nowMs())];
  const people = await Promise.all(Array.from({ length: 4 }, () => world.addClient()));
  people.forEach(({ clientId }, index) => world.elect(clientId, index % 2 ? {} : { encryption: 'on', certificates }));
  const rows = Array.from({ length: 120 }, (_, index) => ({
    account: people[index % 4]!.accountNumber,
    period: `2026-${String(1 + Math.floor(index / 4 / 28)).padStart(2, '0')}-${String(1 + (Math.floor(index / 4) % 28)).padStart(2, '0')}`,
    file: `f${index}.pdf`,
  }));
  const asked = { reference: 'broken', isDryRun: false };
  await world.statements.runs.startRun(world.desk, asked, tarOf(rows));

  /** The same broker with every medium failing now and then, as a process that is killed there would leave it. */
  const pool: Pick<EncryptionPool, 'encrypt' | 'encryptStream' | 'sign' | 'signStream'> = {
    encrypt: (job) => faults.around(() => world.pool.encrypt(job)),
    sign: (job) => faults.around(() => world.pool.sign(job)),
    encryptStream: (job) => world.pool.encryptStream(job),
    signStream: (job) => world.pool.signStream(job),
  };
  const broken = createStatements({
    ...world.parts,
    pool,
    database: faults.database(world.database),
    blobs: faults.blobs(world.blobs),
  });
  let breaks = 0;
  for (let tries = 0; tries < 40; tries += 1) {
    await broken.runs.resume().catch(() => (breaks += 1));
    const [run] = (await world.statements.runs.listRuns(world.desk, { limit: 1 })).items;
    if (run!.state === 'done') break;
  }
  assert.ok(breaks > 0, 'nothing was broken off, so nothing was proved');
  await world.statements.runs.resume();
  await world.statements.tasks['statements:deliver_waiting'](
    {},
    { number: 1, isLast: false, signal: AbortSignal.timeout(60_000) },
  );

  const [run] = (await world.statements.runs.listRuns(world.desk, { limit: 1 })).items;
  assert.deepEqual([run!.state, run!.rows.total], ['done', 120]);
  const outcomes = await outcomesOf(world, run!.runId);
  assert.deepEqual(new Set(outcomes.map((cells) => cells[5])), new Set(['placed']));
  for (const { actor } of people) {
    const { entries } = await world.statements.repository.list(actor, '/', { limit: 500 });
    const files = entries.filter((entry) => entry.kind === 'file' && !entry.name.endsWith('.sig'));
    assert.equal(files.length, 30);
    assert.ok(files.every((file) => !file.name.includes('_v2')));
    for (const file of files) {
      const reader = await world.statements.repository.openRead(actor, file.path);
      assert.equal((await reader.read(0, file.sizeBytes)).length, file.sizeBytes);
      await reader.close({ ranges: [], end: 'closed' });
    }
  }
});
