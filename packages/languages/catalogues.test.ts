// Every text of every locale is rendered, with numbers of each plural form, so that none fails where a person would read it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAreas } from './catalogue-files.ts';
import { locales } from './languages.ts';
import { createTexts, html, plain } from './texts.ts';

// Each plural form of each locale is met by one of these.
const numbers = [0, 1, 2, 3, 5, 11, 21, 100, 1_000_000, 1.5];

for (const locale of locales) {
  test(`every text in ${locale} renders with every number, and shows no place that was left unfilled`, () => {
    for (const catalogue of readAreas(locale).values()) {
      const texts = [html, plain].map((writing) => createTexts({ locale, catalogue, writing }));
      for (const [id, source] of Object.entries(catalogue)) {
        const names = [...source.matchAll(/\{(\w+)/g)].map((match) => match[1]!);
        const isCounted = /, (plural|selectordinal|number)/.test(source);
        for (const number of isCounted ? numbers : [1]) {
          const values = Object.fromEntries(names.map((name) => [name, number]));
          for (const { find } of texts) {
            const shown = find(id, values) ?? '';
            assert.ok(shown !== '' && !/[{}]|undefined|NaN/.test(shown), `${id}: ${shown}`);
          }
        }
      }
    }
  });
}

test('a plural takes the form that its language has for the number', () => {
  const shown = (locale: 'en' | 'ru' | 'ar' | 'pt', days: number): string | undefined =>
    createTexts({ locale, catalogue: readAreas(locale).get('security')!, writing: plain }).find(
      'security.tokens.days',
      { days },
    );
  assert.deepEqual(
    [1, 2, 5, 21].map((days) => shown('ru', days)),
    ['1 день', '2 дня', '5 дней', '21 день'],
  );
  assert.deepEqual(
    [1, 2, 3, 11].map((days) => shown('ar', days)),
    ['يوم واحد', 'يومان', '3 أيام', '11 يومًا'],
  );
  assert.deepEqual(
    [0, 1, 2, 1_000_000].map((days) => shown('pt', days)),
    ['0 dia', '1 dia', '2 dias', '1.000.000 de dias'],
  );
  assert.equal(shown('en', 1), '1 day');
});
