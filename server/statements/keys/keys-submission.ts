// A key that was handed in: whether it may stand beside what is on file, and its row as submitted, checked or refused.
import type { Actor } from '../../kernel/actor.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import type { Sql } from '../../kernel/sql.ts';
import { hasLiveItems, type Items, loadItems } from '../delivery/items.ts';
import { checkAddedKey, type Purpose, refusals } from '../delivery/rules.ts';
import { type DeliveryRequest, findRequest } from '../delivery/store.ts';
import type { Messages } from '../../messages/messages.ts';
import { moveOf, type Transitions } from '../delivery/transitions.ts';
import type { DeliveryKey } from './intake.ts';
import { insertCertificate, insertSshKey, isKeyOfAnother, listCertificates, listSshKeys } from './keys-store.ts';

export type KeySubmission = ReturnType<typeof createKeySubmission>;

/** How the key was handed in. */
export interface GivenKey {
  readonly purpose: Purpose;
  readonly expiresAtMs: number | undefined;
  readonly atMs: number;
}

const keysListedMax = 200;
const inForce: readonly string[] = ['imported', 'enabled', 'expiring'];

export function createKeySubmission(parts: {
  ids: Ids;
  transitions: Transitions;
  items: Items;
  messages: Pick<Messages, 'notify'>;
  settings: { readonly severalKeys: boolean };
}) {
  const { ids, transitions, items } = parts;

  async function judgeSsh(sql: Sql, clientId: string, fingerprint: string, given: GivenKey): Promise<void> {
    // It is not said whose key it is, nor that it is a client's at all.
    if (await isKeyOfAnother(sql, clientId, fingerprint)) throw refusals.key_registered_elsewhere();
    const mine = await listSshKeys(sql, { clientId, limit: keysListedMax });
    if (mine.some((other) => other.state === 'active' && other.fingerprint === fingerprint)) {
      throw refusals.key_registered_already({ fingerprint });
    }
    if (given.purpose === 'add') {
      checkAddedKey({ severalKeys: parts.settings.severalKeys, expiresAtMs: given.expiresAtMs, nowMs: given.atMs });
    }
  }

  /** A request of which nothing can come into force any more is over. */
  async function finishEmptied(sql: Sql, actor: Actor, requestId: string, atMs: number): Promise<void> {
    const request = await findRequest(sql, requestId);
    if (request === undefined || request.kind === 'set_up' || request.finishedAtMs !== null) return;
    if (hasLiveItems(await loadItems(sql, requestId))) return;
    await transitions.finishRequest(sql, actor, request, 'refused', { atMs, reason: 'superseded' });
  }

  /** A newer key takes the place of one of its sort and purpose that was handed in before and is not in force yet. */
  async function supersede(sql: Sql, actor: Actor, clientId: string, key: DeliveryKey, given: GivenKey): Promise<void> {
    const isWaiting = (other: { state: string; purpose: Purpose }): boolean =>
      other.purpose === given.purpose && ['checked', 'confirmed', 'approved'].includes(other.state);
    const filter = { clientId, limit: keysListedMax };
    const sshKeys = key.sort === 'ssh' ? (await listSshKeys(sql, filter)).filter(isWaiting) : [];
    const certificates = key.sort === 'openpgp' ? (await listCertificates(sql, filter)).filter(isWaiting) : [];
    const change = { atMs: given.atMs, reason: 'superseded' };
    await items.refuse(sql, actor, { sshKeys, certificates, addresses: [] }, change);
    for (const { requestId } of [...sshKeys, ...certificates]) await finishEmptied(sql, actor, requestId, given.atMs);
  }

  return {
    /** Refuses: key_registered_elsewhere, key_registered_already, several_keys_not_offered, key_expiry_missing. */
    async judge(sql: Sql, clientId: string, key: DeliveryKey, given: GivenKey): Promise<void> {
      if (key.sort === 'ssh') return await judgeSsh(sql, clientId, key.key.fingerprint, given);
      const { certificate } = key;
      const mine = await listCertificates(sql, { clientId, limit: keysListedMax });
      // The same certificate with a new end or another subkey is news; the very same one is not.
      const isOnFile = mine.some(
        (other) =>
          inForce.includes(other.state) &&
          other.fingerprint === certificate.fingerprint &&
          other.subkeyId === certificate.subkeyId &&
          (other.expiresAtMs ?? undefined) === certificate.expiresAtMs,
      );
      if (isOnFile) throw refusals.key_registered_already({ fingerprint: certificate.fingerprint });
    },

    /** The request in which this very key waits already, so that handing it in twice answers the same twice. */
    async findWaiting(sql: Sql, clientId: string, key: DeliveryKey, given: GivenKey): Promise<string | undefined> {
      const filter = { clientId, limit: keysListedMax };
      const isSame = (other: { state: string; purpose: Purpose; fingerprint: string | null }): boolean =>
        ['checked', 'confirmed', 'approved'].includes(other.state) &&
        other.purpose === given.purpose &&
        other.fingerprint === (key.sort === 'ssh' ? key.key.fingerprint : key.certificate.fingerprint);
      if (key.sort === 'ssh') {
        const found = (await listSshKeys(sql, filter)).find(isSame);
        return (found?.expiresAtMs ?? undefined) === given.expiresAtMs ? found?.requestId : undefined;
      }
      const found = (await listCertificates(sql, filter)).find(isSame);
      const isSameLife = (found?.expiresAtMs ?? undefined) === key.certificate.expiresAtMs;
      return isSameLife && found?.subkeyId === key.certificate.subkeyId ? found.requestId : undefined;
    },

    /** D-26: a revoked certificate that is handed in ends the one on file, since its owner's signature says so. */
    async revokeOnFile(sql: Sql, actor: Actor, clientId: string, fingerprint: string, atMs: number): Promise<void> {
      for (const key of await listCertificates(sql, { clientId, limit: keysListedMax })) {
        if (!inForce.includes(key.state) || key.fingerprint !== fingerprint) continue;
        const change = { atMs, reason: 'revoked_by_owner' };
        const move = moveOf('certificate', key.state, 'revoked');
        await transitions.certificate(sql, actor, { id: key.keyId, clientId }, move, change);
        await parts.messages.notify(sql, {
          clientId,
          kind: 'delivery_key_ended',
          params: { keyId: key.keyId, fingerprint, reason: change.reason },
          text: `The OpenPGP key ${fingerprint} was handed in as revoked and is not used any more. Hand in a new one.`,
          atMs,
        });
      }
    },

    async hasCertificateInForce(sql: Sql, clientId: string): Promise<boolean> {
      const mine = await listCertificates(sql, { clientId, limit: keysListedMax });
      return mine.some((key) => inForce.includes(key.state));
    },

    /** Inserts a judged key as submitted and moves it to checked. */
    async insert(sql: Sql, actor: Actor, request: DeliveryRequest, key: DeliveryKey, given: GivenKey): Promise<void> {
      const { clientId, requestId } = request;
      await supersede(sql, actor, clientId, key, given);
      const row = { ...given, keyId: ids.next(), clientId, requestId };
      const item = { id: row.keyId, clientId };
      const checked = { from: 'submitted', to: 'checked' } as const;
      if (key.sort === 'ssh') {
        const { algorithm, bits, fingerprint, blob, comment } = key.key;
        await insertSshKey(sql, { ...row, key: { algorithm, bits, fingerprint, blob, comment } });
        await transitions.sshKey(sql, actor, item, checked, { atMs: given.atMs });
      } else {
        await insertCertificate(sql, { ...row, certificate: key.certificate });
        await transitions.certificate(sql, actor, item, checked, { atMs: given.atMs });
      }
    },

    /** Keeps that a key was refused and why; of the key itself nothing is kept. */
    async insertRefused(
      sql: Sql,
      actor: Actor,
      request: DeliveryRequest,
      refused: { sort: 'ssh' | 'openpgp'; refusal: Refusal },
      given: GivenKey,
    ): Promise<void> {
      const { clientId, requestId } = request;
      const row = { ...given, keyId: ids.next(), clientId, requestId };
      const item = { id: row.keyId, clientId };
      const change = { atMs: given.atMs, reason: refused.refusal.code };
      if (refused.sort === 'ssh') {
        await insertSshKey(sql, row);
        await transitions.sshKey(sql, actor, item, { from: 'submitted', to: 'refused' }, change);
      } else {
        await insertCertificate(sql, row);
        await transitions.certificate(sql, actor, item, { from: 'submitted', to: 'refused' }, change);
      }
    },
  };
}

/** Which sort a file that could not be read was meant to be, for the record of its refusal. */
export function guessSort(bytes: Uint8Array): 'ssh' | 'openpgp' {
  // UTF-16 text holds a NUL beside each letter.
  const text = Buffer.from(bytes).toString('latin1').replaceAll('\0', '');
  // RFC 9580 §4.2: the first octet of a binary packet has its highest bit set; 0xEF, 0xFE and 0xFF begin a byte-order mark.
  const first = bytes[0] ?? 0;
  return text.includes('BEGIN PGP') || (first >= 0x80 && ![0xef, 0xfe, 0xff].includes(first)) ? 'openpgp' : 'ssh';
}
