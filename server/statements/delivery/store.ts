// Rows of elections, connections, requests and approvals.
import type { Sql } from '../../kernel/sql.ts';
import type { RequestKind } from './rules.ts';
import type { DeclineCode } from './rules.ts';
import type { ConnectionState, Move, RequestState } from './state-rules.ts';

/** A client's choice; made with its first contact with delivery. */
export interface Election {
  readonly clientId: string;
  readonly sftp: boolean;
  readonly portal: boolean;
  readonly contact: string | null;
  readonly encryption: 'off' | 'on';
  readonly electedAtMs: number;
  readonly changedAtMs: number;
}

/** The way in to a client's repository. NOTE: the password's hash is never read into this value. */
export interface Connection {
  readonly clientId: string;
  readonly state: ConnectionState;
  readonly reason: string | null;
  readonly userName: string | null;
  readonly loginIssuedAtMs: number | null;
  readonly electedAtMs: number;
  readonly configuredAtMs: number | null;
  readonly provenAtMs: number | null;
  readonly changedAtMs: number;
}

/** A request without its items. `requester` and `approvalsNeeded` are fixed when it opens. */
export interface DeliveryRequest {
  readonly requestId: string;
  readonly clientId: string;
  readonly kind: RequestKind;
  readonly channel: IntakeChannel;
  readonly state: RequestState;
  readonly requester: string;
  /** Everybody who handed in something of it, the requester first. */
  readonly submitters: readonly string[];
  readonly approvalsNeeded: number;
  readonly openedAtMs: number;
  readonly confirmedAtMs: number | null;
  readonly dueAtMs: number;
  readonly takenAtMs: number | null;
  readonly takenBy: string | null;
  readonly approvedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly reason: string | null;
  readonly reasonCode: DeclineCode | null;
}

export type IntakeChannel = 'portal' | 'desk' | 'mail';

/** Creates the client's row where it has none and locks it: one change of a client's delivery at a time. */
export async function lockElection(sql: Sql, clientId: string, atMs: number): Promise<Election> {
  await sql`
    insert into delivery_elections (client_id, elected_at_ms, changed_at_ms) values (${clientId}, ${atMs}, ${atMs})
    on conflict (client_id) do nothing`;
  const [row] = await sql<Election>`
    select client_id as "clientId", sftp, portal, contact, encryption, elected_at_ms as "electedAtMs",
      changed_at_ms as "changedAtMs"
    from delivery_elections where client_id = ${clientId} for update`;
  return row!;
}

export async function findElection(sql: Sql, clientId: string): Promise<Election | undefined> {
  const [row] = await sql<Election>`
    select client_id as "clientId", sftp, portal, contact, encryption, elected_at_ms as "electedAtMs",
      changed_at_ms as "changedAtMs"
    from delivery_elections where client_id = ${clientId}`;
  return row;
}

/** Keeps what these clients chose as it is until the transaction ends; many may hold it together. */
export async function holdElections(sql: Sql, clientIds: readonly string[]): Promise<void> {
  await sql`
    select 1 from delivery_elections where client_id = any(${clientIds}::text[]) order by client_id for share`;
}

export async function updateElection(
  sql: Sql,
  election: { clientId: string; sftp: boolean; portal: boolean; contact: string | null; atMs: number },
): Promise<void> {
  await sql`
    update delivery_elections set sftp = ${election.sftp}, portal = ${election.portal}, contact = ${election.contact},
      changed_at_ms = ${election.atMs}
    where client_id = ${election.clientId}`;
}

export async function updateEncryption(sql: Sql, clientId: string, encryption: 'off' | 'on', atMs: number) {
  await sql`
    update delivery_elections set encryption = ${encryption}, changed_at_ms = ${atMs} where client_id = ${clientId}`;
}

export async function insertConnection(sql: Sql, clientId: string, atMs: number): Promise<void> {
  await sql`
    insert into delivery_connections (client_id, state, elected_at_ms, changed_at_ms)
    values (${clientId}, 'elected', ${atMs}, ${atMs})`;
}

export async function findConnection(sql: Sql, clientId: string): Promise<Connection | undefined> {
  const [row] = await sql<Connection>`
    select client_id as "clientId", state, reason, user_name as "userName", login_issued_at_ms as "loginIssuedAtMs",
      elected_at_ms as "electedAtMs", configured_at_ms as "configuredAtMs", proven_at_ms as "provenAtMs",
      changed_at_ms as "changedAtMs"
    from delivery_connections where client_id = ${clientId}`;
  return row;
}

/** False when the connection is no longer in `move.from`. */
export async function moveConnection(
  sql: Sql,
  clientId: string,
  move: Move<'connection'>,
  change: { atMs: number; reason?: string },
): Promise<boolean> {
  const rows = await sql`
    update delivery_connections set state = ${move.to}, reason = ${change.reason ?? null}, changed_at_ms = ${change.atMs},
      configured_at_ms = case when ${move.to}::text = 'configured' then ${change.atMs}::bigint else configured_at_ms end,
      proven_at_ms = case when ${move.to}::text = 'proven' then ${change.atMs}::bigint else proven_at_ms end,
      elected_at_ms = case when ${move.to}::text = 'elected' then ${change.atMs}::bigint else elected_at_ms end
    where client_id = ${clientId} and state = ${move.from} returning client_id`;
  return rows.length > 0;
}

/** User name and password go in together (D-16); a user name that stands stays. */
export async function updateLogIn(
  sql: Sql,
  logIn: { clientId: string; userName: string; passwordHash: string; atMs: number },
): Promise<void> {
  await sql`
    update delivery_connections set user_name = ${logIn.userName}, password_hash = ${logIn.passwordHash},
      login_issued_at_ms = ${logIn.atMs}, changed_at_ms = ${logIn.atMs}
    where client_id = ${logIn.clientId}`;
}

export async function insertRequest(
  sql: Sql,
  request: Pick<
    DeliveryRequest,
    'requestId' | 'clientId' | 'kind' | 'channel' | 'requester' | 'approvalsNeeded' | 'openedAtMs' | 'dueAtMs'
  >,
): Promise<void> {
  await sql`
    insert into delivery_requests (id, client_id, kind, channel, state, requester, submitters, approvals_needed,
      opened_at_ms, due_at_ms)
    values (${request.requestId}, ${request.clientId}, ${request.kind}, ${request.channel}, 'open', ${request.requester},
      array[${request.requester}::text], ${request.approvalsNeeded}, ${request.openedAtMs}, ${request.dueAtMs})`;
}

/** Whoever adds to a request is one of those who may not approve it. */
export async function addSubmitter(sql: Sql, requestId: string, submitter: string): Promise<void> {
  await sql`
    update delivery_requests set submitters = submitters || ${submitter}::text
    where id = ${requestId} and ${submitter}::text <> all (submitters)`;
}

export async function findRequest(sql: Sql, requestId: string): Promise<DeliveryRequest | undefined> {
  const [row] = await sql<DeliveryRequest>`
    select id as "requestId", client_id as "clientId", kind, channel, state, requester, submitters,
      approvals_needed as "approvalsNeeded", opened_at_ms as "openedAtMs", confirmed_at_ms as "confirmedAtMs",
      due_at_ms as "dueAtMs", taken_at_ms as "takenAtMs", taken_by as "takenBy", approved_at_ms as "approvedAtMs",
      finished_at_ms as "finishedAtMs", reason, reason_code as "reasonCode"
    from delivery_requests where id = ${requestId}`;
  return row;
}

/** The set-up that is still running; the database holds at most one for a client. */
export async function findOpenSetUp(sql: Sql, clientId: string): Promise<DeliveryRequest | undefined> {
  const [row] = await sql<{ id: string }>`
    select id from delivery_requests where client_id = ${clientId} and kind = 'set_up' and state in ('open', 'in_work')`;
  return row === undefined ? undefined : await findRequest(sql, row.id);
}

export interface RequestFilter {
  readonly clientId?: string | undefined;
  readonly states?: readonly RequestState[] | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Newest first for a client's list and the desk's archive alike. */
export async function listRequests(sql: Sql, filter: RequestFilter): Promise<DeliveryRequest[]> {
  return await sql<DeliveryRequest>`
    select id as "requestId", client_id as "clientId", kind, channel, state, requester, submitters,
      approvals_needed as "approvalsNeeded", opened_at_ms as "openedAtMs", confirmed_at_ms as "confirmedAtMs",
      due_at_ms as "dueAtMs", taken_at_ms as "takenAtMs", taken_by as "takenBy", approved_at_ms as "approvedAtMs",
      finished_at_ms as "finishedAtMs", reason, reason_code as "reasonCode"
    from delivery_requests
    where (${filter.clientId ?? null}::text is null or client_id = ${filter.clientId ?? null})
      and (${filter.states ?? null}::text[] is null or state = any(${filter.states ?? null}::text[]))
      and (${filter.after ?? null}::text is null or id < ${filter.after ?? null})
    order by id desc limit ${filter.limit}`;
}

/** What is not finished, the soonest due first. Shape: `after` is the due time and the id of the last one shown. */
export async function listQueue(
  sql: Sql,
  filter: {
    isConfirmed: boolean | undefined;
    after: { dueAtMs: number; requestId: string } | undefined;
    limit: number;
  },
): Promise<DeliveryRequest[]> {
  const { isConfirmed = null, after = { dueAtMs: 0, requestId: '' } } = filter;
  return await sql<DeliveryRequest>`
    select id as "requestId", client_id as "clientId", kind, channel, state, requester, submitters,
      approvals_needed as "approvalsNeeded", opened_at_ms as "openedAtMs", confirmed_at_ms as "confirmedAtMs",
      due_at_ms as "dueAtMs", taken_at_ms as "takenAtMs", taken_by as "takenBy", approved_at_ms as "approvedAtMs",
      finished_at_ms as "finishedAtMs", reason, reason_code as "reasonCode"
    from delivery_requests
    where state in ('open', 'in_work') and (due_at_ms, id) > (${after.dueAtMs}, ${after.requestId})
      and (${isConfirmed}::boolean is null or (confirmed_at_ms is not null) = ${isConfirmed})
    order by due_at_ms, id limit ${filter.limit}`;
}

/** What counts against the limit of waiting requests. */
export async function countUnfinishedRequests(sql: Sql, clientId: string): Promise<number> {
  const [row] = await sql<{ count: number }>`
    select count(*) from delivery_requests where client_id = ${clientId} and state in ('open', 'in_work')`;
  return row!.count;
}

/** False when the request is no longer in `move.from`. */
export async function moveRequest(
  sql: Sql,
  requestId: string,
  move: Move<'request'>,
  change: { atMs: number; by?: string; reason?: string; reasonCode?: string },
): Promise<boolean> {
  const rows = await sql`
    update delivery_requests set state = ${move.to}, reason = coalesce(${change.reason ?? null}, reason),
      reason_code = coalesce(${change.reasonCode ?? null}, reason_code),
      taken_at_ms = case when ${move.to}::text = 'in_work' then ${change.atMs}::bigint else taken_at_ms end,
      taken_by = case when ${move.to}::text = 'in_work' then ${change.by ?? null} else taken_by end,
      finished_at_ms = case when ${move.to}::text = 'in_work' then finished_at_ms else ${change.atMs}::bigint end
    where id = ${requestId} and state = ${move.from} returning id`;
  return rows.length > 0;
}

/** The desk's clock starts here: before the client confirms, the desk may not act. */
export async function updateRequestConfirmed(
  sql: Sql,
  requestId: string,
  confirmed: { atMs: number | null; dueAtMs: number },
): Promise<void> {
  await sql`
    update delivery_requests set confirmed_at_ms = ${confirmed.atMs}, due_at_ms = ${confirmed.dueAtMs}
    where id = ${requestId}`;
}

/** The database refuses it while the confirmation or an approval is missing. */
export async function updateRequestApproved(sql: Sql, requestId: string, atMs: number): Promise<void> {
  await sql`update delivery_requests set approved_at_ms = ${atMs} where id = ${requestId} and approved_at_ms is null`;
}

/** The database refuses the requester, anyone but an operator, and the same operator twice. */
export async function insertApproval(
  sql: Sql,
  approval: { requestId: string; requester: string; approver: string; atMs: number },
): Promise<void> {
  await sql`
    insert into request_approvals (request_id, requester, approver, approved_at_ms)
    values (${approval.requestId}, ${approval.requester}, ${approval.approver}, ${approval.atMs})`;
}

export interface RequestApproval {
  readonly approver: string;
  readonly approvedAtMs: number;
}

export async function listApprovals(sql: Sql, requestId: string): Promise<RequestApproval[]> {
  return await sql<RequestApproval>`
    select approver, approved_at_ms as "approvedAtMs" from request_approvals
    where request_id = ${requestId} order by approved_at_ms`;
}

/** A changed set-up must be approved again: approvals given for what it held before count no longer. */
export async function deleteApprovals(sql: Sql, requestId: string): Promise<void> {
  await sql`delete from request_approvals where request_id = ${requestId}`;
  await sql`update delivery_requests set approved_at_ms = null where id = ${requestId}`;
}

/** Locks the client's row, so that a request of a client and the desk's act on it follow each other. */
export async function lockRequest(sql: Sql, requestId: string): Promise<DeliveryRequest | undefined> {
  const request = await findRequest(sql, requestId);
  if (request === undefined) return undefined;
  await sql`select 1 from delivery_elections where client_id = ${request.clientId} for update`;
  return await findRequest(sql, requestId);
}
