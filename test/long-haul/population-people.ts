// Rows of clients and of what belongs to them whether or not anything is issued: logins, requests, keys, addresses, connections.
import type { Step } from './population.ts';

/** Every client but each twentieth takes SFTP. */
const bySftp = 'n % 20 <> 19';
const day = '86400000::bigint';

export const peopleSteps: readonly Step[] = [
  [
    'clients',
    `insert into clients (id, kind, name, email, locale, state, state_changed_at_ms, created_at_ms)
    select pg_temp.client(n), case when n = 0 then 'institution' else 'person' end,
      (array['Anna','Bela','Chen','Dara','Emil','Fatima','Goran','Hana','Ivo','Jun'])[1 + n % 10] || ' '
        || (array['Keller','Lima','Moreau','Novak','Okafor','Petrov','Quist','Rossi','Sato','Tanaka','Urban'])[1 + n % 11]
        || ' ' || substr(md5('name' || n), 1, 6),
      'client' || n || '@client.example', 'en', case when n % 500 = 499 then 'suspended' else 'active' end, :now - 250 * ${day},
      :now - 300 * ${day} + n
    from generate_series(0, :clients - 1) n`,
  ],
  [
    'accounts',
    `insert into accounts (id, client_id, number, created_at_ms)
    select pg_temp.account(n), pg_temp.client(n), 'U' || 1000000 + n, :now - 299 * ${day} + n
    from generate_series(0, :clients - 1) n
    union all select pg_temp.account(100000000 + j), pg_temp.client(0), 'I' || 9000000 + j, :now - 299 * ${day} + j
    from generate_series(0, 49) j`,
  ],
  [
    'feeds',
    `insert into feeds (account_id, code) select id, upper(substr(md5('feed' || number), 1, 12)) from accounts`,
  ],
  [
    'logins',
    `insert into logins (id, login, client_id, password_hash, password_changed_at_ms, created_at_ms)
    select pg_temp.id(:now - 298 * ${day} + n, n, 'login'), 'user' || n, pg_temp.client(n), 'none', :now - 200 * ${day},
      :now - 298 * ${day} from generate_series(0, :clients - 1) n`,
  ],
  [
    'preferences',
    `insert into preferences (login_id, locale, time_zone, theme, changed_at_ms)
    select id, 'pt', 'Europe/Lisbon', 'dark', :now from logins`,
  ],
  [
    'sign_ins',
    `insert into sign_ins (id, login_id, sort, token_hash, address, source, created_at_ms, used_at_ms, expires_at_ms)
    select pg_temp.id(at_ms, n * 4 + i, 'sign-in'), pg_temp.id(:now - 298 * ${day} + n, n, 'login'), 'password',
      pg_temp.hash(n * 4 + i, 'token'), host('20.0.0.0'::inet + n), 'source' || n, at_ms, at_ms + 600000, at_ms + 43200000
    from generate_series(0, :clients - 1) n, generate_series(0, 3) i,
      lateral (select :now - (1 + i * 25) * ${day} + n % 80000000 as at_ms) t`,
  ],
  [
    'sign_in_counters',
    `insert into sign_in_counters (counter, failed_at_ms, locked_until_ms, changed_at_ms)
    select pg_temp.hash(n, 'counter') || ':strangers', array[:now - n], 0, :now - n
    from generate_series(0, :clients / 2) n`,
  ],
  [
    'invitations',
    `insert into invitations (login_id, token_hash, created_at_ms, expires_at_ms)
    select pg_temp.id(:now - 298 * ${day} + n, n, 'login'), pg_temp.hash(n, 'invitation'), :now, :now + ${day}
    from generate_series(0, :clients - 1) n where n % 2 = 1`,
  ],
  [
    'private keys that were handed in',
    `insert into private_key_refusals (client_id, channel, kind, count, first_at_ms, last_at_ms)
    select pg_temp.client(n), 'portal', 'openssh', 1, :now - ${day}, :now - ${day}
    from generate_series(0, :clients - 1) n where n % 2 = 1`,
  ],
  [
    'elections',
    `insert into delivery_elections (client_id, sftp, portal, encryption, elected_at_ms, changed_at_ms)
    select pg_temp.client(n), ${bySftp}, true, case when n % 10 < 7 then 'on' else 'off' end, :now - 290 * ${day},
      :now - 280 * ${day} from generate_series(0, :clients - 1) n`,
  ],
  [
    'connections',
    `insert into delivery_connections (client_id, state, user_name, password_hash, login_issued_at_ms, elected_at_ms,
      configured_at_ms, proven_at_ms, changed_at_ms)
    select pg_temp.client(n), 'proven', 'd' || substr(md5('user' || n), 1, 13), 'none', :now - 280 * ${day},
      :now - 290 * ${day}, :now - 280 * ${day}, :now - 279 * ${day}, :now - 279 * ${day}
    from generate_series(0, :clients - 1) n where ${bySftp}`,
  ],
  [
    'requests to the desk',
    `insert into delivery_requests (id, client_id, kind, channel, state, requester, submitters, approvals_needed,
      opened_at_ms, confirmed_at_ms, due_at_ms, approved_at_ms, finished_at_ms)
    select pg_temp.id(at_ms, n * 2 + i, 'request'), pg_temp.client(n),
      case when i = 0 then 'set_up' when n % 2 = 0 then 'new_key' else 'new_address' end, 'portal',
      case when is_open then 'in_work' else 'done' end, 'client:' || pg_temp.client(n),
      array['client:' || pg_temp.client(n)], 1, at_ms, at_ms + 60000, at_ms + 2 * ${day},
      case when is_open then null else at_ms + ${day} end, case when is_open then null else at_ms + ${day} end
    from generate_series(0, :clients - 1) n, generate_series(0, 1) i,
      lateral (select :now - (290 - i * 200) * ${day} + n as at_ms, i = 1 and n % 400 = 6 as is_open) t
    where ${bySftp} and (i = 0 or n % 5 = 1)`,
  ],
  [
    'approvals',
    `insert into request_approvals (request_id, requester, approver, approved_at_ms)
    select id, requester, 'operator:' || pg_temp.id(:now, 0, 'operator'), approved_at_ms from delivery_requests
    where approved_at_ms is not null`,
  ],
  [
    'ssh_keys',
    `insert into ssh_keys (id, client_id, request_id, state, purpose, algorithm, bits, fingerprint, blob, comment,
      expires_at_ms, warned_days, submitted_at_ms, confirmed_at_ms, activated_at_ms, ended_at_ms)
    select pg_temp.key(n * 2 + i), pg_temp.client(n), pg_temp.id(:now - 290 * ${day} + n, n * 2, 'request'),
      case when i = 0 then 'active' else 'replaced' end, 'replace', 'ssh-ed25519', 256,
      'SHA256:' || pg_temp.hash(n * 2 + i, 'fingerprint'), '\\x00'::bytea, 'key',
      case when n % 3 = 0 then :now + (1 + n % 700) * ${day} end,
      case when n % 3 = 0 and n % 700 < 60 then case when n % 700 < 7 then 7 when n % 700 < 30 then 30 else 60 end end,
      :now - 290 * ${day}, :now - 289 * ${day}, :now - 280 * ${day}, case when i = 1 then :now - 100 * ${day} end
    from generate_series(0, :clients - 1) n, generate_series(0, 1) i where ${bySftp} and (i = 0 or n % 5 = 1)`,
  ],
  [
    'certificates',
    `insert into openpgp_certificates (id, client_id, request_id, state, purpose, fingerprint, subkey_id, algorithm, user_ids,
      cipher, certificate, recipient, expires_at_ms, warned_days, submitted_at_ms, imported_at_ms, enabled_at_ms, ended_at_ms)
    select pg_temp.id(:now - 285 * ${day} + n, n, 'certificate'), pg_temp.client(n),
      pg_temp.id(:now - 290 * ${day} + n, n * 2, 'request'),
      case when n % 10 = 4 then 'expired' when n % 900 < 60 then 'expiring' else 'enabled' end, 'replace',
      pg_temp.hash(n, 'certificate'), substr(md5('subkey' || n), 1, 16), 'x25519', '[]'::jsonb, 'aes256', '\\x00'::bytea,
      '{}'::jsonb, case when n % 10 = 4 then :now - 5 * ${day} else :now + (1 + n % 900) * ${day} end,
      case when n % 900 < 60 then case when n % 900 < 7 then 7 when n % 900 < 30 then 30 else 60 end end,
      :now - 285 * ${day}, :now - 284 * ${day}, :now - 283 * ${day}, case when n % 10 = 4 then :now - 5 * ${day} end
    from generate_series(0, :clients - 1) n where n % 10 < 7`,
  ],
  [
    'addresses',
    `insert into address_entries (id, client_id, request_id, effect, network, state, submitted_at_ms, confirmed_at_ms,
      activated_at_ms, removed_at_ms, reason)
    select pg_temp.id(:now - 289 * ${day} + n * 3 + i, n * 3 + i, 'address'), pg_temp.client(n),
      pg_temp.id(:now - 290 * ${day} + n, n * 2, 'request'), 'allow',
      network((case when i = 0 then '20.0.0.0'::inet + n else '40.0.0.0'::inet + (n * 3 + i) end)),
      case when i = 2 then 'removed' else 'active' end, :now - 289 * ${day}, :now - 288 * ${day}, :now - 280 * ${day},
      case when i = 2 then :now - 100 * ${day} end, case when i = 2 then 'asked' end
    from generate_series(0, :clients - 1) n, generate_series(0, 2) i where ${bySftp} and (i < 2 or n % 10 = 0)
    union all
    select pg_temp.id(:now - 50 * ${day} + n, n, 'block'), null, null, 'block', network('60.0.0.0'::inet + n * 7), 'active',
      :now - 50 * ${day}, null, :now - 50 * ${day}, null, null from generate_series(0, 20) n`,
  ],
  [
    'sftp_connections',
    `insert into sftp_connections (id, client_id, ssh_key_id, address, opened_at_ms, ended_at_ms, end_reason,
      client_software, kex, host_key_algorithm, cipher, mac, bytes_in, bytes_out)
    select pg_temp.id(at_ms, s, 'connection'), pg_temp.client(n), pg_temp.key(n * 2), '20.0.0.0'::inet + n, at_ms,
      at_ms + 4000, 'closed', 'OpenSSH_9.2', 'mlkem768x25519-sha256', 'ssh-ed25519', 'aes128-gcm@openssh.com', 'none', 4000,
      90000
    from generate_series(0, :statements - 1) s,
      lateral (select s % :clients as n, :now - 100 * ${day} + s * (99 * ${day}) / :statements as at_ms) t where ${bySftp}`,
  ],
  [
    'connection_refusals',
    `insert into connection_refusals (id, hour_ms, address, client_id, user_name, reason, detail_key, detail, count,
      first_at_ms, last_at_ms)
    select pg_temp.id(at_ms, s, 'refusal'), at_ms / 3600000 * 3600000,
      case when s % 3 = 0 then '20.0.0.0'::inet + n else '70.0.0.0'::inet + s end,
      case when s % 3 = 0 then pg_temp.client(n) end,
      case when s % 3 = 0 then 'd' || substr(md5('user' || n), 1, 13) else '' end,
      case when s % 3 = 0 then 'key_not_registered' else 'address_not_listed' end, s::text,
      case when s % 3 = 0 then '{"fingerprint":"SHA256:none"}'::jsonb else '{}'::jsonb end, 1, at_ms, at_ms + 1000
    from generate_series(0, :statements / 3) s,
      lateral (select s % :clients as n, :now - 99 * ${day} + s * (99 * ${day}) / (:statements / 3 + 1) as at_ms) t
    where ${bySftp}`,
  ],
];
