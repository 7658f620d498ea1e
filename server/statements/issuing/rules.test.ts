// Kinds, periods, names and ways as tables.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../kernel/refusal.ts';
import { checkKind, deliveredName, extensionOf, parsePeriod, wayOf } from './rules.ts';

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (fault) {
    if (fault instanceof Refusal) return fault.code;
    throw fault;
  }
};

test('a period is a day, a month, a year or two days, and only such as the calendar has', () => {
  assert.deepEqual(parsePeriod('2026-11-24'), { from: '2026-11-24', to: '2026-11-24' });
  assert.deepEqual(parsePeriod('2028-02'), { from: '2028-02-01', to: '2028-02-29' });
  assert.deepEqual(parsePeriod('2026'), { from: '2026-01-01', to: '2026-12-31' });
  assert.deepEqual(parsePeriod(' 2026-01-05/2026-02-01 '), { from: '2026-01-05', to: '2026-02-01' });
  for (const text of [
    '2026-02-29',
    '2026-13',
    '2026-2-3',
    '2026-02-02/2026-02-01',
    '24.11.2026',
    '',
    '2026-01-01/',
    'x',
  ]) {
    assert.equal(
      codeOf(() => parsePeriod(text)),
      'statement_period_invalid',
      text,
    );
  }
});

test('D-27: a delivered name is feed, type and date, with a version from the second on', () => {
  const named = { feedCode: 'k7m2q9', kind: 'daily', periodTo: '2026-11-24', extension: 'pdf' };
  assert.equal(deliveredName({ ...named, version: 1 }), 'k7m2q9_daily_20261124.pdf');
  assert.equal(deliveredName({ ...named, version: 2 }), 'k7m2q9_daily_20261124_v2.pdf');
});

test('an ending that names an encrypted file or a signature is not taken for a statement', () => {
  assert.equal(extensionOf('a.b.PDF'), 'pdf');
  for (const name of ['a', 'a.', 'a.pgp', 'a.csv.GPG', 'a.asc', 'a.sig', 'a.verylongone', 'a.p/f']) {
    assert.equal(
      codeOf(() => extensionOf(name)),
      'statement_extension_invalid',
      name,
    );
  }
  for (const kind of ['Daily', '', '1st', 'a b', 'a_b', 'a'.repeat(25)]) {
    assert.equal(
      codeOf(() => checkKind(kind)),
      'statement_kind_invalid',
      kind,
    );
  }
});

test('D-26: with encryption on and no usable key a statement waits, whatever else is set', () => {
  const on = { sftp: true, connectionState: 'configured', encryption: 'on', usableCertificates: 1 } as const;
  assert.deepEqual(wayOf(on), { way: 'encrypted' });
  assert.deepEqual(wayOf({ ...on, usableCertificates: 0 }), { way: 'wait', waitsFor: 'usable_key' });
  assert.deepEqual(wayOf({ ...on, encryption: 'off' }), { way: 'plain' });
  assert.deepEqual(wayOf({ ...on, connectionState: 'waiting_for_approval' }), { way: 'wait', waitsFor: 'connection' });
  assert.deepEqual(wayOf({ ...on, connectionState: 'suspended' }), { way: 'encrypted' });
  assert.deepEqual(wayOf({ ...on, connectionState: 'closed' }), { way: 'portal' });
  assert.deepEqual(wayOf({ ...on, sftp: false }), { way: 'portal' });
});
