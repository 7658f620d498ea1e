// Live changes over HTTPS, as server-sent events.
import * as shapes from '@broadgate/contract/events.ts';
import { type Route, streamRoute } from '../faces/https/route.ts';
import type { Change } from '../kernel/changes.ts';
import type { Live } from './live.ts';

export const createLiveRoutes = ({ live }: { live: Live }): Route[] => [
  streamRoute({
    path: '/v1/events',
    operationId: 'followEvents',
    tag: 'Notices',
    summary: 'Hear at once what changed: kinds and ids, never content.',
    description:
      'Server-sent events. `ready` comes first; each change is a message whose data names its kind and id, to be read where it is kept; `reset` says that changes may have been missed. A comment every 25 s keeps the way open. The stream ends with the sign-in. `client` lets the delivery desk hear of one client beside its own queue.',
    who: 'signed_in',
    query: shapes.eventQuery,
    event: shapes.change,
    refusals: ['events_forbidden', 'streams_too_many'],
    async handle({ actor, query, lastEventId }) {
      // While the head of the answer is not out, a refusal can still be told.
      live.checkMayFollow(actor, query.client);
      const since = lastEventId ?? query.since;
      return {
        begin(sink) {
          return live.follow(
            actor,
            { since, clientId: query.client },
            {
              ready: (id) => sink.send({ id, name: 'ready', data: {} }),
              changed: (change) => sink.send({ id: change.id, data: formatChange(change) }),
              reset: (id) => sink.send({ id, name: 'reset', data: {} }),
              end: () => sink.end(),
            },
          );
        },
      };
    },
  }),
];

const formatChange = (change: Change): shapes.Change => ({
  kind: change.kind as shapes.ChangeKind,
  id: change.subject ?? null,
});
