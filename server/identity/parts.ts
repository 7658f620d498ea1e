// What the operations of identity are made of, and the two small things that several of them do.
import type { Audit } from '../kernel/audit.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import { type Random, randomToken } from '../kernel/random.ts';
import { brokenConstraint, type Database, type Sql } from '../kernel/sql.ts';
import type { Passwords } from './passwords.ts';
import { hashToken, type IdentitySettings, refusals } from './rules.ts';
import * as store from './store.ts';

export interface IdentityParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly settings: IdentitySettings;
}

/** A one-time link for setting a password. The token is known to whoever asked for it and to nobody else. */
export interface Invitation {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Opens a new invitation for a login; the one before, if any, opens nothing any more. */
export async function invite(sql: Sql, parts: IdentityParts, loginId: string): Promise<Invitation> {
  const token = randomToken(parts.random);
  const nowMs = parts.clock.nowMs();
  const expiresAtMs = nowMs + parts.settings.invitationLifeMs;
  await store.replaceInvitation(sql, { loginId, tokenHash: hashToken(token), nowMs, expiresAtMs });
  return { token, expiresAtMs };
}

/** Runs a transaction that adds names. Two who take the same name at once are told apart by the database alone. */
export async function addNames<Result>(
  parts: IdentityParts,
  names: { login?: string; accountNumber?: string },
  work: (sql: Sql) => Promise<Result>,
): Promise<Result> {
  try {
    return await parts.database.transaction(work);
  } catch (thrown) {
    const constraint = brokenConstraint(thrown);
    if (constraint === 'logins_login_key') throw refusals.login_taken({ login: names.login ?? '' });
    if (constraint === 'accounts_number_key')
      throw refusals.account_taken({ accountNumber: names.accountNumber ?? '' });
    throw thrown;
  }
}
