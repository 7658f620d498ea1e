// The published description of the API, made from the routes without opening anything behind them.
import { ownRoutes } from '../server/faces/https/own-routes.ts';
import { openApiDocument } from '../server/faces/https/openapi.ts';
import { refusalSets } from '../server/refusal-sets.ts';
import { createRoutes } from '../server/routes.ts';

type Parts = Parameters<typeof createRoutes>[0];

/** Stands in for every part: a route names its part when it is asked, never when it is made. */
const unopened = new Proxy({}, { get: () => unopened }) as unknown as Parts;

export const printOpenApi = (): string =>
  `${JSON.stringify(openApiDocument([...ownRoutes(refusalSets), ...createRoutes(unopened)], refusalSets), null, 2)}\n`;
