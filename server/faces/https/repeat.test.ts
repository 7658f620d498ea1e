// A request sent twice over HTTPS: one effect in the database, the same bytes in both answers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { closed } from '@broadgate/contract';
import { Type } from 'typebox';
import { openTestDatabase } from '../../../test/database.ts';
import { type Actor } from '../../kernel/actor.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { createRequests, refusals } from '../../kernel/requests.ts';
import { route } from './route.ts';
import { openTestFace } from './test-face.ts';

const actorOf = (clientId: string): Actor => ({ kind: 'client', clientId, origin: { face: 'https' } });
const [ann, bob] = ['a'.repeat(43), 'b'.repeat(43)];

async function open() {
  const opened = await openTestDatabase();
  const { database } = opened;
  await database.sql`create table effects (n integer generated always as identity, amount integer)`;
  const requests = createRequests({ clock: createFakeClock() });
  const place = route({
    method: 'POST',
    path: '/v1/orders',
    operationId: 'placeOrder',
    tag: 'T',
    summary: 'For tests.',
    who: 'client',
    refusals: ['request_key_reused', 'request_running'],
    body: closed({ amount: Type.Integer() }),
    answers: { 201: closed({ order: Type.Integer(), note: Type.String() }) },
    idempotency: 'required',
    async handle({ actor, body, requestId }) {
      const order = await database.transaction((sql) =>
        requests.once(sql, { actor, operation: 'placeOrder', requestId, input: body }, async () => {
          const [row] = await sql<{ n: number }>`insert into effects (amount) values (${body.amount}) returning n`;
          await sql`select pg_sleep(0.2)`;
          return { order: row!.n, note: 'ü' };
        }),
      );
      return { status: 201, body: order };
    },
  });
  const face = await openTestFace(
    { routes: [place], refusals: [refusals] },
    { [ann]: actorOf('ann'), [bob]: actorOf('bob') },
  );
  return {
    send: (token: string, key: string, amount: number) =>
      face.ask('POST', '/v1/orders', { token, json: { amount }, headers: { 'idempotency-key': key } }),
    effects: async () => (await database.sql`select 1 from effects`).length,
    async [Symbol.asyncDispose]() {
      await face[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
    },
  };
}

test('a request repeated with its key has one effect and the same answer, byte for byte', async () => {
  await using t = await open();
  const [first, again] = [await t.send(ann, 'key-00001', 5), await t.send(ann, 'key-00001', 5)];
  assert.deepEqual([first.status, first.text], [201, '{"order":1,"note":"ü"}']);
  assert.deepEqual([again.status, again.text, await t.effects()], [201, first.text, 1]);
});

test('the same key sent many times at once has one effect, and whoever came too early is told when to come again', async () => {
  await using t = await open();
  const answers = await Promise.all(Array.from({ length: 6 }, () => t.send(ann, 'key-00001', 5)));
  assert.equal(await t.effects(), 1);
  const done = answers.filter((answer) => answer.status === 201);
  assert.deepEqual([...new Set(done.map((answer) => answer.text))], ['{"order":1,"note":"ü"}']);
  for (const answer of answers.filter((other) => other.status !== 201)) {
    assert.deepEqual(
      [answer.status, answer.json.code, answer.headers.get('retry-after')],
      [409, 'request_running', '1'],
    );
  }
  assert.equal((await t.send(ann, 'key-00001', 5)).text, '{"order":1,"note":"ü"}');
});

test('a key used for another body is a conflict, and another client’s same key is another request', async () => {
  await using t = await open();
  await t.send(ann, 'key-00001', 5);
  const other = await t.send(ann, 'key-00001', 6);
  assert.deepEqual([other.status, other.json.code], [409, 'request_key_reused']);
  assert.equal((await t.send(bob, 'key-00001', 6)).status, 201);
  assert.equal(await t.effects(), 2);
});
