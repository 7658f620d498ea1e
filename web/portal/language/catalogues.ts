// The texts of the reader's language, area by area, read when a page first needs them.
import { loadArea } from '@broadgate/languages/catalogue-chunks.ts';
import { type Catalogue, directionOf, type Locale, locales, negotiateLocale } from '@broadgate/languages';
import { readCookie, writeCookie } from './cookies.ts';

export interface Language {
  readonly locale: Locale;
  readonly texts: Catalogue;
}

const cookieName = 'language';
const remembered = readCookie(cookieName);
const chosen = locales.find((locale) => locale === remembered);
let language: Language = { locale: chosen ?? negotiateLocale(navigator.languages.join(',')), texts: {} };
const areas = new Set<string>();
const listeners = new Set<() => void>();

/** For `useSyncExternalStore`. */
export const readLanguage = (): Language => language;
export function watchLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function readAreas(locale: Locale, names: Iterable<string>): Promise<Catalogue> {
  const read = await Promise.all(Array.from(names, (area) => loadArea(locale, area)));
  return Object.assign({}, ...read) as Catalogue;
}

function show(next: Language): void {
  language = next;
  document.documentElement.lang = next.locale;
  document.documentElement.dir = directionOf(next.locale);
  for (const listener of listeners) listener();
}

/** Reads what a page needs; nothing is read twice. */
export async function loadAreas(wanted: readonly string[]): Promise<void> {
  const missing = wanted.filter((area) => !areas.has(area));
  if (missing.length === 0) return;
  const { locale } = language;
  const texts = await readAreas(locale, missing);
  // The language was changed in the meantime: what was read is of the old one.
  if (language.locale !== locale) return loadAreas(wanted);
  for (const area of missing) areas.add(area);
  show({ locale, texts: { ...language.texts, ...texts } });
}

/** Changes the language of the whole page, and of the sign-in page on this device. */
export async function changeLanguage(locale: Locale): Promise<void> {
  writeCookie(cookieName, locale);
  if (locale !== language.locale) show({ locale, texts: await readAreas(locale, areas) });
}
