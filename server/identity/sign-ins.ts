// Signing in: passwords and tokens in, actors out; lock-out after failures (D-08); one-time links; ending what was opened.
import { type Actor, type Desk, formatActor, type Origin, type SystemActor } from '../kernel/actor.ts';
import { randomToken } from '../kernel/random.ts';
import type { Sql } from '../kernel/sql.ts';
import type { PageQuery } from './clients.ts';
import { type IdentityParts, type Invitation, invite } from './parts.ts';
import type { PasswordTurn } from './passwords.ts';
import * as rules from './rules.ts';
import { refusals } from './rules.ts';
import * as signInStore from './sign-in-store.ts';
import * as store from './store.ts';

export interface SignedIn {
  readonly token: string;
  readonly signInId: string;
  readonly actor: Actor;
  readonly expiresAtMs: number;
}

export interface SignIn {
  readonly signInId: string;
  readonly sort: 'password' | 'token';
  readonly name: string | undefined;
  readonly address: string | undefined;
  readonly isCurrent: boolean;
  readonly createdAtMs: number;
  readonly usedAtMs: number;
  readonly expiresAtMs: number;
  readonly endedAtMs: number | undefined;
}

/** What a person saw and agreed to, with the password typed afresh; a second factor will stand beside it here. */
export interface Confirmation {
  readonly loginId: string;
  readonly shown: string;
  readonly confirmedAtMs: number;
}

type Owner = Pick<store.LoginRow, 'loginId' | 'clientId' | 'operatorId' | 'desks'>;
type Verdict =
  | { readonly sort: 'right' }
  | { readonly sort: 'wrong' }
  | { readonly sort: 'locked'; readonly forMs: number };

const pageSizeMax = 200;
const dayMs = 86_400_000;
const purgedAtOnce = 10_000;
// Writing down each use would make every read a write.
const usedGrainMs = 60_000;
const tokenForm = /^[A-Za-z0-9_-]{43}$/;

const toActor = (owner: Owner, origin: Origin): Actor =>
  owner.clientId === null
    ? { kind: 'operator', operatorId: owner.operatorId!, desks: owner.desks as readonly Desk[], origin }
    : { kind: 'client', clientId: owner.clientId, loginId: owner.loginId, origin };

const door = (origin: Origin): SystemActor => ({ kind: 'system', part: 'sign-in', origin });

export function createSignIns(parts: IdentityParts) {
  const { database, clock, random, ids, audit, passwords, settings } = parts;

  /**
   * Checks a password against its counter and counts a failure. An unknown login takes the same steps and the same work.
   * NOTE: the caller's transaction must commit also when the verdict is not `right`.
   */
  async function judge(
    sql: Sql,
    turn: PasswordTurn,
    tried: { login: string; found: store.LoginRow | undefined; password: string; origin: Origin },
  ): Promise<Verdict> {
    const { login, found, password, origin } = tried;
    const nowMs = clock.nowMs();
    const source = rules.sourceOf(origin.address);
    const sinceMs = nowMs - settings.knownSourceMs;
    const isKnown = await signInStore.hasSignedInFrom(sql, { loginId: found?.loginId ?? '', source, sinceMs });
    const key = rules.counterOf(login, isKnown ? source : undefined);
    const counter = await signInStore.lockCounter(sql, key, nowMs);
    const forMs = rules.lockedForMs(counter, nowMs);
    if (forMs > 0) return { sort: 'locked', forMs };
    const verdict = await turn.verify(password, found?.passwordHash ?? undefined);
    const subject = found ? `login:${found.loginId}` : 'login:unknown';
    if (verdict === 'wrong') {
      const next = rules.countFailure(counter, nowMs, settings);
      await signInStore.updateCounter(sql, key, next, nowMs);
      const detail = { failures: next.failedAtMs.length, isLocked: next.lockedUntilMs > nowMs, isKnownSource: isKnown };
      await audit.append(sql, { actor: door(origin), action: 'sign_in.refuse', subject, detail });
      return { sort: 'wrong' };
    }
    if (isKnown) await signInStore.updateCounter(sql, key, rules.freshCounter, nowMs);
    if (verdict === 'right_but_outdated') {
      await store.updatePasswordHash(sql, found!.loginId, await turn.hash(password));
    }
    return { sort: 'right' };
  }

  async function loginOf(actor: Actor): Promise<string> {
    if (actor.kind === 'client' && actor.loginId !== undefined) return actor.loginId;
    const loginId =
      actor.kind === 'operator' ? await store.findLoginOfOperator(database.sql, actor.operatorId) : undefined;
    if (loginId === undefined) throw refusals.person_only();
    return loginId;
  }

  /** Checks the password of whoever is signed in, then runs the work in the same transaction. Refuses: password_wrong, sign_in_locked. */
  async function withFreshPassword<Result>(
    actor: Actor,
    password: string,
    work: (sql: Sql, found: store.LoginRow, turn: PasswordTurn) => Promise<Result>,
  ): Promise<Result> {
    const loginId = await loginOf(actor);
    const outcome = await passwords.take((turn) =>
      database.transaction(async (sql): Promise<{ verdict: Verdict; result?: Result }> => {
        const found = await store.findLogin(sql, { loginId });
        if (!found) throw refusals.person_only();
        const verdict = await judge(sql, turn, { login: found.login, found, password, origin: actor.origin });
        return verdict.sort === 'right' ? { verdict, result: await work(sql, found, turn) } : { verdict };
      }),
    );
    checkNotLocked(outcome.verdict);
    if (outcome.verdict.sort === 'wrong') throw refusals.password_wrong();
    return outcome.result as Result;
  }

  return {
    /**
     * Opens a sign-in. Units: the token is 43 characters, shown once and kept only as a hash.
     * Refuses: sign_in_refused, sign_in_locked, and with the right password access_suspended, access_ended.
     */
    async signIn(asked: { login: string; password: string; origin: Origin }): Promise<SignedIn> {
      const { password, origin } = asked;
      const login = rules.normalLogin(asked.login);
      const outcome = await passwords.take((turn) =>
        database.transaction(
          async (sql): Promise<{ verdict: Verdict; opened?: SignedIn; state?: store.LoginRow['state'] }> => {
            const found = await store.findLogin(sql, { login });
            const verdict = await judge(sql, turn, { login, found, password, origin });
            // Nothing is thrown here: the failure that was just counted must be committed.
            if (verdict.sort !== 'right' || !found) return { verdict };
            if (found.state !== 'active') return { verdict, state: found.state };
            const nowMs = clock.nowMs();
            const [signInId, token] = [ids.next(), randomToken(random)];
            const expiresAtMs = nowMs + settings.signInLifeMs;
            await signInStore.insertSignIn(sql, {
              signInId,
              loginId: found.loginId,
              sort: 'password',
              tokenHash: rules.hashToken(token),
              address: origin.address,
              source: rules.sourceOf(origin.address),
              nowMs,
              expiresAtMs,
            });
            const actor = toActor(found, { ...origin, through: signInId });
            await audit.append(sql, { actor, action: 'sign_in.open', subject: `login:${found.loginId}` });
            return { verdict, opened: { token, signInId, actor, expiresAtMs } };
          },
        ),
      );
      checkNotLocked(outcome.verdict);
      if (outcome.state !== undefined) rules.checkAccess(outcome.state);
      if (!outcome.opened) throw refusals.sign_in_refused();
      return outcome.opened;
    },

    /** Who a token belongs to, now; undefined when it is unknown, ended, idle, or its owner is not active. */
    async findActor(token: string, origin: Origin): Promise<Actor | undefined> {
      if (!tokenForm.test(token)) return undefined;
      const found = await signInStore.findSignIn(database.sql, rules.hashToken(token));
      if (!found || found.ownerState !== 'active') return undefined;
      const nowMs = clock.nowMs();
      if (!rules.isAlive({ ...found, endedAtMs: found.endedAtMs ?? undefined }, nowMs, settings)) return undefined;
      if (nowMs - found.usedAtMs >= usedGrainMs) await signInStore.updateUsed(database.sql, found.signInId, nowMs);
      return toActor(found, { ...origin, through: found.signInId });
    },

    /** Of these sign-ins those that still open something, with the desks of their owner now; for what stays open beside requests. */
    async listAliveSignIns(sql: Sql, signInIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
      const nowMs = clock.nowMs();
      const found = await signInStore.findSignIns(sql, signInIds);
      const alive = found.filter(
        (one) =>
          one.ownerState === 'active' &&
          rules.isAlive({ ...one, endedAtMs: one.endedAtMs ?? undefined }, nowMs, settings),
      );
      return new Map(alive.map(({ signInId, desks }) => [signInId, desks]));
    },

    /** Ends the sign-in that the actor came through. Refuses: person_only. */
    async signOut(actor: Actor): Promise<void> {
      const loginId = await loginOf(actor);
      await database.transaction(async (sql) => {
        const end = { reason: 'signed out', nowMs: clock.nowMs() };
        await signInStore.endSignIn(sql, { signInId: actor.origin.through ?? '', loginId }, end);
        await audit.append(sql, { actor, action: 'sign_in.close', subject: `login:${loginId}` });
      });
    },

    /** The actor's own sign-ins and tokens, the newest first. Refuses: person_only. */
    async listSignIns(actor: Actor, query: PageQuery): Promise<{ items: SignIn[]; next: string | undefined }> {
      const loginId = await loginOf(actor);
      const limit = Math.min(query.limit, pageSizeMax);
      const rows = await signInStore.listSignIns(database.sql, { loginId, after: query.after, limit: limit + 1 });
      const items = rows.slice(0, limit).map((row) => ({
        ...row,
        name: row.name ?? undefined,
        address: row.address ?? undefined,
        endedAtMs: row.endedAtMs ?? undefined,
        isCurrent: row.signInId === actor.origin.through,
      }));
      return { items, next: rows.length > limit ? items.at(-1)!.signInId : undefined };
    },

    /** Ends one of the actor's own sign-ins or tokens at once. Refuses: person_only, sign_in_not_found. */
    async endSignIn(actor: Actor, signInId: string): Promise<void> {
      const loginId = await loginOf(actor);
      await database.transaction(async (sql) => {
        const end = { reason: 'revoked', nowMs: clock.nowMs() };
        if (!(await signInStore.endSignIn(sql, { signInId, loginId }, end))) throw refusals.sign_in_not_found();
        const detail = { signInId };
        await audit.append(sql, { actor, action: 'sign_in.revoke', subject: `login:${loginId}`, detail });
      });
    },

    /** A token for scripts. Refuses: password_wrong, sign_in_locked, token_malformed, tokens_too_many, person_only. */
    async createToken(
      actor: Actor,
      asked: { name: string; expiresInDays: number; password: string },
    ): Promise<{ tokenId: string; token: string; expiresAtMs: number }> {
      const { name, expiresInDays } = asked;
      const isFine = name.trim() !== '' && name.length <= 64 && Number.isInteger(expiresInDays);
      if (!isFine || expiresInDays < 1 || expiresInDays > 366) throw refusals.token_malformed();
      return withFreshPassword(actor, asked.password, async (sql, { loginId }) => {
        const nowMs = clock.nowMs();
        const { tokensMax } = rules;
        if ((await signInStore.countTokens(sql, loginId, nowMs)) >= tokensMax)
          throw refusals.tokens_too_many({ tokensMax });
        const [tokenId, token, expiresAtMs] = [ids.next(), randomToken(random), nowMs + expiresInDays * dayMs];
        const { address } = actor.origin;
        const source = rules.sourceOf(address);
        const tokenHash = rules.hashToken(token);
        const row = {
          signInId: tokenId,
          loginId,
          sort: 'token',
          name,
          tokenHash,
          address,
          source,
          nowMs,
          expiresAtMs,
        } as const;
        await signInStore.insertSignIn(sql, row);
        const detail = { tokenId, name, expiresInDays };
        await audit.append(sql, { actor, action: 'token.create', subject: `login:${loginId}`, detail });
        return { tokenId, token, expiresAtMs };
      });
    },

    /** Sets the first or a new password by a one-time link. Refuses: invitation_invalid, access_ended, the password_* codes. */
    async acceptInvitation(asked: {
      token: string;
      password: string;
      origin: Origin;
    }): Promise<{ login: string; kind: 'client' | 'operator' }> {
      if (!tokenForm.test(asked.token)) throw refusals.invitation_invalid();
      return passwords.take((turn) =>
        database.transaction(async (sql) => {
          const nowMs = clock.nowMs();
          const invitation = await store.deleteInvitation(sql, rules.hashToken(asked.token));
          const found = invitation && (await store.findLogin(sql, { loginId: invitation.loginId }));
          if (!found || nowMs >= invitation.expiresAtMs) throw refusals.invitation_invalid();
          if (found.state === 'closed' || found.state === 'ended') throw refusals.access_ended();
          rules.checkPassword(asked.password, found.login, settings);
          await store.updatePassword(sql, found.loginId, await turn.hash(asked.password), nowMs);
          await signInStore.endSignIns(sql, { loginId: found.loginId }, { reason: 'new password', nowMs });
          await signInStore.deleteCounters(sql, rules.counterPrefix(found.login));
          const actor = toActor(found, asked.origin);
          await audit.append(sql, { actor, action: 'password.set', subject: `login:${found.loginId}` });
          return { login: found.login, kind: found.clientId === null ? 'operator' : 'client' } as const;
        }),
      );
    },

    /** Opens a one-time link for a new password; the old password opens nothing from now on. Refuses: desk_only, login_not_found. */
    async resetPassword(actor: Actor, loginId: string): Promise<{ invitation: Invitation }> {
      return database.transaction(async (sql) => {
        const found = await store.findLogin(sql, { loginId });
        rules.checkMayReset(actor, found);
        const nowMs = clock.nowMs();
        await store.updatePassword(sql, loginId, null, nowMs);
        await signInStore.endSignIns(sql, { loginId }, { reason: 'password reset', nowMs });
        await store.updateResetBy(sql, loginId, formatActor(actor));
        const invitation = await invite(sql, parts, loginId);
        await audit.append(sql, { actor, action: 'password.reset', subject: `login:${loginId}` });
        return { invitation };
      });
    },

    /** Changes one's own password and ends all other sign-ins. Refuses: password_wrong, sign_in_locked, the password_* codes, person_only. */
    async changePassword(actor: Actor, asked: { currentPassword: string; newPassword: string }): Promise<void> {
      await withFreshPassword(actor, asked.currentPassword, async (sql, found, turn) => {
        rules.checkPassword(asked.newPassword, found.login, settings);
        const nowMs = clock.nowMs();
        await store.updatePassword(sql, found.loginId, await turn.hash(asked.newPassword), nowMs);
        const keep = actor.origin.through;
        await signInStore.endSignIns(sql, { loginId: found.loginId, keep }, { reason: 'new password', nowMs });
        await audit.append(sql, { actor, action: 'password.change', subject: `login:${found.loginId}` });
      });
    },

    /** Asks for the password afresh. Refuses: password_wrong, sign_in_locked, person_only. */
    checkFreshPassword: (actor: Actor, password: string): Promise<void> =>
      withFreshPassword(actor, password, () => Promise.resolve()),

    /**
     * The person's own word for a key or an address (D-23), bound to exactly what was shown, e.g. its fingerprint.
     * Refuses: password_wrong, sign_in_locked, person_only.
     */
    confirm: (actor: Actor, asked: { password: string; shown: string }): Promise<Confirmation> =>
      withFreshPassword(actor, asked.password, async (sql, { loginId }) => {
        const { shown } = asked;
        await audit.append(sql, { actor, action: 'confirmation.give', subject: `login:${loginId}`, detail: { shown } });
        return { loginId, shown, confirmedAtMs: clock.nowMs() };
      }),

    /** Who last reset a password of this client, in the words of `formatActor`: they hold, or held, the link to the new one. */
    passwordResetters: (sql: Sql, clientId: string): Promise<string[]> => store.listResetBy(sql, clientId),

    /** Where a client signed in from in the last 30 days, the newest first, at most 20; for "why was I refused". */
    lastSignInAddresses: (sql: Sql, clientId: string): Promise<string[]> =>
      signInStore.listAddresses(sql, { clientId, sinceMs: clock.nowMs() - 30 * dayMs, limit: 20 }),

    /** Who signed in from one of these addresses in the last 30 days; for "why was I refused". */
    listClientsSignedInFrom: (
      sql: Sql,
      addresses: readonly string[],
    ): Promise<{ clientId: string; address: string }[]> =>
      signInStore.listClientsOfAddresses(sql, { addresses, sinceMs: clock.nowMs() - 30 * dayMs, limit: 1000 }),

    /** Drops what says nothing any more: counters after two windows, sign-ins 400 days after their end. */
    async purge(sql: Sql): Promise<number> {
      const before = {
        countersMs: clock.nowMs() - 2 * settings.failureWindowMs,
        signInsMs: clock.nowMs() - 400 * dayMs,
      };
      for (let purged = 0; ; ) {
        const count = await signInStore.purge(sql, before, purgedAtOnce);
        purged += count;
        if (count < purgedAtOnce) return purged;
      }
    },
  };
}

function checkNotLocked(verdict: Verdict): void {
  if (verdict.sort === 'locked') throw refusals.sign_in_locked({ retryAfterSeconds: Math.ceil(verdict.forMs / 1000) });
}
