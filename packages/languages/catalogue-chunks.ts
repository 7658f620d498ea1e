// Loads the catalogues in the browser: a chunk for each locale and area, which the bundler makes from this import.
import type { Catalogue, Locale } from './languages.ts';

/** The texts of one area, such as `statements`; an area is a file of `catalogues/<locale>`, and every locale has all of them. */
export async function loadArea(locale: Locale, area: string): Promise<Catalogue> {
  const file = (await import(`./catalogues/${locale}/${area}.json`)) as { default: Catalogue };
  return file.default;
}
