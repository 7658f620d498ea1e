// The pages of the delivery desk.
import type { Page } from '../frame/page.ts';

const areas = ['desk', 'word'] as const;
const who = ['delivery'] as const;

export const deskPages: readonly Page[] = [
  {
    path: '/desk/requests',
    titleId: 'page.deskRequests',
    areas,
    who,
    place: 110,
    load: () => import('./queue.tsx'),
  },
  {
    path: '/desk/requests/$requestId',
    titleId: 'page.deskRequest',
    areas,
    who,
    load: () => import('./request.tsx'),
  },
  {
    path: '/desk/clients',
    titleId: 'page.deskClients',
    areas,
    who,
    place: 120,
    load: () => import('./clients.tsx'),
  },
  {
    path: '/desk/clients/$clientId',
    titleId: 'page.deskClient',
    areas: [...areas, 'reason'],
    who,
    load: () => import('./client.tsx'),
  },
  {
    path: '/desk/statements',
    titleId: 'page.deskStatements',
    areas,
    who,
    place: 130,
    load: () => import('./statements.tsx'),
  },
  {
    path: '/desk/statements/issue',
    titleId: 'page.deskIssue',
    areas,
    who,
    load: () => import('./issue.tsx'),
  },
  {
    path: '/desk/statements/$statementId',
    titleId: 'page.deskStatement',
    areas,
    who,
    load: () => import('./statement.tsx'),
  },
  {
    path: '/desk/runs',
    titleId: 'page.deskRuns',
    areas,
    who,
    place: 140,
    load: () => import('./runs.tsx'),
  },
  {
    path: '/desk/runs/$runId',
    titleId: 'page.deskRun',
    areas,
    who,
    load: () => import('./run.tsx'),
  },
  {
    path: '/desk/addresses',
    titleId: 'page.deskAddresses',
    areas,
    who,
    place: 125,
    load: () => import('./addresses.tsx'),
  },
  {
    path: '/desk/keys',
    titleId: 'page.deskKeys',
    areas,
    who,
    place: 150,
    load: () => import('./ending-keys.tsx'),
  },
  {
    path: '/desk/uploads',
    titleId: 'page.deskUploads',
    areas,
    who,
    place: 160,
    load: () => import('./uploads.tsx'),
  },
  {
    path: '/desk/retention',
    titleId: 'page.deskRetention',
    areas,
    who,
    place: 170,
    load: () => import('./retention.tsx'),
  },
];
