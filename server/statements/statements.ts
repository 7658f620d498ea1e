// The door of statements: what a broker issues to its clients, how it reaches them, and the proof of it.
//
// A statement is issued -> (waits ->) placed in the repository -> expired, or withdrawn at any time. It can be read in the
// portal from its issue on. Invariants: nothing with encryption on is ever placed in clear; what was placed is changed by
// nobody; every fetch leaves a receipt and every deletion a row; a request, and a row of a run, issue at most once.
import type { Audit } from '../kernel/audit.ts';
import type { BlobStore } from '../kernel/blobs.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import { enqueue, type Task } from '../kernel/jobs.ts';
import type { Log } from '../kernel/log.ts';
import type { Outbox } from '../kernel/outbox.ts';
import type { Random } from '../kernel/random.ts';
import type { Requests } from '../kernel/requests.ts';
import type { Database } from '../kernel/sql.ts';
import type { Identity } from '../identity/identity.ts';
import type { Messages } from '../messages/messages.ts';
import type { Delivery } from './delivery/delivery.ts';
import { createConsumers } from './consumers.ts';
import { createArchives } from './issuing/archive.ts';
import { createCatalog } from './issuing/catalog.ts';
import type { EncryptionPool } from './issuing/encryption-pool.ts';
import { createIssuing, tasks as taskNames } from './issuing/issuing.ts';
import { createPlacing } from './issuing/placing.ts';
import { createRuns } from './issuing/runs.ts';
import { createSealing } from './issuing/sealing.ts';
import type { BrokerKey } from './proof/broker-key.ts';
import { createDeletions } from './proof/deletions.ts';
import { createManifestCheck } from './proof/manifests-check.ts';
import { createManifests } from './proof/manifests.ts';
import { createReceipts } from './proof/receipts.ts';
import { createRetention } from './proof/retention.ts';
import { createProofRecords } from './proof/records.ts';
import { createRepository } from './repository/repository.ts';

export { openBrokerKey, type BrokerKey } from './proof/broker-key.ts';
export { readFolder, readTar } from './issuing/run-sources.ts';

export interface StatementSettings {
  readonly brokerName: string;
  /** IANA name; days of manifests and test files are days there. */
  readonly timeZone: string;
  /** Units: bytes that a client may upload. */
  readonly quotaBytes: number;
  /** Files and folders that a client may make. */
  readonly quotaEntries: number;
  /** Batches of a run's rows that are worked on at once. */
  readonly runConcurrency: number;
}

export const statementDefaults = {
  timeZone: 'America/New_York',
  quotaBytes: 10 * 1024 ** 3,
  quotaEntries: 100_000,
  runConcurrency: 3,
} as const satisfies Omit<StatementSettings, 'brokerName'>;

export interface StatementParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly blobs: BlobStore;
  readonly audit: Audit;
  readonly outbox: Outbox;
  readonly requests: Requests;
  readonly log: Log;
  readonly identity: Pick<Identity, 'findClientsByAccounts' | 'listAccounts'>;
  readonly messages: Pick<Messages, 'notify'>;
  readonly delivery: Pick<Delivery, 'deliveryFor'>;
  readonly brokerKey: BrokerKey;
  readonly pool: Pick<EncryptionPool, 'encrypt' | 'encryptStream' | 'sign' | 'signStream'>;
  readonly settings: StatementSettings;
}

export function createStatements(parts: StatementParts) {
  const { database, log, brokerKey } = parts;
  const receipts = createReceipts(parts);
  const deletions = createDeletions({ ...parts, keyFingerprint: brokerKey.fingerprint });
  const repository = createRepository({ ...parts, receipts });
  const placing = createPlacing({ ...parts, repository, sealing: createSealing(parts) });
  const issuing = createIssuing({ ...parts, repository, placing, deletions });
  const catalog = createCatalog({ ...parts, receipts, repository });
  const manifests = {
    ...createManifests({ ...parts, repository }),
    ...createManifestCheck({ ...parts, certificate: brokerKey.certificate }),
  };
  const retention = createRetention({ ...parts, repository, deletions });
  const runs = createRuns({ ...parts, repository, placing, issuing, manifests });

  const placeWaiting: Task = async (payload) => {
    const { clientId } = (payload ?? {}) as { clientId?: string };
    await placing.deliverWaiting(clientId === undefined ? {} : { clientId });
  };

  return {
    repository,
    issuing,
    catalog,
    archives: createArchives({ catalog }),
    manifests,
    retention,
    runs,
    deletions,
    records: createProofRecords({ receipts, deletions }),
    /** What everyone may know of the key that signs for the broker. */
    brokerKey: { fingerprint: brokerKey.fingerprint, userId: brokerKey.userId, certificate: brokerKey.certificate },

    /** For the job runner. */
    tasks: {
      [taskNames.deliverOne]: async (payload) =>
        void (await issuing.deliverOne((payload as { statementId: string }).statementId)),
      [taskNames.deliverWaiting]: placeWaiting,
      [taskNames.run]: () => runs.resume(),
      'statements:purge': async () => void (await retention.purge()),
      // It looks at every blob there is, so once a day: an orphan takes room and is seen by nobody.
      'statements:sweep': async () => void (await retention.sweepOrphans()),
      'statements:manifests': async () => void (await manifests.updateManifests()),
    } satisfies Record<string, Task>,

    crontab: [
      `*/10 * * * * ${taskNames.deliverWaiting}`,
      // A run whose worker died goes on when another starts, and within a minute at the latest.
      `* * * * * ${taskNames.run}`,
      '7 * * * * statements:purge',
      '23 4 * * * statements:sweep',
      '2 * * * * statements:manifests',
    ].join('\n'),

    /** For the outbox, by kind of event. */
    consumers: createConsumers(parts),

    /** Listens for what other processes tell, and has that go on at once whose worker died before this one started. */
    async start(): Promise<{ close(): Promise<void> }> {
      await enqueue(database.sql, taskNames.run, {}, { key: `${taskNames.run}:start` });
      await enqueue(database.sql, taskNames.deliverWaiting, {}, { key: `${taskNames.deliverWaiting}:start` });
      return database.listen('upload_taken', (holder) => {
        repository.uploadTaken(holder).catch((fault: unknown) => log.fault('an upload could not be let go', fault));
      });
    },
  };
}

export type Statements = ReturnType<typeof createStatements>;
