// Notices: written with what they tell, read by whom they are for and by nobody else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDelivery } from '../statements/delivery/delivery-fixture.ts';
import { Refusal } from '../kernel/refusal.ts';

const isNotFound = (fault: unknown) => fault instanceof Refusal && fault.code === 'notice_not_found';

test('a notice goes with the transaction it was written in', async () => {
  await using held = await openDelivery();
  const { messages, database, client, clock } = held;
  const notice = { clientId: client.clientId, kind: 'statement_new', params: {}, atMs: clock.nowMs() } as const;
  await assert.rejects(
    database.transaction(async (sql) => {
      await messages.notify(sql, notice);
      throw new Error('undone');
    }),
  );
  assert.deepEqual((await messages.listNotices(client, { limit: 10 })).items, []);
  await messages.notify(database.sql, notice);
  const { items } = await messages.listNotices(client, { limit: 10 });
  assert.equal(items[0]!.text, 'Statement new.');
});

test('notices are read in pages, newest first, by their client or their desk alone', async () => {
  await using held = await openDelivery();
  const { messages, database, client, desk, clock } = held;
  const stranger = await held.addClient('bob');
  const service = await held.addOperator('sam', ['service']);
  for (let index = 0; index < 5; index += 1) {
    const params = { index, text: 'NUL \0 and \ud800 are made storable' };
    await messages.notify(database.sql, { clientId: client.clientId, kind: 'run_ended', params, atMs: clock.nowMs() });
    clock.advance(1);
  }
  await messages.notify(database.sql, {
    desk: 'delivery',
    kind: 'retention_held',
    params: {},
    text: 'Look.',
    atMs: clock.nowMs(),
  });
  const first = await messages.listNotices(client, { limit: 3 });
  const second = await messages.listNotices(client, { limit: 3, after: first.next });
  assert.deepEqual(
    [...first.items, ...second.items].map(({ params }) => params['index']),
    [4, 3, 2, 1, 0],
  );
  assert.equal(second.next, undefined);
  assert.equal((await messages.listNotices(stranger, { limit: 10 })).items.length, 0);
  assert.deepEqual(
    (await messages.listNotices(desk, { limit: 10 })).items.map(({ text }) => text),
    ['Look.'],
  );
  assert.equal((await messages.listNotices(service, { limit: 10 })).items.length, 0);
});

test('a notice is read once, by its reader, and stays as it was read first', async () => {
  await using held = await openDelivery();
  const { messages, database, client, clock } = held;
  const stranger = await held.addClient('bob');
  await messages.notify(database.sql, {
    clientId: client.clientId,
    kind: 'statement_new',
    params: {},
    atMs: clock.nowMs(),
  });
  const { noticeId } = (await messages.listNotices(client, { limit: 1 })).items[0]!;
  await assert.rejects(messages.markRead(stranger, noticeId), isNotFound);
  await assert.rejects(messages.markRead(held.desk, noticeId), isNotFound);
  await messages.markRead(client, noticeId);
  const readAtMs = clock.nowMs();
  clock.advance(1000);
  await messages.markRead(client, noticeId);
  assert.equal((await messages.listNotices(client, { limit: 1 })).items[0]!.readAtMs, readAtMs);
  assert.equal((await messages.listNotices(client, { limit: 1, isUnreadOnly: true })).items.length, 0);
});

test('read notices go after their time, unread ones stay', async () => {
  await using held = await openDelivery();
  const { messages, database, client, clock } = held;
  for (const kind of ['statement_new', 'run_ended'] as const) {
    await messages.notify(database.sql, { clientId: client.clientId, kind, params: {}, atMs: clock.nowMs() });
  }
  const { items } = await messages.listNotices(client, { limit: 10 });
  await messages.markRead(client, items.find(({ kind }) => kind === 'statement_new')!.noticeId);
  clock.advance(401 * 86_400_000);
  assert.equal(await messages.purge(), 1);
  assert.deepEqual(
    (await messages.listNotices(client, { limit: 10 })).items.map(({ kind }) => kind),
    ['run_ended'],
  );
});
