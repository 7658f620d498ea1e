-- Why: the operations desk sees workers, their last day as short series, and the audit trail by who acted. Lock: writes to the audit trail while its index is built, some seconds for a million rows.

-- What each worker read of itself, some times a minute, for a day. Nothing is lost that matters when the database crashes.
create unlogged table worker_samples (
  worker_id text not null,
  at_ms bigint not null,
  period_ms integer not null,
  started_at_ms bigint not null,
  host text not null,
  pid integer not null,
  version text not null,
  rss_bytes bigint not null,
  lag_ms real not null,
  connections integer not null,
  streams integer not null,
  answers integer not null,
  refused integer not null,
  failed integer not null,
  -- The last of a worker that stopped in order.
  has_ended boolean not null default false,
  primary key (worker_id, at_ms)
);
create index worker_samples_by_age on worker_samples (at_ms);

create index audit_by_actor on audit (actor, sequence);
