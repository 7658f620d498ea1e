// A language that was chosen somewhere, if it is one of ours.
import { type Locale, locales } from '@broadgate/languages';

export const findChoice = (tag: string | null | undefined): Locale | undefined =>
  locales.find((locale) => locale === tag);
