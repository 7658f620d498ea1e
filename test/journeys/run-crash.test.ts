// A large run whose server is killed again and again: in the end every statement is there, once, whole, and proved.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once as onceOf } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { pack } from 'tar-stream';
import { attachEmbeddedPostgres } from '../../server/kernel/postgres.ts';
import { createSeededRandom, randomBelow } from '../../server/kernel/random.ts';
import { openDatabase, type Sql } from '../../server/kernel/sql.ts';
import { addOperator, type Caller, createCaller } from '../broker.ts';
import { openGpgHome, openTempFolder, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { openInstallation } from '../installation.ts';
import { addManyClients, type ManyClient } from '../many-clients.ts';
import { once } from '../once.ts';
import { listNames, sftp, type Target } from '../sftp-programs.ts';

const isLong = process.env['BROADGATE_TEST_LONG'] === '1';
const size = isLong
  ? { clients: 500, statements: 5000, sampled: 4, endsInMs: 1_800_000 }
  : { clients: 60, statements: 600, sampled: 2, endsInMs: 120_000 };
const statementBytes = 50 * 1024;
const seed = process.env['BROADGATE_TEST_SEED'] ?? randomBytes(4).toString('hex');
const random = createSeededRandom(seed);

const temp = openTempFolder();
const dataDir = path.join(temp.folder, 'data');
const env = { BROADGATE_PRIVATE_ADDRESSES: 'on', BROADGATE_WORKERS: '2' };
const open = () => openInstallation({ dataDir, env });
let installation = await open();
after(async () => {
  await installation[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});

interface Row {
  readonly account: string;
  readonly period: string;
  readonly file: string;
}

const bytesOf = (row: Row): Buffer => createSeededRandom(`${seed} ${row.file}`).bytes(statementBytes);
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The run as one tar; each file is made when it is its turn. */
function tarOf(rows: readonly Row[]): AsyncIterable<Uint8Array> {
  const tar = pack();
  const add = async (name: string, bytes: Buffer): Promise<void> => {
    const entry = tar.entry({ name, size: bytes.length });
    entry.end(bytes);
    await onceOf(entry, 'finish');
  };
  const lines = rows.map((row) => [row.account, 'daily', row.period, row.file, hashOf(bytesOf(row))].join(','));
  const write = async (): Promise<void> => {
    await add('run.csv', Buffer.from(['account,kind,period,file,sha256', ...lines].join('\n')));
    for (const row of rows) await add(row.file, bytesOf(row));
    tar.finalize();
  };
  write().catch((fault: unknown) => tar.destroy(fault as Error));
  return tar as unknown as AsyncIterable<Uint8Array>;
}

const kill = (pid: number): void => void process.kill(pid, 'SIGKILL');

/** What is killed. Whatever takes the supervisor along is followed by a start on the same folder. */
const strikes = {
  'one worker': async () => kill(installation.workers()[randomBelow(random, 2)]!),
  'all workers': async () => installation.workers().forEach(kill),
  'the supervisor': async () => {
    kill(installation.pid);
    await installation.exit();
    installation = await open();
  },
  'supervisor and workers': async () => {
    await installation.kill();
    installation = await open();
  },
  'supervisor, workers and database': async () => {
    await installation.kill({ database: true });
    installation = await open();
  },
} as const;
type Strike = keyof typeof strikes;

function shuffled<Item>(items: readonly Item[]): Item[] {
  const left = [...items];
  return items.map(() => left.splice(randomBelow(random, left.length), 1)[0]!);
}

/** Asks the database every few milliseconds, so that the kill comes at the moment that the seed chose. Shape: the count. */
async function reach(count: (sql: Sql) => Promise<{ count: number }[]>, wanted: number): Promise<number> {
  const url = await attachEmbeddedPostgres(dataDir);
  const database = openDatabase({ url: url!, connectionsMax: 1 });
  const probe = async (): Promise<number | undefined> => {
    const [row] = await count(database.sql);
    return row!.count >= wanted ? row!.count : undefined;
  };
  try {
    return await eventually(probe, { timeoutMs: size.endsInMs, pauseMsMax: 5, what: `the count of ${wanted}` });
  } finally {
    await database.close();
  }
}

const countReceived = (sql: Sql) => sql<{ count: number }>`select count(*)::integer as count from run_files`;
const countPlaced = (sql: Sql) =>
  sql<{ count: number }>`select count(*)::integer as count from deliveries where state = 'placed'`;

interface RunView {
  readonly id: string;
  readonly state: string;
  readonly rows: { readonly total: number; readonly done: number; readonly failed: number; readonly waiting: number };
}

const reference = '2026-11-24-daily';
const startRun = (desk: Caller, rows: readonly Row[]): Promise<RunView> =>
  desk.upload<RunView>(`/v1/runs?reference=${reference}`, tarOf(rows), 'application/x-tar');

const finished = once(runThroughKills);

async function runThroughKills() {
  const ana = await addOperator(installation, 'ana', ['delivery']);
  const deskNow = (): Caller => createCaller(installation.url, ana.caller.token);
  const clients = await addManyClients(installation, ana, temp.folder, size.clients);
  const rows: Row[] = Array.from({ length: size.statements }, (_, index) => ({
    account: clients[index % clients.length]!.accountNumber,
    period: `2026-11-${String(1 + Math.floor(index / clients.length)).padStart(2, '0')}`,
    file: `statement-${index}.pdf`,
  }));

  // While it is received, all workers are killed; the desk sends the same run again under the same id.
  const cutOff = startRun(deskNow(), rows).then(
    () => 'answered',
    () => 'cut off',
  );
  const received = await reach(countReceived, 1 + randomBelow(random, Math.floor(size.statements * 0.8)));
  await strikes['all workers']();
  assert.equal(await cutOff, 'cut off');
  const run = await eventually(() => startRun(deskNow(), rows), { timeoutMs: size.endsInMs });

  const begunMs = performance.now();
  const seconds = (): string => `${((performance.now() - begunMs) / 1000).toFixed(1)} s`;
  const kills: { strike: Strike; placed: number; after: string }[] = [];
  for (const [index, strike] of shuffled(Object.keys(strikes) as Strike[]).entries()) {
    const part = Math.floor((size.statements * 0.8) / 5);
    const placed = await reach(countPlaced, part * index + 1 + randomBelow(random, part));
    kills.push({ strike, placed, after: seconds() });
    await strikes[strike]();
  }
  const over = await eventually(
    async () => {
      const now = await deskNow().get<RunView>(`/v1/runs/${run.id}`);
      return now.state === 'done' && now;
    },
    { timeoutMs: size.endsInMs },
  );
  return { clients, rows, received, kills, over, lasted: seconds(), desk: deskNow() };
}

interface Outcome {
  readonly row: Row;
  readonly outcome: string;
  readonly name: string;
  readonly statementId: string;
}

/** What the desk reads about every row. */
const outcomes = once(async (): Promise<Outcome[]> => {
  const { desk, over, rows } = await finished();
  const answer = await desk.call('GET', `/v1/runs/${over.id}/outcomes.csv`);
  assert.equal(answer.status, 200);
  const [heading, ...lines] = (await answer.text()).trimEnd().split('\r\n');
  const columns = heading!.split(',');
  return lines.map((line) => {
    const cells = Object.fromEntries(line.split(',').map((cell, index) => [columns[index], cell]));
    const row = rows[Number(cells['row']) - 1]!;
    assert.equal(cells['file'], row.file);
    return { row, outcome: cells['outcome']!, name: cells['name']!, statementId: cells['statement']! };
  });
});

test('a run that is killed at seeded points ends with every statement there exactly once', async (t) => {
  const { kills, received, over, lasted, rows, desk, clients } = await finished();
  t.diagnostic(`seed ${seed}; killed first after ${received} files had been received`);
  for (const { strike, placed, after } of kills) t.diagnostic(`${strike} killed after ${after} with ${placed} placed`);
  t.diagnostic(`all ${rows.length} placed and listed after ${lasted}`);
  assert.equal(kills.length, 5);
  for (const { strike, placed } of kills) assert.ok(placed < rows.length, `${strike}: the run was over before`);
  assert.deepEqual(over.rows, { total: rows.length, done: rows.length, failed: 0, waiting: 0 });

  const found = await outcomes();
  assert.equal(found.length, rows.length);
  assert.deepEqual(new Set(found.map(({ outcome }) => outcome)), new Set(['placed']));
  assert.equal(new Set(found.map(({ statementId }) => statementId)).size, rows.length);
  assert.equal(new Set(found.map(({ name }) => name)).size, rows.length);

  // Whatever was issued at all is what the run asked for: nothing twice, no second version, no other bytes.
  interface Listed {
    readonly id: string;
    readonly accountNumber: string;
    readonly version: number;
    readonly sha256: string;
  }
  const listed = await desk.list<Listed>('/v1/delivery-desk/statements?limit=100');
  assert.deepEqual(
    listed.map((one) => `${one.id} ${one.accountNumber} ${one.version} ${one.sha256}`).toSorted(),
    found.map(({ row, statementId }) => `${statementId} ${row.account} 1 ${hashOf(bytesOf(row))}`).toSorted(),
  );

  await using parts = await installation.openParts();
  const [counted] = await parts.sql<{ statements: number; entries: number; placed: number }>`select
    (select count(*)::integer from statements) as statements,
    (select count(*)::integer from entries where statement_id is not null) as entries,
    (select count(*)::integer from deliveries where state = 'placed' and is_encrypted) as placed`;
  assert.deepEqual(counted, { statements: rows.length, entries: rows.length, placed: rows.length });
  assert.equal(clients.length, size.clients);
});

test('after the kills the lists and the chains of proof are whole, and every file reads as it was placed', async () => {
  const { clients, rows } = await finished();
  const audit = await installation.command('verify', 'audit');
  assert.equal(audit.status, 0, audit.output);
  await using parts = await installation.openParts();
  const lists = await parts.statements.manifests.verifyAll();
  assert.deepEqual(lists, { clients: clients.length, manifests: clients.length, faults: [] });
  let read = 0;
  for (const { actor } of clients) {
    const { entries } = await parts.statements.repository.list(actor, '/', { limit: 100 });
    for (const entry of entries.filter(({ kind }) => kind === 'file')) {
      const reader = await parts.statements.repository.openRead(actor, entry.path);
      assert.equal(hashOf(await reader.read(0, entry.sizeBytes)), entry.sha256);
      await reader.close({ ranges: [], end: 'closed' });
      read += 1;
    }
  }
  assert.equal(read, rows.length);
});

test(
  'after the kills clients see no half-made file, and what they fetch opens with gpg as the broker meant it',
  withClients,
  async () => {
    const { clients, desk } = await finished();
    const found = await outcomes();
    const brokerKey = path.join(temp.folder, 'broker.asc');
    writeFileSync(brokerKey, (await desk.get<{ certificate: string }>('/v1/broker-key')).certificate);
    using home = openGpgHome();
    await home.gpg(['--import', brokerKey]);
    let opened = 0;
    for (const client of shuffled(clients).slice(0, size.sampled)) {
      const own = found.filter(({ row }) => row.account === client.accountNumber);
      const folder = await fetchAll(
        client,
        own.map(({ name }) => name),
      );
      await home.gpg(['--import'], { input: client.openPgpKey });
      for (const { name, row } of own) {
        const message = path.join(folder, name);
        const ran = await home.gpg(['--status-fd', '2', '--trust-model', 'always', '--decrypt', message]);
        assert.match(ran.stderr, /\[GNUPG:\] GOODSIG /);
        assert.equal(hashOf(ran.stdout), hashOf(bytesOf(row)), `${client.login} ${name}`);
        opened += 1;
      }
      const manifests = readdirSync(path.join(folder, 'manifests')).filter((name) => name.endsWith('.json'));
      const paths = manifests.map((name) => path.join(folder, 'manifests', name));
      const checked = await installation.command('verify', 'manifest', ...paths, '--broker-key', brokerKey);
      assert.equal(checked.status, 0, checked.output);
      assert.equal(manifests.length, 1);
      const { files } = JSON.parse(readFileSync(paths[0]!, 'utf8')) as { files: { path: string }[] };
      assert.deepEqual(files.map((file) => file.path).toSorted(), own.map(({ name }) => `/${name}`).toSorted());
    }
    assert.ok(opened >= 20, `${opened} files were opened`);
  },
);

/** Everything in a client's repository as OpenSSH fetches it, after a listing that shows exactly the names. */
async function fetchAll(client: ManyClient, names: readonly string[]): Promise<string> {
  const folder = path.join(temp.folder, client.login);
  mkdirSync(folder);
  const keyFile = path.join(temp.folder, `${client.login}.key`);
  writeFileSync(keyFile, client.sshKey, { mode: 0o600 });
  const target: Target = { port: installation.sftpPort, user: client.userName, keyFile };
  assert.deepEqual((await listNames(target)).toSorted(), [...names, 'manifests'].toSorted());
  const wanted = names.map((name) => `get ${name} ${folder}/${name}`);
  const ran = await sftp(target, [...wanted, `get -R manifests ${folder}/`]);
  assert.equal(ran.status, 0, ran.stderr);
  return folder;
}
