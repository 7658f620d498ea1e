// How the person likes to read: kept by the server with the login, applied to this page at once.
import { useQueryClient } from '@tanstack/react-query';
import { findChoice } from '../language/choice.ts';
import { api } from '../api/client.ts';
import { meQuery, useMe } from '../api/me.ts';
import type { Me, Preferences } from '../api/operations.ts';
import { changeLanguage } from '../language/catalogues.ts';
import { changeZone } from '../language/zone.ts';
import { applyTheme } from './theme.ts';

/** Takes over what was chosen, here or on another device. Shape: resolves when the texts of the language are there. */
export async function applyPreferences({ locale, timeZone, theme }: Preferences): Promise<void> {
  applyTheme(theme);
  changeZone(timeZone);
  const chosen = findChoice(locale);
  if (chosen !== undefined) await changeLanguage(chosen);
}

export function usePreferences(): {
  readonly preferences: Preferences;
  change(changed: Partial<Preferences>): Promise<void>;
} {
  const queryClient = useQueryClient();
  const { preferences } = useMe();
  return {
    preferences,
    async change(changed) {
      const next = { ...preferences, ...changed };
      // The page changes first: somebody who cannot read it should not wait for the server.
      await applyPreferences(next);
      const kept = await api.put('/v1/preferences', next);
      queryClient.setQueryData<Me>(meQuery.queryKey, (me) => me && { ...me, preferences: kept });
    },
  };
}
