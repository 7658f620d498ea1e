// Retention in simulated time: both sides of the 100 days, every kind of file, and a clock that is not believed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobRemovalLease } from '../../kernel/backup.ts';
import { withLease } from '../../kernel/lease.ts';
import { eventually } from '../../../test/eventually.ts';
import { openStatementWorld, type StatementWorld } from '../../../test/statement-world.ts';

const hourMs = 3_600_000;
const keptMs = 100 * 24 * hourMs;
const whole = { create: true, exclusive: false, truncate: true };
const daily = { kind: 'daily', period: '2026-11-23', fileName: 'a.csv' };

/** Time passes as it does for a server that purges: in steps that no clock check finds strange. */
async function pass(world: StatementWorld, byMs: number): Promise<void> {
  for (let left = byMs; left > 0; left -= 47 * hourMs) {
    world.clock.advance(Math.min(left, 47 * hourMs));
    await world.database.sql`update retention_clock set seen_at_ms = ${world.clock.nowMs()}`;
  }
}

async function namesOf(world: StatementWorld, actor: Parameters<typeof world.statements.repository.list>[0]) {
  const { entries } = await world.statements.repository.list(actor, '/', { limit: 500 });
  return entries.filter((entry) => entry.kind === 'file').map((entry) => entry.name);
}

const blobIds = async (world: StatementWorld): Promise<string[]> =>
  (await Array.fromAsync(world.blobs.list())).map((blob) => blob.blobId);

test('D-24: a file is there while younger than 100 times 24 hours and gone at the first purge after, uploads and portal copies too', async () => {
  await using world = await openStatementWorld();
  const { issuing, catalog, repository, retention, records } = world.statements;
  const { actor, clientId, accountNumber } = await world.addClient();
  world.elect(clientId);
  const { statementId, name } = await issuing.issueStatement(world.desk, { ...daily, accountNumber }, Buffer.from('x'));
  const upload = await repository.openWrite(actor, '/mine.txt', whole);
  await upload.write(0, Buffer.from('mine'));
  await upload.close();
  await retention.purge();

  await pass(world, keptMs - 1);
  assert.deepEqual(await retention.purge(), { files: 0, portalCopies: 0, partialUploads: 0 });
  assert.deepEqual((await namesOf(world, actor)).length, 3);
  world.clock.advance(1);
  // Due, and there until the purge runs.
  assert.equal((await namesOf(world, actor)).length, 3);
  const preview = await retention.previewPurge(world.desk);
  assert.deepEqual([preview.files, preview.portalCopies], [3, 1]);
  assert.deepEqual(await retention.purge(), { files: 3, portalCopies: 1, partialUploads: 0 });
  assert.deepEqual(await namesOf(world, actor), []);
  await assert.rejects(catalog.openPortalCopy(actor, statementId), { code: 'statement_expired' });
  assert.equal((await catalog.getStatement(actor, statementId)).state, 'expired');
  assert.deepEqual(await blobIds(world), []);
  const space = await repository.space(actor);
  assert.deepEqual([space.usedBytes, space.usedEntries], [0, 0]);
  const { items } = await records.listDeletions(actor, {}, { limit: 10 });
  assert.deepEqual(
    items.map((item) => `${item.what} ${item.path} ${item.why}`).sort(),
    [
      `file /${name} retention`,
      `file /${name}.sig retention`,
      'file /mine.txt retention',
      `portal_copy ${name} retention`,
    ].sort(),
  );
  assert.deepEqual((await world.statements.deletions.verify()).whole, true);
});

test('D-24: a file written anew counts from then, a file only renamed does not', async () => {
  await using world = await openStatementWorld();
  const { repository, retention } = world.statements;
  const { actor } = await world.addClient();
  const write = async (path: string): Promise<void> => {
    const handle = await repository.openWrite(actor, path, whole);
    await handle.write(0, Buffer.from('x'));
    await handle.close();
  };
  await write('/anew');
  await write('/renamed');
  await retention.purge();
  await pass(world, keptMs / 2);
  await write('/anew');
  await repository.rename(actor, '/renamed', '/other', { replace: false });
  await repository.setModified(actor, '/other', world.clock.nowMs());
  await pass(world, keptMs / 2);
  await retention.purge();
  assert.deepEqual(await namesOf(world, actor), ['anew']);
});

test('D-24: a statement that waited elsewhere first is kept for 100 days from its placing', async () => {
  await using world = await openStatementWorld();
  const { issuing, catalog, retention } = world.statements;
  const { actor, clientId, accountNumber } = await world.addClient();
  world.elect(clientId, { connectionState: 'waiting_for_keys' });
  const { statementId, name } = await issuing.issueStatement(world.desk, { ...daily, accountNumber }, Buffer.from('x'));
  await retention.purge();
  await pass(world, keptMs + hourMs);
  assert.deepEqual(await retention.purge(), { files: 0, portalCopies: 0, partialUploads: 0 });
  world.elect(clientId);
  await issuing.deliverOne(statementId);
  await pass(world, keptMs - 1);
  await retention.purge();
  assert.deepEqual(await namesOf(world, actor), [name, `${name}.sig`]);
  assert.equal((await catalog.getStatement(actor, statementId)).state, 'available');
  world.clock.advance(1);
  assert.deepEqual(await retention.purge(), { files: 2, portalCopies: 1, partialUploads: 0 });
});

test('an unfinished upload that nobody went on with is let go of, and its room comes back', async () => {
  await using world = await openStatementWorld();
  const { repository, retention } = world.statements;
  const { actor } = await world.addClient();
  const handle = await repository.openWrite(actor, '/half', whole);
  await handle.write(0, Buffer.alloc(1000));
  await handle.abort();
  assert.equal((await repository.space(actor)).usedBytes, 1000);
  await retention.purge();
  await pass(world, 7 * 24 * hourMs - 1);
  assert.equal((await retention.purge())?.partialUploads, 0);
  world.clock.advance(1);
  assert.equal((await retention.purge())?.partialUploads, 1);
  assert.equal((await repository.space(actor)).usedBytes, 0);
  assert.deepEqual(await blobIds(world), []);
});

test('an upload that is gone on with while a purge looks at it stays, with its bytes and its room', async () => {
  await using world = await openStatementWorld();
  const { repository, retention } = world.statements;
  const { actor, clientId } = await world.addClient();
  const first = await repository.openWrite(actor, '/half', whole);
  await first.write(0, Buffer.alloc(1000));
  await first.abort();
  await retention.purge();
  await pass(world, 8 * 24 * hourMs);
  let purging: Promise<unknown> | undefined;
  await world.database.transaction(async (sql) => {
    // The client holds its tree, as it does while it takes up the upload again; the purge has listed it and waits.
    await sql`select 1 from repositories where client_id = ${clientId} for update`;
    purging = retention.purge();
    await eventually(async () => {
      const rows = await world.database.sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      return rows.length > 0;
    });
    await sql`update uploads set touched_at_ms = ${world.clock.nowMs()} where client_id = ${clientId}`;
  });
  assert.deepEqual(await purging, { files: 0, portalCopies: 0, partialUploads: 0 });
  assert.equal((await repository.space(actor)).usedBytes, 1000);
  const again = await repository.openWrite(actor, '/half', { ...whole, truncate: false });
  assert.equal(again.attributes().sizeBytes, 1000);
  await again.discard();
  assert.equal((await repository.space(actor)).usedBytes, 0);
});

test('a wall clock that jumped forward before the first purge is not believed either', async () => {
  await using world = await openStatementWorld();
  const { repository, retention } = world.statements;
  const { actor } = await world.addClient();
  const upload = await repository.openWrite(actor, '/half.bin', whole);
  await upload.write(0, Buffer.from('half'));
  await upload.sync();
  await upload.abort();
  const startMs = world.clock.nowMs();
  world.clock.jump(startMs + 60 * 24 * hourMs);
  assert.equal((await retention.previewPurge(world.desk)).isHeld, true);
  await assert.rejects(retention.purge(), { code: 'retention_clock_jumped' });
  world.clock.jump(startMs);
  assert.deepEqual(await retention.purge(), { files: 0, portalCopies: 0, partialUploads: 0 });
  assert.equal((await repository.stat(actor, '/half.bin')).sizeBytes, 4);
});

test('a wall clock that jumped forward purges nothing until the operations desk has confirmed it', async () => {
  await using world = await openStatementWorld();
  const { repository, retention } = world.statements;
  const { actor } = await world.addClient();
  await (await repository.openWrite(actor, '/f', whole)).close();
  const startMs = world.clock.nowMs();
  await retention.purge();
  world.clock.jump(startMs + 48 * hourMs);
  assert.ok(await retention.purge());
  world.clock.jump(startMs + keptMs * 2);
  await assert.rejects(retention.purge(), { code: 'retention_clock_jumped' });
  await assert.rejects(retention.purge(), { code: 'retention_clock_jumped' });
  await assert.rejects(retention.sweepOrphans(), { code: 'retention_clock_jumped' });
  assert.deepEqual(await namesOf(world, actor), ['f']);
  assert.equal((await retention.previewPurge(world.desk)).isHeld, true);
  const { items } = await world.messages.listNotices(world.desk, { limit: 10 });
  assert.equal(items.filter((notice) => notice.kind === 'retention_held').length, 1);
  await assert.rejects(retention.confirmClock(actor), { code: 'proof_not_yours' });

  // Set right again, it goes on by itself; set back, nothing is younger than it was.
  world.clock.jump(startMs + 49 * hourMs);
  assert.deepEqual(await retention.purge(), { files: 0, portalCopies: 0, partialUploads: 0 });
  world.clock.jump(startMs - 1000 * hourMs);
  assert.deepEqual(await retention.purge(), { files: 0, portalCopies: 0, partialUploads: 0 });
  world.clock.jump(startMs + keptMs * 2);
  await retention.confirmClock(world.desk);
  assert.equal((await retention.purge())?.files, 1);
});

test('orphaned blobs go after a day, and nothing that any row names goes', async () => {
  await using world = await openStatementWorld({ startMs: Date.now() });
  const { issuing, repository, retention } = world.statements;
  const { actor, clientId, accountNumber } = await world.addClient();
  world.elect(clientId);
  await issuing.issueStatement(world.desk, { ...daily, accountNumber }, Buffer.from('x'));
  const half = await repository.openWrite(actor, '/half', whole);
  await half.write(0, Buffer.from('half'));
  await half.abort();
  const kept = new Set(await blobIds(world));
  await world.blobs.put(Buffer.from('left by a crash'));
  world.clock.advance(24 * hourMs - 60_000);
  assert.equal(await retention.sweepOrphans(), 0);
  world.clock.advance(120_000);
  assert.equal(await retention.sweepOrphans(), 1);
  assert.deepEqual(new Set(await blobIds(world)), kept);
});

test('a changed, a missing and an added row of the deletion log are found', async () => {
  await using world = await openStatementWorld();
  const { repository, retention, deletions } = world.statements;
  const { actor } = await world.addClient();
  for (const name of ['a', 'b', 'c']) await (await repository.openWrite(actor, `/${name}`, whole)).close();
  await retention.purge();
  await pass(world, keptMs);
  await retention.purge();
  assert.deepEqual([(await deletions.verify()).whole], [true]);
  const { sql } = world.database;
  const [seal] = await sql<{ number: number }>`select number from deletion_seals`;
  assert.equal(seal?.number, 3);
  await sql`update deletions set path = '/x' where number = 2`;
  assert.deepEqual(await deletions.verify(), { whole: false, number: 2 });
  await sql`update deletions set path = '/b' where number = 2`;
  assert.equal((await deletions.verify()).whole, true);
  await sql`delete from deletion_seals`;
  await sql`delete from deletions where number = 1`;
  assert.deepEqual(await deletions.verify(), { whole: false, number: 1 });
});

test('while a backup runs no blob is removed, and the sweep takes what was left after it', async () => {
  await using world = await openStatementWorld({ startMs: Date.now() });
  const { repository, retention } = world.statements;
  const { actor } = await world.addClient();
  await (await repository.openWrite(actor, '/f', whole)).close();
  await withLease(world.database, blobRemovalLease, async () => {
    await repository.remove(actor, '/f');
    assert.equal((await blobIds(world)).length, 1);
    world.clock.advance(25 * hourMs);
    assert.equal(await retention.sweepOrphans(), 0);
  });
  assert.equal(await retention.sweepOrphans(), 1);
  assert.deepEqual(await blobIds(world), []);
});
