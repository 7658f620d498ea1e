// A client's own computer as far as OpenPGP goes: a GnuPG home with a pair, the broker's key, and two programs that open files.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type GnupgHome, openGnupgHome, openWithSequoia } from '../packages/openpgp-writer/test/real-readers.ts';
import { type ClientPerson, createCaller } from './broker.ts';
import type { Installation } from './installation.ts';

/** Key lines of GnuPG's batch language, as its front ends fill them in. */
export const profiles = {
  curve25519: ['Key-Type: EDDSA', 'Key-Curve: ed25519', 'Subkey-Type: ECDH', 'Subkey-Curve: cv25519'],
  rsa3072: ['Key-Type: RSA', 'Key-Length: 3072', 'Subkey-Type: RSA', 'Subkey-Length: 3072'],
  rsa4096: ['Key-Type: RSA', 'Key-Length: 4096', 'Subkey-Type: RSA', 'Subkey-Length: 4096'],
} as const;

export interface ClientComputer extends Disposable {
  readonly home: GnupgHome;
  /** Makes a pair. Shape: its fingerprint; `armored` gives its public half as the client would send it. */
  generate(lines: readonly string[], name?: string): string;
  armored(fingerprint: string): string;
  /** The whole pair, as a backup holds it. */
  backUp(fingerprint: string): Buffer;
  restore(backup: Buffer): void;
  /** Revokes a key with the certificate that GnuPG made beside it. Shape: its public half as it is then. */
  revoke(fingerprint: string): string;
  /** What an encrypted file holds. Both programs must open it and find the broker's signature good. */
  open(message: Buffer, fingerprint: string): Buffer;
  /** True when the broker signed these very bytes, by a signature that lies beside them. */
  isSigned(data: Buffer, signature: Buffer): boolean;
}

export async function openComputer(installation: Installation): Promise<ClientComputer> {
  const home = openGnupgHome();
  const broker = await createCaller(installation.url).get<{ fingerprint: string; certificate: string }>(
    '/v1/broker-key',
  );
  home.gpg(['--import'], broker.certificate);
  const backUp = (fingerprint: string): Buffer => home.gpg(['--export-secret-keys', fingerprint]);
  return {
    home,
    generate: (lines, name = 'Alder Fund') =>
      home.generate([...lines, `Name-Real: ${name}`, 'Name-Email: ops@alder.example', 'Expire-Date: 2y']),
    armored: (fingerprint) => home.gpg(['--armor', '--export', fingerprint]).toString(),
    backUp,
    restore: (backup) => void home.gpg(['--import'], backup),
    revoke(fingerprint) {
      const file = path.join(home.folder, 'openpgp-revocs.d', `${fingerprint}.rev`);
      // GnuPG puts a colon before the block, so that nobody imports it by accident.
      home.gpg(['--import'], readFileSync(file, 'utf8').replace(':-----BEGIN', '-----BEGIN'));
      return home.gpg(['--armor', '--export', fingerprint]).toString();
    },
    open(message, fingerprint) {
      const byGpg = home.open(message);
      assert.equal(byGpg.goodSignatureBy, broker.fingerprint, 'gpg finds the signature of the broker good');
      const secretKey = home.write('secret.pgp', backUp(fingerprint));
      const bySequoia = openWithSequoia(home, message, secretKey, Buffer.from(broker.certificate));
      assert.ok(bySequoia.equals(byGpg.data), 'sq opens the same bytes');
      return byGpg.data;
    },
    isSigned: (data, signature) => home.verify(signature, data) === broker.fingerprint,
    [Symbol.dispose]: () => home[Symbol.dispose](),
  };
}

export interface DeliveredStatement {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly version: number;
  readonly delivery:
    | null
    | { readonly state: 'waiting'; readonly waitsFor: string }
    | {
        readonly state: 'placed';
        readonly path: string;
        readonly isEncrypted: boolean;
        readonly certificateFingerprint: string | null;
        readonly subkeyId: string | null;
      };
}

/** Where a statement lies. Refuses: one that is not placed. */
export async function placeOf(client: ClientPerson, statementId: string) {
  const { delivery } = await client.caller.get<DeliveredStatement>(`/v1/statements/${statementId}`);
  assert.equal(delivery?.state, 'placed', JSON.stringify(delivery));
  return delivery;
}
