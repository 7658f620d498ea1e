// What a reader chose on this device, as cookies say: language and theme. Without a choice the browser's own wishes count.
import { type Locale, locales, negotiateLocale } from '@broadgate/languages';
import type { FastifyRequest } from 'fastify';

export type Theme = 'light' | 'dark';

export function readLanguage(request: FastifyRequest): Locale {
  const chosen = request.cookies['language'];
  return locales.find((locale) => locale === chosen) ?? negotiateLocale(request.headers['accept-language']);
}

/** Undefined leaves it to the reader's system. */
export function readTheme(request: FastifyRequest): Theme | undefined {
  const chosen = request.cookies['theme'];
  return chosen === 'light' || chosen === 'dark' ? chosen : undefined;
}
