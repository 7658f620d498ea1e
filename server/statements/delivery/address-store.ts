// Rows of the address allow-list: entries of clients, and blocks that the desk sets.
import type { Sql } from '../../kernel/sql.ts';
import type { AddressState, Move } from './state-rules.ts';

/** A row of the list. An entry of a client has its request; a block of the desk has neither client nor request. */
export interface AddressEntry {
  readonly entryId: string;
  readonly clientId: string | null;
  readonly requestId: string | null;
  readonly effect: 'allow' | 'block';
  /** Canonical text; a single address has no prefix. */
  readonly network: string;
  readonly state: AddressState;
  readonly reason: string | null;
  readonly submittedAtMs: number;
  readonly activatedAtMs: number | null;
  readonly removedAtMs: number | null;
}

/** Inserts a client's entry as submitted; the network is canonical already. */
export async function insertEntry(
  sql: Sql,
  entry: { entryId: string; clientId: string; requestId: string; network: string; atMs: number },
): Promise<void> {
  await sql`
    insert into address_entries (id, client_id, request_id, effect, network, state, submitted_at_ms)
    values (${entry.entryId}, ${entry.clientId}, ${entry.requestId}, 'allow', ${entry.network}::cidr, 'submitted', ${entry.atMs})`;
}

/** Inserts a block of the desk, in force at once: it only ever takes access away. */
export async function insertBlock(sql: Sql, block: { entryId: string; network: string; atMs: number }): Promise<void> {
  await sql`
    insert into address_entries (id, effect, network, state, submitted_at_ms, activated_at_ms)
    values (${block.entryId}, 'block', ${block.network}::cidr, 'active', ${block.atMs}, ${block.atMs})`;
}

export async function findEntry(sql: Sql, entryId: string): Promise<AddressEntry | undefined> {
  const [row] = await sql<AddressEntry>`
    select id as "entryId", client_id as "clientId", request_id as "requestId", effect, abbrev(network::inet) as network,
      state, reason, submitted_at_ms as "submittedAtMs", activated_at_ms as "activatedAtMs", removed_at_ms as "removedAtMs"
    from address_entries where id = ${entryId}`;
  return row;
}

export async function listEntriesOfRequest(sql: Sql, requestId: string): Promise<AddressEntry[]> {
  return await sql<AddressEntry>`
    select id as "entryId", client_id as "clientId", request_id as "requestId", effect, abbrev(network::inet) as network,
      state, reason, submitted_at_ms as "submittedAtMs", activated_at_ms as "activatedAtMs", removed_at_ms as "removedAtMs"
    from address_entries where request_id = ${requestId} order by id`;
}

/** Newest first. `clientId` null lists the blocks; undefined lists every client's. */
export async function listEntries(
  sql: Sql,
  filter: {
    clientId?: string | undefined;
    effect: 'allow' | 'block';
    isLive: boolean;
    after?: string | undefined;
    limit: number;
  },
): Promise<AddressEntry[]> {
  return await sql<AddressEntry>`
    select id as "entryId", client_id as "clientId", request_id as "requestId", effect, abbrev(network::inet) as network,
      state, reason, submitted_at_ms as "submittedAtMs", activated_at_ms as "activatedAtMs", removed_at_ms as "removedAtMs"
    from address_entries
    where effect = ${filter.effect}
      and (${filter.clientId ?? null}::text is null or client_id = ${filter.clientId ?? null})
      and (not ${filter.isLive}::boolean or state <> 'removed')
      and (${filter.after ?? null}::text is null or id < ${filter.after ?? null})
    order by id desc limit ${filter.limit}`;
}

/** What counts against the limit: everything that is, or may come, in force. */
export async function countLiveEntries(sql: Sql, clientId: string): Promise<number> {
  const [row] = await sql<{ count: number }>`
    select count(*) from address_entries where client_id = ${clientId} and state <> 'removed'`;
  return row!.count;
}

/** What counts against the day's limit, removed ones included. */
export async function countSubmittedEntriesSince(sql: Sql, clientId: string, sinceMs: number): Promise<number> {
  const [row] = await sql<{ count: number }>`
    select count(*) from address_entries where client_id = ${clientId} and submitted_at_ms > ${sinceMs}`;
  return row!.count;
}

/** Entries of a client that are handed in and not in force yet. */
export async function listWaitingEntries(sql: Sql, clientId: string) {
  return await sql<{ network: string; requestId: string }>`
    select abbrev(network::inet) as network, request_id as "requestId" from address_entries
    where client_id = ${clientId} and state in ('submitted', 'confirmed', 'approved') limit 200`;
}

/** True for the very same network; a wider one that holds it does not stand in its way. */
export async function isListed(sql: Sql, clientId: string, network: string): Promise<boolean> {
  const rows = await sql`
    select 1 from address_entries
    where client_id = ${clientId} and network = ${network}::cidr and state <> 'removed'`;
  return rows.length > 0;
}

/** False when the entry is no longer in `move.from`. */
export async function moveEntry(
  sql: Sql,
  entryId: string,
  move: Move<'address'>,
  change: { atMs: number; reason?: string },
): Promise<boolean> {
  const rows = await sql`
    update address_entries set state = ${move.to}, reason = coalesce(${change.reason ?? null}, reason),
      confirmed_at_ms = case when ${move.to}::text = 'confirmed' then ${change.atMs}::bigint else confirmed_at_ms end,
      activated_at_ms = case when ${move.to}::text = 'active' then ${change.atMs}::bigint else activated_at_ms end,
      removed_at_ms = case when ${move.to}::text = 'removed' then ${change.atMs}::bigint else removed_at_ms end
    where id = ${entryId} and state = ${move.from} returning id`;
  return rows.length > 0;
}

export interface ActiveNetwork {
  readonly network: string;
  readonly effect: 'allow' | 'block';
}

/**
 * Every network whose callers get the banner, a page at a time. An approved entry is among them though its connection is not
 * configured yet: its client then reads "not configured" instead of wondering about a time-out (SF-13).
 */
export async function* listActiveNetworks(sql: Sql): AsyncGenerator<ActiveNetwork[]> {
  for (let afterId = ''; ; ) {
    const page = await sql<ActiveNetwork & { id: string }>`
      select id, abbrev(network::inet) as network, effect from address_entries
      where state in ('approved', 'active') and id > ${afterId} order by id limit ${networksAtOnce}`;
    if (page.length > 0) yield page;
    if (page.length < networksAtOnce) return;
    afterId = page.at(-1)!.id;
  }
}

const networksAtOnce = 1000;

/** Tells every process that the list changed; heard when the transaction commits. */
export async function notifyAllowListChanged(sql: Sql): Promise<void> {
  await sql`select pg_notify('allow_list_changed', '')`;
}

/** What the narrowest of those networks that holds the address says; a block wins between equals. */
export async function findEffect(sql: Sql, address: string): Promise<'allow' | 'block' | undefined> {
  const [row] = await sql<{ effect: 'allow' | 'block' }>`
    select effect from address_entries
    where state in ('approved', 'active') and network >>= ${address}::inet
    order by masklen(network) desc, effect desc limit 1`;
  return row?.effect;
}
