// Backup and restore: nothing is lost on the way, between releases of PostgreSQL too, and nothing altered is restored.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { openTestDatabase } from '../../test/database.ts';
import { consoleActor } from './actor.ts';
import { createAudit } from './audit.ts';
import { backup, blobRemovalLease } from './backup.ts';
import { createFakeClock, systemClock } from './clock.ts';
import { openFileBlobs } from './file-blobs.ts';
import { createIds } from './ids.ts';
import { withLease } from './lease.ts';
import { type MasterKeys, parseMasterKeys } from './master-key.ts';
import { migrate } from './migrate.ts';
import { createOutbox } from './outbox.ts';
import { openEmbeddedPostgres } from './postgres.ts';
import { systemRandom } from './random.ts';
import { restore } from './restore.ts';
import { type Database, openDatabase, type Sql } from './sql.ts';
import { openVault, type Vault } from './vault.ts';

const clock = createFakeClock();
const ids = createIds({ clock: systemClock, random: systemRandom });
const parts = { clock, ids, random: systemRandom };

/** Tables of other domains change; these hold one of everything that is hard to carry over. */
async function addHardTables(sql: Sql): Promise<void> {
  await sql`create type mood as enum ('calm', 'busy')`;
  await sql`create table hard (
    id bigint generated always as identity primary key, parent bigint references hard, bytes bytea, big int8, exact numeric,
    real8 float8, day date, json jsonb, words text[], address cidr, feeling mood, moment timestamptz, blob_id text,
    doubled int8 generated always as (coalesce(big, 0) / 2) stored, "odd ""name" text)`;
  await sql`create function refuse_any() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`;
  await sql`create trigger hard_guard before insert on hard for each row when (new.exact = 666) execute function refuse_any()`;
}

async function fillHard(sql: Sql, blobIds: readonly string[]): Promise<void> {
  await sql`alter table hard disable trigger user`;
  await sql`
    insert into hard (parent, bytes, big, exact, real8, day, json, words, address, feeling, moment, "odd ""name") values
    (null, '\\x00ff', 9007199254740993, 123456789012345678901234567890.123456789, 'NaN', '-infinity', 'null', '{a,NULL,"b c"}',
      '2001:db8::/32', 'busy', '2026-11-24 12:00:00.123456+05', E'quote " back \\\\ line \\n end'),
    (null, '', -1, 666, 0.1, '0044-03-15 BC', '{"a": [1, 1e400, "\\ud83d\\ude00"]}', '{}', '10.0.0.0/8', null, 'infinity', ''),
    (null, null, null, 'NaN', '-Infinity', null, null, null, null, null, null, null)`;
  await sql`alter table hard enable trigger user`;
  for (const blobId of blobIds) await sql`insert into hard (parent, blob_id) values (1, ${blobId})`;
  await sql`update hard set parent = 3 where id = 1`;
}

const dump = async (database: Database): Promise<unknown> => ({
  hard: await database.sql`select t::text from hard t order by id`,
  audit: await database.sql`select t::text from audit t order by sequence`,
  outbox: await database.sql`select t::text from outbox t order by event_id`,
  secrets: await database.sql`select t::text from secrets t order by name`,
});

interface Installation extends AsyncDisposable {
  readonly folder: string;
  readonly database: Database;
  readonly masterKeys: MasterKeys;
  readonly vault: Vault;
  readonly blobs: Awaited<ReturnType<typeof openFileBlobs>>;
  readonly texts: Map<string, Buffer>;
}

async function openInstallation(): Promise<Installation> {
  const db = await openTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-backup-'));
  const masterKeys = parseMasterKeys(systemRandom.bytes(32).toString('hex'));
  const vault = await openVault({ ...parts, database: db.database, masterKeys });
  const blobs = await openFileBlobs({ folder: join(folder, 'blobs'), keys: vault, ids });
  const texts = new Map<string, Buffer>();
  for (const size of [0, 100, 50_000, 50_000, 3_000_000]) {
    const text = systemRandom.bytes(size);
    texts.set((await blobs.put(text)).blobId, text);
  }
  const { sql } = db.database;
  await addHardTables(sql);
  await fillHard(sql, [...texts.keys()]);
  await vault.writeSecret(sql, 'host key', Buffer.from('secret'));
  const [audit, outbox] = [createAudit(parts), createOutbox(parts)];
  for (let count = 0; count < 20; count += 1) {
    await audit.append(sql, {
      actor: consoleActor,
      action: 'client.add',
      subject: `client:${count}`,
      detail: { count },
    });
    await outbox.record(sql, { kind: 'x', payload: count === 3 ? null : { count } });
  }
  return {
    folder,
    database: db.database,
    masterKeys,
    vault,
    blobs,
    texts,
    async [Symbol.asyncDispose]() {
      await db[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

const make = (from: Installation, folder = join(from.folder, 'backup')) =>
  backup({ ...from, ...parts, audit: createAudit(parts), folder });

const restoreFrom = (from: Installation, database: Database, to: string, masterKeys = from.masterKeys) =>
  restore({
    ...parts,
    folder: join(from.folder, 'backup'),
    database,
    masterKeys,
    openBlobs: (keys) => openFileBlobs({ folder: join(from.folder, to), keys, ids }),
  });

async function compare(from: Installation, database: Database, to: string): Promise<void> {
  assert.deepEqual(await dump(database), await dump(from.database));
  const vault = await openVault({ ...parts, database, masterKeys: from.masterKeys });
  assert.equal(String(await vault.findSecret(database.sql, 'host key')), 'secret');
  const blobs = await openFileBlobs({ folder: join(from.folder, to), keys: vault, ids });
  assert.equal((await Array.fromAsync(blobs.list())).length, from.texts.size);
  for (const [blobId, text] of from.texts) {
    await using reader = await blobs.open(blobId);
    assert.ok(Buffer.concat(await Array.fromAsync(reader.stream())).equals(text));
  }
  const [next] = await database.sql<{ id: number }>`insert into hard (big) values (1) returning id`;
  const [last] = await from.database.sql<{ id: number }>`select max(id) as id from hard`;
  assert.ok(next!.id > last!.id, 'numbers go on where they were');
}

test('A backup of a running installation restores whole into an empty one, and pending events go on', async () => {
  await using from = await openInstallation();
  await using to = await openTestDatabase();
  await addHardTables(to.database.sql);
  const manifest = await make(from);
  assert.equal(manifest.blobs.count, from.texts.size);
  assert.deepEqual(manifest.absent, []);
  const report = await restoreFrom(from, to.database, 'restored');
  assert.equal(report.pendingEvents, 20);
  assert.ok(report.audit.whole);
  assert.equal(report.audit.head.index, 20);
  await compare(from, to.database, 'restored');
  assert.equal((await to.database.sql`select 1 from graphile_worker.jobs`).length, 20);
});

test('Rows written while the backup runs are in it as a whole or not at all', async () => {
  await using from = await openInstallation();
  await using to = await openTestDatabase();
  await addHardTables(to.database.sql);
  const stopper = new AbortController();
  const writing = (async () => {
    while (!stopper.signal.aborted) {
      await from.database.transaction(async (sql) => {
        await sql`insert into hard (big) values (77)`;
        await createOutbox(parts).record(sql, { kind: 'pair', payload: null });
      });
    }
  })();
  await make(from);
  stopper.abort();
  await writing;
  await restoreFrom(from, to.database, 'restored');
  const [pairs] = await to.database.sql<{ hard: number; outbox: number }>`
    select (select count(*) from hard where big = 77) as hard, (select count(*) from outbox where kind = 'pair') as outbox`;
  assert.equal(pairs!.hard, pairs!.outbox);
});

test('The backup holds no master key, no secret and no text of a blob', async () => {
  await using from = await openInstallation();
  const marked = await from.blobs.put(Buffer.from('account U7654321 '.repeat(100)));
  await from.database.sql`insert into hard (blob_id) values (${marked.blobId})`;
  await make(from);
  const files = await readdir(join(from.folder, 'backup'), { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const bytes = await readFile(join(file.parentPath, file.name));
    assert.ok(!bytes.includes('U7654321'), file.name);
  }
});

test('Only who gives the right master key can restore', async () => {
  await using from = await openInstallation();
  await using to = await openTestDatabase();
  await make(from);
  const other = parseMasterKeys(systemRandom.bytes(32).toString('hex'));
  await assert.rejects(restoreFrom(from, to.database, 'restored', other), { code: 'master_key_wrong' });
});

test('A backup is neither written over anything nor restored over anything', async () => {
  await using from = await openInstallation();
  await make(from);
  await assert.rejects(make(from), { code: 'backup_folder_not_empty' });
  await assert.rejects(restoreFrom(from, from.database, 'restored'), { code: 'restore_not_empty' });
  await using to = await openTestDatabase();
  await assert.rejects(restoreFrom(from, to.database, 'blobs'), { code: 'restore_not_empty' });
});

test('A backup waits for nobody: while expired blobs are removed it is refused', async () => {
  await using from = await openInstallation();
  await withLease(from.database, blobRemovalLease, () =>
    assert.rejects(make(from), { code: 'backup_already_running' }),
  );
});

test('A backup of a blob store with a hole in it fails and names the blob; an unfinished upload is left out and said so', async () => {
  await using from = await openInstallation();
  await using staged = await from.blobs.stage();
  await staged.writeAt(0, Buffer.alloc(10));
  await from.database.sql`insert into hard (blob_id) values (${staged.blobId})`;
  const manifest = await make(from);
  assert.deepEqual(manifest.absent, [{ blobId: staged.blobId, why: 'staged' }]);
  const [lost] = [...from.texts.keys()];
  await from.blobs.remove(lost!);
  await assert.rejects(make(from, join(from.folder, 'second')), { name: 'BlobFault', blobId: lost });
});

const damages: { name: string; harm: (folder: string) => Promise<unknown>; code: string }[] = [
  {
    name: 'a row that was altered',
    harm: (f) => replace(join(f, 'rows', 'hard.jsonl'), 'calm', 'busy', true),
    code: 'backup_damaged',
  },
  { name: 'a table that is not there', harm: (f) => unlink(join(f, 'rows', 'outbox.jsonl')), code: 'backup_damaged' },
  {
    name: 'a row that was added',
    harm: (f) => appendFile(join(f, 'rows', 'hard.jsonl'), '{}\n'),
    code: 'backup_damaged',
  },
  { name: 'no manifest', harm: (f) => unlink(join(f, 'manifest.json')), code: 'backup_incomplete' },
  {
    name: 'a manifest that is cut off',
    harm: (f) => writeFile(join(f, 'manifest.json'), '{"format": 1'),
    code: 'backup_incomplete',
  },
  {
    name: 'a manifest that was altered',
    harm: (f) => replace(join(f, 'manifest.json'), '"createdAtMs": 1', '"createdAtMs": 2'),
    code: 'backup_damaged',
  },
];

async function replace(file: string, from: string, to: string, orAppend = false): Promise<void> {
  const text = await readFile(file, 'utf8');
  await writeFile(file, orAppend ? text.replace(/"big":"-1"/, '"big":"-2"') : text.replace(from, to));
}

test('A damaged backup is refused, whatever was done to it, and leaves no row behind', async () => {
  await using from = await openInstallation();
  await make(from);
  const folder = join(from.folder, 'backup');
  await cp(folder, join(from.folder, 'good'), { recursive: true });
  for (const [at, { name, harm, code }] of damages.entries()) {
    await rm(folder, { recursive: true });
    await cp(join(from.folder, 'good'), folder, { recursive: true });
    await harm(folder);
    await using to = await openTestDatabase();
    await addHardTables(to.database.sql);
    await assert.rejects(restoreFrom(from, to.database, `restored${at}`), { code }, name);
    assert.equal((await to.database.sql`select 1 from audit limit 1`).length, 0, name);
  }
});

test('A backup with a blob that was altered is refused', async () => {
  await using from = await openInstallation();
  await make(from);
  const files = await readdir(join(from.folder, 'backup', 'blobs', 'sealed'), { recursive: true, withFileTypes: true });
  const file = files.find((entry) => entry.isFile())!;
  await appendFile(join(file.parentPath, file.name), 'x');
  await using to = await openTestDatabase();
  await assert.rejects(restoreFrom(from, to.database, 'restored'), { code: 'backup_damaged' });
});

test('A backup of the embedded PostgreSQL restores into the server that Debian brings, and back', async (t) => {
  const majors = await readdir('/usr/lib/postgresql').catch(() => []);
  if (majors.length === 0) {
    t.skip('no PostgreSQL is installed beside the embedded one');
    return;
  }
  await using from = await openInstallation();
  await make(from);
  await using debian = await openDebianServer(join('/usr/lib/postgresql', majors.at(-1)!, 'bin'));
  await migrate(debian.database);
  await addHardTables(debian.database.sql);
  await restoreFrom(from, debian.database, 'restored');
  await compare(from, debian.database, 'restored');
});

/** A server of another major, in a folder of its own, reached by socket. */
async function openDebianServer(bin: string) {
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-pg-'));
  const run = promisify(execFile);
  const asUser =
    process.getuid!() === 0 ? ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--'] : ['env'];
  const [word, ...words] = asUser;
  await run(word!, [
    ...words,
    join(bin, 'initdb'),
    '-D',
    join(folder, 'data'),
    '-U',
    'broadgate',
    '-E',
    'UTF8',
    '--no-locale',
    '-N',
  ]);
  const options = `-c listen_addresses= -c unix_socket_directories=${folder} -c fsync=off`;
  const control = [...words, join(bin, 'pg_ctl'), '-D', join(folder, 'data'), '-l', join(folder, 'log'), '-w'];
  await run(word!, [...control, '-o', options, 'start']);
  const database = openDatabase({ url: `postgres://broadgate@localhost/postgres?host=${encodeURIComponent(folder)}` });
  return {
    database,
    async [Symbol.asyncDispose]() {
      await database.close();
      await run(word!, [...control, '-m', 'immediate', 'stop']);
      await rm(folder, { recursive: true });
    },
  };
}

test('A backup restores into a second embedded server with a data folder of its own', async () => {
  await using from = await openInstallation();
  await make(from);
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-second-'));
  await using postgres = await openEmbeddedPostgres({ dataDir: folder });
  const database = openDatabase({ url: postgres.url });
  await migrate(database);
  await addHardTables(database.sql);
  await restoreFrom(from, database, 'restored');
  await compare(from, database, 'restored');
  await database.close();
  await postgres.close();
  await rm(folder, { recursive: true });
});
