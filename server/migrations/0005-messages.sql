-- Why: notices, the short texts that tell a client or a desk that something happened. Lock: none, the table is new.
create table notices (
  id text primary key,
  client_id text references clients (id),
  desk text,
  kind text not null check (kind ~ '^[a-z][a-z0-9_]*$'),
  params jsonb not null,
  text text not null,
  created_at_ms bigint not null,
  read_at_ms bigint,
  read_by text,
  check ((client_id is null) <> (desk is null)),
  check ((read_at_ms is null) = (read_by is null))
);
create index notices_of_client on notices (client_id, id desc) where client_id is not null;
create index notices_of_desk on notices (desk, id desc) where desk is not null;
