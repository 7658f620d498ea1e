// Rows of sign-ins, script tokens and the counters of failed attempts.
import type { Desk } from '../kernel/actor.ts';
import type { Sql } from '../kernel/sql.ts';
import type { Counter } from './rules.ts';
import type { ClientState } from './store.ts';

export interface SignInRow {
  readonly signInId: string;
  readonly sort: 'password' | 'token';
  readonly name: string | null;
  readonly address: string | null;
  readonly createdAtMs: number;
  readonly usedAtMs: number;
  readonly expiresAtMs: number;
  readonly endedAtMs: number | null;
}

/** A sign-in with everything that decides whether it opens anything now. */
export interface FoundSignIn extends SignInRow {
  readonly loginId: string;
  readonly clientId: string | null;
  readonly operatorId: string | null;
  readonly ownerState: ClientState | 'ended';
  readonly desks: Desk[];
}

export async function insertSignIn(
  sql: Sql,
  row: {
    signInId: string;
    loginId: string;
    sort: 'password' | 'token';
    name?: string;
    tokenHash: string;
    address: string | undefined;
    source: string;
    nowMs: number;
    expiresAtMs: number;
  },
): Promise<void> {
  await sql`
    insert into sign_ins (id, login_id, sort, name, token_hash, address, source, created_at_ms, used_at_ms, expires_at_ms)
    values (${row.signInId}, ${row.loginId}, ${row.sort}, ${row.name ?? null}, ${row.tokenHash}, ${row.address ?? null},
      ${row.source}, ${row.nowMs}, ${row.nowMs}, ${row.expiresAtMs})`;
}

export async function findSignIn(sql: Sql, tokenHash: string): Promise<FoundSignIn | undefined> {
  const [row] = await sql<FoundSignIn>`
    select s.id as "signInId", s.sort, s.name, s.address, s.created_at_ms as "createdAtMs", s.used_at_ms as "usedAtMs",
      s.expires_at_ms as "expiresAtMs", s.ended_at_ms as "endedAtMs", s.login_id as "loginId",
      l.client_id as "clientId", l.operator_id as "operatorId",
      case when l.ended_at_ms is not null then 'ended' else coalesce(c.state, o.state) end as "ownerState",
      array(select desk from operator_desks d where d.operator_id = l.operator_id order by desk) as desks
    from sign_ins s join logins l on l.id = s.login_id
      left join clients c on c.id = l.client_id left join operators o on o.id = l.operator_id
    where s.token_hash = ${tokenHash}`;
  return row;
}

/** What decides whether sign-ins still open something. */
export const findSignIns = (
  sql: Sql,
  signInIds: readonly string[],
): Promise<
  Pick<FoundSignIn, 'signInId' | 'sort' | 'usedAtMs' | 'expiresAtMs' | 'endedAtMs' | 'ownerState' | 'desks'>[]
> =>
  sql`
    select s.id as "signInId", s.sort, s.used_at_ms as "usedAtMs", s.expires_at_ms as "expiresAtMs",
      s.ended_at_ms as "endedAtMs",
      case when l.ended_at_ms is not null then 'ended' else coalesce(c.state, o.state) end as "ownerState",
      array(select desk from operator_desks d where d.operator_id = l.operator_id order by desk) as desks
    from sign_ins s join logins l on l.id = s.login_id
      left join clients c on c.id = l.client_id left join operators o on o.id = l.operator_id
    where s.id = any(${signInIds}::text[])`;

export async function updateUsed(sql: Sql, signInId: string, nowMs: number): Promise<void> {
  await sql`update sign_ins set used_at_ms = ${nowMs} where id = ${signInId} and used_at_ms < ${nowMs}`;
}

/** Newest first; `after` is the last id of the page before. */
export const listSignIns = (
  sql: Sql,
  query: { loginId: string; after: string | undefined; limit: number },
): Promise<SignInRow[]> => sql<SignInRow>`
  select id as "signInId", sort, name, address, created_at_ms as "createdAtMs", used_at_ms as "usedAtMs",
    expires_at_ms as "expiresAtMs", ended_at_ms as "endedAtMs"
  from sign_ins where login_id = ${query.loginId} and (${query.after ?? null}::text is null or id < ${query.after ?? null})
  order by id desc limit ${query.limit}`;

export async function countTokens(sql: Sql, loginId: string, nowMs: number): Promise<number> {
  const [row] = await sql<{ count: number }>`
    select count(*)::int as count from sign_ins
    where login_id = ${loginId} and sort = 'token' and ended_at_ms is null and expires_at_ms > ${nowMs}`;
  return row!.count;
}

/** Ends one sign-in of a login, whether it was alive or not. Shape: whether it was there. */
export async function endSignIn(
  sql: Sql,
  which: { signInId: string; loginId: string },
  end: { reason: string; nowMs: number },
): Promise<boolean> {
  const rows = await sql`
    update sign_ins set ended_at_ms = coalesce(ended_at_ms, ${end.nowMs}), end_reason = coalesce(end_reason, ${end.reason})
    where id = ${which.signInId} and login_id = ${which.loginId} returning id`;
  return rows.length > 0;
}

/** Ends every sign-in of a login, a client or an operator, but for the one that is kept. */
export async function endSignIns(
  sql: Sql,
  owner: { loginId?: string; clientId?: string; operatorId?: string; keep?: string | undefined },
  end: { reason: string; nowMs: number },
): Promise<void> {
  await sql`
    update sign_ins set ended_at_ms = ${end.nowMs}, end_reason = ${end.reason}
    where ended_at_ms is null and id <> ${owner.keep ?? ''} and login_id in (
      select id from logins where id = ${owner.loginId ?? ''} or client_id = ${owner.clientId ?? ''}
        or operator_id = ${owner.operatorId ?? ''})`;
}

/** Whether this login signed in with a password from this source since then. */
export async function hasSignedInFrom(
  sql: Sql,
  query: { loginId: string; source: string; sinceMs: number },
): Promise<boolean> {
  const [row] = await sql<{ found: boolean }>`
    select exists (select 1 from sign_ins where login_id = ${query.loginId} and source = ${query.source}
      and sort = 'password' and created_at_ms > ${query.sinceMs}) as found`;
  return row!.found;
}

/** Addresses of a client's password sign-ins, the newest first. */
export async function listAddresses(
  sql: Sql,
  query: { clientId: string; sinceMs: number; limit: number },
): Promise<string[]> {
  const rows = await sql<{ address: string }>`
    select s.address, max(s.created_at_ms) as latest from sign_ins s join logins l on l.id = s.login_id
    where l.client_id = ${query.clientId} and s.sort = 'password' and s.address is not null
      and s.created_at_ms > ${query.sinceMs}
    group by s.address order by latest desc limit ${query.limit}`;
  return rows.map((row) => row.address);
}

/** Clients who signed in with a password from one of these addresses since then. */
export async function listClientsOfAddresses(
  sql: Sql,
  query: { addresses: readonly string[]; sinceMs: number; limit: number },
): Promise<{ clientId: string; address: string }[]> {
  return await sql<{ clientId: string; address: string }>`
    select distinct l.client_id as "clientId", s.address from sign_ins s join logins l on l.id = s.login_id
    where s.address = any(${query.addresses}::text[]) and s.sort = 'password' and s.created_at_ms > ${query.sinceMs}
      and l.client_id is not null limit ${query.limit}`;
}

/** Reads a counter and holds it until the transaction ends, so that guesses at once are counted one after the other. */
export async function lockCounter(sql: Sql, counter: string, nowMs: number): Promise<Counter> {
  await sql`
    insert into sign_in_counters (counter, failed_at_ms, locked_until_ms, changed_at_ms)
    values (${counter}, '{}', 0, ${nowMs}) on conflict do nothing`;
  const [row] = await sql<{ failedAtMs: number[]; lockedUntilMs: number }>`
    select to_json(failed_at_ms) as "failedAtMs", locked_until_ms as "lockedUntilMs"
    from sign_in_counters where counter = ${counter} for update`;
  return row!;
}

export async function updateCounter(sql: Sql, counter: string, value: Counter, nowMs: number): Promise<void> {
  await sql`
    update sign_in_counters set failed_at_ms = ${value.failedAtMs}, locked_until_ms = ${value.lockedUntilMs},
      changed_at_ms = ${nowMs} where counter = ${counter}`;
}

/** Opens every counter of a login. */
export async function deleteCounters(sql: Sql, prefix: string): Promise<void> {
  await sql`delete from sign_in_counters where starts_with(counter, ${prefix})`;
}

/** Removes counters that say nothing any more and sign-ins that ended long ago, `limit` of each. Shape: how many of both. */
export async function purge(
  sql: Sql,
  before: { countersMs: number; signInsMs: number },
  limit: number,
): Promise<number> {
  const counters = await sql`
    delete from sign_in_counters where counter in (
      select counter from sign_in_counters where changed_at_ms < ${before.countersMs}
      limit ${limit}) returning 1`;
  const signIns = await sql`
    delete from sign_ins where id in (select id from sign_ins where greatest(expires_at_ms, created_at_ms) < ${before.signInsMs}
      limit ${limit}) returning 1`;
  return counters.length + signIns.length;
}
