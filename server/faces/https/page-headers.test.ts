// Where a sign-in may lead on to, and which codings a browser takes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptsCoding, ownPath } from './page-headers.ts';

test('a sign-in leads on to a page of our own and to nowhere else', () => {
  const own = [
    '/statements',
    '/statements/17?kind=daily#top',
    '/delivery?next=https://evil.test',
    '/a/b/../c',
    '/%2f%2fevil.test',
  ];
  for (const next of own) assert.notEqual(ownPath(next), '/', next);
  assert.equal(ownPath('/a/b/../c'), '/a/c');
  const others = [
    undefined,
    null,
    '',
    'statements',
    'https://evil.test/',
    '//evil.test',
    '///evil.test',
    '/\\evil.test',
    '\\/evil.test',
    '/\t/evil.test',
    '/\n/evil.test',
    '/..//evil.test',
    '/.//evil.test',
    '/x/../..//evil.test',
    'javascript:alert(1)',
    ' /statements',
    '/statements\\..\\x',
    '/sign-in?next=/x',
    '/sign-in',
    '/v1/me',
    '/v1',
    '/assets/index.js',
    `/${'x'.repeat(2000)}`,
  ];
  for (const next of others) assert.equal(ownPath(next), '/', String(next));
});

test('a coding is used only where the browser takes it', () => {
  const cases: readonly [string | undefined, string, boolean][] = [
    ['gzip, deflate, br', 'br', true],
    ['GZIP', 'gzip', true],
    ['br;q=0', 'br', false],
    ['br;q=0.000', 'br', false],
    ['br;q=0.1', 'br', true],
    ['brotli', 'br', false],
    ['*', 'br', false],
    ['', 'gzip', false],
    [undefined, 'gzip', false],
  ];
  for (const [header, coding, expected] of cases) assert.equal(acceptsCoding(header, coding), expected, String(header));
});
