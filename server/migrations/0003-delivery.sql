-- Why: elections, requests, keys, allow-list and the record of refused connections. Lock: none that lasts, every table is new.

-- Every move between states that the brief allows, for all objects of delivery; check_delivery_move reads it.
create table delivery_moves (
  object text not null,
  from_state text not null,
  to_state text not null,
  primary key (object, from_state, to_state)
);
insert into delivery_moves (object, from_state, to_state) values
  ('connection', 'elected', 'waiting_for_keys'),
  ('connection', 'elected', 'closed'),
  ('connection', 'waiting_for_keys', 'checking'),
  ('connection', 'waiting_for_keys', 'closed'),
  ('connection', 'checking', 'refused'),
  ('connection', 'checking', 'waiting_for_keys'),
  ('connection', 'checking', 'waiting_for_confirmation'),
  ('connection', 'refused', 'checking'),
  ('connection', 'refused', 'closed'),
  ('connection', 'waiting_for_confirmation', 'checking'),
  ('connection', 'waiting_for_confirmation', 'waiting_for_approval'),
  ('connection', 'waiting_for_confirmation', 'refused'),
  ('connection', 'waiting_for_confirmation', 'closed'),
  ('connection', 'waiting_for_approval', 'checking'),
  ('connection', 'waiting_for_approval', 'configured'),
  ('connection', 'waiting_for_approval', 'refused'),
  ('connection', 'waiting_for_approval', 'closed'),
  ('connection', 'configured', 'proven'),
  ('connection', 'configured', 'suspended'),
  ('connection', 'configured', 'closed'),
  ('connection', 'proven', 'suspended'),
  ('connection', 'proven', 'closed'),
  ('connection', 'suspended', 'configured'),
  ('connection', 'suspended', 'closed'),
  ('connection', 'closed', 'elected'),
  ('ssh_key', 'submitted', 'refused'),
  ('ssh_key', 'submitted', 'checked'),
  ('ssh_key', 'checked', 'confirmed'),
  ('ssh_key', 'checked', 'refused'),
  ('ssh_key', 'confirmed', 'approved'),
  ('ssh_key', 'confirmed', 'refused'),
  ('ssh_key', 'approved', 'active'),
  ('ssh_key', 'approved', 'refused'),
  ('ssh_key', 'active', 'replaced'),
  ('ssh_key', 'active', 'revoked'),
  ('ssh_key', 'active', 'expired'),
  ('certificate', 'submitted', 'refused'),
  ('certificate', 'submitted', 'checked'),
  ('certificate', 'checked', 'confirmed'),
  ('certificate', 'checked', 'refused'),
  ('certificate', 'confirmed', 'imported'),
  ('certificate', 'confirmed', 'refused'),
  ('certificate', 'imported', 'enabled'),
  ('certificate', 'imported', 'replaced'),
  ('certificate', 'imported', 'revoked'),
  ('certificate', 'imported', 'expired'),
  ('certificate', 'enabled', 'imported'),
  ('certificate', 'enabled', 'expiring'),
  ('certificate', 'enabled', 'expired'),
  ('certificate', 'enabled', 'replaced'),
  ('certificate', 'enabled', 'revoked'),
  ('certificate', 'expiring', 'imported'),
  ('certificate', 'expiring', 'expired'),
  ('certificate', 'expiring', 'replaced'),
  ('certificate', 'expiring', 'revoked'),
  ('address', 'submitted', 'confirmed'),
  ('address', 'submitted', 'removed'),
  ('address', 'confirmed', 'approved'),
  ('address', 'confirmed', 'removed'),
  ('address', 'approved', 'active'),
  ('address', 'approved', 'removed'),
  ('address', 'active', 'removed'),
  ('request', 'open', 'in_work'),
  ('request', 'in_work', 'done'),
  ('request', 'in_work', 'refused');

create function check_delivery_move() returns trigger language plpgsql as $$
begin
  if new.state <> old.state and not exists (
    select 1 from delivery_moves
    where object = tg_argv[0] and from_state = old.state and to_state = new.state
  ) then
    raise exception '% cannot go from % to %', tg_argv[0], old.state, new.state
      using errcode = 'check_violation', constraint = 'delivery_moves';
  end if;
  return new;
end $$;

-- Where a client wants its reports, and whether they are encrypted: one switch for all of them.
create table delivery_elections (
  client_id text primary key references clients (id),
  sftp boolean not null default false,
  portal boolean not null default true,
  contact text,
  encryption text not null default 'off' check (encryption in ('off', 'on')),
  elected_at_ms bigint not null,
  changed_at_ms bigint not null,
  check (sftp or portal)
);

-- The way in to a client's repository; user name and password are issued together and the name never changes.
create table delivery_connections (
  client_id text primary key references clients (id),
  state text not null check (state in ('elected', 'waiting_for_keys', 'checking', 'refused', 'waiting_for_confirmation',
    'waiting_for_approval', 'configured', 'proven', 'suspended', 'closed')),
  reason text,
  user_name text unique,
  password_hash text,
  login_issued_at_ms bigint,
  elected_at_ms bigint not null,
  configured_at_ms bigint,
  proven_at_ms bigint,
  changed_at_ms bigint not null,
  check ((user_name is null) = (password_hash is null)),
  check ((user_name is null) = (login_issued_at_ms is null)),
  check (state not in ('configured', 'proven') or (user_name is not null and configured_at_ms is not null)),
  check (state not in ('refused', 'suspended') or reason is not null)
);
create trigger delivery_connections_move before update on delivery_connections
  for each row execute function check_delivery_move('connection');

create function keep_issued_user_name() returns trigger language plpgsql as $$
begin
  if old.user_name is not null and new.user_name is distinct from old.user_name then
    raise exception 'an issued user name never changes' using errcode = 'check_violation', constraint = 'user_name_kept';
  end if;
  return new;
end $$;
create trigger delivery_connections_user_name before update on delivery_connections
  for each row execute function keep_issued_user_name();

create table delivery_requests (
  id text primary key,
  client_id text not null references clients (id),
  kind text not null check (kind in ('set_up', 'new_key', 're_key', 'new_address')),
  channel text not null check (channel in ('portal', 'desk', 'mail')),
  state text not null check (state in ('open', 'in_work', 'done', 'refused')),
  requester text not null check (requester ~ '^(client|operator):.'),
  -- Everybody who handed in something that the request holds; what is added later may come from somebody else.
  submitters text[] not null,
  approvals_needed smallint not null check (approvals_needed between 0 and 2),
  opened_at_ms bigint not null,
  confirmed_at_ms bigint,
  due_at_ms bigint not null,
  taken_at_ms bigint,
  taken_by text,
  approved_at_ms bigint,
  finished_at_ms bigint,
  reason text,
  unique (id, requester),
  check (requester = any (submitters)),
  check (state <> 'refused' or reason is not null),
  check ((state in ('done', 'refused')) = (finished_at_ms is not null)),
  check (state <> 'done' or approved_at_ms is not null)
);
create trigger delivery_requests_move before update on delivery_requests
  for each row execute function check_delivery_move('request');
create unique index delivery_requests_one_set_up on delivery_requests (client_id)
  where kind = 'set_up' and state in ('open', 'in_work');
create index delivery_requests_of_client on delivery_requests (client_id, id desc);
create index delivery_requests_queue on delivery_requests (due_at_ms, id) where state in ('open', 'in_work');

-- The composite key carries the requester along, so that "approver is not requester" is a plain CHECK.
create table request_approvals (
  request_id text not null,
  requester text not null,
  approver text not null check (approver ~ '^operator:.'),
  approved_at_ms bigint not null,
  primary key (request_id, approver),
  foreign key (request_id, requester) references delivery_requests (id, requester),
  check (approver <> requester)
);

create function check_approver() returns trigger language plpgsql as $$
begin
  if exists (select 1 from delivery_requests where id = new.request_id and new.approver = any (submitters)) then
    raise exception 'nobody approves what they handed in themselves'
      using errcode = 'check_violation', constraint = 'approver_is_no_submitter';
  end if;
  return new;
end $$;
create trigger request_approvals_approver before insert or update on request_approvals
  for each row execute function check_approver();

create function check_request_approved() returns trigger language plpgsql as $$
begin
  if new.approvals_needed <> old.approvals_needed or new.requester <> old.requester then
    raise exception 'who asked, and how many must approve, is fixed when a request opens'
      using errcode = 'check_violation', constraint = 'request_terms_kept';
  end if;
  if new.approved_at_ms is not null and old.approved_at_ms is null and (
    new.confirmed_at_ms is null
    or (select count(*) from request_approvals where request_id = new.id) < new.approvals_needed
  ) then
    raise exception 'the request lacks the client''s confirmation or an approval'
      using errcode = 'check_violation', constraint = 'request_approvals_complete';
  end if;
  return new;
end $$;
create trigger delivery_requests_approved before update on delivery_requests
  for each row execute function check_request_approved();

create function check_item_approved() returns trigger language plpgsql as $$
begin
  if new.state <> old.state and new.state in ('approved', 'imported') and old.state = 'confirmed' and not exists (
    select 1 from delivery_requests where id = new.request_id and approved_at_ms is not null
  ) then
    raise exception 'the request of this item is not approved'
      using errcode = 'check_violation', constraint = 'item_approved';
  end if;
  return new;
end $$;

create table ssh_keys (
  id text primary key,
  client_id text not null references clients (id),
  request_id text not null references delivery_requests (id),
  state text not null check (state in ('submitted', 'refused', 'checked', 'confirmed', 'approved', 'active', 'replaced',
    'revoked', 'expired')),
  purpose text not null check (purpose in ('replace', 'add')),
  algorithm text,
  bits integer,
  fingerprint text,
  blob bytea,
  comment text,
  reason text,
  expires_at_ms bigint,
  warned_days smallint,
  submitted_at_ms bigint not null,
  confirmed_at_ms bigint,
  activated_at_ms bigint,
  ended_at_ms bigint,
  replaced_by text references ssh_keys (id),
  check (state in ('submitted', 'refused') or (blob is not null and fingerprint is not null and algorithm is not null)),
  check (state <> 'refused' or reason is not null),
  check (state <> 'active' or (activated_at_ms is not null and ended_at_ms is null)),
  check (state not in ('replaced', 'revoked', 'expired') or ended_at_ms is not null)
);
create trigger ssh_keys_move before update on ssh_keys for each row execute function check_delivery_move('ssh_key');
create trigger ssh_keys_approved before update on ssh_keys for each row execute function check_item_approved();
-- One key opens one client's repository; it also settles two clients' approvals in the same instant.
create unique index ssh_keys_in_force on ssh_keys (fingerprint) where state in ('approved', 'active');
create index ssh_keys_of_client on ssh_keys (client_id, fingerprint);
create index ssh_keys_by_fingerprint on ssh_keys (fingerprint);
create index ssh_keys_of_request on ssh_keys (request_id);

create table openpgp_certificates (
  id text primary key,
  client_id text not null references clients (id),
  request_id text not null references delivery_requests (id),
  state text not null check (state in ('submitted', 'refused', 'checked', 'confirmed', 'imported', 'enabled', 'expiring',
    'expired', 'replaced', 'revoked')),
  purpose text not null check (purpose in ('replace', 'add')),
  fingerprint text,
  subkey_id text,
  algorithm text,
  user_ids jsonb,
  cipher text,
  certificate bytea,
  recipient jsonb,
  reason text,
  expires_at_ms bigint,
  warned_days smallint,
  submitted_at_ms bigint not null,
  confirmed_at_ms bigint,
  imported_at_ms bigint,
  enabled_at_ms bigint,
  ended_at_ms bigint,
  replaced_by text references openpgp_certificates (id),
  check (state in ('submitted', 'refused')
    or (certificate is not null and fingerprint is not null and subkey_id is not null and recipient is not null)),
  check (state <> 'refused' or reason is not null),
  check (state not in ('enabled', 'expiring') or enabled_at_ms is not null)
);
create trigger openpgp_certificates_move before update on openpgp_certificates
  for each row execute function check_delivery_move('certificate');
create trigger openpgp_certificates_approved before update on openpgp_certificates
  for each row execute function check_item_approved();
create index openpgp_certificates_of_client on openpgp_certificates (client_id, id desc);
create index openpgp_certificates_of_request on openpgp_certificates (request_id);

-- 'allow' lets a client in; 'block' is the desk's own entry and belongs to nobody. The longest prefix decides.
create table address_entries (
  id text primary key,
  client_id text references clients (id),
  request_id text references delivery_requests (id),
  effect text not null check (effect in ('allow', 'block')),
  network cidr not null,
  state text not null check (state in ('submitted', 'confirmed', 'approved', 'active', 'removed')),
  reason text,
  submitted_at_ms bigint not null,
  confirmed_at_ms bigint,
  activated_at_ms bigint,
  removed_at_ms bigint,
  check ((effect = 'allow') = (client_id is not null)),
  check ((effect = 'allow') = (request_id is not null)),
  check (state <> 'removed' or (removed_at_ms is not null and reason is not null)),
  check (state <> 'active' or activated_at_ms is not null)
);
create trigger address_entries_move before update on address_entries
  for each row execute function check_delivery_move('address');
create trigger address_entries_approved before update on address_entries
  for each row when (new.effect = 'allow') execute function check_item_approved();
create unique index address_entries_in_force on address_entries (client_id, network)
  where state <> 'removed' and effect = 'allow';
create unique index address_entries_blocked on address_entries (network) where state = 'active' and effect = 'block';
create index address_entries_answered on address_entries using gist (network inet_ops) where state in ('approved', 'active');
create index address_entries_of_client on address_entries (client_id, id desc);
create index address_entries_of_request on address_entries (request_id);

-- What remains of a private key that was handed in: when, how, which sort and how often; nothing of the key.
create table private_key_refusals (
  client_id text not null references clients (id),
  channel text not null,
  kind text not null,
  count bigint not null,
  first_at_ms bigint not null,
  last_at_ms bigint not null,
  primary key (client_id, channel, kind)
);

-- One row for each hour, address, user name, reason and detail, so that a flood counts up instead of filling the disk.
create table connection_refusals (
  id text primary key,
  hour_ms bigint not null,
  address inet,
  client_id text references clients (id),
  user_name text not null,
  reason text not null,
  detail_key text not null,
  detail jsonb not null,
  count bigint not null,
  first_at_ms bigint not null,
  last_at_ms bigint not null
);
create unique index connection_refusals_bucket
  on connection_refusals (hour_ms, address, user_name, reason, detail_key) nulls not distinct;
create index connection_refusals_newest on connection_refusals (last_at_ms desc, id desc);
create index connection_refusals_of_client on connection_refusals (client_id, last_at_ms desc, id desc);
create index connection_refusals_of_address on connection_refusals (address, last_at_ms desc) where client_id is null;

-- One row for each connection that signed in: the transcript that the client and the desk may read.
create table sftp_connections (
  id text primary key,
  client_id text not null references clients (id),
  ssh_key_id text not null references ssh_keys (id),
  address inet not null,
  opened_at_ms bigint not null,
  ended_at_ms bigint,
  end_reason text,
  client_software text,
  kex text,
  host_key_algorithm text,
  cipher text,
  mac text,
  bytes_in bigint,
  bytes_out bigint
);
create index sftp_connections_of_client on sftp_connections (client_id, opened_at_ms desc, id desc);
create index sftp_connections_newest on sftp_connections (opened_at_ms desc, id desc);
create index sftp_connections_address on sftp_connections (address, opened_at_ms desc);
