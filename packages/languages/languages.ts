// The locales that texts are kept in, which of them a reader is given, and the direction it is written in. For server and browser.

export type Direction = 'ltr' | 'rtl';

/**
 * Every locale, a line each, with its own name for itself; its texts lie in `catalogues/<locale>`. The first is the source.
 * Shape: `region` is the tag under which the parts of the portal keep their own few words for screen readers.
 */
export const languages = [
  { locale: 'en', name: 'English', direction: 'ltr', region: 'en-US' },
  { locale: 'pt', name: 'Português', direction: 'ltr', region: 'pt-BR' },
  { locale: 'es', name: 'Español', direction: 'ltr', region: 'es-ES' },
  { locale: 'fr', name: 'Français', direction: 'ltr', region: 'fr-FR' },
  { locale: 'de', name: 'Deutsch', direction: 'ltr', region: 'de-DE' },
  { locale: 'it', name: 'Italiano', direction: 'ltr', region: 'it-IT' },
  { locale: 'zh-Hant', name: '繁體中文', direction: 'ltr', region: 'zh-TW' },
  { locale: 'zh-Hans', name: '简体中文', direction: 'ltr', region: 'zh-CN' },
  { locale: 'ja', name: '日本語', direction: 'ltr', region: 'ja-JP' },
  { locale: 'ru', name: 'Русский', direction: 'ltr', region: 'ru-RU' },
  { locale: 'ar', name: 'العربية', direction: 'rtl', region: 'ar-AE' },
] as const satisfies readonly { locale: string; name: string; direction: Direction; region: string }[];

export type Locale = (typeof languages)[number]['locale'];

export const locales: readonly Locale[] = languages.map(({ locale }) => locale);
export const sourceLocale = 'en' satisfies Locale;

/** Texts by id, in ICU MessageFormat. Shape: `area.page.thing`; the file `<area>.json` holds the ids that begin with its name. */
export type Catalogue = Readonly<Record<string, string>>;

export const directionOf = (locale: Locale): Direction =>
  languages.find((language) => language.locale === locale)?.direction ?? 'ltr';

export const regionOf = (locale: Locale): string =>
  languages.find((language) => language.locale === locale)?.region ?? locale;

/** The locale that serves a language tag best: `pt-PT` is served by pt, `zh-HK` by zh-Hant, `zh` by zh-Hans; undefined when none does. */
export function matchLocale(tag: string): Locale | undefined {
  let asked: Intl.Locale;
  try {
    asked = new Intl.Locale(tag.trim()).maximize();
  } catch {
    return undefined;
  }
  return locales.find((locale) => {
    const own = new Intl.Locale(locale).maximize();
    return own.language === asked.language && own.script === asked.script;
  });
}

// A header of any length costs no more than this.
const tagsMax = 20;

/**
 * The locale for an Accept-Language header; English when it names none of ours.
 * Source: RFC 9110 §12.5.4; the weight decides, then the order; a weight of 0 rules a language out.
 */
export function negotiateLocale(acceptLanguage: string | undefined): Locale {
  const asked = (acceptLanguage ?? '')
    .split(',', tagsMax)
    .map((part) => {
      const [tag = '', ...options] = part.split(';');
      const weight = options.map((option) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/i.exec(option)?.[1]).find(Boolean);
      return { locale: matchLocale(tag), weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  return asked.find(({ locale }) => locale !== undefined)?.locale ?? sourceLocale;
}
