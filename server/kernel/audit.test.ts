// The audit trail: what is appended, how it is sealed, and every way of tampering that its verifier must find.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestDatabase } from '../../test/database.ts';
import { type Actor, consoleActor } from './actor.ts';
import { createAudit } from './audit.ts';
import { createFakeClock } from './clock.ts';
import { openDatabase, type Sql, sqlState } from './sql.ts';

const client: Actor = {
  kind: 'client',
  clientId: 'c1',
  loginId: 'l1',
  origin: { face: 'https', address: '203.0.113.9' },
};

async function openTrail(entries: number) {
  const db = await openTestDatabase();
  const audit = createAudit({ clock: createFakeClock() });
  for (let count = 0; count < entries; count += 1) {
    await audit.append(db.database.sql, {
      actor: client,
      action: 'key.submit',
      subject: `key:${count}`,
      detail: { count },
    });
  }
  return { audit, database: db.database, sql: db.database.sql, [Symbol.asyncDispose]: () => db[Symbol.asyncDispose]() };
}

/** What someone can do who owns the database and means harm. */
async function tamper(sql: Sql, work: () => Promise<unknown>): Promise<void> {
  await sql`alter table audit disable trigger user`;
  await work();
  await sql`alter table audit enable trigger user`;
}

test('An entry stands exactly when the transaction that it belongs to does', async () => {
  await using trail = await openTrail(0);
  await assert.rejects(
    trail.database.transaction(async (sql) => {
      await trail.audit.append(sql, { actor: consoleActor, action: 'client.add', subject: 'client:1' });
      throw new Error('the change failed');
    }),
  );
  assert.deepEqual(await trail.audit.list(trail.sql, { subject: 'client:1', limit: 10 }), []);
  await trail.audit.append(trail.sql, {
    actor: client,
    action: 'client.add',
    subject: 'client:1',
    detail: { login: 'anna' },
  });
  const [row] = await trail.audit.list(trail.sql, { subject: 'client:1', limit: 10 });
  assert.equal(row!.actor, 'client:c1');
  assert.deepEqual(row!.origin, { face: 'https', address: '203.0.113.9', login: 'l1' });
  assert.deepEqual(row!.detail, { login: 'anna' });
});

test('Text that PostgreSQL cannot hold is recorded all the same', async () => {
  await using trail = await openTrail(0);
  const detail = { name: 'a\0b', half: '\ud800' };
  await trail.audit.append(trail.sql, { actor: client, action: 'file.put', subject: 'file:1', detail });
  const [row] = await trail.audit.list(trail.sql, { subject: 'file:1', limit: 1 });
  assert.deepEqual(row!.detail, { name: 'a\ufffdb', half: '\ufffd' });
  await trail.audit.seal(trail.database);
  assert.equal((await trail.audit.verify(trail.sql)).whole, true);
});

test('A sealed trail is whole, and says where its head is and how much is not sealed yet', async () => {
  await using trail = await openTrail(1203);
  assert.equal(await trail.audit.seal(trail.database), 1203);
  assert.equal(await trail.audit.seal(trail.database), 0);
  await trail.audit.append(trail.sql, { actor: client, action: 'key.submit', subject: 'key:x' });
  const verdict = await trail.audit.verify(trail.sql);
  assert.ok(verdict.whole);
  assert.equal(verdict.head.index, 1203);
  assert.equal(verdict.unsealed, 1);
  assert.deepEqual(await trail.audit.findHead(trail.sql), verdict.head);
});

test('Numbers that were rolled back, and rows that commit late, leave the chain whole', async () => {
  await using trail = await openTrail(2);
  const late = Promise.withResolvers<void>();
  const taken = Promise.withResolvers<void>();
  const slow = trail.database.transaction(async (sql) => {
    await trail.audit.append(sql, { actor: client, action: 'key.submit', subject: 'key:late' });
    taken.resolve();
    await late.promise;
  });
  await taken.promise;
  await trail.database
    .transaction(async (sql) => {
      await trail.audit.append(sql, { actor: client, action: 'key.submit', subject: 'key:gone' });
      throw new Error('rolled back');
    })
    .catch(() => undefined);
  await trail.audit.append(trail.sql, { actor: client, action: 'key.submit', subject: 'key:after' });
  assert.equal(await trail.audit.seal(trail.database), 3);
  late.resolve();
  await slow;
  assert.equal(await trail.audit.seal(trail.database), 1);
  assert.equal((await trail.audit.verify(trail.sql)).whole, true);
});

test('Processes that seal at the same time make one chain', async () => {
  await using trail = await openTrail(700);
  const sealed = await Promise.all(Array.from({ length: 4 }, () => trail.audit.seal(trail.database)));
  assert.equal(
    sealed.reduce((sum, count) => sum + count),
    700,
  );
  assert.equal((await trail.audit.verify(trail.sql)).whole, true);
});

const isRestricted = (fault: unknown): boolean => sqlState(fault) === '23001';

test('The database itself refuses to change, delete or empty the trail', async () => {
  await using trail = await openTrail(3);
  await trail.audit.seal(trail.database);
  await assert.rejects(trail.sql`update audit set actor = 'client:c2'`, isRestricted);
  await assert.rejects(trail.sql`update audit set seal_hash = '0', seal_index = seal_index + 9`, isRestricted);
  await assert.rejects(trail.sql`delete from audit where sequence = 1`, isRestricted);
  await assert.rejects(trail.sql`truncate audit`, isRestricted);
});

const crimes: { name: string; index: number; commit: (sql: Sql) => Promise<unknown> }[] = [
  { name: 'an altered actor', index: 7, commit: (sql) => sql`update audit set actor = 'client:c2' where sequence = 7` },
  { name: 'an altered time', index: 4, commit: (sql) => sql`update audit set at_ms = at_ms + 1 where sequence = 4` },
  {
    name: 'an altered detail',
    index: 9,
    commit: (sql) => sql`update audit set detail = '{"count": 800}' where sequence = 9`,
  },
  {
    name: 'an altered origin',
    index: 1,
    commit: (sql) => sql`update audit set origin = '{"face": "sftp"}' where sequence = 1`,
  },
  { name: 'a deleted row', index: 5, commit: (sql) => sql`delete from audit where sequence = 5` },
  { name: 'a deleted first row', index: 1, commit: (sql) => sql`delete from audit where sequence = 1` },
  {
    name: 'two rows that changed places',
    index: 3,
    commit: async (sql) => {
      await sql`update audit set seal_index = -1 where sequence = 3`;
      await sql`update audit set seal_index = 3 where sequence = 6`;
      await sql`update audit set seal_index = 6 where sequence = 3`;
    },
  },
  {
    name: 'a row inserted as if it had been sealed',
    index: 13,
    commit: (sql) => sql`
      insert into audit (at_ms, actor, origin, action, subject, detail, seal_index, seal_hash)
      values (0, 'client:c1', '{}', 'key.approve', 'key:1', '{}', 13, ${'a'.repeat(64)})`,
  },
];

for (const { name, index, commit } of crimes) {
  test(`The verifier finds ${name}, and which row it is`, async () => {
    await using trail = await openTrail(12);
    await trail.audit.seal(trail.database);
    await tamper(trail.sql, () => commit(trail.sql));
    const verdict = await trail.audit.verify(trail.sql);
    assert.equal(verdict.whole, false);
    assert.equal(!verdict.whole && verdict.index, index);
  });
}

test('A trail whose end was cut off, or that was rewritten as a whole, is found by a head noted earlier', async () => {
  await using trail = await openTrail(12);
  await trail.audit.seal(trail.database);
  const noted = [await trail.audit.findHead(trail.sql)];
  await tamper(trail.sql, () => trail.sql`delete from audit where sequence > 8`);
  assert.equal((await trail.audit.verify(trail.sql)).whole, true, 'the chain alone cannot show it');
  assert.equal((await trail.audit.verify(trail.sql, noted)).whole, false);
  for (let count = 0; count < 6; count += 1) {
    await trail.audit.append(trail.sql, { actor: client, action: 'key.submit', subject: 'key:new' });
  }
  await trail.audit.seal(trail.database);
  assert.equal((await trail.audit.verify(trail.sql)).whole, true);
  assert.equal((await trail.audit.verify(trail.sql, noted)).whole, false);
});

test('A database that is gone while sealing is an outage, and nothing is half sealed', async () => {
  await using trail = await openTrail(3);
  const away = openDatabase({ url: 'postgres://nobody:x@127.0.0.1:1/none' });
  await assert.rejects(trail.audit.seal(away), { name: 'Outage' });
  await away.close();
});
