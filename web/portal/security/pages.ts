// The page about who gets in: sign-ins, tokens of scripts, the password.
import type { Page } from '../frame/page.ts';

export const securityPages: readonly Page[] = [
  {
    path: '/security',
    titleId: 'page.security',
    areas: ['security'],
    who: 'everyone',
    place: 900,
    load: () => import('./security.tsx'),
  },
];
