// Takes in an OpenPGP certificate: finds the one key that statements are encrypted to, or says why there is none.
import { randomBytes } from 'node:crypto';
import {
  armorCertificate,
  type Container,
  type RecipientKey,
  recipientKeyOf,
  sealSessionKey,
  unarmorCertificate,
} from '@broadgate/openpgp-writer';
import { config as defaults, type Key, readKeys, type SignaturePacket, type Subkey } from 'openpgp';
import { describeKey, readCertificatePackets } from './key-packets.ts';
import { cutText, decodeKeyText, stripQuoting } from './key-text.ts';
import { formatDay, keyLimits, type Remark, refusals } from './rules.ts';

/** Shape: plain data, so that it crosses from a worker and into a row. Fingerprints and ids are hex, upper case. */
export interface OpenPgpCertificate {
  readonly userIds: readonly string[];
  readonly fingerprint: string;
  readonly keyVersion: 4 | 6;
  /** Of the key or subkey that decrypts, as GnuPG shows it to the client. */
  readonly subkeyId: string;
  readonly subkeyFingerprint: string;
  readonly algorithm: string;
  readonly createdAtMs: number;
  /** The earlier end of primary key and subkey. */
  readonly expiresAtMs: number | undefined;
  readonly cipher: 'aes256' | 'aes128';
  readonly recipient: RecipientKey;
  readonly armored: string;
  readonly remarks: readonly Remark[];
}

const settings = { ...defaults, minRSABits: keyLimits.rsaBitsMin };
const userIdLengthMax = 200;
/** How far the clock of a client's computer may be ahead of ours. */
const aheadMsMax = 86_400_000;

/**
 * Reads one certificate, armoured or binary, also UTF-16, quoted, or inside the text of a mail.
 * Refuses: key_empty, key_unreadable, key_private, key_several, key_too_many_parts, key_weak, key_too_long,
 * key_known_bad, key_type_unsupported, key_curve_unsupported, key_inconsistent, key_not_yet_valid, key_expired,
 * key_revoked, key_without_encryption.
 * NOTE: the library is asked to judge only; it never encrypts, so no preference of a key can lead it into slow code.
 */
export async function readCertificate(bytes: Uint8Array, nowMs: number): Promise<OpenPgpCertificate> {
  if (bytes.length === 0) throw refusals.key_empty();
  const binary = findBinary(bytes);
  const packets = readCertificatePackets(binary);
  const primary = describeKey(packets[0]!.body);
  if (primary.problem) throw primary.problem;
  const key = await parse(binary);
  const expiresAtMs = await checkPrimary(key, nowMs);
  const now = judgedAt(key, nowMs);
  const chosen = await chooseKey(key, now);
  const body = Buffer.from(chosen.keyPacket.write());
  const { name: algorithm, problem, remarks } = describeKey(body);
  if (problem) throw problem;
  const { cipher, container } = await readPreferences(key, now);
  const recipient = recipientOf(body, cipher, container);
  const ends = [
    expiresAtMs,
    chosen === key ? undefined : toMs(await (chosen as Subkey).getExpirationTime(now, settings)),
  ];
  const end = Math.min(...ends.map((atMs) => atMs ?? Infinity));
  const keyVersion = key.keyPacket.version === 6 ? 6 : 4;
  return {
    userIds: await listUserIds(key, now),
    fingerprint: key.getFingerprint().toUpperCase(),
    keyVersion,
    subkeyId: recipient.keyId,
    subkeyFingerprint: recipient.fingerprint,
    algorithm,
    createdAtMs: key.getCreationTime().getTime(),
    expiresAtMs: end === Infinity ? undefined : end,
    cipher,
    recipient,
    armored: armorCertificate(key.toPublic().write()),
    remarks: [
      ...remarks,
      ...(keyVersion === 6 ? (['gnupg_22_cannot_read'] as const) : []),
      ...(end === Infinity ? (['never_expires'] as const) : []),
    ],
  };
}

/** The packets as bytes, whatever text surrounds them. */
function findBinary(bytes: Uint8Array): Uint8Array {
  const text = decodeKeyText(bytes);
  const labels = [...(text ?? '').matchAll(/-----BEGIN PGP ([A-Z ,0-9/]+)-----/g)].map((match) => match[1]);
  // Every packet begins with a byte above 127, which no text in ASCII has.
  if (labels.length === 0 && (bytes[0] ?? 0) & 0x80) return bytes;
  if (text === undefined || labels.some((label) => label !== 'PUBLIC KEY BLOCK')) throw refusals.key_unreadable();
  if (labels.length > 1) throw refusals.key_several();
  const quoted = /^[ \t]*>.*-----BEGIN PGP/m.test(text);
  try {
    return unarmorCertificate(quoted ? stripQuoting(text) : text);
  } catch {
    // No whole block, a wrong checksum: the remedy is the same, to export the key again.
    throw refusals.key_unreadable();
  }
}

async function parse(binary: Uint8Array): Promise<Key> {
  const keys = await readKeys({ binaryKeys: binary, config: settings }).catch(() => {
    throw refusals.key_unreadable();
  });
  if (keys.length > 1) throw refusals.key_several();
  const key = keys[0];
  if (!key) throw refusals.key_unreadable();
  if (key.isPrivate()) throw refusals.key_private({ form: 'OpenPGP' });
  return key;
}

/** Checks the primary key's life and returns its end. */
async function checkPrimary(key: Key, nowMs: number): Promise<number | undefined> {
  const newestAtMs = createdAtMs(key).reduce((newest, atMs) => Math.max(newest, atMs));
  if (newestAtMs > nowMs + aheadMsMax) throw refusals.key_not_yet_valid({ on: formatDay(newestAtMs) });
  if (await key.isRevoked(undefined, undefined, judgedAt(key, nowMs), settings)) throw refusals.key_revoked();
  const end = await key.getExpirationTime(undefined, settings);
  // Null: no self-signature holds, so the bytes were changed on the way.
  if (end === null) throw refusals.key_unreadable();
  const expiresAtMs = toMs(end);
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) throw refusals.key_expired({ on: formatDay(expiresAtMs) });
  return expiresAtMs;
}

const createdAtMs = (key: Key): number[] => key.getKeys().map((part) => part.getCreationTime().getTime());

/** Now; for a key that was made just now, by a clock somewhat ahead of ours, a minute after it was made. */
const judgedAt = (key: Key, nowMs: number): Date =>
  new Date(Math.max(nowMs, ...createdAtMs(key).map((atMs) => Math.min(atMs, nowMs + aheadMsMax) + 60_000)));

const toMs = (end: Date | number | null): number | undefined => (end instanceof Date ? end.getTime() : undefined);

async function chooseKey(key: Key, now: Date): Promise<Key | Subkey> {
  try {
    return await key.getEncryptionKey(undefined, now, undefined, settings);
  } catch {
    throw await explain(key, now);
  }
}

/** Why no subkey can be used: the newest one that was meant for encryption tells. */
async function explain(key: Key, now: Date) {
  const newestFirst = [...key.subkeys].sort((a, b) => b.getCreationTime().getTime() - a.getCreationTime().getTime());
  for (const subkey of newestFirst) {
    const { canEncrypt, problem } = describeKey(Buffer.from(subkey.keyPacket.write()));
    if (!canEncrypt || !mayEncrypt(subkey)) continue;
    if (problem) return problem;
    const end = await subkey.getExpirationTime(now, settings);
    if (end === null) continue;
    const endMs = toMs(end);
    if (endMs !== undefined && endMs <= now.getTime()) return refusals.key_expired({ on: formatDay(endMs) });
    if (await isRevoked(subkey, now)) return refusals.key_revoked();
  }
  return refusals.key_without_encryption();
}

/** RFC 9580 §5.2.3.29: 0x04 encrypts communications, 0x08 storage. */
const mayEncrypt = (subkey: Subkey): boolean =>
  subkey.bindingSignatures.some((signature) => ((signature.keyFlags?.[0] ?? 0) & 0x0c) !== 0);

const isRevoked = async (subkey: Subkey, now: Date): Promise<boolean> => {
  const { keyPacket } = subkey.mainKey;
  for (const signature of subkey.bindingSignatures)
    if (await subkey.isRevoked(signature, keyPacket, now, settings)) return true;
  return false;
};

/** What the library knows and its declarations leave out. */
interface Undeclared {
  getPrimarySelfSignature(date: Date): Promise<SignaturePacket & { preferredCipherSuites?: [number, number][] | null }>;
}

async function readPreferences(key: Key, now: Date): Promise<{ cipher: 'aes256' | 'aes128'; container: Container }> {
  const signature = await (key as unknown as Undeclared).getPrimarySelfSignature(now);
  const cipher = signature.preferredSymmetricAlgorithms?.includes(9) ? 'aes256' : 'aes128';
  // RFC 9580 §5.2.3.32: 0x08 says that the key's owner reads SEIPD version 2.
  if (!((signature.features?.[0] ?? 0) & 0x08)) return { cipher, container: 'seipd1' };
  // §5.2.3.15: the first suite of ours in the owner's order; without one, AES-128 with OCB is always understood.
  const suite = signature.preferredCipherSuites?.find(
    ([symmetric, aead]) => isOurs(symmetric) && (aead === 2 || aead === 3),
  );
  const [symmetric, aead] = suite ?? [7, 2];
  return { cipher: symmetric === 9 ? 'aes256' : 'aes128', container: aead === 3 ? 'seipd2-gcm' : 'seipd2-ocb' };
}

const isOurs = (symmetric: number): boolean => symmetric === 7 || symmetric === 9;

/** The facts that are cached; one session key is sealed to prove that OpenSSL accepts the numbers. */
function recipientOf(body: Buffer, cipher: 'aes256' | 'aes128', container: Container): RecipientKey {
  try {
    const recipient = recipientKeyOf(body, { cipher, container });
    sealSessionKey(recipient, 'aes128', randomBytes(16), 3);
    return recipient;
  } catch {
    throw refusals.key_inconsistent({ fault: 'its numbers do not make a key' });
  }
}

/** The user ids whose self-signature holds; control characters are left out. */
async function listUserIds(key: Key, now: Date): Promise<string[]> {
  const found: string[] = [];
  for (const user of key.users) {
    const holds = await user.verify(now, settings).catch(() => false);
    if (user.userID && holds) found.push(cutText(user.userID.userID.replace(/\p{C}/gu, ''), userIdLengthMax));
  }
  return found;
}
