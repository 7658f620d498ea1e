// What clients and the desk do at once in a round, drawn from its seed; everything that was acknowledged goes into the ledger.
import { pack } from 'tar-stream';
import { BlobFault } from '../../server/kernel/blobs.ts';
import { type Random, randomBelow } from '../../server/kernel/random.ts';
import { Outage, Refusal } from '../../server/kernel/refusal.ts';
import { partialKeptMs } from '../../server/statements/proof/rules.ts';
import { readTar } from '../../server/statements/statements.ts';
import { type AskedStatement, bytesOf, type Content, demand, hashOf, makeContent, Violation } from './ledger.ts';
import { type Client, type Desk, onConnection, replaceCertificate, replaceSshKey } from './people.ts';
import type { FaultWorld, Life } from './world.ts';

/** One round: its people, what they were promised, and what went wrong in a way that is nobody's right. */
export interface Round {
  readonly seed: string;
  readonly world: FaultWorld;
  readonly random: Random;
  readonly desk: Desk;
  readonly clients: readonly Client[];
  readonly statements: AskedStatement[];
  /** Replaced when a strike kills it. */
  life: Life;
  /** Blobs that a strike has let rot. */
  readonly rotten: Set<string>;
  /** Throws that are neither a refusal, nor an outage, nor a rotten blob. */
  readonly oddities: string[];
  /** What every caller did and was told, in order: for whoever looks into a failed round. */
  readonly told: string[];
  readonly counts: { acknowledged: number; broken: number; refused: number };
  /** Counts on through all rounds of a world. */
  nextPeriod(): string;
}

type Attempted<Value> = { readonly ok: Value } | { readonly refused: Refusal } | { readonly broken: unknown };

/** Does it, and says what its caller was told. */
export async function attempt<Value>(
  round: Round,
  what: string,
  work: (life: Life) => Promise<Value>,
): Promise<Attempted<Value>> {
  const { life } = round;
  const tell = (outcome: string): void => void round.told.push(`${what}: ${outcome}`);
  try {
    const ok = await work(life);
    round.counts.acknowledged += 1;
    tell('done');
    return { ok };
  } catch (fault) {
    if (fault instanceof Violation) throw fault;
    if (fault instanceof Refusal) {
      round.counts.refused += 1;
      tell(fault.code);
      return { refused: fault };
    }
    tell(String(fault));
    const isRot = fault instanceof BlobFault && round.rotten.size > 0;
    if (!(fault instanceof Outage) && !isRot && !life.isDead) {
      round.oddities.push(fault instanceof Error ? `${fault.stack}\n  cause: ${String(fault.cause)}` : String(fault));
    }
    round.counts.broken += 1;
    return { broken: fault };
  }
}

const chance = (round: Round, percent: number): boolean => randomBelow(round.random, 100) < percent;
const pick = <Item>(round: Round, items: readonly Item[]): Item => items[randomBelow(round.random, items.length)]!;

/** Mostly small, sometimes of several frames, now and then beyond what is put in one write. Units: bytes. */
function drawSize(round: Round): number {
  const largest = pick(round, [300, 300, 20_000, 140_000, 1_300_000]);
  return 1 + randomBelow(round.random, largest);
}

let made = 0;
function drawContent(round: Round): Content {
  made += 1;
  return makeContent(`${round.seed} ${made}`, drawSize(round));
}

const drawPath = (round: Round): string => `/u${randomBelow(round.random, 6)}.bin`;

/** Writes from an offset on in a few pieces, syncing now and then. */
async function send(
  round: Round,
  client: Client,
  handle: Awaited<ReturnType<Life['statements']['repository']['openWrite']>>,
  path: string,
  content: Content,
  from: number,
): Promise<void> {
  const bytes = bytesOf(content);
  const progress = { ...content, sentBytes: from, syncedBytes: from, begunAtMs: round.world.clock.nowMs() };
  client.unfinished.set(path, progress);
  const piece = 1 + Math.floor(bytes.length / (1 + randomBelow(round.random, 4)));
  for (let at = from; at < bytes.length; at += piece) {
    progress.sentBytes = Math.min(bytes.length, at + piece);
    await handle.write(at, bytes.subarray(at, at + piece));
    if (!chance(round, 25)) continue;
    await handle.sync();
    progress.syncedBytes = progress.sentBytes;
  }
}

/** Uploads, and closes or loses the connection. */
async function upload(round: Round, client: Client): Promise<void> {
  const path = drawPath(round);
  const content = drawContent(round);
  const willClose = chance(round, 75);
  let isOpen = false;
  let isClosing = false;
  const outcome = await attempt(round, `${client.name} uploads ${path} (${content.label})`, async ({ statements }) => {
    const actor = onConnection(client, round.world.ids.next());
    const handle = await statements.repository.openWrite(actor, path, {
      create: true,
      exclusive: false,
      truncate: true,
    });
    isOpen = true;
    try {
      await send(round, client, handle, path, content, 0);
      if (!willClose) {
        await handle.abort();
        client.unfinished.get(path)!.syncedBytes = content.sizeBytes;
        return undefined;
      }
    } catch (fault) {
      // What the face does for a connection that is lost, or whose handle failed.
      await handle.abort().catch(() => undefined);
      throw fault;
    }
    isClosing = true;
    return handle.close();
  });
  // Whatever was unfinished there before is gone, or may be.
  if (!isOpen || isClosing) client.unfinished.delete(path);
  if ('ok' in outcome && outcome.ok !== undefined) {
    demand(outcome.ok.sha256 === content.sha256, `${client.name}: ${path} was published with other bytes`);
    client.files.put(path, content, true);
  } else if (isClosing && 'broken' in outcome) client.files.put(path, content, false);
}

/** Goes on with what a lost connection left, from where the server says. */
async function resume(round: Round, client: Client): Promise<void> {
  const [path, before] = [...client.unfinished][0] ?? [];
  if (path === undefined || before === undefined) return upload(round, client);
  const content = makeContent(before.label, before.sizeBytes);
  let isClosing = false;
  const outcome = await attempt(round, `${client.name} resumes ${path} (${content.label})`, async ({ statements }) => {
    const actor = onConnection(client, round.world.ids.next());
    const { repository } = statements;
    const { isPartial, sizeBytes } = await repository.stat(actor, path).catch((fault: unknown) => {
      if (fault instanceof Refusal) return { isPartial: false, sizeBytes: 0 };
      throw fault;
    });
    const from = isPartial ? sizeBytes : 0;
    demand(from >= before.syncedBytes, `${client.name}: ${path} kept ${from} of ${before.syncedBytes} synced bytes`);
    demand(from <= before.sentBytes, `${client.name}: ${path} kept ${from} bytes, and ${before.sentBytes} were sent`);
    const mode = { create: true, exclusive: false, truncate: from === 0 };
    const handle = await repository.openWrite(actor, path, mode);
    try {
      await send(round, client, handle, path, content, from);
    } catch (fault) {
      await handle.abort().catch(() => undefined);
      throw fault;
    }
    isClosing = true;
    return handle.close();
  });
  if (isClosing) client.unfinished.delete(path);
  if ('ok' in outcome) {
    demand(outcome.ok.sha256 === content.sha256, `${client.name}: ${path} was resumed into other bytes`);
    client.files.put(path, content, true);
  } else if (isClosing && 'broken' in outcome) client.files.put(path, content, false);
  else if ('refused' in outcome) client.unfinished.delete(path);
}

async function remove(round: Round, client: Client): Promise<void> {
  const path = drawPath(round);
  const outcome = await attempt(round, `${client.name} removes ${path}`, ({ statements }) =>
    statements.repository.remove(client.actor, path),
  );
  client.unfinished.delete(path);
  if ('ok' in outcome) client.files.remove(path, true);
  else if ('broken' in outcome) client.files.remove(path, false);
}

/** To a name that was never used, so that a move in doubt is at exactly one of two places. */
async function rename(round: Round, client: Client): Promise<void> {
  const from = pick(round, [...client.files.paths(), drawPath(round)]);
  made += 1;
  const to = `/r${made}.bin`;
  const outcome = await attempt(round, `${client.name} renames ${from} to ${to}`, ({ statements }) =>
    statements.repository.rename(client.actor, from, to, { replace: false }),
  );
  if (!('refused' in outcome)) client.unfinished.delete(from);
  if ('ok' in outcome) client.files.move(from, to, true);
  else if ('broken' in outcome) client.files.move(from, to, false);
}

/** Every file that a list shows is one that was sent whole, or one of the broker's. */
async function look(round: Round, client: Client): Promise<void> {
  const outcome = await attempt(round, `${client.name} lists`, ({ statements }) =>
    statements.repository.list(client.actor, '/', { limit: 500 }),
  );
  if (!('ok' in outcome)) return;
  for (const entry of outcome.ok.entries) {
    demand(!entry.isPartial, `${client.name}: ${entry.path} is listed and not whole`);
    if (entry.kind === 'folder' || entry.origin === 'broker') continue;
    const content =
      client.files.contents.get(entry.sha256!) ?? [...client.unfinished.values()].find(isOf(entry.sha256!));
    demand(content?.sizeBytes === entry.sizeBytes, `${client.name}: ${entry.path} is nothing that was sent`);
  }
}
const isOf = (sha256: string) => (one: { label: string; sizeBytes: number }) =>
  makeContent(one.label, one.sizeBytes).sha256 === sha256;

/** Reads one of the listed files to its end; a wrong byte is the worst that can happen. */
async function download(round: Round, client: Client): Promise<void> {
  const through = round.world.ids.next();
  const actor = onConnection(client, through);
  let seen: { path: string; sha256: string } | undefined;
  const outcome = await attempt(round, `${client.name} downloads`, async ({ statements }) => {
    const { entries } = await statements.repository.list(actor, '/', { limit: 500 });
    const files = entries.filter(({ kind }) => kind === 'file');
    if (files.length === 0) return false;
    const file = pick(round, files);
    const reader = await statements.repository.openRead(actor, file.path);
    const { sizeBytes, sha256 } = reader.file;
    const chunks: Buffer[] = [];
    try {
      for (let at = 0; at < sizeBytes; at += 100_000) chunks.push(await reader.read(at, 100_000));
    } catch (fault) {
      await reader.close({ ranges: [], end: 'cut' }).catch(() => undefined);
      throw fault;
    }
    demand(hashOf(Buffer.concat(chunks)) === sha256, `${client.name}: ${file.path} was read with other bytes`);
    seen = { path: file.path, sha256: sha256! };
    await reader.close({ ranges: [{ startBytes: 0, endBytes: sizeBytes }], end: 'closed' });
    return true;
  });
  if (seen !== undefined) client.fetched.push({ through, ...seen, isSure: 'ok' in outcome });
}

async function changeKeys(round: Round, client: Client): Promise<void> {
  const isSsh = client.openPgpPairs.length === 0 || chance(round, 60);
  await attempt(round, `${client.name} replaces a key`, (life) =>
    isSsh ? replaceSshKey(life, round.desk, client) : replaceCertificate(round.world, life, round.desk, client),
  );
}

const clientActs = [upload, upload, upload, resume, resume, remove, rename, look, download, download, changeKeys];

export async function beClient(round: Round, client: Client, acts: number): Promise<void> {
  for (let act = 0; act < acts; act += 1) await pick(round, clientActs)(round, client);
}

function askStatement(round: Round, reference: string, isOfRun: boolean): AskedStatement {
  const { clientId, accountNumber } = pick(round, round.clients);
  const content = drawContent(round);
  const period = round.nextPeriod();
  const asked: AskedStatement = {
    ...{ clientId, accountNumber, period, content, reference, isOfRun },
    ...{ statementId: undefined, withdrawn: 'no' },
  };
  round.statements.push(asked);
  return asked;
}

/** Under its own request id, so that it may be sent again. */
export async function issue(round: Round, asked: AskedStatement): Promise<void> {
  const { accountNumber, period, content, reference } = asked;
  const outcome = await attempt(round, `the desk issues ${period} under ${reference}`, ({ statements }) =>
    statements.issuing.issueStatement(
      round.desk.actor,
      { accountNumber, kind: 'daily', period, fileName: 'a.pdf', requestId: reference, sha256: content.sha256 },
      bytesOf(content),
    ),
  );
  if (!('ok' in outcome)) return;
  const { statementId, sha256, version } = outcome.ok;
  demand(sha256 === content.sha256 && version === 1, `${period} was issued as version ${version} with ${sha256}`);
  demand((asked.statementId ?? statementId) === statementId, `${reference} was answered with two statements`);
  asked.statementId = statementId;
}

/** Sends a run; the same reference may be sent again. Shape: true once it was accepted. */
export async function sendRun(round: Round, reference: string): Promise<boolean> {
  const rows = round.statements.filter((asked) => asked.reference === reference);
  const outcome = await attempt(round, `the desk sends ${reference}`, ({ statements }) => {
    const tar = pack();
    const lines = rows.map(
      ({ accountNumber, period, content }) => `${accountNumber},daily,${period},${period}.pdf,${content.sha256}`,
    );
    tar.entry({ name: 'run.csv' }, ['account,kind,period,file,sha256', ...lines].join('\n'));
    for (const { period, content } of rows) tar.entry({ name: `${period}.pdf` }, bytesOf(content));
    tar.finalize();
    const files = readTar(tar as AsyncIterable<Uint8Array>);
    return statements.runs.startRun(round.desk.actor, { reference, isDryRun: false }, files);
  });
  if ('refused' in outcome) demand(outcome.refused.code !== 'run_reused', `${reference} was taken for another run`);
  if (!('ok' in outcome)) return false;
  demand(['running', 'done'].includes(outcome.ok.state), `${reference} was answered ${outcome.ok.state}`);
  demand(outcome.ok.rows.total === rows.length, `${reference} has ${outcome.ok.rows.total} rows, not ${rows.length}`);
  return true;
}

export async function withdraw(round: Round, asked: AskedStatement): Promise<void> {
  asked.withdrawn = 'maybe';
  const outcome = await attempt(round, `the desk withdraws ${asked.period}`, ({ statements }) =>
    statements.issuing.withdraw(round.desk.actor, asked.statementId!, 'issued by mistake'),
  );
  const isDone = 'ok' in outcome || ('refused' in outcome && outcome.refused.code === 'statement_withdrawn_already');
  if (isDone) asked.withdrawn = 'yes';
}

export async function beDesk(round: Round, acts: number): Promise<void> {
  for (let act = 0; act < acts; act += 1) {
    const lot = randomBelow(round.random, 10);
    const issued = round.statements.filter(({ statementId, withdrawn }) => statementId && withdrawn === 'no');
    if (lot === 0 && issued.length > 0) await withdraw(round, pick(round, issued));
    else if (lot <= 3) {
      const reference = `run-${round.seed}-${act}`;
      const rows = 2 + randomBelow(round.random, 6);
      for (let row = 0; row < rows; row += 1) askStatement(round, reference, true);
      if (!(await sendRun(round, reference)) && chance(round, 50)) await sendRun(round, reference);
    } else {
      const asked = askStatement(round, `request-${round.seed}-${act}`, false);
      await issue(round, asked);
      if (asked.statementId === undefined && chance(round, 50)) await issue(round, asked);
    }
  }
}

/** What it takes of unfinished uploads by a time that it believed, nobody misses any more. */
async function purge(round: Round, { statements }: Life): Promise<unknown> {
  const dueMs = round.world.clock.nowMs() - partialKeptMs;
  let isRefused = false;
  try {
    return await statements.retention.purge();
  } catch (fault) {
    isRefused = fault instanceof Refusal;
    throw fault;
  } finally {
    const uploads = isRefused ? [] : round.clients.flatMap(({ unfinished }) => [...unfinished.values()]);
    for (const upload of uploads) if (upload.begunAtMs <= dueMs) upload.syncedBytes = 0;
  }
}

/** What the job runner does by the clock, in no order that anybody relies on, until told to end. */
export async function beClockwork(round: Round, signal: AbortSignal): Promise<void> {
  const chores: Readonly<Record<string, (life: Life) => Promise<unknown>>> = {
    runs: ({ statements }) => statements.runs.resume(),
    manifests: ({ statements }) => statements.manifests.updateManifests(),
    purge: (life) => purge(round, life),
    sweep: ({ statements }) => statements.retention.sweepOrphans(),
    seal: ({ audit, database }) => audit.seal(database),
    events: ({ outbox, database }) => outbox.deliverPending(database),
    waiting: deliverWaiting,
  };
  while (!signal.aborted) {
    const [what, chore] = pick(round, Object.entries(chores));
    await attempt(round, what, chore);
    await new Promise<void>((next) => round.world.clock.after(30 + randomBelow(round.random, 170), next));
  }
}

export const deliverWaiting = ({ statements }: Life): Promise<void> =>
  statements.tasks['statements:deliver_waiting']({}, { number: 1, isLast: false, signal: AbortSignal.timeout(60_000) });
