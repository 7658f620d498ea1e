// Passwords at rest: the stored form, the work that is done, and how much of it at once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { systemRandom as random } from '../kernel/random.ts';
import { Outage } from '../kernel/refusal.ts';
import { createPasswords } from './passwords.ts';

const cheap = { memoryKibibytes: 8, passes: 1, lanes: 1 };

test('a hash made by the reference program is understood, and marked as outdated', async () => {
  const passwords = createPasswords({ random, parameters: cheap });
  // phc-winner-argon2, src/test.c: argon2id, t=2, m=2^16, p=1, "password" with "somesalt".
  const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  assert.equal(await passwords.take((turn) => turn.verify('password', stored)), 'right_but_outdated');
  assert.equal(await passwords.take((turn) => turn.verify('passwork', stored)), 'wrong');
});

test('the same password is stored differently each time and is right both times', async () => {
  const passwords = createPasswords({ random, parameters: cheap });
  await passwords.take(async (turn) => {
    const [one, other] = [await turn.hash('seven grey herons'), await turn.hash('seven grey herons')];
    assert.notEqual(one, other);
    for (const stored of [one, other]) {
      assert.match(stored, /^\$argon2id\$v=19\$m=8,t=1,p=1\$/);
      assert.equal(await turn.verify('seven grey herons', stored), 'right');
    }
  });
});

test('composed and decomposed characters are the same password', async () => {
  const passwords = createPasswords({ random, parameters: cheap });
  await passwords.take(async (turn) => {
    const stored = await turn.hash('gr\u00fcne herons x');
    assert.equal(await turn.verify('gru\u0308ne herons x', stored), 'right');
  });
});

test('without a stored password the same work is done and the answer is no', async () => {
  const passwords = createPasswords({ random, parameters: cheap });
  await passwords.take(async (turn) => {
    assert.equal(await turn.verify('anything at all', undefined), 'wrong');
    assert.equal(passwords.computed(), 1);
  });
});

test('at most two are worked out at a time, in the order of asking, and a queue that is full is an outage', async () => {
  const passwords = createPasswords({ random, parameters: cheap, turns: 2, waitingMax: 3 });
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const work = (n: number) => async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await gate.promise;
    order.push(n);
    running -= 1;
  };
  const taken = [1, 2, 3, 4, 5].map((n) => passwords.take(work(n)));
  await assert.rejects(passwords.take(work(6)), Outage);
  gate.resolve();
  await Promise.all(taken);
  assert.deepEqual([most, order], [2, [1, 2, 3, 4, 5]]);
});
