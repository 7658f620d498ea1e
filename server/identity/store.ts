// Rows of clients, accounts, logins, operators and invitations.
import type { Desk } from '../kernel/actor.ts';
import type { Sql } from '../kernel/sql.ts';

export type ClientState = 'active' | 'suspended' | 'closed';

export interface ClientRow {
  readonly clientId: string;
  readonly kind: 'person' | 'institution';
  readonly name: string;
  readonly email: string | null;
  readonly locale: string;
  readonly state: ClientState;
  readonly stateReason: string | null;
  readonly createdAtMs: number;
  readonly accountNumbers: string[];
  readonly logins: { id: string; login: string; isSetUp: boolean }[];
}

export interface OperatorRow {
  readonly operatorId: string;
  readonly name: string;
  readonly state: 'active' | 'ended';
  readonly createdAtMs: number;
  readonly login: string;
  readonly loginId: string;
  readonly isSetUp: boolean;
  readonly desks: Desk[];
}

/** A login with whom it belongs to; `state` is that of its owner, `ended` when the login itself was ended. */
export interface LoginRow {
  readonly loginId: string;
  readonly login: string;
  readonly passwordHash: string | null;
  readonly clientId: string | null;
  readonly operatorId: string | null;
  readonly name: string;
  readonly state: ClientState | 'ended';
  readonly desks: Desk[];
}

export interface ClientToInsert {
  readonly clientId: string;
  readonly kind: string;
  readonly name: string;
  readonly email: string | null;
  readonly locale: string;
  readonly loginId: string;
  readonly login: string;
  readonly tokenHash: string;
  readonly accounts: readonly { readonly accountId: string; readonly number: string }[];
}

/** Inserts clients with their accounts, first logins and invitations: four statements, however many there are. */
export async function insertClients(
  sql: Sql,
  rows: readonly ClientToInsert[],
  times: { nowMs: number; expiresAtMs: number },
): Promise<void> {
  const clients = JSON.stringify(rows);
  const accounts = JSON.stringify(
    rows.flatMap(({ clientId, accounts: list }) => list.map((row) => ({ ...row, clientId }))),
  );
  const { nowMs, expiresAtMs } = times;
  await sql`
    insert into clients (id, kind, name, email, locale, state, state_changed_at_ms, created_at_ms)
    select "clientId", kind, name, email, locale, 'active', ${nowMs}, ${nowMs}
    from jsonb_to_recordset(${clients}::jsonb) as r("clientId" text, kind text, name text, email text, locale text)`;
  await sql`
    insert into accounts (id, client_id, number, created_at_ms) select "accountId", "clientId", number, ${nowMs}
    from jsonb_to_recordset(${accounts}::jsonb) as r("accountId" text, "clientId" text, number text)`;
  await sql`
    insert into logins (id, login, client_id, created_at_ms) select "loginId", login, "clientId", ${nowMs}
    from jsonb_to_recordset(${clients}::jsonb) as r("loginId" text, login text, "clientId" text)`;
  await sql`
    insert into invitations (login_id, token_hash, created_at_ms, expires_at_ms)
    select "loginId", "tokenHash", ${nowMs}, ${expiresAtMs}
    from jsonb_to_recordset(${clients}::jsonb) as r("loginId" text, "tokenHash" text)`;
}

export async function insertAccount(
  sql: Sql,
  row: { accountId: string; clientId: string; number: string; nowMs: number },
): Promise<void> {
  await sql`
    insert into accounts (id, client_id, number, created_at_ms)
    values (${row.accountId}, ${row.clientId}, ${row.number}, ${row.nowMs})`;
}

export async function insertLogin(
  sql: Sql,
  row: { loginId: string; login: string; clientId?: string; operatorId?: string; nowMs: number },
): Promise<void> {
  await sql`
    insert into logins (id, login, client_id, operator_id, created_at_ms)
    values (${row.loginId}, ${row.login}, ${row.clientId ?? null}, ${row.operatorId ?? null}, ${row.nowMs})`;
}

export async function insertOperator(
  sql: Sql,
  row: { operatorId: string; name: string; nowMs: number },
): Promise<void> {
  await sql`
    insert into operators (id, name, state, created_at_ms) values (${row.operatorId}, ${row.name}, 'active', ${row.nowMs})`;
}

/** Sets the desks to exactly these. */
export async function replaceDesks(sql: Sql, operatorId: string, desks: readonly string[]): Promise<void> {
  await sql`delete from operator_desks where operator_id = ${operatorId}`;
  await sql`insert into operator_desks (operator_id, desk) select ${operatorId}, unnest(${desks}::text[])`;
}

/** Takes the place of an invitation that was open before. */
export async function replaceInvitation(
  sql: Sql,
  row: { loginId: string; tokenHash: string; nowMs: number; expiresAtMs: number },
): Promise<void> {
  await sql`
    insert into invitations (login_id, token_hash, created_at_ms, expires_at_ms)
    values (${row.loginId}, ${row.tokenHash}, ${row.nowMs}, ${row.expiresAtMs})
    on conflict (login_id) do update set
      token_hash = excluded.token_hash, created_at_ms = excluded.created_at_ms, expires_at_ms = excluded.expires_at_ms`;
}

/** Takes the invitation away, so that of two who use it at once one finds nothing. */
export async function deleteInvitation(
  sql: Sql,
  tokenHash: string,
): Promise<{ loginId: string; expiresAtMs: number } | undefined> {
  const [row] = await sql<{ loginId: string; expiresAtMs: number }>`
    delete from invitations where token_hash = ${tokenHash} returning login_id as "loginId", expires_at_ms as "expiresAtMs"`;
  return row;
}

export async function deleteInvitationOf(sql: Sql, loginId: string): Promise<void> {
  await sql`delete from invitations where login_id = ${loginId}`;
}

/** The login by name or by id, whatever state it is in. */
export async function findLogin(sql: Sql, key: { login: string } | { loginId: string }): Promise<LoginRow | undefined> {
  const [row] = await sql<LoginRow>`
    select l.id as "loginId", l.login, l.password_hash as "passwordHash", l.client_id as "clientId",
      l.operator_id as "operatorId", coalesce(c.name, o.name) as name,
      case when l.ended_at_ms is not null then 'ended' else coalesce(c.state, o.state) end as state,
      array(select desk from operator_desks d where d.operator_id = l.operator_id order by desk) as desks
    from logins l left join clients c on c.id = l.client_id left join operators o on o.id = l.operator_id
    where l.login = ${'login' in key ? key.login : ''} or l.id = ${'loginId' in key ? key.loginId : ''}`;
  return row;
}

export async function findLoginOfOperator(sql: Sql, operatorId: string): Promise<string | undefined> {
  const [row] = await sql<{ id: string }>`select id from logins where operator_id = ${operatorId}`;
  return row?.id;
}

/** Sets a password, or takes it away with null. */
export async function updatePassword(sql: Sql, loginId: string, hash: string | null, nowMs: number): Promise<void> {
  await sql`update logins set password_hash = ${hash}, password_changed_at_ms = ${nowMs} where id = ${loginId}`;
}

/** Remembers who took the password away and holds the link to a new one. */
export async function updateResetBy(sql: Sql, loginId: string, resetBy: string): Promise<void> {
  await sql`update logins set reset_by = ${resetBy} where id = ${loginId}`;
}

/** Who last reset each login of a client. */
export async function listResetBy(sql: Sql, clientId: string): Promise<string[]> {
  const rows = await sql<{ resetBy: string }>`
    select distinct reset_by as "resetBy" from logins where client_id = ${clientId} and reset_by is not null limit 200`;
  return rows.map(({ resetBy }) => resetBy);
}

/** Stores the same password under newer parameters; nobody set a new one, so its date stays. */
export async function updatePasswordHash(sql: Sql, loginId: string, hash: string): Promise<void> {
  await sql`update logins set password_hash = ${hash} where id = ${loginId}`;
}

/** Takes the password away as well, so that no hash of somebody who left is kept. */
export async function endLogin(sql: Sql, loginId: string, nowMs: number): Promise<void> {
  await sql`update logins set ended_at_ms = ${nowMs}, password_hash = null where id = ${loginId} and ended_at_ms is null`;
}

interface ClientQuery {
  readonly clientId?: string;
  readonly after?: string;
  readonly state?: string;
  readonly search?: string;
  readonly limit: number;
}

/** One page of clients in the order in which they were added. Shape: `search` is part of a name or the beginning of an account or a login. */
export async function listClients(sql: Sql, query: ClientQuery): Promise<ClientRow[]> {
  const found = query.search === undefined ? null : await searchClients(sql, { ...query, search: query.search });
  return sql<ClientRow>`
    select c.id as "clientId", c.kind, c.name, c.email, c.locale, c.state, c.state_reason as "stateReason",
      c.created_at_ms as "createdAtMs",
      array(select number from accounts a where a.client_id = c.id order by number) as "accountNumbers",
      coalesce((select json_agg(json_build_object('id', l.id, 'login', l.login, 'isSetUp', l.password_hash is not null)
        order by l.login) from logins l where l.client_id = c.id and l.ended_at_ms is null), '[]') as logins
    from clients c
    where (${query.clientId ?? null}::text is null or c.id = ${query.clientId ?? null})
      and (${found}::text[] is null or c.id = any(${found}::text[]))
      and c.id > ${query.after ?? ''}
      and (${query.state ?? null}::text is null or c.state = ${query.state ?? null})
    order by c.id limit ${query.limit}`;
}

/** The ids of the page's clients. Names, account numbers and logins are asked apart, since no index serves one or the other. */
async function searchClients(sql: Sql, query: ClientQuery & { readonly search: string }): Promise<string[]> {
  // What a person types is text, not a pattern.
  const search = query.search.replace(/[\\%_]/g, '\\$&').toLowerCase();
  const rows = await sql<{ id: string }>`
    select id from (
      (select id from clients where lower(name) like '%' || ${search} || '%' and id > ${query.after ?? ''}
        and (${query.state ?? null}::text is null or state = ${query.state ?? null})
      order by id limit ${query.limit})
      union
      (select distinct c.id from accounts a join clients c on c.id = a.client_id
        where lower(a.number) like ${search} || '%' and a.client_id > ${query.after ?? ''}
          and (${query.state ?? null}::text is null or c.state = ${query.state ?? null})
      order by c.id limit ${query.limit})
      union
      (select distinct c.id from logins l join clients c on c.id = l.client_id
        where l.login like ${search} || '%' and l.client_id > ${query.after ?? ''}
          and (${query.state ?? null}::text is null or c.state = ${query.state ?? null})
      order by c.id limit ${query.limit})
    ) as found order by id limit ${query.limit}`;
  return rows.map((row) => row.id);
}

export async function findClient(
  sql: Sql,
  clientId: string,
): Promise<Pick<ClientRow, 'clientId' | 'kind' | 'name' | 'email' | 'locale' | 'state'> | undefined> {
  const [row] = await sql<Pick<ClientRow, 'clientId' | 'kind' | 'name' | 'email' | 'locale' | 'state'>>`
    select id as "clientId", kind, name, email, locale, state from clients where id = ${clientId}`;
  return row;
}

/** Holds the client until the transaction ends, so that nothing is added to one that is being closed. */
export async function findClientForChange(sql: Sql, clientId: string): Promise<{ state: ClientState } | undefined> {
  const [row] = await sql<{ state: ClientState }>`select state from clients where id = ${clientId} for no key update`;
  return row;
}

export async function updateClientState(
  sql: Sql,
  clientId: string,
  change: { state: ClientState; reason: string; nowMs: number },
): Promise<void> {
  await sql`
    update clients set state = ${change.state}, state_reason = ${change.reason}, state_changed_at_ms = ${change.nowMs}
    where id = ${clientId}`;
}

/** Wakes every process that holds a connection of this client; heard when the transaction commits. */
export async function notifyClientEnded(sql: Sql, clientId: string): Promise<void> {
  await sql`select pg_notify('client_ended', ${clientId})`;
}

export async function listOperators(
  sql: Sql,
  query: { operatorId?: string; after?: string; limit: number },
): Promise<OperatorRow[]> {
  return sql<OperatorRow>`
    select o.id as "operatorId", o.name, o.state, o.created_at_ms as "createdAtMs", l.login, l.id as "loginId",
      l.password_hash is not null as "isSetUp",
      array(select desk from operator_desks d where d.operator_id = o.id order by desk) as desks
    from operators o join logins l on l.operator_id = o.id
    where (${query.operatorId ?? null}::text is null or o.id = ${query.operatorId ?? null}) and o.id > ${query.after ?? ''}
    order by o.id limit ${query.limit}`;
}

export async function endOperator(sql: Sql, operatorId: string): Promise<void> {
  await sql`update operators set state = 'ended' where id = ${operatorId}`;
}

/** Which of these names belong to somebody already, whatever state they are in: a name is never given twice. */
export async function listTaken(
  sql: Sql,
  names: { logins: readonly string[]; accountNumbers: readonly string[] },
): Promise<{ logins: Set<string>; accountNumbers: Set<string> }> {
  const logins = await sql<{ login: string }>`select login from logins where login = any(${names.logins})`;
  const accounts = await sql<{
    number: string;
  }>`select number from accounts where number = any(${names.accountNumbers})`;
  return {
    logins: new Set(logins.map((row) => row.login)),
    accountNumbers: new Set(accounts.map((row) => row.number)),
  };
}

export interface AccountRow {
  readonly clientId: string;
  readonly accountId: string;
  readonly accountNumber: string;
  /** Of the client. */
  readonly state: ClientState;
}

/** Shape: those that there are, in no order. */
export const findAccounts = (sql: Sql, numbers: readonly string[]): Promise<AccountRow[]> =>
  sql<AccountRow>`
    select a.client_id as "clientId", a.id as "accountId", a.number as "accountNumber", c.state
    from accounts a join clients c on c.id = a.client_id where a.number = any(${numbers}::text[])`;

export const findAccount = async (sql: Sql, number: string): Promise<AccountRow | undefined> =>
  (await findAccounts(sql, [number]))[0];

export const listAccounts = (sql: Sql, clientId: string): Promise<{ accountId: string; accountNumber: string }[]> =>
  sql<{ accountId: string; accountNumber: string }>`
    select id as "accountId", number as "accountNumber" from accounts where client_id = ${clientId} order by number`;
