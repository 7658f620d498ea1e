// The server's own keys: generated, read from and written in OpenSSH's private format, and used to sign.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { promisify } from 'node:util';
import { ConnectionFault } from './faults.ts';
import { createReader, formatMpint, formatString, formatUint32, type WireReader } from './wire.ts';

/** A key pair that identifies the server. */
export interface HostKey {
  readonly type: 'ssh-ed25519' | 'ssh-rsa';
  /** Signature algorithms it can serve, in our order: 'ssh-ed25519', or 'rsa-sha2-512' and 'rsa-sha2-256'. */
  readonly algorithms: readonly string[];
  /** Public key in wire form (RFC 4253 §6.6, RFC 8709 §4). */
  readonly blob: Buffer;
  /** `SHA256:…` as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  readonly comment: string;
  readonly privateKey: KeyObject;
}

/** A private key file that cannot be used; the message says why and holds nothing of the key. */
export class HostKeyFault extends Error {
  override readonly name = 'HostKeyFault';
}

const rsaBitsMin = 2048;
const rsaBitsMax = 16_384;
const pemTag = 'OPENSSH PRIVATE KEY';
const magic = Buffer.from('openssh-key-v1\0', 'latin1');

/** The SHA-256 fingerprint of a public key in wire form, unpadded base 64 as OpenSSH prints it. */
export const fingerprint = (blob: Buffer): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

/** One line for `known_hosts` (behind a host name) or `authorized_keys`. */
export function formatPublicKeyLine(key: { readonly blob: Buffer; readonly comment?: string }): string {
  const type = createReader(key.blob).ascii(64);
  return [type, key.blob.toString('base64'), key.comment].filter(Boolean).join(' ');
}

/** Makes a fresh key pair, RSA with 3072 bits; off the event loop, from node:crypto's own randomness. */
export async function generateHostKey(kind: 'ed25519' | 'rsa', comment = ''): Promise<HostKey> {
  const make = promisify(generateKeyPair);
  const pair = kind === 'rsa' ? await make('rsa', { modulusLength: 3072 }) : await make('ed25519', {});
  return describe(pair.privateKey, comment);
}

/**
 * Reads an unencrypted private key file as `ssh-keygen` writes it.
 * Refuses: passphrases, other key types, RSA under 2048 bits, a file that contradicts itself (HostKeyFault).
 * Source: OpenSSH PROTOCOL.key.
 */
export function parseHostKey(text: string): HostKey {
  const body = new RegExp(`-----BEGIN ${pemTag}-----([A-Za-z0-9+/=\\s]+)-----END ${pemTag}-----`).exec(text)?.[1];
  if (body === undefined) throw new HostKeyFault(`not a private key in OpenSSH format (no "BEGIN ${pemTag}")`);
  try {
    return readPrivateFormat(Buffer.from(body, 'base64'));
  } catch (fault) {
    if (fault instanceof ConnectionFault) throw new HostKeyFault('the private key file is damaged', { cause: fault });
    throw fault;
  }
}

function readPrivateFormat(bytes: Buffer): HostKey {
  if (!bytes.subarray(0, magic.length).equals(magic)) throw new HostKeyFault('not an openssh-key-v1 file');
  const outer = createReader(bytes, magic.length);
  const cipher = outer.string().toString('latin1');
  outer.string();
  outer.string();
  if (cipher !== 'none') throw new HostKeyFault('the private key has a passphrase: remove it with ssh-keygen -p -N ""');
  if (outer.uint32() !== 1) throw new HostKeyFault('the file holds more than one key');
  const publicBlob = outer.string();
  const inner = createReader(outer.string());
  outer.end();
  if (inner.uint32() !== inner.uint32()) throw new HostKeyFault('the private key file is damaged');
  const type = inner.string().toString('latin1');
  const privateKey = readPrivateFields(type, inner);
  const key = describe(privateKey, inner.string().toString('utf8'));
  if (!key.blob.equals(publicBlob)) throw new HostKeyFault('the public and the private half do not belong together');
  return key;
}

function readPrivateFields(type: string, fields: WireReader): KeyObject {
  if (type === 'ssh-ed25519') {
    const point = fields.string();
    const both = fields.string();
    if (point.length !== 32 || both.length !== 64) throw new HostKeyFault('the private key file is damaged');
    const seed = both.subarray(0, 32);
    return importJwk({ kty: 'OKP', crv: 'Ed25519', x: encode(point), d: encode(seed) });
  }
  if (type === 'ssh-rsa') {
    const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => fields.mpint(rsaBitsMax / 8));
    return importJwk({
      kty: 'RSA',
      n: encode(n!),
      e: encode(e!),
      d: encode(d!),
      p: encode(p!),
      q: encode(q!),
      dp: encode(reduce(d!, p!)),
      dq: encode(reduce(d!, q!)),
      qi: encode(qi!),
    });
  }
  throw new HostKeyFault(
    `keys of type ${JSON.stringify(type.slice(0, 64))} are not served: use ssh-ed25519 or ssh-rsa`,
  );
}

const encode = (bytes: Buffer): string => bytes.toString('base64url');

/** d mod (prime - 1), which the private format leaves out (RFC 8017 §3.2). */
function reduce(exponent: Buffer, prime: Buffer): Buffer {
  const modulus = toBigInt(prime) - 1n;
  if (modulus < 1n) throw new HostKeyFault('the private key file is damaged');
  const hex = (toBigInt(exponent) % modulus).toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

const toBigInt = (bytes: Buffer): bigint => BigInt(`0x0${bytes.toString('hex')}`);

function importJwk(jwk: Record<string, string>): KeyObject {
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' });
  } catch (fault) {
    throw new HostKeyFault('the private key file is damaged', { cause: fault });
  }
}

/** The private key file's text, without passphrase; keep it 0600. */
export function formatHostKey(key: HostKey): string {
  const jwk = key.privateKey.export({ format: 'jwk' });
  const part = (name: 'n' | 'e' | 'd' | 'p' | 'q' | 'qi' | 'x'): Buffer => Buffer.from(jwk[name] ?? '', 'base64url');
  const fields =
    key.type === 'ssh-ed25519'
      ? [formatString(part('x')), formatString(Buffer.concat([part('d'), part('x')]))]
      : (['n', 'e', 'd', 'qi', 'p', 'q'] as const).map((name) => formatMpint(part(name)));
  const check = randomBytes(4);
  const open = Buffer.concat([check, check, formatString(key.type), ...fields, formatString(key.comment)]);
  // PROTOCOL.key §3: padded with 1, 2, 3, … to the block size, which is 8 without a cipher.
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (open.length % 8)) % 8);
  const whole = Buffer.concat([
    magic,
    formatString('none'),
    formatString('none'),
    formatString(''),
    formatUint32(1),
    formatString(key.blob),
    formatString(Buffer.concat([open, padding])),
  ]);
  const lines = whole.toString('base64').replace(/.{1,70}/g, '$&\n');
  return `-----BEGIN ${pemTag}-----\n${lines}-----END ${pemTag}-----\n`;
}

function describe(privateKey: KeyObject, comment: string): HostKey {
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  const isRsa = privateKey.asymmetricKeyType === 'rsa';
  if (isRsa && (privateKey.asymmetricKeyDetails?.modulusLength ?? 0) < rsaBitsMin) {
    throw new HostKeyFault(`an RSA host key needs at least ${rsaBitsMin} bits`);
  }
  const type = isRsa ? 'ssh-rsa' : 'ssh-ed25519';
  const part = (name: 'n' | 'e' | 'x'): Buffer => Buffer.from(jwk[name] ?? '', 'base64url');
  const blob = isRsa
    ? Buffer.concat([formatString(type), formatMpint(part('e')), formatMpint(part('n'))])
    : Buffer.concat([formatString(type), formatString(part('x'))]);
  return {
    type,
    algorithms: isRsa ? ['rsa-sha2-512', 'rsa-sha2-256'] : ['ssh-ed25519'],
    blob,
    fingerprint: fingerprint(blob),
    comment,
    privateKey,
  };
}

/** Signs with one of the key's algorithms. Shape: string algorithm, string signature (RFC 8332 §3, RFC 8709 §6). */
export function signWith(key: HostKey, algorithm: string, data: Buffer): Buffer {
  const hash = key.type === 'ssh-ed25519' ? null : algorithm === 'rsa-sha2-256' ? 'sha256' : 'sha512';
  return Buffer.concat([formatString(algorithm), formatString(sign(hash, data, key.privateKey))]);
}
