// The texts of documents in each language, written as HTML; a catalogue is read when somebody first asks for its language.
import type { Locale } from '@broadgate/languages';
import { readCatalogue } from '@broadgate/languages/catalogue-files.ts';
import { createTexts, html, type Texts } from '@broadgate/languages/texts.ts';

const kept = new Map<Locale, Texts>();

export function textsOf(locale: Locale): Texts {
  const known = kept.get(locale);
  if (known !== undefined) return known;
  const texts = createTexts({ locale, catalogue: readCatalogue(locale), writing: html });
  kept.set(locale, texts);
  return texts;
}
