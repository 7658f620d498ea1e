// `npm run languages`: checks the catalogues. With `--english` only the source; with `--translated ID…` it notes that every translation was made from the present English text.
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readAreas } from '@broadgate/languages/catalogue-files.ts';
import { locales, sourceLocale } from '@broadgate/languages';
import { findLanguageFaults, type LanguageFacts, markOf, textsOf } from './language-check.ts';
import { readNeededIds } from './text-needs.ts';
import { findTextUses } from './text-uses.ts';

const root = path.join(import.meta.dirname, '..');
const home = path.join(root, 'packages/languages');

const readJson = (name: string): unknown =>
  existsSync(path.join(home, name)) ? JSON.parse(readFileSync(path.join(home, name), 'utf8')) : {};

/** The marks of the English texts that were translated, by id; a file an area, so that changes meet seldom. */
function readTranslated(): Record<string, string> {
  const names = globSync('translated/*.json', { cwd: home });
  return Object.assign({}, ...names.map(readJson)) as Record<string, string>;
}

/** Everything the check compares, read from the repository. */
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
    reviewed: readJson('reviewed.json') as LanguageFacts['reviewed'],
  };
}

/** Notes the present English text of these ids (or of whole areas) as the one that was translated, and forgets ids that are gone. */
function noteTranslated(names: readonly string[]): void {
  const before = readTranslated();
  for (const [area, texts] of readAreas(sourceLocale)) {
    const marks: Record<string, string> = {};
    for (const [id, text] of Object.entries(texts)) {
      const mark = names.includes(id) || names.includes(area) ? markOf(text) : before[id];
      if (mark !== undefined) marks[id] = mark;
    }
    writeFileSync(path.join(home, 'translated', `${area}.json`), `${JSON.stringify(marks, undefined, 2)}\n`);
  }
}

/** While pages are being written: their English texts alone, whole as far as they are used. */
const isOfEnglish = (fault: string): boolean =>
  fault.startsWith('en ') && !/no code uses it|changed since|typographic/.test(fault);

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { translated: { type: 'boolean' }, english: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.translated) noteTranslated(positionals);
  const facts = readLanguageFacts();
  const all = findLanguageFaults(facts);
  const faults = values.english ? all.filter(isOfEnglish) : all;
  const count = Object.keys(textsOf(facts.source)).length;
  if (faults.length > 0) console.error(`${faults.join('\n')}\n${faults.length} faults in the texts`);
  else console.log(`${count} texts in ${facts.translations.length + 1} locales`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
