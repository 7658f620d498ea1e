// Every route of statements over HTTPS, the delivery routes aside.
import type { Route } from '../faces/https/route.ts';
import { createIssuingRoutes } from './issuing/https.ts';
import { createRunRoutes } from './issuing/run-https.ts';
import { createProofRoutes } from './proof/https.ts';
import { createRepositoryRoutes } from './repository/https.ts';
import type { Statements } from './statements.ts';

export const createStatementRoutes = ({ statements }: { statements: Statements }): Route[] => [
  ...createIssuingRoutes(statements),
  ...createRunRoutes(statements),
  ...createProofRoutes(statements),
  ...createRepositoryRoutes(statements),
];
