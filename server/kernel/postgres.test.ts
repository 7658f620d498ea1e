// The embedded PostgreSQL: started, adopted, recovered, stopped, and every folder that it must refuse with a way out.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { after } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from '../../test/eventually.ts';
import { attachEmbeddedPostgres, type EmbeddedPostgresOptions, openEmbeddedPostgres } from './postgres.ts';
import { copyBinaries, findBinaries, restoreLinks } from './postgres-binaries.ts';
import { listIdentities, runProgram } from './postgres-identity.ts';
import { openDatabase, type Sql } from './sql.ts';

const isRoot = process.getuid!() === 0;

/** Below a folder that only its owner may enter, as a home folder is. */
async function makeFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-pg-'));
  await chmod(folder, 0o700);
  return { dataDir: join(folder, 'data'), folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

let made: Promise<string> | undefined;
after(async () => made && rm(dirname(await made), { recursive: true }));

/** A data folder whose cluster was made before: most tests are about what comes after that. */
async function copyFolder() {
  made ??= (async () => {
    const first = await makeFolder();
    await (await open({ dataDir: first.dataDir })).close();
    return first.dataDir;
  })();
  const from = await made;
  const place = await makeFolder();
  await promisify(execFile)('cp', ['-a', from, place.dataDir]);
  return place;
}

const open = (options: EmbeddedPostgresOptions) => openEmbeddedPostgres({ durable: false, ...options });

async function ask<Result>(url: string, work: (sql: Sql) => Promise<Result>): Promise<Result> {
  const database = openDatabase({ url, connectionsMax: 1 });
  try {
    return await work(database.sql);
  } finally {
    await database.close();
  }
}

const isRunning = (pid: number): Promise<boolean> =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(
    (text) => !/\) Z/.test(text),
    () => false,
  );

/** Another process of ours that opens the server and then waits to be told or killed. */
async function forkOwner(dataDir: string): Promise<{ child: ChildProcess; pid: number; url: string }> {
  const child = fork(new URL('postgres.owner.ts', import.meta.url), [dataDir], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [{ pid, url }] = (await once(child, 'message')) as [{ pid: number; url: string }];
  return { child, pid, url };
}

test('A server is made on first use, keeps what it was told, and is found again at the next start', async () => {
  await using place = await makeFolder();
  const first = await openEmbeddedPostgres({ dataDir: place.dataDir });
  assert.equal(first.adopted, false);
  await ask(first.url, (sql) => sql`create table kept (word text)`);
  await ask(first.url, (sql) => sql`insert into kept values ('Größe')`);
  await first.close();
  assert.equal(await isRunning(first.pid), false);
  const second = await openEmbeddedPostgres({ dataDir: place.dataDir });
  assert.deepEqual(await ask(second.url, (sql) => sql`select word from kept`), [{ word: 'Größe' }]);
  await second.close();
});

test('What the server runs as, where and how it can be reached', async () => {
  await using place = await copyFolder();
  await using postgres = await open({ dataDir: place.dataDir });
  const [row] = await ask(
    postgres.url,
    (sql) => sql`
    select current_setting('server_encoding') as encoding, current_setting('listen_addresses') as addresses,
      current_setting('is_superuser') as superuser, current_setting('data_checksums') as checksums`,
  );
  assert.deepEqual(row, { encoding: 'UTF8', addresses: '', superuser: 'off', checksums: 'on' });
  await assert.rejects(ask(postgres.url.replace(/:[^:@]+@/, ':wrong@'), (sql) => sql`select 1`));
  assert.equal((await stat(join(place.dataDir, 'postgres', 'access.json'))).mode & 0o777, 0o600);
  assert.equal((await stat(join(place.dataDir, 'postgres', 'run'))).mode & 0o777, 0o700);
  const status = await readFile(`/proc/${postgres.pid}/stat`, 'utf8');
  assert.equal(Number(status.split(') ')[1]!.split(' ')[2]), postgres.pid, 'it leads a process group of its own');
});

test('Commits are synced to disk unless a test asks otherwise', async () => {
  await using place = await makeFolder();
  await using postgres = await openEmbeddedPostgres({ dataDir: place.dataDir });
  const [row] = await ask(
    postgres.url,
    (sql) => sql`
    select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commits,
      current_setting('full_page_writes') as pages`,
  );
  assert.deepEqual(row, { fsync: 'on', commits: 'on', pages: 'on' });
});

test('Where the socket\u2019s path would be too long, loopback and a password serve', async () => {
  await using place = await copyFolder();
  const dataDir = join(place.folder, 'x'.repeat(120));
  await rename(place.dataDir, dataDir);
  await using postgres = await open({ dataDir });
  assert.match(postgres.url, /@127\.0\.0\.1:\d+\//);
  const [row] = await ask(postgres.url, (sql) => sql`select inet_server_addr()::text as address`);
  assert.deepEqual(row, { address: '127.0.0.1/32' });
  await assert.rejects(ask(postgres.url.replace(/:[^:@]+@/, ':wrong@'), (sql) => sql`select 1`));
});

test('A server whose owner was killed runs on and is adopted, with what was committed', async () => {
  await using place = await copyFolder();
  const owner = await forkOwner(place.dataDir);
  await ask(owner.url, (sql) => sql`create table kept (n int)`);
  owner.child.kill('SIGKILL');
  await once(owner.child, 'exit');
  assert.ok(await isRunning(owner.pid));
  const postgres = await open({ dataDir: place.dataDir });
  assert.equal(postgres.adopted, true);
  assert.equal(postgres.pid, owner.pid);
  assert.deepEqual(await ask(postgres.url, (sql) => sql`select n from kept`), []);
  await postgres.close();
  assert.equal(await isRunning(owner.pid), false);
});

test('An interrupt for our process group does not reach the server', async () => {
  await using place = await copyFolder();
  const owner = await forkOwner(place.dataDir);
  owner.child.kill('SIGINT');
  await once(owner.child, 'exit');
  assert.ok(await isRunning(owner.pid));
  await (await open({ dataDir: place.dataDir })).close();
});

test('A server that was killed with everything it was doing recovers at the next start', async () => {
  await using place = await copyFolder();
  const first = await openEmbeddedPostgres({ dataDir: place.dataDir });
  await ask(first.url, (sql) => sql`create table kept (n int)`);
  await ask(first.url, (sql) => sql`insert into kept select generate_series(1, 1000)`);
  process.kill(first.pid, 'SIGKILL');
  await eventually(async () => !(await isRunning(first.pid)));
  await first.close();
  const second = await openEmbeddedPostgres({ dataDir: place.dataDir });
  assert.equal(second.adopted, false);
  assert.deepEqual(await ask(second.url, (sql) => sql`select count(*) as n from kept`), [{ n: 1000 }]);
  await second.close();
});

test('A process number in a stale file that another program has now does not stop the start', async () => {
  await using place = await copyFolder();
  await (await open({ dataDir: place.dataDir })).close();
  const file = join(place.dataDir, 'postgres', 'cluster', 'postmaster.pid');
  await writeFile(file, `${process.pid}\n${join(place.dataDir, 'postgres', 'cluster')}\n0\n5432\n\n\n0 0\nready   \n`);
  await using postgres = await open({ dataDir: place.dataDir });
  assert.equal(postgres.adopted, false);
});

test('A start that was cut short while the cluster was made is begun again', async () => {
  await using place = await makeFolder();
  await mkdir(join(place.dataDir, 'postgres', 'cluster.partial'), { recursive: true, mode: 0o700 });
  await writeFile(join(place.dataDir, 'postgres', 'cluster.partial', 'PG_VERSION'), '18\n');
  await using postgres = await open({ dataDir: place.dataDir });
  assert.deepEqual(await ask(postgres.url, (sql) => sql`select 1 as one`), [{ one: 1 }]);
});

test('A folder in which another Broadgate works is refused, and the other is named', async () => {
  await using place = await copyFolder();
  await using _first = await open({ dataDir: place.dataDir });
  await assert.rejects(open({ dataDir: place.dataDir }), (fault: { code: string; params: { pid: string } }) => {
    assert.equal(fault.code, 'folder_in_use');
    assert.equal(fault.params.pid, String(process.pid));
    return true;
  });
});

test('A command beside a running server gets its address, and none where no server runs', async () => {
  await using place = await copyFolder();
  assert.equal(await attachEmbeddedPostgres(place.dataDir), undefined);
  const postgres = await open({ dataDir: place.dataDir });
  assert.equal(await attachEmbeddedPostgres(place.dataDir), postgres.url);
  await postgres.close();
  assert.equal(await attachEmbeddedPostgres(place.dataDir), undefined);
});

test('A cluster of another major is refused before anything is touched', async () => {
  await using place = await makeFolder();
  const cluster = join(place.dataDir, 'postgres', 'cluster');
  await mkdir(cluster, { recursive: true, mode: 0o700 });
  await writeFile(join(cluster, 'PG_VERSION'), '17\n');
  await assert.rejects(open({ dataDir: place.dataDir }), {
    code: 'postgres_other_major',
    params: { folder: cluster, found: '17', expected: '18' },
  });
});

test('A folder that cannot be made or written is refused and named', async () => {
  await using place = await makeFolder();
  await writeFile(join(place.folder, 'file'), '');
  await assert.rejects(open({ dataDir: join(place.folder, 'file', 'data') }), { code: 'folder_not_writable' });
  await assert.rejects(open({ dataDir: '/proc/none' }), { code: 'folder_not_writable' });
});

test('The programs run from a copy where node_modules lacks their links and cannot be written', async () => {
  await using place = await makeFolder();
  const shipped = await findBinaries(place.folder);
  const [identity] = await listIdentities();
  const copy = await copyBinaries(shipped, join(place.folder, 'copy'));
  await Promise.all([
    copyBinaries(shipped, join(place.folder, 'copy')),
    copyBinaries(shipped, join(place.folder, 'copy')),
  ]);
  const packageDir = join(copy.root, '..');
  for (const link of ['libpq.so.5', 'libicui18n.so.60']) await rm(join(copy.root, 'lib', link));
  assert.notEqual((await runProgram(identity!, copy.postgres, ['--version'])).status, 0);
  await Promise.all(Array.from({ length: 8 }, () => restoreLinks(packageDir)));
  assert.equal(await readlink(join(copy.root, 'lib', 'libpq.so.5')), 'libpq.so.5.18');
  assert.equal((await runProgram(identity!, copy.postgres, ['--version'])).status, 0);
});

test('As root it runs in a user namespace, and its files stay ours', { skip: !isRoot }, async () => {
  await using place = await copyFolder();
  const identities = (await listIdentities()).filter(({ how }) => how === 'in a user namespace');
  await using postgres = await open({ dataDir: place.dataDir, identities });
  assert.equal((await stat(join(place.dataDir, 'postgres', 'cluster'))).uid, 0);
  assert.deepEqual(await ask(postgres.url, (sql) => sql`select 1 as one`), [{ one: 1 }]);
});

test('As root where namespaces are forbidden it becomes another user, in a folder that user can reach', {
  skip: !isRoot,
}, async () => {
  await using place = await makeFolder();
  const reachable = await mkdtemp(join(tmpdir(), 'broadgate-system-'));
  await chmod(reachable, 0o711);
  const identities = (await listIdentities()).filter(({ becomes }) => becomes);
  const options = { dataDir: place.dataDir, identities, systemFolder: join(reachable, 'broadgate') };
  for (const adopted of [false, false]) {
    await using postgres = await open(options);
    assert.equal(postgres.adopted, adopted);
    const uid = Number((await readFile(`/proc/${postgres.pid}/status`, 'utf8')).match(/^Uid:\s+(\d+)/m)![1]);
    assert.equal(uid, identities[0]!.becomes!.uid);
    assert.deepEqual(await ask(postgres.url, (sql) => sql`select 1 as one`), [{ one: 1 }]);
  }
  await rm(reachable, { recursive: true });
});

test('As root with no folder that the other user can reach it refuses and names the one that is closed', {
  skip: !isRoot,
}, async () => {
  await using place = await makeFolder();
  const identities = (await listIdentities()).filter(({ becomes }) => becomes);
  await assert.rejects(
    open({ dataDir: place.dataDir, identities, systemFolder: join(place.folder, 'system') }),
    (fault: { code: string; message: string }) => {
      assert.equal(fault.code, 'postgres_not_runnable');
      assert.ok(fault.message.includes(place.folder));
      return true;
    },
  );
});
