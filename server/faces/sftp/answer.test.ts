// Which status answers which throw.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Outage, Refusal, refusalKinds } from '../../kernel/refusal.ts';
import { answerThrow } from './answer.ts';

const never = (): string => assert.fail('this throw is no fault of ours');

test('every kind of refusal has its status and keeps its text', () => {
  const statuses = refusalKinds.map((kind) => answerThrow(new Refusal(kind, 'a_code', `text of ${kind}`), never));
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [
      'permissionDenied',
      'permissionDenied',
      'noSuchFile',
      'failure',
      'failure',
      'failure',
      'failure',
      'opUnsupported',
      'failure',
    ],
  );
  assert.ok(statuses.every(({ text }) => text.startsWith('text of ')));
});

test('an outage is answered as unavailable and names nothing of the inside', () => {
  const { status, text } = answerThrow(new Outage('the database', { retryAfterMs: 1500 }), never);
  assert.equal(status, 'failure');
  assert.ok(text.includes('2 s') && !text.includes('database'));
});

test('any other throw is recorded and answered with its incident number alone', () => {
  const faults: unknown[] = [];
  const thrown = new Error('secret detail');
  const { status, text } = answerThrow(thrown, (fault) => {
    faults.push(fault);
    return 'INC-1';
  });
  assert.deepEqual([status, faults], ['failure', [thrown]]);
  assert.ok(text.includes('INC-1') && !text.includes('secret'));
});
