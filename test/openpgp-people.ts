// Clients' OpenPGP keys made by the real GnuPG, as the broker sees them: certificate in, recipient out.
import { type GnupgHome, openGnupgHome } from '../packages/openpgp-writer/test/real-readers.ts';
import type { Certificate } from '../server/statements/issuing/sealing.ts';
import { readCertificate } from '../server/statements/keys/openpgp-certificate.ts';

export { openGnupgHome };

/** Makes a key pair in the home; the certificate is read as the server reads one that a client hands in. */
export async function makeCertificate(home: GnupgHome, name: string, nowMs: number): Promise<Certificate> {
  const fingerprint = home.generate([
    'Key-Type: EDDSA',
    'Key-Curve: ed25519',
    'Subkey-Type: ECDH',
    'Subkey-Curve: cv25519',
    `Name-Real: ${name}`,
    `Name-Email: ${name.toLowerCase()}@client.example`,
    'Expire-Date: 0',
  ]);
  const read = await readCertificate(home.gpg(['--export', fingerprint]), nowMs);
  return {
    certificateId: fingerprint,
    fingerprint: read.fingerprint,
    subkeyId: read.subkeyId,
    recipient: read.recipient,
  };
}
