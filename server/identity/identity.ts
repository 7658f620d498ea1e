// The door of identity: who somebody is, what they belong to, and whether they may come in now.
//
// A client is active, suspended (until resumed) or closed (for good). Clients have accounts and logins; operators have one
// login and desks. A login without a password opens nothing; an invitation, a one-time link, sets one.
// Invariants: one name space of logins; tokens and one-time links stand in the database as hashes only; every change stands
// in the audit trail with its transaction; whatever ends access ends sign-ins in the same transaction and tells `client_ended`.
import type { Actor } from '../kernel/actor.ts';
import type { Sql } from '../kernel/sql.ts';
import { createClients } from './clients.ts';
import { createOperators } from './operators.ts';
import type { IdentityParts } from './parts.ts';
import { type Argon2Parameters, createPasswords } from './passwords.ts';
import {
  checkPreferences,
  defaultPreferences,
  defaultSettings,
  type IdentitySettings,
  type Preferences,
  refusals,
} from './rules.ts';
import { type ClientBrief, findPreferences, listBriefs, upsertPreferences } from './preferences-store.ts';
import { createSignIns } from './sign-ins.ts';
import { findLogin, findLoginOfOperator, listAccounts, type LoginRow } from './store.ts';

export type { Client } from './clients.ts';
export type { Operator } from './operators.ts';
export type { Invitation } from './parts.ts';
export type { SignIn } from './sign-ins.ts';
export type { ClientBrief } from './preferences-store.ts';
export type { IdentitySettings } from './rules.ts';
export { refusals as identityRefusals } from './rules.ts';

/** The person behind an actor, as they see themselves. */
export interface Me {
  readonly kind: 'client' | 'operator';
  /** Id of the client or operator. */
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly desks: readonly string[];
  readonly accountNumbers: readonly string[];
  readonly signInId: string | undefined;
  readonly preferences: Preferences;
}

export type Identity = ReturnType<typeof createIdentity>;

/** Shape: one for each process; what it knows is in the database, but for the queue of passwords being checked. */
export function createIdentity(
  given: Omit<IdentityParts, 'passwords' | 'settings'> & {
    readonly settings?: Partial<IdentitySettings>;
    readonly argon2?: Argon2Parameters;
    /** How many passwords are checked at a time. */
    readonly passwordTurns?: number;
  },
) {
  const { random, argon2: parameters, passwordTurns: turns } = given;
  const passwords = createPasswords({
    random,
    ...(parameters === undefined ? {} : { parameters }),
    ...(turns === undefined ? {} : { turns }),
  });
  const parts: IdentityParts = { ...given, passwords, settings: { ...defaultSettings, ...given.settings } };
  const { sql } = given.database;

  async function findPerson(actor: Actor): Promise<LoginRow> {
    const loginId =
      actor.kind === 'client'
        ? actor.loginId
        : actor.kind === 'operator'
          ? await findLoginOfOperator(sql, actor.operatorId)
          : undefined;
    const found = loginId === undefined ? undefined : await findLogin(sql, { loginId });
    if (!found) throw refusals.person_only();
    return found;
  }

  return {
    ...createSignIns(parts),
    ...createClients(parts),
    ...createOperators(parts),

    /** Refuses: person_only. */
    async getMe(actor: Actor): Promise<Me> {
      const found = await findPerson(actor);
      const accounts = found.clientId === null ? [] : await listAccounts(sql, found.clientId);
      return {
        kind: found.clientId === null ? 'operator' : 'client',
        id: (found.clientId ?? found.operatorId)!,
        login: found.login,
        name: found.name,
        desks: found.desks,
        accountNumbers: accounts.map((account) => account.accountNumber),
        signInId: actor.origin.through,
        preferences: (await findPreferences(sql, found.loginId)) ?? defaultPreferences,
      };
    },

    /** How short a password may be, for whoever asks for one. Units: characters. */
    passwordCharactersMin: parts.settings.passwordCharactersMin,

    /** Sets how the person behind the actor likes to read. Refuses: person_only, locale_malformed, time_zone_unknown. */
    async setPreferences(actor: Actor, preferences: Preferences): Promise<Preferences> {
      checkPreferences(preferences);
      const { loginId } = await findPerson(actor);
      await upsertPreferences(sql, loginId, preferences, given.clock.nowMs());
      return preferences;
    },

    /** Name and accounts of clients; for other domains, whose lists show them to a desk. */
    async findBriefs(inside: Sql, clientIds: readonly string[]): Promise<ReadonlyMap<string, ClientBrief>> {
      const briefs = await listBriefs(inside, [...new Set(clientIds)]);
      return new Map(briefs.map((brief) => [brief.clientId, brief]));
    },

    /** How many password hashes were worked out so far, for metrics. */
    passwordHashes: () => passwords.computed(),
  };
}
