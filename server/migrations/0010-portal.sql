-- Why: what the portal's pages ask for: preferences, codes of declined requests, lists by kind and period. Lock: writes to statements while its two indexes are built, some seconds for a million rows; the rest is new or an instant.

-- How a person likes to read; null is "as the browser says".
create table preferences (
  login_id text primary key references logins (id),
  locale text,
  time_zone text,
  theme text not null check (theme in ('system', 'light', 'dark')),
  changed_at_ms bigint not null
);
create trigger preferences_told_insert after insert on preferences referencing new table as changed
  for each statement execute function tell_changes('preferences', 'null', $e$'login:' || login_id$e$);
create trigger preferences_told_update after update on preferences referencing new table as changed
  for each statement execute function tell_changes('preferences', 'null', $e$'login:' || login_id$e$);

-- A reason that can be told in every language, beside the words of the desk.
alter table delivery_requests add column reason_code text;

create index logins_by_beginning on logins (login text_pattern_ops, client_id) where client_id is not null;

-- One client's list by kind, and between two days: read from its end, however long it is.
create index statements_by_client_kind on statements (client_id, kind, id);
create index statements_by_client_period on statements (client_id, period_to, period_from, id);
