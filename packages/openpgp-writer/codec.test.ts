// The writer's small parts, and the readers of its own forms: exact at every limit, and safe on any bytes.
import assert from 'node:assert/strict';
import { createCipheriv, randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { unarmorCertificate } from './armor.ts';
import { createFeedback } from './feedback.ts';
import {
  armorCertificate,
  describeMessage,
  encryptMessage,
  exportCertificate,
  exportSigningKey,
  generateSigningKey,
  importSigningKey,
  OpenPgpFormatError,
  readPackets,
  type RecipientKey,
  recipientKeyOf,
  signDetached,
  verifyDetached,
} from './openpgp-writer.ts';
import { readLength } from './packet-reader.ts';
import { formatInteger, formatLength, formatPacket, framePartial, partSizeBytes } from './packets.ts';

const atMs = Date.UTC(2026, 0, 5, 12);
const signer = generateSigningKey({ userId: 'Northgate <delivery@northgate.example>', createdAtMs: atMs });
const certificate = exportCertificate(signer);

test('a length is written in its shortest form and read back, on both sides of every limit', () => {
  const cases: [number, number][] = [
    [0, 1],
    [191, 1],
    [192, 2],
    [8383, 2],
    [8384, 5],
    [65_536, 5],
    [0xffffffff, 5],
  ];
  for (const [size, lengthBytes] of cases) {
    const written = formatLength(size);
    assert.equal(written.length, lengthBytes);
    assert.deepEqual(readLength(written, 0), { lengthBytes, size, partial: false });
    assert.equal(readLength(written.subarray(0, -1), 0), undefined);
  }
  assert.throws(() => formatLength(2 ** 32), RangeError);
});

test('an integer drops leading zeros and counts its bits', () => {
  assert.equal(formatInteger(Buffer.from('00000001ff', 'hex')).toString('hex'), '000901ff');
  assert.equal(formatInteger(Buffer.from('01', 'hex')).toString('hex'), '000101');
  assert.equal(formatInteger(Buffer.alloc(4)).toString('hex'), '0000');
});

test('a packet of unknown size has parts of one size, and one definite part when it is short', async () => {
  for (const sizeBytes of [0, 1, partSizeBytes - 1, partSizeBytes, partSizeBytes + 1, 3 * partSizeBytes]) {
    const body = randomBytes(sizeBytes);
    const framed: Buffer[] = [];
    for await (const piece of framePartial(11, one(body))) framed.push(piece);
    const bytes = Buffer.concat(framed);
    assert.equal(bytes[0], 0xc0 | 11);
    const found: Buffer[] = [];
    for (let at = 1; at < bytes.length; ) {
      const length = readLength(bytes, at)!;
      if (length.partial) assert.equal(length.size, partSizeBytes);
      at += length.lengthBytes;
      found.push(bytes.subarray(at, at + length.size));
      at += length.size;
      assert.equal(length.partial, at < bytes.length);
    }
    assert.equal(Buffer.compare(Buffer.concat(found), body), 0);
  }
});
async function* one(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}

test('cipher feedback equals that of OpenSSL, however the bytes are divided', (context) => {
  const seed = randomInt(2 ** 31);
  context.diagnostic(`seed ${seed}`);
  const cases = fc.record({
    key: fc.constantFrom(16, 32).chain((size) => fc.uint8Array({ minLength: size, maxLength: size })),
    pieces: fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 20 }),
  });
  const holds = fc.property(cases, ({ key, pieces }) => {
    const whole = Buffer.concat(pieces);
    const expected = createCipheriv(`aes-${key.length * 8}-cfb`, key, Buffer.alloc(16)).update(whole);
    const copies = createFeedback(key);
    assert.deepEqual(Buffer.concat(pieces.map((piece) => copies.encryptCopy(piece))), expected);
    const inPlace = createFeedback(key);
    let at = 0;
    for (const { length } of pieces) inPlace.encrypt(whole.subarray(at, (at += length)));
    assert.deepEqual(whole, expected);
  });
  fc.assert(holds, { seed, numRuns: 500 });
});

test('a signature is verified with the certificate alone, and is not good over other bytes or by another key', () => {
  const data = Buffer.from('manifest of 2026-01-05');
  const signature = signDetached({ signer, data, signedAtMs: atMs + 1500 });
  const good = { good: true, fingerprint: signer.fingerprint, signedAtMs: atMs + 1000 };
  assert.deepEqual(verifyDetached({ certificate, signature, data }), good);
  assert.deepEqual(verifyDetached({ certificate: armorCertificate(certificate), signature, data }), good);
  assert.equal(verifyDetached({ certificate, signature, data: Buffer.from('other') }).good, false);
  const other = exportCertificate(generateSigningKey({ userId: 'Other', createdAtMs: atMs }));
  assert.equal(verifyDetached({ certificate: other, signature, data }).good, false);
  // Every signature is good, whatever zeros its integers begin with.
  for (let round = 0; round < 600; round++) {
    const bytes = Buffer.from(String(round));
    assert.ok(
      verifyDetached({ certificate, signature: signDetached({ signer, data: bytes, signedAtMs: atMs }), data: bytes })
        .good,
    );
  }
});

test('a certificate of the same key with another time is not the one that signed', () => {
  const data = Buffer.from('data');
  const signature = signDetached({ signer, data, signedAtMs: atMs });
  const other = Buffer.from(certificate);
  // Header, version, then the time.
  other[6]! ^= 1;
  assert.equal(verifyDetached({ certificate: other, signature, data }).good, false);
});

test('armour comes back as it was, and a changed letter is noticed', () => {
  const text = armorCertificate(certificate);
  assert.deepEqual(unarmorCertificate(text), certificate);
  assert.deepEqual(unarmorCertificate(text.replace(/\n/g, ' \r\n')), certificate);
  const changed = text.replace(/\n([A-Za-z0-9])/, (_, c: string) => `\n${c === 'x' ? 'y' : 'x'}`);
  assert.throws(() => unarmorCertificate(changed), OpenPgpFormatError);
  assert.throws(() => unarmorCertificate(''), OpenPgpFormatError);
});

test('the same private form gives the same certificate, and other bytes are refused without showing them', () => {
  assert.deepEqual(exportCertificate(importSigningKey(exportSigningKey(signer))), certificate);
  assert.throws(() => importSigningKey(certificate), OpenPgpFormatError);
  assert.throws(() => importSigningKey(Buffer.concat([exportSigningKey(signer), certificate])), OpenPgpFormatError);
});

const recipient: RecipientKey = {
  keyVersion: 4,
  fingerprint: 'AB'.repeat(20),
  keyId: 'AB'.repeat(8),
  cipher: 'aes256',
  container: 'seipd1',
  key: { kind: 'x25519', point: Buffer.from([9, ...Buffer.alloc(31)]).toString('base64url') },
};
const facts = { recipients: [recipient], signedAtMs: atMs, modifiedAtMs: atMs, fileName: 'a.pdf' };

test('only a whole message passes the structure check', () => {
  const message = encryptMessage({ ...facts, data: randomBytes(300) });
  assert.deepEqual(describeMessage(message), {
    recipientKeyIds: [recipient.keyId],
    container: 'seipd1',
    sizeBytes: message.length,
  });
  for (let sizeBytes = 0; sizeBytes < message.length; sizeBytes++)
    assert.throws(() => describeMessage(message.subarray(0, sizeBytes)), OpenPgpFormatError);
  const sealedOnly = message.subarray(2 + message[1]!);
  const wrong = [
    Buffer.concat([message, Buffer.alloc(1)]),
    Buffer.concat([message, message]),
    sealedOnly,
    formatPacket(11, Buffer.from('in clear')),
    Buffer.concat([message.subarray(0, 2 + message[1]!), formatPacket(11, Buffer.from('in clear'))]),
    Buffer.from('%PDF-1.7'),
  ];
  for (const bytes of wrong) assert.throws(() => describeMessage(bytes), OpenPgpFormatError);
});

test('a point of small order is refused by OpenSSL and never encrypted to', () => {
  const zero = { ...recipient, key: { kind: 'x25519', point: Buffer.alloc(32).toString('base64url') } } as const;
  assert.throws(() => encryptMessage({ ...facts, recipients: [zero], data: Buffer.alloc(1) }));
});

test('readers of bytes throw only their own error, and never hang', (context) => {
  const seed = randomInt(2 ** 31);
  context.diagnostic(`seed ${seed}`);
  const data = Buffer.from('data');
  const samples = [
    certificate,
    exportSigningKey(signer),
    signDetached({ signer, data, signedAtMs: atMs }),
    encryptMessage({ ...facts, data }),
    readPackets(certificate)[0]!.body,
  ];
  const mutated = fc.record({
    sample: fc.constantFrom(...samples),
    edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    end: fc.nat(2000),
  });
  const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const inputs = fc.oneof(
    noise,
    mutated.map(({ sample, edits, end }) => {
      const bytes = Buffer.from(sample);
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      return bytes.subarray(0, end);
    }),
  );
  const decoders: ((bytes: Buffer) => unknown)[] = [
    readPackets,
    describeMessage,
    (bytes) => verifyDetached({ certificate: bytes, signature: samples[2]!, data }),
    (bytes) => verifyDetached({ certificate, signature: bytes, data }),
    (bytes) => recipientKeyOf(bytes, { cipher: 'aes256', container: 'seipd1' }),
    (bytes) => unarmorCertificate(bytes.toString('latin1')),
  ];
  const holds = fc.property(inputs, (bytes) => {
    for (const decode of decoders) {
      try {
        decode(bytes);
      } catch (fault) {
        assert.ok(fault instanceof OpenPgpFormatError, String(fault));
      }
    }
  });
  fc.assert(holds, { seed, numRuns: 3000 });
});
