// A round on a whole installation: a desk over HTTPS and clients by OpenSSH at work while a process or a disk fails.
import { randomUUID } from 'node:crypto';
import { once as onceOf } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pack } from 'tar-stream';
import { type Random, randomBelow } from '../../server/kernel/random.ts';
import { addOperator, type Caller, createCaller, type Person } from '../broker.ts';
import { eventually } from '../eventually.ts';
import { type Installation, openInstallation } from '../installation.ts';
import { addManyClients, type ManyClient } from '../many-clients.ts';
import { sftp, type Target } from '../sftp-programs.ts';
import { type Judged, judge } from './judge.ts';
import { type AskedStatement, bytesOf, createTreeLedger, demand, makeContent, hashOf } from './ledger.ts';
import { openSmallDisk, type SmallDisk } from './small-disk.ts';

/** Everybody is served again within this, whatever struck. */
const servedWithinMs = 90_000;
const runRows = 12;
const twoDaysMs = 48 * 3_600_000;

interface Client extends ManyClient {
  readonly name: string;
  readonly clientId: string;
  readonly files: ReturnType<typeof createTreeLedger>;
  readonly openPgpPairs: { readonly privateKey: string; readonly publicKey: string }[];
  readonly unfinished: Judged['clients'][number]['unfinished'];
  /** Fetches that ended well, by path. */
  readonly fetched: string[];
}

export type Site = Awaited<ReturnType<typeof openSite>>;

/** An installation whose data and whose blobs each lie on a small disk of their own, where this process may mount. */
export async function openSite(folder: string, random: Random) {
  await using opened = new AsyncDisposableStack();
  const dataDir = path.join(folder, 'data');
  const blobFolder = path.join(dataDir, 'blobs');
  const use = (disk: SmallDisk | undefined): SmallDisk | undefined => disk && opened.use(disk);
  mkdirSync(dataDir, { mode: 0o700 });
  const dataDisk = use(openSmallDisk(400, dataDir));
  mkdirSync(blobFolder, { mode: 0o700 });
  const blobDisk = use(openSmallDisk(96, blobFolder));
  const env = { BROADGATE_PRIVATE_ADDRESSES: 'on', BROADGATE_LOG_LEVEL: 'warn', BROADGATE_WORKERS: '2' };
  const open = (): Promise<Installation> => openInstallation({ dataDir, env });
  const site = { dataDir, blobFolder, dataDisk, blobDisk, random, installation: await open(), periods: 0 };
  opened.defer(() => site.installation[Symbol.asyncDispose]());
  const ana = await addOperator(site.installation, 'ana', ['delivery', 'operations']);
  const clients: Client[] = (await addManyClients(site.installation, ana, folder, 2)).map((client) => ({
    ...client,
    ...{ name: client.login, clientId: client.actor.clientId, files: createTreeLedger(), fetched: [] },
    ...{ openPgpPairs: [{ privateKey: client.openPgpKey, publicKey: '' }], unfinished: new Map() },
  }));
  for (const { login, sshKey } of clients) writeFileSync(path.join(folder, `${login}.key`), sshKey, { mode: 0o600 });
  const rest = opened.move();
  return Object.assign(site, {
    folder,
    clients,
    statements: [] as AskedStatement[],
    desk: (): Caller => createCaller(site.installation.url, ana.caller.token),
    ana: ana as Person,
    async reopen(): Promise<void> {
      await site.installation.exit();
      site.installation = await open();
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  });
}

/** What callers were told in a round. */
export interface Told {
  acknowledged: number;
  broken: number;
  /** Answers that are neither good, nor a refusal, nor "not available". */
  readonly oddities: string[];
}

function askStatement(site: Site, reference: string, isOfRun: boolean): AskedStatement {
  site.periods += 1;
  const client = site.clients[randomBelow(site.random, site.clients.length)]!;
  const period = Temporal.PlainDate.from('2001-01-01').add({ days: site.periods }).toString();
  const asked: AskedStatement = {
    ...{ clientId: client.clientId, accountNumber: client.accountNumber, period, reference, isOfRun },
    content: makeContent(`statement ${reference} ${period}`, 1 + randomBelow(site.random, 60_000)),
    ...{ statementId: undefined, withdrawn: 'no' },
  };
  site.statements.push(asked);
  return asked;
}

/** Sends a request that may be sent again. Shape: the body of a good answer. */
async function ask<Body>(told: Told, what: string, send: () => Promise<Response>): Promise<Body | undefined> {
  let text = '';
  try {
    const answer = await send();
    text = await answer.text();
    if (answer.ok) {
      told.acknowledged += 1;
      return JSON.parse(text) as Body;
    }
    if (answer.status === 500) told.oddities.push(`${what} was answered 500: ${text}`);
  } catch {
    // The connection was refused or lost: nobody knows what became of it.
  }
  told.broken += 1;
  return undefined;
}

async function issue(site: Site, told: Told, asked: AskedStatement): Promise<void> {
  const { accountNumber: account, period, content, reference } = asked;
  const query = new URLSearchParams({ account, kind: 'daily', period, file: 'a.pdf', sha256: content.sha256 });
  const issued = await ask<{ id: string; version: number }>(told, `issuing ${period}`, () =>
    site.desk().call('POST', `/v1/delivery-desk/statements?${query}`, {
      bytes: bytesOf(content),
      headers: { 'content-type': 'application/octet-stream', 'idempotency-key': reference },
    }),
  );
  if (issued === undefined) return;
  demand(issued.version === 1, `${period} was issued as version ${issued.version}`);
  demand((asked.statementId ?? issued.id) === issued.id, `${reference} was answered with two statements`);
  asked.statementId = issued.id;
}

/** Shape: true once the run is done. */
async function sendRun(site: Site, told: Told, reference: string): Promise<boolean> {
  const rows = site.statements.filter((asked) => asked.reference === reference);
  const tar = pack();
  const add = async (name: string, bytes: Buffer): Promise<void> => {
    const entry = tar.entry({ name, size: bytes.length });
    entry.end(bytes);
    await onceOf(entry, 'finish');
  };
  const lines = rows.map(({ accountNumber, period, content }) => {
    return `${accountNumber},daily,${period},${period}.pdf,${content.sha256}`;
  });
  const write = async (): Promise<void> => {
    await add('run.csv', Buffer.from(['account,kind,period,file,sha256', ...lines].join('\n')));
    for (const { period, content } of rows) await add(`${period}.pdf`, bytesOf(content));
    tar.finalize();
  };
  write().catch((fault: unknown) => tar.destroy(fault as Error));
  const run = await ask<{ state: string; rows: { total: number } }>(told, `run ${reference}`, () =>
    site.desk().call('POST', `/v1/runs?reference=${reference}`, {
      bytes: tar as unknown as AsyncIterable<Uint8Array>,
      headers: { 'content-type': 'application/x-tar', 'idempotency-key': randomUUID() },
    }),
  );
  if (run !== undefined) demand(run.rows.total === rows.length, `${reference} has ${run.rows.total} rows`);
  return run?.state === 'done';
}

export const targetOf = (site: Site, { login, userName }: Client): Target => ({
  port: site.installation.sftpPort,
  user: userName,
  keyFile: path.join(site.folder, `${login}.key`),
});

async function upload(site: Site, told: Told, client: Client): Promise<void> {
  const to = `/u${randomBelow(site.random, 4)}.bin`;
  const content = makeContent(`upload ${randomUUID()}`, 1 + randomBelow(site.random, 3_000_000));
  const local = path.join(site.folder, `${client.login}.upload`);
  writeFileSync(local, bytesOf(content));
  const { status } = await sftp(targetOf(site, client), [`put ${local} ${to}`], { timeoutMs: 60_000 });
  client.files.put(to, content, status === 0);
  if (status === 0) told.acknowledged += 1;
  else told.broken += 1;
}

/** Fetches one of the client's own files: what arrives is whole, or the program says that it is not. */
async function download(site: Site, told: Told, client: Client): Promise<void> {
  const from = client.files.paths()[0];
  if (from === undefined) return;
  const local = path.join(site.folder, `${client.login}.download`);
  const { status } = await sftp(targetOf(site, client), [`get ${from} ${local}`], { timeoutMs: 60_000 });
  if (status !== 0) return void (told.broken += 1);
  told.acknowledged += 1;
  client.fetched.push(from);
  const found = hashOf(readFileSync(local));
  demand(client.files.mayBeAt(from).has(found), `${client.login}: ${from} arrived with other bytes`);
}

/** Everybody works until the strike is over, and each a little longer. */
export async function workThrough(site: Site, strike: (site: Site) => Promise<void>): Promise<Told> {
  const told: Told = { acknowledged: 0, broken: 0, oddities: [] };
  let isOver = false;
  const loop = async (act: (turn: number) => Promise<unknown>): Promise<void> => {
    for (let left = 2, turn = 0; left > 0; turn += 1) {
      if (isOver) left -= 1;
      const begunMs = performance.now();
      await act(turn);
      // Refused at once, a caller takes a breath before it tries again.
      if (performance.now() - begunMs < 50) await new Promise((next) => setTimeout(next, 50));
    }
  };
  const striking = (async () => {
    await new Promise((next) => setTimeout(next, 300 + randomBelow(site.random, 1500)));
    await strike(site);
    isOver = true;
  })();
  const desk = async (turn: number): Promise<void> => {
    const reference = randomUUID();
    if (turn % 4 !== 0) return issue(site, told, askStatement(site, reference, false));
    for (let row = 0; row < runRows; row += 1) askStatement(site, reference, true);
    await sendRun(site, told, reference);
  };
  const client = (one: Client) => (turn: number) =>
    turn % 3 === 2 ? download(site, told, one) : upload(site, told, one);
  await Promise.all([striking, loop(desk), ...site.clients.map((one) => loop(client(one)))]);
  return told;
}

/** Waits until it serves, repeats what was not answered, and has the sweep take what is older than a day. */
export async function recoverAndJudge(site: Site, told: Told): Promise<void> {
  const isReady = async (): Promise<boolean> => (await fetch(`${site.installation.url}/readyz`)).ok;
  await eventually(isReady, { timeoutMs: servedWithinMs, what: 'a server that is ready' });
  const again: Told = { acknowledged: 0, broken: 0, oddities: told.oddities };
  const done = new Set<string>();
  const repeat = async (): Promise<boolean> => {
    for (const asked of site.statements) {
      if (!asked.isOfRun && asked.statementId === undefined) await issue(site, again, asked);
      if (!asked.isOfRun || done.has(asked.reference)) continue;
      if (await sendRun(site, again, asked.reference)) done.add(asked.reference);
    }
    return site.statements.every(
      ({ isOfRun, reference, statementId }) => statementId ?? (isOfRun && done.has(reference)),
    );
  };
  await eventually(repeat, { timeoutMs: servedWithinMs, pauseMsMax: 1000, what: 'the end of what was asked for' });
  const audit = await site.installation.command('verify', 'audit');
  demand(audit.status === 0, audit.output);
  await using parts = await site.installation.openParts();
  const nothingWaits = async (): Promise<boolean> => {
    await parts.statements.tasks['statements:deliver_waiting']({}, attempt);
    const left = await parts.sql`select 1 from outbox where state = 'pending'
      union all select 1 from deliveries where state = 'waiting'`;
    return left.length === 0;
  };
  await eventually(nothingWaits, { timeoutMs: servedWithinMs, pauseMsMax: 1000, what: 'the end of what waits' });
  for (const file of filesBelow(site.blobFolder)) utimesSync(file, ...twoDaysAgo());
  await parts.statements.retention.sweepOrphans();
  await parts.statements.manifests.updateManifests();
  await parts.audit.seal(parts.database);
  await judge({
    ...{ statements: site.statements, clients: site.clients, oddities: told.oddities },
    ...{ life: parts, world: { sql: parts.sql, clock: parts.clock } },
  });
  for (const { clientId, login, fetched } of site.clients) {
    const [row] = await parts.sql<{ whole: number }>`select count(*)::integer as whole from receipts
      where client_id = ${clientId} and is_whole and form = 'upload'`;
    demand(row!.whole >= fetched.length, `${login} fetched ${fetched.length} files, and has ${row!.whole} receipts`);
  }
}

const attempt = { number: 1, isLast: false, signal: AbortSignal.timeout(3_600_000) };

const twoDaysAgo = (): [number, number] => {
  const seconds = (performance.timeOrigin + performance.now() - twoDaysMs) / 1000;
  return [seconds, seconds];
};

export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
