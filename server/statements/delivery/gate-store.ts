// What the gate asks the database about one sign-in, always the same question whoever asks.
import type { Sql } from '../../kernel/sql.ts';
import type { ConnectionState, SshKeyState } from './state-rules.ts';

/** One row, whoever asks: its columns are null where nothing is on file. */
export interface SignInFacts {
  readonly clientId: string | null;
  readonly state: ConnectionState | null;
  readonly sshKeyId: string | null;
  readonly keyState: SshKeyState | null;
  readonly keyExpiresAtMs: number | null;
  readonly keyEndedAtMs: number | null;
  /** Prefix length of the client's narrowest active entry that holds the address, and of the narrowest block. */
  readonly listedWidth: number | null;
  readonly blockedWidth: number | null;
}

/**
 * Everything about user name, key and address in one statement. T14: for an unknown name the same look-ups run against a
 * client id that nobody has.
 */
export async function findSignInFacts(
  sql: Sql,
  asked: { userName: string; fingerprint: string; address: string },
): Promise<SignInFacts> {
  const [row] = await sql<SignInFacts>`
    select c.client_id as "clientId", c.state, k.id as "sshKeyId", k.state as "keyState",
      k.expires_at_ms as "keyExpiresAtMs", k.ended_at_ms as "keyEndedAtMs",
      (select max(masklen(network)) from address_entries e where e.state = 'active' and e.network >>= ${asked.address}::inet
        and e.client_id = coalesce(c.client_id, 'nobody')) as "listedWidth",
      (select max(masklen(network)) from address_entries e where e.state = 'active' and e.network >>= ${asked.address}::inet
        and e.effect = 'block') as "blockedWidth"
    from (select 1) as one
    left join delivery_connections c on c.user_name = ${asked.userName}
    left join lateral (
      select id, state, expires_at_ms, ended_at_ms from ssh_keys
      where client_id = coalesce(c.client_id, 'nobody') and fingerprint = ${asked.fingerprint} and state <> 'refused'
      order by (state = 'active') desc, id desc limit 1
    ) k on true`;
  return row!;
}

/** What an open connection stands on now. */
export interface LiveFacts {
  readonly connectionId: string;
  readonly keyState: SshKeyState | null;
  readonly keyExpiresAtMs: number | null;
  readonly state: ConnectionState | null;
  readonly clientId: string;
  readonly isListed: boolean;
}

/** The same facts about connections that are open now, to find those that must end. */
export async function listLiveFacts(
  sql: Sql,
  live: readonly { connectionId: string; clientId: string; sshKeyId: string; address: string }[],
): Promise<LiveFacts[]> {
  return await sql<LiveFacts>`
    select l."connectionId", l."clientId", k.state as "keyState", k.expires_at_ms as "keyExpiresAtMs",
      (select state from delivery_connections c where c.client_id = l."clientId") as state,
      coalesce((select max(masklen(network)) from address_entries e
        where e.state = 'active' and e.network >>= l.address and e.client_id = l."clientId"), -1)
      > coalesce((select max(masklen(network)) from address_entries e
        where e.state = 'active' and e.network >>= l.address and e.effect = 'block'), -1) as "isListed"
    from jsonb_to_recordset(${JSON.stringify(live)}::jsonb)
      as l("connectionId" text, "clientId" text, "sshKeyId" text, address inet)
    left join ssh_keys k on k.id = l."sshKeyId"`;
}

/** Every process learns of an address that signed in, so that it is exempt from random early drop there too. */
export async function notifySignedIn(sql: Sql, address: string): Promise<void> {
  await sql`select pg_notify('sftp_signed_in', ${address})`;
}
