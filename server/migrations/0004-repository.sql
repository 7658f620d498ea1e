-- Repositories, issued statements, runs, and the proof of what was delivered, fetched and deleted. New tables only: it locks nothing that others use.

-- One row a client: what its uploads use of the quota. Every change of the tree by the client locks it first.
create table repositories (
  client_id text primary key references clients (id),
  used_bytes bigint not null default 0 check (used_bytes >= 0),
  used_entries integer not null default 0 check (used_entries >= 0),
  made_at_ms bigint not null
);

-- One document issued to an account, in one format. The plaintext is the portal's copy.
create table statements (
  id text primary key,
  client_id text not null references clients (id),
  account_id text not null references accounts (id),
  account_number text not null,
  kind text not null check (kind ~ '^[a-z][a-z0-9-]{0,23}$'),
  period_from date not null,
  period_to date not null check (period_to >= period_from),
  extension text not null check (extension ~ '^[a-z0-9]{1,8}$'),
  version integer not null check (version >= 1),
  name text not null,
  title text,
  blob_id text,
  size_bytes bigint not null,
  sha256 text not null,
  issued_at_ms bigint not null,
  expires_at_ms bigint,
  expired_at_ms bigint,
  withdrawn_at_ms bigint,
  withdrawn_reason text,
  run_id text,
  unique (account_id, kind, period_to, extension, version)
);
create index statements_by_client on statements (client_id, id);
create index statements_by_account on statements (account_id, id);
create index statements_by_expiry on statements (expires_at_ms) where blob_id is not null;
create index statements_by_run on statements (run_id, client_id) where run_id is not null;
create index statements_by_blob on statements (blob_id) where blob_id is not null;

-- What names an account in delivered files instead of its number.
create table feeds (
  account_id text primary key references accounts (id),
  code text not null unique
);

-- The delivered form of a statement: waits (for the connection, a usable key, its turn), or lies in the repository.
create table deliveries (
  statement_id text primary key references statements (id),
  client_id text not null references clients (id),
  state text not null check (state in ('waiting', 'placed')),
  waits_for text check (waits_for in ('connection', 'usable_key', 'encryption')),
  waiting_since_ms bigint,
  name text,
  entry_id text,
  is_encrypted boolean,
  certificate_id text,
  certificate_fingerprint text,
  subkey_id text,
  size_bytes bigint,
  sha256 text,
  placed_at_ms bigint,
  check ((state = 'waiting') = (waits_for is not null)),
  check ((state = 'placed') = (placed_at_ms is not null))
);
create index deliveries_waiting on deliveries (client_id, statement_id) where state = 'waiting';
create index deliveries_by_day on deliveries (client_id, placed_at_ms) where state = 'placed';

-- The tree. `path` is canonical; collation C makes a folder's descendants one range of it.
create table entries (
  id text primary key,
  client_id text not null references repositories (client_id),
  path text collate "C" not null,
  parent text collate "C" not null,
  name text collate "C" not null,
  kind text not null check (kind in ('file', 'folder')),
  origin text not null check (origin in ('broker', 'client')),
  blob_id text,
  size_bytes bigint not null default 0,
  sha256 text,
  placed_at_ms bigint not null,
  modified_at_ms bigint not null,
  statement_id text references statements (id),
  listed_in integer,
  check ((kind = 'file') = (blob_id is not null))
);
create index entries_unlisted on entries (client_id) where statement_id is not null and listed_in is null;
create unique index entries_by_path on entries (client_id, path);
create index entries_by_parent on entries (client_id, parent, name);
create index entries_by_age on entries (placed_at_ms) where kind = 'file';
create index entries_by_blob on entries (blob_id) where blob_id is not null;
create index entries_by_statement on entries (statement_id) where statement_id is not null;

-- Uploads that are not published: written now, or kept for resume. `holder` names the open handle that may write.
create table uploads (
  id text primary key,
  client_id text not null references repositories (client_id),
  path text collate "C" not null,
  blob_id text not null unique,
  holder text not null,
  state text not null check (state in ('open', 'kept')),
  size_bytes bigint not null default 0,
  reserved_bytes bigint not null default 0 check (reserved_bytes >= 0),
  begun_at_ms bigint not null,
  touched_at_ms bigint not null
);
create unique index uploads_by_path on uploads (client_id, path);
create index uploads_by_age on uploads (touched_at_ms);

-- A batch handed over by the delivery desk.
create table runs (
  id text primary key,
  reference text not null unique,
  state text not null check (state in ('receiving', 'refused', 'checked', 'running', 'done')),
  is_dry_run boolean not null,
  csv_sha256 text,
  rows_total integer not null default 0,
  rows_done integer not null default 0,
  rows_failed integer not null default 0,
  rows_waiting integer not null default 0,
  asked_by text not null,
  begun_at_ms bigint not null,
  checked_at_ms bigint,
  done_at_ms bigint
);

create table run_files (
  run_id text not null references runs (id),
  name text collate "C" not null,
  blob_id text,
  size_bytes bigint not null,
  sha256 text not null,
  primary key (run_id, name)
);
create index run_files_by_blob on run_files (blob_id) where blob_id is not null;

create table run_rows (
  run_id text not null references runs (id),
  row_number integer not null,
  account_number text not null,
  account_id text,
  client_id text,
  kind text not null,
  period text not null,
  file_name text not null,
  sha256 text not null,
  state text not null check (state in ('waiting', 'issued', 'failed', 'refused')),
  statement_id text references statements (id),
  code text,
  detail text,
  done_at_ms bigint,
  primary key (run_id, row_number)
);
create index run_rows_waiting on run_rows (run_id, row_number) where state = 'waiting';

-- Who fetched which bytes of what. Written once, never changed, kept when the file is gone or withdrawn.
create table receipts (
  id text primary key,
  client_id text not null,
  statement_id text,
  form text not null check (form in ('portal', 'delivered', 'upload', 'manifest')),
  path text not null,
  sha256 text,
  size_bytes bigint not null,
  actor text not null,
  face text not null,
  address text,
  through text,
  key_fingerprint text,
  opened_at_ms bigint not null,
  closed_at_ms bigint not null,
  sent_bytes bigint not null,
  ranges jsonb not null,
  is_whole boolean not null,
  is_cut boolean not null
);
create index receipts_by_client on receipts (client_id, id);
create index receipts_by_statement on receipts (statement_id, id) where statement_id is not null;

-- One signed list a client and day, chained to the list before; what is placed or taken away says in which list it stands.
create table manifests (
  client_id text not null references repositories (client_id),
  number integer not null,
  day date not null,
  sha256 text not null,
  is_final boolean not null,
  made_at_ms bigint not null,
  primary key (client_id, number),
  unique (client_id, day)
);

-- What retention and withdrawal took away, each row bound to the one before by its hash; seals sign the head.
create table deletions (
  number bigint primary key,
  client_id text not null,
  what text not null check (what in ('file', 'portal_copy', 'partial_upload')),
  why text not null check (why in ('retention', 'withdrawn')),
  path text not null,
  sha256 text,
  size_bytes bigint not null,
  statement_id text,
  placed_at_ms bigint not null,
  deleted_at_ms bigint not null,
  hash text not null,
  listed_in integer
);
create index deletions_by_client on deletions (client_id, number);
create index deletions_unlisted on deletions (client_id) where what = 'file' and statement_id is not null and listed_in is null;

create table deletion_seals (
  number bigint primary key references deletions (number),
  hash text not null,
  signature bytea not null,
  key_fingerprint text not null,
  sealed_at_ms bigint not null
);

-- The last time that retention believed, to notice a wall clock that jumped.
create table retention_clock (
  single boolean primary key default true check (single),
  seen_at_ms bigint not null,
  held_since_ms bigint,
  confirmed_by text
);

-- Of these blobs, those that any row of any domain names: columns that hold one are called blob_id or end in _blob_id.
create function blobs_in_use(asked text[]) returns setof text language plpgsql stable as $$
declare
  holder record;
begin
  for holder in
    select c.table_schema, c.table_name, c.column_name from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'
      and (c.column_name = 'blob_id' or c.column_name like '%\_blob\_id')
  loop
    return query execute format('select %1$I from %2$I.%3$I where %1$I = any ($1)',
      holder.column_name, holder.table_schema, holder.table_name) using asked;
  end loop;
end $$;
