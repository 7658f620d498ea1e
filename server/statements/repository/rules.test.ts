// Names, paths, protection and quota as tables, both sides of every limit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../kernel/refusal.ts';
import {
  canonicalPath,
  checkQuota,
  isBelow,
  nextReservation,
  pathLimits,
  reservationOf,
  reserveStepBytes,
} from './rules.ts';

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (fault) {
    if (fault instanceof Refusal) return fault.code;
    throw fault;
  }
};

test('every spelling of a path becomes the same one, composed letters included', () => {
  const spellings = ['/Überweisung/a.csv', '/U\u0308berweisung/a.csv', 'Überweisung//a.csv', '/./Überweisung/./a.csv/'];
  for (const spelling of spellings) assert.equal(canonicalPath(spelling), '/Überweisung/a.csv');
  assert.equal(canonicalPath(''), '/');
  assert.equal(canonicalPath('/حساب/كشف.pdf'), '/حساب/كشف.pdf');
});

test('a path with "..", NUL, a direction mark or an unpaired surrogate is refused, and says why', () => {
  for (const path of [
    '/a/../b',
    '..',
    '/a\0b',
    '/a\nb',
    '/a\u202eb',
    '/a\u2066b',
    '/a\ud800b',
    `/${'n'.repeat(256)}`,
  ]) {
    assert.equal(
      codeOf(() => canonicalPath(path)),
      'path_invalid',
      JSON.stringify(path),
    );
  }
  assert.equal(
    codeOf(() => canonicalPath(`/${'n'.repeat(255)}`)),
    undefined,
  );
});

test('a path of ten thousand levels is refused, and the deepest allowed one is not', () => {
  assert.equal(
    codeOf(() => canonicalPath('/a'.repeat(10_000))),
    'repository_path_too_deep',
  );
  assert.equal(
    codeOf(() => canonicalPath('/a'.repeat(pathLimits.depth + 1))),
    'repository_path_too_deep',
  );
  assert.equal(
    codeOf(() => canonicalPath('/a'.repeat(pathLimits.depth))),
    undefined,
  );
  const long = `/${'n'.repeat(250)}`.repeat(4);
  assert.equal(
    codeOf(() => canonicalPath(`${long}/${'n'.repeat(19)}`)),
    undefined,
  );
  assert.equal(
    codeOf(() => canonicalPath(`${long}/${'n'.repeat(20)}`)),
    'repository_path_too_deep',
  );
});

test('a prefix counts only at a folder boundary', () => {
  assert.ok(isBelow('/a/b', '/a'));
  assert.ok(!isBelow('/ab', '/a'));
  assert.ok(!isBelow('/a', '/a'));
  assert.ok(isBelow('/a', '/'));
});

test('names that a coming manifest or statement needs are told apart from all others', () => {
  assert.equal(reservationOf('/manifests/manifest_20261124.json'), 'manifest');
  assert.equal(reservationOf('/manifests/Manifest_x'), 'manifest');
  assert.equal(reservationOf('/manifests/notes.txt'), undefined);
  assert.deepEqual(reservationOf('/k7m2q9_daily_20261124.pdf'), { feedCode: 'k7m2q9' });
  assert.deepEqual(reservationOf('/k7m2q9_daily_20261124_v2.pdf.pgp'), { feedCode: 'k7m2q9' });
  assert.equal(reservationOf('/sub/k7m2q9_daily_20261124.pdf'), undefined);
  assert.equal(reservationOf('/ACME_20261124.csv'), undefined);
});

test('a quota is reached by the byte and by the entry that go beyond it, and never by what makes it smaller', () => {
  const quota = { usedBytes: 90, usedEntries: 9, quotaBytes: 100, quotaEntries: 10 };
  assert.equal(
    codeOf(() => checkQuota(quota, { bytes: 10, entries: 1 })),
    undefined,
  );
  assert.equal(
    codeOf(() => checkQuota(quota, { bytes: 11, entries: 0 })),
    'quota_reached',
  );
  assert.equal(
    codeOf(() => checkQuota(quota, { bytes: 0, entries: 2 })),
    'quota_entries_reached',
  );
  const over = { usedBytes: 200, usedEntries: 20, quotaBytes: 100, quotaEntries: 10 };
  assert.equal(
    codeOf(() => checkQuota(over, { bytes: -50, entries: -1 })),
    undefined,
  );
});

test('an upload reserves whole steps while there is room, and exactly what it needs when there is not', () => {
  const roomy = { usedBytes: 0, usedEntries: 0, quotaBytes: 10 * reserveStepBytes, quotaEntries: 1 };
  assert.equal(nextReservation(roomy, 0, 1), reserveStepBytes);
  assert.equal(nextReservation(roomy, reserveStepBytes, reserveStepBytes + 1), 2 * reserveStepBytes);
  const narrow = { ...roomy, quotaBytes: 1000 };
  assert.equal(nextReservation(narrow, 0, 1000), 1000);
  assert.equal(
    codeOf(() => nextReservation(narrow, 0, 1001)),
    'quota_reached',
  );
});
