// The pool's threads: what they make opens in GnuPG, hostile work is stopped, a crash costs nobody a statement.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { generateKey } from 'openpgp';
import {
  armorCertificate,
  exportCertificate,
  exportSigningKey,
  generateSigningKey,
  readPackets,
} from '@broadgate/openpgp-writer';
import { encryptionKeyOf, openGnupgHome } from '../../../packages/openpgp-writer/test/real-readers.ts';
import { systemClock } from '../../kernel/clock.ts';
import { Outage, Refusal } from '../../kernel/refusal.ts';
import { createLane, type Task } from './encryption-lane.ts';
import { createEncryptionPool } from './encryption-pool.ts';

const atMs = Date.UTC(2026, 0, 5, 12);
const home = openGnupgHome();
after(() => home[Symbol.dispose]());
const signer = generateSigningKey({ userId: 'Northgate <delivery@northgate.example>', createdAtMs: atMs });
home.gpg(['--import'], armorCertificate(exportCertificate(signer)));
const fingerprint = home.generate([
  'Key-Type: EDDSA',
  'Key-Curve: ed25519',
  'Subkey-Type: ECDH',
  'Subkey-Curve: cv25519',
  'Name-Email: jo@client.example',
  'Expire-Date: 0',
]);
const recipient = encryptionKeyOf(home.gpg(['--export', fingerprint]));
const signingKey = exportSigningKey(signer);
const facts = { recipients: [recipient], fileName: 'statement.pdf', modifiedAtMs: atMs, signedAtMs: atMs };

async function* repeat(piece: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < times; i++) yield piece;
}
async function gather(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield randomBytes(2_000_000);
  throw new RangeError('the blob is gone');
}

test('a statement that a worker encrypted opens in GnuPG with a good signature', async () => {
  await using pool = createEncryptionPool({ workers: 2, signingKey });
  const statements = Array.from({ length: 8 }, () => randomBytes(50_000));
  const messages = await Promise.all(statements.map((data) => pool.encrypt({ ...facts, data })));
  for (const [i, message] of messages.entries()) {
    const opened = home.open(message);
    assert.equal(Buffer.compare(opened.data, statements[i]!), 0);
    assert.equal(opened.goodSignatureBy, signer.fingerprint);
  }
});

test('content of any size flows through a worker, compressed or not, and opens in GnuPG', async () => {
  await using pool = createEncryptionPool({ workers: 1, signingKey });
  const piece = Buffer.from(randomBytes(50_000).toString('hex'));
  for (const compression of ['none', 'zip'] as const) {
    const stream = pool.encryptStream({ ...facts, compression, source: repeat(piece, 30) });
    const opened = home.open(await gather(stream));
    assert.equal(Buffer.compare(opened.data, await gather(repeat(piece, 30))), 0);
    assert.equal(opened.goodSignatureBy, signer.fingerprint);
  }
});

test('a detached signature made in a worker is good, from memory and from a stream', async () => {
  await using pool = createEncryptionPool({ workers: 1, signingKey });
  const data = await gather(repeat(randomBytes(300_000), 5));
  const signature = await pool.sign({ data, signedAtMs: atMs });
  assert.equal(home.verify(signature, data), signer.fingerprint);
  assert.deepEqual(await pool.signStream({ source: repeat(data, 1), signedAtMs: atMs }), signature);
});

test('a stream of 256 MiB needs less than 150 MB of memory', async () => {
  await using pool = createEncryptionPool({ workers: 1, signingKey });
  const piece = randomBytes(1 << 20);
  await gather(pool.encryptStream({ ...facts, source: repeat(piece, 4) }));
  const beforeBytes = process.memoryUsage.rss();
  let largestBytes = 0;
  let sizeBytes = 0;
  for await (const part of pool.encryptStream({ ...facts, source: repeat(piece, 256) })) {
    sizeBytes += part.length;
    largestBytes = Math.max(largestBytes, process.memoryUsage.rss());
  }
  assert.ok(sizeBytes > 256 << 20);
  assert.ok(largestBytes - beforeBytes < 150_000_000, `grew by ${largestBytes - beforeBytes} bytes`);
});

test('a fault of the source reaches the reader of the stream, and the pool goes on', async () => {
  await using pool = createEncryptionPool({ workers: 1, signingKey });
  await assert.rejects(gather(pool.encryptStream({ ...facts, source: broken() })), RangeError);
  await assert.rejects(pool.signStream({ source: broken(), signedAtMs: atMs }), RangeError);
  const wrongSize = pool.encryptStream({ ...facts, source: repeat(randomBytes(10), 1), sizeBytes: 11 });
  await assert.rejects(gather(wrongSize), RangeError);
  assert.equal(home.open(await pool.encrypt({ ...facts, data: Buffer.from('on') })).data.toString(), 'on');
});

test('a reader that leaves a stream early frees its place', async () => {
  await using pool = createEncryptionPool({ workers: 1, signingKey, queueLengthMax: 1 });
  for (let i = 0; i < 12; i++) {
    const closed = Promise.withResolvers<void>();
    const source = (async function* () {
      try {
        yield* repeat(randomBytes(1 << 20), 100);
      } finally {
        closed.resolve();
      }
    })();
    for await (const part of pool.encryptStream({ ...facts, source })) {
      assert.ok(part.length > 0);
      break;
    }
    await closed.promise;
  }
});

test('a job that cannot be done is a fault of that job alone', async () => {
  await using pool = createEncryptionPool({ workers: 1 });
  await assert.rejects(pool.encrypt({ ...facts, recipients: [], data: randomBytes(10) }), RangeError);
  await assert.rejects(pool.sign({ data: randomBytes(10), signedAtMs: atMs }), Error);
  assert.equal(home.open(await pool.encrypt({ ...facts, data: Buffer.from('x') })).goodSignatureBy, undefined);
});

test('a full queue and a closed pool are outages', async () => {
  const pool = createEncryptionPool({ workers: 1, signingKey, queueLengthMax: 2 });
  const jobs = Array.from({ length: 20 }, () => pool.encrypt({ ...facts, data: randomBytes(1000) }));
  const results = await Promise.allSettled(jobs);
  const refused = results.filter((result) => result.status === 'rejected');
  assert.equal(refused.length, 16);
  assert.ok(refused.every((result) => result.reason instanceof Outage));
  await pool.close();
  await assert.rejects(pool.encrypt({ ...facts, data: randomBytes(10) }), Outage);
});

test('a certificate is read in a worker, and a refusal keeps its code and params on the way', async () => {
  await using pool = createEncryptionPool({ workers: 1, signingKey });
  const nowMs = systemClock.nowMs() + 1000;
  const certificate = await pool.inspectCertificate(home.gpg(['--export', '--armor', fingerprint]), nowMs);
  assert.equal(certificate.fingerprint, fingerprint);
  assert.deepEqual(certificate.recipient, recipient);
  const before = Date.UTC(2000, 0, 1);
  await assert.rejects(
    pool.inspectCertificate(home.gpg(['--export', fingerprint]), before),
    (fault) => fault instanceof Refusal && fault.code === 'key_not_yet_valid' && typeof fault.params['on'] === 'string',
  );
});

test('a crashed worker is replaced and its job tried once more, and a job that crashes it again is an outage', async () => {
  const lane = createLane({ workers: 1, turnsMax: 2, waitingMax: 10, signingKey });
  // Long enough to be under way when the worker is ended.
  const data = Buffer.from(randomBytes(8 << 20).toString('hex'));
  let crashesLeft = 1;
  const task: Task = {
    prepare: () => ({ job: { kind: 'encrypt', data, ...facts, compression: 'zip' }, transfer: [] }),
    takesTurn: true,
    mayRetry: () => true,
    onStart: (worker) => {
      if (crashesLeft-- > 0) void worker.terminate();
    },
  };
  const outcomes = await Promise.all([lane.run(task), lane.run({ ...task, onStart: () => {} })]);
  assert.ok(outcomes.every((outcome) => 'result' in outcome));
  crashesLeft = 2;
  await assert.rejects(lane.run(task), Outage);
  assert.ok('result' in (await lane.run(task)));
  await lane.close();
});

test('a certificate that takes too much processor time is refused, and the next one is read', async () => {
  await using pool = createEncryptionPool({ workers: 1, signingKey, inspectionCpuMsMax: 150 });
  const nowMs = systemClock.nowMs() + 1000;
  const date = new Date(nowMs - 86_400_000);
  const userIDs = [{ email: 'mallory@client.example' }];
  const config = { v6Keys: true };
  const { publicKey } = await generateKey({ type: 'curve448', userIDs, date, format: 'binary', config });
  const hostile = repeatSignatures(publicKey, 64_000);
  await assert.rejects(
    pool.inspectCertificate(hostile, nowMs),
    (fault) => fault instanceof Refusal && fault.code === 'key_too_slow',
  );
  const certificate = await pool.inspectCertificate(home.gpg(['--export', fingerprint]), nowMs);
  assert.equal(certificate.fingerprint, fingerprint);
});

/** The same certificate with its first signature again and again; every one of them holds and must be verified. */
function repeatSignatures(certificate: Uint8Array, sizeBytes: number): Buffer {
  const packets = readPackets(certificate);
  const signature = packets.find((packet) => packet.tag === 2)!;
  const whole = [
    packets[0]!,
    ...Array.from({ length: Math.floor(sizeBytes / signature.body.length) - 5 }, () => signature),
  ];
  return Buffer.concat([...whole, ...packets.slice(2)].map(formatLong));
}

function formatLong({ tag, body }: { tag: number; body: Buffer }): Buffer {
  const header = Buffer.from([0xc0 | tag, 0xff, 0, 0, 0, 0]);
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}
