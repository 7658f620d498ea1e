// The first page.
import type { Page } from '../frame/page.ts';

export const homePages: readonly Page[] = [
  {
    path: '/',
    titleId: 'page.home',
    areas: ['home', 'notice', 'word'],
    who: 'everyone',
    place: 10,
    load: () => import('./home.tsx'),
  },
];
