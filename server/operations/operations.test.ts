// The operations desk through the real port: workers, jobs and what was given up, the audit trail, series; nobody else is let in.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestDatabase } from '../../test/database.ts';
import { openTestFace } from '../faces/https/test-face.ts';
import type { Actor, Desk } from '../kernel/actor.ts';
import { createAudit } from '../kernel/audit.ts';
import { createFakeClock } from '../kernel/clock.ts';
import { createIds } from '../kernel/ids.ts';
import { enqueue } from '../kernel/jobs.ts';
import { silentLog } from '../kernel/log.ts';
import { createOutbox } from '../kernel/outbox.ts';
import { systemRandom } from '../kernel/random.ts';
import { createOperationsRoutes } from './https.ts';
import { createOperations, createSampler } from './operations.ts';
import { refusals } from './rules.ts';

const operator = (desks: readonly Desk[]): Actor => ({
  kind: 'operator',
  operatorId: '01a20000-0000-7000-8000-000000000001',
  desks,
  origin: { face: 'https', address: '192.0.2.1' },
});
const [ops, delivery, client] = ['o', 'd', 'c'].map((letter) => letter.repeat(43)) as [string, string, string];

async function open() {
  const database = await openTestDatabase();
  const clock = createFakeClock();
  const ids = createIds({ clock, random: systemRandom });
  const audit = createAudit({ clock });
  const outbox = createOutbox({ clock, ids });
  const operations = createOperations({
    database: database.database,
    clock,
    audit,
    outbox,
    health: { ready: async () => ({ ok: true, checks: { database: 'ok' } }) },
    freeBytes: async () => 5_000_000,
    version: '1.2.3',
  });
  const face = await openTestFace(
    { routes: createOperationsRoutes({ operations }), refusals: [refusals], clock },
    {
      [ops]: operator(['operations']),
      [delivery]: operator(['delivery']),
      [client]: { kind: 'client', clientId: 'c', origin: { face: 'https' } },
    },
  );
  const sampler = () =>
    createSampler({
      database: database.database,
      clock,
      ids,
      log: silentLog,
      version: '1.2.3',
      counts: () => ({ connections: 3, streams: 2 }),
    });
  return {
    ...database,
    clock,
    audit,
    outbox,
    sampler,
    ask: (path: string, method = 'GET', token = ops) => face.ask(method, path, { token }),
    async [Symbol.asyncDispose]() {
      await face[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

test('Health tells of the checks, of every worker, and which of them fell silent or stopped', async () => {
  await using t = await open();
  const [one, two] = [t.sampler(), t.sampler()];
  one.noteAnswer({ status: 200 });
  await one.take();
  await two.take();
  const read = async () => (await t.ask('/v1/operations/health')).json;
  const first = await read();
  assert.deepEqual(
    [first.isReady, first.checks, first.version, first.freeBytes],
    [true, [{ name: 'database', state: 'ok' }], '1.2.3', 5_000_000],
  );
  assert.equal(first.workers.length, 2);
  assert.ok(
    first.workers.every((worker: { isSilent: boolean; rssBytes: number }) => !worker.isSilent && worker.rssBytes > 0),
  );
  t.clock.advance(61_000);
  await two.take();
  const later = (await read()).workers.map((worker: { isSilent: boolean }) => worker.isSilent).sort();
  assert.deepEqual(later, [false, true]);
  const running = two.start();
  await running.close();
  assert.equal((await read()).workers.length, 1);
  t.clock.advance(601_000);
  assert.deepEqual((await read()).workers, []);
});

test('A series adds up what all workers did, step by step, and forgets after a day', async () => {
  await using t = await open();
  const [one, two] = [t.sampler(), t.sampler()];
  for (const status of [200, 404, 503]) one.noteAnswer({ status });
  two.noteAnswer({ status: 201 });
  await one.take();
  await two.take();
  t.clock.advance(60_000);
  one.noteAnswer({ status: 200 });
  await one.take();
  const { json } = await t.ask('/v1/operations/series');
  assert.equal(json.stepSeconds, 60);
  assert.deepEqual(
    json.points.map(({ answers, refused, failed, connections }: Record<string, number>) => [
      answers,
      refused,
      failed,
      connections,
    ]),
    [
      [4, 1, 1, 6],
      [1, 0, 0, 3],
    ],
  );
  assert.equal((await t.ask('/v1/operations/series?hours=24')).json.stepSeconds, 600);
  assert.equal((await t.ask('/v1/operations/series?hours=25')).json.code, 'request_invalid');
  t.clock.advance(26 * 3_600_000);
  for (let index = 0; index < 40; index += 1) {
    await one.take();
    t.clock.advance(1000);
  }
  const [row] = await t.database.sql<{ count: number }>`select count(*)::int as count from worker_samples`;
  assert.ok(row!.count <= 40);
});

test('Jobs and events that were given up are listed with their last fault, and run again on request', async () => {
  await using t = await open();
  const { sql } = t.database;
  await enqueue(sql, 'statements:purge', {});
  await enqueue(sql, 'keys:warn', { secret: 'not shown' });
  await sql`update graphile_worker._private_jobs set attempts = max_attempts, last_error = 'it broke'
    where id = (select max(id) from graphile_worker._private_jobs)`;
  const eventId = await t.outbox.record(sql, { kind: 'statement.placed', payload: { statementId: 'x' } });
  await sql`update outbox set state = 'dead', attempts = 25, last_fault = '<b>no</b>', ended_at_ms = 1`;
  const queues = (await t.ask('/v1/operations/jobs')).json.queues;
  const purge = queues.find(({ task }: { task: string }) => task === 'statements:purge');
  assert.deepEqual([purge.waiting, purge.failed], [1, 0]);
  const { items } = (await t.ask('/v1/operations/failed')).json;
  assert.deepEqual(
    items.map(({ sort, name, fault }: Record<string, string>) => [sort, name, fault]),
    [
      ['event', 'statement.placed', '<b>no</b>'],
      ['job', 'keys:warn', 'it broke'],
    ],
  );
  assert.doesNotMatch(JSON.stringify(items), /not shown/);
  for (const { id } of items) {
    assert.equal((await t.ask(`/v1/operations/failed/${id}/retry`, 'POST')).status, 204);
    assert.equal((await t.ask(`/v1/operations/failed/${id}/retry`, 'POST')).json.code, 'work_not_failed');
  }
  assert.deepEqual((await t.ask('/v1/operations/failed')).json.items, []);
  assert.deepEqual(
    (await t.audit.list(sql, { subject: `event:${eventId}`, limit: 5 })).map(({ action }) => action),
    ['work.retry'],
  );
});

test('The audit trail is read by subject and by actor, in pages, and its chain is checked', async () => {
  await using t = await open();
  const { sql } = t.database;
  for (let index = 0; index < 5; index += 1) {
    const actor = operator(['delivery']);
    await t.audit.append(sql, {
      actor,
      action: 'thing.do',
      subject: `thing:${index % 2}`,
      detail: { index, text: '<script>' },
    });
  }
  const read = async (query: string) => (await t.ask(`/v1/operations/audit${query}`)).json;
  assert.equal((await read('')).items.length, 5);
  assert.equal((await read('?subject=thing:1')).items.length, 2);
  const actorWord = 'operator:01a20000-0000-7000-8000-000000000001';
  assert.equal((await read(`?actor=${actorWord}&subject=thing:0`)).items.length, 3);
  assert.equal((await read('?actor=system:console')).items.length, 0);
  const page = await read('?limit=3');
  const rest = await read(`?limit=3&cursor=${page.next}`);
  assert.deepEqual(
    [...page.items, ...rest.items].map(({ detail }) => JSON.parse(detail).index),
    [4, 3, 2, 1, 0],
  );
  await t.audit.seal(t.database);
  const whole = (await t.ask('/v1/operations/audit/check', 'POST')).json;
  assert.deepEqual([whole.isWhole, whole.rows, whole.unsealed], [true, 5, 0]);
  await sql`alter table audit disable trigger user`;
  await sql`update audit set action = 'thing.undo' where sequence = (select min(sequence) from audit)`;
  const broken = (await t.ask('/v1/operations/audit/check', 'POST')).json;
  assert.deepEqual([broken.isWhole, broken.brokenAt], [false, 1]);
});

test('Nobody but the operations desk sees or does any of it', async () => {
  await using t = await open();
  const asked = [
    ['GET', 'health'],
    ['GET', 'jobs'],
    ['GET', 'failed'],
    ['POST', 'failed/job:1/retry'],
    ['GET', 'audit'],
    ['POST', 'audit/check'],
    ['GET', 'series'],
  ] as const;
  for (const token of [delivery, client]) {
    for (const [method, path] of asked) {
      assert.equal((await t.ask(`/v1/operations/${path}`, method, token)).json.code, 'operations_only', path);
    }
  }
});
