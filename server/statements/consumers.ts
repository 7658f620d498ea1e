// What follows from the events of statements: the client is told that something new lies there, once for each event.
import { systemActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Consumer } from '../kernel/outbox.ts';
import type { Requests } from '../kernel/requests.ts';
import type { Database, Sql } from '../kernel/sql.ts';
import type { Messages } from '../messages/messages.ts';
import { events } from './events.ts';
import { listClientsOfRun } from './issuing/runs-store.ts';

export function createConsumers(parts: {
  database: Database;
  clock: Clock;
  requests: Requests;
  messages: Pick<Messages, 'notify'>;
}): Readonly<Record<string, Consumer>> {
  const { database, clock, requests, messages } = parts;

  /** An event may come twice; its notices are written in the one transaction that remembers it. */
  const once = (eventId: string, work: (sql: Sql) => Promise<void>): Promise<null> => {
    const request = { actor: systemActor('statements'), operation: 'notify', requestId: eventId, input: null };
    return database.transaction((sql) =>
      requests.once(sql, request, async () => {
        await work(sql);
        return null;
      }),
    );
  };

  return {
    async [events.statementPlaced](event) {
      const { clientId } = event.payload as { clientId: string };
      // A notice points and names no file (D-29).
      await once(event.eventId, (sql) =>
        messages.notify(sql, { clientId, kind: 'statement_new', params: {}, atMs: clock.nowMs() }),
      );
    },

    async [events.runEnded](event) {
      const { runId, reference, rows, failed } = event.payload as {
        runId: string;
        reference: string;
        rows: number;
        failed: number;
      };
      const atMs = clock.nowMs();
      await once(event.eventId, async (sql) => {
        await messages.notify(sql, { desk: 'delivery', kind: 'run_ended', params: { reference, rows, failed }, atMs });
        for (let afterId = ''; ; ) {
          const clientIds = await listClientsOfRun(sql, runId, afterId, clientsAtOnce);
          if (clientIds.length === 0) return;
          afterId = clientIds.at(-1)!;
          for (const clientId of clientIds)
            await messages.notify(sql, { clientId, kind: 'statement_new', params: {}, atMs });
        }
      });
    },
  };
}

const clientsAtOnce = 500;
