// Reads from the repository everything that the check of the texts compares.
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readAreas } from '@broadgate/languages/catalogue-files.ts';
import { locales, sourceLocale } from '@broadgate/languages';
import type { LanguageFacts } from './language-check.ts';
import { readNeededIds } from './text-needs.ts';
import { findTextUses } from './text-uses.ts';

const root = path.join(import.meta.dirname, '..');
export const languagesHome = path.join(root, 'packages/languages');

const readJson = (name: string): unknown =>
  existsSync(path.join(languagesHome, name)) ? JSON.parse(readFileSync(path.join(languagesHome, name), 'utf8')) : {};

/** The marks of the English texts that were translated, by id; a file an area, so that changes meet seldom. */
export function readTranslated(): Record<string, string> {
  const names = globSync('translated/*.json', { cwd: languagesHome });
  return Object.assign({}, ...names.map(readJson)) as Record<string, string>;
}

export const readReviewed = (): LanguageFacts['reviewed'] => readJson('reviewed.json') as LanguageFacts['reviewed'];

export function readLanguageFacts(): LanguageFacts {
  const source = { locale: sourceLocale, areas: readAreas(sourceLocale) };
  const names = globSync(['web/**/*.{ts,tsx}', 'server/**/*.ts'], {
    cwd: root,
    exclude: (name) => /(^|\/)(node_modules|dist)$|\.test\.tsx?$/.test(name),
  });
  const areas = [...source.areas.keys()];
  const files = names.map((name) => name.split(path.sep).join('/')).sort();
  return {
    source,
    translations: locales
      .filter((locale) => locale !== sourceLocale)
      .map((locale) => ({ locale, areas: readAreas(locale) })),
    used: files.flatMap((name) => findTextUses({ name, text: readFileSync(path.join(root, name), 'utf8') }, areas)),
    needed: readNeededIds(),
    sameAsEnglish: readJson('same-as-english.json') as LanguageFacts['sameAsEnglish'],
    translatedFrom: readTranslated(),
    reviewed: readReviewed(),
  };
}
