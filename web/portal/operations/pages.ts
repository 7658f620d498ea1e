// The pages of whoever looks after the machine.
import type { Page } from '../frame/page.ts';

const areas = ['operations', 'word'] as const;
const who = ['operations'] as const;

export const operationsPages: readonly Page[] = [
  {
    path: '/operations/health',
    titleId: 'page.operationsHealth',
    areas,
    who,
    place: 210,
    load: () => import('./health.tsx'),
  },
  {
    path: '/operations/load',
    titleId: 'page.operationsLoad',
    areas,
    who,
    place: 220,
    load: () => import('./load.tsx'),
  },
  {
    path: '/operations/jobs',
    titleId: 'page.operationsJobs',
    areas,
    who,
    place: 230,
    load: () => import('./jobs.tsx'),
  },
  {
    path: '/operations/audit',
    titleId: 'page.operationsAudit',
    areas,
    who,
    place: 240,
    load: () => import('./audit.tsx'),
  },
];
