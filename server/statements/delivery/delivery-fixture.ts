// What tests of delivery start from: a database of their own, two clients, two people of the desk, and keys made on the spot.
import { createHash, generateKeyPairSync } from 'node:crypto';
import * as openpgp from 'openpgp';
import { openTestDatabase } from '../../../test/database.ts';
import { type ClientActor, consoleActor, type Desk, type OperatorActor } from '../../kernel/actor.ts';
import { createAudit } from '../../kernel/audit.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { createIds } from '../../kernel/ids.ts';
import { silentLog } from '../../kernel/log.ts';
import { systemRandom } from '../../kernel/random.ts';
import { createIdentity } from '../../identity/identity.ts';
import { createMessages } from '../../messages/messages.ts';
import { createDelivery, deliveryDefaults, type DeliverySettings } from './delivery.ts';
import type { RequestView } from './requests.ts';

export type Fixture = Awaited<ReturnType<typeof openDelivery>>;

export const password = 'a long enough phrase of words';

const sshString = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/** An Ed25519 public key as `ssh-keygen` writes it, with its fingerprint. */
export function makeSshKey(comment = 'client@example'): {
  line: string;
  bytes: Buffer;
  blob: Buffer;
  fingerprint: string;
} {
  const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const blob = Buffer.concat([sshString(Buffer.from('ssh-ed25519')), sshString(Buffer.from(x!, 'base64url'))]);
  const line = `ssh-ed25519 ${blob.toString('base64')} ${comment}\n`;
  const fingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
  return { line, bytes: Buffer.from(line), blob, fingerprint };
}

const secondsPerDay = 86_400;

/** An armoured OpenPGP certificate on Curve25519. */
export async function makeCertificate(made: {
  atMs: number;
  days?: number;
}): Promise<{ armored: string; bytes: Buffer }> {
  const { publicKey } = await openpgp.generateKey({
    userIDs: [{ name: 'Client', email: 'client@example.com' }],
    date: new Date(made.atMs - 86_400_000),
    ...(made.days === undefined ? {} : { keyExpirationTime: (made.days + 1) * secondsPerDay }),
  });
  return { armored: publicKey, bytes: Buffer.from(publicKey) };
}

/** Opens everything; dispose of it at the end of the test. */
export async function openDelivery(
  changed: Partial<DeliverySettings> = {},
  more: Pick<Parameters<typeof createDelivery>[0], 'inspectCertificate'> = {},
) {
  const test = await openTestDatabase();
  const { database } = test;
  const clock = createFakeClock();
  const random = systemRandom;
  const ids = createIds({ clock, random });
  const audit = createAudit({ clock });
  const argon2 = { memoryKibibytes: 64, passes: 1, lanes: 1 };
  const identity = createIdentity({ database, clock, random, ids, audit, argon2 });
  const messages = createMessages({ database, clock, ids });
  const settings: DeliverySettings = {
    ...deliveryDefaults,
    hostName: 'sftp.broker.example',
    port: () => 32,
    hostKeys: () => [{ algorithm: 'ssh-ed25519', fingerprint: 'SHA256:host', line: 'ssh-ed25519 AAAA' }],
    rejectedAfterMs: 0,
    ...changed,
  };
  const parts = { database, clock, random, ids, audit, identity, messages, settings, log: silentLog, ...more };
  const delivery = createDelivery(parts);

  async function addClient(login: string): Promise<ClientActor> {
    const { clientId, loginId, invitation } = await identity.addClient(consoleActor, {
      kind: 'person',
      name: login,
      login,
      email: `${login}@example.com`,
      accountNumbers: [`U-${login}`],
      locale: 'en',
    });
    const origin = { face: 'https', address: '198.51.100.9' } as const;
    await identity.acceptInvitation({ token: invitation.token, password, origin });
    return { kind: 'client', clientId, loginId, origin };
  }

  async function addOperator(login: string, desks: readonly Desk[] = ['delivery']): Promise<OperatorActor> {
    const { operatorId } = await identity.addOperator(consoleActor, { login, name: login, desks: [...desks] });
    return { kind: 'operator', operatorId, desks, origin: { face: 'https', address: '198.51.100.10' } };
  }

  const client = await addClient('ada');
  const desk = await addOperator('dora');

  async function confirm(view: RequestView, who: ClientActor = client): Promise<RequestView> {
    return await delivery.confirm(who, view.requestId, { shown: view.awaiting, password });
  }

  /** A configured connection with one key and one address. */
  async function setUp(who: ClientActor, key = makeSshKey(), addresses: string[] = ['203.0.113.7']) {
    await delivery.elect(who, { channels: { sftp: true, portal: true, ftp: false, email: false }, contact: undefined });
    const request = await delivery.submit(who, { channel: 'portal', key: key.bytes, addresses });
    await confirm(request, who);
    await delivery.approve(desk, request.requestId);
    const { userName } = await delivery.issueLogIn(desk, who.clientId);
    await delivery.markConfigured(desk, who.clientId);
    return { key, userName, requestId: request.requestId };
  }

  let connections = 0;
  const attempt = (userName: string, key: { blob: Buffer; fingerprint: string }, address = '203.0.113.7') => ({
    connectionId: `connection-${(connections += 1)}`,
    address,
    user: userName,
    method: 'publickey',
    key: { algorithm: 'ssh-ed25519', blob: key.blob, fingerprint: key.fingerprint },
    signed: true,
  });

  return {
    ...parts,
    delivery,
    client,
    desk,
    addClient,
    addOperator,
    confirm,
    setUp,
    attempt,
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
    },
  };
}
