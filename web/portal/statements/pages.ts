// The list of statements, and one statement.
import type { Page } from '../frame/page.ts';

export const statementPages: readonly Page[] = [
  {
    path: '/statements',
    titleId: 'page.statements',
    areas: ['statements', 'word'],
    who: 'client',
    place: 20,
    load: () => import('./statement-list.tsx'),
  },
  {
    path: '/statements/$statementId',
    titleId: 'page.statement',
    areas: ['statements', 'word'],
    who: 'client',
    load: () => import('./statement.tsx'),
  },
];
