-- Who may sign in: clients, their accounts and people, operators, sign-ins and lock-out; new tables only, so it locks nothing.

create table clients (
  id text primary key,
  kind text not null check (kind in ('person', 'institution')),
  name text not null,
  email text,
  locale text not null,
  state text not null check (state in ('active', 'suspended', 'closed')),
  state_reason text,
  state_changed_at_ms bigint not null,
  created_at_ms bigint not null
);

create table accounts (
  id text primary key,
  client_id text not null references clients,
  number text not null unique,
  created_at_ms bigint not null
);
create index accounts_of_client on accounts (client_id);

create table operators (
  id text primary key,
  name text not null,
  state text not null check (state in ('active', 'ended')),
  created_at_ms bigint not null
);

create table operator_desks (
  operator_id text not null references operators,
  desk text not null,
  primary key (operator_id, desk)
);

-- One name space for everybody who types a name and a password. The login is stored in lower case.
create table logins (
  id text primary key,
  login text not null unique,
  client_id text references clients,
  operator_id text unique references operators,
  password_hash text,
  password_changed_at_ms bigint,
  ended_at_ms bigint,
  created_at_ms bigint not null,
  check ((client_id is null) <> (operator_id is null))
);
create index logins_of_client on logins (client_id);

-- A one-time link; only the hash of its token is kept. A new one takes the place of the one before.
create table invitations (
  login_id text primary key references logins,
  token_hash text not null unique,
  created_at_ms bigint not null,
  expires_at_ms bigint not null
);

create table sign_ins (
  id text primary key,
  login_id text not null references logins,
  sort text not null check (sort in ('password', 'token')),
  name text,
  token_hash text not null unique,
  address text,
  source text not null,
  created_at_ms bigint not null,
  used_at_ms bigint not null,
  expires_at_ms bigint not null,
  ended_at_ms bigint,
  end_reason text
);
create index sign_ins_of_login on sign_ins (login_id, id);
create index sign_ins_by_source on sign_ins (login_id, source, created_at_ms);

-- Failed sign-ins of one counter: a known source of a login, or all strangers to it together. Names are hashed,
-- because people type passwords into the wrong field.
create table sign_in_counters (
  counter text primary key,
  failed_at_ms bigint[] not null,
  locked_until_ms bigint not null,
  changed_at_ms bigint not null
);

-- What was answered to a request that may be sent twice, written in the transaction of its effect.
create table requests (
  actor text not null,
  operation text not null,
  request_id text not null,
  input_hash text not null,
  answer text not null,
  created_at_ms bigint not null,
  primary key (actor, operation, request_id)
);
create index requests_by_age on requests (created_at_ms);
