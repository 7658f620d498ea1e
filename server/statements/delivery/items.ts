// The keys and addresses of one request: what waits in it, and their way through confirmation, approval and activation.
import { type Actor, systemActor } from '../../kernel/actor.ts';
import { brokenConstraint, type Sql } from '../../kernel/sql.ts';
import type { Messages } from '../../messages/messages.ts';
import { type CertificateRow, listCertificates, listSshKeys, type SshKeyRow } from '../keys/keys-store.ts';
import { type AddressEntry, listEntriesOfRequest, notifyAllowListChanged } from './address-store.ts';
import { refusals } from './rules.ts';
import type { SetUpFacts } from './state-rules.ts';
import type { DeliveryRequest } from './store.ts';
import { moveOf, type Transitions } from './transitions.ts';

export type Items = ReturnType<typeof createItems>;

/** Everything that was handed in under one request, refused and ended things included. */
export interface RequestItems {
  readonly sshKeys: readonly SshKeyRow[];
  readonly certificates: readonly CertificateRow[];
  readonly addresses: readonly AddressEntry[];
}

/** Bounds what one request may hold; the intake stays far below it. */
const itemsMax = 200;

export async function loadItems(sql: Sql, requestId: string): Promise<RequestItems> {
  return {
    sshKeys: await listSshKeys(sql, { requestId, limit: itemsMax }),
    certificates: await listCertificates(sql, { requestId, limit: itemsMax }),
    addresses: await listEntriesOfRequest(sql, requestId),
  };
}

/** What the client is shown and asked to confirm: fingerprints and addresses in canonical text. */
export function awaitingConfirmation(items: RequestItems): string[] {
  return [
    ...items.sshKeys.filter((key) => key.state === 'checked').map((key) => key.fingerprint!),
    ...items.certificates.filter((key) => key.state === 'checked').map((key) => key.fingerprint!),
    ...items.addresses.filter((entry) => entry.state === 'submitted').map((entry) => entry.network),
  ];
}

const isConfirmed = (state: string): boolean => state === 'confirmed' || state === 'approved';

export function setUpFacts(items: RequestItems): SetUpFacts {
  return {
    unconfirmed: awaitingConfirmation(items).length,
    confirmedSshKeys: items.sshKeys.filter((key) => isConfirmed(key.state)).length,
    confirmedAddresses: items.addresses.filter((entry) => isConfirmed(entry.state)).length,
  };
}

/** True while something of the request can still come into force. */
export const hasLiveItems = (items: RequestItems): boolean =>
  items.sshKeys.some((key) => ['checked', 'confirmed', 'approved'].includes(key.state)) ||
  items.certificates.some((key) => ['checked', 'confirmed'].includes(key.state)) ||
  items.addresses.some((entry) => ['submitted', 'confirmed', 'approved'].includes(entry.state));

export function createItems(parts: { transitions: Transitions; messages: Pick<Messages, 'notify'> }) {
  const { transitions, messages } = parts;

  return {
    /** Notes the client's confirmation of everything that waited for it. */
    async confirm(sql: Sql, actor: Actor, items: RequestItems, atMs: number): Promise<void> {
      for (const key of items.sshKeys.filter((key) => key.state === 'checked')) {
        await transitions.sshKey(sql, actor, itemOf(key), { from: 'checked', to: 'confirmed' }, { atMs });
      }
      for (const key of items.certificates.filter((key) => key.state === 'checked')) {
        await transitions.certificate(sql, actor, itemOf(key), { from: 'checked', to: 'confirmed' }, { atMs });
      }
      for (const entry of items.addresses.filter((entry) => entry.state === 'submitted')) {
        await transitions.address(sql, actor, entryOf(entry), { from: 'submitted', to: 'confirmed' }, { atMs });
      }
    },

    /** Refuses: key_registered_elsewhere when another client's request with the same key was approved first. */
    async approve(sql: Sql, actor: Actor, items: RequestItems, atMs: number): Promise<void> {
      for (const key of items.sshKeys.filter((key) => key.state === 'confirmed')) {
        try {
          await transitions.sshKey(sql, actor, itemOf(key), { from: 'confirmed', to: 'approved' }, { atMs });
        } catch (fault) {
          if (brokenConstraint(fault) === 'ssh_keys_in_force') throw refusals.key_registered_elsewhere();
          throw fault;
        }
      }
      const entries = items.addresses.filter((entry) => entry.state === 'confirmed');
      for (const entry of entries) {
        await transitions.address(sql, actor, entryOf(entry), { from: 'confirmed', to: 'approved' }, { atMs });
      }
      if (entries.length > 0) await notifyAllowListChanged(sql);
    },

    /**
     * Brings approved items into force. D-22: a replacing key ends the old ones and their connections in this same
     * transaction. Certificates are imported and announced; the client enables them (EN-X2).
     */
    async activate(sql: Sql, actor: Actor, request: DeliveryRequest, atMs: number): Promise<void> {
      const items = await loadItems(sql, request.requestId);
      for (const key of items.sshKeys.filter((key) => key.state === 'approved')) {
        if (key.purpose === 'replace') await replaceOthers(sql, actor, key, atMs);
        await transitions.sshKey(sql, actor, itemOf(key), { from: 'approved', to: 'active' }, { atMs });
      }
      for (const key of items.certificates.filter((key) => key.state === 'confirmed')) {
        await transitions.certificate(sql, actor, itemOf(key), { from: 'confirmed', to: 'imported' }, { atMs });
        await messages.notify(sql, {
          clientId: key.clientId,
          kind: 'certificate_imported',
          params: { fingerprint: key.fingerprint!, subkeyId: key.subkeyId!, keyId: key.keyId },
          text: `Your OpenPGP key ${key.fingerprint!} is imported. Switch encryption on when you are ready to decrypt with it.`,
          atMs,
        });
      }
      let isListChanged = false;
      for (const entry of items.addresses.filter((entry) => entry.state === 'approved')) {
        await transitions.address(sql, actor, entryOf(entry), { from: 'approved', to: 'active' }, { atMs });
        isListChanged = true;
      }
      if (isListChanged) await notifyAllowListChanged(sql);
    },

    /** Ends whatever of the request is not in force yet. */
    async refuse(sql: Sql, actor: Actor, items: RequestItems, change: { atMs: number; reason: string }): Promise<void> {
      for (const key of items.sshKeys) {
        if (!['checked', 'confirmed', 'approved'].includes(key.state)) continue;
        await transitions.sshKey(sql, actor, itemOf(key), moveOf('ssh_key', key.state, 'refused'), change);
      }
      for (const key of items.certificates) {
        if (!['checked', 'confirmed'].includes(key.state)) continue;
        await transitions.certificate(sql, actor, itemOf(key), moveOf('certificate', key.state, 'refused'), change);
      }
      for (const entry of items.addresses) {
        if (!['submitted', 'confirmed', 'approved'].includes(entry.state)) continue;
        await transitions.address(sql, actor, entryOf(entry), moveOf('address', entry.state, 'removed'), change);
      }
    },
  };

  /** NOTE: runs before the successor becomes active, so that no moment has two keys. */
  async function replaceOthers(sql: Sql, actor: Actor, by: SshKeyRow, atMs: number): Promise<void> {
    const keys = await listSshKeys(sql, { clientId: by.clientId, limit: itemsMax });
    for (const old of keys.filter((key) => key.state === 'active')) {
      await transitions.sshKey(
        sql,
        actor,
        itemOf(old),
        { from: 'active', to: 'replaced' },
        { atMs, replacedBy: by.keyId, reason: 'replaced' },
      );
    }
  }
}

const itemOf = (key: { keyId: string; clientId: string }) => ({ id: key.keyId, clientId: key.clientId });
const entryOf = (entry: AddressEntry) => ({ id: entry.entryId, clientId: entry.clientId! });

/** Acts where the setting asks for no person of the desk (D-23 `none`). */
export const approvalBySetting = systemActor('approval');
