// Every page of the portal, gathered from the parts that bring them.
import { deliveryPages } from './delivery/pages.ts';
import type { Page } from './frame/page.ts';
import { deskPages } from './desk/pages.ts';
import { homePages } from './home/pages.ts';
import { operationsPages } from './operations/pages.ts';
import { securityPages } from './security/pages.ts';
import { settingsPages } from './settings/pages.ts';
import { statementPages } from './statements/pages.ts';

export const pages: readonly Page[] = [
  ...homePages,
  ...statementPages,
  ...deliveryPages,
  ...securityPages,
  ...settingsPages,
  ...deskPages,
  ...operationsPages,
];
