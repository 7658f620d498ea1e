// The vault: keys wrapped by the master key, secrets bound to their names, and both kinds of rotation.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openTestDatabase } from '../../test/database.ts';
import { createFakeClock, systemClock } from './clock.ts';
import { createIds } from './ids.ts';
import { addMasterKey, dropOldMasterKeys, type MasterKeys, parseMasterKeys, readMasterKeys } from './master-key.ts';
import { systemRandom } from './random.ts';
import type { Database } from './sql.ts';
import { openVault } from './vault.ts';

const ids = createIds({ clock: systemClock, random: systemRandom });
const open = (database: Database, masterKeys: MasterKeys, clock = createFakeClock()) =>
  openVault({ database, masterKeys, clock, ids, random: systemRandom });
const someKey = (): MasterKeys => parseMasterKeys(systemRandom.bytes(32).toString('hex'));

test('A secret opens under its own name, in another process too, and under no other name', async () => {
  await using db = await openTestDatabase();
  const keys = someKey();
  const sealed = await (await open(db.database, keys)).encryptSecret('host key', Buffer.from('secret'));
  const other = await open(db.database, keys);
  assert.equal((await other.decryptSecret('host key', sealed)).toString(), 'secret');
  await assert.rejects(other.decryptSecret('signing key', sealed));
  assert.ok(!sealed.includes('secret'));
});

test('A secret with any bit altered does not open', async () => {
  await using db = await openTestDatabase();
  const vault = await open(db.database, someKey());
  const sealed = await vault.encryptSecret('x', Buffer.from('abc'));
  for (let at = 0; at < sealed.length; at += 1) {
    const altered = Buffer.from(sealed);
    altered[at]! ^= 1;
    await assert.rejects(vault.decryptSecret('x', altered), Error, `byte ${at}`);
  }
});

test('Workers that start together agree on one data key and one kept secret', async () => {
  await using db = await openTestDatabase();
  const keys = someKey();
  const vaults = await Promise.all(Array.from({ length: 5 }, () => open(db.database, keys)));
  assert.equal((await db.database.sql`select 1 from data_keys`).length, 1);
  const secrets = await Promise.all(
    vaults.map((vault, at) => vault.keepSecret(db.database.sql, 'host key', async () => Buffer.from(`made by ${at}`))),
  );
  assert.equal(new Set(secrets.map(String)).size, 1);
  await vaults[0]!.writeSecret(db.database.sql, 'host key', Buffer.from('changed'));
  assert.equal(String(await vaults[1]!.findSecret(db.database.sql, 'host key')), 'changed');
  assert.equal(await vaults[1]!.findSecret(db.database.sql, 'none'), undefined);
});

test('A master key that is not the database\u2019s is refused at once', async () => {
  await using db = await openTestDatabase();
  await open(db.database, someKey());
  await assert.rejects(open(db.database, someKey()), { code: 'master_key_wrong' });
});

test('A new data key is used for what comes, by other processes within a minute, and the old one still opens', async () => {
  await using db = await openTestDatabase();
  const keys = someKey();
  const clock = createFakeClock();
  const [vault, other] = [await open(db.database, keys), await open(db.database, keys, clock)];
  const old = await vault.encryptSecret('x', Buffer.from('old'));
  const before = (await other.current()).dataKeyId;
  const after = await vault.rotateDataKey();
  assert.equal((await other.current()).dataKeyId, before);
  clock.advance(60_000);
  assert.equal((await other.current()).dataKeyId, after);
  assert.equal((await vault.decryptSecret('x', old)).toString(), 'old');
});

test('The master key is rotated while everything stays readable, and can be interrupted between any two steps', async () => {
  await using db = await openTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-key-'));
  const file = join(folder, 'keys', 'master.key');
  const first = await readMasterKeys(file, systemRandom);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const sealed = await (await open(db.database, first)).encryptSecret('x', Buffer.from('kept'));

  const both = await addMasterKey(file, systemRandom);
  assert.equal(both.length, 2);
  assert.equal(both[1]!.id, first[0].id);
  const vault = await open(db.database, both);
  assert.equal(await vault.rewrap(), 1);
  assert.equal(await vault.rewrap(), 0);
  await dropOldMasterKeys(file);
  const now = await readMasterKeys(file, systemRandom);
  assert.deepEqual(
    now.map(({ id }) => id),
    [both[0].id],
  );
  assert.equal((await (await open(db.database, now)).decryptSecret('x', sealed)).toString(), 'kept');
  await assert.rejects(open(db.database, first), { code: 'master_key_wrong' });
  assert.ok(!(await readFile(file, 'utf8')).includes(first[0].id));
  await rm(folder, { recursive: true });
});

test('A master key that is not 32 bytes is refused without being quoted', () => {
  for (const text of ['', 'abc', 'z'.repeat(64), 'ab'.repeat(31), 'ab'.repeat(33), 'A'.repeat(45)]) {
    assert.throws(() => parseMasterKeys(text), { code: 'master_key_invalid' });
  }
  const bytes = systemRandom.bytes(32);
  const ids3 = [bytes.toString('hex'), bytes.toString('base64'), `# note\n\n${bytes.toString('hex').toUpperCase()}\n`];
  assert.equal(new Set(ids3.map((text) => parseMasterKeys(text)[0].id)).size, 1);
});

test('Processes that start together on an empty folder make one master key', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-key-'));
  const made = await Promise.all(
    Array.from({ length: 8 }, () => readMasterKeys(join(folder, 'master.key'), systemRandom)),
  );
  assert.equal(new Set(made.map(([key]) => key.id)).size, 1);
  await rm(folder, { recursive: true });
});
