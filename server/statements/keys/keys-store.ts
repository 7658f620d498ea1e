// Rows of delivery keys: SSH keys and OpenPGP certificates, and the counter of private keys that were handed in.
import type { RecipientKey } from '@broadgate/openpgp-writer';
import type { Sql } from '../../kernel/sql.ts';
import type { CertificateState, Move, SshKeyState } from '../delivery/state-rules.ts';
import type { Purpose } from '../delivery/rules.ts';

/** An SSH key on file; a refused one has no fingerprint, since nothing of it is kept. */
export interface SshKeyRow {
  readonly keyId: string;
  readonly clientId: string;
  readonly requestId: string;
  readonly state: SshKeyState;
  readonly purpose: Purpose;
  readonly algorithm: string | null;
  readonly bits: number | null;
  readonly fingerprint: string | null;
  readonly comment: string | null;
  readonly reason: string | null;
  readonly expiresAtMs: number | null;
  readonly warnedDays: number | null;
  readonly submittedAtMs: number;
  readonly activatedAtMs: number | null;
  readonly endedAtMs: number | null;
}

/** An OpenPGP certificate on file, with the parameters of the subkey that is encrypted to. */
export interface CertificateRow {
  readonly keyId: string;
  readonly clientId: string;
  readonly requestId: string;
  readonly state: CertificateState;
  readonly purpose: Purpose;
  readonly fingerprint: string | null;
  readonly subkeyId: string | null;
  readonly algorithm: string | null;
  readonly userIds: string[] | null;
  readonly cipher: 'aes256' | 'aes128' | null;
  readonly recipient: RecipientKey | null;
  readonly reason: string | null;
  readonly expiresAtMs: number | null;
  readonly warnedDays: number | null;
  readonly submittedAtMs: number;
  readonly importedAtMs: number | null;
  readonly enabledAtMs: number | null;
  readonly endedAtMs: number | null;
}

export interface NewSshKey {
  readonly keyId: string;
  readonly clientId: string;
  readonly requestId: string;
  readonly purpose: Purpose;
  readonly expiresAtMs: number | undefined;
  readonly atMs: number;
  /** Absent when the submission could not be read: then only the refusal is kept. */
  readonly key?: { algorithm: string; bits: number; fingerprint: string; blob: Buffer; comment: string } | undefined;
}

export async function insertSshKey(sql: Sql, row: NewSshKey): Promise<void> {
  await sql`
    insert into ssh_keys (id, client_id, request_id, state, purpose, algorithm, bits, fingerprint, blob, comment,
      expires_at_ms, submitted_at_ms)
    values (${row.keyId}, ${row.clientId}, ${row.requestId}, 'submitted', ${row.purpose}, ${row.key?.algorithm ?? null},
      ${row.key?.bits ?? null}, ${row.key?.fingerprint ?? null}, ${row.key?.blob ?? null}, ${row.key?.comment ?? null},
      ${row.expiresAtMs ?? null}, ${row.atMs})`;
}

export interface NewCertificate {
  readonly keyId: string;
  readonly clientId: string;
  readonly requestId: string;
  readonly purpose: Purpose;
  readonly atMs: number;
  readonly certificate?:
    | {
        fingerprint: string;
        subkeyId: string;
        algorithm: string;
        userIds: readonly string[];
        cipher: string;
        armored: string;
        recipient: RecipientKey;
        expiresAtMs: number | undefined;
      }
    | undefined;
}

export async function insertCertificate(sql: Sql, row: NewCertificate): Promise<void> {
  const given = row.certificate;
  await sql`
    insert into openpgp_certificates (id, client_id, request_id, state, purpose, fingerprint, subkey_id, algorithm,
      user_ids, cipher, certificate, recipient, expires_at_ms, submitted_at_ms)
    values (${row.keyId}, ${row.clientId}, ${row.requestId}, 'submitted', ${row.purpose}, ${given?.fingerprint ?? null},
      ${given?.subkeyId ?? null}, ${given?.algorithm ?? null},
      ${given === undefined ? null : JSON.stringify(given.userIds)}::jsonb, ${given?.cipher ?? null},
      ${given === undefined ? null : Buffer.from(given.armored)},
      ${given === undefined ? null : JSON.stringify(given.recipient)}::jsonb, ${given?.expiresAtMs ?? null}, ${row.atMs})`;
}

interface KeyFilter {
  readonly clientId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listSshKeys(sql: Sql, filter: KeyFilter): Promise<SshKeyRow[]> {
  return await sql<SshKeyRow>`
    select id as "keyId", client_id as "clientId", request_id as "requestId", state, purpose, algorithm, bits, fingerprint,
      comment, reason, expires_at_ms as "expiresAtMs", warned_days as "warnedDays", submitted_at_ms as "submittedAtMs",
      activated_at_ms as "activatedAtMs", ended_at_ms as "endedAtMs"
    from ssh_keys
    where (${filter.clientId ?? null}::text is null or client_id = ${filter.clientId ?? null})
      and (${filter.requestId ?? null}::text is null or request_id = ${filter.requestId ?? null})
      and (${filter.keyId ?? null}::text is null or id = ${filter.keyId ?? null})
    order by id desc limit ${filter.limit}`;
}

/** Newest first. */
export async function listCertificates(sql: Sql, filter: KeyFilter): Promise<CertificateRow[]> {
  return await sql<CertificateRow>`
    select id as "keyId", client_id as "clientId", request_id as "requestId", state, purpose, fingerprint,
      subkey_id as "subkeyId", algorithm, user_ids as "userIds", cipher, recipient, reason,
      expires_at_ms as "expiresAtMs", warned_days as "warnedDays", submitted_at_ms as "submittedAtMs",
      imported_at_ms as "importedAtMs", enabled_at_ms as "enabledAtMs", ended_at_ms as "endedAtMs"
    from openpgp_certificates
    where (${filter.clientId ?? null}::text is null or client_id = ${filter.clientId ?? null})
      and (${filter.requestId ?? null}::text is null or request_id = ${filter.requestId ?? null})
      and (${filter.keyId ?? null}::text is null or id = ${filter.keyId ?? null})
    order by id desc limit ${filter.limit}`;
}

export interface TermsRow {
  readonly clientId: string;
  readonly sftp: boolean | null;
  readonly portal: boolean | null;
  readonly encryption: 'off' | 'on' | null;
  readonly connectionState: string | null;
  /** Those in use, newest first. */
  readonly certificates: readonly {
    readonly certificateId: string;
    readonly fingerprint: string;
    readonly subkeyId: string;
    readonly recipient: RecipientKey;
    readonly expiresAtMs: number | null;
    readonly cipher: 'aes256' | 'aes128';
  }[];
}

/** Everything about the delivery of many clients in one statement, since a run asks it for thousands. Shape: one row each. */
export async function listTerms(sql: Sql, clientIds: readonly string[]): Promise<TermsRow[]> {
  return await sql<TermsRow>`
    select asked.id as "clientId", e.sftp, e.portal, e.encryption, c.state as "connectionState", coalesce((
        select jsonb_agg(jsonb_build_object('certificateId', k.id, 'fingerprint', k.fingerprint, 'subkeyId', k.subkey_id,
          'recipient', k.recipient, 'expiresAtMs', k.expires_at_ms, 'cipher', k.cipher) order by k.id desc)
        from openpgp_certificates k where k.client_id = asked.id and k.state in ('enabled', 'expiring')
      ), '[]'::jsonb) as certificates
    from unnest(${clientIds}::text[]) as asked (id)
    left join delivery_elections e on e.client_id = asked.id
    left join delivery_connections c on c.client_id = asked.id`;
}

/** False when the key is no longer in `move.from`. */
export async function moveSshKey(
  sql: Sql,
  keyId: string,
  move: Move<'ssh_key'>,
  change: { atMs: number; reason?: string; replacedBy?: string },
): Promise<boolean> {
  const rows = await sql`
    update ssh_keys set state = ${move.to}, reason = coalesce(${change.reason ?? null}, reason),
      replaced_by = coalesce(${change.replacedBy ?? null}, replaced_by),
      confirmed_at_ms = case when ${move.to}::text = 'confirmed' then ${change.atMs}::bigint else confirmed_at_ms end,
      activated_at_ms = case when ${move.to}::text = 'active' then ${change.atMs}::bigint else activated_at_ms end,
      ended_at_ms = case when ${move.to}::text in ('replaced', 'revoked', 'expired') then ${change.atMs}::bigint else ended_at_ms end
    where id = ${keyId} and state = ${move.from} returning id`;
  return rows.length > 0;
}

/** False when the certificate is no longer in `move.from`. */
export async function moveCertificate(
  sql: Sql,
  keyId: string,
  move: Move<'certificate'>,
  change: { atMs: number; reason?: string; replacedBy?: string },
): Promise<boolean> {
  const rows = await sql`
    update openpgp_certificates set state = ${move.to}, reason = coalesce(${change.reason ?? null}, reason),
      replaced_by = coalesce(${change.replacedBy ?? null}, replaced_by),
      confirmed_at_ms = case when ${move.to}::text = 'confirmed' then ${change.atMs}::bigint else confirmed_at_ms end,
      imported_at_ms = case when ${move.to}::text = 'imported' and imported_at_ms is null then ${change.atMs}::bigint
        else imported_at_ms end,
      enabled_at_ms = case when ${move.to}::text = 'enabled' then ${change.atMs}::bigint else enabled_at_ms end,
      ended_at_ms = case when ${move.to}::text in ('replaced', 'revoked', 'expired') then ${change.atMs}::bigint
        else ended_at_ms end
    where id = ${keyId} and state = ${move.from} returning id`;
  return rows.length > 0;
}

/** Whether another client has, or once had, this key in force; a public key that was merely handed in claims nothing. */
export async function isKeyOfAnother(sql: Sql, clientId: string, fingerprint: string): Promise<boolean> {
  const rows = await sql`
    select 1 from ssh_keys where fingerprint = ${fingerprint} and client_id <> ${clientId}
      and (state = 'approved' or activated_at_ms is not null) limit 1`;
  return rows.length > 0;
}

/** What counts against the day's limit, refused keys included. */
export async function countSubmittedKeysSince(sql: Sql, clientId: string, sinceMs: number): Promise<number> {
  const [row] = await sql<{ count: number }>`
    select (select count(*) from ssh_keys where client_id = ${clientId} and submitted_at_ms > ${sinceMs})
      + (select count(*) from openpgp_certificates where client_id = ${clientId} and submitted_at_ms > ${sinceMs}) as count`;
  return row!.count;
}

/** Ends connections that were opened with the key; heard when the transaction commits. */
export async function notifySshKeyEnded(sql: Sql, keyId: string): Promise<void> {
  await sql`select pg_notify('ssh_key_ended', ${keyId})`;
}

/** Counts a private key that was handed in (D-13). */
export async function insertPrivateKeyRefusal(
  sql: Sql,
  refusal: { clientId: string; channel: string; kind: string; atMs: number },
): Promise<void> {
  await sql`
    insert into private_key_refusals (client_id, channel, kind, count, first_at_ms, last_at_ms)
    values (${refusal.clientId}, ${refusal.channel}, ${refusal.kind}, 1, ${refusal.atMs}, ${refusal.atMs})
    on conflict (client_id, channel, kind) do update
      set count = private_key_refusals.count + 1, last_at_ms = excluded.last_at_ms`;
}

/**
 * Keys that end within the time, soonest first: for the desk's board, and for the warnings those that are `unsaid`: with an
 * end that is over, or nearer than a number of days that the key was not warned of.
 */
export async function listEnding(
  sql: Sql,
  beforeMs: number,
  page: { after?: string | undefined; limit: number },
  unsaid: readonly { readonly days: number; readonly beforeMs: number }[] = [],
) {
  const [atMs = '0', id = ''] = (page.after ?? '').split(':');
  const after = { atMs: Number(atMs), id };
  const [isAll, days, times] = [
    unsaid.length === 0,
    unsaid.map((step) => step.days),
    unsaid.map((step) => step.beforeMs),
  ];
  return await sql<EndingKey>`
    select *, lpad("expiresAtMs"::text, 16, '0') || ':' || "keyId" as place from (
      (select id as "keyId", client_id as "clientId", 'ssh' as sort, state, fingerprint, expires_at_ms as "expiresAtMs",
        warned_days as "warnedDays"
      from ssh_keys where state = 'active' and expires_at_ms <= ${beforeMs}
        and (expires_at_ms, id) > (${after.atMs}, ${after.id})
        and (${isAll} or exists (select 1 from unnest(${days}::integer[], ${times}::bigint[]) as step (days, before_ms)
          where expires_at_ms <= before_ms and (warned_days is null or days < warned_days)))
      order by expires_at_ms, id limit ${page.limit})
      union all
      (select id, client_id, 'openpgp', state, fingerprint, expires_at_ms, warned_days
      from openpgp_certificates where state in ('imported', 'enabled', 'expiring') and expires_at_ms <= ${beforeMs}
        and (expires_at_ms, id) > (${after.atMs}, ${after.id})
        and (${isAll} or exists (select 1 from unnest(${days}::integer[], ${times}::bigint[]) as step (days, before_ms)
          where expires_at_ms <= before_ms and (warned_days is null or days < warned_days)))
      order by expires_at_ms, id limit ${page.limit})
    ) as ending
    order by "expiresAtMs", "keyId" limit ${page.limit}`;
}

/** A key in force that has an end; `place` orders by it. */
export interface EndingKey {
  readonly keyId: string;
  readonly clientId: string;
  readonly sort: 'ssh' | 'openpgp';
  readonly state: string;
  readonly fingerprint: string;
  readonly expiresAtMs: number;
  readonly warnedDays: number | null;
  readonly place: string;
}

/** One key that is in force and has an end. */
export async function findEnding(sql: Sql, keyId: string): Promise<Omit<EndingKey, 'place'> | undefined> {
  const [row] = await sql<Omit<EndingKey, 'place'>>`
    select id as "keyId", client_id as "clientId", 'ssh' as sort, state, fingerprint, expires_at_ms as "expiresAtMs",
      warned_days as "warnedDays"
    from ssh_keys where id = ${keyId} and state = 'active' and expires_at_ms is not null
    union all
    select id, client_id, 'openpgp', state, fingerprint, expires_at_ms, warned_days
    from openpgp_certificates
    where id = ${keyId} and state in ('imported', 'enabled', 'expiring') and expires_at_ms is not null`;
  return row;
}

export async function updateWarnedDays(sql: Sql, key: { keyId: string; sort: 'ssh' | 'openpgp' }, days: number) {
  if (key.sort === 'ssh') await sql`update ssh_keys set warned_days = ${days} where id = ${key.keyId}`;
  else await sql`update openpgp_certificates set warned_days = ${days} where id = ${key.keyId}`;
}
