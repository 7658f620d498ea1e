// A broker's statements for tests: real database, blobs, keys and encryption workers, with a clock that the test moves.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIdentity } from '../server/identity/identity.ts';
import { type ClientActor, consoleActor, type OperatorActor } from '../server/kernel/actor.ts';
import { createAudit } from '../server/kernel/audit.ts';
import { createFakeClock } from '../server/kernel/clock.ts';
import { openFileBlobs } from '../server/kernel/file-blobs.ts';
import { createIds } from '../server/kernel/ids.ts';
import { silentLog } from '../server/kernel/log.ts';
import { readMasterKeys } from '../server/kernel/master-key.ts';
import { createOutbox } from '../server/kernel/outbox.ts';
import { systemRandom } from '../server/kernel/random.ts';
import { createRequests } from '../server/kernel/requests.ts';
import type { BlobStore } from '../server/kernel/blobs.ts';
import { openVault } from '../server/kernel/vault.ts';
import { createMessages } from '../server/messages/messages.ts';
import type { Delivery } from '../server/statements/delivery/delivery.ts';
import { createEncryptionPool } from '../server/statements/issuing/encryption-pool.ts';
import type { Certificate } from '../server/statements/issuing/sealing.ts';
import {
  createStatements,
  openBrokerKey,
  statementDefaults,
  type StatementParts,
} from '../server/statements/statements.ts';
import { openTestDatabase } from './database.ts';

type ClientDelivery = NonNullable<ReturnType<Awaited<ReturnType<Delivery['deliveryFor']>>['get']>>;

export type StatementWorld = Awaited<ReturnType<typeof openStatementWorld>>;

/** What is elected stands in `elections`, so that a test sets it at once; everything else is the real thing. */
export async function openStatementWorld(
  changed: {
    settings?: Partial<StatementParts['settings']>;
    /** Puts something between the domain and its blobs, to let them fail. */
    around?: (blobs: BlobStore) => BlobStore;
    startMs?: number;
  } = {},
) {
  const test = await openTestDatabase();
  const { database } = test;
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-statements-'));
  const clock = createFakeClock(changed.startMs);
  const random = systemRandom;
  const ids = createIds({ clock, random });
  const audit = createAudit({ clock });
  const outbox = createOutbox({ clock, ids });
  const requests = createRequests({ clock });
  const log = silentLog;
  const masterKeys = await readMasterKeys(join(folder, 'master.key'), random);
  const vault = await openVault({ database, masterKeys, clock, ids, random });
  const files = await openFileBlobs({ folder: join(folder, 'blobs'), keys: vault, ids });
  const blobs = changed.around?.(files) ?? files;
  const identity = createIdentity({ database, clock, random, ids, audit });
  const messages = createMessages({ database, clock, ids });
  const settings = { ...statementDefaults, brokerName: 'Example Broker', ...changed.settings };
  const brokerKey = await openBrokerKey({
    sql: database.sql,
    clock,
    vault,
    settings: { brokerName: settings.brokerName, brokerEmail: 'delivery@broker.example' },
  });
  const pool = createEncryptionPool({ workers: 2, signingKey: brokerKey.secretKey });
  const elections = new Map<string, ClientDelivery>();
  const nothing: ClientDelivery = {
    sftp: false,
    portal: true,
    connectionState: 'none',
    encryption: 'off',
    certificates: [],
  };
  const delivery = {
    deliveryFor: (_: unknown, clientIds: readonly string[]) =>
      Promise.resolve(new Map(clientIds.map((clientId) => [clientId, elections.get(clientId) ?? nothing]))),
  };
  const parts: StatementParts = {
    database,
    clock,
    random,
    ids,
    blobs,
    audit,
    outbox,
    requests,
    log,
    identity,
    messages,
    delivery,
    brokerKey,
    pool,
    settings,
  };
  const statements = createStatements(parts);
  let clients = 0;

  return {
    ...parts,
    clock,
    messages,
    outbox,
    url: test.url,
    /** Of the blobs and the master key. */
    folder,
    parts,
    vault,
    statements,
    desk: {
      kind: 'operator',
      operatorId: ids.next(),
      desks: ['delivery', 'operations'],
      origin: { face: 'https', address: '192.0.2.10' },
    } satisfies OperatorActor as OperatorActor,

    /** Adds a client with one account. Shape: its actor, as it comes by SFTP. */
    async addClient(accountNumber?: string): Promise<{ actor: ClientActor; clientId: string; accountNumber: string }> {
      clients += 1;
      const number = accountNumber ?? `U${1000 + clients}`;
      const { clientId } = await identity.addClient(consoleActor, {
        kind: 'person',
        name: `Client ${clients}`,
        login: `client${clients}`,
        accountNumbers: [number],
      });
      const actor: ClientActor = {
        kind: 'client',
        clientId,
        origin: { face: 'sftp', address: '203.0.113.7', through: ids.next() },
      };
      return { actor, clientId, accountNumber: number };
    },

    /** Sets what the client elected: SFTP, configured, in clear or to these certificates. */
    elect(
      clientId: string,
      how: { encryption?: 'on' | 'off'; certificates?: readonly Certificate[]; connectionState?: string } = {},
    ): void {
      const certificates = (how.certificates ?? []).map((certificate) => ({
        expiresAtMs: undefined,
        cipher: certificate.recipient.cipher,
        ...certificate,
      }));
      elections.set(clientId, {
        sftp: true,
        portal: true,
        connectionState: how.connectionState ?? 'configured',
        encryption: how.encryption ?? 'off',
        certificates,
      } as ClientDelivery);
    },

    async [Symbol.asyncDispose]() {
      await pool.close();
      await blobs.close();
      await test[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Everything of an async iterable as one buffer. */
export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const piece of pieces) chunks.push(piece);
  return Buffer.concat(chunks);
}
