// The page about how the portal looks to its reader.
import type { Page } from '../frame/page.ts';

export const settingsPages: readonly Page[] = [
  {
    path: '/settings',
    titleId: 'page.settings',
    areas: ['settings'],
    who: 'everyone',
    place: 910,
    load: () => import('./settings.tsx'),
  },
];
