// What only one process may do: a lease is held as long as its own database connection lives, and carries a fence.
import { hostname } from 'node:os';
import pg from 'pg';
import { type Clock, systemClock } from './clock.ts';
import { Outage } from './refusal.ts';
import type { Database, Sql } from './sql.ts';

export interface Lease extends AsyncDisposable {
  readonly name: string;
  /** Grows with every holder: write it with what the lease protects, so that a holder that lost it can be told apart. */
  readonly fence: number;
  /** Aborts when the connection is lost, and with it the lease. */
  readonly signal: AbortSignal;
  close(): Promise<void>;
}

export interface LeaseOptions {
  readonly clock?: Clock;
  /** How often the holder looks whether its connection still answers, and how long it waits for it. */
  readonly heartbeatMs?: number;
}

const limits = { connectionTimeoutMillis: 10_000, query_timeout: 15_000 } as const;

/**
 * Takes the lease unless another holds it; undefined then. The lock is PostgreSQL's own and belongs to a connection, so
 * it is free again at the moment its holder dies; keep-alives end it within half a minute when a network falls silent.
 */
export async function tryLease(
  database: Database,
  name: string,
  options: LeaseOptions = {},
): Promise<Lease | undefined> {
  const clock = options.clock ?? systemClock;
  const { connectionString } = database.pool.options;
  const connection = new pg.Client({ connectionString: connectionString!, keepAlive: true, ...limits });
  const lost = new AbortController();
  connection.on('error', (fault) => lost.abort(new Outage(`the lease ${name}`, { cause: fault })));
  connection.on('end', () => lost.abort(new Outage(`the lease ${name}`)));
  try {
    await connection.connect();
    await connection.query(
      'set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3; set idle_session_timeout = 0',
    );
    const lock = 'select pg_try_advisory_lock(hashtextextended($1, 0)) as taken';
    const { rows } = await connection.query<{ taken: boolean }>(lock, [lockName(name)]);
    if (!rows[0]!.taken) {
      await connection.end();
      return undefined;
    }
    const note = await connection.query<{ fence: string }>(
      `insert into leases (name, fence, holder, taken_at_ms) values ($1, 1, $2, $3)
       on conflict (name) do update set fence = leases.fence + 1, holder = $2, taken_at_ms = $3 returning fence`,
      [name, `${hostname()}:${process.pid}`, clock.nowMs()],
    );
    const heart = watch(connection, lost, { name, clock, heartbeatMs: options.heartbeatMs ?? 5000 });
    const close = async (): Promise<void> => {
      heart.close();
      await connection.end().catch(() => undefined);
    };
    return { name, fence: Number(note.rows[0]!.fence), signal: lost.signal, close, [Symbol.asyncDispose]: close };
  } catch (fault) {
    await connection.end().catch(() => undefined);
    throw new Outage('the database', { retryAfterMs: 1000, cause: fault });
  }
}

const lockName = (name: string): string => `broadgate lease ${name}`;

/** Whether any process holds the lease now. NOTE: by the time the answer is used it may be given back or taken. */
export async function isLeaseHeld(sql: Sql, name: string): Promise<boolean> {
  // PostgreSQL shows a lock of 64 bits as two halves, and 1 for its kind (its manual, "pg_locks").
  const [row] = await sql<{ held: boolean }>`
    select exists(
      select from pg_locks where locktype = 'advisory' and granted and objsubid = 1
        and database = (select oid from pg_database where datname = current_database())
        and (classid::bigint << 32 | objid::bigint) = hashtextextended(${lockName(name)}, 0)
    ) as held`;
  return row!.held;
}

/** A connection may be dead without an error to show for it: only an answer proves that the lease is still ours. */
function watch(
  connection: pg.Client,
  lost: AbortController,
  parts: { name: string; clock: Clock; heartbeatMs: number },
): { close(): void } {
  let isClosed = false;
  let timer = parts.clock.after(parts.heartbeatMs, beat);
  function beat(): void {
    connection.query('select 1').then(
      () => {
        if (!isClosed) timer = parts.clock.after(parts.heartbeatMs, beat);
      },
      (fault: unknown) => lost.abort(new Outage(`the lease ${parts.name}`, { cause: fault })),
    );
  }
  return {
    close() {
      isClosed = true;
      timer.close();
    },
  };
}

/** Runs the work while holding the lease; undefined, without running it, when another process holds it. */
export async function withLease<Result>(
  database: Database,
  name: string,
  work: (lease: Lease) => Promise<Result>,
  options: LeaseOptions = {},
): Promise<Result | undefined> {
  await using lease = await tryLease(database, name, options);
  return lease === undefined ? undefined : await work(lease);
}
