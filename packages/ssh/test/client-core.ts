// The client's half of SSH for tests: right keys and packets, so that what a test then does wrong is all that is wrong.
// It carries nothing itself: adversary.ts wires it to a connection in memory, test/adversary/ to a socket.
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
import { createDerivation, hashExchange, keyExchangeMethods } from '../key-exchange.ts';
import { createPacketInput } from '../packet-input.ts';
import { createPacketOutput } from '../packet-output.ts';
import {
  createReader,
  formatBoolean,
  formatByte,
  formatMpint,
  formatNameList,
  formatString,
  formatUint32,
} from '../wire.ts';

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

/** Our first value of an exchange, until the server has answered it. */
interface BegunExchange {
  readonly clientOffer: Buffer;
  readonly clientValue: Buffer;
  readonly privateKey: KeyObject;
}

export function createClientCore(parts: {
  random(sizeBytes: number): Buffer;
  /** Takes bytes to the server. */
  carry(bytes: Buffer): void;
  /** A packet came. Answers false where it need not be kept in `received`. */
  heard?(payload: Buffer): boolean;
}) {
  const input = createPacketInput();
  const output = createPacketOutput((sizeBytes) => parts.random(sizeBytes));
  const received: Buffer[] = [];
  const clientLine = Buffer.from('SSH-2.0-Adversary_1');
  let serverLine: Buffer | undefined;
  let serverOffer: Buffer = Buffer.alloc(0);
  let sessionId: Buffer = Buffer.alloc(0);
  let hostKeyBlob: Buffer = Buffer.alloc(0);
  let isStrict = false;
  // From the server's NEWKEYS until we have derived ours, what comes cannot be read yet.
  let isDeaf = false;

  function listen(): void {
    serverLine ??= input.takeLine(255);
    if (serverLine === undefined) return;
    while (!isDeaf) {
      const payload = input.takePacket(300_000);
      if (payload === undefined) return;
      const kept = Buffer.from(payload);
      if (kept[0] === 20) serverOffer = kept;
      if (kept[0] === 21) isDeaf = true;
      if (parts.heard?.(kept) !== false) received.push(kept);
    }
  }

  const core = {
    received,
    get sessionId() {
      return sessionId;
    },
    get serverOffer() {
      return serverOffer;
    },
    get serverLine() {
      return serverLine?.toString('latin1') ?? '';
    },
    /** Of the exchange finished last, whose signature was right. */
    get hostKeyBlob() {
      return hostKeyBlob;
    },
    /** Bytes from the server, in any cuts. */
    hear(bytes: Buffer): void {
      input.push(bytes);
      listen();
    },
    raw(bytes: Buffer | string): void {
      parts.carry(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    },
    /** Sends one packet under the present keys. */
    send(...pieces: Buffer[]): void {
      output.pushPacket(...pieces);
      parts.carry(Buffer.concat(output.take()));
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
    offer: (changes: OfferChanges = {}): Buffer => formatClientOffer(parts.random(16), changes),
    /** Sends our value for curve25519, after our KEXINIT. */
    beginExchange(clientOffer: Buffer): BegunExchange {
      const { publicKey, privateKey } = generateKeyPairSync('x25519');
      const clientValue = formatString(publicKey.export({ format: 'raw-public' }));
      core.send(formatByte(30), clientValue);
      return { clientOffer, clientValue, privateKey };
    },
    /** From the server's answer to new keys on both sides; `between` runs before our NEWKEYS goes out. */
    completeExchange(begun: BegunExchange, reply: Buffer, between: () => void = () => undefined): void {
      const { clientOffer, clientValue, privateKey } = begun;
      const method = keyExchangeMethods['curve25519-sha256'];
      const reader = createReader(reply, 1);
      hostKeyBlob = reader.string();
      const point = reader.string();
      const signature = reader.string();
      const publicKey = createPublicKey({ key: point, format: 'raw-public', asymmetricKeyType: 'x25519' });
      const secret = formatMpint(diffieHellman({ privateKey, publicKey }));
      const answer = { clientValue, serverValue: formatString(point), secret };
      const lines = { clientLine, serverLine: serverLine! };
      const exchangeHash = hashExchange(method, { ...lines, clientOffer, serverOffer, hostKeyBlob }, answer);
      checkHostSignature(hostKeyBlob, signature, exchangeHash);
      const isFirst = sessionId.length === 0;
      if (isFirst) {
        sessionId = exchangeHash;
        isStrict = parseOffer(clientOffer).keyExchanges.includes('kex-strict-c-v00@openssh.com');
      }
      const derive = mirror(createDerivation(method, secret, exchangeHash, sessionId));
      between();
      core.send(formatByte(21));
      output.setSealer(createSealer('aes128-gcm@openssh.com', 'implicit', derive));
      input.setOpener(createOpener('aes128-gcm@openssh.com', 'implicit', derive));
      if (isStrict) {
        output.resetSequence();
        input.resetSequence();
      }
      isDeaf = false;
      listen();
    },
    openChannel(peerId = 0, windowBytes = 1 << 21, packetBytes = 32_768, type = 'session'): void {
      core.send(
        formatByte(90),
        formatString(type),
        formatUint32(peerId),
        formatUint32(windowBytes),
        formatUint32(packetBytes),
      );
    },
    request(channel: number, type: string, rest: Buffer = Buffer.alloc(0), wantsReply = true): void {
      core.send(formatByte(98), formatUint32(channel), formatString(type), formatBoolean(wantsReply), rest);
    },
    data(channel: number, bytes: Buffer): void {
      core.send(formatByte(94), formatUint32(channel), formatString(bytes));
    },
  };
  return core;
}

/** The other side of the same keys: what the server calls in, the client calls out. */
function mirror(derive: DeriveKey): DeriveKey {
  const other = { A: 'B', B: 'A', C: 'D', D: 'C', E: 'F', F: 'E' } as const;
  return (letter, sizeBytes) => derive(other[letter], sizeBytes);
}

/** Throws unless the key of that blob made the signature. Shape: Ed25519, or RSA with SHA-2 (RFC 8332 §3). */
export function checkHostSignature(blob: Buffer, signature: Buffer, data: Buffer): void {
  const key = createReader(blob);
  const signed = createReader(signature);
  const type = key.ascii(64);
  const algorithm = signed.ascii(64);
  const raw = signed.string();
  const isGood =
    type === 'ssh-ed25519'
      ? verify(
          null,
          data,
          createPublicKey({ key: key.string(), format: 'raw-public', asymmetricKeyType: 'ed25519' }),
          raw,
        )
      : verify(algorithm === 'rsa-sha2-512' ? 'sha512' : 'sha256', data, readRsaKey(key), raw);
  if (!isGood) throw new Error(`the ${algorithm} signature of the host key is wrong`);
}

function readRsaKey(reader: ReturnType<typeof createReader>): KeyObject {
  const [e, n] = [reader.mpint(2048), reader.mpint(2048)].map((bytes) => bytes.toString('base64url'));
  return createPublicKey({ key: { kty: 'RSA', e: e!, n: n! }, format: 'jwk' });
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
