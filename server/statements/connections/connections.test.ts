// Refused connections under a flood: counted, bounded, read in pages by whom they concern, and gone when their time is over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../kernel/refusal.ts';
import { createDelivery } from '../delivery/delivery.ts';
import { makeSshKey, openDelivery } from '../delivery/delivery-fixture.ts';
import { createRecorder } from './recorder.ts';

const page = { after: undefined, limit: 100 };

test('the same refusal within an hour is one line that counts, and another hour begins another', async () => {
  await using held = await openDelivery();
  const { delivery, clock, desk } = held;
  for (let time = 0; time < 500; time += 1) await delivery.admit('192.0.2.1');
  await delivery.flushRefusals();
  for (let time = 0; time < 100; time += 1) await delivery.admit('192.0.2.1');
  clock.advance(3_600_000);
  await delivery.admit('192.0.2.1');
  await delivery.flushRefusals();
  const { items } = await delivery.listRefusals(desk, {}, page);
  assert.deepEqual(
    items.map(({ count }) => count),
    [1, 600],
  );
  assert.equal(items[0]!.lastAtMs - items[1]!.firstAtMs, 3_600_000);
});

test('a flood from countless addresses fills neither memory nor disk, and hides no client’s own lines', async () => {
  await using held = await openDelivery();
  const limits = { linesMax: 300, rowsPerHourMax: { strangers: 100, client: 20 } };
  const delivery = createDelivery({ ...held, recorderLimits: limits });
  const { userName } = await held.setUp(held.client);
  for (let part = 0; part < 4; part += 1) {
    for (let host = 0; host < 250; host += 1) await delivery.admit(`198.18.${part}.${host}`);
    await delivery.flushRefusals();
  }
  for (let time = 0; time < 30; time += 1) {
    const attempt = held.attempt(userName, makeSshKey());
    await delivery.authenticate(attempt);
    delivery.connectionEnded({ ...attempt, ticket: undefined, bytesIn: 0, bytesOut: 0, endReason: 'peer_left' });
  }
  await delivery.flushRefusals();
  const [{ rows, total } = { rows: 0, total: 0 }] = await held.database.sql<{ rows: number; total: number }>`
    select count(*) as rows, sum(count)::bigint as total from connection_refusals`;
  assert.equal(total, 1030);
  assert.ok(rows <= 100 + 20 + 2, String(rows));
  const own = await delivery.listRefusals(held.client, {}, page);
  assert.ok(own.items.filter(({ reason }) => reason === 'key_not_registered').length === 20);
  assert.equal(own.items.find(({ reason }) => reason === 'overflow')?.count, 10);
});

test('names that nobody was issued share one line an hour, whatever a stranger invents', async () => {
  await using held = await openDelivery();
  const { delivery, desk } = held;
  for (let time = 0; time < 50; time += 1) {
    const attempt = held.attempt(`invented${time}`, makeSshKey());
    await delivery.authenticate(attempt);
    delivery.connectionEnded({ ...attempt, ticket: undefined, bytesIn: 0, bytesOut: 0, endReason: 'peer_left' });
  }
  await delivery.flushRefusals();
  const { items } = await delivery.listRefusals(desk, {}, page);
  assert.equal(items.length, 1);
  assert.equal(items[0]!.count, 50);
  assert.deepEqual(items[0]!.detail, {});
});

test('what could not be written is kept and written later, within the same bound', async () => {
  await using held = await openDelivery();
  let isBroken = true;
  const sql = (async (...asked: Parameters<typeof held.database.sql>) => {
    if (isBroken) throw new Error('gone');
    return await held.database.sql(...asked);
  }) as typeof held.database.sql;
  const limits = { linesMax: 2, rowsPerHourMax: { strangers: 100, client: 20 } };
  const recorder = createRecorder({ ...held, database: { ...held.database, sql }, limits });
  const record = (address: string) =>
    recorder.record({ address, userName: '', reason: 'address_not_listed', detail: {} });
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.1']) record(address);
  await assert.rejects(recorder.flush());
  record('192.0.2.2');
  isBroken = false;
  await recorder.close();
  const { items } = await held.delivery.listRefusals(held.desk, {}, page);
  assert.equal(
    items.reduce((sum, { count }) => sum + count, 0),
    5,
  );
  assert.equal(items.find(({ address }) => address === '192.0.2.2')?.count, 2);
});

test('the list is read in pages without loss or repetition, and is kept as long as the setting says', async () => {
  await using held = await openDelivery({ historyKeptDays: 100 });
  const { delivery, desk, clock } = held;
  for (let host = 0; host < 25; host += 1) {
    await delivery.admit(`192.0.2.${host}`);
    if (host % 3 === 0) clock.advance(1);
  }
  await delivery.flushRefusals();
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const part = await delivery.listRefusals(desk, {}, { after, limit: 7 });
    seen.push(...part.items.map(({ refusalId }) => refusalId));
    after = part.next;
  } while (after !== undefined);
  assert.equal(seen.length, 25);
  assert.equal(new Set(seen).size, 25);
  clock.advance(100 * 86_400_000 - 100);
  assert.equal(await delivery.purgeHistory(), 0);
  clock.advance(200);
  assert.equal(await delivery.purgeHistory(), 25);
});

test('operators of other desks read nobody’s connections', async () => {
  await using held = await openDelivery();
  const other = await held.addOperator('gil', ['service']);
  await assert.rejects(held.delivery.listRefusals(other, {}, page), isForbidden);
  await assert.rejects(held.delivery.listConnections(other, {}, page), isForbidden);
});

function isForbidden(fault: unknown): boolean {
  return fault instanceof Refusal && fault.code === 'connections_forbidden';
}
