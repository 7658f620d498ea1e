// Reads the catalogues from their files: for the server, which reads them at run time, and for the checks.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Catalogue, type Locale, sourceLocale } from './languages.ts';

const folder = path.join(import.meta.dirname, 'catalogues');

/** The texts of each area of a locale; an area is a file. */
export function readAreas(locale: string, from = folder): ReadonlyMap<string, Catalogue> {
  const names = globSync('*.json', { cwd: path.join(from, locale) }).sort();
  return new Map(
    names.map((name) => [
      path.basename(name, '.json'),
      JSON.parse(readFileSync(path.join(from, locale, name), 'utf8')) as Catalogue,
    ]),
  );
}

/** All texts of a locale. Shape: an id that the locale lacks has the English text, so that a page never shows an id. */
export function readCatalogue(locale: Locale, from = folder): Catalogue {
  const areas = [...readAreas(sourceLocale, from).values(), ...readAreas(locale, from).values()];
  return Object.assign({}, ...areas) as Catalogue;
}
