// Refusals: declared once as a table, thrown with their params, told apart from outages.
import assert from 'node:assert/strict';
import test from 'node:test';
import { defineRefusals, Outage, Refusal, refusalTable } from './refusal.ts';
import { refusals as ours } from './rules.ts';

const refusals = defineRefusals({
  key_weak: { kind: 'invalid', text: 'The key has {bits} bits. Make one with at least {bitsMin}.' },
  busy: { kind: 'too_many', text: 'Try again later.' },
});

test('A refusal carries its kind, its code, its params, and a text with the params filled in', () => {
  const refusal = refusals.key_weak({ bits: 1024, bitsMin: 2048 });
  assert.ok(refusal instanceof Refusal && refusal instanceof Error);
  assert.deepEqual(
    [refusal.kind, refusal.code, refusal.params],
    ['invalid', 'key_weak', { bits: 1024, bitsMin: 2048 }],
  );
  assert.equal(refusal.message, 'The key has 1024 bits. Make one with at least 2048.');
  assert.equal(refusals.busy().message, 'Try again later.');
});

test('A param that itself looks like a placeholder is not filled in again', () => {
  assert.ok(refusals.key_weak({ bits: '{bitsMin}', bitsMin: 2 }).message.includes('{bitsMin} bits'));
});

test('An outage says who fails and when to try again', () => {
  const cause = new Error('ECONNREFUSED');
  const outage = new Outage('the database', { retryAfterMs: 1000, cause });
  assert.deepEqual([outage.what, outage.retryAfterMs, outage.cause], ['the database', 1000, cause]);
  assert.ok(!(outage instanceof Refusal));
});

test('Every refusal of the kernel says what to do: its text is more than one sentence', () => {
  for (const [code, { text }] of Object.entries(ours[refusalTable])) {
    assert.match(code, /^[a-z]+(_[a-z]+)*$/);
    assert.ok(text.split(/[.:;] /).length > 1, `${code}: ${text}`);
  }
});
