// OpenPGP certificates as real programs make them and as mail mangles them: what is accepted, and each reason for a no.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { encryptMessage, readPackets } from '@broadgate/openpgp-writer';
import { generateKey, revokeKey } from 'openpgp';
import { openGnupgHome } from '../../../packages/openpgp-writer/test/real-readers.ts';
import { systemClock } from '../../kernel/clock.ts';
import { createSeededRandom, randomBelow } from '../../kernel/random.ts';
import { Refusal } from '../../kernel/refusal.ts';
import { checkDeliveryKey } from './intake.ts';
import { type OpenPgpCertificate, readCertificate } from './openpgp-certificate.ts';
import { certificateState, keyLimits } from './rules.ts';

const home = openGnupgHome();
after(() => home[Symbol.dispose]());
const nowMs = systemClock.nowMs() + 1000;
const dayMs = 86_400_000;
const person = (name: string): string[] => [`Name-Real: ${name}`, `Name-Email: ${name}@client.example`];
const ecc = ['Key-Type: EDDSA', 'Key-Curve: ed25519', 'Subkey-Type: ECDH', 'Subkey-Curve: cv25519'];
const make = (name: string, lines: readonly string[], expire = '0'): string =>
  home.generate([...lines, ...person(name), `Expire-Date: ${expire}`]);
const armored = (...fingerprints: string[]): string => home.gpg(['--armor', '--export', ...fingerprints]).toString();
const binary = (fingerprint: string): Buffer => home.gpg(['--export', fingerprint]);

async function accept(bytes: Uint8Array | string, atMs = nowMs): Promise<OpenPgpCertificate> {
  const key = await checkDeliveryKey(Buffer.from(bytes), { nowMs: atMs });
  assert.ok(key.sort === 'openpgp');
  return key.certificate;
}
const refused =
  (code: string, params: Record<string, unknown> = {}) =>
  (fault: unknown) =>
    fault instanceof Refusal &&
    fault.code === code &&
    Object.entries(params).every(([name, value]) => fault.params[name] === value);
const assertRefused = (bytes: Uint8Array | string, code: string, params = {}, atMs = nowMs): Promise<void> =>
  assert.rejects(checkDeliveryKey(Buffer.from(bytes), { nowMs: atMs }), refused(code, params), `expected ${code}`);

/** The certificate is what gpg shows, and what is encrypted to it opens. */
function assertUsable(certificate: OpenPgpCertificate): void {
  const listing = home.gpg(['--with-colons', '--list-keys', certificate.fingerprint]).toString();
  assert.match(listing, new RegExp(`^(sub|pub):.*:${certificate.subkeyId}:`, 'm'));
  const data = randomBytes(2000);
  const facts = { fileName: 'statement.pdf', modifiedAtMs: nowMs, signedAtMs: nowMs };
  const message = encryptMessage({ ...facts, recipients: [certificate.recipient], data });
  assert.equal(Buffer.compare(home.open(message).data, data), 0);
}

const jo = make('jo', ecc);
const joText = armored(jo);

test('EN-06: a key made with the profile of GPG for Windows is accepted, with its CRLF and its comments', async () => {
  const rsa3072 = ['Key-Type: RSA', 'Key-Length: 3072', 'Subkey-Type: RSA', 'Subkey-Length: 3072'];
  const fingerprint = make('windows', rsa3072, '2y');
  const comments = [
    'User-ID:\twindows <windows@client.example>',
    'Type:\t3072-bit RSA',
    `Fingerprint:\t${fingerprint}`,
  ];
  const text = armored(fingerprint).replace(
    'BLOCK-----\n',
    `BLOCK-----\n${comments.map((line) => `Comment: ${line}\n`).join('')}`,
  );
  const certificate = await accept(text.replace(/\n/g, '\r\n'));
  assert.equal(certificate.fingerprint, fingerprint);
  assert.equal(certificate.algorithm, 'RSA 3072');
  assert.deepEqual(certificate.userIds, ['windows <windows@client.example>']);
  assert.equal(certificate.cipher, 'aes256');
  assert.ok(certificate.expiresAtMs! > nowMs + 700 * dayMs);
  assertUsable(certificate);
});

test('EN-07: a key made with the profile of GPG Suite on macOS is accepted', async () => {
  const rsa4096 = ['Key-Type: RSA', 'Key-Length: 4096', 'Subkey-Type: RSA', 'Subkey-Length: 4096'];
  const fingerprint = make('mac', rsa4096, '4y');
  const text = armored(fingerprint).replace('BLOCK-----\n', 'BLOCK-----\nComment: GPGTools - https://gpgtools.org\n');
  const certificate = await accept(text);
  assert.equal(certificate.algorithm, 'RSA 4096');
  assert.equal(certificate.fingerprint, fingerprint);
  assertUsable(certificate);
});

test('a certificate is read from every text it arrives in', async () => {
  const mail = `Hello,\n\nhere is my key.\n\n${joText}\n-- \nJo\n`;
  const forms: Record<string, Buffer> = {
    armoured: Buffer.from(joText),
    binary: binary(jo),
    'with CRLF': Buffer.from(joText.replace(/\n/g, '\r\n')),
    'with a byte-order mark': Buffer.from(`\uFEFF${joText}`),
    'in UTF-16 LE': Buffer.from(`\uFEFF${joText}`, 'utf16le'),
    'in UTF-16 BE': Buffer.from(`\uFEFF${joText}`, 'utf16le').swap16(),
    quoted: Buffer.from(joText.replace(/^/gm, '> ')),
    'quoted twice': Buffer.from(joText.replace(/^/gm, '>> ')),
    'inside a mail': Buffer.from(mail),
    'inside a quoted mail': Buffer.from(mail.replace(/^/gm, '> ')),
    'inside a mail in Latin-1': Buffer.from(`Gr\u00fc\u00dfe\n${joText}`, 'latin1'),
    indented: Buffer.from(joText.replace(/^/gm, '    ')),
    'without the blank line': Buffer.from(joText.replace('BLOCK-----\n\n', 'BLOCK-----\n')),
    'without the checksum': Buffer.from(joText.replace(/\n=.{4}\n/, '\n')),
  };
  const first = await accept(joText);
  assert.equal(first.algorithm, 'Curve25519');
  assert.deepEqual(first.remarks, ['never_expires']);
  assertUsable(first);
  for (const [form, bytes] of Object.entries(forms)) assert.deepEqual(await accept(bytes), first, form);
  assert.deepEqual(await accept(first.armored), first);
});

test('a private key is refused armoured, binary and behind a public one, and said to be compromised', async () => {
  await assertRefused(home.gpg(['--armor', '--export-secret-keys', jo]), 'key_private');
  await assertRefused(home.gpg(['--export-secret-keys', jo]), 'key_private');
  await assertRefused(Buffer.concat([binary(jo), home.gpg(['--export-secret-keys', jo])]), 'key_private');
  // The reader refuses by itself too, should a caller forget to look first.
  await assert.rejects(readCertificate(home.gpg(['--export-secret-keys', jo]), nowMs), refused('key_private'));
});

test('two certificates are refused, pasted together or in one block', async () => {
  const other = make('other', ecc);
  await assertRefused(joText + armored(other), 'key_several');
  await assertRefused(armored(jo, other), 'key_several');
  await assertRefused(Buffer.concat([binary(jo), binary(other)]), 'key_several');
});

test('weak and foreign algorithms are refused by name', async () => {
  const rsa1024 = make('short', ['Key-Type: RSA', 'Key-Length: 1024', 'Subkey-Type: RSA', 'Subkey-Length: 1024']);
  await assertRefused(armored(rsa1024), 'key_weak', { algorithm: 'RSA 1024' });
  const weakSubkey = make('weak', ['Key-Type: EDDSA', 'Key-Curve: ed25519', 'Subkey-Type: RSA', 'Subkey-Length: 1024']);
  await assertRefused(armored(weakSubkey), 'key_weak', { algorithm: 'RSA 1024' });
  const dsa = make('dsa', ['Key-Type: DSA', 'Key-Length: 1024', 'Subkey-Type: ELG-E', 'Subkey-Length: 1024']);
  await assertRefused(armored(dsa), 'key_weak', { algorithm: 'DSA 1024' });
  const elgamal = make('elgamal', [
    'Key-Type: EDDSA',
    'Key-Curve: ed25519',
    'Subkey-Type: ELG-E',
    'Subkey-Length: 1024',
  ]);
  await assertRefused(armored(elgamal), 'key_weak', { algorithm: 'ElGamal 1024' });
  for (const curve of ['brainpoolP256r1', 'secp256k1']) {
    const own = ['Key-Type: ECDSA', `Key-Curve: ${curve}`, 'Subkey-Type: ECDH', `Subkey-Curve: ${curve}`];
    await assertRefused(armored(make(curve, own)), 'key_curve_unsupported', { curve });
    const subkey = ['Key-Type: EDDSA', 'Key-Curve: ed25519', 'Subkey-Type: ECDH', `Subkey-Curve: ${curve}`];
    await assertRefused(armored(make(`sub${curve}`, subkey)), 'key_curve_unsupported', { curve });
  }
});

test('NIST curves, and the algorithms of RFC 9580 in version 4, are accepted', async () => {
  for (const bits of ['256', '384', '521']) {
    const lines = ['Key-Type: ECDSA', `Key-Curve: nistp${bits}`, 'Subkey-Type: ECDH', `Subkey-Curve: nistp${bits}`];
    const certificate = await accept(armored(make(`p${bits}`, lines)));
    assert.equal(certificate.algorithm, `NIST P-${bits}`);
    assertUsable(certificate);
  }
  const date = new Date(nowMs - dayMs);
  const userIDs = [{ email: 'new@client.example' }];
  for (const [type, name] of [
    ['curve25519', 'X25519'],
    ['curve448', 'X448'],
  ] as const) {
    const { publicKey } = await generateKey({ type, userIDs, date, config: { v6Keys: false } });
    assert.equal((await accept(publicKey)).algorithm, name);
  }
});

test('a version 6 key is accepted, and the client is told who cannot read it', async () => {
  const date = new Date(nowMs - dayMs);
  const { publicKey } = await generateKey({
    type: 'curve25519',
    userIDs: [{ name: 'Jo' }],
    date,
    config: { v6Keys: true },
  });
  const certificate = await accept(publicKey);
  assert.equal(certificate.keyVersion, 6);
  assert.equal(certificate.fingerprint.length, 64);
  assert.ok(certificate.remarks.includes('gnupg_22_cannot_read'));
});

test('an expired certificate is refused with the day, and so is one whose encryption subkey expired', async () => {
  const brief = make('brief', ecc, '1d');
  const { expiresAtMs } = await accept(armored(brief));
  assert.ok(expiresAtMs! > nowMs && expiresAtMs! <= nowMs + dayMs + 60_000);
  const on = new Date(expiresAtMs!).toISOString().slice(0, 10);
  await assertRefused(armored(brief), 'key_expired', { on }, expiresAtMs!);
  await accept(armored(brief), expiresAtMs! - 1);
  const host = make('host', ['Key-Type: EDDSA', 'Key-Curve: ed25519']);
  home.gpg(['--quick-add-key', host, 'cv25519', 'encr', '1d']);
  assert.ok((await accept(armored(host))).expiresAtMs! <= nowMs + dayMs + 60_000);
  await assertRefused(armored(host), 'key_expired', {}, nowMs + 2 * dayMs);
  await assertRefused(armored(brief), 'key_not_yet_valid', {}, nowMs - 2 * dayMs);
});

test('a revoked certificate is refused, and so is one whose encryption subkey is revoked', async () => {
  const lost = make('lost', ecc);
  const date = new Date(nowMs - dayMs);
  const made = await generateKey({
    type: 'curve25519',
    userIDs: [{ name: 'Jo' }],
    date,
    format: 'object',
    config: { v6Keys: false },
  });
  const { publicKey } = await revokeKey({ key: made.privateKey, date: new Date(nowMs - 1000) });
  await assertRefused(publicKey, 'key_revoked');
  const subkey = await made.privateKey.subkeys[0]!.revoke(
    made.privateKey.keyPacket as never,
    undefined,
    new Date(nowMs - 1000),
  );
  made.privateKey.subkeys[0] = subkey;
  await assertRefused(made.privateKey.toPublic().armor(), 'key_revoked');
  revokeWithGnupg(lost);
  await assertRefused(armored(lost), 'key_revoked');
});

/** GnuPG keeps a revocation beside every new key, with a colon before its dashes against accidents. */
function revokeWithGnupg(fingerprint: string): void {
  const text = readFileSync(join(home.folder, 'openpgp-revocs.d', `${fingerprint}.rev`), 'utf8');
  home.gpg(['--import'], text.replace(/^:(-----BEGIN)/m, '$1'));
}

test('a key that cannot encrypt is refused with what is missing', async () => {
  await assertRefused(armored(make('signer', ['Key-Type: EDDSA', 'Key-Curve: ed25519'])), 'key_without_encryption');
  const rsaSigner = make('rsasigner', ['Key-Type: RSA', 'Key-Length: 2048', 'Key-Usage: sign']);
  await assertRefused(armored(rsaSigner), 'key_without_encryption');
});

test('damaged certificates and other texts are refused with one plain reason', async () => {
  await assertRefused(joText.slice(0, 300), 'key_unreadable');
  await assertRefused(joText.replace('-----END PGP PUBLIC KEY BLOCK-----', ''), 'key_unreadable');
  const lines = joText.split('\n');
  await assertRefused([...lines.slice(0, 4), ...lines.slice(5)].join('\n'), 'key_unreadable');
  const flipped = joText.replace(/\n([A-Za-z0-9+/])/, (_, c: string) => `\n${c === 'A' ? 'B' : 'A'}`);
  await assertRefused(flipped, 'key_unreadable');
  await assertRefused(binary(jo).subarray(0, 100), 'key_unreadable');
  await assertRefused(home.gpg(['--local-user', jo, '--clear-sign'], 'my key'), 'key_unreadable');
  await assertRefused(home.gpg(['--local-user', jo, '--armor', '--detach-sign'], 'my key'), 'key_unreadable');
  await assertRefused(
    '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----',
    'key_unreadable',
  );
  await assertRefused('', 'key_empty');
  await assertRefused(Buffer.alloc(keyLimits.uploadBytesMax + 1, 0x20), 'key_too_large');
});

test('a flipped bit anywhere never changes what is encrypted to', async (context) => {
  const seed = randomBytes(4).toString('hex');
  context.diagnostic(`seed ${seed}`);
  const random = createSeededRandom(seed);
  const whole = binary(jo);
  const first = await accept(whole);
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(whole);
    bytes[randomBelow(random, bytes.length)]! ^= 1 << randomBelow(random, 8);
    const outcome = await checkDeliveryKey(bytes, { nowMs }).catch((fault: unknown) => fault);
    if (outcome instanceof Refusal) continue;
    assert.ok(typeof outcome === 'object' && outcome !== null && 'certificate' in outcome, String(outcome));
    assert.deepEqual((outcome.certificate as OpenPgpCertificate).recipient, first.recipient);
  }
});

test('a certificate with too many user ids or subkeys is refused at the limit plus one', async () => {
  const packets = readPackets(binary(jo));
  const [key, userId, certification, subkey, binding] = packets;
  const { userIdsMax, subkeysMax } = keyLimits;
  const build = (userIds: number, subkeys: number): Buffer =>
    Buffer.concat(
      [
        key!,
        ...Array.from({ length: userIds }, () => [userId!, certification!]).flat(),
        ...Array.from({ length: subkeys }, () => [subkey!, binding!]).flat(),
      ].map(formatLong),
    );
  await accept(build(userIdsMax, 1));
  await accept(build(1, subkeysMax));
  await assertRefused(build(userIdsMax + 1, 1), 'key_too_many_parts');
  await assertRefused(build(1, subkeysMax + 1), 'key_too_many_parts');
});

function formatLong({ tag, body }: { tag: number; body: Buffer }): Buffer {
  const header = Buffer.from([0xc0 | tag, 0xff, 0, 0, 0, 0]);
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

test('the newest encryption subkey is chosen, and the cipher follows the preferences', async () => {
  const fingerprint = make('modest', [...ecc, 'Preferences: AES SHA256 ZIP']);
  const certificate = await accept(armored(fingerprint));
  assert.equal(certificate.cipher, 'aes128');
  assert.equal(certificate.recipient.container, 'seipd1');
  const later = `${Math.floor(nowMs / 1000) + 600}!`;
  home.gpg(['--faked-system-time', later, '--quick-add-key', fingerprint, 'cv25519', 'encr']);
  const again = await accept(armored(fingerprint), nowMs + 900_000);
  assert.notEqual(again.subkeyId, certificate.subkeyId);
  assert.equal(again.fingerprint, certificate.fingerprint);
});

test('a key that prefers OCB gets it from native code, at no more than twice the cost of the usual path', async () => {
  const config = { v6Keys: false, aeadProtect: true, preferredAEADAlgorithm: 2 };
  const date = new Date(nowMs - dayMs);
  const { publicKey } = await generateKey({ type: 'curve25519', userIDs: [{ name: 'Jo' }], date, config });
  const { recipient } = await accept(publicKey);
  assert.equal(recipient.container, 'seipd2-ocb');
  const data = randomBytes(500_000);
  const facts = { fileName: 'statement.pdf', modifiedAtMs: nowMs, signedAtMs: nowMs, data };
  const usual = { ...recipient, container: 'seipd1' } as const;
  const ocbMs = leastCpuMs(() => encryptMessage({ ...facts, recipients: [recipient] }));
  const usualMs = leastCpuMs(() => encryptMessage({ ...facts, recipients: [usual] }));
  assert.ok(ocbMs < 2 * usualMs, `${ocbMs} ms against ${usualMs} ms`);
});

/** Units: ms of processor time for fifty calls, the least of six rounds: whatever else the machine does only adds. */
function leastCpuMs(work: () => void): number {
  let leastMs = Infinity;
  for (let round = 0; round < 6; round++) {
    const before = process.threadCpuUsage();
    for (let call = 0; call < 50; call++) work();
    const used = process.threadCpuUsage(before);
    leastMs = Math.min(leastMs, (used.user + used.system) / 1000);
  }
  return leastMs;
}

test('a cached certificate ends at its expiry and at its revocation, to the millisecond', () => {
  const ends = { expiresAtMs: 1000 };
  assert.equal(certificateState(ends, 999), 'usable');
  assert.equal(certificateState(ends, 1000), 'expired');
  assert.equal(certificateState({ expiresAtMs: undefined }, Number.MAX_SAFE_INTEGER), 'usable');
  assert.equal(certificateState({ ...ends, revokedAtMs: 500 }, 499), 'usable');
  assert.equal(certificateState({ ...ends, revokedAtMs: 500 }, 500), 'revoked');
  assert.equal(certificateState({ ...ends, revokedAtMs: undefined }, 1), 'usable');
});
