// The SFTP server's own host keys: made once, kept sealed in the database, so that every machine of an installation shows the same.
import {
  fingerprint,
  formatHostKey,
  formatPublicKeyLine,
  generateHostKey,
  type HostKey,
  parseHostKey,
} from '@broadgate/ssh';
import type { Sql } from './kernel/sql.ts';
import type { Vault } from './kernel/vault.ts';

/** As clients are shown it. */
export interface HostKeyShown {
  readonly algorithm: string;
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  readonly line: string;
}

/** Ed25519 first; RSA for clients that know nothing newer. */
const kinds = ['ed25519', 'rsa'] as const;

export async function openHostKeys(parts: { sql: Sql; vault: Vault }): Promise<HostKey[]> {
  return Promise.all(
    kinds.map(async (kind) => {
      const make = async (): Promise<Buffer> => Buffer.from(formatHostKey(await generateHostKey(kind, 'broadgate')));
      return parseHostKey((await parts.vault.keepSecret(parts.sql, `ssh host key ${kind}`, make)).toString());
    }),
  );
}

export const showHostKey = (key: HostKey): HostKeyShown => {
  const line = formatPublicKeyLine({ blob: key.blob });
  return { algorithm: line.split(' ', 1)[0]!, fingerprint: fingerprint(key.blob), line };
};
