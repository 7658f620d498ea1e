// Texts of the catalogue as help articles quote them: what a refused attempt is explained with, without the facts of one attempt.
import { locales } from '@broadgate/languages';
import { readCatalogue } from '@broadgate/languages/catalogue-files.ts';
import { createTexts, plain, type Texts } from '@broadgate/languages/texts.ts';

// What stands in an explanation where a real one names the fact.
const unsaid = Object.fromEntries(
  ['address', 'fingerprint', 'on', 'method', 'detail', 'algorithm', 'fault'].map((name) => [name, '…']),
);

/** A catalogue is read when somebody first asks for its language. Shape: undefined for an id that no text has. */
export function createHelpTexts(): (id: string, locale: string) => string | undefined {
  const kept = new Map<string, Texts>();
  return (id, asked) => {
    const locale = locales.find((known) => known === asked) ?? 'en';
    const texts = kept.get(locale) ?? createTexts({ locale, catalogue: readCatalogue(locale), writing: plain });
    kept.set(locale, texts);
    return texts.find(id, unsaid);
  };
}
