// The recipient's encryption key as cached facts: plain JSON, so that a row of a table or a worker can hold it.

export type Cipher = 'aes256' | 'aes128';
/** `seipd1` is read by everyone; `seipd2-…` only by keys that announce it. */
export type Container = 'seipd1' | 'seipd2-gcm' | 'seipd2-ocb';
export type EcdhCurve = 'curve25519' | 'p256' | 'p384' | 'p521';
export type KdfHash = 'sha256' | 'sha384' | 'sha512';
export type KdfCipher = 'aes128' | 'aes192' | 'aes256';

export type RecipientKeyMaterial =
  | { readonly kind: 'rsa'; readonly n: string; readonly e: string }
  | {
      readonly kind: 'ecdh';
      readonly curve: EcdhCurve;
      readonly point: string;
      readonly kdfHash: KdfHash;
      readonly kdfCipher: KdfCipher;
    }
  | { readonly kind: 'x25519' | 'x448'; readonly point: string };

/**
 * Shape: `fingerprint` and `keyId` are of the very key or subkey that decrypts, hex, upper case; `n`, `e`, `point` are
 * base64url without padding. A Curve25519 point is 32 bytes (without the 0x40 mark), a NIST point 0x04 || x || y.
 */
export interface RecipientKey {
  readonly keyVersion: 4 | 6;
  readonly fingerprint: string;
  readonly keyId: string;
  readonly cipher: Cipher;
  readonly container: Container;
  readonly key: RecipientKeyMaterial;
}

/** Facts that the cipher fixes. Source: RFC 9580 §9.3. */
export const ciphers = {
  aes128: { id: 7, keySizeBytes: 16 },
  aes256: { id: 9, keySizeBytes: 32 },
} as const;

/** The strongest cipher that every recipient reads. */
export const commonCipher = (recipients: readonly RecipientKey[]): Cipher =>
  recipients.every((recipient) => recipient.cipher === 'aes256') ? 'aes256' : 'aes128';

/** The container that every recipient reads; SEIPD version 2 only when all announce it. */
export function commonContainer(recipients: readonly RecipientKey[]): Container {
  const wanted = new Set(recipients.map((recipient) => recipient.container));
  if (wanted.has('seipd1')) return 'seipd1';
  // RFC 9580 §9.6: OCB is the mode that everyone who reads version 2 must have.
  return wanted.has('seipd2-ocb') ? 'seipd2-ocb' : 'seipd2-gcm';
}
