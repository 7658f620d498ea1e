// The face's pure decisions as tables.
import assert from 'node:assert/strict';
import test from 'node:test';
import { canonicalAddress } from './callers.ts';
import { formatDisposition, isLoopback, isOwnSite, matchesTag, mediaTypeOf, parseRange } from './rules.ts';

test('one range of bytes is understood, others are ignored, and one outside the file cannot be satisfied', () => {
  const cases: [string | undefined, number, ReturnType<typeof parseRange>][] = [
    [undefined, 10, 'all'],
    ['bytes=0-4', 10, { start: 0, end: 5 }],
    ['bytes=0-0', 10, { start: 0, end: 1 }],
    ['bytes=9-9', 10, { start: 9, end: 10 }],
    ['bytes=10-10', 10, 'unsatisfiable'],
    ['bytes=4-', 10, { start: 4, end: 10 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=0-999', 10, { start: 0, end: 10 }],
    ['bytes=-3', 10, { start: 7, end: 10 }],
    ['bytes=-99', 10, { start: 0, end: 10 }],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=-1', 0, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=5-2', 10, 'all'],
    ['bytes=0-1,3-4', 10, 'all'],
    ['bytes=-', 10, 'all'],
    ['lines=0-4', 10, 'all'],
    ['bytes=a-b', 10, 'all'],
    ['bytes=99999999999999999999-', 10, 'all'],
  ];
  for (const [header, sizeBytes, expected] of cases)
    assert.deepEqual(parseRange(header, sizeBytes), expected, String(header));
});

test('a file name reaches the browser whole where it is harmless, and harmless where it is not', () => {
  const cases = [
    ['statement.pdf', 'attachment; filename="statement.pdf"'],
    ['a b.csv', 'attachment; filename="a b.csv"'],
    ['a"b\\c/d.pdf', 'attachment; filename="a_b_c_d.pdf"'],
    ['a\r\nX-Evil: 1.pdf', 'attachment; filename="a__X-Evil: 1.pdf"'],
    ['\u202Efdp.exe', 'attachment; filename="_fdp.exe"'],
    ['100%.pdf', 'attachment; filename="100_.pdf"; filename*=UTF-8\'\'100%25.pdf'],
    ['Ünï.pdf', 'attachment; filename="_n_.pdf"; filename*=UTF-8\'\'%C3%9Cn%C3%AF.pdf'],
    ["it's (1).pdf", 'attachment; filename="it\'s (1).pdf"'],
    ['lone\ud800.pdf', 'attachment; filename="lone_.pdf"; filename*=UTF-8\'\'lone%EF%BF%BD.pdf'],
  ] as const;
  for (const [name, header] of cases) assert.equal(formatDisposition(name), header);
});

test('an If-None-Match names the tag alone, in a list, weakly, or as a star', () => {
  for (const header of ['"abc"', '"x", "abc"', 'W/"abc"', '*']) assert.equal(matchesTag(header, 'abc'), true, header);
  for (const header of [undefined, 'abc', '"abcd"', '""'])
    assert.equal(matchesTag(header, 'abc'), false, String(header));
});

const ask = (method: string, secFetchSite?: string, origin?: string): boolean =>
  isOwnSite({ method, secFetchSite, origin, ownOrigin: 'https://gate.test' });

test('a change is ours when the browser says so, and otherwise only by its Origin', () => {
  assert.equal(ask('GET', 'cross-site', 'https://evil.test'), true, 'reading changes nothing');
  assert.equal(ask('POST', 'same-origin'), true);
  assert.equal(ask('POST', 'same-site', 'https://gate.test'), false, 'what the browser says counts more');
  assert.equal(ask('DELETE', undefined, 'https://GATE.test'), true);
  assert.equal(ask('DELETE', undefined, 'https://gate.test.evil'), false);
  assert.equal(ask('PUT'), false, 'silence is no consent');
});

test('addresses are written in one way only', () => {
  const cases = [
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['[2001:DB8::1]:443', '2001:db8::1'],
    ['unknown', undefined],
    ['999.1.1.1', undefined],
    ['', undefined],
  ] as const;
  for (const [given, expected] of cases) assert.equal(canonicalAddress(given), expected);
});

test('loopback is what never leaves the machine', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'])
    assert.equal(isLoopback(host), true, host);
  for (const host of ['0.0.0.0', '::', '192.168.1.1', '127.evil.test', 'localhost.evil.test', '128.0.0.1']) {
    assert.equal(isLoopback(host), false, host);
  }
});

test('a media type is compared without its parameters and in lower case', () => {
  assert.equal(mediaTypeOf('Text/CSV; charset=utf-8'), 'text/csv');
  assert.equal(mediaTypeOf(undefined), '');
});
