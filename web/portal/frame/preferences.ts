// How the person likes to read: remembered on this device, applied to this page at once.
import type { Locale } from '@broadgate/languages';
import { useSyncExternalStore } from 'react';
import { changeLanguage } from '../language/catalogues.ts';
import { readCookie, writeCookie } from '../language/cookies.ts';
import { changeZone } from '../language/zone.ts';
import { applyTheme, type Theme } from './theme.ts';

export interface Preferences {
  readonly locale: Locale | null;
  /** Shape: an IANA name; null means that of the device. */
  readonly timeZone: string | null;
  readonly theme: Theme;
}

const themeOf = (text: string | undefined): Theme => (text === 'light' || text === 'dark' ? text : 'system');

let preferences: Preferences = {
  locale: null,
  timeZone: readCookie('zone') || null,
  theme: themeOf(readCookie('theme')),
};
const listeners = new Set<() => void>();

function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Shape: resolves when the texts of the language are there. */
export async function applyPreferences({ locale, timeZone, theme }: Preferences = preferences): Promise<void> {
  applyTheme(theme);
  changeZone(timeZone);
  if (locale !== null) await changeLanguage(locale);
}

export function usePreferences(): {
  readonly preferences: Preferences;
  change(changed: Partial<Preferences>): Promise<void>;
} {
  return {
    preferences: useSyncExternalStore(watch, () => preferences),
    async change(changed) {
      preferences = { ...preferences, ...changed };
      writeCookie('zone', preferences.timeZone ?? '');
      for (const listener of listeners) listener();
      await applyPreferences(preferences);
    },
  };
}
