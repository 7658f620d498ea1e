// What the matrix stands on: one installation, and lanes in which clients take their turn, each with a repository of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { addOperator, type Caller } from '../broker.ts';
import { openTempFolder, type Ran, run } from '../clients.ts';
import { type Installation, openInstallation } from '../installation.ts';
import { makeKeyPair } from '../key-pairs.ts';
import { openRepositoryClient, type RepositoryClient } from '../repository-client.ts';
import type { Account, Choice, ClientProgram, Command, Step } from './client-program.ts';
import { openRelay, type Relay } from './relay.ts';

/** One line of the server's own record of connections. */
export interface ConnectionRecord {
  readonly id: string;
  readonly clientSoftware: string | null;
  readonly kex: string;
  readonly hostKeyAlgorithm: string;
  readonly cipher: string;
  readonly mac: string;
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
  readonly endedAt: string | null;
}

/** A repository, the relay before it, and two key pairs: the registered one, and a stranger's. */
export interface Lane extends AsyncDisposable {
  readonly repository: RepositoryClient;
  readonly relay: Relay;
  readonly account: Account;
  readonly stranger: Account;
  /** The client's machine. */
  readonly folder: string;
  /** The latest of them, latest first. */
  connections(): Promise<ConnectionRecord[]>;
  refusals(): Promise<{ reason: string; count: number; lastAt: string; detail: Record<string, string> }[]>;
}

export interface Ground extends AsyncDisposable {
  openLane(number: number): Promise<Lane>;
}

export async function openGround(): Promise<Ground> {
  const temp = openTempFolder('clients-');
  const installation = await openInstallation({
    env: { BROADGATE_PRIVATE_ADDRESSES: 'on', BROADGATE_QUOTA: '20 GiB' },
  });
  const desk = (await addOperator(installation, 'ana', ['delivery'])).caller;
  return {
    openLane: (number) => openLane(installation, desk, path.join(temp.folder, `lane-${number}`), number),
    async [Symbol.asyncDispose]() {
      await installation[Symbol.asyncDispose]();
      temp[Symbol.dispose]();
    },
  };
}

async function openLane(installation: Installation, desk: Caller, folder: string, number: number): Promise<Lane> {
  mkdirSync(folder, { recursive: true });
  const repository = await openRepositoryClient(
    { installation, desk, folder },
    `lane-${number}`,
    `U${5_000_000 + number}`,
  );
  const relay = await openRelay(installation.sftpPort);
  const { user } = repository.target;
  const { caller } = repository.client;
  const { hostKeys } = await caller.get<{ hostKeys: { fingerprint: string }[] }>('/v1/delivery/instructions');
  const at = { port: relay.port, user, hostKeyFingerprints: hostKeys.map((one) => one.fingerprint) };
  const firstPage = async <Item>(of: string): Promise<Item[]> =>
    (await caller.get<{ items: Item[] }>(`/v1/delivery/${of}`)).items;
  return {
    repository,
    relay,
    folder,
    account: await openAccount(folder, at, repository.pair.keyFile),
    stranger: await openAccount(folder, at, (await makeKeyPair(folder, `stranger-${number}`)).keyFile),
    connections: () => firstPage('connections'),
    refusals: () => firstPage('refusals'),
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}

/** The account of a key: its other formats, and a home for programs beside it. Shape: `keyFile` has its .ppk beside it. */
export async function openAccount(
  folder: string,
  at: Pick<Account, 'port' | 'user' | 'hostKeyFingerprints'>,
  keyFile: string,
): Promise<Account> {
  const home = path.join(folder, `${path.basename(keyFile)}-home`);
  mkdirSync(home);
  const dropbearFile = `${keyFile}.dropbear`;
  const made = await run('dropbearconvert', ['openssh', 'dropbear', keyFile, dropbearFile]);
  assert.equal(made.status, 0, made.stderr);
  return { ...at, keyFile, ppkFile: `${keyFile}.ppk`, dropbearFile, home };
}

export interface How {
  readonly choice?: Choice;
  readonly timeoutMs?: number;
}

/** Takes the steps as one process or as several. Shape: the last process that ran, which is the first that failed. */
export async function take(
  client: ClientProgram,
  account: Account,
  steps: readonly Step[],
  { choice = {}, timeoutMs = 60_000 }: How = {},
): Promise<Ran> {
  let ran: Ran | undefined;
  for (const some of client.takesManySteps ? [steps] : steps.map((step) => [step])) {
    const { program, args, input, env, cleanUp } = client.command(account, some, choice);
    ran = await run(program, args, { ...(input !== undefined && { input }), env: { ...env }, timeoutMs });
    if (ran.status === -1 && cleanUp !== undefined) await run(cleanUp[0]!, cleanUp.slice(1));
    if (ran.status !== 0) return ran;
  }
  return ran!;
}

/** Fails with what the program said. */
export async function takeWell(
  client: ClientProgram,
  account: Account,
  steps: readonly Step[],
  how: How = {},
): Promise<Ran> {
  const ran = await take(client, account, steps, how);
  const what = `${client.id} ${JSON.stringify(how.choice ?? {})} ${steps.map((step) => step.verb).join(', ')}`;
  assert.equal(ran.status, 0, `${what} ended with ${ran.status} after ${ran.lastedMs} ms:\n${ran.stderr}${ran.stdout}`);
  return ran;
}

/** Starts one step that is not left to end. Shape: `kill` ends the program with everything that it started. */
export function start(client: ClientProgram, account: Account, step: Step) {
  const { program, args, input, env, cleanUp }: Command = client.command(account, [step], {});
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  });
  const said: Buffer[] = [];
  child.stderr.on('data', (bytes: Buffer) => said.push(bytes));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  return {
    /** What it printed, where it has ended already. */
    get endedEarly(): string | undefined {
      return child.exitCode === null ? undefined : `${client.id} ended with ${child.exitCode}: ${Buffer.concat(said)}`;
    },
    async kill(): Promise<void> {
      if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL');
      await ended;
      if (cleanUp !== undefined) await run(cleanUp[0]!, cleanUp.slice(1));
    },
  };
}
