// Clients' public keys in wire form, and whether a signature was made with one of them.
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type SignatureName, signatureNames } from './algorithms.ts';
import { ConnectionFault } from './faults.ts';
import type { AuthFault } from './ssh.ts';
import { createReader, type WireReader } from './wire.ts';

/** A key that a client may sign with, under one algorithm. */
export interface ClientKey {
  /** Shape of the signature: string algorithm, string signature, nothing after. */
  isSignedBy(signature: Buffer, data: Buffer): boolean;
}

const rsaBitsMin = 2048;
const rsaBitsMax = 16_384;

interface Curve {
  readonly jwk: string;
  readonly name: string;
  readonly coordinateBytes: number;
  readonly hash: string;
}

// RFC 5656 §6.2.1: each curve has its hash.
const curves: Partial<Record<SignatureName, Curve>> = {
  'ecdsa-sha2-nistp256': { jwk: 'P-256', name: 'nistp256', coordinateBytes: 32, hash: 'sha256' },
  'ecdsa-sha2-nistp384': { jwk: 'P-384', name: 'nistp384', coordinateBytes: 48, hash: 'sha384' },
  'ecdsa-sha2-nistp521': { jwk: 'P-521', name: 'nistp521', coordinateBytes: 66, hash: 'sha512' },
};

/** Reads a key for an algorithm, or says why it cannot serve. */
export function readClientKey(algorithm: string, blob: Buffer): ClientKey | AuthFault {
  if (!isSignatureName(algorithm)) return 'algorithm_not_offered';
  try {
    return readKnownKey(algorithm, createReader(blob));
  } catch (fault) {
    if (fault instanceof ConnectionFault) return 'key_malformed';
    throw fault;
  }
}

const isSignatureName = (name: string): name is SignatureName => (signatureNames as readonly string[]).includes(name);

function readKnownKey(algorithm: SignatureName, fields: WireReader): ClientKey | AuthFault {
  const type = fields.ascii(64);
  // RFC 8332 §3: an RSA key's own type stays ssh-rsa whatever hash signs.
  if (type !== (algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm)) return 'key_malformed';
  const curve = curves[algorithm];
  if (curve !== undefined) return readEcdsaKey(algorithm, curve, fields);
  return algorithm === 'ssh-ed25519' ? readEd25519Key(fields) : readRsaKey(algorithm, fields);
}

/** RFC 8709 §4 and §6. */
function readEd25519Key(fields: WireReader): ClientKey | AuthFault {
  const point = fields.string(32);
  fields.end();
  const key = importKey({ kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') });
  if (key === undefined) return 'key_malformed';
  return {
    isSignedBy(signature, data) {
      const raw = readSignature('ssh-ed25519', signature);
      return raw !== undefined && raw.length === 64 && verify(null, data, key, raw);
    },
  };
}

/** RFC 5656 §3.1. Refuses: compressed points; whether the point is on the curve is checked on import. */
function readEcdsaKey(algorithm: SignatureName, curve: Curve, fields: WireReader): ClientKey | AuthFault {
  const name = fields.ascii(64);
  const point = fields.string(1 + 2 * curve.coordinateBytes);
  fields.end();
  if (name !== curve.name || point.length !== 1 + 2 * curve.coordinateBytes || point[0] !== 4) return 'key_malformed';
  const x = point.subarray(1, 1 + curve.coordinateBytes).toString('base64url');
  const y = point.subarray(1 + curve.coordinateBytes).toString('base64url');
  const key = importKey({ kty: 'EC', crv: curve.jwk, x, y });
  if (key === undefined) return 'key_malformed';
  return {
    isSignedBy(signature, data) {
      const raw = readSignature(algorithm, signature);
      const joined = raw && readEcdsaPair(raw, curve.coordinateBytes);
      return joined !== undefined && verify(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' }, joined);
    },
  };
}

/** RFC 5656 §3.1.2: r and s as two mpints; here as two numbers of the curve's size. */
function readEcdsaPair(raw: Buffer, coordinateBytes: number): Buffer | undefined {
  return unlessFaulty(() => {
    const fields = createReader(raw);
    const pair = Buffer.alloc(2 * coordinateBytes);
    for (const endAt of [coordinateBytes, 2 * coordinateBytes]) {
      const number = fields.mpint(coordinateBytes);
      number.copy(pair, endAt - number.length);
    }
    fields.end();
    return pair;
  });
}

/** RFC 8332 §3. Refuses: under 2048 bits; exponents that are even, below 3 or over 64 bits, which cost CPU for nothing. */
function readRsaKey(algorithm: SignatureName, fields: WireReader): ClientKey | AuthFault {
  const exponent = fields.mpint(rsaBitsMax / 8);
  const modulus = fields.mpint(rsaBitsMax / 8);
  fields.end();
  if (exponent.length > 8 || exponent.length === 0 || (exponent.at(-1)! & 1) === 0) return 'key_malformed';
  if (exponent.length === 1 && exponent[0]! < 3) return 'key_malformed';
  if (modulus.length === 0 || (modulus.at(-1)! & 1) === 0) return 'key_malformed';
  if (modulus.length * 8 - Math.clz32(modulus[0]!) + 24 < rsaBitsMin) return 'key_too_small';
  const key = importKey({ kty: 'RSA', e: exponent.toString('base64url'), n: modulus.toString('base64url') });
  if (key === undefined) return 'key_malformed';
  const hash = algorithm === 'rsa-sha2-512' ? 'sha512' : 'sha256';
  return {
    isSignedBy(signature, data) {
      const raw = readSignature(algorithm, signature);
      if (raw === undefined || raw.length > modulus.length) return false;
      // Some clients drop leading zeros as if this were an mpint; OpenSSH takes that too.
      const padded = Buffer.concat([Buffer.alloc(modulus.length - raw.length), raw]);
      return verify(hash, data, key, padded);
    },
  };
}

function importKey(jwk: Record<string, string>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** The signature's bytes when it names that very algorithm (RFC 8332 §3.2: no other hash slips in). */
function readSignature(algorithm: SignatureName, signature: Buffer): Buffer | undefined {
  return unlessFaulty(() => {
    const fields = createReader(signature);
    const name = fields.ascii(64);
    const raw = fields.string();
    fields.end();
    return name === algorithm ? raw : undefined;
  });
}

function unlessFaulty<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (fault) {
    if (fault instanceof ConnectionFault) return undefined;
    throw fault;
  }
}
