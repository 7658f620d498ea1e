// How delivery's values are written on the wire: instants as text, null where there is none.
import type * as shapes from '@broadgate/contract/delivery.ts';
import type { Static } from 'typebox';
import { formatInstant } from '../../kernel/clock.ts';
import type { KeysOnFile } from '../keys/keys.ts';
import type { CertificateRow, EndingKey, SshKeyRow } from '../keys/keys-store.ts';
import type { AddressEntry } from './address-store.ts';
import type { Delivery } from './delivery.ts';
import type { RequestView } from './requests.ts';
import { privateKeyWarning } from './rules.ts';
import type { Elected } from './set-up.ts';

const instant = (atMs: number | null): string | null => (atMs === null ? null : formatInstant(atMs));

export const formatElected = (
  { election, connection }: Elected,
  given: { yourAddress: string; encryption: 'off' | 'on' },
): Static<typeof shapes.deliveryState> => ({
  channels: { sftp: election?.sftp ?? false, portal: election?.portal ?? true, ftp: false, email: false },
  contact: election?.contact ?? null,
  encryption: given.encryption,
  connection: {
    state: connection?.state ?? 'none',
    reason: connection?.reason ?? null,
    userName: connection?.userName ?? null,
    configuredAt: instant(connection?.configuredAtMs ?? null),
    provenAt: instant(connection?.provenAtMs ?? null),
  },
  yourAddress: given.yourAddress,
});

const formatSshKey = (key: SshKeyRow): Static<typeof shapes.sshKey> => ({
  id: key.keyId,
  state: key.state,
  purpose: key.purpose,
  algorithm: key.algorithm,
  bits: key.bits,
  fingerprint: key.fingerprint,
  comment: key.comment,
  reason: key.reason,
  submittedAt: formatInstant(key.submittedAtMs),
  activatedAt: instant(key.activatedAtMs),
  endedAt: instant(key.endedAtMs),
  expiresAt: instant(key.expiresAtMs),
});

const formatCertificate = (key: CertificateRow): Static<typeof shapes.certificate> => ({
  id: key.keyId,
  state: key.state,
  purpose: key.purpose,
  fingerprint: key.fingerprint,
  subkeyId: key.subkeyId,
  algorithm: key.algorithm,
  userIds: key.userIds ?? [],
  cipher: key.cipher,
  reason: key.reason,
  submittedAt: formatInstant(key.submittedAtMs),
  importedAt: instant(key.importedAtMs),
  enabledAt: instant(key.enabledAtMs),
  endedAt: instant(key.endedAtMs),
  expiresAt: instant(key.expiresAtMs),
});

export const formatKeys = (keys: KeysOnFile): Static<typeof shapes.keys> => ({
  encryption: keys.encryption,
  sshKeys: keys.sshKeys.map(formatSshKey),
  openPgpKeys: keys.certificates.map(formatCertificate),
  warning: privateKeyWarning,
});

export const formatAddress = (entry: AddressEntry): Static<typeof shapes.address> => ({
  id: entry.entryId,
  clientId: entry.clientId,
  network: entry.network,
  state: entry.state,
  reason: entry.reason,
  submittedAt: formatInstant(entry.submittedAtMs),
  activatedAt: instant(entry.activatedAtMs),
  removedAt: instant(entry.removedAtMs),
});

export const formatRequest = (view: RequestView): Static<typeof shapes.request> => ({
  id: view.requestId,
  clientId: view.clientId,
  kind: view.kind,
  channel: view.channel,
  state: view.state,
  reason: view.reason,
  reasonCode: view.reasonCode,
  sshKeys: view.items.sshKeys.map(formatSshKey),
  openPgpKeys: view.items.certificates.map(formatCertificate),
  addresses: view.items.addresses.map(formatAddress),
  awaiting: [...view.awaiting],
  approvalsNeeded: view.approvalsNeeded,
  approvalsGiven: view.approvals.length,
  openedAt: formatInstant(view.openedAtMs),
  confirmedAt: instant(view.confirmedAtMs),
  dueAt: formatInstant(view.dueAtMs),
  takenAt: instant(view.takenAtMs),
  approvedAt: instant(view.approvedAtMs),
  finishedAt: instant(view.finishedAtMs),
  businessSeconds: Math.floor(view.businessTimeMs / 1000),
  isLate: view.isLate,
  warning: privateKeyWarning,
});

type Briefs = Awaited<ReturnType<Delivery['describeClients']>>;

const formatBrief = (clientId: string, briefs: Briefs): Static<typeof shapes.endingKey>['client'] => {
  const brief = briefs.get(clientId);
  return { id: clientId, name: brief?.name ?? '', accountNumbers: [...(brief?.accountNumbers ?? [])] };
};

export const formatDeskRequest = (view: RequestView, briefs: Briefs): Static<typeof shapes.deskRequest> => ({
  ...formatRequest(view),
  client: formatBrief(view.clientId, briefs),
});

export const formatEndingKey = (key: EndingKey, briefs: Briefs): Static<typeof shapes.endingKey> => ({
  id: key.keyId,
  clientId: key.clientId,
  sort: key.sort,
  state: key.state,
  fingerprint: key.fingerprint,
  expiresAt: formatInstant(key.expiresAtMs),
  client: formatBrief(key.clientId, briefs),
});

/** Units: ms. The face has checked the form already. */
export const parseInstant = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text);
