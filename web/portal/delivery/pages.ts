// How statements reach the client: setting it up, the guide for its computer, what connects, and the files of its repository.
import type { Page } from '../frame/page.ts';

const areas = ['delivery', 'word'] as const;

export const deliveryPages: readonly Page[] = [
  {
    path: '/delivery',
    titleId: 'page.delivery',
    areas,
    who: 'client',
    place: 30,
    load: () => import('./delivery.tsx'),
  },
  { path: '/delivery/guide', titleId: 'page.deliveryGuide', areas, who: 'client', load: () => import('./guide.tsx') },
  {
    path: '/delivery/log',
    titleId: 'page.deliveryLog',
    areas: [...areas, 'reason'],
    who: 'client',
    load: () => import('./log.tsx'),
  },
  { path: '/delivery/files', titleId: 'page.deliveryFiles', areas, who: 'client', load: () => import('./files.tsx') },
];
