// The tree of one client: what it sees, what it may change, what it may not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientActor } from '../../kernel/actor.ts';
import { collect, openStatementWorld, type StatementWorld } from '../../../test/statement-world.ts';

const whole = { create: true, exclusive: false, truncate: true };

async function put(world: StatementWorld, actor: ClientActor, path: string, text: string): Promise<void> {
  const handle = await world.statements.repository.openWrite(actor, path, whole);
  await handle.write(0, Buffer.from(text));
  await handle.close();
}

async function names(world: StatementWorld, actor: ClientActor, folder = '/'): Promise<string[]> {
  const { entries } = await world.statements.repository.list(actor, folder, { limit: 500 });
  return entries.map((entry) => entry.name);
}

async function textOf(world: StatementWorld, actor: ClientActor, path: string): Promise<string> {
  const reader = await world.statements.repository.openRead(actor, path);
  const bytes = await collect(reader.stream({ start: 0, end: reader.file.sizeBytes }));
  await reader.close({ ranges: [], end: 'closed' });
  return bytes.toString();
}

const asked = { kind: 'daily', period: '2026-11-23', fileName: 'a.csv' };

test('SF-15: a statement that was placed is listed and read byte for byte by its own client', async () => {
  await using world = await openStatementWorld();
  const { statements, desk } = world;
  const client = await world.addClient();
  world.elect(client.clientId);
  const bytes = Buffer.from('positions and cash\n'.repeat(1000));
  const issued = await statements.issuing.issueStatement(
    desk,
    { ...asked, accountNumber: client.accountNumber },
    bytes,
  );
  assert.deepEqual(await names(world, client.actor), [issued.name, `${issued.name}.sig`, 'manifests'].sort());
  const reader = await statements.repository.openRead(client.actor, `/${issued.name}`);
  assert.deepEqual(await reader.read(0, 1_000_000), bytes);
  await reader.close({ ranges: [{ startBytes: 0, endBytes: bytes.length }], end: 'closed' });
  const steps = await statements.catalog.getTimeline(client.actor, issued.statementId);
  assert.deepEqual(
    steps.map((step) => step.step),
    ['issued', 'published', 'fetched', 'expires'],
  );
});

test('SF-16: another client finds nothing of it by any path, and no difference to what is not there', async () => {
  await using world = await openStatementWorld();
  const { statements, desk } = world;
  const [owner, other] = [await world.addClient(), await world.addClient()];
  world.elect(owner.clientId);
  const issued = await statements.issuing.issueStatement(
    desk,
    { ...asked, accountNumber: owner.accountNumber },
    Buffer.from('x'),
  );
  await put(world, owner.actor, '/mine.txt', 'mine');
  for (const path of [`/${issued.name}`, '/mine.txt', '/nothing.txt']) {
    await assert.rejects(statements.repository.stat(other.actor, path), { code: 'path_not_found' });
    await assert.rejects(statements.repository.openRead(other.actor, path), { code: 'path_not_found' });
    await assert.rejects(statements.repository.remove(other.actor, path), { code: 'path_not_found' });
    await assert.rejects(statements.repository.rename(other.actor, path, '/y', { replace: true }), {
      code: 'path_not_found',
    });
  }
  for (const statementId of [issued.statementId, world.ids.next()]) {
    await assert.rejects(statements.catalog.getStatement(other.actor, statementId), { code: 'statement_not_found' });
    await assert.rejects(statements.catalog.openPortalCopy(other.actor, statementId), { code: 'statement_not_found' });
    await assert.rejects(statements.catalog.openDelivered(other.actor, statementId), { code: 'statement_not_found' });
    await assert.rejects(statements.catalog.getTimeline(other.actor, statementId), { code: 'statement_not_found' });
  }
  assert.deepEqual(
    (await statements.catalog.listStatements(other.actor, { clientId: owner.clientId }, { limit: 10 })).items,
    [],
  );
  assert.equal(await textOf(world, owner.actor, '/mine.txt'), 'mine');
});

test('D-21: what the broker issued is not overwritten, renamed, deleted, touched or moved with a folder', async () => {
  await using world = await openStatementWorld();
  const { statements, desk } = world;
  const { repository } = statements;
  const { actor, clientId, accountNumber } = await world.addClient();
  world.elect(clientId);
  const { name } = await statements.issuing.issueStatement(desk, { ...asked, accountNumber }, Buffer.from('true'));
  await put(world, actor, '/own.txt', 'own');
  const refused = { code: 'statement_protected', kind: 'forbidden' };
  for (const path of [`/${name}`, `/${name}.sig`, `/${name.normalize('NFD')}`]) {
    await assert.rejects(repository.openWrite(actor, path, whole), refused);
    await assert.rejects(repository.openWrite(actor, path, { ...whole, truncate: false }), refused);
    await assert.rejects(repository.remove(actor, path), refused);
    await assert.rejects(repository.rename(actor, path, '/other', { replace: true }), refused);
    await assert.rejects(repository.setModified(actor, path, 0), refused);
  }
  await assert.rejects(repository.removeFolder(actor, '/manifests'), refused);
  await assert.rejects(repository.rename(actor, '/manifests', '/m', { replace: false }), refused);
  await assert.rejects(repository.makeFolder(actor, '/manifests'), { code: 'path_taken' });
  // A file moved over it would replace it as surely as a write.
  await assert.rejects(repository.rename(actor, '/own.txt', `/${name.replace('.csv', '_v2.csv')}`, { replace: true }), {
    code: 'name_reserved',
  });
  assert.equal(await textOf(world, actor, `/${name}`), 'true');
});

test('a client changes and deletes what it uploaded, and moves its folders with all that they hold', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor } = await world.addClient();
  await repository.makeFolder(actor, '/in');
  await repository.makeFolder(actor, '/in/deep');
  await put(world, actor, '/in/deep/ä.txt', 'one');
  await put(world, actor, '/in/deep/ä.txt', 'two');
  await repository.makeFolder(actor, '/inner');
  await assert.rejects(repository.rename(actor, '/in', '/in/deep/in', { replace: false }), {
    code: 'folder_into_itself',
  });
  await repository.rename(actor, '/in', '/out', { replace: false });
  assert.equal(await textOf(world, actor, '/out/deep/a\u0308.txt'), 'two');
  assert.deepEqual(await names(world, actor), ['inner', 'manifests', 'out']);
  await assert.rejects(repository.removeFolder(actor, '/out'), { code: 'folder_not_empty' });
  await put(world, actor, '/b.txt', 'b');
  await assert.rejects(repository.rename(actor, '/b.txt', '/out/deep/ä.txt', { replace: false }), {
    code: 'path_taken',
  });
  await repository.rename(actor, '/b.txt', '/out/deep/ä.txt', { replace: true });
  assert.equal(await textOf(world, actor, '/out/deep/ä.txt'), 'b');
  await repository.copy(actor, '/out/deep/ä.txt', '/copy.txt');
  await repository.remove(actor, '/out/deep/ä.txt');
  assert.equal(await textOf(world, actor, '/copy.txt'), 'b');
  await repository.removeFolder(actor, '/out/deep');
  await repository.removeFolder(actor, '/out');
  await repository.removeFolder(actor, '/inner');
  await repository.remove(actor, '/copy.txt');
  const { usedBytes, usedEntries } = await repository.space(actor);
  assert.deepEqual({ usedBytes, usedEntries }, { usedBytes: 0, usedEntries: 0 });
  const left: string[] = [];
  for await (const blob of world.blobs.list()) left.push(blob.blobId);
  assert.deepEqual(left, []);
});

test('a folder of thousands is listed in pages, each name once and in order', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor, clientId } = await world.addClient();
  await put(world, actor, '/first', 'x');
  const { sql } = world.database;
  await sql`insert into entries (id, client_id, path, parent, name, kind, origin, blob_id, size_bytes, sha256, placed_at_ms,
      modified_at_ms) select 'many' || n, ${clientId}, '/n' || n, '/', 'n' || n, 'file', 'client', 'b', 1, 's', 0, 0
      from generate_series(1, 5000) n`;
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await repository.list(actor, '/', { after, limit: 10_000 });
    assert.ok(page.entries.length <= 500);
    seen.push(...page.entries.map((entry) => entry.name));
    after = page.next;
  } while (after !== undefined);
  assert.equal(seen.length, 5002);
  assert.deepEqual(seen, [...seen].sort());
  assert.equal(new Set(seen).size, 5002);
});

test('nobody but a client works in a repository, and only the delivery desk reads what clients uploaded', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor, clientId } = await world.addClient();
  await put(world, actor, '/orders.csv', 'buy\n');
  await assert.rejects(repository.list(world.desk, '/', { limit: 1 }), { code: 'repository_not_yours' });
  const service = { ...world.desk, desks: ['service'] } as const;
  await assert.rejects(repository.listUploads(service, {}, { limit: 1 }), { code: 'uploads_not_yours' });
  await assert.rejects(repository.listUploads(actor, {}, { limit: 1 }), { code: 'uploads_not_yours' });
  const { items } = await repository.listUploads(world.desk, { clientId }, { limit: 10 });
  assert.deepEqual(
    items.map((item) => item.path),
    ['/orders.csv'],
  );
  const reader = await repository.openUpload(world.desk, items[0]!.entryId);
  assert.equal((await reader.read(0, 100)).toString(), 'buy\n');
  await reader.close({ ranges: [{ startBytes: 0, endBytes: 4 }], end: 'closed' });
  const { items: receipts } = await world.statements.records.listReceipts(actor, {}, { limit: 10 });
  assert.deepEqual(
    receipts.map((receipt) => [receipt.form, receipt.path, receipt.actor, receipt.isWhole]),
    [['upload', '/orders.csv', `operator:${world.desk.operatorId}`, true]],
  );
});
