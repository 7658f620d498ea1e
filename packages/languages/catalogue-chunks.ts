// Loads the catalogues in the browser: a chunk for each locale and area, which the bundler makes from this import.
import type { Catalogue, Locale } from './languages.ts';

/** The texts of one area, such as `statements`; an area is a file of `catalogues/<locale>`. English stands in where the locale has no such file or text. */
export async function loadArea(locale: Locale, area: string): Promise<Catalogue> {
  const [source, own] = await Promise.all([loadFile('en', area), loadFile(locale, area).catch(() => ({}))]);
  return { ...source, ...own };
}

async function loadFile(locale: Locale, area: string): Promise<Catalogue> {
  const file = (await import(`./catalogues/${locale}/${area}.json`)) as { default: Catalogue };
  return file.default;
}
