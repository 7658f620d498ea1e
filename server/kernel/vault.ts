// Keys at rest: data keys wrapped by the master key, and small secrets encrypted under data keys.
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { DataKey, DataKeys } from './blobs.ts';
import type { Clock } from './clock.ts';
import type { Ids } from './ids.ts';
import type { MasterKey, MasterKeys } from './master-key.ts';
import type { Random } from './random.ts';
import { refusals } from './rules.ts';
import type { Database, Sql } from './sql.ts';

export interface Vault extends DataKeys {
  /** Encrypts a small secret, under the current data key unless one is named; it opens only under the same name. */
  encryptSecret(name: string, secret: Buffer, dataKeyId?: string): Promise<Buffer>;
  /** Throws when the bytes were altered, or sealed under another name. */
  decryptSecret(name: string, sealed: Buffer): Promise<Buffer>;
  /** A secret kept by name in the database; undefined when there is none. */
  findSecret(sql: Sql, name: string): Promise<Buffer | undefined>;
  /** Keeps a secret, over one that has the name. */
  writeSecret(sql: Sql, name: string, secret: Buffer): Promise<void>;
  /** Forgets a secret. */
  dropSecret(sql: Sql, name: string): Promise<void>;
  /** The data key of that id, which there must be. */
  getDataKey(dataKeyId: string): Promise<DataKey>;
  /** The secret of that name, made now if there is none; of several processes that make one, the first one's stays. */
  keepSecret(sql: Sql, name: string, make: () => Promise<Buffer>): Promise<Buffer>;
  /** Makes a new data key for blobs and secrets to come; other processes use it within a minute. */
  rotateDataKey(): Promise<string>;
  /** Wraps every data key that an earlier master key wraps under the current one. Shape: how many. */
  rewrap(): Promise<number>;
}

/** How long a process goes on with the data key it knows before it looks for a newer one. */
const currentForMs = 60_000;
const nonceBytes = 12;
const tagBytes = 16;
const secretVersion = 1;

/**
 * Opens the vault and checks that the master key is the one that this database was made with.
 * Refuses: master_key_wrong.
 */
export async function openVault(parts: {
  database: Database;
  masterKeys: MasterKeys;
  clock: Clock;
  ids: Ids;
  random: Random;
}): Promise<Vault> {
  const { database, masterKeys, clock, ids, random } = parts;
  const known = new Map<string, DataKey>();
  let newest: { dataKey: DataKey; lookedAtMs: number } | undefined;

  async function make(sql: Sql): Promise<DataKey> {
    const dataKey: DataKey = { dataKeyId: ids.next(), key: random.bytes(32) };
    const wrapped = wrap(masterKeys[0], dataKey, random);
    await sql`insert into data_keys (data_key_id, master_key_id, wrapped_key, created_at_ms)
      values (${dataKey.dataKeyId}, ${masterKeys[0].id}, ${wrapped}, ${clock.nowMs()})`;
    return dataKey;
  }

  async function load(row: WrappedRow | undefined): Promise<DataKey | undefined> {
    if (!row) return undefined;
    const dataKey = known.get(row.dataKeyId) ?? unwrap(masterKeys, row);
    known.set(dataKey.dataKeyId, dataKey);
    return dataKey;
  }

  async function current(): Promise<DataKey> {
    if (newest && clock.monotonicMs() - newest.lookedAtMs < currentForMs) return newest.dataKey;
    const [row] = await database.sql<WrappedRow>`
      select data_key_id as "dataKeyId", master_key_id as "masterKeyId", wrapped_key as "wrappedKey"
      from data_keys order by data_key_id desc limit 1`;
    const dataKey = (await load(row)) ?? (await makeFirst());
    newest = { dataKey, lookedAtMs: clock.monotonicMs() };
    return dataKey;
  }

  /** Processes that start together on an empty database agree on one key. */
  const makeFirst = (): Promise<DataKey> =>
    database.transaction(async (sql) => {
      await sql`lock table data_keys in share row exclusive mode`;
      const [row] = await sql<WrappedRow>`
        select data_key_id as "dataKeyId", master_key_id as "masterKeyId", wrapped_key as "wrappedKey"
        from data_keys order by data_key_id desc limit 1`;
      return (await load(row)) ?? (await make(sql));
    });

  async function find(dataKeyId: string): Promise<DataKey | undefined> {
    const cached = known.get(dataKeyId);
    if (cached) return cached;
    const [row] = await database.sql<WrappedRow>`
      select data_key_id as "dataKeyId", master_key_id as "masterKeyId", wrapped_key as "wrappedKey"
      from data_keys where data_key_id = ${dataKeyId}`;
    return load(row);
  }

  async function getDataKey(dataKeyId: string): Promise<DataKey> {
    const dataKey = await find(dataKeyId);
    if (!dataKey) throw new Error(`there is no data key ${dataKeyId}`);
    return dataKey;
  }

  async function encryptSecret(name: string, secret: Buffer, dataKeyId?: string): Promise<Buffer> {
    const dataKey = await (dataKeyId === undefined ? current() : getDataKey(dataKeyId));
    const head = Buffer.concat([Buffer.of(secretVersion), Buffer.from(dataKey.dataKeyId.replaceAll('-', ''), 'hex')]);
    return Buffer.concat([
      head,
      encrypt(secretKey(dataKey, name), random, secret, Buffer.concat([head, Buffer.from(name)])),
    ]);
  }

  async function decryptSecret(name: string, sealed: Buffer): Promise<Buffer> {
    const head = sealed.subarray(0, 17);
    if (head.length < 17 || head[0] !== secretVersion) throw new Error(`the secret ${name} is not in a known form`);
    const hex = head.toString('hex', 1);
    const dataKeyId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    const key = secretKey(await getDataKey(dataKeyId), name);
    return decrypt(key, sealed.subarray(17), Buffer.concat([head, Buffer.from(name)]), `the secret ${name}`);
  }

  async function findSecret(sql: Sql, name: string): Promise<Buffer | undefined> {
    const [row] = await sql<{ sealed: Buffer }>`select sealed from secrets where name = ${name}`;
    return row && decryptSecret(name, row.sealed);
  }

  await current();
  return {
    current,
    find,
    getDataKey,
    encryptSecret,
    decryptSecret,
    findSecret,
    async writeSecret(sql, name, secret) {
      const sealed = await encryptSecret(name, secret);
      await sql`insert into secrets (name, sealed, changed_at_ms) values (${name}, ${sealed}, ${clock.nowMs()})
        on conflict (name) do update set sealed = excluded.sealed, changed_at_ms = excluded.changed_at_ms`;
    },
    async dropSecret(sql, name) {
      await sql`delete from secrets where name = ${name}`;
    },
    async keepSecret(sql, name, makeSecret) {
      const found = await findSecret(sql, name);
      if (found) return found;
      const sealed = await encryptSecret(name, await makeSecret());
      await sql`insert into secrets (name, sealed, changed_at_ms) values (${name}, ${sealed}, ${clock.nowMs()})
        on conflict (name) do nothing`;
      return (await findSecret(sql, name))!;
    },
    async rotateDataKey() {
      const dataKey = await make(database.sql);
      known.set(dataKey.dataKeyId, dataKey);
      newest = { dataKey, lookedAtMs: clock.monotonicMs() };
      return dataKey.dataKeyId;
    },
    rewrap: () =>
      database.transaction(async (sql) => {
        const rows = await sql<WrappedRow>`
          select data_key_id as "dataKeyId", master_key_id as "masterKeyId", wrapped_key as "wrappedKey"
          from data_keys where master_key_id <> ${masterKeys[0].id} for update`;
        for (const row of rows) {
          const wrapped = wrap(masterKeys[0], unwrap(masterKeys, row), random);
          await sql`update data_keys set wrapped_key = ${wrapped}, master_key_id = ${masterKeys[0].id}
            where data_key_id = ${row.dataKeyId}`;
        }
        return rows.length;
      }),
  };
}

/** The data keys of rows that are not in a database yet, for restoring. Refuses: master_key_wrong. */
export function openDataKeys(masterKeys: MasterKeys, rows: readonly WrappedRow[]): DataKeys {
  const keys = new Map(rows.map((row) => [row.dataKeyId, unwrap(masterKeys, row)]));
  const newest = keys.get([...keys.keys()].sort().at(-1) ?? '');
  return {
    find: (dataKeyId) => Promise.resolve(keys.get(dataKeyId)),
    current: () => (newest ? Promise.resolve(newest) : Promise.reject(new Error('there is no data key'))),
  };
}

export interface WrappedRow {
  readonly dataKeyId: string;
  readonly masterKeyId: string;
  readonly wrappedKey: Buffer;
}

const wrap = (master: MasterKey, dataKey: DataKey, random: Random): Buffer =>
  encrypt(master.wrapping, random, dataKey.key, Buffer.from(`data key ${dataKey.dataKeyId}`));

function unwrap(masterKeys: MasterKeys, row: WrappedRow): DataKey {
  const master = masterKeys.find(({ id }) => id === row.masterKeyId);
  if (!master) throw refusals.master_key_wrong({ wanted: row.masterKeyId, given: masterKeys[0].id });
  const what = `data key ${row.dataKeyId}`;
  return { dataKeyId: row.dataKeyId, key: decrypt(master.wrapping, row.wrappedKey, Buffer.from(what), what) };
}

/** A key for each name, so that no two kinds of secret share one. */
const secretKey = (dataKey: DataKey, name: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', dataKey.key, '', `broadgate secret 1 ${name}`, 32)));

/** AES-256-GCM under a random nonce: for the few thousand small texts that one key ever sees. */
function encrypt(key: KeyObject, random: Random, text: Buffer, aad: Buffer): Buffer {
  const nonce = random.bytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(aad);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: KeyObject, sealed: Buffer, aad: Buffer, what: string): Buffer {
  const end = sealed.length - tagBytes;
  try {
    const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
    cipher.setAAD(aad).setAuthTag(sealed.subarray(end));
    return Buffer.concat([cipher.update(sealed.subarray(nonceBytes, end)), cipher.final()]);
  } catch (fault) {
    throw new Error(`${what} does not decrypt: it was altered, or belongs elsewhere`, { cause: fault });
  }
}
