// The region under which React Aria keeps its own few words for screen readers in each of our languages.
import type { Locale } from '@broadgate/languages';

export const regions: Readonly<Record<Locale, string>> = {
  en: 'en-US',
  pt: 'pt-BR',
  es: 'es-ES',
  fr: 'fr-FR',
  de: 'de-DE',
  it: 'it-IT',
  'zh-Hant': 'zh-TW',
  'zh-Hans': 'zh-CN',
  ja: 'ja-JP',
  ru: 'ru-RU',
  ar: 'ar-AE',
};
