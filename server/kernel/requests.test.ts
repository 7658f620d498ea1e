// Repeated requests on a real database: one effect, one answer, and the key bound to what was asked.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestDatabase } from '../../test/database.ts';
import { consoleActor, systemActor } from './actor.ts';
import { createFakeClock } from './clock.ts';
import { Refusal } from './refusal.ts';
import { createRequests, type RepeatableRequest } from './requests.ts';

async function open() {
  const opened = await openTestDatabase();
  const clock = createFakeClock();
  const requests = createRequests({ clock });
  let effects = 0;
  const send = (
    part: Partial<RepeatableRequest> = {},
    work = async (): Promise<unknown> => ({ z: (effects += 1), a: 'ü' }),
  ) =>
    opened.database
      .transaction((sql) =>
        requests.once(
          sql,
          { actor: consoleActor, operation: 'issue', requestId: 'key-0001', input: { b: 1, a: 2 }, ...part },
          work,
        ),
      )
      .then(
        (value) => JSON.stringify(value),
        (thrown: unknown) => (thrown instanceof Refusal ? thrown.code : Promise.reject(thrown)),
      );
  return {
    ...opened,
    clock,
    requests,
    send,
    effects: () => effects,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

test('the same key again gets the first answer byte for byte, and nothing happens twice', async () => {
  await using t = await open();
  const first = await t.send();
  assert.equal(await t.send({ input: { a: 2, b: 1 } }), first, 'the order of members does not matter');
  assert.deepEqual([first, t.effects()], ['{"z":1,"a":"ü"}', 1]);
});

test('the same key with another input is a conflict; another actor, operation or key is another request', async () => {
  await using t = await open();
  await t.send();
  assert.equal(await t.send({ input: { a: 3, b: 1 } }), 'request_key_reused');
  await t.send({ actor: systemActor('run') });
  await t.send({ operation: 'withdraw' });
  await t.send({ requestId: 'key-0002' });
  await t.send({ requestId: undefined });
  await t.send({ requestId: undefined });
  assert.equal(t.effects(), 6);
});

test('of many at once with one key exactly one works, and the others hear that it is running or get its answer', async () => {
  await using t = await open();
  const gate = Promise.withResolvers<void>();
  const slow = async (): Promise<unknown> => {
    await gate.promise;
    return 'done';
  };
  const all = Array.from({ length: 8 }, () => t.send({}, slow));
  const early = await Promise.race(all);
  assert.equal(early, 'request_running');
  gate.resolve();
  const answers = await Promise.all(all);
  assert.ok(answers.includes('"done"'));
  assert.ok(answers.every((answer) => answer === '"done"' || answer === 'request_running'));
  assert.equal(await t.send({}, slow), '"done"');
});

test('work that fails leaves nothing behind, so the same key may try again', async () => {
  await using t = await open();
  await assert.rejects(t.send({}, () => Promise.reject(new Error('the disk is full'))));
  assert.equal(await t.send({}, async () => null), 'null');
});

test('answers are kept for as long as asked and then forgotten', async () => {
  await using t = await open();
  await t.send();
  t.clock.advance(1000);
  assert.equal(await t.requests.forget(t.database.sql, 1000), 0);
  t.clock.advance(1);
  assert.equal(await t.requests.forget(t.database.sql, 1000), 1);
});
