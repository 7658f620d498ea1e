// The writer against the openpgp package, an independent reader that also knows the newer keys and containers.
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createMessage,
  decrypt,
  generateKey,
  type PrivateKey,
  readKey,
  readMessage,
  readSignature,
  verify,
} from 'openpgp';
import {
  armorCertificate,
  type Container,
  compressionFor,
  createMessageReader,
  describeMessage,
  encryptMessage,
  encryptStream,
  exportCertificate,
  generateSigningKey,
  type RecipientKey,
  recipientKeyOf,
  signDetached,
} from './openpgp-writer.ts';

const atMs = Date.UTC(2026, 0, 5, 12);
const date = new Date(atMs - 86_400_000);
const signer = generateSigningKey({ userId: 'Northgate <delivery@northgate.example>', createdAtMs: atMs - 1000 });
const brokerKey = await readKey({ armoredKey: armorCertificate(exportCertificate(signer)) });

interface Reader {
  readonly privateKey: PrivateKey;
  readonly recipient: (container: Container) => RecipientKey;
}
async function makeReader(type: 'curve25519' | 'curve448' | 'ecc' | 'rsa', v6Keys: boolean): Promise<Reader> {
  const curve = type === 'ecc' ? ({ curve: 'nistP256' } as const) : {};
  const userIDs = [{ email: 'jo@client.example' }];
  const options = { type, ...curve, rsaBits: 2048, userIDs, date, config: { v6Keys } };
  const { privateKey } = await generateKey({ ...options, format: 'object' });
  const body = privateKey.toPublic().subkeys[0]!.keyPacket.write();
  return { privateKey, recipient: (container) => recipientKeyOf(body, { cipher: 'aes256', container }) };
}
const readers: Readonly<Record<string, Reader>> = {
  'X25519 in version 4': await makeReader('curve25519', false),
  'X448 in version 4': await makeReader('curve448', false),
  'NIST P-256': await makeReader('ecc', false),
  'RSA 2048': await makeReader('rsa', false),
  'X25519 in version 6': await makeReader('curve25519', true),
  'X448 in version 6': await makeReader('curve448', true),
};
const containers: readonly Container[] = ['seipd1', 'seipd2-gcm', 'seipd2-ocb'];
const common = { signer, signedAtMs: atMs, fileName: 'statement.csv', modifiedAtMs: atMs };

async function open(message: Uint8Array, reader: Reader): Promise<Buffer> {
  const opened = await decrypt({
    message: await readMessage({ binaryMessage: message }),
    decryptionKeys: reader.privateKey,
    verificationKeys: brokerKey,
    expectSigned: true,
    format: 'binary',
    date: new Date(atMs + 1000),
  });
  assert.equal(opened.filename, 'statement.csv');
  return Buffer.from(opened.data);
}
async function* pieces(data: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += sizeBytes) yield data.subarray(at, at + sizeBytes);
}
async function gather(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

for (const [name, reader] of Object.entries(readers)) {
  for (const container of containers) {
    test(`the openpgp package opens what is sealed to a key of ${name} as ${container}`, async () => {
      const recipients = [reader.recipient(container)];
      // Sizes around the chunks of SEIPD version 2; the reader's OCB is slow, so it reads less.
      const sizes = container === 'seipd2-ocb' ? [0, 65_536] : [0, 1, 65_335, 65_536, 200_001];
      for (const sizeBytes of sizes) {
        const data = randomBytes(sizeBytes);
        for (const compression of ['none', 'zip'] as const) {
          const options = { ...common, recipients, compression };
          const message = encryptMessage({ ...options, data });
          assert.equal(Buffer.compare(await open(message, reader), data), 0);
          const streamed = await gather(encryptStream({ ...options, source: pieces(data, 30_000) }));
          assert.equal(Buffer.compare(await open(streamed, reader), data), 0);
          const outline = { recipientKeyIds: [recipients[0]!.keyId], container: container.slice(0, 6) };
          assert.deepEqual(describeMessage(message), { ...outline, sizeBytes: message.length });
          assert.deepEqual(describeMessage(streamed), { ...outline, sizeBytes: streamed.length });
        }
      }
    });
  }
}

test('a mix of recipients gets the container and cipher that all of them read', async () => {
  const [older, newer] = [readers['RSA 2048']!, readers['X25519 in version 6']!];
  const data = Buffer.from('for both');
  const recipients = [older.recipient('seipd1'), newer.recipient('seipd2-ocb')];
  const message = encryptMessage({ ...common, recipients, data });
  assert.equal(describeMessage(message).container, 'seipd1');
  for (const reader of [older, newer]) assert.deepEqual(await open(message, reader), data);
  const both = [older.recipient('seipd2-gcm'), newer.recipient('seipd2-ocb')];
  const modern = encryptMessage({ ...common, recipients: both, data });
  assert.equal(describeMessage(modern).container, 'seipd2');
  for (const reader of [older, newer]) assert.deepEqual(await open(modern, reader), data);
});

test('a message changed in any place is not opened', async () => {
  const reader = readers['X25519 in version 4']!;
  for (const container of containers) {
    const message = encryptMessage({ ...common, recipients: [reader.recipient(container)], data: randomBytes(300) });
    for (let round = 0; round < 20; round++) {
      const changed = Buffer.from(message);
      changed[changed.length - 1 - randomInt(200)]! ^= 1;
      await assert.rejects(open(changed, reader));
    }
  }
});

test('a detached signature is good in the openpgp package', async () => {
  const data = randomBytes(1000);
  const { signatures } = await verify({
    message: await createMessage({ binary: data }),
    signature: await readSignature({ binarySignature: signDetached({ signer, data, signedAtMs: atMs }) }),
    verificationKeys: brokerKey,
    date: new Date(atMs + 1000),
  });
  assert.equal(await signatures[0]!.verified, true);
});

test('any content, name and division into pieces comes out as it went in', async (context) => {
  const seed = randomInt(2 ** 31);
  context.diagnostic(`seed ${seed}`);
  const names = Object.keys(readers);
  const cases = fc.record({
    data: fc.uint8Array({ maxLength: 3000, size: 'max' }),
    pieceBytes: fc.integer({ min: 1, max: 1000 }),
    name: fc.constantFrom(...names),
    container: fc.constantFrom(...containers),
    compression: fc.constantFrom('none' as const, 'zip' as const),
    isSizeKnown: fc.boolean(),
  });
  const holds = fc.asyncProperty(cases, async ({ data, pieceBytes, name, container, compression, isSizeKnown }) => {
    const reader = readers[name]!;
    const sizeBytes = isSizeKnown ? data.length : undefined;
    const options = { ...common, recipients: [reader.recipient(container)], compression, sizeBytes };
    const message = await gather(encryptStream({ ...options, source: pieces(data, pieceBytes) }));
    assert.equal(Buffer.compare(await open(message, reader), data), 0);
  });
  await fc.assert(holds, { seed, numRuns: 60 });
});

test('an unsigned stream of a known size has definite lengths only', async () => {
  const reader = readers['RSA 2048']!;
  const data = randomBytes(100_000);
  for (const container of containers) {
    const recipients = [reader.recipient(container)];
    const options = { ...common, signer: undefined, recipients, compression: 'none' } as const;
    const streamed = await gather(encryptStream({ ...options, source: pieces(data, 999), sizeBytes: data.length }));
    assert.equal(streamed.length, encryptMessage({ ...options, data }).length);
  }
});

test('text is compressed, and what is compressed already is not', () => {
  for (const name of ['a.csv', 'a.XML', 'a.txt', 'a.json', 'a.html']) assert.equal(compressionFor(name), 'zip');
  for (const name of ['a.pdf', 'a.zip', 'a.csv.gz', 'a', 'csv']) assert.equal(compressionFor(name), 'none');
});

test('a message without a recipient and a name that does not fit are faults of the caller', () => {
  const data = Buffer.alloc(1);
  const recipients = [readers['RSA 2048']!.recipient('seipd1')];
  assert.throws(() => encryptMessage({ ...common, recipients: [], data }), RangeError);
  assert.throws(() => encryptMessage({ ...common, recipients, fileName: 'é'.repeat(128), data }), RangeError);
  encryptMessage({ ...common, recipients, fileName: 'é'.repeat(127), data });
});

test('a stream checked as it passes gives the same outline however it is cut', () => {
  const recipients = [readers['RSA 2048']!.recipient('seipd1'), readers['NIST P-256']!.recipient('seipd1')];
  const message = encryptMessage({ ...common, recipients, data: randomBytes(10_000) });
  for (const sizeBytes of [1, 2, 3, 7, 500, 20_000]) {
    const reader = createMessageReader();
    for (let at = 0; at < message.length; at += sizeBytes) reader.push(message.subarray(at, at + sizeBytes));
    assert.deepEqual(reader.end(), describeMessage(message));
  }
});
