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

const inUse = (kind: string): string => `ssh host key ${kind}`;
const toCome = (kind: string): string => `next ssh host key ${kind}`;
const make = async (kind: (typeof kinds)[number]): Promise<Buffer> =>
  Buffer.from(formatHostKey(await generateHostKey(kind, 'broadgate')));

export interface HostKeys {
  readonly current: readonly HostKey[];
  /** Announced to signed-in clients and not used yet; empty unless a change was announced. */
  readonly next: readonly HostKey[];
}

interface Place {
  readonly sql: Sql;
  readonly vault: Vault;
}

export async function openHostKeys({ sql, vault }: Place): Promise<HostKeys> {
  const current = kinds.map(async (kind) =>
    parseHostKey(`${await vault.keepSecret(sql, inUse(kind), () => make(kind))}`),
  );
  const next = kinds.map(async (kind) => vault.findSecret(sql, toCome(kind)));
  return {
    current: await Promise.all(current),
    next: (await Promise.all(next)).flatMap((text) => (text === undefined ? [] : [parseHostKey(`${text}`)])),
  };
}

/** Makes the keys of the next change, or finds those that were made; servers announce them from their next start on. */
export async function announceHostKeys({ sql, vault }: Place): Promise<HostKey[]> {
  return Promise.all(
    kinds.map(async (kind) => parseHostKey(`${await vault.keepSecret(sql, toCome(kind), () => make(kind))}`)),
  );
}

/** Puts the announced keys in the place of those in use. Shape: false where none were announced; nothing changes then. */
export async function rotateHostKeys({ sql, vault }: Place): Promise<boolean> {
  const next = await Promise.all(kinds.map(async (kind) => [kind, await vault.findSecret(sql, toCome(kind))] as const));
  for (const [kind, text] of next) {
    if (text === undefined) return false;
    await vault.writeSecret(sql, inUse(kind), text);
    await vault.dropSecret(sql, toCome(kind));
  }
  return true;
}

export const showHostKey = (key: HostKey): HostKeyShown => {
  const line = formatPublicKeyLine({ blob: key.blob });
  return { algorithm: line.split(' ', 1)[0]!, fingerprint: fingerprint(key.blob), line };
};
