// Which keys sign in, with which signatures, and over what.
import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync, sign } from 'node:crypto';
import test from 'node:test';
import type { AuthAttempt } from './ssh.ts';
import {
  createTestKey,
  formatQuery,
  formatSignIn,
  openPair,
  type Pair,
  type PairOptions,
  settle,
} from './test/adversary.ts';
import { createReader, formatBoolean, formatByte, formatMpint, formatString } from './wire.ts';

const failure = { type: 51, methods: ['publickey'], isPartial: false };

/** A pair after key exchange and service request. */
function openSignIn(options: PairOptions = {}): Pair {
  const pair = openPair(options);
  pair.handshake();
  pair.send(formatByte(5), formatString('ssh-userauth'));
  pair.forget();
  return pair;
}

function readAnswers(pair: Pair): unknown[] {
  return pair.received.map((payload) => {
    if (payload[0] !== 51) return payload[0];
    const reader = createReader(payload, 1);
    return { type: 51, methods: reader.nameList(), isPartial: reader.boolean() };
  });
}

test("T13: a signature over another connection's exchange hash is refused", async () => {
  const other = openSignIn();
  const pair = openSignIn();
  pair.send(formatSignIn({ user: 'u', key: createTestKey(), sessionId: other.sessionId }));
  await settle();
  assert.deepEqual(readAnswers(pair), [failure]);
  assert.deepEqual([pair.attempts[0]?.signed, pair.attempts[0]?.fault], [false, 'signature_wrong']);
});

test('T13: a signature made for another user, service, key or algorithm is refused', async () => {
  const key = createTestKey();
  const pair = openSignIn();
  const good = formatSignIn({ user: 'user', key, sessionId: pair.sessionId });
  const otherUser = Buffer.from(good);
  otherUser.write('uzer', 5);
  const otherKey = createTestKey();
  const swapped = Buffer.from(good);
  otherKey.blob.copy(swapped, good.indexOf(key.blob));
  const damaged = Buffer.from(good);
  damaged[damaged.length - 1]! ^= 1;
  for (const bytes of [otherUser, swapped, damaged]) {
    pair.send(bytes);
    await settle();
  }
  assert.deepEqual(readAnswers(pair), [failure, failure, failure]);
  assert.deepEqual(
    pair.attempts.map((attempt) => attempt.fault),
    ['signature_wrong', 'signature_wrong', 'signature_wrong'],
  );
});

/** A key with its blob and a signed request under any algorithm name. */
function formatForeignSignIn(pair: Pair, algorithm: string, blob: Buffer, signRaw: (data: Buffer) => Buffer): Buffer {
  const parts = [formatString('publickey'), formatBoolean(true), formatString(algorithm), formatString(blob)];
  const head = Buffer.concat([formatByte(50), formatString('u'), formatString('ssh-connection'), ...parts]);
  const raw = signRaw(Buffer.concat([formatString(pair.sessionId), head]));
  return Buffer.concat([head, formatString(Buffer.concat([formatString(algorithm), formatString(raw)]))]);
}

function makeRsa(bits: number) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const jwk = publicKey.export({ format: 'jwk' });
  const numbers = [jwk.e, jwk.n].map((text) => formatMpint(Buffer.from(text ?? '', 'base64url')));
  return { privateKey, blob: Buffer.concat([formatString('ssh-rsa'), ...numbers]) };
}

test('RSA keys sign in with SHA-2 only, and from 2048 bits', async () => {
  const { privateKey, blob } = makeRsa(2048);
  const weak = makeRsa(1024);
  const pair = openSignIn();
  pair.send(formatForeignSignIn(pair, 'ssh-rsa', blob, (data) => createSign('sha1').update(data).sign(privateKey)));
  await settle();
  pair.send(formatForeignSignIn(pair, 'rsa-sha2-256', weak.blob, (data) => sign('sha256', data, weak.privateKey)));
  await settle();
  pair.send(formatForeignSignIn(pair, 'rsa-sha2-512', blob, (data) => sign('sha256', data, privateKey)));
  await settle();
  assert.deepEqual(
    pair.attempts.map((attempt) => attempt.fault),
    ['algorithm_not_offered', 'key_too_small', 'signature_wrong'],
  );
  assert.deepEqual(readAnswers(pair), [failure, failure, failure]);
  pair.send(formatForeignSignIn(pair, 'rsa-sha2-512', blob, (data) => sign('sha512', data, privateKey)));
  await settle();
  assert.equal(pair.connection.summary.signatureAlgorithm, 'rsa-sha2-512');
});

const curves = [
  ['nistp256', 'P-256', 'sha256', 32],
  ['nistp384', 'P-384', 'sha384', 48],
  ['nistp521', 'P-521', 'sha512', 66],
] as const;

test('Every curve signs in with its own hash, and a point off the curve is no key', async () => {
  for (const [name, namedCurve, hash, sizeBytes] of curves) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    const jwk = publicKey.export({ format: 'jwk' });
    const point = Buffer.concat([
      formatByte(4),
      Buffer.from(jwk.x ?? '', 'base64url'),
      Buffer.from(jwk.y ?? '', 'base64url'),
    ]);
    const algorithm = `ecdsa-sha2-${name}`;
    const formatKey = (bytes: Buffer): Buffer =>
      Buffer.concat([formatString(algorithm), formatString(name), formatString(bytes)]);
    const signRaw = (data: Buffer): Buffer => {
      const raw = sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return Buffer.concat([formatMpint(raw.subarray(0, sizeBytes)), formatMpint(raw.subarray(sizeBytes))]);
    };
    const pair = openSignIn();
    const off = Buffer.from(point);
    off[off.length - 1]! ^= 1;
    pair.send(formatForeignSignIn(pair, algorithm, formatKey(off), signRaw));
    await settle();
    assert.equal(pair.attempts[0]?.fault, 'key_malformed', name);
    pair.send(formatForeignSignIn(pair, algorithm, formatKey(point), signRaw));
    await settle();
    assert.equal(pair.connection.summary.signatureAlgorithm, algorithm);
  }
});

test('A key blob that is cut, lengthened or of another type is malformed and never accepted', async () => {
  const key = createTestKey();
  const blobs = [
    key.blob.subarray(0, -1),
    Buffer.concat([key.blob, Buffer.alloc(1)]),
    Buffer.alloc(0),
    Buffer.concat([formatString('ssh-rsa'), formatMpint(Buffer.from([1])), formatMpint(Buffer.alloc(256, 0xff))]),
  ];
  const pair = openSignIn({ limits: { triesMax: 20 } });
  for (const blob of blobs) {
    pair.send(formatQuery('u', { algorithm: blob.includes('ssh-rsa') ? 'rsa-sha2-512' : 'ssh-ed25519', blob }));
    await settle();
  }
  assert.deepEqual(
    pair.attempts.map((attempt) => attempt.fault),
    blobs.map(() => 'key_malformed'),
  );
  assert.deepEqual(
    readAnswers(pair),
    blobs.map(() => failure),
  );
});

test('User names that are too long or no UTF-8 are tried as nobody and fail', async () => {
  const pair = openSignIn();
  const key = createTestKey();
  for (const user of [Buffer.alloc(256, 0x61), Buffer.from([0xff, 0xfe])]) {
    pair.send(formatSignIn({ user, key, sessionId: pair.sessionId }));
    await settle();
  }
  assert.deepEqual(
    pair.attempts.map((attempt) => [attempt.user, attempt.fault]),
    [
      ['', 'user_malformed'],
      ['', 'user_malformed'],
    ] satisfies [AuthAttempt['user'], AuthAttempt['fault']][],
  );
  assert.deepEqual(readAnswers(pair), [failure, failure]);
});
