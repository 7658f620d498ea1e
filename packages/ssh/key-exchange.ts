// The key exchange methods, server half: from the client's value to ours, the shared secret and the keys made of it.
import {
  createDiffieHellmanGroup,
  createECDH,
  createHash,
  createPublicKey,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
} from 'node:crypto';
import type { KeyExchangeName } from './algorithms.ts';
import type { DeriveKey } from './ciphers.ts';
import { protocolFault } from './faults.ts';
import { formatMpint, formatString, type WireReader } from './wire.ts';

export interface KeyExchangeMethod {
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  /** Reads the client's value from its message 30 and answers. NOTE: ephemeral keys come from node:crypto. */
  respond(request: WireReader): KeyExchangeAnswer;
}

export interface KeyExchangeAnswer {
  /** Both values in wire form, as they stand in the messages and in the exchange hash. */
  readonly clientValue: Buffer;
  readonly serverValue: Buffer;
  /** The secret as it enters hash and key derivation: an mpint, with ML-KEM a string. */
  readonly secret: Buffer;
}

const refuse = (): Error => protocolFault('the key exchange value of the client is not valid');

/** Runs a step of node:crypto that throws on values off the curve or out of range. */
function attempt<Value>(work: () => Value): Value {
  try {
    return work();
  } catch {
    throw refuse();
  }
}

const x25519Bytes = 32;
const mlkemPublicBytes = 1184;

/** One X25519 exchange (RFC 7748 §6.1). Refuses: a value of small order, which gives all zeros (RFC 8731 §3). */
function exchangeX25519(clientValue: Buffer): { serverValue: Buffer; secret: Buffer } {
  const pair = generateKeyPairSync('x25519');
  const secret = attempt(() =>
    diffieHellman({
      privateKey: pair.privateKey,
      publicKey: createPublicKey({ key: clientValue, format: 'raw-public', asymmetricKeyType: 'x25519' }),
    }),
  );
  if (secret.every((byte) => byte === 0)) throw refuse();
  return { serverValue: pair.publicKey.export({ format: 'raw-public' }), secret };
}

/** RFC 8731 §3: the secret's bytes are read as a big-endian number. */
const curve25519: KeyExchangeMethod = {
  hash: 'sha256',
  respond(request) {
    const clientValue = request.string(x25519Bytes);
    request.end();
    if (clientValue.length !== x25519Bytes) throw refuse();
    const { serverValue, secret } = exchangeX25519(clientValue);
    return {
      clientValue: formatString(clientValue),
      serverValue: formatString(serverValue),
      secret: formatMpint(secret),
    };
  },
};

/** draft-ietf-sshm-mlkem-hybrid-kex §2: ML-KEM-768 and X25519 side by side, the secret a string. */
const mlkem768x25519: KeyExchangeMethod = {
  hash: 'sha256',
  respond(request) {
    const clientValue = request.string(mlkemPublicBytes + x25519Bytes);
    request.end();
    if (clientValue.length !== mlkemPublicBytes + x25519Bytes) throw refuse();
    // OpenSSL makes the modulus check of FIPS 203 §7.2 when it reads the key.
    const quantum = attempt(() =>
      encapsulate(
        createPublicKey({
          key: clientValue.subarray(0, mlkemPublicBytes),
          format: 'raw-public',
          asymmetricKeyType: 'ml-kem-768',
        }),
      ),
    );
    const classical = exchangeX25519(clientValue.subarray(mlkemPublicBytes));
    const secret = createHash('sha256').update(quantum.sharedKey).update(classical.secret).digest();
    return {
      clientValue: formatString(clientValue),
      serverValue: formatString(Buffer.concat([quantum.ciphertext, classical.serverValue])),
      secret: formatString(secret),
    };
  },
};

/** RFC 5656 §4. Refuses: compressed points, points off the curve. */
function createEcdhMethod(curve: string, pointBytes: number, hash: KeyExchangeMethod['hash']): KeyExchangeMethod {
  return {
    hash,
    respond(request) {
      const clientValue = request.string(pointBytes);
      request.end();
      if (clientValue.length !== pointBytes || clientValue[0] !== 4) throw refuse();
      const pair = createECDH(curve);
      const serverValue = pair.generateKeys();
      const secret = attempt(() => pair.computeSecret(clientValue));
      return {
        clientValue: formatString(clientValue),
        serverValue: formatString(serverValue),
        secret: formatMpint(secret),
      };
    },
  };
}

/** RFC 4253 §8 and RFC 8268. Refuses: values outside 2 … p-2. */
function createGroupMethod(group: 'modp14' | 'modp16', hash: KeyExchangeMethod['hash']): KeyExchangeMethod {
  return {
    hash,
    respond(request) {
      const pair = createDiffieHellmanGroup(group);
      const prime = pair.getPrime();
      const clientValue = request.mpint(prime.length);
      request.end();
      const value = toBigInt(clientValue);
      if (value < 2n || value > toBigInt(prime) - 2n) throw refuse();
      const serverValue = pair.generateKeys();
      const secret = attempt(() => pair.computeSecret(clientValue));
      return {
        clientValue: formatMpint(clientValue),
        serverValue: formatMpint(serverValue),
        secret: formatMpint(secret),
      };
    },
  };
}

const toBigInt = (bytes: Buffer): bigint => BigInt(`0x0${bytes.toString('hex')}`);

export const keyExchangeMethods: Record<KeyExchangeName, KeyExchangeMethod> = {
  'mlkem768x25519-sha256': mlkem768x25519,
  'curve25519-sha256': curve25519,
  'curve25519-sha256@libssh.org': curve25519,
  'ecdh-sha2-nistp256': createEcdhMethod('prime256v1', 65, 'sha256'),
  'ecdh-sha2-nistp384': createEcdhMethod('secp384r1', 97, 'sha384'),
  'ecdh-sha2-nistp521': createEcdhMethod('secp521r1', 133, 'sha512'),
  'diffie-hellman-group16-sha512': createGroupMethod('modp16', 'sha512'),
  'diffie-hellman-group14-sha256': createGroupMethod('modp14', 'sha256'),
};

/** What both sides must have seen alike for the exchange to count. */
export interface ExchangeTranscript {
  /** First lines without line ends. */
  readonly clientLine: Buffer;
  readonly serverLine: Buffer;
  /** KEXINIT payloads. */
  readonly clientOffer: Buffer;
  readonly serverOffer: Buffer;
  readonly hostKeyBlob: Buffer;
}

/** RFC 4253 §8, RFC 5656 §4: the exchange hash H, which the host key signs. */
export function hashExchange(
  method: KeyExchangeMethod,
  transcript: ExchangeTranscript,
  answer: KeyExchangeAnswer,
): Buffer {
  return createHash(method.hash)
    .update(formatString(transcript.clientLine))
    .update(formatString(transcript.serverLine))
    .update(formatString(transcript.clientOffer))
    .update(formatString(transcript.serverOffer))
    .update(formatString(transcript.hostKeyBlob))
    .update(answer.clientValue)
    .update(answer.serverValue)
    .update(answer.secret)
    .digest();
}

/** RFC 4253 §7.2: keys are hashes of secret, H, a letter and the session id, lengthened where they are too short. */
export function createDerivation(
  method: KeyExchangeMethod,
  secret: Buffer,
  exchangeHash: Buffer,
  sessionId: Buffer,
): DeriveKey {
  return (letter, sizeBytes) => {
    const start = createHash(method.hash).update(secret).update(exchangeHash);
    let material = start.copy().update(letter).update(sessionId).digest();
    while (material.length < sizeBytes) {
      material = Buffer.concat([material, start.copy().update(material).digest()]);
    }
    return material.subarray(0, sizeBytes);
  };
}
