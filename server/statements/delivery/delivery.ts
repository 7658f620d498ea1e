// Delivery of statements: what a client elects, the keys and addresses it hands in, the desk's requests, and the gate they open.
// A connection opens nothing before it is configured; what is replaced or removed ends at once, with the connections on it;
// every move between states is legal by type and by the database, and stands in the audit trail with its actor and reason.
import type { Actor, ClientActor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Log } from '../../kernel/log.ts';
import type { Random } from '../../kernel/random.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import type { ClientBrief } from '../../identity/identity.ts';
import type { Messages } from '../../messages/messages.ts';
import { createConnections } from '../connections/connections.ts';
import { createRecorder, type RecorderLimits } from '../connections/recorder.ts';
import { createKeys } from '../keys/keys.ts';
import { createKeyExpiry } from '../keys/keys-expiry.ts';
import { createKeySubmission } from '../keys/keys-submission.ts';
import type { OpenPgpCertificate } from '../keys/openpgp-certificate.ts';
import type { AddressLimits } from './address-rules.ts';
import { createAddresses } from './addresses.ts';
import { createAllowList } from './allow-list.ts';
import { createGate } from './gate.ts';
import { formatInstructions, type HostKeyShown, type Instructions } from './instructions.ts';
import { createIntake, type Submission } from './intake.ts';
import { createItems } from './items.ts';
import { createLiveConnections, type EndConnection, type EndedConnection } from './live-connections.ts';
import { checkClientOrDesk, checkDesk } from './permission-rules.ts';
import { createRequestDesk, type RequestView } from './requests.ts';
import type { Approval } from './rules.ts';
import { createSetUp } from './set-up.ts';
import { findConnection } from './store.ts';
import { createTransitions } from './transitions.ts';

export type Delivery = ReturnType<typeof createDelivery>;

/** What the operator sets; the composition root reads it from the settings once. */
export interface DeliverySettings {
  /** The name that clients are told to enter as Host (SF-02). */
  readonly hostName: string;
  /** The port in use, known once the face listens. */
  port(): number;
  hostKeys(): readonly HostKeyShown[];
  /** How many people of the desk approve (D-23). */
  readonly approval: Approval;
  /** Whether a second SSH key with an expiry date may be added (D-22). */
  readonly severalKeys: boolean;
  /** Whether SFTP delivery waits for an OpenPGP key (D-18). */
  readonly encryptionRequired: boolean;
  readonly zone: string;
  readonly holidays: readonly string[];
  /** Units: business days until a request is due. */
  readonly serviceDays: number;
  readonly addresses: AddressLimits;
  readonly addressesMax: number;
  readonly openRequestsMax: number;
  readonly submissionsPerDayMax: number;
  /** How long refused connections and transcripts are kept. */
  readonly historyKeptDays: number;
  /** Every rejected sign-in takes at least this long (T14). */
  readonly rejectedAfterMs: number;
}

/** The shipped defaults of the decisions (D-18, D-22, D-23 and the limits). */
export const deliveryDefaults = {
  approval: 'one',
  severalKeys: false,
  encryptionRequired: false,
  zone: 'America/New_York',
  holidays: [],
  serviceDays: 2,
  addresses: { widest: { ipv4: 24, ipv6: 48 }, privateAddresses: false },
  addressesMax: 20,
  openRequestsMax: 10,
  submissionsPerDayMax: 50,
  historyKeptDays: 100,
  rejectedAfterMs: 20,
} as const satisfies Omit<DeliverySettings, 'hostName' | 'port' | 'hostKeys'>;

/** What delivery asks of identity. */
export interface IdentityDoor {
  getClientState(sql: Sql, clientId: string): Promise<'active' | 'suspended' | 'closed' | undefined>;
  lastSignInAddresses(sql: Sql, clientId: string): Promise<readonly string[]>;
  /** Name and accounts, as the desk's lists show them. */
  findBriefs(sql: Sql, clientIds: readonly string[]): Promise<ReadonlyMap<string, ClientBrief>>;
  listClientsSignedInFrom(sql: Sql, addresses: readonly string[]): Promise<{ clientId: string; address: string }[]>;
  /** Who last reset a password of the client. */
  passwordResetters(sql: Sql, clientId: string): Promise<readonly string[]>;
  /** Asks the client's password afresh and notes what was confirmed (D-23). */
  confirm(actor: ClientActor, given: { password: string; shown: string }): Promise<unknown>;
}

export function createDelivery(parts: {
  database: Database;
  clock: Clock;
  random: Random;
  ids: Ids;
  audit: Pick<Audit, 'append'>;
  identity: IdentityDoor;
  messages: Pick<Messages, 'notify'>;
  settings: DeliverySettings;
  log: Log;
  /** Reads certificates in a worker thread; without it this thread does. */
  inspectCertificate?: ((bytes: Uint8Array, nowMs: number) => Promise<OpenPgpCertificate>) | undefined;
  recorderLimits?: RecorderLimits;
}) {
  const { database, clock, settings, log } = parts;
  const transitions = createTransitions(parts);
  const items = createItems({ transitions, messages: parts.messages });
  const setUp = createSetUp({ ...parts, transitions, items });
  const keySubmission = createKeySubmission({ ...parts, transitions, items });
  const intake = createIntake({ ...parts, transitions, keys: keySubmission });
  const requests = createRequestDesk({ ...parts, transitions, items, setUp });
  const keys = createKeys({ ...parts, transitions });
  const expiry = createKeyExpiry({ ...parts, transitions });
  const addresses = createAddresses({ ...parts, transitions });
  const allowList = createAllowList({ database, clock, log });
  const recorder = createRecorder({
    ...parts,
    ...(parts.recorderLimits === undefined ? {} : { limits: parts.recorderLimits }),
  });
  const gate = createGate({ ...parts, allowList, recorder });
  const live = createLiveConnections({ ...parts, transitions });
  const connections = createConnections(parts);

  return {
    // What the client and the desk do.
    ...setUp.operations,
    ...requests.operations,
    ...keys,
    ...addresses.operations,
    ...connections,

    /** Takes in a key, addresses, or both. Refuses: see intake.ts. */
    async submit(actor: Actor, submission: Submission): Promise<RequestView> {
      return await requests.view(database.sql, await intake.submit(actor, submission));
    },

    /** Name and accounts of clients, for the lists of the desk. */
    async describeClients(actor: Actor, clientIds: readonly string[]): Promise<ReadonlyMap<string, ClientBrief>> {
      checkDesk(actor);
      return await parts.identity.findBriefs(database.sql, clientIds);
    },

    formatNftables: (actor: Actor): Promise<string> => addresses.formatSets(actor, settings.port()),

    /** Everything a client types to connect; the user name appears once it is issued. */
    async getInstructions(actor: Actor, clientId?: string): Promise<Instructions> {
      const connection = await findConnection(database.sql, checkClientOrDesk(actor, clientId));
      return formatInstructions({
        hostName: settings.hostName,
        port: settings.port(),
        hostKeys: settings.hostKeys(),
        userName: connection?.userName ?? null,
      });
    },

    // What the gate asks.
    ...gate.operations,
    ...live.operations,

    /** The transcript of every connection that was given the banner, signed in or not; what it tried is recorded now. */
    connectionEnded(ended: EndedConnection): void {
      gate.pending.end(ended.connectionId);
      live.noteEnded(ended);
    },

    ...expiry,
    /** Writes refused connections that are still in memory. */
    flushRefusals: (): Promise<void> => recorder.flush(),

    /**
     * Starts listening: keeps the allow-list current and calls `end` for every open connection whose key, address, client or
     * connection ended. Shape: close it last, after the face.
     */
    async start(end: EndConnection): Promise<{ close(): Promise<void> }> {
      const list = await allowList.start();
      const watched = await live.start(end);
      return {
        async close() {
          gate.pending.close();
          await watched.close();
          await list.close();
          await recorder.close();
        },
      };
    },
  };
}
