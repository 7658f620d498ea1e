// Compares the world after a round with what callers were promised. Whatever does not hold is thrown as a Violation.
import { decrypt, readMessage, readPrivateKey } from 'openpgp';
import { Refusal } from '../../server/kernel/refusal.ts';
import type { FileReader } from '../../server/statements/repository/reading.ts';
import { type AskedStatement, demand, hashOf } from './ledger.ts';
import type { Client } from './people.ts';
import type { Round } from './workload.ts';

/** What is judged: a round in this process, or one of a whole installation seen from beside it. */
export interface Judged {
  readonly statements: readonly AskedStatement[];
  readonly clients: readonly Pick<Client, 'name' | 'clientId' | 'actor' | 'files' | 'openPgpPairs' | 'unfinished'>[];
  readonly oddities: readonly string[];
  readonly life: Pick<Round['life'], 'audit' | 'database' | 'blobs'> & {
    readonly statements: Pick<Round['life']['statements'], 'catalog' | 'deletions' | 'manifests' | 'repository'>;
  };
  readonly world: Pick<Round['world'], 'sql'> & { readonly clock: Pick<Round['world']['clock'], 'nowMs'> };
}

type JudgedClient = Judged['clients'][number];

const manifestFolder = '/manifests';
/** Encrypted files of a client that are opened with its key; the others are only compared with their hash. */
const openedMax = 2;

export async function judge(round: Judged): Promise<void> {
  demand(round.oddities.length === 0, `callers met faults of ours:\n${round.oddities.slice(0, 3).join('\n')}`);
  await judgeChains(round);
  for (const client of round.clients) {
    const own = round.statements.filter(({ clientId }) => clientId === client.clientId);
    const names = await judgeStatements(round, client, own);
    await judgeTree(round, client, names);
  }
  await judgeBlobs(round);
  await judgeRows(round);
}

async function judgeChains({ life }: Judged): Promise<void> {
  const { audit, database, statements } = life;
  const trail = await audit.verify(database.sql);
  demand(trail.whole && trail.unsealed === 0, `the audit trail: ${JSON.stringify(trail)}`);
  const deletions = await statements.deletions.verify();
  demand(deletions.whole, `the deletion log: ${JSON.stringify(deletions)}`);
  const { faults } = await statements.manifests.verifyAll();
  demand(faults.length === 0, `the manifests: ${JSON.stringify(faults.slice(0, 5))}`);
}

async function readAll(reader: FileReader): Promise<Buffer> {
  try {
    return await reader.read(0, reader.file.sizeBytes);
  } finally {
    await reader.close({ ranges: [], end: 'closed' });
  }
}

/** Every statement asked for is there once, with its bytes, in the portal and in the repository. Shape: names placed. */
async function judgeStatements(
  round: Judged,
  client: JudgedClient,
  asked: readonly AskedStatement[],
): Promise<Set<string>> {
  const { catalog } = round.life.statements;
  const listed = await listAll((after) => catalog.listStatements(client.actor, {}, { after, limit: 100 }));
  const wanted = asked.filter(({ withdrawn }) => withdrawn === 'no');
  const names = new Set<string>();
  let opened = 0;
  for (const { period, content, statementId } of wanted) {
    const found = listed.filter((one) => one.periodTo === period);
    const what = `${client.name}: the statement of ${period} (${statementId ?? 'of a run'})`;
    demand(found.length === 1, `${what} is there ${found.length} times`);
    const [statement] = found;
    demand(statementId === undefined || statement!.statementId === statementId, `${what} has another id`);
    demand(statement!.version === 1 && statement!.sha256 === content.sha256, `${what} is not the one asked for`);
    const plain = await readAll(await catalog.openPortalCopy(client.actor, statement!.statementId));
    demand(hashOf(plain) === content.sha256, `${what} reads as other bytes`);
    const { delivery } = statement!;
    demand(delivery?.state === 'placed', `${what} was not placed`);
    const form = await readAll(await catalog.openDelivered(client.actor, statement!.statementId));
    demand(hashOf(form) === delivery.sha256, `${what} lies in the repository with other bytes`);
    names.add(delivery.path);
    const mustBeEncrypted = client.openPgpPairs.length > 0;
    demand(
      delivery.isEncrypted === mustBeEncrypted,
      `${what} was placed ${mustBeEncrypted ? 'in clear' : 'encrypted'}`,
    );
    if (!mustBeEncrypted) {
      names.add(`${delivery.path}.sig`);
      demand(delivery.sha256 === content.sha256, `${what} was placed with other bytes`);
    } else if (opened < openedMax) {
      opened += 1;
      demand(hashOf(await openMessage(client, form)) === content.sha256, `${what} opens to other bytes`);
    }
  }
  demand(listed.length === wanted.length, `${client.name} has ${listed.length} statements, asked for ${wanted.length}`);
  return names;
}

/** With whichever of the client's keys was in force when it was placed. */
async function openMessage(client: JudgedClient, message: Buffer): Promise<Uint8Array> {
  const decryptionKeys = await Promise.all(
    client.openPgpPairs.map(({ privateKey }) => readPrivateKey({ armoredKey: privateKey })),
  );
  const { data } = await decrypt({
    message: await readMessage({ binaryMessage: message }),
    decryptionKeys,
    format: 'binary',
    config: { allowUnauthenticatedMessages: false },
  });
  return data as Uint8Array;
}

/** The client's files are where they were left; the broker's are those placed; no file is half there. */
async function judgeTree(round: Judged, client: JudgedClient, placed: ReadonlySet<string>): Promise<void> {
  const { repository } = round.life.statements;
  const own = new Map<string, string>();
  const ofBroker = new Set<string>();
  const page = (folder: string) => (after: string | undefined) =>
    repository
      .list(client.actor, folder, { after, limit: 200 })
      .then(({ entries, next }) => ({ items: entries, next }));
  for (const folder of ['/', manifestFolder]) {
    for (const entry of await listAll(page(folder))) {
      demand(!entry.isPartial, `${client.name}: ${entry.path} is listed and not whole`);
      if (entry.kind === 'folder') continue;
      const bytes = await readAll(await repository.openRead(client.actor, entry.path));
      demand(hashOf(bytes) === entry.sha256, `${client.name}: ${entry.path} reads as other bytes`);
      demand(bytes.length === entry.sizeBytes, `${client.name}: ${entry.path} has another size`);
      if (entry.origin === 'client') own.set(entry.path, entry.sha256!);
      else if (folder === '/') ofBroker.add(entry.path);
    }
  }
  client.files.check(own);
  demand(
    ofBroker.size === placed.size && [...placed].every((path) => ofBroker.has(path)),
    `${client.name}: the broker's files are ${[...ofBroker].join()}, and should be ${[...placed].join()}`,
  );
  for (const [path, { sentBytes, syncedBytes }] of client.unfinished) {
    // What was never synced may be gone altogether.
    const gone = { isPartial: false, sizeBytes: 0 };
    const { isPartial, sizeBytes } = await repository.stat(client.actor, path).catch((fault: unknown) => {
      if (fault instanceof Refusal && fault.code === 'path_not_found') return gone;
      throw fault;
    });
    const isKept = isPartial && sizeBytes >= syncedBytes && sizeBytes <= sentBytes;
    const found = isPartial ? sizeBytes : 'no';
    if (syncedBytes > 0) demand(isKept, `${client.name}: ${path} kept ${found} of ${syncedBytes} synced bytes`);
  }
  client.unfinished.clear();
}

/** A fetch that was acknowledged has one receipt, any other at most one, and nobody else has any. */
export async function judgeReceipts(round: Round, client: Client): Promise<void> {
  const { records } = round.life.statements;
  const receipts = await listAll((after) =>
    records.listReceipts(round.desk.actor, { clientId: client.clientId }, { after, limit: 100 }),
  );
  for (const { through, path, sha256, isSure } of client.fetched) {
    const own = receipts.filter((receipt) => receipt.through === through);
    demand(own.length <= 1 && (!isSure || own.length === 1), `${client.name}: ${own.length} receipts for ${path}`);
    const [receipt] = own;
    const isRight = receipt === undefined || (receipt.path === path && receipt.sha256 === sha256 && receipt.isWhole);
    demand(isRight, `${client.name}: the receipt for ${path} tells something else`);
  }
  const known = new Set(client.fetched.map(({ through }) => through));
  demand(
    receipts.every(({ through }) => known.has(through ?? '')),
    `${client.name}: a receipt tells of a fetch that nobody made`,
  );
}

/**
 * After the sweep the store holds exactly the blobs that rows name. One that was written while the clock stood ahead has its time
 * still to come, by which the sweep goes: that it is taken then is asked for after a hundred days.
 */
async function judgeBlobs({ life, world }: Judged): Promise<void> {
  const rows = await world.sql<{ blobId: string }>`
    select blob_id as "blobId" from entries where blob_id is not null
    union select blob_id from statements where blob_id is not null
    union select blob_id from run_files where blob_id is not null
    union select blob_id from uploads`;
  const named = new Set(rows.map(({ blobId }) => blobId));
  const stored = new Map<string, number>();
  for await (const { blobId, modifiedAtMs } of life.blobs.list()) stored.set(blobId, modifiedAtMs);
  const orphans = [...stored].flatMap(([blobId, modifiedAtMs]) =>
    named.has(blobId) || modifiedAtMs > world.clock.nowMs() ? [] : [blobId],
  );
  const missing = [...named].filter((blobId) => !stored.has(blobId));
  demand(orphans.length === 0, `${orphans.length} blobs survived the sweep that no row names: ${orphans[0]}`);
  demand(missing.length === 0, `${missing.length} blobs are named and not there: ${missing[0]}`);
}

/** What is counted beside the files is what the files say, and no event is left over. */
async function judgeRows({ world }: Judged): Promise<void> {
  const wrong = await world.sql<{ clientId: string; usedBytes: number; foundBytes: number }>`
    select r.client_id as "clientId", r.used_bytes as "usedBytes", f.bytes + u.bytes as "foundBytes"
    from repositories r,
      lateral (select coalesce(sum(size_bytes), 0)::bigint as bytes, count(*) as entries from entries e
        where e.client_id = r.client_id and e.origin = 'client') f,
      lateral (select coalesce(sum(reserved_bytes), 0)::bigint as bytes from uploads u where u.client_id = r.client_id) u
    where r.used_bytes <> f.bytes + u.bytes or r.used_entries <> f.entries`;
  demand(wrong.length === 0, `the quota counts something else than the files: ${JSON.stringify(wrong[0])}`);
  const left = await world.sql<{ state: string }>`select state from outbox where state <> 'done' limit 1`;
  demand(left.length === 0, `an event is ${left[0]?.state}`);
}

async function listAll<Item>(
  page: (after: string | undefined) => Promise<{ items: readonly Item[]; next: string | undefined }>,
): Promise<Item[]> {
  const all: Item[] = [];
  for (let after: string | undefined; ; ) {
    const { items, next } = await page(after);
    all.push(...items);
    if (next === undefined) return all;
    after = next;
  }
}
