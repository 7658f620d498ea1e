// `keys check FILE`: the verdict that the server itself would give about a key file; nothing is handed in or kept.
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { callerFolder } from '../config.ts';
import { formatInstant, systemClock } from '../kernel/clock.ts';
import { privateKeyWarning } from '../statements/delivery/rules.ts';
import { checkDeliveryKey } from '../statements/keys/intake.ts';
import type { OpenPgpCertificate } from '../statements/keys/openpgp-certificate.ts';
import { type Remark, remarkTexts } from '../statements/keys/rules.ts';
import type { SshPublicKey } from '../statements/keys/ssh-key.ts';

/** More than any key that would be accepted, so that a wrong file is not read whole. */
const readBytesMax = 4 * 2 ** 20;

/** Refuses: what the intake refuses, with the same codes. */
export async function checkKeyFile(file: string): Promise<number> {
  // EN-19: said before the verdict, whatever the file holds.
  process.stderr.write(`${privateKeyWarning}\n\n`);
  const key = await checkDeliveryKey(await readStart(resolve(callerFolder(), file)), { nowMs: systemClock.nowMs() });
  const lines = key.sort === 'ssh' ? describeSsh(key.key) : describeOpenPgp(key.certificate);
  const width = Math.max(...lines.map(([label]) => label.length)) + 2;
  process.stdout.write(`${lines.map(([label, value]) => `${label.padEnd(width)}${value}`).join('\n')}\n`);
  return 0;
}

async function readStart(file: string): Promise<Buffer> {
  await using handle = await open(file, 'r');
  const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(readBytesMax) });
  return buffer.subarray(0, bytesRead);
}

type Lines = (readonly [label: string, value: string])[];

const remarks = (found: readonly Remark[]): Lines => found.map((remark) => ['Remark', remarkTexts[remark]]);

const describeSsh = (key: SshPublicKey): Lines => [
  ['Accepted', `SSH key ${key.algorithm}, ${key.bits} bits`],
  ['Fingerprint', key.fingerprint],
  ...remarks(key.remarks),
];

const describeOpenPgp = (found: OpenPgpCertificate): Lines => [
  ['Accepted', `OpenPGP key, ${found.algorithm}`],
  ...found.userIds.map((userId): [string, string] => ['Name', userId]),
  ['Fingerprint', found.fingerprint],
  ['Encrypts to', `subkey ${found.subkeyId}, ${found.cipher === 'aes256' ? 'AES-256' : 'AES-128'}`],
  ['Ends', found.expiresAtMs === undefined ? 'never' : formatInstant(found.expiresAtMs)],
  ...remarks(found.remarks),
];
