// Every operation of the HTTPS face, gathered: what the face serves, and what the published description is printed from.
import type { Route } from './faces/https/route.ts';
import type { Help } from './help/help.ts';
import { createHelpRoutes } from './help/https.ts';
import { createIdentityRoutes } from './identity/https.ts';
import type { Identity } from './identity/identity.ts';
import { createNoticeRoutes } from './messages/https.ts';
import type { Live } from './messages/live.ts';
import { createLiveRoutes } from './messages/live-https.ts';
import type { Messages } from './messages/messages.ts';
import { createOperationsRoutes } from './operations/https.ts';
import type { Operations } from './operations/operations.ts';
import { createConnectionRoutes } from './statements/connections/https.ts';
import type { Delivery } from './statements/delivery/delivery.ts';
import { createDeliveryRoutes } from './statements/delivery/https.ts';
import { createStatementRoutes } from './statements/https.ts';
import type { Statements } from './statements/statements.ts';

/** Calls nothing of its parts, so that the description can be printed without opening any. */
export const createRoutes = (parts: {
  identity: Identity;
  messages: Messages;
  help: Help;
  operations: Operations;
  live: Live;
  delivery: Delivery;
  statements: Statements;
}): Route[] => [
  ...createIdentityRoutes(parts),
  ...createNoticeRoutes(parts),
  ...createLiveRoutes(parts),
  ...createDeliveryRoutes(parts),
  ...createConnectionRoutes({ connections: parts.delivery }),
  ...createStatementRoutes(parts),
  ...createHelpRoutes(parts),
  ...createOperationsRoutes(parts),
];
