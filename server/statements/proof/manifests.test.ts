// Manifests: every placed file in exactly one list, lists chained and signed, and a check that needs public keys only.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type HeldFile, type Manifest, type SignedManifest, verifyManifests } from '@broadgate/contract/manifest.ts';
import { verifyDetached } from '@broadgate/openpgp-writer';
import type { ClientActor } from '../../kernel/actor.ts';
import { collect, openStatementWorld, type StatementWorld } from '../../../test/statement-world.ts';

const dayMs = 24 * 3_600_000;
const daily = { kind: 'daily', fileName: 'a.csv' };

async function readAll(world: StatementWorld, actor: ClientActor, folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const { entries } = await world.statements.repository.list(actor, folder, { limit: 500 });
  for (const entry of entries) {
    if (entry.kind === 'folder') continue;
    const reader = await world.statements.repository.openRead(actor, entry.path);
    files.set(entry.path, await collect(reader.stream({ start: 0, end: entry.sizeBytes })));
    await reader.close({ ranges: [], end: 'closed' });
  }
  return files;
}

/** What a client can check with the files it fetched and the broker's public key. */
async function check(
  world: StatementWorld,
  actor: ClientActor,
  change: (lists: SignedManifest[], held: HeldFile[]) => void = () => {},
) {
  const lists = await readAll(world, actor, '/manifests');
  const manifests = [...lists]
    .filter(([path]) => path.endsWith('.json'))
    .map(([path, bytes]) => ({ name: path, bytes, signature: lists.get(`${path}.sig`)! }));
  const held = [...(await readAll(world, actor, '/'))].map(([path, bytes]) => ({
    path,
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }));
  change(manifests, held);
  const { certificate } = world.statements.brokerKey;
  const verify = (data: Uint8Array, signature: Uint8Array) => verifyDetached({ certificate, signature, data }).good;
  return verifyManifests({ manifests, held, verify, nowMs: world.clock.nowMs() });
}

async function openThreeDays() {
  const world = await openStatementWorld({ startMs: Date.UTC(2026, 10, 24, 15) });
  const { issuing, manifests } = world.statements;
  const client = await world.addClient();
  world.elect(client.clientId);
  const issue = (period: string) =>
    issuing.issueStatement(world.desk, { ...daily, period, accountNumber: client.accountNumber }, Buffer.from(period));
  const issued = [await issue('2026-11-23')];
  await manifests.updateManifests();
  issued.push(await issue('2026-11-22'));
  await manifests.updateManifests();
  world.clock.advance(2 * dayMs);
  issued.push(await issue('2026-11-25'));
  await manifests.updateManifests();
  world.clock.advance(dayMs);
  await manifests.updateManifests();
  return { world, client, issued, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

test('each file is in one list, a quiet day has none, and the whole chain is found good with the public key alone', async () => {
  await using days = await openThreeDays();
  const { world, client, issued } = days;
  const { items } = await world.statements.manifests.listManifests(client.actor, {}, { limit: 10 });
  assert.deepEqual(
    items.map((item) => [item.number, item.day, item.isFinal]),
    [
      [2, '2026-11-26', true],
      [1, '2026-11-24', true],
    ],
  );
  const lists = await readAll(world, client.actor, '/manifests');
  const first = JSON.parse(lists.get('/manifests/manifest_20261124.json')!.toString()) as Manifest;
  const second = JSON.parse(lists.get('/manifests/manifest_20261126.json')!.toString()) as Manifest;
  assert.deepEqual(
    [...first.files, ...second.files].map((file) => file.path).sort(),
    issued.flatMap(({ name }) => [`/${name}`, `/${name}.sig`]).sort(),
  );
  assert.equal(
    second.previous?.sha256,
    createHash('sha256').update(lists.get('/manifests/manifest_20261124.json')!).digest('hex'),
  );
  assert.deepEqual(await check(world, client.actor), { isGood: true, faults: [], filesGood: 6, filesGone: 0 });
  assert.equal(await world.statements.manifests.updateManifests(), 0);
});

test('a changed list, a changed file, a missing file and a missing list are each found', async () => {
  await using days = await openThreeDays();
  const { world, client } = days;
  const { actor } = client;
  const altered = await check(world, actor, (lists) => {
    lists[0] = {
      ...lists[0]!,
      bytes: Buffer.from(Buffer.from(lists[0]!.bytes).toString().replace('"number": 1', '"number": 7')),
    };
  });
  assert.deepEqual(
    altered.faults.map((fault) => fault.fault),
    ['bad_signature'],
  );
  const differs = await check(world, actor, (_, held) => {
    held[0] = { ...held[0]!, sha256: '0'.repeat(64) };
  });
  assert.deepEqual(
    differs.faults.map((fault) => fault.fault),
    ['file_differs'],
  );
  const missing = await check(world, actor, (_, held) => void held.splice(0, 1));
  assert.deepEqual(
    missing.faults.map((fault) => fault.fault),
    ['file_missing'],
  );

  world.clock.advance(dayMs);
  const asked = { ...daily, period: '2026-11-27', accountNumber: client.accountNumber };
  await world.statements.issuing.issueStatement(world.desk, asked, Buffer.from('x'));
  await world.statements.manifests.updateManifests();
  assert.equal((await check(world, actor)).isGood, true);
  const gap = await check(world, actor, (lists) => void lists.splice(1, 1));
  assert.deepEqual(
    gap.faults.map((fault) => fault.fault),
    ['chain_broken'],
  );
});

test('a withdrawn file is told as gone by the next list, so that its absence is no fault', async () => {
  await using days = await openThreeDays();
  const { world, client, issued } = days;
  await world.statements.issuing.withdraw(world.desk, issued[0]!.statementId, 'wrong');
  assert.equal((await check(world, client.actor)).isGood, false);
  await world.statements.manifests.updateManifests();
  assert.deepEqual(await check(world, client.actor), { isGood: true, faults: [], filesGood: 4, filesGone: 2 });
});

test('a list whose files were all withdrawn on its day is closed all the same', async () => {
  await using world = await openStatementWorld({ startMs: Date.UTC(2026, 10, 24, 15) });
  const { issuing, manifests } = world.statements;
  const { actor, clientId, accountNumber } = await world.addClient();
  world.elect(clientId);
  const asked = { ...daily, period: '2026-11-23', accountNumber };
  const { statementId } = await issuing.issueStatement(world.desk, asked, Buffer.from('x'));
  await manifests.updateManifests();
  world.clock.advance(dayMs);
  await issuing.withdraw(world.desk, statementId, 'wrong');
  await manifests.updateManifests();
  const { items } = await manifests.listManifests(actor, {}, { limit: 10 });
  assert.deepEqual(
    items.map((item) => [item.number, item.isFinal]),
    [
      [2, false],
      [1, true],
    ],
  );
  assert.equal((await check(world, actor)).isGood, true);
});

test('with the clock set back no list is written out of order, and none is lost when it is right again', async () => {
  await using days = await openThreeDays();
  const { world, client } = days;
  const rightMs = world.clock.nowMs();
  world.clock.jump(rightMs - 3 * dayMs);
  const asked = { ...daily, period: '2026-11-20', accountNumber: client.accountNumber };
  await world.statements.issuing.issueStatement(world.desk, asked, Buffer.from('x'));
  await world.statements.manifests.updateManifests();
  world.clock.jump(rightMs + dayMs);
  await world.statements.manifests.updateManifests();
  assert.deepEqual(await check(world, client.actor), { isGood: true, faults: [], filesGood: 8, filesGone: 0 });
});

test('lists of other clients are not listed, and bytes that are no list are called unreadable', async () => {
  await using days = await openThreeDays();
  const { world } = days;
  const other = await world.addClient();
  assert.deepEqual(
    (await world.statements.manifests.listManifests(other.actor, { clientId: days.client.clientId }, { limit: 5 }))
      .items,
    [],
  );
  for (const bytes of [Buffer.from('{}'), Buffer.from('null'), Buffer.from('\xff'), Buffer.alloc(0)]) {
    const verdict = verifyManifests({
      manifests: [{ name: 'm', bytes, signature: bytes }],
      held: [],
      verify: () => true,
      nowMs: 0,
    });
    assert.deepEqual(verdict.faults, [{ fault: 'unreadable', manifest: 'm' }]);
  }
});

test('the whole installation is checked against its rows, and what was taken away since the last list is no fault', async () => {
  await using days = await openThreeDays();
  const { world, client, issued } = days;
  const { manifests } = world.statements;
  assert.deepEqual(await manifests.verifyAll(), { clients: 1, manifests: 2, faults: [] });
  await world.statements.issuing.withdraw(world.desk, issued[0]!.statementId, 'wrong');
  assert.deepEqual((await manifests.verifyAll()).faults, []);
  const { sql } = world.database;
  await sql`update entries set sha256 = ${'0'.repeat(64)} where statement_id = ${issued[1]!.statementId} and name like '%.csv'`;
  assert.deepEqual(
    (await manifests.verifyAll()).faults.map((fault) => [fault.clientId, fault.fault]),
    [[client.clientId, 'file_differs']],
  );
  await sql`delete from entries where path = '/manifests/manifest_20261126.json'`;
  assert.ok((await manifests.verifyAll()).faults.some((fault) => fault.fault === 'list_missing'));
});
