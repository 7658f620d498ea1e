// For tests: identity on a real database of its own, with a clock that the test moves and passwords that cost little.
import { openTestDatabase, type TestDatabase } from '../../test/database.ts';
import { type Actor, consoleActor, type Desk, type Origin } from '../kernel/actor.ts';
import { createAudit } from '../kernel/audit.ts';
import { createFakeClock, type FakeClock } from '../kernel/clock.ts';
import { createIds } from '../kernel/ids.ts';
import { systemRandom as random } from '../kernel/random.ts';
import { Refusal } from '../kernel/refusal.ts';
import type { Sql } from '../kernel/sql.ts';
import { createIdentity, type Identity } from './identity.ts';

export const goodPassword = 'seven grey herons';
export const from = (address: string): Origin => ({ face: 'https', address });
export const home = from('203.0.113.7');

export interface TestIdentity extends AsyncDisposable {
  readonly identity: Identity;
  readonly clock: FakeClock;
  readonly sql: Sql;
  readonly database: TestDatabase['database'];
  /** A client with a password that has not signed in yet. */
  addClient(login: string): Promise<{ clientId: string; loginId: string }>;
  /** A client signed in from home. */
  addSignedIn(login: string): Promise<{ clientId: string; loginId: string; token: string; actor: Actor }>;
  /** An operator signed in from home. */
  addOperator(
    login: string,
    desks: readonly Desk[],
  ): Promise<{ operatorId: string; loginId: string; token: string; actor: Actor }>;
}

export async function openTestIdentity(): Promise<TestIdentity> {
  const test = await openTestDatabase();
  const { database } = test;
  const clock = createFakeClock();
  const identity = createIdentity({
    database,
    clock,
    random,
    ids: createIds({ clock, random }),
    audit: createAudit({ clock }),
    argon2: { memoryKibibytes: 8, passes: 1, lanes: 1 },
  });
  let accounts = 0;
  async function addClient(login: string): Promise<{ clientId: string; loginId: string }> {
    accounts += 1;
    const added = await identity.addClient(consoleActor, {
      kind: 'person',
      name: `Client ${login}`,
      login,
      accountNumbers: [`U${1000 + accounts}`],
    });
    await identity.acceptInvitation({ token: added.invitation.token, password: goodPassword, origin: home });
    return { clientId: added.clientId, loginId: added.loginId };
  }
  return {
    identity,
    clock,
    sql: database.sql,
    database,
    addClient,
    async addSignedIn(login) {
      const added = await addClient(login);
      const { token, actor } = await identity.signIn({ login, password: goodPassword, origin: home });
      return { ...added, token, actor };
    },
    async addOperator(login, desks) {
      const { operatorId, loginId, invitation } = await identity.addOperator(consoleActor, { login, name: 'O', desks });
      await identity.acceptInvitation({ token: invitation.token, password: goodPassword, origin: home });
      const { token, actor } = await identity.signIn({ login, password: goodPassword, origin: home });
      return { operatorId, loginId, token, actor };
    },
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

/** The code of the refusal that the work ends in; `ok` when it ends in none. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'ok';
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.code;
    throw thrown;
  }
}
