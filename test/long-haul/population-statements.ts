// Rows of statements and of all that follows each: its delivery, file, manifest, receipts, deletions, notices and records.
import type { Step } from './population.ts';

const day = '86400000::bigint';

export const statementSteps: readonly Step[] = [
  [
    // One row a statement with what the steps below need of it: client `c`, account `a`, age in days `d` (199 the newest).
    // Statements go round the clients; each hundredth belongs to the institution, spread over its accounts.
    'facts',
    `create temp table pop as
    select n, c, a, d, kind, at_ms, pg_temp.id(at_ms, n, 'statement') as id, pg_temp.client(c) as client_id,
      pg_temp.account(a) as account_id, case when a >= 100000000 then 'I' || 9000000 + a - 100000000 else 'U' || 1000000 + a end
        as number,
      (to_timestamp(at_ms / 1000) at time zone 'UTC')::date as on_day, d < 100 as is_old,
      d >= 195 and c % 10 = 4 and c % 20 <> 19 as is_waiting, n % 500 = 11 as is_withdrawn, c % 20 <> 19 as by_sftp
    from (
      select n, case when n % 100 = 0 then 0 else n % :clients end as c,
        case when n % 100 = 0 then 100000000 + n / 100 % 50 else n % :clients end as a,
        case when n % 1000 = 7 then 'annual' when n % 10 = 3 then 'confirmation' else 'activity' end as kind,
        (case when n % 100 = 0 then n / 100 * 200 / greatest(1, :statements / 100)
          else n / :clients * 200 / :each + n % :clients % greatest(1, 200 / :each) end)::bigint as d
      from generate_series(0::bigint, :statements - 1) n
    ) numbered, lateral (select :now - (200 - d) * ${day} + n % 20000 * 1000 as at_ms) t
    order by at_ms;
    analyze pop`,
  ],
  [
    'statements',
    `insert into statements (id, client_id, account_id, account_number, kind, period_from, period_to, extension, version,
      name, blob_id, size_bytes, sha256, issued_at_ms, expires_at_ms, expired_at_ms, withdrawn_at_ms, withdrawn_reason, run_id)
    select id, client_id, account_id, number, kind, case when kind = 'annual' then on_day - 364 else on_day end, on_day, 'pdf',
      1, number || '_' || kind || '_' || to_char(on_day, 'YYYYMMDD') || '.pdf',
      case when not is_old then pg_temp.id(at_ms, n, 'portal blob') end, 50000, pg_temp.hash(n, 'plain'), at_ms,
      case when not is_waiting then at_ms + 100 * ${day} end, case when is_old then at_ms + 100 * ${day} end,
      case when is_withdrawn then at_ms + 60000 end, case when is_withdrawn then 'wrong' end,
      case when n % 10 <> 0 then pg_temp.id(:now - (200 - d) * ${day}, d, 'run') end
    from pop`,
  ],
  [
    'deliveries',
    `insert into deliveries (statement_id, client_id, state, waits_for, waiting_since_ms, name, entry_id, is_encrypted,
      certificate_id, certificate_fingerprint, subkey_id, size_bytes, sha256, placed_at_ms)
    select id, client_id, case when is_waiting then 'waiting' else 'placed' end,
      case when is_waiting then 'usable_key' end, at_ms, number || kind || d || '.pdf.pgp',
      case when not is_waiting then pg_temp.id(at_ms, n, 'entry') end, true, null, pg_temp.hash(c, 'certificate'),
      substr(md5('subkey' || c), 1, 16), 50300, pg_temp.hash(n, 'delivered'), case when not is_waiting then at_ms + 1000 end
    from pop where by_sftp`,
  ],
  [
    'repositories',
    `insert into repositories (client_id, used_bytes, used_entries, made_at_ms)
    select pg_temp.client(n), 0, 0, :now - 280 * ${day} from generate_series(0, :clients - 1) n where n % 20 <> 19`,
  ],
  [
    'files',
    `insert into entries (id, client_id, path, parent, name, kind, origin, blob_id, size_bytes, sha256, placed_at_ms,
      modified_at_ms, statement_id, listed_in)
    select pg_temp.id(at_ms, n, 'entry'), client_id, '/' || name, '/', name, 'file', 'broker', pg_temp.id(at_ms, n, 'blob'),
      50300, pg_temp.hash(n, 'delivered'), at_ms + 1000, at_ms + 1000, id, d::integer + 1
    from pop, lateral (select substr(md5('feed' || number), 1, 12) || '_' || kind || '_' || to_char(on_day, 'YYYYMMDD')
      || '.pdf.pgp' as name) named
    where by_sftp and not is_old and not is_waiting and not is_withdrawn`,
  ],
  [
    'folders of manifests',
    `insert into entries (id, client_id, path, parent, name, kind, origin, placed_at_ms, modified_at_ms)
    select pg_temp.id(made_at_ms, row_number() over (), 'folder'), client_id, '/manifests', '/', 'manifests', 'folder',
      'broker', made_at_ms, made_at_ms from repositories`,
  ],
  [
    // As many as the days on which a client got something; numbers without gaps do not matter to what is measured.
    'manifests',
    `insert into manifests (client_id, number, day, sha256, is_final, made_at_ms)
    select client_id, d::integer + 1, min(on_day), pg_temp.hash(min(n), 'manifest'), true, min(at_ms) + 7200000
    from pop where by_sftp and not is_waiting group by client_id, d`,
  ],
  [
    'files of manifests',
    `insert into entries (id, client_id, path, parent, name, kind, origin, blob_id, size_bytes, sha256, placed_at_ms,
      modified_at_ms)
    select pg_temp.id(made_at_ms, s, sha256 || 'list'), client_id, '/manifests/' || name, '/manifests', name, 'file', 'broker',
      pg_temp.id(made_at_ms, s, sha256), 900, sha256, made_at_ms, made_at_ms
    from manifests, generate_series(0, 1) s,
      lateral (select to_char(day, 'YYYY-MM-DD') || case when s = 0 then '.json' else '.json.sig' end as name) named
    where made_at_ms > :now - 100 * ${day}`,
  ],
  [
    'uploads',
    `insert into entries (id, client_id, path, parent, name, kind, origin, blob_id, size_bytes, sha256, placed_at_ms,
      modified_at_ms)
    select pg_temp.id(at_ms, n, 'upload'), pg_temp.client(n), '/upload' || i || '.csv', '/', 'upload' || i || '.csv', 'file',
      'client', pg_temp.id(at_ms, n * 3 + i, 'upload blob'), 4000, pg_temp.hash(n, 'upload'), at_ms, at_ms
    from generate_series(0, :clients - 1) n, generate_series(0, 2) i,
      lateral (select :now - (1 + i * 30) * ${day} + n as at_ms) t where n % 20 = 2`,
  ],
  [
    'partial uploads',
    `insert into uploads (id, client_id, path, blob_id, holder, state, size_bytes, reserved_bytes, begun_at_ms, touched_at_ms)
    select pg_temp.id(:now - 3600000 + n, n, 'partial'), pg_temp.client(n), '/partial.csv',
      pg_temp.id(:now - 3600000 + n, n, 'partial blob'), pg_temp.id(:now, n, 'holder'), 'kept', 0, 0, :now - 3600000,
      :now - 3600000 from generate_series(0, :clients - 1) n where n % 20 < 8`,
  ],
  [
    'runs',
    `insert into runs (id, reference, state, is_dry_run, csv_sha256, rows_total, rows_done, asked_by, begun_at_ms,
      checked_at_ms, done_at_ms)
    select pg_temp.id(at_ms, d, 'run'), 'daily-' || d, 'done', false, pg_temp.hash(d, 'csv'), 1, 1, 'system:population', at_ms,
      at_ms, at_ms + 60000
    from generate_series(-800, 199) d, lateral (select :now - (200 - d) * ${day} as at_ms) t`,
  ],
  [
    'lines of runs',
    `insert into run_rows (run_id, row_number, account_number, kind, period, file_name, sha256, state, statement_id, done_at_ms)
    select pg_temp.id(:now - (200 - d) * ${day}, d, 'run'), n, number, kind, on_day::text, n || '.pdf',
      pg_temp.hash(n, 'plain'), 'issued', id, at_ms from pop where n % 10 <> 0`,
  ],
  [
    'files of runs',
    `insert into run_files (run_id, name, size_bytes, sha256)
    select run_id, file_name, 50000, sha256 from run_rows`,
  ],
  [
    'receipts',
    `insert into receipts (id, client_id, statement_id, form, path, sha256, size_bytes, actor, face, address, through,
      key_fingerprint, opened_at_ms, closed_at_ms, sent_bytes, ranges, is_whole, is_cut)
    select pg_temp.id(at_ms + 3600000, n * 2 + i, 'receipt'), client_id, id,
      case when i = 0 then 'delivered' else 'portal' end, '/file.pdf.pgp', pg_temp.hash(n, 'delivered'), 50300,
      'client:' || client_id, 'sftp', '20.0.0.1', pg_temp.id(at_ms, n, 'connection'),
      'SHA256:' || pg_temp.hash(c * 2, 'fingerprint'), at_ms + 3600000, at_ms + 3601000, 50300,
      '[{"startBytes":0,"endBytes":50300}]'::jsonb, true, false
    from pop, generate_series(0, 1) i where i = 0 or n % 5 = 0`,
  ],
  [
    'deletions',
    `insert into deletions (number, client_id, what, why, path, sha256, size_bytes, statement_id, placed_at_ms, deleted_at_ms,
      hash, listed_in)
    select row_number() over (order by at_ms, n, what), client_id, what, 'retention', '/' || number || d || '.pdf.pgp',
      pg_temp.hash(n, 'delivered'), 50300, id, at_ms, at_ms + 100 * ${day}, pg_temp.hash(n, what),
      case when what = 'file' then d::integer + 101 end
    from pop, unnest(array['file', 'portal_copy']) what where is_old and (by_sftp or what = 'portal_copy')`,
  ],
  [
    'seals of deletions',
    `insert into deletion_seals (number, hash, signature, key_fingerprint, sealed_at_ms)
    select number, hash, '\\x00'::bytea, 'key', deleted_at_ms from deletions where number % 5 = 0`,
  ],
  [
    'audit',
    `insert into audit (at_ms, actor, origin, action, subject, detail, seal_index, seal_hash)
    select at_ms, 'system:run', '{"face":"internal"}'::jsonb, 'statement.placed', 'statement:' || id, '{"placed":[]}'::jsonb,
      row_number() over (order by at_ms, n), pg_temp.hash(n, 'seal') from pop`,
  ],
  [
    'events',
    `insert into outbox (event_id, kind, payload, state, attempts, recorded_at_ms, ended_at_ms)
    select pg_temp.id(at_ms, n, 'event'), 'statement.placed', jsonb_build_object('clientId', client_id), 'done', 1, at_ms,
      at_ms + 500 from pop where d >= 170`,
  ],
  [
    'answers to requests',
    `insert into requests (actor, operation, request_id, input_hash, answer, created_at_ms)
    select 'system:statements', 'notify', pg_temp.id(at_ms, n, 'event'), pg_temp.hash(n, 'input'), 'null',
      :now - n % 600000 * 1000 from pop where d >= 180`,
  ],
  [
    'notices',
    `insert into notices (id, client_id, desk, kind, params, text, created_at_ms, read_at_ms, read_by)
    select pg_temp.id(at_ms + 2000, n, 'notice'), case when n % 50 <> 1 then client_id end,
      case when n % 50 = 1 then 'delivery' end, 'statement_new', '{}'::jsonb, 'A new statement is there.', at_ms + 2000,
      case when n % 3 <> 0 then at_ms + 86400000 end, case when n % 3 <> 0 then 'client:' || client_id end from pop`,
  ],
  [
    'numbers go on',
    `select setval(pg_get_serial_sequence('audit', 'sequence'), greatest(1, (select max(sequence) from audit)))`,
  ],
];
