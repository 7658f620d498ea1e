// The delivery desk's work on requests: the client confirms, people of the desk approve or decline, and what was asked comes into force.
import { type Actor, formatActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { brokenConstraint, type Database, type Sql } from '../../kernel/sql.ts';
import type { Messages } from '../../messages/messages.ts';
import { addBusinessDays, businessTimeBetween } from './business-day-rules.ts';
import type { DeliverySettings, IdentityDoor } from './delivery.ts';
import {
  approvalBySetting,
  awaitingConfirmation,
  hasLiveItems,
  type Items,
  loadItems,
  type RequestItems,
  setUpFacts,
} from './items.ts';
import { checkDesk, checkOwn, checkPerson } from './permission-rules.ts';
import { type DeclineCode, declineReason, isSameSet, refusals } from './rules.ts';
import { type RequestState, settledSetUpState } from './state-rules.ts';
import {
  type DeliveryRequest,
  findConnection,
  findRequest,
  insertApproval,
  listApprovals,
  listQueue,
  listRequests,
  lockRequest,
  type RequestApproval,
  updateRequestApproved,
  updateRequestConfirmed,
} from './store.ts';
import type { SetUp } from './set-up.ts';
import type { Transitions } from './transitions.ts';

/** A request as it is shown. Units: `businessTimeMs` is what the desk's clock has run so far, weekends and holidays left out. */
export interface RequestView extends DeliveryRequest {
  readonly items: RequestItems;
  /** What waits for the client's confirmation: fingerprints and addresses, word for word. */
  readonly awaiting: readonly string[];
  readonly approvals: readonly RequestApproval[];
  readonly businessTimeMs: number;
  readonly isLate: boolean;
}

export function createRequestDesk(parts: {
  database: Database;
  clock: Clock;
  identity: Pick<IdentityDoor, 'confirm' | 'passwordResetters'>;
  messages: Pick<Messages, 'notify'>;
  transitions: Transitions;
  items: Items;
  setUp: SetUp;
  settings: DeliverySettings;
}) {
  const { database, clock, messages, transitions, items, settings } = parts;

  async function view(sql: Sql, request: DeliveryRequest): Promise<RequestView> {
    const loaded = await loadItems(sql, request.requestId);
    const endMs = request.finishedAtMs ?? clock.nowMs();
    return {
      ...request,
      items: loaded,
      awaiting: request.finishedAtMs === null ? awaitingConfirmation(loaded) : [],
      approvals: await listApprovals(sql, request.requestId),
      businessTimeMs: businessTimeBetween(request.confirmedAtMs ?? request.openedAtMs, endMs, settings),
      isLate: endMs > request.dueAtMs,
    };
  }

  const getView = async (sql: Sql, requestId: string): Promise<RequestView> =>
    await view(sql, (await findRequest(sql, requestId))!);

  /** An act of the desk on an open request begins the work on it. */
  async function takeIfOpen(sql: Sql, actor: Actor, request: DeliveryRequest, atMs: number): Promise<void> {
    if (request.state !== 'open') return;
    const item = { id: request.requestId, clientId: request.clientId };
    await transitions.request(sql, actor, item, { from: 'open', to: 'in_work' }, { atMs });
  }

  /** With every approval there: items become approved, and come into force unless a first set-up waits to be marked configured. */
  async function finishApproved(sql: Sql, actor: Actor, request: DeliveryRequest, atMs: number): Promise<void> {
    await updateRequestApproved(sql, request.requestId, atMs);
    await items.approve(sql, actor, await loadItems(sql, request.requestId), atMs);
    if (request.kind === 'set_up') return;
    await items.activate(sql, actor, request, atMs);
    const current = (await findRequest(sql, request.requestId))!;
    await transitions.finishRequest(sql, actor, current, 'done', { atMs });
    await messages.notify(sql, {
      clientId: request.clientId,
      kind: 'delivery_request_done',
      params: { requestId: request.requestId, requestKind: request.kind },
      text: 'Your delivery request is done: what you handed in is in force now.',
      atMs,
    });
  }

  /** The confirmation itself, with the request locked and what waits compared once more. */
  async function confirmInside(sql: Sql, actor: Actor, requestId: string, shown: readonly string[]): Promise<void> {
    const atMs = clock.nowMs();
    const request = checkOwn(actor, await lockRequest(sql, requestId));
    const loaded = checkShown(request, await loadItems(sql, requestId), shown);
    await items.confirm(sql, actor, loaded, atMs);
    const dueAtMs = addBusinessDays(atMs, settings.serviceDays, settings);
    await updateRequestConfirmed(sql, requestId, { atMs, dueAtMs });
    const facts = setUpFacts(await loadItems(sql, requestId));
    const isReady = request.kind !== 'set_up' || settledSetUpState(facts) === 'waiting_for_approval';
    if (request.kind === 'set_up') {
      const connection = (await findConnection(sql, request.clientId))!;
      await transitions.connectionTo(sql, actor, connection, settledSetUpState(facts), { atMs });
    }
    if (!isReady) return;
    if (request.approvalsNeeded > 0) {
      await messages.notify(sql, {
        desk: 'delivery',
        kind: 'delivery_request_ready',
        params: { requestId, clientId: request.clientId, requestKind: request.kind },
        text: 'A request is confirmed by its client and waits for the delivery desk.',
        atMs,
      });
      return;
    }
    await takeIfOpen(sql, approvalBySetting, request, atMs);
    await finishApproved(sql, approvalBySetting, request, atMs);
    // D-23 `none`: nobody of the desk acts, so the log-in is issued and the connection configured by the setting.
    if (request.kind === 'set_up') await parts.setUp.configure(sql, approvalBySetting, request.clientId, atMs);
  }

  const operations = {
    /** Refuses: delivery_not_found, also for a request of another client. */
    async getRequest(actor: Actor, requestId: string): Promise<RequestView> {
      return await view(database.sql, checkOwn(actor, await findRequest(database.sql, requestId)));
    },

    /** Newest first; a client sees its own. */
    async listRequests(
      actor: Actor,
      filter: { clientId?: string | undefined; states?: readonly RequestState[] | undefined },
      page: { after: string | undefined; limit: number },
    ): Promise<{ items: RequestView[]; next: string | undefined }> {
      if (actor.kind !== 'client') checkDesk(actor);
      const clientId = actor.kind === 'client' ? actor.clientId : filter.clientId;
      const rows = await listRequests(database.sql, { ...filter, clientId, after: page.after, limit: page.limit + 1 });
      const shown = rows.slice(0, page.limit);
      const views: RequestView[] = [];
      for (const row of shown) views.push(await view(database.sql, row));
      return { items: views, next: rows.length > page.limit ? shown.at(-1)?.requestId : undefined };
    },

    /** The desk's queue: what is not finished, the soonest due first. */
    async listQueue(
      actor: Actor,
      filter: { waitsFor?: 'desk' | 'client' | undefined },
      page: { after: string | undefined; limit: number },
    ): Promise<{ items: RequestView[]; next: string | undefined }> {
      checkDesk(actor);
      const { waitsFor } = filter;
      const isConfirmed = waitsFor === undefined ? undefined : waitsFor === 'desk';
      const [dueAtMs = '0', requestId = ''] = (page.after ?? '').split(':');
      const after = page.after === undefined ? undefined : { dueAtMs: Number(dueAtMs), requestId };
      const rows = await listQueue(database.sql, { isConfirmed, after, limit: page.limit + 1 });
      const shown = rows.slice(0, page.limit);
      const views: RequestView[] = [];
      for (const row of shown) views.push(await view(database.sql, row));
      const last = shown.at(-1);
      return { items: views, next: rows.length > page.limit && last ? `${last.dueAtMs}:${last.requestId}` : undefined };
    },

    /**
     * The client confirms, with its password asked afresh, exactly the fingerprints and addresses it was shown (D-23).
     * Refuses: confirmation_mismatch when anything else waits, nothing_to_confirm, wrong passwords.
     */
    async confirm(actor: Actor, requestId: string, given: { shown: readonly string[]; password: string }) {
      const person = checkPerson(actor);
      const request = checkOwn(person, await findRequest(database.sql, requestId));
      checkShown(request, await loadItems(database.sql, requestId), given.shown);
      await parts.identity.confirm(person, { password: given.password, shown: [...given.shown].sort().join(' ') });
      return await database.transaction(async (sql) => {
        await confirmInside(sql, person, requestId, given.shown);
        return await getView(sql, requestId);
      });
    },

    /** The desk starts working on a request; the client sees it. */
    async takeRequest(actor: Actor, requestId: string): Promise<RequestView> {
      return await database.transaction(async (sql) => {
        const request = await lockForDesk(sql, actor, requestId);
        await takeIfOpen(sql, actor, request, clock.nowMs());
        return await getView(sql, requestId);
      });
    },

    /**
     * One person of the desk approves. Refuses: request_not_confirmed, request_incomplete, approver_is_requester,
     * approver_reset_password, approved_already, approver_not_operator, key_registered_elsewhere.
     */
    async approve(actor: Actor, requestId: string): Promise<RequestView> {
      checkDesk(actor);
      if (actor.kind !== 'operator') throw refusals.approver_not_operator();
      return await database.transaction(async (sql) => {
        const atMs = clock.nowMs();
        const request = await lockForDesk(sql, actor, requestId);
        const loaded = await loadItems(sql, requestId);
        checkApprovable(request, loaded);
        await takeIfOpen(sql, actor, request, atMs);
        const approver = formatActor(actor);
        if (request.submitters.includes(approver)) throw refusals.approver_is_requester();
        // Whoever held the link to a new password could have confirmed in the client's name.
        const resetters = await parts.identity.passwordResetters(sql, request.clientId);
        if (resetters.includes(approver)) throw refusals.approver_reset_password();
        try {
          await insertApproval(sql, { requestId, requester: request.requester, approver, atMs });
        } catch (fault) {
          if (brokenConstraint(fault) === 'request_approvals_pkey') throw refusals.approved_already();
          throw fault;
        }
        const approvals = await listApprovals(sql, requestId);
        if (approvals.length >= request.approvalsNeeded && request.approvedAtMs === null) {
          await finishApproved(sql, actor, request, atMs);
        }
        return await getView(sql, requestId);
      });
    },

    /**
     * Refuses what was handed in, with a reason that the client reads: the desk's own words, a code that is told in every
     * language, or both. Refuses: delivery_reason_missing, request_finished.
     */
    async decline(actor: Actor, requestId: string, reason: string, code?: DeclineCode): Promise<RequestView> {
      const said = declineReason(reason, code);
      return await database.transaction(async (sql) => {
        const atMs = clock.nowMs();
        const request = await lockForDesk(sql, actor, requestId);
        const coded: { reasonCode?: DeclineCode } = code === undefined ? {} : { reasonCode: code };
        const change = { atMs, reason: said, ...coded };
        await items.refuse(sql, actor, await loadItems(sql, requestId), change);
        await transitions.finishRequest(sql, actor, request, 'refused', change);
        const connection = await findConnection(sql, request.clientId);
        if (request.kind === 'set_up' && connection !== undefined && connection.state !== 'refused') {
          await transitions.connectionTo(sql, actor, connection, 'refused', change);
        }
        await messages.notify(sql, {
          clientId: request.clientId,
          kind: 'delivery_request_refused',
          params: { requestId, requestKind: request.kind, reason: said, ...(coded as JsonObject) },
          text: `The delivery desk declined your request: ${said}`,
          atMs,
        });
        return await getView(sql, requestId);
      });
    },
  };
  return { view, operations };
}

/** The request, locked, for the desk. Refuses: delivery_forbidden, delivery_not_found, request_finished. */
async function lockForDesk(sql: Sql, actor: Actor, requestId: string): Promise<DeliveryRequest> {
  checkDesk(actor);
  const request = await lockRequest(sql, requestId);
  if (request === undefined) throw refusals.delivery_not_found();
  if (request.finishedAtMs !== null) throw refusals.request_finished();
  return request;
}

function checkShown(request: DeliveryRequest, loaded: RequestItems, shown: readonly string[]): RequestItems {
  if (request.finishedAtMs !== null) throw refusals.request_finished();
  const waiting = awaitingConfirmation(loaded);
  if (waiting.length === 0) throw refusals.nothing_to_confirm();
  if (!isSameSet(shown, waiting)) throw refusals.confirmation_mismatch();
  return loaded;
}

function checkApprovable(request: DeliveryRequest, loaded: RequestItems): void {
  if (request.confirmedAtMs === null || awaitingConfirmation(loaded).length > 0) throw refusals.request_not_confirmed();
  if (!hasLiveItems(loaded)) throw refusals.request_not_confirmed();
  const facts = setUpFacts(loaded);
  const isComplete = facts.confirmedSshKeys > 0 && facts.confirmedAddresses > 0;
  if (request.kind === 'set_up' && !isComplete) throw refusals.request_incomplete();
}
