// From election to an open connection: what the client chooses, the log-in that the desk issues, and the connection's life after it.
import { argon2 } from 'node:crypto';
import { promisify } from 'node:util';
import type { Actor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import type { Clock } from '../../kernel/clock.ts';
import { type Random, randomText } from '../../kernel/random.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import type { Messages } from '../../messages/messages.ts';
import { listSshKeys } from '../keys/keys-store.ts';
import { listEntries, notifyAllowListChanged } from './address-store.ts';
import type { DeliverySettings, IdentityDoor } from './delivery.ts';
import { hasLiveItems, type Items, loadItems } from './items.ts';
import { checkClientOrDesk, checkDesk } from './permission-rules.ts';
import { type Channel, checkElection, refusals, userNameOf, userNameRandomCharacters } from './rules.ts';
import { isOpenForSignIn, isSetUp } from './state-rules.ts';
import {
  type Connection,
  type Election,
  findConnection,
  findElection,
  findOpenSetUp,
  insertConnection,
  listRequests,
  lockElection,
  updateElection,
  updateLogIn,
} from './store.ts';
import { moveOf, type Transitions } from './transitions.ts';
import { retryWaiting } from './waiting.ts';

export type SetUp = ReturnType<typeof createSetUp>;

/** Both absent for a client that never chose anything: its reports are in the portal. */
export interface Elected {
  readonly election: Election | undefined;
  readonly connection: Connection | undefined;
}

/** Shown once, when it is issued; of the password only a hash is kept. */
export interface LogIn {
  readonly userName: string;
  readonly password: string;
}

const contactLengthMax = 200;
const itemsListedMax = 200;

export function createSetUp(parts: {
  database: Database;
  clock: Clock;
  random: Random;
  audit: Pick<Audit, 'append'>;
  identity: Pick<IdentityDoor, 'getClientState'>;
  messages: Pick<Messages, 'notify'>;
  transitions: Transitions;
  items: Items;
  settings: Pick<DeliverySettings, 'hostName'>;
}) {
  const { database, clock, random, transitions, items, messages } = parts;

  async function checkActive(sql: Sql, clientId: string): Promise<void> {
    const state = await parts.identity.getClientState(sql, clientId);
    if (state === undefined) throw refusals.delivery_not_found();
    if (state !== 'active') throw refusals.client_not_active();
  }

  /** The user name that stands, or a new one, and always a new password; both go in together (D-16). */
  async function issue(sql: Sql, actor: Actor, connection: Connection, passwordHash: string, atMs: number) {
    const { clientId } = connection;
    const userName = connection.userName ?? userNameOf(randomText(random, userNameRandomCharacters));
    await updateLogIn(sql, { clientId, userName, passwordHash, atMs });
    await parts.audit.append(sql, {
      actor,
      action: 'log_in.issued',
      subject: `connection:${clientId}`,
      detail: { clientId, userName, isFirst: connection.userName === null },
    });
    return userName;
  }

  /** Ends everything that the connection stood on. */
  async function endAll(sql: Sql, actor: Actor, clientId: string, change: { atMs: number; reason: string }) {
    const unfinished = await listRequests(sql, { clientId, states: ['open', 'in_work'], limit: itemsListedMax });
    for (const request of unfinished) {
      const loaded = await loadItems(sql, request.requestId);
      await items.refuse(sql, actor, { ...loaded, certificates: [] }, change);
      if (hasLiveItems({ ...loaded, sshKeys: [], addresses: [] })) continue;
      await transitions.finishRequest(sql, actor, request, 'refused', change);
    }
    for (const key of await listSshKeys(sql, { clientId, limit: itemsListedMax })) {
      if (key.state !== 'active') continue;
      await transitions.sshKey(sql, actor, { id: key.keyId, clientId }, { from: 'active', to: 'revoked' }, change);
    }
    for (const entry of await listEntries(sql, { clientId, effect: 'allow', isLive: true, limit: itemsListedMax })) {
      const move = moveOf('address', entry.state, 'removed');
      await transitions.address(sql, actor, { id: entry.entryId, clientId }, move, change);
    }
    await notifyAllowListChanged(sql);
  }

  async function close(sql: Sql, actor: Actor, connection: Connection, change: { atMs: number; reason: string }) {
    const move = moveOf('connection', connection.state, 'closed');
    await transitions.connection(sql, actor, connection.clientId, move, change);
    await endAll(sql, actor, connection.clientId, change);
  }

  /** Inside the caller's transaction: everything approved comes into force, and the client is told (SF-12). */
  async function configure(sql: Sql, actor: Actor, clientId: string, atMs: number): Promise<void> {
    const request = await findOpenSetUp(sql, clientId);
    if (request === undefined || request.approvedAtMs === null) throw refusals.request_not_approved();
    let connection = await getConnection(sql, clientId);
    if (connection.userName === null) {
      if (actor.kind !== 'system' || request.approvalsNeeded > 0) throw refusals.login_not_issued();
      // Nobody will read this password; FTP needs the desk to issue one that is shown.
      const passwordHash = await hashPassword(randomText(random, passwordCharacters), random.bytes(saltBytes));
      await issue(sql, actor, connection, passwordHash, atMs);
      connection = await getConnection(sql, clientId);
    }
    await items.activate(sql, actor, request, atMs);
    await transitions.connection(sql, actor, clientId, moveOf('connection', connection.state, 'configured'), {
      atMs,
    });
    await transitions.finishRequest(sql, actor, request, 'done', { atMs });
    await messages.notify(sql, {
      clientId,
      kind: 'connection_configured',
      params: { requestId: request.requestId, userName: connection.userName!, hostName: parts.settings.hostName },
      text:
        `Your SFTP connection is configured. Connect to ${parts.settings.hostName} as ${connection.userName!} ` +
        'with your private key file.',
      atMs,
    });
  }

  const operations = {
    /** What the client chose and how far its connection is. */
    async getElected(actor: Actor, clientId?: string): Promise<Elected> {
      return await load(database.sql, checkClientOrDesk(actor, clientId));
    },

    /**
     * Chooses the channels for every report from now on. Electing SFTP opens a connection that waits for keys; leaving it
     * before it is configured closes it, and afterwards keeps it open for the files that are there.
     * Refuses: channel_not_offered, no_channel_elected, client_not_active.
     */
    async elect(
      actor: Actor,
      wanted: {
        clientId?: string | undefined;
        channels: Readonly<Record<Channel, boolean>>;
        contact: string | undefined;
      },
    ): Promise<Elected> {
      const clientId = checkClientOrDesk(actor, wanted.clientId);
      checkElection(wanted.channels);
      return await database.transaction(async (sql) => {
        const atMs = clock.nowMs();
        await checkActive(sql, clientId);
        const before = await lockElection(sql, clientId, atMs);
        const { sftp, portal } = wanted.channels;
        const contact = wanted.contact?.trim().slice(0, contactLengthMax) ?? before.contact;
        await updateElection(sql, { clientId, sftp, portal, contact, atMs });
        await retryWaiting(sql, clientId);
        await parts.audit.append(sql, {
          actor,
          action: 'delivery.elected',
          subject: `client:${clientId}`,
          detail: { clientId, sftp, portal },
        });
        const connection = await findConnection(sql, clientId);
        if (sftp && (connection === undefined || connection.state === 'closed')) {
          if (connection === undefined) await insertConnection(sql, clientId, atMs);
          else await transitions.connection(sql, actor, clientId, { from: 'closed', to: 'elected' }, { atMs });
          await transitions.connection(sql, actor, clientId, { from: 'elected', to: 'waiting_for_keys' }, { atMs });
        } else if (!sftp && connection !== undefined && connection.state !== 'closed' && !isSetUp(connection.state)) {
          await close(sql, actor, connection, { atMs, reason: 'not_elected' });
        }
        return await load(sql, clientId);
      });
    },

    /**
     * The desk issues user name and password together; once more, and the name stays while the password is new.
     * Shape: the only time the password is shown. Refuses: delivery_forbidden, sftp_not_elected.
     */
    async issueLogIn(actor: Actor, clientId: string): Promise<LogIn> {
      checkDesk(actor);
      const password = randomText(random, passwordCharacters);
      const passwordHash = await hashPassword(password, random.bytes(saltBytes));
      return await database.transaction(async (sql) => {
        const atMs = clock.nowMs();
        await checkActive(sql, clientId);
        await lockElection(sql, clientId, atMs);
        const connection = await getConnection(sql, clientId);
        if (connection.state === 'closed') throw refusals.sftp_not_elected();
        return { userName: await issue(sql, actor, connection, passwordHash, atMs), password };
      });
    },

    /** Refuses: request_not_approved, login_not_issued, delivery_forbidden. */
    async markConfigured(actor: Actor, clientId: string): Promise<Elected> {
      checkDesk(actor);
      return await database.transaction(async (sql) => {
        const atMs = clock.nowMs();
        await checkActive(sql, clientId);
        await lockElection(sql, clientId, atMs);
        await configure(sql, actor, clientId, atMs);
        return await load(sql, clientId);
      });
    },

    /** The desk stops a connection for a cause that the client reads; what is open ends at once. */
    async suspendConnection(actor: Actor, clientId: string, cause: string): Promise<Elected> {
      checkDesk(actor);
      const reason = cause.trim().slice(0, contactLengthMax);
      if (reason === '') throw refusals.delivery_reason_missing();
      return await database.transaction(async (sql) => {
        const connection = await getConnection(sql, clientId);
        const change = { atMs: clock.nowMs(), reason };
        if (!isOpenForSignIn(connection.state)) throw refusals.connection_state_wrong({ state: connection.state });
        await transitions.connection(sql, actor, clientId, moveOf('connection', connection.state, 'suspended'), change);
        await notifyAllowListChanged(sql);
        await messages.notify(sql, {
          clientId,
          kind: 'connection_suspended',
          params: { reason },
          text: `Your SFTP connection is suspended: ${reason}`,
          atMs: change.atMs,
        });
        return await load(sql, clientId);
      });
    },

    /** Opens a suspended connection again; it is proven anew by its next sign-in. Refuses: connection_state_wrong. */
    async resumeConnection(actor: Actor, clientId: string): Promise<Elected> {
      checkDesk(actor);
      return await database.transaction(async (sql) => {
        const connection = await getConnection(sql, clientId);
        if (connection.state !== 'suspended') throw refusals.connection_state_wrong({ state: connection.state });
        const atMs = clock.nowMs();
        await transitions.connection(sql, actor, clientId, { from: 'suspended', to: 'configured' }, { atMs });
        await messages.notify(sql, {
          clientId,
          kind: 'connection_resumed',
          params: {},
          text: 'Your SFTP connection is open again.',
          atMs,
        });
        return await load(sql, clientId);
      });
    },

    /** Ends the connection with its keys and addresses; reports go to the portal from now on. */
    async closeConnection(actor: Actor, clientId?: string): Promise<Elected> {
      const ownId = checkClientOrDesk(actor, clientId);
      return await database.transaction(async (sql) => {
        const atMs = clock.nowMs();
        const election = await lockElection(sql, ownId, atMs);
        await close(sql, actor, await getConnection(sql, ownId), { atMs, reason: 'closed' });
        await updateElection(sql, { ...election, sftp: false, portal: true, atMs });
        return await load(sql, ownId);
      });
    },
  };
  return { configure, operations };
}

async function load(sql: Sql, clientId: string): Promise<Elected> {
  return { election: await findElection(sql, clientId), connection: await findConnection(sql, clientId) };
}

async function getConnection(sql: Sql, clientId: string): Promise<Connection> {
  const connection = await findConnection(sql, clientId);
  if (connection === undefined) throw refusals.sftp_not_elected();
  return connection;
}

// 120 random bits; the hash is slow all the same, since it outlives what it protects.
const passwordCharacters = 24;
const saltBytes = 16;
const argon2Async = promisify(argon2);

/** Shape: the PHC string of RFC 9106 argon2id with 19 MiB, 2 passes, 1 lane. */
async function hashPassword(password: string, nonce: Buffer): Promise<string> {
  const settings = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };
  const tag = await argon2Async('argon2id', { message: Buffer.from(password), nonce, ...settings });
  return `$argon2id$v=19$m=${settings.memory},t=${settings.passes},p=${settings.parallelism}$${base64(nonce)}$${base64(tag)}`;
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
