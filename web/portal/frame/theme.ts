// Light, dark, or as the system says: marked on the document, and remembered on this device for the server's own pages.
import { writeCookie } from '../language/cookies.ts';

export type Theme = 'system' | 'light' | 'dark';

export function applyTheme(theme: Theme): void {
  writeCookie('theme', theme);
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}
