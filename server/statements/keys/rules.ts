// What a delivery key must be: the limits, the weaknesses looked for, and every reason for saying no.
import { dateInZone } from '../../kernel/clock.ts';
import { defineRefusals } from '../../kernel/refusal.ts';

export const keyLimits = {
  uploadBytesMax: 65536,
  rsaBitsMin: 2048,
  rsaBitsMax: 4096,
  userIdsMax: 50,
  subkeysMax: 100,
} as const;

export const refusals = defineRefusals({
  key_empty: { kind: 'invalid', text: 'Nothing was handed in. Choose the file of your public key, or paste its text.' },
  key_too_large: {
    kind: 'too_large',
    text: 'This is larger than a key can be ({limitBytes} bytes). Hand in one public key by itself.',
  },
  key_private: {
    kind: 'invalid',
    text:
      'This is a private key ({form}). A private key that has been sent is compromised: never use it again. Nothing of ' +
      'it was kept. Make a new key pair, keep the private half, and hand in the new public half.',
  },
  key_unreadable: {
    kind: 'invalid',
    text:
      'No public key could be read here. Hand in the file that your program calls public key, unchanged: an OpenSSH ' +
      'line, an SSH2 or PEM public key, or an OpenPGP public key block. If it was copied by hand, export it again.',
  },
  key_several: {
    kind: 'invalid',
    text: 'More than one key is in here. Hand in one key at a time, so that it is clear which one is meant.',
  },
  key_options: {
    kind: 'invalid',
    text: 'Options stand before the key. Hand in the line from the words "ssh-" or "ecdsa-" on; addresses are registered separately.',
  },
  key_weak: {
    kind: 'unsupported',
    text: 'The key ({algorithm}) is too weak. Make an RSA key of 2048 to 4096 bits, or an elliptic-curve key.',
  },
  key_too_long: {
    kind: 'unsupported',
    text: 'The key has {bits} bits, which slows every use of it. Make an RSA key of 2048 to 4096 bits.',
  },
  key_type_unsupported: {
    kind: 'unsupported',
    text: 'Keys of the type {algorithm} are not accepted. Make an RSA key of 2048 to 4096 bits, or an elliptic-curve key.',
  },
  key_curve_unsupported: {
    kind: 'unsupported',
    text: 'The curve {curve} is not supported. Make a key with Curve25519, a NIST curve, or RSA of 2048 to 4096 bits.',
  },
  key_hardware: {
    kind: 'unsupported',
    text: 'Keys bound to a security token ({algorithm}) are not accepted here. Make an ordinary Ed25519 or RSA key.',
  },
  key_certificate: {
    kind: 'unsupported',
    text: 'This is a certificate issued by an authority, not a public key. Hand in the public key file without "-cert".',
  },
  key_inconsistent: {
    kind: 'invalid',
    text: 'The parts of this key contradict each other ({fault}). It was damaged on its way: export the public key again.',
  },
  key_known_bad: {
    kind: 'unsupported',
    text: 'Keys like this one can be broken ({weakness}). Make a new key pair with an up-to-date program.',
  },
  key_expired: {
    kind: 'invalid',
    text: 'The key expired on {on}. Extend it in your program, or make a new one, and hand in the public key again.',
  },
  key_revoked: {
    kind: 'invalid',
    text: 'The key has been revoked by its owner. Make a new key pair and hand in its public key.',
  },
  key_not_yet_valid: {
    kind: 'invalid',
    text: 'The key says that it was made on {on}, which is still to come. Set the clock of your computer and make a new key.',
  },
  key_without_encryption: {
    kind: 'invalid',
    text:
      'The key can sign, and no part of it can encrypt. Add an encryption subkey in your program, or make a key for ' +
      'signing and encryption, and hand in the public key again.',
  },
  key_too_many_parts: {
    kind: 'too_large',
    text: 'The key carries more than {userIdsMax} user ids or {subkeysMax} subkeys. Export it without the old ones.',
  },
  key_too_slow: {
    kind: 'too_large',
    text: 'Checking the key took too long. Export it without the signatures of others ("export-minimal") and try again.',
  },
});

/** What is worth knowing about an accepted key. */
export const remarkTexts = {
  exponent_unusual: 'The public exponent is not 65537. The key works; most programs make it with 65537.',
  gnupg_22_cannot_read: 'This key is of version 6: GnuPG 2.2 and older programs cannot read it.',
  never_expires: 'The key does not expire. Replace it from time to time.',
} as const;
export type Remark = keyof typeof remarkTexts;

/** Facts of a certificate that decide whether it may be used now, without reading it again. */
export interface CertificateLife {
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs?: number | undefined;
}

/** Asked before every encryption: nothing is encrypted to a key that has ended. Units: ms since 1970. */
export function certificateState(life: CertificateLife, nowMs: number): 'usable' | 'expired' | 'revoked' {
  if (life.revokedAtMs !== undefined && life.revokedAtMs <= nowMs) return 'revoked';
  return life.expiresAtMs !== undefined && life.expiresAtMs <= nowMs ? 'expired' : 'usable';
}

/** The day as a refusal names it. */
export const formatDay = (atMs: number): string => dateInZone(atMs, 'UTC');

/**
 * Decides about an RSA public key, whatever it is for, and remarks on it.
 * Refuses: key_weak, key_too_long, key_inconsistent, key_known_bad.
 */
export function checkRsa(modulus: bigint, exponent: bigint): Remark[] {
  const bits = bitLength(modulus);
  if (bits < keyLimits.rsaBitsMin) throw refusals.key_weak({ algorithm: `RSA ${bits}` });
  if (bits > keyLimits.rsaBitsMax) throw refusals.key_too_long({ bits });
  if ((modulus & 1n) === 0n) throw refusals.key_inconsistent({ fault: 'the modulus is even' });
  if (exponent < 3n || (exponent & 1n) === 0n) throw refusals.key_inconsistent({ fault: 'the exponent is not odd' });
  // A long exponent makes every use of the key as slow as a private operation.
  if (bitLength(exponent) > 32)
    throw refusals.key_known_bad({ weakness: 'the public exponent is longer than 32 bits' });
  const weakness = findRsaWeakness(modulus);
  if (weakness) throw refusals.key_known_bad({ weakness });
  return exponent === 65537n ? [] : ['exponent_unusual'];
}

const bitLength = (value: bigint): number => value.toString(2).length;

function findRsaWeakness(modulus: bigint): string | undefined {
  if (smallPrimes.some((prime) => modulus % BigInt(prime) === 0n)) return 'the modulus has a small factor';
  if (looksLikeRoca(modulus)) return 'ROCA, CVE-2017-15361';
  return hasCloseFactors(modulus) ? 'both factors are close together, CVE-2022-26320' : undefined;
}

const smallPrimes = primesBelow(1000);

function primesBelow(limit: number): number[] {
  const primes: number[] = [];
  for (let candidate = 3; candidate < limit; candidate += 2)
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  return primes;
}

/** Keys of the faulty library are powers of 65537 modulo each small prime; others are by chance in 1 of 2^27. */
const rocaResidues = smallPrimes
  .filter((prime) => prime <= 167)
  .map((prime) => {
    const residues = new Set<number>();
    for (let power = 1; !residues.has(power); power = (power * (65537 % prime)) % prime) residues.add(power);
    return { prime: BigInt(prime), residues };
  });

/** Source: Nemec et al., "The Return of Coppersmith's Attack", 2017, §2.1. */
const looksLikeRoca = (modulus: bigint): boolean =>
  rocaResidues.every(({ prime, residues }) => residues.has(Number(modulus % prime)));

const fermatRounds = 100;

/** Fermat's method: factors that differ little are found in a few rounds. */
function hasCloseFactors(modulus: bigint): boolean {
  let middle = squareRoot(modulus) + 1n;
  for (let round = 0; round < fermatRounds; round++, middle++) {
    const rest = middle * middle - modulus;
    const root = squareRoot(rest);
    if (root * root === rest) return true;
  }
  return false;
}

/** The integer square root, by Newton's method from above. */
function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(bitLength(value) / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
