-- Why: open pages hear at once what changed, as ids and kinds only. Lock: an instant for each table; no row is read or rewritten.

-- Tells a change on commit. Arguments: its kind, and as SQL over the changed rows its subject and whom it concerns.
-- What is the same in one transaction is told once. A statement that changes thousands of rows tells nothing in particular:
-- whoever listens then looks for itself.
create function tell_changes() returns trigger language plpgsql as $$
declare
  told text[];
begin
  execute format('select array_agg(concat_ws('' '', pg_current_xact_id(), %L, subject, audience)) from (
    select distinct coalesce(%s, ''-'') as subject, %s as audience from changed limit 2001) as one',
    tg_argv[0], tg_argv[1], tg_argv[2]) into told;
  if cardinality(told) > 2000 then
    perform pg_notify('changes', '');
  elsif told is not null then
    perform pg_notify('changes', payload) from unnest(told) as payload;
  end if;
  return null;
end $$;

do $$
declare
  source record;
  moment text;
begin
  for source in select * from (values
    ('notices', 'notice', 'id', $e$coalesce('client:' || client_id, 'desk:' || desk)$e$),
    ('statements', 'statement', 'id', $e$'client:' || client_id$e$),
    ('deliveries', 'statement', 'statement_id', $e$'client:' || client_id$e$),
    ('delivery_elections', 'delivery', 'client_id', $e$'client:' || client_id$e$),
    ('delivery_connections', 'delivery', 'client_id', $e$'client:' || client_id$e$),
    ('delivery_requests', 'request', 'id', $e$'client:' || client_id || ',desk:delivery'$e$),
    ('ssh_keys', 'key', 'id', $e$'client:' || client_id$e$),
    ('openpgp_certificates', 'key', 'id', $e$'client:' || client_id$e$),
    ('address_entries', 'address', 'id', $e$coalesce('client:' || client_id, 'desk:delivery')$e$),
    ('runs', 'run', 'id', $e$'desk:delivery'$e$),
    ('deletions', 'deletion', 'null', $e$'desk:delivery'$e$),
    ('clients', 'client', 'id', $e$'client:' || id || ',desk:delivery,desk:service'$e$)
  ) as told (name, kind, subject, audience) loop
    foreach moment in array array['insert', 'update'] loop
      execute format('create trigger %I after %s on %I referencing new table as changed
        for each statement execute function tell_changes(%L, %L, %L)',
        source.name || '_told_' || moment, moment, source.name, source.kind, source.subject, source.audience);
    end loop;
  end loop;
end $$;

-- Sign-ins concern one person. One that ends is told by its id as well, so that what was opened with it is closed.
create function tell_sign_ins() returns trigger language plpgsql as $$
begin
  perform pg_notify('changes', concat_ws(' ', pg_current_xact_id(), 'sign_in', changed.id,
      coalesce('operator:' || logins.operator_id, 'login:' || logins.id)))
    from changed join logins on logins.id = changed.login_id;
  return null;
end $$;
create trigger sign_ins_told_insert after insert on sign_ins referencing new table as changed
  for each statement execute function tell_sign_ins();

create function tell_ended_sign_ins() returns trigger language plpgsql as $$
begin
  perform pg_notify('sign_in_ended', ended.id), pg_notify('changes', concat_ws(' ', pg_current_xact_id(), 'sign_in', ended.id,
      coalesce('operator:' || logins.operator_id, 'login:' || logins.id)))
    from changed as ended join before on before.id = ended.id join logins on logins.id = ended.login_id
    where before.ended_at_ms is null and ended.ended_at_ms is not null;
  return null;
end $$;
create trigger sign_ins_told_ended after update on sign_ins referencing old table as before new table as changed
  for each statement execute function tell_ended_sign_ins();

-- Which clients an address that was refused may concern: those that have or had it on their list.
create index address_entries_once_active on address_entries using gist (network inet_ops) where activated_at_ms is not null;
create index sign_ins_by_address on sign_ins (address, created_at_ms) where sort = 'password';
