// The writer against the real readers: what it seals opens byte for byte, and its signature is good.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import {
  armorCertificate,
  encryptMessage,
  encryptStream,
  exportCertificate,
  exportSigningKey,
  generateSigningKey,
  importSigningKey,
  signDetached,
  signDetachedStream,
} from './openpgp-writer.ts';
import { encryptionKeyOf, openGnupgHome, openWithSequoia } from './test/real-readers.ts';

const atMs = Date.UTC(2026, 0, 5, 12);
const home = openGnupgHome();
after(() => home[Symbol.dispose]());
const signer = generateSigningKey({ userId: 'Northgate Securities <delivery@northgate.example>', createdAtMs: atMs });
home.gpg(['--import'], armorCertificate(exportCertificate(signer)));

const profiles = {
  'RSA 2048': ['Key-Type: RSA', 'Key-Length: 2048', 'Subkey-Type: RSA', 'Subkey-Length: 2048'],
  'RSA 3072': ['Key-Type: RSA', 'Key-Length: 3072', 'Subkey-Type: RSA', 'Subkey-Length: 3072'],
  'RSA 4096': ['Key-Type: RSA', 'Key-Length: 4096', 'Subkey-Type: RSA', 'Subkey-Length: 4096'],
  Curve25519: ['Key-Type: EDDSA', 'Key-Curve: ed25519', 'Subkey-Type: ECDH', 'Subkey-Curve: cv25519'],
  'NIST P-256': ['Key-Type: ECDSA', 'Key-Curve: nistp256', 'Subkey-Type: ECDH', 'Subkey-Curve: nistp256'],
  'NIST P-384': ['Key-Type: ECDSA', 'Key-Curve: nistp384', 'Subkey-Type: ECDH', 'Subkey-Curve: nistp384'],
  'NIST P-521': ['Key-Type: ECDSA', 'Key-Curve: nistp521', 'Subkey-Type: ECDH', 'Subkey-Curve: nistp521'],
};

interface Recipient {
  readonly key: ReturnType<typeof encryptionKeyOf>;
  readonly secretFile: string;
}
const recipients = new Map<string, Recipient>();
function recipient(profile: keyof typeof profiles): Recipient {
  let made = recipients.get(profile);
  if (!made) {
    const name = profile.replace(' ', '-');
    const fingerprint = home.generate([...profiles[profile], `Name-Email: ${name}@client.example`, 'Expire-Date: 0']);
    const secretFile = home.write(`${name}.pgp`, home.gpg(['--export-secret-keys', fingerprint]));
    made = { key: encryptionKeyOf(home.gpg(['--export', fingerprint])), secretFile };
    recipients.set(profile, made);
  }
  return made;
}

const common = { signer, signedAtMs: atMs, fileName: 'statement.pdf', modifiedAtMs: atMs };
async function* pieces(data: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += sizeBytes) yield data.subarray(at, at + sizeBytes);
}
async function gather(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/** Asserts that both programs open the message to the same bytes and find the signature good. */
function assertOpens(message: Buffer, data: Uint8Array, to: Recipient): void {
  const opened = home.open(message);
  assert.equal(Buffer.compare(opened.data, data), 0);
  assert.equal(opened.goodSignatureBy, signer.fingerprint);
  assert.equal(Buffer.compare(openWithSequoia(home, message, to.secretFile, exportCertificate(signer)), data), 0);
}

for (const profile of Object.keys(profiles) as (keyof typeof profiles)[]) {
  test(`EN-04: a message to a key of ${profile} opens in GnuPG and Sequoia with a good signature`, async () => {
    const to = recipient(profile);
    const data = randomBytes(50_000);
    assertOpens(encryptMessage({ ...common, recipients: [to.key], data }), data, to);
    const streamed = await gather(encryptStream({ ...common, recipients: [to.key], source: pieces(data, 9_999) }));
    assertOpens(streamed, data, to);
  });
}

for (const sizeBytes of [0, 1, 191, 192, 8383, 8384, 65535, 65536, 65537, 1 << 20]) {
  test(`content of ${sizeBytes} bytes opens, compressed or not, whole or streamed`, async () => {
    const to = recipient('Curve25519');
    const data = Buffer.from(
      randomBytes(Math.ceil(sizeBytes / 2))
        .toString('hex')
        .slice(0, sizeBytes),
    );
    for (const compression of ['none', 'zip'] as const) {
      const options = { ...common, recipients: [to.key], compression };
      assertOpens(encryptMessage({ ...options, data }), data, to);
      assertOpens(await gather(encryptStream({ ...options, source: pieces(data, 65_536) })), data, to);
      const sized = { ...options, source: pieces(data, 1_000), sizeBytes };
      assertOpens(await gather(encryptStream(sized)), data, to);
    }
  });
}

test('a message to several keys opens with each of them', () => {
  const data = Buffer.from('one message, two readers');
  const all = [recipient('RSA 2048'), recipient('NIST P-256')];
  const message = encryptMessage({ ...common, recipients: all.map((one) => one.key), data });
  for (const to of all) assertOpens(message, data, to);
});

test('AES-128 is used when one of the recipients does not read AES-256', () => {
  const to = recipient('RSA 2048');
  const data = randomBytes(1000);
  const message = encryptMessage({ ...common, recipients: [{ ...to.key, cipher: 'aes128' }, to.key], data });
  assertOpens(message, data, to);
  assert.equal(home.open(message).cipherId, 7);
  assert.equal(home.open(encryptMessage({ ...common, recipients: [to.key], data })).cipherId, 9);
});

test('a detached signature is good in GnuPG, and not over changed bytes', async () => {
  const data = randomBytes(70_000);
  const signature = signDetached({ signer, data, signedAtMs: atMs });
  assert.equal(home.verify(signature, data), signer.fingerprint);
  assert.deepEqual(await signDetachedStream({ signer, source: pieces(data, 7), signedAtMs: atMs }), signature);
  data[69_999]! ^= 1;
  assert.equal(home.verify(signature, data), undefined);
});

test('an exported signing key signs the same after it is imported, and GnuPG can restore it', () => {
  const restored = importSigningKey(exportSigningKey(signer));
  assert.equal(restored.userId, signer.userId);
  assert.equal(restored.createdAtMs, atMs);
  const data = Buffer.from('manifest');
  assert.deepEqual(
    signDetached({ signer: restored, data, signedAtMs: atMs }),
    signDetached({ signer, data, signedAtMs: atMs }),
  );
  using elsewhere = openGnupgHome();
  elsewhere.gpg(['--import'], exportSigningKey(signer));
  assert.match(elsewhere.gpg(['--list-secret-keys', '--with-colons']).toString(), new RegExp(signer.fingerprint));
});
