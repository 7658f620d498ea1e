-- The kernel's own records: audit trail, outbox, leases, wrapped keys. New tables only, so it locks nothing that is in use.

create table audit (
  sequence bigint generated always as identity primary key,
  at_ms bigint not null,
  actor text not null,
  origin jsonb not null,
  action text not null,
  subject text not null,
  detail jsonb not null,
  seal_index bigint unique,
  seal_hash text,
  check ((seal_index is null) = (seal_hash is null))
);
create index audit_unsealed on audit (sequence) where seal_index is null;
create index audit_by_subject on audit (subject, sequence);

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.seal_index is null and new.seal_index is not null
     and (old.sequence, old.at_ms, old.actor, old.origin, old.action, old.subject, old.detail)
       = (new.sequence, new.at_ms, new.actor, new.origin, new.action, new.subject, new.detail) then
    return new;
  end if;
  raise exception 'the audit trail is append-only' using errcode = 'restrict_violation';
end $$;

create trigger audit_append_only before update or delete on audit
  for each row execute function refuse_audit_change();
create trigger audit_never_truncated before truncate on audit
  for each statement execute function refuse_audit_change();

create table outbox (
  event_id text primary key check (length(event_id) = 36),
  kind text not null,
  payload jsonb not null,
  state text not null default 'pending' check (state in ('pending', 'done', 'dead')),
  attempts integer not null default 0,
  last_fault text,
  recorded_at_ms bigint not null,
  ended_at_ms bigint
);
create index outbox_unfinished on outbox (event_id) where state <> 'done';
create index outbox_finished on outbox (ended_at_ms) where state = 'done';

create table leases (
  name text primary key,
  fence bigint not null,
  holder text not null,
  taken_at_ms bigint not null
);

create table data_keys (
  data_key_id text primary key check (length(data_key_id) = 36),
  master_key_id text not null,
  wrapped_key bytea not null,
  created_at_ms bigint not null
);

create table secrets (
  name text primary key,
  sealed bytea not null,
  changed_at_ms bigint not null
);
