-- Why: small files of one run share a blob, so that one write and one sync keep many. Lock: an instant, a constant default rewrites nothing.

alter table run_files add column blob_offset bigint not null default 0;
alter table statements add column blob_offset bigint not null default 0;
alter table entries add column blob_offset bigint not null default 0;
