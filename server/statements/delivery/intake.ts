// The one intake of keys and addresses: whatever comes in, by whichever channel, is checked at once and becomes part of a request (SF-30).
import { type Actor, formatActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import { Refusal } from '../../kernel/refusal.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import { checkDeliveryKey, type DeliveryKey } from '../keys/intake.ts';
import { countSubmittedKeysSince, insertPrivateKeyRefusal } from '../keys/keys-store.ts';
import { readRevokedFingerprint } from '../keys/keys-revoked.ts';
import { type GivenKey, guessSort, type KeySubmission } from '../keys/keys-submission.ts';
import { type OpenPgpCertificate, readCertificate } from '../keys/openpgp-certificate.ts';
import { checkEntry } from './address-rules.ts';
import {
  countLiveEntries,
  countSubmittedEntriesSince,
  insertEntry,
  isListed,
  listWaitingEntries,
} from './address-store.ts';
import { addBusinessDays } from './business-day-rules.ts';
import type { DeliverySettings, IdentityDoor } from './delivery.ts';
import { loadItems, setUpFacts } from './items.ts';
import { checkClientOrDesk } from './permission-rules.ts';
import { approvalsNeeded, privateKeyWarning, type Purpose, refusals, requestKindOf } from './rules.ts';
import { isSetUp, settledSetUpState } from './state-rules.ts';
import {
  addSubmitter,
  countUnfinishedRequests,
  deleteApprovals,
  type DeliveryRequest,
  findConnection,
  findOpenSetUp,
  findRequest,
  insertRequest,
  type IntakeChannel,
  lockElection,
  updateRequestConfirmed,
} from './store.ts';
import type { Transitions } from './transitions.ts';

/** What was handed in, before any check. */
export interface Submission {
  /** Absent when the client itself hands it in. */
  readonly clientId?: string | undefined;
  readonly channel: IntakeChannel;
  /** The file as it came: an SSH public key or an OpenPGP certificate, in any accepted form. */
  readonly key?: Uint8Array | undefined;
  /** What the key does to the one in force; a replacement where nothing is said (SF-29). */
  readonly purpose?: Purpose | undefined;
  /** End of an added SSH key. */
  readonly expiresAtMs?: number | undefined;
  readonly addresses?: readonly string[] | undefined;
}

const dayMs = 86_400_000;

export function createIntake(parts: {
  database: Database;
  clock: Clock;
  ids: Ids;
  identity: Pick<IdentityDoor, 'getClientState'>;
  transitions: Transitions;
  keys: KeySubmission;
  settings: DeliverySettings;
  inspectCertificate?: ((bytes: Uint8Array, nowMs: number) => Promise<OpenPgpCertificate>) | undefined;
}) {
  const { database, clock, ids, settings, transitions, keys } = parts;

  /**
   * The key, or the refusal that its checks gave. Reading a certificate may cost a second of processor time, so nobody has
   * one read beyond the day's limit; private keys are looked for whatever the limit says.
   */
  async function check(bytes: Uint8Array, clientId: string, nowMs: number): Promise<DeliveryKey | Refusal> {
    const inspect = parts.inspectCertificate ?? readCertificate;
    const inspectCertificate = async (certificate: Uint8Array, atMs: number): Promise<OpenPgpCertificate> => {
      await checkPlace(database.sql, clientId, 1, atMs);
      return await inspect(certificate, atMs);
    };
    return await orRefusal(() => checkDeliveryKey(bytes, { nowMs, inspectCertificate }));
  }

  /** Refuses: client_not_active, submissions_too_many. What was refused counts too, so that trying is not free. */
  async function checkPlace(sql: Sql, clientId: string, count: number, atMs: number): Promise<void> {
    if ((await parts.identity.getClientState(sql, clientId)) !== 'active') throw refusals.client_not_active();
    const since = atMs - dayMs;
    const today =
      (await countSubmittedKeysSince(sql, clientId, since)) + (await countSubmittedEntriesSince(sql, clientId, since));
    if (today + count > settings.submissionsPerDayMax) {
      throw refusals.submissions_too_many({ max: settings.submissionsPerDayMax, retryAfterSeconds: 3600 });
    }
  }

  /** The request that a submission joins: a running set-up, or a new one of its kind. */
  async function requestFor(
    sql: Sql,
    actor: Actor,
    given: { clientId: string; channel: IntakeChannel; sort: 'ssh' | 'openpgp' | undefined; purpose: Purpose },
    atMs: number,
  ): Promise<DeliveryRequest> {
    const { clientId, channel, sort } = given;
    const connection = await findConnection(sql, clientId);
    if (sort !== 'openpgp' && (connection === undefined || connection.state === 'closed')) {
      throw refusals.sftp_not_elected();
    }
    const kind = requestKindOf({
      isSetUp: connection !== undefined && isSetUp(connection.state),
      sort,
      purpose: given.purpose,
      hasKeyInForce: sort === 'openpgp' && (await keys.hasCertificateInForce(sql, clientId)),
    });
    const running = kind === 'set_up' ? await findOpenSetUp(sql, clientId) : undefined;
    if (running !== undefined) return running;
    if ((await countUnfinishedRequests(sql, clientId)) >= settings.openRequestsMax) {
      throw refusals.requests_too_many({ max: settings.openRequestsMax });
    }
    const requestId = ids.next();
    await insertRequest(sql, {
      requestId,
      clientId,
      kind,
      channel,
      requester: requesterOf(actor, clientId),
      approvalsNeeded: approvalsNeeded[settings.approval],
      openedAtMs: atMs,
      dueAtMs: addBusinessDays(atMs, settings.serviceDays, settings),
    });
    return (await findRequest(sql, requestId))!;
  }

  /** Takes the set-up where its items say it is, through `checking`, since every submission is checked. */
  async function settleSetUp(sql: Sql, actor: Actor, request: DeliveryRequest, atMs: number): Promise<void> {
    if (request.kind !== 'set_up') return;
    const { clientId } = request;
    const facts = setUpFacts(await loadItems(sql, request.requestId));
    await transitions.connectionTo(sql, actor, (await findConnection(sql, clientId))!, 'checking', { atMs });
    await transitions.connectionTo(sql, actor, { clientId, state: 'checking' }, settledSetUpState(facts), { atMs });
  }

  /** Refuses: addresses_too_many, address_listed. */
  async function insertAddresses(sql: Sql, request: DeliveryRequest, networks: string[], atMs: number): Promise<void> {
    const { clientId, requestId } = request;
    if ((await countLiveEntries(sql, clientId)) + networks.length > settings.addressesMax) {
      throw refusals.addresses_too_many({ max: settings.addressesMax });
    }
    for (const network of networks) {
      if (await isListed(sql, clientId, network)) throw refusals.address_listed({ address: network });
      await insertEntry(sql, { entryId: ids.next(), clientId, requestId, network, atMs });
    }
  }

  /** The unfinished request that holds all of this already: whatever is handed in twice is answered the same twice. */
  async function findSame(
    sql: Sql,
    clientId: string,
    key: DeliveryKey | undefined,
    networks: readonly string[],
    keyTerms: GivenKey,
  ): Promise<DeliveryRequest | undefined> {
    const waiting = await listWaitingEntries(sql, clientId);
    const entries = networks.map((network) => waiting.find((entry) => entry.network === network));
    const ids = new Set(entries.map((entry) => entry?.requestId ?? undefined));
    if (key !== undefined) ids.add(await keys.findWaiting(sql, clientId, key, keyTerms));
    const [requestId] = ids;
    return ids.size === 1 && requestId !== undefined ? await findRequest(sql, requestId) : undefined;
  }

  /**
   * Inside the caller's transaction, with the election locked: addresses and a judged key become items of a request.
   * Refuses: nothing_submitted, sftp_not_elected, unfit addresses, too many of anything.
   */
  async function take(
    sql: Sql,
    actor: Actor,
    clientId: string,
    given: Pick<Submission, 'channel' | 'addresses'> & { key: DeliveryKey | undefined; keyTerms: GivenKey },
  ): Promise<DeliveryRequest> {
    const { key, keyTerms } = given;
    const { atMs, purpose } = keyTerms;
    const networks = [...new Set((given.addresses ?? []).map((text) => checkEntry(text, settings.addresses)))];
    if (key === undefined && networks.length === 0) throw refusals.nothing_submitted();
    const same = await findSame(sql, clientId, key, networks, keyTerms);
    if (same !== undefined) return same;
    await checkPlace(sql, clientId, networks.length + (key === undefined ? 0 : 1), atMs);
    const request = await requestFor(sql, actor, { clientId, channel: given.channel, sort: key?.sort, purpose }, atMs);
    await addSubmitter(sql, request.requestId, requesterOf(actor, clientId));
    // What was confirmed or approved before does not cover what joins the request now.
    await deleteApprovals(sql, request.requestId);
    await updateRequestConfirmed(sql, request.requestId, { atMs: null, dueAtMs: request.dueAtMs });
    if (key !== undefined) await keys.insert(sql, actor, request, key, keyTerms);
    await insertAddresses(sql, request, networks, atMs);
    await settleSetUp(sql, actor, request, atMs);
    return (await findRequest(sql, request.requestId))!;
  }

  /** A refused key ends its own request at once; a running set-up waits for a better one, and says why. */
  async function takeRefused(
    sql: Sql,
    actor: Actor,
    clientId: string,
    given: { channel: IntakeChannel; sort: 'ssh' | 'openpgp'; refusal: Refusal; keyTerms: GivenKey },
  ): Promise<void> {
    const { sort, refusal, keyTerms } = given;
    const { atMs, purpose } = keyTerms;
    await checkPlace(sql, clientId, 1, atMs);
    const connection = await findConnection(sql, clientId);
    if (sort === 'ssh' && (connection === undefined || connection.state === 'closed')) return;
    const request = await requestFor(sql, actor, { clientId, channel: given.channel, sort, purpose }, atMs);
    await keys.insertRefused(sql, actor, request, { sort, refusal }, keyTerms);
    const change = { atMs, reason: refusal.code };
    if (request.kind !== 'set_up') {
      await transitions.finishRequest(sql, actor, request, 'refused', change);
    } else if (connection?.state === 'waiting_for_keys' || connection?.state === 'refused') {
      await transitions.connectionTo(sql, actor, connection, 'checking', { atMs });
      await transitions.connection(sql, actor, clientId, { from: 'checking', to: 'refused' }, change);
    }
  }

  /** A key with or without addresses: judged first, and recorded also when it is refused. */
  async function submitKey(
    actor: Actor,
    clientId: string,
    submission: Submission & { key: Uint8Array },
    keyTerms: GivenKey,
  ): Promise<DeliveryRequest> {
    const { channel } = submission;
    const key = await check(submission.key, clientId, keyTerms.atMs);
    if (key instanceof Refusal && key.code === 'key_private') {
      // D-13: what is kept is when, how and which sort; nothing of the key.
      const found = { clientId, channel, kind: String(key.params['form']), atMs: keyTerms.atMs };
      await database.transaction((sql) => insertPrivateKeyRefusal(sql, found));
      throw withWarning(key);
    }
    const isRevoked = key instanceof Refusal && key.code === 'key_revoked';
    const revoked = isRevoked ? await readRevokedFingerprint(submission.key) : undefined;
    const taken = await database.transaction(async (sql) => {
      await lockElection(sql, clientId, keyTerms.atMs);
      const refusal = key instanceof Refusal ? key : await orRefusal(() => keys.judge(sql, clientId, key, keyTerms));
      if (!(refusal instanceof Refusal) && !(key instanceof Refusal)) {
        return await take(sql, actor, clientId, { channel, addresses: submission.addresses, key, keyTerms });
      }
      const sort = key instanceof Refusal ? guessSort(submission.key) : key.sort;
      await takeRefused(sql, actor, clientId, { channel, sort, refusal: refusal as Refusal, keyTerms });
      if (revoked !== undefined) await keys.revokeOnFile(sql, actor, clientId, revoked, keyTerms.atMs);
      return refusal as Refusal;
    });
    if (taken instanceof Refusal) throw withWarning(taken);
    return taken;
  }

  return {
    take,

    /**
     * Takes in a public key, addresses, or both, and answers with the verdict at once.
     * Refuses: delivery_forbidden, private and unfit keys (keys/rules.ts), unfit addresses, too many of anything.
     */
    async submit(actor: Actor, submission: Submission): Promise<DeliveryRequest> {
      const clientId = checkClientOrDesk(actor, submission.clientId);
      // A client that does not exist would otherwise only show as a broken reference.
      if ((await parts.identity.getClientState(database.sql, clientId)) === undefined)
        throw refusals.delivery_not_found();
      const { key, channel, addresses, expiresAtMs } = submission;
      const keyTerms = { purpose: submission.purpose ?? 'replace', expiresAtMs, atMs: clock.nowMs() };
      if (key !== undefined) return await submitKey(actor, clientId, { ...submission, key }, keyTerms);
      return await database.transaction(async (sql) => {
        await lockElection(sql, clientId, keyTerms.atMs);
        return await take(sql, actor, clientId, { channel, addresses, key: undefined, keyTerms });
      });
    },
  };
}

async function orRefusal<Result>(work: () => Promise<Result>): Promise<Result | Refusal> {
  try {
    return await work();
  } catch (fault) {
    if (fault instanceof Refusal) return fault;
    throw fault;
  }
}

/** EN-19: the warning goes with every verdict on a key, the refusals included. */
const withWarning = (refusal: Refusal): Refusal =>
  new Refusal(refusal.kind, refusal.code, refusal.message, { ...refusal.params, warning: privateKeyWarning });

/** Who asked, for the four-eyes rule: the console acts for the client that it names. */
const requesterOf = (actor: Actor, clientId: string): string =>
  actor.kind === 'system' ? `client:${clientId}` : formatActor(actor);
