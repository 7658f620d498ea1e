// A thousand certificates' keys as the server keeps them, and one real certificate for the programs beside us.
import { generateKeyPairSync, generatePrimeSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RecipientKey, RecipientKeyMaterial } from '@broadgate/openpgp-writer';
import { generateKey } from 'openpgp';

export type KeyKind = 'rsa' | 'curve25519';

export const kindNames: Readonly<Record<KeyKind, string>> = { rsa: 'RSA-2048', curve25519: 'Curve25519' };

/** Distinct moduli are products of pairs of a few primes: a thousand key generations would take a minute. */
function makeRsa(count: number): RecipientKeyMaterial[] {
  const primes: bigint[] = [];
  const made: RecipientKeyMaterial[] = [];
  while (made.length < count) {
    const prime = generatePrimeSync(1024, { bigint: true });
    for (const other of primes) {
      const n = Buffer.from((prime * other).toString(16).padStart(512, '0'), 'hex');
      made.push({ kind: 'rsa', n: n.toString('base64url'), e: 'AQAB' });
    }
    primes.push(prime);
  }
  return made.slice(0, count);
}

function makeCurve25519(): RecipientKeyMaterial {
  const point = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }).x!;
  return { kind: 'ecdh', curve: 'curve25519', point, kdfHash: 'sha256', kdfCipher: 'aes256' };
}

export function makeRecipients(kind: KeyKind, count: number): RecipientKey[] {
  const materials = kind === 'rsa' ? makeRsa(count) : Array.from({ length: count }, makeCurve25519);
  return materials.map((key) => {
    const fingerprint = randomBytes(20).toString('hex').toUpperCase();
    return { keyVersion: 4, fingerprint, keyId: fingerprint.slice(24), cipher: 'aes256', container: 'seipd1', key };
  });
}

/** Writes a certificate that GnuPG 2.2 and Sequoia read. Shape: its path. */
export async function writeCertificate(folder: string, kind: KeyKind): Promise<string> {
  const how =
    kind === 'rsa' ? ({ type: 'rsa', rsaBits: 2048 } as const) : ({ type: 'ecc', curve: 'curve25519Legacy' } as const);
  const userIDs = [{ name: 'Client', email: 'client@client.example' }];
  // An hour old, so that no program finds it to be of the future.
  const date = new Date(Date.now() - 3_600_000);
  const { publicKey } = await generateKey({ ...how, userIDs, date, format: 'object' });
  const file = path.join(folder, `${kind}.pgp`);
  writeFileSync(file, publicKey.write());
  return file;
}
