// Changes told to every process: heard after commit, the same thing once, resumed from the log, or reset where it ends.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { type Change, createChanges, tellChanges } from './changes.ts';
import { systemClock } from './clock.ts';
import { createIds } from './ids.ts';
import { systemRandom } from './random.ts';

const ids = createIds({ clock: systemClock, random: systemRandom });

async function open() {
  const test = await openTestDatabase();
  const { database } = test;
  const [here, there] = [0, 1].map(() => createChanges({ database, clock: systemClock, ids }));
  const ears = [await here!.start(), await there!.start()];
  return {
    database,
    here: here!,
    there: there!,
    async tell(kind: string, subject: string, ...audiences: string[]) {
      await tellChanges(database.sql, [{ kind, subject, audiences }], ids);
    },
    async [Symbol.asyncDispose]() {
      for (const ear of ears) await ear.close();
      await test[Symbol.asyncDispose]();
    },
  };
}

function note() {
  const seen: Change[] = [];
  const resets: string[] = [];
  return {
    seen,
    resets,
    follower: { changed: (change: Change) => void seen.push(change), reset: (id: string) => void resets.push(id) },
    words: () => seen.map(({ kind, subject }) => `${kind} ${subject}`),
  };
}

test('A change is heard by those it concerns, in every process, under the same id', async () => {
  await using t = await open();
  const [ann, desk, bob] = [note(), note(), note()];
  t.here.follow(['client:ann'], undefined, ann.follower);
  t.there.follow(['desk:delivery', 'client:ann'], undefined, desk.follower);
  t.here.follow(['client:bob'], undefined, bob.follower);
  await t.tell('request', 'r1', 'client:ann', 'desk:delivery');
  await t.tell('request', 'r2', 'client:bob');
  await eventually(() => ann.seen.length === 1 && desk.seen.length === 1 && bob.seen.length === 1);
  assert.deepEqual(ann.seen, desk.seen);
  assert.deepEqual(bob.words(), ['request r2']);
});

test('What a transaction changes is told on commit and once, what it takes back is not', async () => {
  await using t = await open();
  const ann = note();
  const { sql } = t.database;
  await sql`insert into clients (id, kind, name, locale, state, state_changed_at_ms, created_at_ms)
    values ('ann', 'person', 'Ann', 'en', 'active', 0, 0)`;
  t.here.follow(['client:ann'], undefined, ann.follower);
  const insert = (id: string) =>
    t.database.transaction(async (inside) => {
      await inside`insert into notices (id, client_id, kind, params, text, created_at_ms) values (${id}, 'ann', 'x', '{}', 'X.', 0)`;
      await inside`update notices set read_at_ms = 1, read_by = 'client:ann' where id = ${id}`;
      if (id === 'gone') throw new Error('taken back');
    });
  await insert('gone').catch(() => undefined);
  await insert('kept');
  await eventually(() => ann.seen.some(({ subject }) => subject === 'kept'));
  assert.deepEqual(
    ann.words().filter((word) => word.startsWith('notice')),
    ['notice kept'],
  );
});

test('Whoever comes back hears what it missed, from any process, and a reset where the log does not reach', async () => {
  await using t = await open();
  const first = note();
  const { close, at } = t.here.follow(['client:ann'], undefined, first.follower);
  await t.tell('key', 'k1', 'client:ann');
  await eventually(() => first.seen.length === 1);
  close();
  await t.tell('key', 'k2', 'client:bob');
  await t.tell('key', 'k3', 'client:ann');
  await t.tell('key', 'k3', 'client:ann');
  const heard = note();
  t.there.follow(['client:ann', 'client:bob'], undefined, heard.follower);
  await t.tell('key', 'k4', 'client:bob');
  await eventually(() => heard.seen.length > 0);

  const again = note();
  assert.equal(t.there.follow(['client:ann'], first.seen[0]!.id, again.follower).isWhole, true);
  await eventually(() => again.seen.length > 0);
  assert.deepEqual(again.words(), ['key k3']);

  const fromStart = note();
  assert.equal(t.here.follow(['client:ann'], at, fromStart.follower).isWhole, true);
  await eventually(() => fromStart.seen.length > 1);
  assert.deepEqual(fromStart.words(), ['key k1', 'key k3']);
  // The mark of one process is not known to another.
  assert.equal(t.there.follow(['client:ann'], at, note().follower).isWhole, false);
  assert.equal(t.here.follow(['client:ann'], 'never given out', note().follower).isWhole, false);
});

test('Too many changes at a time, a bulk change, and a lost connection end in one reset', async () => {
  await using t = await open();
  const ann = note();
  t.here.follow(['client:ann'], undefined, ann.follower);
  const many = Array.from({ length: 700 }, (_, index) => ({
    kind: 'key',
    subject: `k${index}`,
    audiences: ['client:ann'],
  }));
  await tellChanges(t.database.sql, many, ids);
  await eventually(() => ann.resets.length === 1);
  assert.equal(ann.seen.length, 0);

  await t.database.sql`insert into clients (id, kind, name, locale, state, state_changed_at_ms, created_at_ms)
    select 'c' || n, 'person', 'C', 'en', 'active', 0, 0 from generate_series(1, 2500) n`;
  await eventually(() => ann.resets.length === 2);
  const before = ann.resets[1]!;
  await t.database.sql`select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and datname = current_database() and query ilike 'listen%'`.catch(() => undefined);
  await eventually(() => ann.resets.length === 3, { timeoutMs: 10_000 });
  assert.equal(t.here.follow(['client:ann'], before, note().follower).isWhole, false);
});
