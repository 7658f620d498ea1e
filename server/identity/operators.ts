// The broker's staff: operators with the desks they work at, added and ended at the operations desk or on the console.
import type { Actor, Desk } from '../kernel/actor.ts';
import type { PageQuery } from './clients.ts';
import { addNames, type IdentityParts, type Invitation, invite } from './parts.ts';
import * as rules from './rules.ts';
import { refusals } from './rules.ts';
import * as signInStore from './sign-in-store.ts';
import * as store from './store.ts';

export interface Operator {
  readonly operatorId: string;
  readonly loginId: string;
  readonly login: string;
  readonly name: string;
  readonly desks: readonly Desk[];
  readonly state: 'active' | 'ended';
  readonly isSetUp: boolean;
  readonly createdAtMs: number;
}

const pageSizeMax = 200;

export function createOperators(parts: IdentityParts) {
  const { database, clock, ids, audit } = parts;

  return {
    /** Adds an operator, who sets a password through the invitation. Refuses: desk_only, login_taken, desk_unknown, *_malformed. */
    async addOperator(
      actor: Actor,
      asked: { login: string; name: string; desks: readonly string[] },
    ): Promise<{ operatorId: string; loginId: string; invitation: Invitation }> {
      rules.checkOperationsDesk(actor);
      rules.checkLogin(asked.login);
      rules.checkName(asked.name);
      rules.checkDesks(asked.desks);
      const login = rules.normalLogin(asked.login);
      return addNames(parts, { login }, async (sql) => {
        const nowMs = clock.nowMs();
        const [operatorId, loginId] = [ids.next(), ids.next()];
        await store.insertOperator(sql, { operatorId, name: asked.name.trim(), nowMs });
        await store.replaceDesks(sql, operatorId, [...new Set(asked.desks)]);
        await store.insertLogin(sql, { loginId, login, operatorId, nowMs });
        const invitation = await invite(sql, parts, loginId);
        const detail = { login, desks: [...asked.desks] };
        await audit.append(sql, { actor, action: 'operator.add', subject: `operator:${operatorId}`, detail });
        return { operatorId, loginId, invitation };
      });
    },

    /** Changes where an operator works, from the next request on. Refuses: desk_only, not_on_yourself, operator_not_found, desk_unknown. */
    async setDesks(actor: Actor, operatorId: string, desks: readonly string[]): Promise<void> {
      rules.checkOtherOperator(actor, operatorId);
      rules.checkDesks(desks);
      await database.transaction(async (sql) => {
        const [row] = await store.listOperators(sql, { operatorId, limit: 1 });
        // Somebody who left is not moved to a desk, which would look like a way back in.
        if (row?.state !== 'active') throw refusals.operator_not_found();
        await store.replaceDesks(sql, operatorId, [...new Set(desks)]);
        const detail = { from: row.desks, to: [...desks] };
        await audit.append(sql, { actor, action: 'operator.set_desks', subject: `operator:${operatorId}`, detail });
      });
    },

    /** Ends an operator's access now. Refuses: desk_only, not_on_yourself, operator_not_found. */
    async endOperator(actor: Actor, operatorId: string): Promise<void> {
      rules.checkOtherOperator(actor, operatorId);
      await database.transaction(async (sql) => {
        const nowMs = clock.nowMs();
        const [row] = await store.listOperators(sql, { operatorId, limit: 1 });
        if (!row) throw refusals.operator_not_found();
        if (row.state === 'ended') return;
        await store.endOperator(sql, operatorId);
        await store.deleteInvitationOf(sql, row.loginId);
        await signInStore.endSignIns(sql, { operatorId }, { reason: 'operator ended', nowMs });
        await audit.append(sql, { actor, action: 'operator.end', subject: `operator:${operatorId}` });
      });
    },

    /** One page in the order of adding. Refuses: desk_only. */
    async listOperators(actor: Actor, query: PageQuery): Promise<{ items: Operator[]; next: string | undefined }> {
      rules.checkOperationsDesk(actor);
      const limit = Math.min(query.limit, pageSizeMax);
      const { after } = query;
      const rows = await store.listOperators(database.sql, {
        limit: limit + 1,
        ...(after === undefined ? {} : { after }),
      });
      const items = rows.slice(0, limit);
      return { items, next: rows.length > limit ? items.at(-1)!.operatorId : undefined };
    },
  };
}
