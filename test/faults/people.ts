// The people of a round: a desk, and clients who are set up, keep their keys, and know what they were promised.
import { makeOpenPgpPair } from '../../server/demo/keys.ts';
import { type ClientActor, consoleActor, type OperatorActor } from '../../server/kernel/actor.ts';
import { makeSshKey, password } from '../../server/statements/delivery/delivery-fixture.ts';
import type { RequestView } from '../../server/statements/delivery/requests.ts';
import { createTreeLedger, type Fetched, type TreeLedger } from './ledger.ts';
import type { FaultWorld, Life } from './world.ts';

type SshKey = ReturnType<typeof makeSshKey>;
type OpenPgpPair = Awaited<ReturnType<typeof makeOpenPgpPair>>;

export interface Client {
  readonly name: string;
  readonly clientId: string;
  readonly accountNumber: string;
  readonly actor: ClientActor;
  readonly userName: string;
  readonly files: TreeLedger;
  readonly fetched: Fetched[];
  /** Of these exactly one lets the client in. */
  sshKeys: SshKey[];
  readonly openPgpPairs: OpenPgpPair[];
  /** Uploads whose connection was lost: what was sent, and how much of it a `sync` acknowledged. */
  readonly unfinished: Map<
    string,
    { label: string; sizeBytes: number; sentBytes: number; syncedBytes: number; begunAtMs: number }
  >;
}

export interface Desk {
  readonly actor: OperatorActor;
}

const address = '203.0.113.7';
const origin = { face: 'https', address } as const;
/** Keys are older than the clock ever jumps ahead, so that none is of the future when it has jumped back. */
const pairAgeMs = 90 * 86_400_000;

export async function addDesk(life: Life, name: string): Promise<Desk> {
  const desks = ['delivery', 'operations'] as const;
  const { operatorId } = await life.identity.addOperator(consoleActor, {
    login: `ana-${name}`,
    name,
    desks: [...desks],
  });
  return { actor: { kind: 'operator', operatorId, desks, origin: { face: 'https', address: '192.0.2.10' } } };
}

/** A client with a configured connection; with encryption, every statement for it is encrypted. */
export async function addClient(
  world: FaultWorld,
  life: Life,
  desk: Desk,
  of: { name: string; isEncrypted: boolean },
): Promise<Client> {
  const accountNumber = `U-${of.name}`;
  const { clientId, loginId, invitation } = await life.identity.addClient(consoleActor, {
    kind: 'person',
    name: of.name,
    login: of.name,
    email: `${of.name}@client.example`,
    accountNumbers: [accountNumber],
    locale: 'en',
  });
  await life.identity.acceptInvitation({ token: invitation.token, password, origin });
  const actor: ClientActor = { kind: 'client', clientId, loginId, origin };
  const channels = { sftp: true, portal: true, ftp: false, email: false };
  await life.delivery.elect(actor, { channels, contact: undefined });
  const key = makeSshKey(of.name);
  await handIn(life, desk, actor, { key: key.bytes, addresses: [address] });
  const { userName } = await life.delivery.issueLogIn(desk.actor, clientId);
  await life.delivery.markConfigured(desk.actor, clientId);
  const client: Client = {
    name: of.name,
    clientId,
    accountNumber,
    actor,
    userName,
    files: createTreeLedger(),
    fetched: [],
    sshKeys: [key],
    openPgpPairs: [],
    unfinished: new Map(),
  };
  if (of.isEncrypted) {
    await replaceCertificate(world, life, desk, client);
    await life.delivery.enableEncryption(actor);
  }
  return client;
}

/** Hands something in, confirms it and has it approved: in force once this has resolved. */
async function handIn(
  life: Life,
  desk: Desk,
  actor: ClientActor,
  what: { key: Uint8Array; addresses?: readonly string[] },
): Promise<void> {
  const request: RequestView = await life.delivery.submit(actor, { channel: 'portal', ...what });
  await life.delivery.confirm(actor, request.requestId, { shown: request.awaiting, password });
  await life.delivery.approve(desk.actor, request.requestId);
}

/** The new key takes the place of the old one; while nobody knows whether it did, either may be the one in force. */
export async function replaceSshKey(life: Life, desk: Desk, client: Client): Promise<void> {
  const key = makeSshKey(client.name);
  client.sshKeys = [...client.sshKeys, key];
  await handIn(life, desk, client.actor, { key: key.bytes });
  client.sshKeys = [key];
}

export async function replaceCertificate(world: FaultWorld, life: Life, desk: Desk, client: Client): Promise<void> {
  const person = { name: client.name, email: `${client.name}@client.example` };
  const pair = await makeOpenPgpPair(person, new Date(world.clock.nowMs() - pairAgeMs));
  client.openPgpPairs.push(pair);
  await handIn(life, desk, client.actor, { key: Buffer.from(pair.publicKey) });
}

/** The keys of these that let the client in now. */
export async function findKeysLetIn(world: FaultWorld, life: Life, client: Client): Promise<SshKey[]> {
  const letIn: SshKey[] = [];
  for (const key of client.sshKeys) {
    const { verdict } = await life.delivery.authenticate({
      connectionId: world.ids.next(),
      address,
      user: client.userName,
      method: 'publickey',
      key: { algorithm: 'ssh-ed25519', blob: key.blob, fingerprint: key.fingerprint },
      signed: true,
    });
    if (verdict === 'accept') letIn.push(key);
  }
  return letIn;
}

/** The client as it comes by SFTP, on a connection of its own. */
export const onConnection = (client: Client, through: string): ClientActor => ({
  kind: 'client',
  clientId: client.clientId,
  origin: { face: 'sftp', address, through },
});
