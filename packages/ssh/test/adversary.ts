// A client that sends whatever packets a test wants, wired straight to the connection under test: no socket, no clock.
import {
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { parseOffer } from '../algorithms.ts';
import { createOpener, createSealer, type DeriveKey } from '../ciphers.ts';
import { generateHostKey, type HostKey } from '../host-keys.ts';
import { createDerivation, hashExchange, keyExchangeMethods } from '../key-exchange.ts';
import { createPacketInput } from '../packet-input.ts';
import { createPacketOutput } from '../packet-output.ts';
import {
  type AuthAttempt,
  type Channel,
  createServerConnection,
  type EndReason,
  type ServerConnection,
  type ServerOptions,
  type Verdict,
} from '../ssh.ts';
import {
  createReader,
  formatBoolean,
  formatByte,
  formatMpint,
  formatNameList,
  formatString,
  formatUint32,
} from '../wire.ts';
import { acceptKeys, serve } from './echo-server.ts';

export interface PairOptions extends Partial<Omit<ServerOptions, 'nowMs' | 'random'>> {
  readonly authenticate?: (attempt: AuthAttempt) => Verdict | Promise<Verdict>;
  readonly subsystem?: (channel: Channel, name: string) => boolean;
  /** Answers of `send`; default true. */
  readonly takes?: () => boolean;
}

const hostKeys = [await generateHostKey('ed25519'), await generateHostKey('rsa')];
export const testHostKeys: readonly HostKey[] = hostKeys;

/** A stream of bytes that looks random and repeats with its seed. */
export function createNoise(seed: string): (sizeBytes: number) => Buffer {
  let block = createHash('sha256').update(seed).digest();
  return (sizeBytes) => {
    const pieces: Buffer[] = [];
    for (let have = 0; have < sizeBytes; have += block.length) {
      block = createHash('sha256').update(block).digest();
      pieces.push(block);
    }
    return Buffer.concat(pieces).subarray(0, sizeBytes);
  };
}

export type Pair = ReturnType<typeof openPair>;

export function openPair(options: PairOptions = {}) {
  const { authenticate = acceptKeys, subsystem = serve, takes = () => true, ...rest } = options;
  const noise = createNoise('pair');
  let atMs = 0;
  const attempts: AuthAttempt[] = [];
  const ends: EndReason[] = [];
  const input = createPacketInput();
  const output = createPacketOutput(noise);
  const received: Buffer[] = [];
  let serverLine: Buffer | undefined;
  let serverOffer: Buffer = Buffer.alloc(0);
  let sessionId: Buffer = Buffer.alloc(0);
  let isDeaf = false;
  let sentBytes = 0;
  const connection: ServerConnection = createServerConnection(
    { hostKeys, software: 'Test_1', random: noise, nowMs: () => atMs, ...rest },
    {
      send(bytes) {
        sentBytes += bytes.length;
        input.push(bytes);
        if (!isDeaf) listen();
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

  /** Reads packets as far as our keys go; NEWKEYS stops it until the test has derived the next ones. */
  function listen(): void {
    serverLine ??= input.takeLine(255);
    for (;;) {
      const payload = input.takePacket(300_000);
      if (payload === undefined) return;
      received.push(Buffer.from(payload));
      if (payload[0] === 20) serverOffer = Buffer.from(payload);
      if (payload[0] === 21) {
        isDeaf = true;
        return;
      }
    }
  }

  const client = {
    connection,
    attempts,
    ends,
    received,
    get endReason(): EndReason | undefined {
      return ends[0];
    },
    get sentBytes() {
      return sentBytes;
    },
    get sessionId() {
      return sessionId;
    },
    get serverOffer() {
      return serverOffer;
    },
    advance(byMs: number): void {
      atMs += byMs;
      connection.tick();
    },
    raw(bytes: Buffer | string): void {
      connection.receive(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    },
    /** Sends one packet under the present keys. */
    send(...pieces: Buffer[]): void {
      output.pushPacket(...pieces);
      connection.receive(Buffer.concat(output.take()));
    },
    /** The wire bytes of packets, not sent. */
    seal(...payloads: Buffer[]): Buffer {
      for (const payload of payloads) output.pushPacket(payload);
      return Buffer.concat(output.take());
    },
    /** First message of that number since the last `forget`. */
    find: (number: number): Buffer | undefined => received.find((payload) => payload[0] === number),
    forget(): void {
      received.length = 0;
    },
    identify(line = 'SSH-2.0-Adversary_1'): void {
      connection.start();
      client.raw(`${line}\r\n`);
    },
    offer(changes: OfferChanges = {}): Buffer {
      return formatClientOffer(noise(16), changes);
    },
    /** From KEXINIT to NEWKEYS on both sides with curve25519; `between` runs before our NEWKEYS goes out. */
    exchangeKeys(changes: OfferChanges = {}, between: () => void = () => undefined): void {
      const clientOffer = client.offer(changes);
      client.send(clientOffer);
      client.finishExchange(clientOffer, between);
    },
    finishExchange(clientOffer: Buffer, between: () => void = () => undefined): void {
      const method = keyExchangeMethods['curve25519-sha256'];
      const pair = generateKeyPairSync('x25519');
      const clientValue = formatString(pair.publicKey.export({ format: 'raw-public' }));
      const before = received.length;
      client.send(formatByte(30), clientValue);
      const reply = received.slice(before).find((payload) => payload[0] === 31);
      if (reply === undefined) return;
      const reader = createReader(reply, 1);
      const hostKeyBlob = reader.string();
      const point = reader.string();
      const signature = reader.string();
      const publicKey = createPublicKey({ key: point, format: 'raw-public', asymmetricKeyType: 'x25519' });
      const secret = formatMpint(diffieHellman({ privateKey: pair.privateKey, publicKey }));
      const answer = { clientValue, serverValue: formatString(point), secret };
      const lines = { clientLine: Buffer.from('SSH-2.0-Adversary_1'), serverLine: serverLine! };
      const exchangeHash = hashExchange(method, { ...lines, clientOffer, serverOffer, hostKeyBlob }, answer);
      checkHostSignature(hostKeyBlob, signature, exchangeHash);
      const isFirst = sessionId.length === 0;
      if (isFirst) sessionId = exchangeHash;
      const derive = mirror(createDerivation(method, secret, exchangeHash, sessionId));
      const isStrict = parseOffer(clientOffer).keyExchanges.includes('kex-strict-c-v00@openssh.com');
      between();
      client.send(formatByte(21));
      output.setSealer(createSealer('aes128-gcm@openssh.com', 'implicit', derive));
      input.setOpener(createOpener('aes128-gcm@openssh.com', 'implicit', derive));
      if (isStrict || client.wasStrict) {
        client.wasStrict = true;
        output.resetSequence();
        input.resetSequence();
      }
      isDeaf = false;
      listen();
    },
    wasStrict: false,
    handshake(changes: OfferChanges = {}): void {
      client.identify();
      client.exchangeKeys(changes);
    },
    async signIn(user = 'u'): Promise<void> {
      const key = createTestKey();
      client.send(formatByte(5), formatString('ssh-userauth'));
      client.send(formatSignIn({ user, key, sessionId }));
      await settle();
    },
    async ready(): Promise<void> {
      client.handshake();
      await client.signIn();
      client.forget();
    },
    openChannel(peerId = 0, windowBytes = 1 << 21, packetBytes = 32_768, type = 'session'): void {
      client.send(
        formatByte(90),
        formatString(type),
        formatUint32(peerId),
        formatUint32(windowBytes),
        formatUint32(packetBytes),
      );
    },
    request(channel: number, type: string, rest: Buffer = Buffer.alloc(0), wantsReply = true): void {
      client.send(formatByte(98), formatUint32(channel), formatString(type), formatBoolean(wantsReply), rest);
    },
    data(channel: number, bytes: Buffer): void {
      client.send(formatByte(94), formatUint32(channel), formatString(bytes));
    },
    /** Everything the server sent as data of the channel with that peer id. */
    dataOf: (peerId: number): Buffer =>
      Buffer.concat(
        received
          .filter((payload) => payload[0] === 94 && payload.readUInt32BE(1) === peerId)
          .map((payload) => payload.subarray(9)),
      ),
  };
  return client;
}

/** The other side of the same keys: what the server calls in, the client calls out. */
function mirror(derive: DeriveKey): DeriveKey {
  const other = { A: 'B', B: 'A', C: 'D', D: 'C', E: 'F', F: 'E' } as const;
  return (letter, sizeBytes) => derive(other[letter], sizeBytes);
}

function checkHostSignature(blob: Buffer, signature: Buffer, data: Buffer): void {
  const point = createReader(blob, 4 + 'ssh-ed25519'.length).string();
  const key = createPublicKey({ key: point, format: 'raw-public', asymmetricKeyType: 'ed25519' });
  const raw = createReader(signature, 4 + 'ssh-ed25519'.length).string();
  if (!verify(null, data, key, raw)) throw new Error('the host key signature is wrong');
}

export interface OfferChanges {
  readonly keyExchanges?: readonly string[];
  readonly hostKeys?: readonly string[];
  readonly ciphers?: readonly string[];
  readonly macs?: readonly string[];
  readonly compressions?: readonly string[];
  readonly isGuessing?: boolean;
}

export const strictOffer = ['curve25519-sha256', 'ext-info-c', 'kex-strict-c-v00@openssh.com'];
export const looseOffer = ['curve25519-sha256', 'ext-info-c'];

function formatClientOffer(cookie: Buffer, changes: OfferChanges): Buffer {
  const ciphers = formatNameList(changes.ciphers ?? ['aes128-gcm@openssh.com']);
  const macs = formatNameList(changes.macs ?? ['hmac-sha2-256']);
  const compressions = formatNameList(changes.compressions ?? ['none']);
  return Buffer.concat([
    formatByte(20),
    cookie,
    formatNameList(changes.keyExchanges ?? strictOffer),
    formatNameList(changes.hostKeys ?? ['ssh-ed25519']),
    ciphers,
    ciphers,
    macs,
    macs,
    compressions,
    compressions,
    formatNameList([]),
    formatNameList([]),
    formatBoolean(changes.isGuessing ?? false),
    formatUint32(0),
  ]);
}

export interface TestKey {
  readonly algorithm: string;
  readonly blob: Buffer;
  readonly privateKey: KeyObject;
}

export function createTestKey(): TestKey {
  const pair = generateKeyPairSync('ed25519');
  const blob = Buffer.concat([
    formatString('ssh-ed25519'),
    formatString(pair.publicKey.export({ format: 'raw-public' })),
  ]);
  return { algorithm: 'ssh-ed25519', blob, privateKey: pair.privateKey };
}

/** A signed publickey request; a test changes the session id or the signature to make it false. */
export function formatSignIn(parts: {
  readonly user: string | Buffer;
  readonly key: TestKey;
  readonly sessionId: Buffer;
  readonly service?: string;
}): Buffer {
  const request = Buffer.concat([
    formatByte(50),
    formatString(parts.user),
    formatString(parts.service ?? 'ssh-connection'),
    formatString('publickey'),
    formatBoolean(true),
    formatString(parts.key.algorithm),
    formatString(parts.key.blob),
  ]);
  const raw = sign(null, Buffer.concat([formatString(parts.sessionId), request]), parts.key.privateKey);
  return Buffer.concat([request, formatString(Buffer.concat([formatString(parts.key.algorithm), formatString(raw)]))]);
}

export function formatQuery(user: string, key: { readonly algorithm: string; readonly blob: Buffer }): Buffer {
  return Buffer.concat([
    formatByte(50),
    formatString(user),
    formatString('ssh-connection'),
    formatString('publickey'),
    formatBoolean(false),
    formatString(key.algorithm),
    formatString(key.blob),
  ]);
}

/** The detail of the end, where the peer broke the protocol. */
export const detailOf = (pair: Pair): string | undefined =>
  pair.endReason?.kind === 'protocol_fault' ? pair.endReason.detail : undefined;

/** Lets promises and deferred work of the connection finish. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
