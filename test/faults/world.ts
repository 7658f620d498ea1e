// A whole broker in this process that can be struck and killed: database link, small disk and clock are the test's to fail.
//
// What stands for the machine (database, disk, clock) outlives a life; a life is what one server process would hold. A killed
// life answers nothing any more, and what it still had under way meets a dead database and a dead blob store.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIdentity } from '../../server/identity/identity.ts';
import { createAudit } from '../../server/kernel/audit.ts';
import type { BlobListing, BlobStore, StagedBlob } from '../../server/kernel/blobs.ts';
import { type Clock, systemClock } from '../../server/kernel/clock.ts';
import { openFileBlobs } from '../../server/kernel/file-blobs.ts';
import { createIds, type Ids } from '../../server/kernel/ids.ts';
import type { Log } from '../../server/kernel/log.ts';
import { readMasterKeys } from '../../server/kernel/master-key.ts';
import { createOutbox } from '../../server/kernel/outbox.ts';
import { systemRandom } from '../../server/kernel/random.ts';
import { Outage } from '../../server/kernel/refusal.ts';
import { createRequests } from '../../server/kernel/requests.ts';
import { openDatabase } from '../../server/kernel/sql.ts';
import { openVault } from '../../server/kernel/vault.ts';
import { createMessages } from '../../server/messages/messages.ts';
import { createDelivery, deliveryDefaults } from '../../server/statements/delivery/delivery.ts';
import { createEncryptionPool } from '../../server/statements/issuing/encryption-pool.ts';
import { createStatements, openBrokerKey, statementDefaults } from '../../server/statements/statements.ts';
import { openTestDatabase } from '../database.ts';
import { openDatabaseLink } from './database-link.ts';
import { openSmallDisk } from './small-disk.ts';

/** How long a statement may stay unanswered: short, so that a silent database shows within a round. */
const answerTimeoutMs = 1500;
const diskMebibytes = 48;
const brokerName = 'Example Broker';
const argon2 = { memoryKibibytes: 64, passes: 1, lanes: 1 };

export type FaultWorld = Awaited<ReturnType<typeof openFaultWorld>>;
export type Life = Awaited<ReturnType<FaultWorld['begin']>>;

/** The system's clock, on which time may also jump or pass at once; waits are real. */
function createMovableClock() {
  let jumpedMs = 0;
  let passedMs = 0;
  const clock: Clock = {
    nowMs: () => systemClock.nowMs() + passedMs + jumpedMs,
    monotonicMs: () => systemClock.monotonicMs() + passedMs,
    after: (delayMs, work) => systemClock.after(delayMs, work),
  };
  return {
    ...clock,
    /** The wall clock alone. */
    jump: (byMs: number): void => void (jumpedMs += byMs),
    /** Time itself, though no timer fires. */
    pass: (byMs: number): void => void (passedMs += byMs),
  };
}

export async function openFaultWorld() {
  await using opened = new AsyncDisposableStack();
  const test = opened.use(await openTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-faults-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const disk = openSmallDisk(diskMebibytes);
  if (disk !== undefined) opened.use(disk);
  const blobFolder = join(disk?.folder ?? folder, 'blobs');
  const clock = createMovableClock();
  const random = systemRandom;
  const ids = createIds({ clock, random });
  const masterKeys = await readMasterKeys(join(folder, 'master.key'), random);
  /** When a blob was written last, by the shifted clock: the disk knows only the real one. */
  const writtenAtMs = new Map<string, number>();
  const lost: string[] = [];
  const log = listeningLog((text, fault) => lost.push(`${text}: ${fault}`));

  const base = { database: test.database, clock, random, ids };
  const vault = await openVault({ ...base, masterKeys });
  const signing = { sql: test.database.sql, clock, vault };
  const brokerKey = await openBrokerKey({
    ...signing,
    settings: { brokerName, brokerEmail: 'delivery@broker.example' },
  });
  const pool = opened.use(createEncryptionPool({ workers: 2, signingKey: brokerKey.secretKey }));

  /** What one process opens. */
  async function begin() {
    const link = await openDatabaseLink(test.url);
    const database = openDatabase({ url: link.url, connectionsMax: 5, answerTimeoutMs });
    const parts = { database, clock, random, ids, log };
    const own = await openVault({ ...parts, masterKeys });
    const medium = guard(await openFileBlobs({ folder: blobFolder, keys: own, ids }), {
      ids,
      note: (blobId) => writtenAtMs.set(blobId, clock.nowMs()),
      find: (blobId) => writtenAtMs.get(blobId),
    });
    const audit = createAudit({ clock });
    const outbox = createOutbox({ clock, ids });
    const requests = createRequests({ clock });
    const identity = createIdentity({ ...parts, audit, argon2 });
    const messages = createMessages(parts);
    const more = { ...parts, blobs: medium.blobs, audit, outbox, requests, identity, messages };
    const delivery = createDelivery({
      ...more,
      settings: {
        ...deliveryDefaults,
        hostName: 'sftp.broker.example',
        port: () => 32,
        hostKeys: () => [{ algorithm: 'ssh-ed25519', fingerprint: 'SHA256:host', line: 'ssh-ed25519 AAAA' }],
        rejectedAfterMs: 0,
        submissionsPerDayMax: 10_000,
      },
      inspectCertificate: (bytes, nowMs) => pool.inspectCertificate(bytes, nowMs),
    });
    const settings = { ...statementDefaults, brokerName };
    const statements = createStatements({ ...more, delivery, brokerKey, pool, settings });
    for (const [kind, consumer] of Object.entries(statements.consumers)) outbox.consume(kind, consumer);
    let isDead = false;
    return {
      ...more,
      link,
      delivery,
      statements,
      get isDead() {
        return isDead;
      },
      /** Ends this life as `kill -9` would. */
      async kill(): Promise<void> {
        isDead = true;
        link.kill();
        await medium.kill();
        void database.close().catch(() => undefined);
      },
    };
  }

  const rest = opened.move();
  return {
    clock,
    ids,
    disk,
    blobFolder,
    /** Beside the lives and never struck: for the judge. */
    sql: test.database.sql,
    writtenAtMs,
    certificate: brokerKey.certificate,
    begin,
    /** Faults that the server only logged, since the last call. */
    takeLogged: (): string[] => lost.splice(0),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

/** A store that notes the time of writes, and that answers nothing once its process is dead. */
function guard(
  blobs: BlobStore,
  { ids, note, find }: { ids: Ids; note(blobId: string): void; find(blobId: string): number | undefined },
) {
  const open = new Set<StagedBlob>();
  let isDead = false;
  const check = (): void => {
    if (isDead) throw new Outage('this process');
  };

  function guardStaged(staged: StagedBlob): StagedBlob {
    if (isDead) void staged.close().catch(() => undefined);
    else open.add(staged);
    note(staged.blobId);
    const during = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      check();
      const result = await work();
      check();
      note(staged.blobId);
      return result;
    };
    const ending = <Result>(work: () => Promise<Result>): Promise<Result> =>
      during(work).finally(() => {
        if (!isDead) open.delete(staged);
      });
    return {
      blobId: staged.blobId,
      get sizeBytes() {
        return staged.sizeBytes;
      },
      writeAt: (offsetBytes, bytes) => during(() => staged.writeAt(offsetBytes, bytes)),
      readAt: (offsetBytes, lengthBytes) => during(() => staged.readAt(offsetBytes, lengthBytes)),
      truncate: (sizeBytes) => during(() => staged.truncate(sizeBytes)),
      sync: () => during(() => staged.sync()),
      checkpoint: () => during(() => staged.checkpoint()),
      seal: () => during(() => staged.seal()),
      discard: () => ending(() => staged.discard()),
      close: () => ending(() => staged.close()),
      [Symbol.asyncDispose]: () => ending(() => staged.close()),
    };
  }

  const checked =
    <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      check();
      const result = await work(...args);
      check();
      return result;
    };
  const guarded: BlobStore = {
    stage: checked(async () => guardStaged(await blobs.stage())),
    reopen: checked(async (blobId: string) => {
      const staged = await blobs.reopen(blobId);
      return staged && guardStaged(staged);
    }),
    async open(blobId) {
      check();
      const reader = await blobs.open(blobId);
      // The system lets go of the files of a process that ended.
      if (isDead) await reader.close();
      check();
      return reader;
    },
    put: checked((bytes: Uint8Array | AsyncIterable<Uint8Array>, { blobId = ids.next() }: { blobId?: string } = {}) => {
      note(blobId);
      return blobs.put(bytes, { blobId });
    }),
    remove: checked((blobId: string) => blobs.remove(blobId)),
    async *list(): AsyncIterable<BlobListing> {
      for await (const blob of blobs.list()) yield { ...blob, modifiedAtMs: find(blob.blobId) ?? blob.modifiedAtMs };
    },
    freeBytes: () => blobs.freeBytes(),
    close: () => blobs.close(),
  };
  return {
    blobs: guarded,
    /** The system lets go of the files and locks of a process that ended. */
    async kill(): Promise<void> {
      isDead = true;
      await Promise.all([...open].map((staged) => staged.close().catch(() => undefined)));
    },
  };
}

function listeningLog(heard: (text: string, fault: unknown) => void): Log {
  const silent = (): void => undefined;
  const log: Log = { debug: silent, info: silent, warn: silent, error: silent, fault: heard, with: () => log };
  return log;
}
