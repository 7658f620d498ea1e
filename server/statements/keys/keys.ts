// Keys on file: what a client and the desk see of them, the one switch of encryption, and how a key ends before its time.
import type { RecipientKey } from '@broadgate/openpgp-writer';
import type { Actor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import type { Messages } from '../../messages/messages.ts';
import type { DeliverySettings } from '../delivery/delivery.ts';
import { checkClientOrDesk, checkOwn, checkPerson } from '../delivery/permission-rules.ts';
import { isExpiring, refusals } from '../delivery/rules.ts';
import { findElection, lockElection, updateEncryption } from '../delivery/store.ts';
import { moveOf, type Transitions } from '../delivery/transitions.ts';
import { retryWaiting } from '../delivery/waiting.ts';
import {
  type CertificateRow,
  listCertificates,
  listSshKeys,
  listTerms,
  type SshKeyRow,
  type TermsRow,
} from './keys-store.ts';
import { certificateState } from './rules.ts';

/** A certificate that may be encrypted to now. */
export interface EncryptionCertificate {
  readonly certificateId: string;
  readonly fingerprint: string;
  readonly subkeyId: string;
  /** The chosen subkey's raw parameters, kept beside the certificate so that it is not read again for each file. */
  readonly recipient: RecipientKey;
  readonly expiresAtMs: number | undefined;
  readonly cipher: 'aes256' | 'aes128';
}

/** What issuing needs to know to deliver a report. */
export interface DeliveryTerms {
  readonly sftp: boolean;
  readonly portal: boolean;
  /** 'none' for a client that never elected SFTP. */
  readonly connectionState: string;
  /** 'on' with no certificate means: nothing is encrypted to anyone, reports wait in the portal (D-26). */
  readonly encryption: 'off' | 'on';
  /** Newest first. */
  readonly certificates: readonly EncryptionCertificate[];
}

/** Newest first; ended and refused ones are kept as history. */
export interface KeysOnFile {
  readonly sshKeys: readonly SshKeyRow[];
  readonly certificates: readonly CertificateRow[];
  readonly encryption: 'off' | 'on';
}

const keysListedMax = 200;
const inForce: readonly string[] = ['imported', 'enabled', 'expiring'];

export function createKeys(parts: {
  database: Database;
  clock: Clock;
  audit: Pick<Audit, 'append'>;
  messages: Pick<Messages, 'notify'>;
  transitions: Transitions;
  settings: Pick<DeliverySettings, 'encryptionRequired'>;
}) {
  const { database, clock, transitions, settings } = parts;

  const switchOf = (encryption: 'off' | 'on' | undefined): 'off' | 'on' =>
    settings.encryptionRequired || encryption === 'on' ? 'on' : 'off';

  function termsOf(found: TermsRow, nowMs: number): DeliveryTerms {
    const encryption = switchOf(found.encryption ?? undefined);
    const certificates = found.certificates
      .map((key) => ({ ...key, expiresAtMs: key.expiresAtMs ?? undefined }))
      .filter((key) => encryption === 'on' && certificateState(key, nowMs) === 'usable');
    return {
      sftp: found.sftp ?? false,
      portal: found.portal ?? true,
      connectionState: found.connectionState ?? 'none',
      encryption,
      certificates,
    };
  }

  async function load(sql: Sql, clientId: string): Promise<KeysOnFile> {
    return {
      sshKeys: await listSshKeys(sql, { clientId, limit: keysListedMax }),
      certificates: await listCertificates(sql, { clientId, limit: keysListedMax }),
      encryption: switchOf((await findElection(sql, clientId))?.encryption),
    };
  }

  async function switchTo(sql: Sql, actor: Actor, clientId: string, to: 'off' | 'on', atMs: number): Promise<void> {
    await updateEncryption(sql, clientId, to, atMs);
    await retryWaiting(sql, clientId);
    await parts.audit.append(sql, {
      actor,
      action: `encryption.${to}`,
      subject: `client:${clientId}`,
      detail: { clientId },
    });
  }

  /** Ends certificates that a newly enabled one was handed in to replace. */
  async function replaceOthers(
    sql: Sql,
    actor: Actor,
    by: CertificateRow,
    mine: readonly CertificateRow[],
    atMs: number,
  ) {
    for (const other of mine.filter((other) => isBefore(other, by))) {
      const change = { atMs, replacedBy: by.keyId, reason: 'replaced' };
      const move = moveOf('certificate', other.state, 'replaced');
      await transitions.certificate(sql, actor, { id: other.keyId, clientId: by.clientId }, move, change);
    }
  }

  async function enable(sql: Sql, actor: Actor, key: CertificateRow, atMs: number): Promise<void> {
    const item = { id: key.keyId, clientId: key.clientId };
    await transitions.certificate(sql, actor, item, { from: 'imported', to: 'enabled' }, { atMs });
    if (!isExpiring(key.expiresAtMs ?? undefined, atMs)) return;
    await transitions.certificate(sql, actor, item, { from: 'enabled', to: 'expiring' }, { atMs });
  }

  return {
    /**
     * How the reports of these clients are to be delivered now; every certificate's end is checked at every call.
     * Shape: one for each client, by its id.
     */
    async deliveryFor(sql: Sql, clientIds: readonly string[]): Promise<Map<string, DeliveryTerms>> {
      const nowMs = clock.nowMs();
      const rows = await listTerms(sql, clientIds);
      return new Map(rows.map((row) => [row.clientId, termsOf(row, nowMs)]));
    },

    /** Every key of a client, ended ones too, newest first. */
    async listKeys(actor: Actor, clientId?: string): Promise<KeysOnFile> {
      return await load(database.sql, checkClientOrDesk(actor, clientId));
    },

    /**
     * The client switches encryption on for all its reports (EN-X2, EN-X4), or brings newly imported certificates into use.
     * A certificate handed in as a replacement ends the older ones now; an added one stands beside them.
     * Refuses: no_certificate_imported, delivery_forbidden.
     */
    async enableEncryption(actor: Actor): Promise<KeysOnFile> {
      const person = checkPerson(actor);
      const { clientId } = person;
      return await database.transaction(async (sql) => {
        const atMs = clock.nowMs();
        const election = await lockElection(sql, clientId, atMs);
        const mine = await listCertificates(sql, { clientId, limit: keysListedMax });
        const isUsable = (key: CertificateRow): boolean => key.expiresAtMs === null || key.expiresAtMs > atMs;
        const imported = mine.filter((key) => key.state === 'imported' && isUsable(key));
        const isAnyInUse = mine.some((key) => (key.state === 'enabled' || key.state === 'expiring') && isUsable(key));
        if (imported.length === 0 && !isAnyInUse) throw refusals.no_certificate_imported();
        const successor = imported.find((key) => key.purpose === 'replace');
        if (successor !== undefined) await replaceOthers(sql, person, successor, mine, atMs);
        const isReplaced = (key: CertificateRow): boolean => successor !== undefined && isBefore(key, successor);
        for (const key of imported.filter((key) => !isReplaced(key))) await enable(sql, person, key, atMs);
        if (election.encryption === 'off') await switchTo(sql, person, clientId, 'on', atMs);
        return await load(sql, clientId);
      });
    },

    /** Refuses: encryption_required where the operator wants every report encrypted (D-18). */
    async disableEncryption(actor: Actor): Promise<KeysOnFile> {
      const person = checkPerson(actor);
      const { clientId } = person;
      if (settings.encryptionRequired) throw refusals.encryption_required();
      return await database.transaction(async (sql) => {
        const atMs = clock.nowMs();
        const election = await lockElection(sql, clientId, atMs);
        for (const key of await listCertificates(sql, { clientId, limit: keysListedMax })) {
          if (key.state !== 'enabled' && key.state !== 'expiring') continue;
          const move = moveOf('certificate', key.state, 'imported');
          await transitions.certificate(sql, person, { id: key.keyId, clientId }, move, { atMs });
        }
        if (election.encryption === 'on') await switchTo(sql, person, clientId, 'off', atMs);
        return await load(sql, clientId);
      });
    },

    /**
     * Ends a key before its time, in force or waiting; connections opened with an SSH key close at once.
     * Refuses: delivery_not_found, key_not_in_force.
     */
    async endKey(actor: Actor, keyId: string, reason: string): Promise<KeysOnFile> {
      return await database.transaction(async (sql) => {
        const atMs = clock.nowMs();
        const change = { atMs, reason: reason.trim().slice(0, 200) || 'revoked' };
        const [sshKey] = await listSshKeys(sql, { keyId, limit: 1 });
        const [certificate] = sshKey === undefined ? await listCertificates(sql, { keyId, limit: 1 }) : [];
        const { clientId } = checkOwn(actor, sshKey ?? certificate);
        await lockElection(sql, clientId, atMs);
        const state = (sshKey ?? certificate)!.state;
        const item = { id: keyId, clientId };
        if (sshKey !== undefined && state === 'active') {
          await transitions.sshKey(sql, actor, item, { from: 'active', to: 'revoked' }, change);
        } else if (certificate !== undefined && inForce.includes(state)) {
          await transitions.certificate(sql, actor, item, moveOf('certificate', state, 'revoked'), change);
        } else throw refusals.key_not_in_force({ state });
        await parts.messages.notify(sql, {
          clientId,
          kind: 'delivery_key_ended',
          params: { keyId, fingerprint: (sshKey ?? certificate)!.fingerprint!, reason: change.reason },
          text: `The key ${(sshKey ?? certificate)!.fingerprint!} is revoked. Hand in a new one to go on.`,
          atMs,
        });
        return await load(sql, clientId);
      });
    },
  };
}

/** In force and handed in no later, so that the other one was meant to take its place. */
const isBefore = (key: CertificateRow, by: CertificateRow): boolean =>
  inForce.includes(key.state) && key.keyId !== by.keyId && key.submittedAtMs <= by.submittedAtMs;
