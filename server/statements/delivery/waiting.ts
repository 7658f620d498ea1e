// Reports that wait for their delivery are tried again as soon as something changed that they may have waited for.
import { enqueue } from '../../kernel/jobs.ts';
import type { Sql } from '../../kernel/sql.ts';
import { tasks } from '../issuing/issuing.ts';

/** Inside the transaction of the change: the attempt runs after its commit, once for several changes. */
export const retryWaiting = (sql: Sql, clientId: string): Promise<void> =>
  enqueue(sql, tasks.deliverWaiting, { clientId }, { key: `${tasks.deliverWaiting}:${clientId}` });
