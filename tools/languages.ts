// `npm run languages`: checks the catalogues. `--translated ID…` and `--reviewed LOCALE ID…` note what was done.
import { globSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readAreas } from '@broadgate/languages/catalogue-files.ts';
import { sourceLocale } from '@broadgate/languages';
import { findLanguageFaults, markOf, textsOf } from './language-check.ts';
import { languagesHome, readLanguageFacts, readReviewed, readTranslated } from './language-facts.ts';

const writeJson = (name: string, value: unknown): void =>
  writeFileSync(path.join(languagesHome, name), `${JSON.stringify(value, undefined, 2)}\n`);

/** Notes the present English text of these ids (or of whole areas) as the one that was translated, and forgets ids that are gone. */
function noteTranslated(names: readonly string[]): void {
  const before = readTranslated();
  for (const name of globSync('translated/*.json', { cwd: languagesHome })) rmSync(path.join(languagesHome, name));
  for (const [area, texts] of readAreas(sourceLocale)) {
    const marks: Record<string, string> = {};
    for (const [id, text] of Object.entries(texts)) {
      const mark = names.includes(id) || names.includes(area) ? markOf(text) : before[id];
      if (mark !== undefined) marks[id] = mark;
    }
    writeJson(`translated/${area}.json`, marks);
  }
}

/** Notes that a person compared these texts of a locale with the English ones. */
function noteReviewed(locale: string, ids: readonly string[]): void {
  const source = textsOf({ locale: sourceLocale, areas: readAreas(sourceLocale) });
  const texts = textsOf({ locale, areas: readAreas(locale) });
  const marks = { ...readReviewed()[locale] };
  for (const id of ids) {
    const [english, text] = [source[id], texts[id]];
    if (english === undefined || text === undefined) throw new Error(`there is no text ${id} in ${locale}`);
    marks[id] = markOf(english, text);
  }
  writeJson('reviewed.json', { ...readReviewed(), [locale]: marks });
}

const { values, positionals } = parseArgs({
  options: { translated: { type: 'boolean' }, reviewed: { type: 'boolean' } },
  allowPositionals: true,
});
if (values.translated) noteTranslated(positionals);
if (values.reviewed) noteReviewed(positionals[0] ?? '', positionals.slice(1));
const facts = readLanguageFacts();
const faults = findLanguageFaults(facts);
const count = Object.keys(textsOf(facts.source)).length;
if (faults.length > 0) console.error(`${faults.join('\n')}\n${faults.length} faults in the texts`);
else console.log(`${count} texts in ${facts.translations.length + 1} locales`);
process.exitCode = faults.length > 0 ? 1 : 0;
