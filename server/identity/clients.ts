// Clients with their accounts and people: added, imported, suspended, resumed and closed by the desk.
import type { Actor } from '../kernel/actor.ts';
import { randomToken } from '../kernel/random.ts';
import type { Sql } from '../kernel/sql.ts';
import { checkImportFaults, findImportFaults, type ImportRow, parseImport } from './client-import.ts';
import { addNames, type Invitation, type IdentityParts, invite } from './parts.ts';
import * as rules from './rules.ts';
import { refusals } from './rules.ts';
import * as signInStore from './sign-in-store.ts';
import * as store from './store.ts';

/** A client as the desk and the client itself see it. */
export interface Client {
  readonly clientId: string;
  readonly kind: 'person' | 'institution';
  readonly name: string;
  readonly email: string | undefined;
  readonly locale: string;
  readonly state: store.ClientState;
  readonly stateReason: string | undefined;
  readonly accountNumbers: readonly string[];
  readonly logins: readonly { readonly id: string; readonly login: string; readonly isSetUp: boolean }[];
  readonly createdAtMs: number;
}

export interface AddedClient {
  readonly clientId: string;
  readonly loginId: string;
  readonly invitation: Invitation;
}

export interface PageQuery {
  readonly limit: number;
  readonly after?: string | undefined;
}

const pageSizeMax = 200;
const insertedAtOnce = 1000;

async function checkRows(sql: Sql, rows: readonly ImportRow[]): Promise<void> {
  const taken = await store.listTaken(sql, {
    logins: rows.map(({ client }) => rules.normalLogin(client.login)),
    accountNumbers: rows.flatMap(({ client }) => [...client.accountNumbers]),
  });
  checkImportFaults(findImportFaults(rows, taken));
}

export function createClients(parts: IdentityParts) {
  const { database, clock, ids, audit } = parts;

  async function insertAll(sql: Sql, actor: Actor, asked: readonly rules.NewClient[]): Promise<AddedClient[]> {
    const nowMs = clock.nowMs();
    const expiresAtMs = nowMs + parts.settings.invitationLifeMs;
    const added = asked.map((client) => {
      const token = randomToken(parts.random);
      const row: store.ClientToInsert = {
        clientId: ids.next(),
        kind: client.kind,
        name: client.name.trim(),
        email: client.email ?? null,
        locale: client.locale ?? 'en',
        loginId: ids.next(),
        login: rules.normalLogin(client.login),
        tokenHash: rules.hashToken(token),
        accounts: client.accountNumbers.map((number) => ({ accountId: ids.next(), number })),
      };
      return { row, invitation: { token, expiresAtMs } };
    });
    // In portions, so that a file of thousands is neither one huge value nor thousands of round trips.
    for (let at = 0; at < added.length; at += insertedAtOnce) {
      const portion = added.slice(at, at + insertedAtOnce).map(({ row }) => row);
      await store.insertClients(sql, portion, { nowMs, expiresAtMs });
    }
    for (const { row } of added) {
      const detail = { kind: row.kind, login: row.login, accountNumbers: row.accounts.map(({ number }) => number) };
      await audit.append(sql, { actor, action: 'client.add', subject: `client:${row.clientId}`, detail });
    }
    return added.map(({ row: { clientId, loginId }, invitation }) => ({ clientId, loginId, invitation }));
  }

  async function changeState(
    actor: Actor,
    clientId: string,
    change: { state: store.ClientState; reason: string; action: string },
  ): Promise<void> {
    rules.checkClientDesk(actor);
    rules.checkReason(change.reason);
    await database.transaction(async (sql) => {
      const nowMs = clock.nowMs();
      const client = await store.findClientForChange(sql, clientId);
      if (!client) throw refusals.client_not_found();
      // A desk that asks twice, or two desks at once, mean the same; the first reason stands.
      if (client.state === change.state) return;
      if (client.state === 'closed') throw refusals.client_closed();
      const { state, reason, action } = change;
      await store.updateClientState(sql, clientId, { state, reason, nowMs });
      // In this transaction: whoever was let in before the commit is ended by it, and nobody is let in after it.
      if (state !== 'active') {
        await signInStore.endSignIns(sql, { clientId }, { reason: state, nowMs });
        await store.notifyClientEnded(sql, clientId);
      }
      await audit.append(sql, { actor, action, subject: `client:${clientId}`, detail: { reason } });
    });
  }

  return {
    /** Adds a client with one login. Refuses: desk_only, login_taken, account_taken, the *_malformed codes. */
    async addClient(actor: Actor, asked: rules.NewClient): Promise<AddedClient> {
      rules.checkClientDesk(actor);
      rules.checkNewClient(asked);
      const names = { login: rules.normalLogin(asked.login), accountNumber: asked.accountNumbers.join(', ') };
      return addNames(parts, names, async (sql) => {
        // Asked first for the sake of a plain answer; the database's own constraints decide.
        const taken = await store.listTaken(sql, { logins: [names.login], accountNumbers: asked.accountNumbers });
        if (taken.logins.size > 0) throw refusals.login_taken({ login: names.login });
        for (const accountNumber of taken.accountNumbers) throw refusals.account_taken({ accountNumber });
        return (await insertAll(sql, actor, [asked]))[0]!;
      });
    },

    /** Checks a file of new clients and writes nothing. Refuses: desk_only, import_malformed, import_rejected, import_too_large. */
    async checkImport(actor: Actor, csv: string): Promise<{ rows: number }> {
      rules.checkClientDesk(actor);
      const rows = parseImport(csv);
      await checkRows(database.sql, rows);
      return { rows: rows.length };
    },

    /** Adds every client of a file or none. Refuses: as checkImport. */
    async importClients(
      actor: Actor,
      csv: string,
    ): Promise<{ clients: { row: number; clientId: string; login: string; invitation: Invitation }[] }> {
      rules.checkClientDesk(actor);
      const rows = parseImport(csv);
      return addNames(parts, {}, async (sql) => {
        await checkRows(sql, rows);
        const added = await insertAll(
          sql,
          actor,
          rows.map(({ client }) => client),
        );
        const clients = rows.map(({ row, client }, index) => {
          const { clientId, invitation } = added[index]!;
          return { row, clientId, login: rules.normalLogin(client.login), invitation };
        });
        return { clients };
      });
    },

    /** Adds another person of the client. Refuses: desk_only, client_not_found, client_closed, login_taken, login_malformed. */
    async addLogin(
      actor: Actor,
      clientId: string,
      asked: { login: string },
    ): Promise<{ loginId: string; invitation: Invitation }> {
      rules.checkClientDesk(actor);
      rules.checkLogin(asked.login);
      const login = rules.normalLogin(asked.login);
      return addNames(parts, { login }, async (sql) => {
        const client = await store.findClientForChange(sql, clientId);
        if (!client) throw refusals.client_not_found();
        if (client.state === 'closed') throw refusals.client_closed();
        const loginId = ids.next();
        await store.insertLogin(sql, { loginId, login, clientId, nowMs: clock.nowMs() });
        const invitation = await invite(sql, parts, loginId);
        await audit.append(sql, { actor, action: 'login.add', subject: `client:${clientId}`, detail: { login } });
        return { loginId, invitation };
      });
    },

    /** Ends the access of one person of a client. Refuses: desk_only, login_not_found. */
    async endLogin(actor: Actor, loginId: string): Promise<void> {
      rules.checkClientDesk(actor);
      await database.transaction(async (sql) => {
        const nowMs = clock.nowMs();
        const found = await store.findLogin(sql, { loginId });
        if (!found || found.clientId === null) throw refusals.login_not_found();
        await store.endLogin(sql, loginId, nowMs);
        await store.deleteInvitationOf(sql, loginId);
        await signInStore.endSignIns(sql, { loginId }, { reason: 'login ended', nowMs });
        const detail = { login: found.login };
        await audit.append(sql, { actor, action: 'login.end', subject: `client:${found.clientId}`, detail });
      });
    },

    /** Adds an account to a client. Refuses: desk_only, client_not_found, client_closed, account_taken, account_malformed. */
    async addAccount(actor: Actor, clientId: string, accountNumber: string): Promise<{ accountId: string }> {
      rules.checkClientDesk(actor);
      rules.checkAccountNumbers([accountNumber]);
      return addNames(parts, { accountNumber }, async (sql) => {
        const client = await store.findClientForChange(sql, clientId);
        if (!client) throw refusals.client_not_found();
        if (client.state === 'closed') throw refusals.client_closed();
        const accountId = ids.next();
        await store.insertAccount(sql, { accountId, clientId, number: accountNumber, nowMs: clock.nowMs() });
        await audit.append(sql, {
          actor,
          action: 'account.add',
          subject: `client:${clientId}`,
          detail: { accountNumber },
        });
        return { accountId };
      });
    },

    /** Ends sign-ins and connections now and lets none in. Refuses: desk_only, client_not_found, client_closed, reason_missing. */
    suspendClient: (actor: Actor, clientId: string, reason: string): Promise<void> =>
      changeState(actor, clientId, { state: 'suspended', reason, action: 'client.suspend' }),

    /** Lets a suspended client in again. Refuses: as suspendClient. */
    resumeClient: (actor: Actor, clientId: string, reason: string): Promise<void> =>
      changeState(actor, clientId, { state: 'active', reason, action: 'client.resume' }),

    /** Ends a client for good; its records stay. Refuses: as suspendClient. */
    closeClient: (actor: Actor, clientId: string, reason: string): Promise<void> =>
      changeState(actor, clientId, { state: 'closed', reason, action: 'client.close' }),

    /** Refuses: client_not_found, also for somebody else's. */
    async getClient(actor: Actor, clientId: string): Promise<Client> {
      if (!rules.mayReadClient(actor, clientId)) throw refusals.client_not_found();
      const [row] = await store.listClients(database.sql, { clientId, limit: 1 });
      if (!row) throw refusals.client_not_found();
      return describe(row, actor);
    },

    /** One page in the order of adding. Shape: `next` is the `after` of the page that follows. Refuses: desk_only. */
    async listClients(
      actor: Actor,
      query: PageQuery & { state?: store.ClientState | undefined; search?: string | undefined },
    ): Promise<{ items: Client[]; next: string | undefined }> {
      rules.checkClientDesk(actor);
      const { state, search, after } = query;
      const limit = Math.min(query.limit, pageSizeMax);
      const rows = await store.listClients(database.sql, {
        limit: limit + 1,
        ...(after === undefined ? {} : { after }),
        ...(state === undefined ? {} : { state }),
        ...(search === undefined ? {} : { search }),
      });
      const items = rows.slice(0, limit).map((row) => describe(row, actor));
      return { items, next: rows.length > limit ? items.at(-1)!.clientId : undefined };
    },

    /** Who holds an account; for other domains, which ask before they act. */
    findClientByAccount: store.findAccount,
    findClientsByAccounts: store.findAccounts,
    listAccounts: store.listAccounts,

    async getClientState(sql: Sql, clientId: string): Promise<store.ClientState | undefined> {
      return (await store.findClient(sql, clientId))?.state;
    },

    /** How to reach a client and in which language; for other domains. */
    async getContact(
      sql: Sql,
      clientId: string,
    ): Promise<Pick<Client, 'clientId' | 'kind' | 'name' | 'email' | 'locale' | 'state'> | undefined> {
      const row = await store.findClient(sql, clientId);
      return row && { ...row, email: row.email ?? undefined };
    },
  };
}

// The reason of a suspension is the desk's; the client is told that it is suspended, not why.
const describe = (row: store.ClientRow, reader: Actor): Client => ({
  ...row,
  email: row.email ?? undefined,
  stateReason: reader.kind === 'client' ? undefined : (row.stateReason ?? undefined),
});
