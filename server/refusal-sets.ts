// Every set of refusals that an operation behind the HTTPS face may throw: what the published description lists.
import { refusals as help } from './help/rules.ts';
import { refusals as identity } from './identity/rules.ts';
import { refusals as requests } from './kernel/requests.ts';
import { refusals as kernel } from './kernel/rules.ts';
import { refusals as messages } from './messages/rules.ts';
import { refusals as operations } from './operations/rules.ts';
import { refusals as connections } from './statements/connections/rules.ts';
import { refusals as delivery } from './statements/delivery/rules.ts';
import { refusals as issuing } from './statements/issuing/rules.ts';
import { refusals as runs } from './statements/issuing/run-rules.ts';
import { refusals as keys } from './statements/keys/rules.ts';
import { refusals as proof } from './statements/proof/rules.ts';
import { refusals as repository } from './statements/repository/rules.ts';

export const refusalSets = [
  kernel,
  requests,
  identity,
  messages,
  help,
  operations,
  delivery,
  keys,
  connections,
  issuing,
  runs,
  repository,
  proof,
];
