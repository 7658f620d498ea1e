// Rows of refused connections, counted by the hour, and of connections that signed in.
import type { Sql } from '../../kernel/sql.ts';
import type { RefusalDetail, RefusalReason } from './rules.ts';

/** One line: the same refusal within one hour, counted. `clientId` is known where the user name was. */
export interface CountedRefusal {
  readonly id: string;
  readonly hourMs: number;
  readonly address: string | null;
  readonly clientId: string | null;
  readonly userName: string;
  readonly reason: RefusalReason;
  readonly detailKey: string;
  readonly detail: RefusalDetail;
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/**
 * Adds counts to their hour's rows. New rows are made only while the hour has room: so many for all strangers together, so
 * many for each client. Shape: the ids whose rows found none.
 */
export async function upsertRefusals(
  sql: Sql,
  refusals: readonly CountedRefusal[],
  rowsMax: { strangers: number; client: number },
): Promise<string[]> {
  const rows = await sql<{ id: string }>`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(refusals)}::jsonb) as r(id text, "hourMs" bigint, address inet,
        "clientId" text, "userName" text, reason text, "detailKey" text, detail jsonb, count bigint, "firstAtMs" bigint,
        "lastAtMs" bigint)
    ),
    -- Counted once an hour and client, and with two sorts of comparison: no index serves "is not distinct from".
    filled as (
      select "hourMs", "clientId", case when "clientId" is null
          then (select count(*) from connection_refusals k where k.hour_ms = "hourMs" and k.client_id is null)
          else (select count(*) from connection_refusals k where k.hour_ms = "hourMs" and k.client_id = "clientId")
        end as rows
      from (select distinct "hourMs", "clientId" from given) as asked
    ),
    room as (
      select id,
        exists (
          select 1 from connection_refusals k where k.hour_ms = given."hourMs" and k.address = given.address
            and k.user_name = given."userName" and k.reason = given.reason and k.detail_key = given."detailKey"
        ) or (given.address is null and exists (
          select 1 from connection_refusals k where k.hour_ms = given."hourMs" and k.address is null
            and k.user_name = given."userName" and k.reason = given.reason and k.detail_key = given."detailKey"
        )) as is_known,
        row_number() over (partition by given."hourMs", given."clientId" order by id) + filled.rows as place
      from given join filled on filled."hourMs" = given."hourMs"
        and coalesce(filled."clientId", '') = coalesce(given."clientId", '')
    ),
    kept as (
      insert into connection_refusals (id, hour_ms, address, client_id, user_name, reason, detail_key, detail, count,
        first_at_ms, last_at_ms)
      select given.id, "hourMs", address, "clientId", "userName", reason, "detailKey", detail, count, "firstAtMs", "lastAtMs"
      from given join room on room.id = given.id
      where room.is_known or given.reason = 'overflow'
        or room.place <= case when given."clientId" is null then ${rowsMax.strangers}::bigint else ${rowsMax.client}::bigint end
      order by "hourMs", address, "userName", reason, "detailKey"
      on conflict (hour_ms, address, user_name, reason, detail_key) do update
        set count = connection_refusals.count + excluded.count,
          last_at_ms = greatest(connection_refusals.last_at_ms, excluded.last_at_ms),
          first_at_ms = least(connection_refusals.first_at_ms, excluded.first_at_ms),
          detail = excluded.detail
      returning hour_ms, address, user_name, reason, detail_key
    )
    select given.id from given where not exists (
      select 1 from kept where kept.hour_ms = given."hourMs" and kept.address is not distinct from given.address
        and kept.user_name = given."userName" and kept.reason = given.reason and kept.detail_key = given."detailKey"
    )`;
  return rows.map((row) => row.id);
}

interface PageOf {
  readonly after?: { readonly lastAtMs: number; readonly id: string } | undefined;
  readonly limit: number;
}

/** Everything, newest first, for the desk; of one client's name when asked for. */
export async function listRefusals(sql: Sql, filter: { clientId?: string | undefined }, page: PageOf) {
  return await sql<CountedRefusal>`
    select id, hour_ms as "hourMs", host(address) as address, client_id as "clientId", user_name as "userName", reason,
      detail_key as "detailKey", detail, count, first_at_ms as "firstAtMs", last_at_ms as "lastAtMs"
    from connection_refusals
    where (${filter.clientId ?? null}::text is null or client_id = ${filter.clientId ?? null})
      and (${page.after?.id ?? null}::text is null
        or (last_at_ms, id) < (${page.after?.lastAtMs ?? null}::bigint, ${page.after?.id ?? null}::text))
    order by last_at_ms desc, id desc limit ${page.limit}`;
}

/**
 * What one client may see: its own user name's refusals, and those without a known name from an address that it uses in
 * the portal or that is or was on its list (brief: a drop before the banner has no user name).
 */
export async function listAttributedRefusals(
  sql: Sql,
  client: { clientId: string; signInAddresses: readonly string[] },
  page: PageOf,
): Promise<CountedRefusal[]> {
  const { lastAtMs: atMs, id: afterId } = page.after ?? { lastAtMs: Number.MAX_SAFE_INTEGER, id: '' };
  // A page of each source is read: of the name, of each address, of each network as the range of its addresses.
  return await sql<CountedRefusal>`
    select id, hour_ms as "hourMs", host(address) as address, client_id as "clientId", user_name as "userName", reason,
      detail_key as "detailKey", detail, count, first_at_ms as "firstAtMs", last_at_ms as "lastAtMs"
    from connection_refusals where id in (select id from (
      (select id, last_at_ms from connection_refusals
        where client_id = ${client.clientId} and (last_at_ms, id) < (${atMs}, ${afterId})
        order by last_at_ms desc, id desc limit ${page.limit})
      union
      select near.* from (
        select network(address) as first, address as last from unnest(${client.signInAddresses}::inet[]) as own (address)
        union select network, set_masklen(broadcast(network), case family(network) when 4 then 32 else 128 end)
        from address_entries where client_id = ${client.clientId} and activated_at_ms is not null
      ) as own cross join lateral (
        -- "offset 0" keeps the order out of the search: the index of addresses finds few, that of times would read them all.
        select id, last_at_ms from (
          select id, last_at_ms from connection_refusals r
          where r.client_id is null and r.address >= own.first::inet and r.address <= own.last
            and (last_at_ms, id) < (${atMs}, ${afterId}) offset 0
        ) as of_network order by last_at_ms desc, id desc limit ${page.limit}
      ) as near
      order by last_at_ms desc, id desc limit ${page.limit}) as latest)
    order by last_at_ms desc, id desc limit ${page.limit}`;
}

/** Clients on whose list one of these addresses is or was. */
export async function listClientsOfNetworks(sql: Sql, addresses: readonly string[], limit: number): Promise<string[]> {
  const rows = await sql<{ clientId: string }>`
    select distinct a.client_id as "clientId" from unnest(${addresses}::inet[]) as refused (address)
      join address_entries a on a.network >>= refused.address
    where a.activated_at_ms is not null and a.client_id is not null limit ${limit}`;
  return rows.map((row) => row.clientId);
}

/** Fingerprints that a client's sign-in would be accepted with, to stand beside the one that was offered. */
export async function listActiveFingerprints(sql: Sql, clientId: string): Promise<string[]> {
  const rows = await sql<{ fingerprint: string }>`
    select fingerprint from ssh_keys where client_id = ${clientId} and state = 'active' order by id desc limit 20`;
  return rows.map((row) => row.fingerprint);
}

/** The transcript of one connection; the end is null while it is open, or when its process was killed. */
export interface SignedInConnection {
  readonly connectionId: string;
  readonly clientId: string;
  readonly sshKeyId: string;
  readonly fingerprint: string;
  readonly address: string;
  readonly openedAtMs: number;
  readonly endedAtMs: number | null;
  readonly endReason: string | null;
  readonly clientSoftware: string | null;
  readonly kex: string | null;
  readonly cipher: string | null;
  readonly mac: string | null;
  readonly hostKeyAlgorithm: string | null;
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
}

export async function insertConnection(
  sql: Sql,
  connection: Omit<SignedInConnection, 'endedAtMs' | 'endReason' | 'bytesIn' | 'bytesOut' | 'fingerprint'>,
): Promise<void> {
  await sql`
    insert into sftp_connections (id, client_id, ssh_key_id, address, opened_at_ms, client_software, kex, cipher, mac,
      host_key_algorithm)
    values (${connection.connectionId}, ${connection.clientId}, ${connection.sshKeyId}, ${connection.address}::inet,
      ${connection.openedAtMs}, ${connection.clientSoftware}, ${connection.kex}, ${connection.cipher}, ${connection.mac},
      ${connection.hostKeyAlgorithm})
    on conflict (id) do nothing`;
}

/** The first end that is reported stands. */
export async function updateConnectionEnded(
  sql: Sql,
  ended: { connectionId: string; atMs: number; reason: string; bytesIn: number; bytesOut: number },
): Promise<void> {
  await sql`
    update sftp_connections set ended_at_ms = ${ended.atMs}, end_reason = ${ended.reason}, bytes_in = ${ended.bytesIn},
      bytes_out = ${ended.bytesOut}
    where id = ${ended.connectionId} and ended_at_ms is null`;
}

export async function listConnections(
  sql: Sql,
  filter: { clientId?: string | undefined; after?: { openedAtMs: number; id: string } | undefined; limit: number },
): Promise<SignedInConnection[]> {
  return await sql<SignedInConnection>`
    select c.id as "connectionId", c.client_id as "clientId", ssh_key_id as "sshKeyId", k.fingerprint,
      host(address) as address, opened_at_ms as "openedAtMs", c.ended_at_ms as "endedAtMs", end_reason as "endReason",
      client_software as "clientSoftware", kex, cipher, mac, host_key_algorithm as "hostKeyAlgorithm",
      bytes_in as "bytesIn", bytes_out as "bytesOut"
    from sftp_connections c join ssh_keys k on k.id = c.ssh_key_id
    where (${filter.clientId ?? null}::text is null or c.client_id = ${filter.clientId ?? null})
      and (${filter.after?.id ?? null}::text is null
        or (opened_at_ms, c.id) < (${filter.after?.openedAtMs ?? null}::bigint, ${filter.after?.id ?? null}::text))
    order by opened_at_ms desc, c.id desc limit ${filter.limit}`;
}

/** The latest addresses with a sign-in since then, the latest last. */
export async function listSignInAddressesSince(sql: Sql, sinceMs: number, limit: number) {
  return await sql<{ address: string; lastAtMs: number }>`
    select * from (
      select host(address) as address, max(opened_at_ms) as "lastAtMs" from sftp_connections
      where opened_at_ms > ${sinceMs} group by address order by 2 desc limit ${limit}
    ) as latest order by "lastAtMs"`;
}

/** Deletes what is older than it is kept, a bounded number at a time. Shape: how many went. */
export async function deleteBefore(sql: Sql, beforeMs: number, limit: number): Promise<number> {
  const refused = await sql`
    delete from connection_refusals where id in (
      select id from connection_refusals where last_at_ms < ${beforeMs} order by last_at_ms limit ${limit}) returning id`;
  const ended = await sql`
    delete from sftp_connections where id in (
      select id from sftp_connections where opened_at_ms < ${beforeMs} order by opened_at_ms limit ${limit}) returning id`;
  return refused.length + ended.length;
}
