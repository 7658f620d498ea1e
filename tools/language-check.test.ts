// The check of the catalogues, on catalogues with planted faults: each is found, and whole catalogues have none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalogue } from '@broadgate/languages';
import { findLanguageFaults, type LanguageFacts, markOf } from './language-check.ts';
import { readOutline } from './text-outline.ts';
import { findTextUses } from './text-uses.ts';

const english: Catalogue = {
  'home.keys': '{n, plural, one {# key} other {# keys}} of <b>{name}</b>',
  'home.title': 'Home',
  'home.state.open': 'Open',
  'home.state.done': 'Done',
};
const russian: Catalogue = {
  'home.keys': '{n, plural, one {# ключ} few {# ключа} many {# ключей} other {# ключа}}: <b>{name}</b>',
  'home.title': 'Главная',
  'home.state.open': 'Открыт',
  'home.state.done': 'Готов',
};
const page = '<Text id="home.title" /> text(\'home.keys\', { n }) text(`home.state.${state}`)';

interface Planted {
  readonly en?: Record<string, string>;
  readonly ru?: Record<string, string | undefined>;
  readonly code?: string;
  readonly facts?: Partial<LanguageFacts>;
}

function faultsOf({ en = {}, ru = {}, code = '', facts = {} }: Planted): string[] {
  const source = { ...english, ...en };
  const target = Object.fromEntries(Object.entries({ ...russian, ...ru }).filter(([, text]) => text !== undefined));
  return findLanguageFaults({
    source: { locale: 'en', areas: new Map([['home', source]]) },
    translations: [{ locale: 'ru', areas: new Map([['home', target as Catalogue]]) }],
    used: findTextUses({ name: 'page.tsx', text: `${page} ${code}` }, ['home']),
    needed: [],
    sameAsEnglish: {},
    translatedFrom: Object.fromEntries(Object.entries(source).map(([id, text]) => [id, markOf(text)])),
    reviewed: {},
    ...facts,
  });
}

test('catalogues that fit one another and the code have no fault', () => assert.deepEqual(faultsOf({}), []));

const both = (id: string, en: string, ru: string): Planted => ({ en: { [id]: en }, ru: { [id]: ru } });

const planted: readonly { name: string; plant: Planted; says: RegExp }[] = [
  { name: 'a missing key', plant: { ru: { 'home.title': undefined } }, says: /^ru home\.title: is missing/ },
  { name: 'an extra key', plant: { ru: { 'home.old': 'Старое' } }, says: /^ru home\.old: is not in en/ },
  { name: 'an unused key', plant: both('home.old', 'Old', 'Старое'), says: /^en home\.old: no code uses it/ },
  {
    name: 'a key that code alone knows',
    plant: { code: '<Text id="home.new" />' },
    says: /^en home\.new: page\.tsx:1 uses it/,
  },
  { name: 'a form that no key has', plant: { code: 'text(`home.kind.${kind}`)' }, says: /uses ids of this form/ },
  {
    name: 'a key in another file',
    plant: both('away.title', 'Away', 'Вдали'),
    says: /home\.json holds ids that begin with home\./,
  },
  {
    name: 'a text left in English',
    plant: { ru: { 'home.title': 'Home' } },
    says: /^ru home\.title: reads as the English/,
  },
  {
    name: 'a plural that is missing',
    plant: { ru: { 'home.keys': '{n, plural, one {# ключ} other {# ключа}}: <b>{name}</b>' } },
    says: /^ru home\.keys: lacks the plural few, many of \{n\}/,
  },
  {
    name: 'a plural that the locale does not know',
    plant: { en: { 'home.keys': '{n, plural, one {# key} few {# keys} other {# keys}} of <b>{name}</b>' } },
    says: /^en home\.keys: has the plural few/,
  },
  {
    name: 'a variable that is missing',
    plant: both('home.title', 'Home of {who}', 'Главная'),
    says: /^ru home\.title: lacks \{who\}/,
  },
  {
    name: 'a variable of its own',
    plant: { ru: { 'home.title': 'Главная {who}' } },
    says: /^ru home\.title: shows \{who\}/,
  },
  { name: 'an apostrophe before a brace', plant: both('home.title', "l'{x}", "l'{x}"), says: /quotes it/ },
  { name: 'a straight quotation mark', plant: { ru: { 'home.title': '"Главная"' } }, says: /typographic/ },
  { name: 'a strange tag', plant: both('home.title', '<i>Home</i>', '<i>Главная</i>'), says: /has the tag <i>/ },
  {
    name: 'a tag that is missing',
    plant: both('home.title', '<b>Home</b>', 'Главная'),
    says: /^ru home\.title: lacks <b>/,
  },
  {
    name: 'a text that does not parse',
    plant: { ru: { 'home.title': 'Главная {' } },
    says: /is not ICU MessageFormat/,
  },
  {
    name: 'a plural without other',
    plant: { ru: { 'home.title': '{n, plural, one {a}}' } },
    says: /is not ICU MessageFormat/,
  },
  {
    name: 'a variable named like a tag',
    plant: both('home.title', '<b>{b}</b>', '<b>{b}</b>'),
    says: /a variable \{b\} and a tag <b>/,
  },
  { name: 'an empty text', plant: { ru: { 'home.title': '' } }, says: /is empty/ },
  {
    name: 'a file that is too long',
    plant: { en: Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`home.n${n}`, `${n}`])) },
    says: /texts; move some/,
  },
  {
    name: 'data without a text',
    plant: { facts: { needed: [{ id: 'home.none', where: 'the refusal none' }] } },
    says: /^en home\.none: the refusal none has no text/,
  },
  {
    name: 'a variable that data do not bring',
    plant: { facts: { needed: [{ id: 'home.keys', where: 'the refusal keys', variables: ['n'] }] } },
    says: /shows \{name\}, which the refusal keys does not bring/,
  },
  {
    name: 'English changed after it was translated',
    plant: { facts: { translatedFrom: {} } },
    says: /^en home\.title: changed since it was translated/,
  },
  {
    name: 'a stale entry among those that may be the same',
    plant: { facts: { sameAsEnglish: { 'home.title': { locales: ['ru'], reason: 'A name.' } } } },
    says: /^same as English home\.title: is listed and is not/,
  },
  {
    name: 'a review of another text',
    plant: { facts: { reviewed: { ru: { 'home.title': markOf('Home', 'Домой') } } } },
    says: /^reviewed ru home\.title: was changed/,
  },
];

for (const { name, plant, says } of planted) {
  test(`the check of the texts finds ${name}`, () => {
    const faults = faultsOf(plant);
    assert.ok(
      faults.some((fault) => says.test(fault)),
      `${says} is not among: ${faults.join('; ')}`,
    );
  });
}

test('a text that is listed with a reason may read as the English one', () => {
  const sameAsEnglish = { 'home.title': { locales: ['*'], reason: 'A name.' } };
  assert.deepEqual(faultsOf({ ru: { 'home.title': 'Home' }, facts: { sameAsEnglish } }), []);
});

test('ids are found where strings stand in templates, and a certain use is told from a word of the same form', () => {
  const text = "`it's <b>${text('home.title')}</b>` kind: 'home.moved' `home.state.${a}`";
  assert.deepEqual(
    findTextUses({ name: 'a.ts', text }, ['home']).map(({ id, isCertain, isPattern }) => [id, isCertain, isPattern]),
    [
      ['home.title', true, false],
      ['home.moved', false, false],
      ['home.state.*', false, true],
    ],
  );
});

test('a variable of a right-to-left text is isolated, so that an address keeps its order', () => {
  assert.match(readOutline('ar', 'من {address}').faults.join(), /write .u2068\{address\}/);
  assert.deepEqual(readOutline('ar', 'من \u2068{address}\u2069').faults, []);
  assert.deepEqual(readOutline('ru', 'Из {address}').faults, []);
});
