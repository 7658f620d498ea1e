// `operator …` and `client …`: the people of an installation, from its own machine, as the console.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createIdentityOf } from '../foundations.ts';
import { callerFolder, type Settings } from '../config.ts';
import type { Client, Identity, Invitation } from '../identity/identity.ts';
import { consoleActor, type Desk, desks } from '../kernel/actor.ts';
import { formatInstant } from '../kernel/clock.ts';
import { migrate } from '../kernel/migrate.ts';
import { openDatabase } from '../kernel/sql.ts';
import { attachInstallation } from './installation.ts';
import { Misuse } from './misuse.ts';
import { refusals } from './rules.ts';

/** Runs work on the people of the installation, whether a server runs beside it or not. */
async function withIdentity<Result>(
  settings: Settings,
  work: (identity: Identity) => Promise<Result>,
): Promise<Result> {
  await using installation = await attachInstallation(settings);
  const database = openDatabase({ url: installation.databaseUrl, connectionsMax: 4 });
  try {
    await migrate(database);
    return await work(createIdentityOf(settings, database));
  } finally {
    await database.close();
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function printInvitation(login: string, { token, expiresAtMs }: Invitation): void {
  print(`Invitation for ${login}, valid until ${formatInstant(expiresAtMs)}, once:`);
  print('');
  print(`  ${token}`);
  print('');
  print('Hand it over by a way you trust. It is used with: npm run -s broadgate -- accept, which asks for it.');
}

export interface OperatorAddition {
  readonly login: string;
  readonly name: string;
  readonly desks: readonly string[];
}

const isDesk = (word: string): word is Desk => (desks as readonly string[]).includes(word);

export const addOperator = (settings: Settings, asked: OperatorAddition): Promise<number> =>
  withIdentity(settings, async (identity) => {
    const chosen = asked.desks.filter(isDesk);
    if (chosen.length !== asked.desks.length) throw new Misuse(`The desks are: ${desks.join(', ')}.`);
    const { invitation } = await identity.addOperator(consoleActor, { ...asked, desks: chosen });
    printInvitation(asked.login, invitation);
    return 0;
  });

export const listOperators = (settings: Settings): Promise<number> =>
  withIdentity(settings, async (identity) => {
    for await (const one of pages((page) => identity.listOperators(consoleActor, page))) {
      const setUp = one.isSetUp ? '' : '  no password yet';
      print(`${one.login.padEnd(20)}${one.desks.join(', ').padEnd(28)}${one.name}${setUp}`);
    }
    return 0;
  });

export interface ClientAddition {
  readonly login: string;
  readonly name: string;
  readonly accounts: readonly string[];
  readonly email: string | undefined;
  readonly locale: string | undefined;
  readonly kind: 'person' | 'institution';
}

export const addClient = (settings: Settings, asked: ClientAddition): Promise<number> =>
  withIdentity(settings, async (identity) => {
    const { login, name, kind, email, locale } = asked;
    const { invitation } = await identity.addClient(consoleActor, {
      login,
      name,
      kind,
      accountNumbers: [...asked.accounts],
      ...(email === undefined ? {} : { email }),
      ...(locale === undefined ? {} : { locale }),
    });
    printInvitation(login, invitation);
    return 0;
  });

/** All clients of the file or none; the invitations go to standard output as CSV. */
export const importClients = (settings: Settings, file: string): Promise<number> =>
  withIdentity(settings, async (identity) => {
    const csv = await readFile(resolve(callerFolder(), file), 'utf8');
    const { clients } = await identity.importClients(consoleActor, csv);
    print('row,login,invitation,valid_until');
    for (const { row, login, invitation } of clients) {
      print(`${row},${login},${invitation.token},${formatInstant(invitation.expiresAtMs)}`);
    }
    process.stderr.write(
      `${clients.length} clients were added. Each invitation opens an account: keep the list safe.\n`,
    );
    return 0;
  });

export const listClients = (settings: Settings): Promise<number> =>
  withIdentity(settings, async (identity) => {
    for await (const one of pages((page) => identity.listClients(consoleActor, page))) {
      const logins = one.logins.map(({ login }) => login).join(', ');
      print(`${one.accountNumbers.join(', ').padEnd(16)}${logins.padEnd(20)}${one.state.padEnd(11)}${one.name}`);
    }
    return 0;
  });

export type ClientChange = 'suspendClient' | 'resumeClient' | 'closeClient';

const done: Readonly<Record<ClientChange, string>> = {
  suspendClient: 'is suspended; sign-ins and connections have ended',
  resumeClient: 'may come in again',
  closeClient: 'is closed; nothing of it was deleted',
};

/** `who` is a login or an account number. */
export const changeClient = (settings: Settings, change: ClientChange, who: string, reason: string): Promise<number> =>
  withIdentity(settings, async (identity) => {
    const client = await findClient(identity, who);
    await identity[change](consoleActor, client.clientId, reason);
    print(`${client.name} ${done[change]}.`);
    return 0;
  });

export const resetPassword = (settings: Settings, login: string): Promise<number> =>
  withIdentity(settings, async (identity) => {
    const client = await findClient(identity, login);
    const found = client.logins.find((one) => one.login === login.toLowerCase());
    if (!found) throw new Misuse('A password belongs to a login; name the login, not the account.');
    const { invitation } = await identity.resetPassword(consoleActor, found.id);
    printInvitation(found.login, invitation);
    return 0;
  });

async function findClient(identity: Identity, who: string): Promise<Client> {
  for await (const client of pages((page) => identity.listClients(consoleActor, { ...page, search: who }))) {
    const isIt = client.accountNumbers.includes(who) || client.logins.some(({ login }) => login === who.toLowerCase());
    if (isIt) return client;
  }
  throw refusals.nobody_found({ who });
}

async function* pages<Item>(
  list: (page: { limit: number; after?: string | undefined }) => Promise<{ items: Item[]; next: string | undefined }>,
): AsyncGenerator<Item> {
  let after: string | undefined;
  do {
    const { items, next } = await list({ limit: 200, after });
    yield* items;
    after = next;
  } while (after !== undefined);
}
