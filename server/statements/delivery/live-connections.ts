// Connections that are signed in at this process: their transcript, and their end as soon as what they stand on ends (SF-24).
import type { ClientActor } from '../../kernel/actor.ts';
import { systemActor } from '../../kernel/actor.ts';
import { tellChanges } from '../../kernel/changes.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Log } from '../../kernel/log.ts';
import type { Database } from '../../kernel/sql.ts';
import { printable } from '../connections/rules.ts';
import { insertConnection, listSignInAddressesSince, updateConnectionEnded } from '../connections/store.ts';
import type { IdentityDoor } from './delivery.ts';
import type { Ticket } from './gate.ts';
import { mayStay } from './gate-rules.ts';
import { type LiveFacts, listLiveFacts, notifySignedIn } from './gate-store.ts';
import { findConnection, lockElection } from './store.ts';
import type { Transitions } from './transitions.ts';

/** What the transcript says of the beginning; names are those negotiated from the client to us. */
export interface OpenedConnection {
  readonly connectionId: string;
  readonly address: string;
  readonly clientSoftware: string | undefined;
  readonly algorithms:
    | { readonly kex: string; readonly hostKey: string; readonly cipherIn: string; readonly macIn: string }
    | undefined;
}

/** What the transcript says of the end. Units: bytes of the TCP stream. */
export interface EndedConnection {
  readonly connectionId: string;
  readonly address: string;
  readonly user: string | undefined;
  readonly ticket: Ticket | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly endReason: string;
}

export type EndConnection = (connectionId: string, cause: string) => void;

interface Live {
  readonly connectionId: string;
  readonly clientId: string;
  readonly sshKeyId: string;
  readonly address: string;
}

/** What a connection stands on, as it is now. */
type Standing = LiveFacts & { readonly clientState: string | undefined };

const signInRemembered = 3_600_000;
const addressesMax = 20_000;
const checkedAtOnce = 500;
const channels = ['ssh_key_ended', 'client_ended', 'allow_list_changed'] as const;
const expiryCheckedEveryMs = 60_000;

export function createLiveConnections(parts: {
  database: Database;
  clock: Clock;
  ids: Ids;
  log: Log;
  identity: Pick<IdentityDoor, 'getClientState'>;
  transitions: Transitions;
}) {
  const { database, clock, log } = parts;
  const live = new Map<string, Live>();
  /** The first look at a new connection, as long as it is under way. */
  const firstLooks = new Map<string, Promise<Standing | undefined>>();
  const known = new Map<string, number>();
  let endConnection: EndConnection | undefined;
  let checking: Promise<void> | undefined;
  let isCheckDue = false;
  const writing = new Set<Promise<void>>();

  /** Keeps the latest addresses: setting one anew moves it to the end of the map's order. */
  function remember(address: string, atMs: number): void {
    known.delete(address);
    known.set(address, atMs);
    if (known.size > addressesMax) known.delete(known.keys().next().value!);
  }

  /** Lets the face go on while a row is written; closing waits for it. */
  function track(work: Promise<void>): void {
    const done = work.catch((fault: unknown) => log.fault('a transcript could not be written', fault));
    writing.add(done);
    void done.finally(() => writing.delete(done));
  }

  function endUnless(standing: Standing): void {
    if (mayStay(standing, clock.nowMs())) return;
    live.delete(standing.connectionId);
    log.info('connection ended', { 'session-id': standing.connectionId, message: 'its key, address or account ended' });
    endConnection?.(standing.connectionId, 'no_longer_allowed');
  }

  async function look(one: Live): Promise<Standing | undefined> {
    const [facts] = await listLiveFacts(database.sql, [one]);
    return facts && { ...facts, clientState: await parts.identity.getClientState(database.sql, one.clientId) };
  }

  async function checkSome(some: readonly Live[]): Promise<void> {
    const states = new Map<string, string | undefined>();
    for (const facts of await listLiveFacts(database.sql, some)) {
      const { clientId } = facts;
      if (!states.has(clientId)) states.set(clientId, await parts.identity.getClientState(database.sql, clientId));
      endUnless({ ...facts, clientState: states.get(clientId) });
    }
  }

  async function checkAll(): Promise<void> {
    while (isCheckDue) {
      isCheckDue = false;
      const all = [...live.values()];
      for (let start = 0; start < all.length; start += checkedAtOnce) {
        await checkSome(all.slice(start, start + checkedAtOnce));
      }
    }
  }

  /** Looks at every open connection again; askers at the same time share one look, and a later one makes another. */
  function check(): Promise<void> {
    isCheckDue = true;
    checking ??= checkAll().finally(() => (checking = undefined));
    return checking;
  }

  const checkLater = (): void => {
    check().catch((fault: unknown) => log.fault('open connections could not be checked', fault));
  };

  async function writeOpened(
    ticket: Ticket,
    opened: OpenedConnection,
    looked: Promise<Standing | undefined>,
  ): Promise<void> {
    const openedAtMs = clock.nowMs();
    const { clientId } = ticket.actor;
    const { algorithms } = opened;
    const isNews = (known.get(opened.address) ?? 0) < openedAtMs - signInRemembered / 2;
    remember(opened.address, openedAtMs);
    const row = {
      connectionId: ticket.connectionId,
      clientId,
      sshKeyId: ticket.sshKeyId,
      address: opened.address,
      openedAtMs,
      clientSoftware: opened.clientSoftware === undefined ? null : printable(opened.clientSoftware, 100),
      kex: algorithms?.kex ?? null,
      hostKeyAlgorithm: algorithms?.hostKey ?? null,
      cipher: algorithms?.cipherIn ?? null,
      mac: algorithms?.macIn ?? null,
    };
    // One statement needs no transaction around it, and most sign-ins come from an address that is no news.
    if (!isNews) await insertConnection(database.sql, row);
    else {
      await database.transaction(async (sql) => {
        await insertConnection(sql, row);
        await notifySignedIn(sql, opened.address);
      });
    }
    await tell(clientId, ticket.connectionId);
    const standing = await looked;
    if (standing === undefined) return;
    if (standing.state === 'configured') await prove(ticket.actor);
    // What ended between the accepted signature and the look was announced before this connection was listening.
    endUnless(standing);
  }

  const tell = (clientId: string, connectionId: string): Promise<void> =>
    tellChanges(
      database.sql,
      [{ kind: 'connection', subject: connectionId, audiences: [`client:${clientId}`] }],
      parts.ids,
    );

  /** The first good sign-in shows that the connection works from end to end. */
  async function prove(actor: ClientActor): Promise<void> {
    await database.transaction(async (sql) => {
      const atMs = clock.nowMs();
      await lockElection(sql, actor.clientId, atMs);
      if ((await findConnection(sql, actor.clientId))?.state !== 'configured') return;
      const by = { ...systemActor('sftp'), origin: actor.origin };
      await parts.transitions.connection(sql, by, actor.clientId, { from: 'configured', to: 'proven' }, { atMs });
    });
  }

  /** The fields are named as AWS Transfer Family names them, so that rules written for its logs work on ours. */
  function noteEnded(ended: EndedConnection): void {
    live.delete(ended.connectionId);
    log.info('connection ended', {
      'activity-type': 'DISCONNECTED',
      'session-id': ended.connectionId,
      'source-ip': ended.address,
      user: ended.ticket?.userName,
      'bytes-in': ended.bytesIn,
      'bytes-out': ended.bytesOut,
      message: ended.endReason,
    });
    if (ended.ticket === undefined) return;
    const { connectionId, bytesIn, bytesOut, endReason } = ended;
    const { clientId } = ended.ticket.actor;
    // The opening may still be on its way to the database.
    const before = Promise.all(writing);
    const end = { connectionId, atMs: clock.nowMs(), reason: endReason, bytesIn, bytesOut };
    track(before.then(() => updateConnectionEnded(database.sql, end)).then(() => tell(clientId, connectionId)));
  }

  const operations = {
    /** True for an address with a sign-in in the last hour. */
    isKnown: (address: string): boolean => (known.get(address) ?? 0) > clock.nowMs() - signInRemembered,

    /** Whether the ticket still holds: asked again before a tree is opened. */
    async isTicketGood(ticket: Ticket, address: string): Promise<boolean> {
      // A look that is under way serves as well: it began when the connection was under watch, and what ends later is announced.
      const standing = await (firstLooks.get(ticket.connectionId) ?? look(liveOf(ticket, address)));
      return standing !== undefined && mayStay(standing, clock.nowMs());
    },

    /** Writes the transcript's beginning and watches the connection from now on. */
    connectionOpened(ticket: Ticket, opened: OpenedConnection): void {
      const one = liveOf(ticket, opened.address);
      live.set(ticket.connectionId, one);
      log.info('connection opened', {
        'activity-type': 'CONNECTED',
        'session-id': ticket.connectionId,
        'source-ip': opened.address,
        user: ticket.userName,
        client: opened.clientSoftware,
        kex: opened.algorithms?.kex,
        ciphers: opened.algorithms?.cipherIn,
        method: 'publickey',
        'key-fingerprint': ticket.fingerprint,
      });
      const looked = look(one).finally(() => firstLooks.delete(ticket.connectionId));
      // Whoever needs it awaits it; a transcript that fails first leaves it unheard.
      looked.catch(() => undefined);
      firstLooks.set(ticket.connectionId, looked);
      track(writeOpened(ticket, opened, looked));
    },
  };

  /** Ends connections from now on by calling `end`. Shape: close it to stop listening. */
  async function start(end: EndConnection): Promise<{ close(): Promise<void> }> {
    endConnection = end;
    const ears: { close(): Promise<void> }[] = [];
    for (const channel of channels) ears.push(await database.listen(channel, checkLater));
    ears.push(
      await database.listen('sftp_signed_in', (address) => {
        if (address !== '') remember(address, clock.nowMs());
      }),
    );
    const since = clock.nowMs() - signInRemembered;
    for (const { address, lastAtMs } of await listSignInAddressesSince(database.sql, since, addressesMax)) {
      remember(address, lastAtMs);
    }
    let isClosed = false;
    // Keys end by their date too, without anybody announcing it.
    let timer = clock.after(expiryCheckedEveryMs, again);
    function again(): void {
      if (isClosed) return;
      checkLater();
      timer = clock.after(expiryCheckedEveryMs, again);
    }
    return {
      async close() {
        isClosed = true;
        timer.close();
        for (const ear of ears) await ear.close();
        await Promise.all(writing);
      },
    };
  }

  return { check, noteEnded, start, operations };
}

const liveOf = (ticket: Ticket, address: string): Live => ({
  connectionId: ticket.connectionId,
  clientId: ticket.actor.clientId,
  sshKeyId: ticket.sshKeyId,
  address,
});
