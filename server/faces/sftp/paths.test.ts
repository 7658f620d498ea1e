// What becomes of paths as clients send them: a table of both sides of every limit, and properties over any bytes.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Refusal } from '../../kernel/refusal.ts';
import { canonicalPath, pathLimits } from './paths.ts';

const canonical = (path: string | Uint8Array): string => canonicalPath(Buffer.from(path as Uint8Array));

function refusalOf(path: string | Uint8Array): string {
  try {
    return `no refusal: ${canonical(path)}`;
  } catch (fault) {
    assert.ok(fault instanceof Refusal);
    assert.equal(fault.kind, 'invalid');
    return fault.code;
  }
}

test('every spelling of one path has one canonical form', () => {
  const cases: [string, string][] = [
    ['', '/'],
    ['.', '/'],
    ['/', '/'],
    ['//', '/'],
    ['/..', '/'],
    ['../../..', '/'],
    ['/a/b', '/a/b'],
    ['a/b', '/a/b'],
    ['/a//b/', '/a/b'],
    ['/./a/./b/.', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/../../../c', '/c'],
    ['/a/...', '/a/...'],
    ['/..a/b..', '/..a/b..'],
    ['/e\u0301', '/\u00e9'],
    ['/\u05e9\u05dc\u05d5\u05dd.pdf', '/\u05e9\u05dc\u05d5\u05dd.pdf'],
    ['/a\\..\\b', '/a\\..\\b'],
    ['/\u2024\u2024/x', '/\u2024\u2024/x'],
    ['/\ufeffa', '/\ufeffa'],
    [`/x${'/..'.repeat(1000)}/a`, '/a'],
  ];
  for (const [path, form] of cases) assert.equal(canonical(path), form, JSON.stringify(path));
});

test('names with control, separator or direction characters are refused', () => {
  for (const character of ['\0', '\n', '\x1b', '\x7f', '\x85', '\u2028', '\u202e', '\u2066', '\u200f', '\u061c']) {
    assert.equal(refusalOf(`/a${character}b`), 'path_character_refused', JSON.stringify(character));
  }
  assert.equal(canonical('/a\u200db'), '/a\u200db');
});

test('bytes that are not UTF-8 are refused', () => {
  for (const hex of ['2fc0ae', '2fff', '2feda080', '2fe282']) {
    assert.equal(refusalOf(Buffer.from(hex, 'hex')), 'path_not_utf8', hex);
  }
});

test('a name may have 255 bytes, a path 4,096 bytes and 64 levels, and not one more', () => {
  assert.equal(canonical(`/${'n'.repeat(255)}`).length, 256);
  assert.equal(refusalOf(`/${'n'.repeat(256)}`), 'path_name_too_long');
  assert.equal(refusalOf(`/${'é'.repeat(128)}`), 'path_name_too_long');
  assert.equal(canonical('/a'.repeat(64)), '/a'.repeat(64));
  assert.equal(refusalOf('/a'.repeat(65)), 'path_levels_too_many');
  assert.equal(canonical(`${'/'.repeat(4095)}a`), '/a');
  assert.equal(refusalOf(`${'/'.repeat(4096)}a`), 'path_too_long');
  assert.equal(canonical(`${`/${'n'.repeat(255)}`.repeat(15)}/${'n'.repeat(255)}`).length, 4096);
});

test('a path of 10,000 levels is refused, written out or by way of dots', () => {
  assert.equal(refusalOf('/a'.repeat(10_000)), 'path_too_long');
  assert.equal(refusalOf('/a'.repeat(2000)), 'path_levels_too_many');
});

test('a name that grows beyond 255 bytes by normalisation is refused', () => {
  assert.equal(refusalOf(`/${'\u{1d160}'.repeat(60)}`), 'path_name_too_long');
});

const pieces = fc.constantFrom('/', '.', '..', 'a', 'b', 'é', 'e\u0301', '\u{1f600}', '\0', '\u202e', '~', '\\', ' ');
const paths = fc.array(pieces, { maxLength: 40 }).map((list) => list.join(''));

test('a canonical path is its own canonical form, stays below the root and keeps within every limit', () => {
  fc.assert(
    fc.property(paths, (path) => {
      let form: string;
      try {
        form = canonical(path);
      } catch (fault) {
        assert.ok(fault instanceof Refusal);
        return;
      }
      assert.equal(canonical(form), form);
      assert.equal(form, form.normalize('NFC'));
      const names = form === '/' ? [] : form.slice(1).split('/');
      assert.ok(form.startsWith('/') && names.length <= pathLimits.levels);
      for (const name of names) assert.ok(name !== '' && name !== '.' && name !== '..');
    }),
  );
});

test('any bytes end in a canonical path or a refusal', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        assert.ok(canonical(bytes).startsWith('/'));
      } catch (fault) {
        assert.ok(fault instanceof Refusal);
      }
    }),
    { numRuns: 2000 },
  );
});
