// Writes the public-key encrypted session key packet: the message key, sealed to one recipient.
import {
  constants,
  createCipheriv,
  createECDH,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  publicEncrypt,
} from 'node:crypto';
import { formatInteger, formatPacket, formatUint16, tags } from './packets.ts';
import { type Cipher, ciphers, type EcdhCurve, type RecipientKey, type RecipientKeyMaterial } from './recipient-key.ts';

type EcdhMaterial = Extract<RecipientKeyMaterial, { kind: 'ecdh' }>;

/** Object identifiers, with their length. Source: RFC 9580 §9.2. */
export const curveIds: Readonly<Record<EcdhCurve, Buffer>> = {
  curve25519: Buffer.from('0a2b060104019755010501', 'hex'),
  p256: Buffer.from('082a8648ce3d030107', 'hex'),
  p384: Buffer.from('052b81040022', 'hex'),
  p521: Buffer.from('052b81040023', 'hex'),
};
const nistNames = { p256: 'prime256v1', p384: 'secp384r1', p521: 'secp521r1' } as const;

/** Source: RFC 9580 §9.5 and §9.3. */
export const kdfHashIds = { sha256: 8, sha384: 9, sha512: 10 } as const;
export const kdfCipherIds = { aes128: 7, aes192: 8, aes256: 9 } as const;
const wrapKeySizes = { aes128: 16, aes192: 24, aes256: 32 } as const;

/** Source: RFC 9580 §9.1. */
const algorithmIds = { rsa: 1, ecdh: 18, x25519: 25, x448: 26 } as const;

/**
 * Seals a session key to one recipient: version 3 for SEIPD version 1, version 6 for SEIPD version 2.
 * Refuses: an RSA key or point that OpenSSL does not accept (throws its error).
 * Source: RFC 9580 §5.1.1, §5.1.2; RFC 4880 §5.1.
 */
export function sealSessionKey(
  recipient: RecipientKey,
  cipher: Cipher,
  sessionKey: Uint8Array,
  version: 3 | 6,
): Buffer {
  const algorithm = Buffer.from([algorithmIds[recipient.key.kind]]);
  const fields = sealFields(recipient, cipher, sessionKey, version);
  if (version === 3) {
    const keyId = Buffer.from(recipient.keyId, 'hex');
    return formatPacket(tags.sessionKey, Buffer.concat([Buffer.from([3]), keyId, algorithm, fields]));
  }
  const fingerprint = Buffer.from(recipient.fingerprint, 'hex');
  const target = Buffer.from([6, fingerprint.length + 1, recipient.keyVersion]);
  return formatPacket(tags.sessionKey, Buffer.concat([target, fingerprint, algorithm, fields]));
}

function sealFields(recipient: RecipientKey, cipher: Cipher, sessionKey: Uint8Array, version: 3 | 6): Buffer {
  const key = recipient.key;
  switch (key.kind) {
    case 'rsa': {
      // RFC 9580 §5.1.3: the encoded key is padded as PKCS#1 v1.5 and written as one integer.
      const publicKey = createPublicKey({ key: { kty: 'RSA', n: key.n, e: key.e }, format: 'jwk' });
      const encoded = encodeSessionKey(cipher, sessionKey, version);
      return formatInteger(publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, encoded));
    }
    case 'ecdh':
      return sealEcdh(key, recipient.fingerprint, encodeSessionKey(cipher, sessionKey, version));
    default:
      return sealMontgomery(key.kind, key.point, cipher, sessionKey, version);
  }
}

/** Cipher (version 3 only), key, and the sum of the key's bytes. Source: RFC 9580 §5.1.1 and §5.1.2. */
function encodeSessionKey(cipher: Cipher, sessionKey: Uint8Array, version: 3 | 6): Buffer {
  let sum = 0;
  for (const byte of sessionKey) sum = (sum + byte) & 0xffff;
  const named = version === 3 ? Buffer.from([ciphers[cipher].id]) : Buffer.alloc(0);
  return Buffer.concat([named, sessionKey, formatUint16(sum)]);
}

function sealEcdh(key: EcdhMaterial, fingerprint: string, encoded: Buffer): Buffer {
  const { ephemeral, secret } = agree(key);
  // RFC 9580 §11.5 (RFC 6637 §7 and §8): one-step KDF over the parameters of the recipient's own key.
  const parameters = Buffer.concat([
    curveIds[key.curve],
    Buffer.from([algorithmIds.ecdh, 3, 1, kdfHashIds[key.kdfHash], kdfCipherIds[key.kdfCipher]]),
    Buffer.from('Anonymous Sender    ', 'latin1'),
    Buffer.from(fingerprint, 'hex'),
  ]);
  const digest = createHash(key.kdfHash)
    .update(Buffer.from([0, 0, 0, 1]))
    .update(secret)
    .update(parameters)
    .digest();
  // RFC 6637 §8: PKCS#5 padding to a multiple of eight octets, then AES key wrap.
  const padding = 8 - (encoded.length % 8);
  const padded = Buffer.concat([encoded, Buffer.alloc(padding, padding)]);
  const wrapped = wrapKey(digest.subarray(0, wrapKeySizes[key.kdfCipher]), padded);
  return Buffer.concat([formatInteger(ephemeral), Buffer.from([wrapped.length]), wrapped]);
}

/** An ephemeral point in its wire form, and the secret shared with the recipient. */
function agree(key: EcdhMaterial): { ephemeral: Buffer; secret: Buffer } {
  const point = Buffer.from(key.point, 'base64url');
  if (key.curve === 'curve25519') {
    const { ephemeral, secret } = agreeMontgomery('x25519', key.point);
    // RFC 9580 §11.2.1: the prefix 0x40 marks a native point.
    return { ephemeral: Buffer.concat([Buffer.from([0x40]), ephemeral]), secret };
  }
  // The x coordinate is the secret; OpenSSL refuses a point that is not on the curve.
  const exchange = createECDH(nistNames[key.curve]);
  const ephemeral = exchange.generateKeys();
  return { ephemeral, secret: exchange.computeSecret(point) };
}

function agreeMontgomery(kind: 'x25519' | 'x448', point: string): { ephemeral: Buffer; secret: Buffer } {
  const crv = kind === 'x25519' ? 'X25519' : 'X448';
  const recipient = createPublicKey({ key: { kty: 'OKP', crv, x: point }, format: 'jwk' });
  const { privateKey, publicKey } = kind === 'x25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('x448');
  const ephemeral = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
  // RFC 7748 §6.1: OpenSSL refuses a point of small order, whose secret would be all zeros.
  return { ephemeral, secret: diffieHellman({ privateKey, publicKey: recipient }) };
}

/** Source: RFC 9580 §5.1.6 and §5.1.7. */
function sealMontgomery(
  kind: 'x25519' | 'x448',
  point: string,
  cipher: Cipher,
  sessionKey: Uint8Array,
  version: 3 | 6,
): Buffer {
  const { ephemeral, secret } = agreeMontgomery(kind, point);
  const material = Buffer.concat([ephemeral, Buffer.from(point, 'base64url'), secret]);
  const [hash, info, sizeBytes] =
    kind === 'x25519' ? (['sha256', 'OpenPGP X25519', 16] as const) : (['sha512', 'OpenPGP X448', 32] as const);
  const wrapped = wrapKey(new Uint8Array(hkdfSync(hash, material, Buffer.alloc(0), info, sizeBytes)), sessionKey);
  // RFC 9580 §5.1.6: with version 3 the cipher stands in clear, counted in the length.
  const named = version === 3 ? Buffer.from([ciphers[cipher].id]) : Buffer.alloc(0);
  return Buffer.concat([ephemeral, Buffer.from([named.length + wrapped.length]), named, wrapped]);
}

/** AES key wrap with the default initial value. Source: RFC 3394 §2.2.1. */
function wrapKey(wrappingKey: Uint8Array, key: Uint8Array): Buffer {
  const wrap = createCipheriv(`id-aes${wrappingKey.length * 8}-wrap`, wrappingKey, Buffer.alloc(8, 0xa6));
  return Buffer.concat([wrap.update(key), wrap.final()]);
}
