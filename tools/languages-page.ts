// The printed page of the languages: how many texts each locale has, and how each came to be, counted from the files.
import { languages } from '@broadgate/languages';
import { type LanguageFacts, textsOf } from './language-check.ts';

/** The lines below the title. */
export function formatLanguages({ source, translations, reviewed, translatedFrom }: LanguageFacts): string[] {
  const english = Object.keys(textsOf(source));
  const rows = languages.map(({ locale, name, direction }) => {
    const texts = translations.find((one) => one.locale === locale);
    if (texts === undefined) return [`\`${locale}\``, name, direction, english.length, english.length, 0, 0, 0];
    const present = english.filter((id) => textsOf(texts)[id] !== undefined);
    const read = present.filter((id) => reviewed[locale]?.[id] !== undefined).length;
    const missing = english.length - present.length;
    return [`\`${locale}\``, name, direction, present.length, 0, present.length - read, read, missing];
  });
  const areas = [...source.areas].map(([area, texts]) => `| ${area} | ${Object.keys(texts).length} |`);
  return [
    'A text is *source* (English, written by us), *machine* (translated by a machine and read by nobody who writes the language) or',
    '*reviewed* (a person who writes the language compared it with the English text). There is no text yet that binds somebody in law;',
    'such a text is shown only when it is reviewed.',
    '',
    '| Locale | Name | Direction | Texts | Source | Machine | Reviewed | Missing |',
    '|---|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
    `Translated from the present English text: ${english.filter((id) => translatedFrom[id] !== undefined).length} of ${english.length}.`,
    '',
    '| Area | Texts |',
    '|---|---|',
    ...areas,
  ];
}
