// Writes one move of one object together with its event: who, when, from where to where, and why.
import { type Actor, formatActor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import type { Sql } from '../../kernel/sql.ts';
import { moveCertificate, moveSshKey, notifySshKeyEnded } from '../keys/keys-store.ts';
import { moveEntry } from './address-store.ts';
import { refusals } from './rules.ts';
import { type ConnectionState, type Move, type MovingObject, moves, wayBetween } from './state-rules.ts';
import { moveConnection, moveRequest } from './store.ts';
import { retryWaiting } from './waiting.ts';

export type Transitions = ReturnType<typeof createTransitions>;

interface Change {
  readonly atMs: number;
  readonly reason?: string;
  /** Of a declined request, for readers of every language. */
  readonly reasonCode?: string;
  readonly replacedBy?: string;
}

/** The pair of states as a legal move; a state read from a row is only known at run time. Refuses: state_moved. */
export function moveOf<Name extends MovingObject>(name: Name, from: string, to: Move<Name>['to']): Move<Name> {
  const allowed = (moves[name] as Readonly<Record<string, readonly unknown[]>>)[from];
  if (!allowed?.includes(to)) throw refusals.state_moved();
  return { from, to } as Move<Name>;
}

export function createTransitions(parts: { audit: Pick<Audit, 'append'> }) {
  /** Refuses: state_moved. The event stands in the same transaction as the move. */
  async function settle(
    sql: Sql,
    actor: Actor,
    what: { object: MovingObject; id: string; clientId: string; move: { from: string; to: string }; isMoved: boolean },
    change: Change,
  ): Promise<void> {
    if (!what.isMoved) throw refusals.state_moved();
    await parts.audit.append(sql, {
      actor,
      action: `${what.object}.${what.move.to}`,
      subject: `${what.object}:${what.id}`,
      detail: {
        clientId: what.clientId,
        from: what.move.from,
        to: what.move.to,
        ...(change.reason === undefined ? {} : { reason: change.reason }),
        ...(change.reasonCode === undefined ? {} : { reasonCode: change.reasonCode }),
        ...(change.replacedBy === undefined ? {} : { replacedBy: change.replacedBy }),
      },
    });
  }

  interface Item {
    readonly id: string;
    readonly clientId: string;
  }

  const transitions = {
    async connection(
      sql: Sql,
      actor: Actor,
      clientId: string,
      move: Move<'connection'>,
      change: Change,
    ): Promise<void> {
      const isMoved = await moveConnection(sql, clientId, move, change);
      await settle(sql, actor, { object: 'connection', id: clientId, clientId, move, isMoved }, change);
      // What waited for the connection is placed now (SF-11), or is for the portal alone.
      if (move.to === 'configured' || move.to === 'closed') await retryWaiting(sql, clientId);
    },

    /** Takes a connection the whole legal way to a state. Refuses: connection_state_wrong when there is none. */
    async connectionTo(
      sql: Sql,
      actor: Actor,
      connection: { clientId: string; state: ConnectionState },
      to: ConnectionState,
      change: Change,
    ): Promise<void> {
      const way = wayBetween(connection.state, to);
      if (way === undefined) throw refusals.connection_state_wrong({ state: connection.state });
      let from = connection.state;
      for (const step of way) {
        await transitions.connection(sql, actor, connection.clientId, moveOf('connection', from, step), change);
        from = step;
      }
    },

    async sshKey(sql: Sql, actor: Actor, key: Item, move: Move<'ssh_key'>, change: Change): Promise<void> {
      const isMoved = await moveSshKey(sql, key.id, move, change);
      await settle(sql, actor, { object: 'ssh_key', ...key, move, isMoved }, change);
      // SF-24: connections opened with an ended key close when this transaction commits.
      if (move.from === 'active') await notifySshKeyEnded(sql, key.id);
    },

    async certificate(sql: Sql, actor: Actor, key: Item, move: Move<'certificate'>, change: Change): Promise<void> {
      const isMoved = await moveCertificate(sql, key.id, move, change);
      await settle(sql, actor, { object: 'certificate', ...key, move, isMoved }, change);
      // D-26: what waited for a usable key goes out under this one.
      if (move.to === 'enabled') await retryWaiting(sql, key.clientId);
    },

    async address(sql: Sql, actor: Actor, entry: Item, move: Move<'address'>, change: Change): Promise<void> {
      const isMoved = await moveEntry(sql, entry.id, move, change);
      await settle(sql, actor, { object: 'address', ...entry, move, isMoved }, change);
    },

    async request(sql: Sql, actor: Actor, request: Item, move: Move<'request'>, change: Change): Promise<void> {
      const isMoved = await moveRequest(sql, request.id, move, { ...change, by: formatActor(actor) });
      await settle(sql, actor, { object: 'request', ...request, move, isMoved }, change);
    },

    /** Ends a request by the legal way from wherever it is. */
    async finishRequest(
      sql: Sql,
      actor: Actor,
      request: { requestId: string; clientId: string; state: string },
      to: 'done' | 'refused',
      change: Change,
    ): Promise<void> {
      const item = { id: request.requestId, clientId: request.clientId };
      if (request.state === 'open') {
        await transitions.request(sql, actor, item, { from: 'open', to: 'in_work' }, { atMs: change.atMs });
      }
      await transitions.request(sql, actor, item, { from: 'in_work', to }, change);
    },
  };
  return transitions;
}
