// Fills a database as years of work would: clients with keys, addresses and connections, and statements with all that follows.
// Rows only: no blob is written, so what a test reads or verifies it must issue itself. Foreign keys and triggers are not run.
import pg from 'pg';
import { peopleSteps } from './population-people.ts';
import { statementSteps } from './population-statements.ts';

export interface PopulationSize {
  readonly clients: number;
  /** Spread over 200 days; a hundredth of them belongs to the first client, an institution. At most 200 a client. */
  readonly statements: number;
}

/** One named step: a text that is run as it stands, after `:clients`, `:statements`, `:each` (of a client) and `:now` are put in. */
export type Step = readonly [name: string, text: string];

/** What is in the database when it is full. Client `n` runs from 0 to `clients - 1`. */
export interface Population {
  readonly size: PopulationSize;
  readonly rows: number;
  readonly tookMs: number;
  client(n: number): Promise<PopulatedClient>;
}

export interface PopulatedClient {
  readonly clientId: string;
  readonly accountNumber: string;
  readonly login: string;
  readonly userName: string;
  readonly sshKeyId: string;
  readonly fingerprint: string;
  readonly address: string;
}

const accountBase = 1_000_000;

/**
 * Fills an empty, migrated database. `url` is a superuser's, because checks that need rows in a certain order are left out;
 * indexes are taken away first and built at the end.
 */
export async function populate(url: string, size: PopulationSize, nowMs: number): Promise<Population> {
  const startedMs = performance.now();
  const connection = new pg.Client({ connectionString: url });
  await connection.connect();
  try {
    await connection.query(`set session_replication_role = replica; set synchronous_commit = off; set work_mem = '64MB';
      set maintenance_work_mem = '256MB'; set timezone = 'UTC'`);
    const indexes = await takeIndexesAway(connection);
    let rows = 0;
    for (const [name, text] of [...preparation, ...peopleSteps, ...statementSteps]) {
      try {
        const answer = await connection.query(putIn(text, size, nowMs));
        rows += answer.rowCount ?? 0;
      } catch (fault) {
        throw new Error(`the population failed at ${name}: ${(fault as Error).message}`, { cause: fault });
      }
    }
    for (const definition of indexes) await connection.query(definition);
    await connection.query('vacuum analyze');
    return { size, rows, tookMs: performance.now() - startedMs, client: (n) => findClient(url, n) };
  } finally {
    await connection.end();
  }
}

/** A placeholder stands for a number of ours, so nothing can be spliced in. */
const putIn = (text: string, size: PopulationSize, nowMs: number): string =>
  text
    .replaceAll(':clients', String(size.clients))
    .replaceAll(':statements', String(size.statements))
    .replaceAll(':each', String(Math.max(1, Math.floor(size.statements / size.clients))))
    .replaceAll(':now', `${nowMs}::bigint`);

/** Shape: what builds them again. Those that stand for a constraint stay. */
async function takeIndexesAway(connection: pg.Client): Promise<string[]> {
  const { rows } = await connection.query<{ name: string; definition: string }>(
    `select c.relname as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i
      join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
    where t.relnamespace = 'public'::regnamespace
      and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid)`,
  );
  for (const { name } of rows) await connection.query(`drop index ${pg.escapeIdentifier(name)}`);
  return rows.map((row) => row.definition);
}

async function findClient(url: string, n: number): Promise<PopulatedClient> {
  const connection = new pg.Client({ connectionString: url });
  await connection.connect();
  try {
    const { rows } = await connection.query<PopulatedClient>(
      `select a.client_id as "clientId", a.number as "accountNumber", l.login, d.user_name as "userName",
        k.id as "sshKeyId", k.fingerprint, host(e.network::inet) as address
      from accounts a join logins l on l.client_id = a.client_id
        join delivery_connections d on d.client_id = a.client_id
        join ssh_keys k on k.client_id = a.client_id and k.state = 'active'
        join address_entries e on e.client_id = a.client_id and e.state = 'active'
      where a.number = $1 order by e.id limit 1`,
      [`U${accountBase + n}`],
    );
    if (rows[0] === undefined) throw new Error(`there is no client ${n} with a connection`);
    return rows[0];
  } finally {
    await connection.end();
  }
}

// The id is a UUID version 7 with the time in front, as the server makes them. One expression each, so that they are inlined.
const preparation: readonly Step[] = [
  [
    'functions',
    `create function pg_temp.id(at_ms bigint, n bigint, salt text) returns text immutable language sql as $$
      select substr(lpad(to_hex(at_ms), 12, '0'), 1, 8) || '-' || substr(lpad(to_hex(at_ms), 12, '0'), 9, 4) || '-7'
        || substr(md5(salt || n), 1, 3) || '-8' || substr(md5(salt || n), 4, 3) || '-' || substr(md5(salt || n), 7, 12) $$;
    create function pg_temp.hash(n bigint, salt text) returns text immutable language sql as $$
      select md5(salt || n) || md5(n || salt) $$;
    create function pg_temp.client(n bigint) returns text immutable language sql as $$
      select pg_temp.id(:now - 300 * 86400000::bigint + n, n, 'client') $$;
    create function pg_temp.account(n bigint) returns text immutable language sql as $$
      select pg_temp.id(:now - 299 * 86400000::bigint + n, n, 'account') $$;
    create function pg_temp.key(n bigint) returns text immutable language sql as $$
      select pg_temp.id(:now - 290 * 86400000::bigint + n, n, 'key') $$`,
  ],
];
