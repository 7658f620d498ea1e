// The tree of one client: what it sees, what it may change, what it may not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStatementWorld } from '../../../test/statement-world.ts';

const file = { create: true, exclusive: false, truncate: true };

test('SF-15: a statement that was placed is listed and read byte for byte by its own client', async () => {
  await using world = await openStatementWorld();
  const { statements, desk } = world;
  const client = await world.addClient();
  world.elect(client.clientId);
  const bytes = Buffer.from('positions and cash\n'.repeat(1000));
  const asked = { accountNumber: client.accountNumber, kind: 'daily', period: '2026-11-23', fileName: 'a.csv' };
  const issued = await statements.issuing.issueStatement(desk, asked, bytes);
  const { entries } = await statements.repository.list(client.actor, '/', { limit: 10 });
  assert.deepEqual(
    entries.map((entry) => entry.name),
    [issued.name, `${issued.name}.sig`, 'manifests'].sort(),
  );
  const reader = await statements.repository.openRead(client.actor, `/${issued.name}`);
  assert.deepEqual(await reader.read(0, 1_000_000), bytes);
  await reader.close({ ranges: [{ startBytes: 0, endBytes: bytes.length }], end: 'closed' });
  const steps = await statements.catalog.getTimeline(client.actor, issued.statementId);
  assert.deepEqual(
    steps.map((step) => step.step),
    ['issued', 'published', 'fetched', 'expires'],
  );
});

test('an upload appears whole at close and not before', async () => {
  await using world = await openStatementWorld();
  const { repository } = world.statements;
  const { actor } = await world.addClient();
  const handle = await repository.openWrite(actor, '/orders.csv', file);
  await handle.write(0, Buffer.from('one,two\n'));
  assert.deepEqual(
    (await repository.list(actor, '/', { limit: 10 })).entries.map((entry) => entry.name),
    ['manifests'],
  );
  await handle.close();
  const [, orders] = (await repository.list(actor, '/', { limit: 10 })).entries;
  assert.equal(orders?.name, 'orders.csv');
  assert.equal(orders?.sizeBytes, 8);
});
