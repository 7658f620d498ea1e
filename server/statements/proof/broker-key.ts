// The broker's signing key: made at first start, kept by the vault, its public certificate given to everyone.
import {
  armorCertificate,
  exportCertificate,
  exportSigningKey,
  generateSigningKey,
  importSigningKey,
} from '@broadgate/openpgp-writer';
import type { Clock } from '../../kernel/clock.ts';
import type { Sql } from '../../kernel/sql.ts';
import type { Vault } from '../../kernel/vault.ts';

export interface BrokerKey {
  /** Hexadecimal, upper case. */
  readonly fingerprint: string;
  readonly userId: string;
  /** Armoured public certificate, for `gpg --import`. */
  readonly certificate: string;
  /** NOTE: the secret key in plain bytes, for the encryption pool and nothing else. */
  readonly secretKey: Buffer;
}

const secretName = 'broker_signing_key';

/** Opens the key, or makes it: of several workers that start at once, the first one's stays. */
export async function openBrokerKey(parts: {
  sql: Sql;
  clock: Clock;
  vault: Pick<Vault, 'keepSecret'>;
  settings: { readonly brokerName: string; readonly brokerEmail: string };
}): Promise<BrokerKey> {
  const { sql, clock, vault, settings } = parts;
  const userId = `${settings.brokerName} <${settings.brokerEmail}>`;
  const secretKey = await vault.keepSecret(sql, secretName, async () =>
    exportSigningKey(generateSigningKey({ userId, createdAtMs: clock.nowMs() })),
  );
  const key = importSigningKey(secretKey);
  const certificate = armorCertificate(exportCertificate(key));
  return { fingerprint: key.fingerprint, userId: key.userId, certificate, secretKey };
}
