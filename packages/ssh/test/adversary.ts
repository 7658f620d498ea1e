// A client that sends whatever packets a test wants, wired straight to the connection under test: no socket, no clock.
import { generateHostKey, type HostKey } from '../host-keys.ts';
import {
  type AuthAttempt,
  type Channel,
  createServerConnection,
  type EndReason,
  type ServerConnection,
  type ServerOptions,
  type Verdict,
} from '../ssh.ts';
import { formatByte, formatString } from '../wire.ts';
import { createClientCore, createNoise, createTestKey, formatSignIn, type OfferChanges } from './client-core.ts';
import { acceptKeys, serve } from './echo-server.ts';

export {
  createNoise,
  createTestKey,
  formatQuery,
  formatSignIn,
  looseOffer,
  type OfferChanges,
  strictOffer,
} from './client-core.ts';

export interface PairOptions extends Partial<Omit<ServerOptions, 'nowMs' | 'random'>> {
  readonly authenticate?: (attempt: AuthAttempt) => Verdict | Promise<Verdict>;
  readonly subsystem?: (channel: Channel, name: string) => boolean;
  /** Answers of `send`; default true. */
  readonly takes?: () => boolean;
}

const hostKeys = [await generateHostKey('ed25519'), await generateHostKey('rsa')];
export const testHostKeys: readonly HostKey[] = hostKeys;

export type Pair = ReturnType<typeof openPair>;

export function openPair(options: PairOptions = {}) {
  const { authenticate = acceptKeys, subsystem = serve, takes = () => true, ...rest } = options;
  const noise = createNoise('pair');
  let atMs = 0;
  const attempts: AuthAttempt[] = [];
  const ends: EndReason[] = [];
  let sentBytes = 0;
  const core = createClientCore({ random: noise, carry: (bytes) => connection.receive(bytes) });
  const connection: ServerConnection = createServerConnection(
    { hostKeys, software: 'Test_1', random: noise, nowMs: () => atMs, ...rest },
    {
      send(bytes) {
        sentBytes += bytes.length;
        core.hear(bytes);
        return takes();
      },
      authenticate: async (attempt) => {
        attempts.push(attempt);
        return authenticate(attempt);
      },
      subsystem,
      ended: (reason) => ends.push(reason),
    },
  );

  const client = {
    ...core,
    connection,
    attempts,
    ends,
    get endReason(): EndReason | undefined {
      return ends[0];
    },
    get sentBytes() {
      return sentBytes;
    },
    get sessionId() {
      return core.sessionId;
    },
    get serverOffer() {
      return core.serverOffer;
    },
    advance(byMs: number): void {
      atMs += byMs;
      connection.tick();
    },
    identify(line = 'SSH-2.0-Adversary_1'): void {
      connection.start();
      client.raw(`${line}\r\n`);
    },
    /** From KEXINIT to NEWKEYS on both sides with curve25519; `between` runs before our NEWKEYS goes out. */
    exchangeKeys(changes: OfferChanges = {}, between: () => void = () => undefined): void {
      const clientOffer = client.offer(changes);
      client.send(clientOffer);
      client.finishExchange(clientOffer, between);
    },
    finishExchange(clientOffer: Buffer, between: () => void = () => undefined): void {
      const before = core.received.length;
      const begun = core.beginExchange(clientOffer);
      const reply = core.received.slice(before).find((payload) => payload[0] === 31);
      if (reply !== undefined) core.completeExchange(begun, reply, between);
    },
    handshake(changes: OfferChanges = {}): void {
      client.identify();
      client.exchangeKeys(changes);
    },
    async signIn(user = 'u'): Promise<void> {
      const key = createTestKey();
      client.send(formatByte(5), formatString('ssh-userauth'));
      client.send(formatSignIn({ user, key, sessionId: core.sessionId }));
      await settle();
    },
    async ready(): Promise<void> {
      client.handshake();
      await client.signIn();
      client.forget();
    },
    /** Everything the server sent as data of the channel with that peer id. */
    dataOf: (peerId: number): Buffer =>
      Buffer.concat(
        core.received
          .filter((payload) => payload[0] === 94 && payload.readUInt32BE(1) === peerId)
          .map((payload) => payload.subarray(9)),
      ),
  };
  return client;
}

/** The detail of the end, where the peer broke the protocol. */
export const detailOf = (pair: Pair): string | undefined =>
  pair.endReason?.kind === 'protocol_fault' ? pair.endReason.detail : undefined;

/** Lets promises and deferred work of the connection finish. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
