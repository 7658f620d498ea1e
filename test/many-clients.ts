// Many clients of a running installation, each with a connection and encryption of its own: imported as a file, set up by
// the operations that clients and desks use, called in this process because every password over HTTPS would cost its turn.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Parts } from '../server/app.ts';
import { makeOpenPgpPair, makeSshPair } from '../server/demo/keys.ts';
import { type Actor, type ClientActor, consoleActor, type Origin } from '../server/kernel/actor.ts';
import { createSemaphore } from '../server/kernel/limits.ts';
import type { Person } from './broker.ts';
import type { Installation } from './installation.ts';

export interface ManyClient {
  readonly login: string;
  readonly accountNumber: string;
  readonly actor: ClientActor;
  /** For SFTP, issued by the desk. */
  readonly userName: string;
  /** Both without passphrase: OpenSSH format, and armoured. */
  readonly sshKey: string;
  readonly openPgpKey: string;
}

const origin: Origin = { face: 'https', address: '127.0.0.1' };
const atOnce = 8;

/** Adds `count` clients; from 127.0.0.1 they connect with their key, and statements are encrypted to their certificate. */
export async function addManyClients(
  installation: Installation,
  desk: Person,
  folder: string,
  count: number,
): Promise<ManyClient[]> {
  const logins = Array.from({ length: count }, (_, index) => `client-${index}`);
  const rows = logins.map((login, index) => `person,Client ${index},${login},U${7_000_000 + index}`);
  const file = path.join(folder, 'clients.csv');
  writeFileSync(file, ['kind,name,login,accounts', ...rows].join('\n'));
  const { status, output, stdout } = await installation.command('client', 'import', file);
  assert.equal(status, 0, output);
  const invitations = new Map(
    [...stdout.matchAll(/^\d+,([^,]+),([^,]+),/gm)].map(([, login, token]) => [login, token]),
  );
  await using parts = await installation.openParts();
  const approver = await parts.identity.findActor(desk.caller.token!, origin);
  assert.ok(approver);
  const lanes = createSemaphore({ permits: atOnce, waitingMax: count });
  const clientOf = (login: string, index: number): Promise<ManyClient> =>
    setUp(parts, approver, { login, accountNumber: `U${7_000_000 + index}`, invitation: invitations.get(login)! });
  return await Promise.all(logins.map((login, index) => lanes.run(() => clientOf(login, index))));
}

async function setUp(
  { identity, delivery, sql, clock }: Parts,
  desk: Actor,
  { login, accountNumber, invitation }: { login: string; accountNumber: string; invitation: string },
): Promise<ManyClient> {
  const password = `the long harbour wall, stone ${accountNumber}`;
  await identity.acceptInvitation({ token: invitation, password, origin });
  const { clientId } = (await identity.findClientByAccount(sql, accountNumber))!;
  const { logins } = await identity.getClient(consoleActor, clientId);
  const actor: ClientActor = { kind: 'client', clientId, loginId: logins[0]!.id, origin };
  await delivery.elect(actor, { channels: { sftp: true, portal: true, ftp: false, email: false }, contact: undefined });

  const handIn = async (key: string, addresses: readonly string[]): Promise<void> => {
    const submitted = await delivery.submit(actor, { channel: 'portal', key: Buffer.from(key), addresses });
    await delivery.confirm(actor, submitted.requestId, { shown: submitted.awaiting, password });
    await delivery.approve(desk, submitted.requestId);
  };
  const ssh = await makeSshPair(login);
  await handIn(ssh.publicKey, ['127.0.0.1']);
  const { userName } = await delivery.issueLogIn(desk, clientId);
  await delivery.markConfigured(desk, clientId);
  const openPgp = await makeOpenPgpPair({ name: login, email: `${login}@client.example` }, new Date(clock.nowMs()));
  await handIn(openPgp.publicKey, []);
  await delivery.enableEncryption(actor);
  return { login, accountNumber, actor, userName, sshKey: ssh.privateKey, openPgpKey: openPgp.privateKey };
}
