-- Why: lists, purges and warnings read a page's worth however much is stored. Lock: writes to each table while its index is built, some seconds for a million rows.

-- The desk's lists over all clients: by kind, and by period, whose few thousand different values are walked first.
create index statements_by_kind on statements (kind, id);
create index statements_by_period on statements (kind, period_from, period_to, id);
create index delivery_requests_by_state on delivery_requests (state, id);
create index entries_uploaded on entries (id) where origin = 'client' and kind = 'file';
create index entries_uploaded_by_client on entries (client_id, id) where origin = 'client' and kind = 'file';
create index address_entries_of_desk on address_entries (id) where effect = 'block';
create index notices_unread_of_desk on notices (desk, id desc) where desk is not null and read_at_ms is null;

-- What runs by the clock: manifests, what waits, runs that are not over, warnings of keys.
create index entries_by_list on entries (client_id, listed_in) where statement_id is not null;
create index deletions_by_list on deletions (client_id, listed_in) where what = 'file' and statement_id is not null;
create index manifests_open on manifests (client_id) where not is_final;
create index deliveries_all_waiting on deliveries (statement_id) where state = 'waiting';
create index runs_not_over on runs (state, begun_at_ms) where state in ('receiving', 'running');
create index ssh_keys_ending on ssh_keys (expires_at_ms, id) where state = 'active';
create index openpgp_certificates_ending on openpgp_certificates (expires_at_ms, id)
  where state in ('imported', 'enabled', 'expiring');

-- What is purged by age, and counters that are opened by the beginning of their name.
create index notices_by_age on notices (created_at_ms) where read_at_ms is not null;
create index sign_ins_by_end on sign_ins (greatest(expires_at_ms, created_at_ms));
create index sign_in_counters_by_age on sign_in_counters (changed_at_ms);
create index sign_in_counters_by_beginning on sign_in_counters (counter text_pattern_ops);

-- How many lines of refusals an hour holds, for strangers together and for each client.
create index connection_refusals_of_hour on connection_refusals (hour_ms, client_id);

-- Search: an account by the beginning of its number, a name by any part of it. Where the database does not offer trigrams or
-- does not let us have them, search by name reads every client and is right all the same.
create index accounts_by_beginning on accounts (lower(number) text_pattern_ops, client_id);
do $$
begin
  create extension if not exists pg_trgm with schema public;
  create index clients_by_part_of_name on clients using gin (lower(name) gin_trgm_ops);
exception
  when insufficient_privilege or undefined_file or feature_not_supported or undefined_object then
    raise notice 'no trigrams: search by name reads every client';
end $$;
