-- Why: who resets a client's password must not approve what is confirmed with the new one. Lock: a moment, no row is rewritten.
alter table logins add column reset_by text check (reset_by ~ '^(operator|system):.');
