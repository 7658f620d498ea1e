// One driver for every store: a tagged template that binds values, transactions, and LISTEN/NOTIFY.
import pg from 'pg';
import { Outage } from './refusal.ts';

/**
 * Runs one statement; every `${value}` is bound, never spliced: ``sql<{ id: string }>`select id from t where a = ${a}` ``.
 * Shape: the rows, in order. int8 and numeric sums come as numbers where they are safe integers, dates as `YYYY-MM-DD`.
 */
export type Sql = <Row extends object = Record<string, unknown>>(
  text: TemplateStringsArray,
  ...values: readonly unknown[]
) => Promise<Row[]>;

export interface Database {
  readonly sql: Sql;
  /**
   * Runs `work` in one transaction (read committed), rolled back when it throws. Use only the handle you are given.
   * 'soon': it is answered before it is on disk, where it gets within a second, before anything committed later; for what
   * nobody was promised. `makeDurable` in the work takes that back.
   */
  transaction<Result>(work: (sql: Sql) => Promise<Result>, durable?: 'at once' | 'soon'): Promise<Result>;
  /**
   * Calls `heard` with the payload of every NOTIFY on the channel, from one connection shared by all channels.
   * After a lost connection it listens again and calls `heard` with '' once: the listener must then look for itself.
   */
  listen(channel: string, heard: (payload: string) => void): Promise<{ close(): Promise<void> }>;
  /** The pool, for graphile-worker only. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly connectionsMax?: number;
  readonly statementTimeoutMs?: number;
  /** How long an answer may stay out before the connection counts as lost; 0 for ever. Default: beyond the statement's own limit. */
  readonly answerTimeoutMs?: number;
  /** Called for faults of idle connections, which have no caller to throw to. */
  readonly onFault?: (fault: Error) => void;
}

// Type numbers of pg_catalog.pg_type; the driver's enumeration holds the same.
const int8Type = 20;
const dateType = 1082;

const types: pg.CustomTypesConfig = {
  getTypeParser: ((typeNumber: number, format: 'text') => {
    if (typeNumber === int8Type) return readSafeInteger;
    return typeNumber === dateType ? String : pg.types.getTypeParser(typeNumber, format);
  }) as pg.CustomTypesConfig['getTypeParser'],
};

function readSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`an int8 beyond 2^53 came back: ${text}`);
  return value;
}

/** Opens a pool. Refuses: nothing; an unreachable server is an Outage at the first statement. */
export function openDatabase(options: DatabaseOptions): Database {
  const { statementTimeoutMs = 30_000 } = options;
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connectionsMax ?? 10,
    statement_timeout: statementTimeoutMs,
    query_timeout: options.answerTimeoutMs ?? (statementTimeoutMs === 0 ? 0 : statementTimeoutMs + 5_000),
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    types,
  });
  let isClosed = false;
  // The driver lets go of connections after it says that it ended: what becomes of them then is nobody's concern.
  const onFault = (fault: Error): void => {
    if (!isClosed) options.onFault?.(fault);
  };
  pool.on('error', onFault);
  // A connection that breaks while it is lent out reports it here too; without a listener that would end the process.
  pool.on('connect', (connection) => connection.on('error', onFault));
  const ear = createEar({ ...options, onFault });
  return {
    sql: bind(pool),
    pool,
    async transaction(work, durable = 'at once') {
      const connection = await take(pool);
      let isCommitting = false;
      try {
        await connection.query(durable === 'soon' ? 'begin; set local synchronous_commit to off' : 'begin');
        const result = await work(inTurn(bind(connection)));
        isCommitting = true;
        await connection.query('commit');
        connection.release();
        return result;
      } catch (thrown) {
        const fault = asOutage(thrown, isCommitting);
        // A connection that was lost, or that owes an answer, is of no more use: its end undoes what was not committed.
        const isUseless = fault instanceof Outage && isLost(fault.cause);
        const isUndone =
          !isUseless &&
          (await connection.query('rollback').then(
            () => true,
            () => false,
          ));
        connection.release(!isUndone);
        throw fault;
      }
    },
    listen: (channel, heard) => ear.listen(channel, heard),
    async close() {
      isClosed = true;
      await ear.close();
      await pool.end();
    },
  };
}

/** Lets the commit of this transaction wait for the disk, whatever it was begun with. */
export async function makeDurable(sql: Sql): Promise<void> {
  await sql`set local synchronous_commit to default`;
}

/** One connection runs one statement at a time: those asked for together follow each other in the order of asking. */
function inTurn(sql: Sql): Sql {
  let last: Promise<unknown> = Promise.resolve();
  return <Row extends object>(text: TemplateStringsArray, ...values: readonly unknown[]) => {
    const next = last.then(() => sql<Row>(text, ...values));
    last = next.catch(() => undefined);
    return next;
  };
}

const take = (pool: pg.Pool): Promise<pg.PoolClient> =>
  pool.connect().catch((fault: unknown) => {
    throw asOutage(fault);
  });

const bind =
  (target: Pick<pg.Pool, 'query'> | pg.PoolClient): Sql =>
  async <Row extends object>(text: TemplateStringsArray, ...values: readonly unknown[]) => {
    // A template's strings are one frozen object a call site, so its text is built and named once.
    let built = statements.get(text);
    if (built === undefined) {
      const whole = text.reduce((sum, part, index) => `${sum}$${index}${part}`);
      built = { ...(isOneOfMany.test(whole) ? {} : { name: `s${(named += 1)}` }), text: whole };
      statements.set(text, built);
    }
    try {
      // A named statement is parsed once a connection, and planned once where a general plan is as good as a particular one.
      // Without values it may be several statements, which cannot be named.
      const query = values.length === 0 ? built.text : { ...built, values: values as unknown[] };
      const answer = await target.query<Row & pg.QueryResultRow>(query);
      return answer.rows as Row[];
    } catch (fault) {
      throw asOutage(fault);
    }
  };

const statements = new WeakMap<TemplateStringsArray, { readonly name?: string; readonly text: string }>();
let named = 0;

/**
 * A filter that may be absent, or a pattern, makes one text many statements: without its values it would be planned as if all
 * rows were asked for, and read the table from end to end. Such a text has no name, so that it is planned each time.
 */
const isOneOfMany = /\$\d+(::[a-z]+(\[\])?)? is null or|\bnot \$\d+::boolean or|\(\$\d+ or | like /;

const outageStates = new Set([
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08000',
  '08003',
  '08006',
  '08001',
  '25006',
  '53100',
  // A deadlock: whoever is told to try again finds the other's work done.
  '40P01',
]);

/** What the driver says of a connection that broke, is broken already, or stays silent; it has no codes for these. */
const lostTexts =
  /^(Connection terminated|timeout exceeded when trying|Client has encountered a connection error|Client was closed|Query read timeout)/;

const isLost = (fault: unknown): boolean =>
  fault instanceof Error &&
  (/^E(CONN|PIPE|NOTFOUND|TIMEDOUT|HOSTUNREACH)/.test((fault as NodeJS.ErrnoException).code ?? '') ||
    lostTexts.test(fault.message));

/** Connection faults and a server that is stopping are outages; everything else is passed on as it is. */
function asOutage(fault: unknown, isCommitting = false): unknown {
  if (!(fault instanceof Error) || fault instanceof Outage) return fault;
  const isOutage = isLost(fault) || outageStates.has((fault as NodeJS.ErrnoException).code ?? '');
  if (!isOutage) return fault;
  return new Outage('the database', { retryAfterMs: 1000, cause: fault, isDoubtful: isCommitting });
}

/** The SQLSTATE of a database fault, e.g. '23505' for a unique violation; undefined for any other throw. */
export const sqlState = (fault: unknown): string | undefined =>
  fault instanceof pg.DatabaseError ? fault.code : undefined;

/** The name of the constraint that a database fault broke. */
export const brokenConstraint = (fault: unknown): string | undefined =>
  fault instanceof pg.DatabaseError ? fault.constraint : undefined;

const retryDelayMs = 500;
const connectTimeoutMs = 10_000;

function createEar(options: DatabaseOptions) {
  const listeners = new Map<string, Set<(payload: string) => void>>();
  let connection: pg.Client | undefined;
  let opening: Promise<pg.Client> | undefined;
  let isClosed = false;

  async function open(): Promise<pg.Client> {
    const fresh = new pg.Client({
      connectionString: options.url,
      keepAlive: true,
      // Who only listens would never notice a network that fell silent.
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: connectTimeoutMs,
    });
    fresh.on('error', (fault) => options.onFault?.(fault));
    fresh.on('end', () => {
      if (connection !== fresh) return;
      connection = undefined;
      if (!isClosed) reopen();
    });
    fresh.on('notification', (message) => {
      for (const heard of listeners.get(message.channel) ?? []) heard(message.payload ?? '');
    });
    await fresh.connect();
    for (const channel of listeners.keys()) await fresh.query(`listen ${pg.escapeIdentifier(channel)}`);
    connection = fresh;
    return fresh;
  }

  function reopen(): void {
    setTimeout(() => {
      if (isClosed) return;
      open().then(() => {
        for (const set of listeners.values()) for (const heard of set) heard('');
      }, reopen);
    }, retryDelayMs).unref();
  }

  return {
    async listen(channel: string, heard: (payload: string) => void) {
      const set = listeners.get(channel) ?? new Set();
      listeners.set(channel, set.add(heard));
      try {
        const live = connection ?? (await (opening ??= open().finally(() => (opening = undefined))));
        await live.query(`listen ${pg.escapeIdentifier(channel)}`);
      } catch (fault) {
        set.delete(heard);
        throw asOutage(fault);
      }
      return {
        async close() {
          set.delete(heard);
          if (set.size === 0 && listeners.delete(channel)) {
            await connection?.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => undefined);
          }
        },
      };
    },
    async close() {
      isClosed = true;
      await connection?.end().catch(() => undefined);
    },
  };
}
