// Uploads: unseen until they are whole, resumed where they were cut off, and never beyond the quota.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createStatements } from '../statements.ts';
import { openStatementWorld } from '../../../test/statement-world.ts';

const whole = { create: true, exclusive: false, truncate: true };
const onward = { create: true, exclusive: false, truncate: false };
const listed = async (
  repository: Awaited<ReturnType<typeof openStatementWorld>>['statements']['repository'],
  actor: Parameters<typeof repository.list>[0],
) => (await repository.list(actor, '/', { limit: 100 })).entries.map((entry) => `${entry.name} ${entry.sizeBytes}`);

test('an upload appears whole at close and in no list before', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor } = await world.addClient();
  const handle = await repository.openWrite(actor, '/orders.csv', whole);
  await handle.write(0, Buffer.from('one,two\n'));
  assert.deepEqual(await listed(repository, actor), ['manifests 0']);
  const published = await handle.close();
  assert.deepEqual(await listed(repository, actor), ['manifests 0', 'orders.csv 8']);
  assert.equal((await repository.stat(actor, '/orders.csv')).sha256, published.sha256);
});

test('an empty upload is a file', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor } = await world.addClient();
  await (await repository.openWrite(actor, '/empty', whole)).close();
  assert.deepEqual(await listed(repository, actor), ['empty 0', 'manifests 0']);
});

test('an upload whose connection was lost goes on where it stopped, also in another process', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor, clientId } = await world.addClient();
  const first = await repository.openWrite(actor, '/big.bin', whole);
  await first.write(0, Buffer.alloc(100_000, 1));
  await first.abort();
  assert.deepEqual(await listed(repository, actor), ['manifests 0']);
  const { sizeBytes, isPartial } = await repository.stat(actor, '/big.bin');
  assert.deepEqual({ sizeBytes, isPartial }, { sizeBytes: 100_000, isPartial: true });
  const stranger = await world.addClient();
  await assert.rejects(repository.stat(stranger.actor, '/big.bin'), { code: 'path_not_found' });

  const elsewhere = createStatements(world.parts).repository;
  const second = await elsewhere.openWrite(actor, '/big.bin', onward);
  assert.equal(second.attributes().sizeBytes, 100_000);
  await second.write(100_000, Buffer.alloc(50_000, 2));
  await second.close();
  const after = await repository.stat(actor, '/big.bin');
  assert.deepEqual([after.sizeBytes, after.isPartial], [150_000, false]);
  const reader = await repository.openRead(actor, '/big.bin');
  const bytes = await reader.read(0, 150_000);
  assert.ok(bytes.subarray(0, 100_000).every((byte) => byte === 1));
  assert.ok(bytes.subarray(100_000).every((byte) => byte === 2));
  await reader.close({ ranges: [], end: 'closed' });
  assert.equal((await repository.space(actor)).usedBytes, 150_000);
  assert.equal((await world.database.sql`select 1 from uploads where client_id = ${clientId}`).length, 0);
});

test('an interrupted overwrite tells how far it came, while the old file is listed and read as before', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor } = await world.addClient();
  const old = await repository.openWrite(actor, '/f', whole);
  await old.write(0, Buffer.alloc(1000, 1));
  await old.close();
  const next = await repository.openWrite(actor, '/f', whole);
  await next.write(0, Buffer.alloc(300, 2));
  await next.abort();
  // A client that resumed at the old file's 1000 bytes would join two different files.
  assert.equal((await repository.stat(actor, '/f')).sizeBytes, 300);
  assert.deepEqual(await listed(repository, actor), ['f 1000', 'manifests 0']);
  const again = await repository.openWrite(actor, '/f', onward);
  await again.write(300, Buffer.alloc(100, 3));
  await again.close();
  assert.deepEqual(await listed(repository, actor), ['f 400', 'manifests 0']);
});

test('an upload whose path was removed while it was written is not published, and leaves nothing', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor } = await world.addClient();
  for (const end of ['close', 'abort'] as const) {
    const handle = await repository.openWrite(actor, '/f', whole);
    await handle.write(0, Buffer.from('first'));
    await handle.sync();
    await repository.remove(actor, '/f');
    // A frame that was synced is written a second time before it is overwritten.
    await handle.write(0, Buffer.from('other'));
    if (end === 'abort') await handle.abort();
    else await assert.rejects(handle.close(), { code: 'upload_taken_over' });
    assert.deepEqual(readdirSync(path.join(world.folder, 'blobs', 'staged')), []);
  }
  assert.equal((await repository.space(actor)).usedBytes, 0);
});

test('a handle that another connection took over writes nothing any more', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor } = await world.addClient();
  const dead = await repository.openWrite(actor, '/f', whole);
  await dead.write(0, Buffer.from('first'));
  const live = await repository.openWrite(actor, '/f', onward);
  assert.equal(live.attributes().sizeBytes, 5);
  await assert.rejects(dead.write(5, Buffer.from('x')), { code: 'upload_taken_over' });
  await assert.rejects(dead.read(0, 5), { code: 'upload_taken_over' });
  await assert.rejects(dead.close(), { code: 'upload_taken_over' });
  await live.write(5, Buffer.from(' second'));
  await live.close();
  assert.deepEqual(await listed(repository, actor), ['f 12', 'manifests 0']);
});

test('opening for append begins with the published bytes and replaces them only at close', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor } = await world.addClient();
  const first = await repository.openWrite(actor, '/log', whole);
  await first.write(0, Buffer.from('one\n'));
  await first.close();
  const more = await repository.openWrite(actor, '/log', onward);
  assert.equal((await more.read(0, 10)).toString(), 'one\n');
  await more.write(4, Buffer.from('two\n'));
  assert.deepEqual(await listed(repository, actor), ['log 4', 'manifests 0']);
  await more.close();
  assert.deepEqual(await listed(repository, actor), ['log 8', 'manifests 0']);
});

test('a write far beyond the end is refused, and one a little beyond it leaves zeros', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor } = await world.addClient();
  const handle = await repository.openWrite(actor, '/f', whole);
  await assert.rejects(handle.write(2 ** 40, Buffer.from('x')), { code: 'quota_reached' });
  await assert.rejects(handle.write(32 * 1024 * 1024, Buffer.from('x')), { code: 'upload_gap' });
  await handle.write(3, Buffer.from('x'));
  assert.deepEqual(await handle.read(0, 10), Buffer.from('\0\0\0x'));
  await handle.truncate(2);
  await handle.close();
  assert.equal((await repository.stat(actor, '/f')).sizeBytes, 2);
});

test('exclusive and existing-only opens are answered as asked', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor } = await world.addClient();
  await assert.rejects(repository.openWrite(actor, '/f', { ...whole, create: false }), { code: 'path_not_found' });
  await assert.rejects(repository.openWrite(actor, '/no/f', whole), { code: 'path_not_found' });
  await assert.rejects(repository.openWrite(actor, '/', whole), { code: 'path_is_folder' });
  await assert.rejects(repository.openWrite(actor, '/manifests', whole), { code: 'path_is_folder' });
  await assert.rejects(repository.openWrite(actor, '/manifests/manifest_20261124.json', whole), {
    code: 'name_reserved',
  });
  const handle = await repository.openWrite(actor, '/f', { ...whole, exclusive: true });
  await assert.rejects(repository.openWrite(actor, '/f', { ...whole, exclusive: true }), { code: 'path_taken' });
  await handle.close();
});

test('uploads that run at once never take more than the quota together', async () => {
  const quotaBytes = 1_000_000;
  await using world = await openStatementWorld({ settings: { quotaBytes } });
  const repositories = [world.statements.repository, createStatements(world.parts).repository];
  const { actor } = await world.addClient();
  const tries = Array.from({ length: 12 }, async (_, index) => {
    const handle = await repositories[index % 2]!.openWrite(actor, `/f${index}`, whole);
    try {
      for (let piece = 0; piece < 3; piece += 1) await handle.write(piece * 50_000, Buffer.alloc(50_000, index));
    } catch (fault) {
      await handle.discard();
      throw fault;
    }
    return handle.close();
  });
  const outcomes = await Promise.allSettled(tries);
  const done = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal((outcome.reason as { code?: string }).code, 'quota_reached');
  }
  assert.ok(done.length <= 6, `${done.length} of 150,000 bytes each fitted into ${quotaBytes}`);
  assert.ok(done.length >= 1);
  const { usedBytes } = await repositories[0]!.space(actor);
  assert.equal(usedBytes, done.length * 150_000);
  const [row] = await world.database.sql<{ sum: number }>`select sum(size_bytes)::bigint as sum from entries`;
  assert.equal(row!.sum, usedBytes);
});

test('an overwrite counts the difference, and a folder counts as an entry', async () => {
  await using world = await openStatementWorld({ settings: { quotaBytes: 1000, quotaEntries: 2 } });
  const { repository } = world.statements;
  const { actor } = await world.addClient();
  const write = async (path: string, sizeBytes: number) => {
    const handle = await repository.openWrite(actor, path, whole);
    await handle.write(0, Buffer.alloc(sizeBytes)).catch(async (fault: unknown) => {
      await handle.discard();
      throw fault;
    });
    await handle.close();
  };
  await write('/f', 400);
  await write('/f', 500);
  assert.equal((await repository.space(actor)).usedBytes, 500);
  await assert.rejects(write('/f', 1001), { code: 'quota_reached' });
  await repository.makeFolder(actor, '/d');
  await assert.rejects(repository.makeFolder(actor, '/e'), { code: 'quota_entries_reached' });
  await assert.rejects(write('/g', 1), { code: 'quota_entries_reached' });
  const space = await repository.space(actor);
  assert.deepEqual([space.usedBytes, space.usedEntries], [500, 2]);
});
