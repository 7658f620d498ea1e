// The first page.
import type { Page } from '../frame/page.ts';

export const homePages: readonly Page[] = [
  { path: '/', titleId: 'home.title', areas: ['home'], who: 'everyone', place: 10, load: () => import('./home.tsx') },
];
