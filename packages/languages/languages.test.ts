// Which locale a reader is given, and how a text of it is written down on the server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAreas, readCatalogue } from './catalogue-files.ts';
import { factValues } from './fact-values.ts';
import { directionOf, languages, locales, matchLocale, negotiateLocale } from './languages.ts';
import type { TextId } from './text-ids.ts';
import { createTexts, html, plain } from './texts.ts';

const tagCases: readonly (readonly [string, string | undefined])[] = [
  ['en-GB', 'en'],
  ['pt-BR', 'pt'],
  ['pt-PT', 'pt'],
  ['zh', 'zh-Hans'],
  ['zh-CN', 'zh-Hans'],
  ['zh-SG', 'zh-Hans'],
  ['zh-HK', 'zh-Hant'],
  ['zh-TW', 'zh-Hant'],
  ['zh-MO', 'zh-Hant'],
  ['zh-Hans-HK', 'zh-Hans'],
  ['ZH-hant', 'zh-Hant'],
  ['ar-EG', 'ar'],
  ['de-CH', 'de'],
  ['sr-Latn', undefined],
  ['*', undefined],
  ['not a tag', undefined],
  ['', undefined],
];

test('a language tag is served by the locale of the same language and script', () => {
  for (const [tag, locale] of tagCases) assert.equal(matchLocale(tag), locale, tag);
});

const headerCases: readonly (readonly [string | undefined, string])[] = [
  [undefined, 'en'],
  ['', 'en'],
  ['sv,fi', 'en'],
  ['sv, pt-BR;q=0.8, en;q=0.5', 'pt'],
  ['en;q=0.2, de;q=0.9', 'de'],
  ['fr;q=0, it', 'it'],
  ['zh-TW,zh;q=0.9,en-US;q=0.8', 'zh-Hant'],
  ['de;q=broken', 'de'],
  [`${'sv,'.repeat(100_000)}de`, 'en'],
];

test('the weight of an Accept-Language header decides, then its order', () => {
  for (const [header, locale] of headerCases) assert.equal(negotiateLocale(header), locale, `${header}`.slice(0, 40));
});

test('every locale has a folder of texts, a name of its own and the direction of its writing', () => {
  assert.equal(new Set(languages.map(({ name }) => name)).size, languages.length);
  assert.ok(readAreas('en').size > 0);
  assert.deepEqual(
    locales.filter((locale) => directionOf(locale) === 'rtl'),
    ['ar'],
  );
});

test('a value is never markup in a document, and keeps its own direction where it is isolated', () => {
  const catalogue = {
    'a.tagged': 'Type <code>{command}</code> & see <link>{what}</link>.',
    'a.many': '{n, plural, one {# key} other {# keys}}',
  };
  const page = createTexts({ locale: 'en', catalogue, writing: html });
  const values = { command: '<script>"\'', what: html.isolate('a<b') };
  assert.equal(
    page.text('a.tagged' as TextId, values, '/help?a="1"'),
    'Type <code dir="ltr">&lt;script&gt;&quot;&#39;</code> &amp; see <a href="/help?a=&quot;1&quot;"><bdi>a&lt;b</bdi></a>.',
  );
  const mail = createTexts({ locale: 'en', catalogue, writing: plain });
  assert.equal(mail.text('a.tagged' as TextId, { command: '<x>', what: 'this' }), 'Type <x> & see this.');
  assert.equal(mail.text('a.many' as TextId, { n: 1 }), '1 key');
  assert.equal(mail.find('a.none'), undefined);
});

test('a text that a locale lacks is English', () => {
  assert.equal(readCatalogue('ar')['design.close'] !== undefined, true);
});

test('the params of a refusal become sizes, times and days of the reader, and only by their names', () => {
  const params = {
    limitBytes: 65_536,
    bytesMax: 1024,
    retryAfterSeconds: 181,
    on: '2026-11-24',
    given: '2026-11-24',
    count: 3,
    desks: ['a', 'b'],
    isWhole: true,
    nothing: null,
  };
  assert.deepEqual(factValues('de', params), {
    limitBytes: '65,5 kB',
    bytesMax: '1.024 Byte',
    retryAfterSeconds: '4 Min.',
    on: '24. November 2026',
    given: '2026-11-24',
    count: 3,
    desks: 'a und b',
    isWhole: 'true',
    nothing: '',
  });
});
