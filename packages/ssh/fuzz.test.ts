// Seeded and bounded fuzz: the decoder and the state machine end in their own ways, and nothing hangs or grows.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { fuzzSeed, isLong } from '../../test/fuzz/campaign.ts';
import { ConnectionFault } from './faults.ts';
import { HostKeyFault } from './host-keys.ts';
import { createPacketInput } from './packet-input.ts';
import { readClientKey } from './signatures.ts';
import { parseHostKey } from './ssh.ts';
import { createTestKey, formatQuery, formatSignIn, looseOffer, openPair, type Pair, settle } from './test/adversary.ts';
import { formatBoolean, formatByte, formatString, formatUint32 } from './wire.ts';

const seed = Number.parseInt(createHash('sha256').update(fuzzSeed).digest('hex').slice(0, 7), 16);
console.log(`fuzz: seed ${fuzzSeed}`);
const rounds = (count: number): number => (isLong ? count * 50 : count);

/** No single call may hold the event loop for 100 ms. Counted in processor time: other work shares the machine. */
function timed(work: () => void): void {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  assert.ok(user + system < 100_000, `a call took ${user + system} microseconds`);
}

test('T20: any bytes from the first on end in waiting or in a clean end, in any cuts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 10 }),
      fc.constantFrom('', 'SSH-2.0-x\r\n', 'SSH-'),
      (chunks, prefix) => {
        const pair = openPair();
        pair.connection.start();
        pair.raw(prefix);
        for (const chunk of chunks) timed(() => pair.raw(Buffer.from(chunk)));
        assert.ok(pair.ends.length <= 1);
        assert.notEqual(pair.endReason?.kind, 'internal_fault');
        assert.ok(pair.connection.bufferedBytes < 100_000);
      },
    ),
    { seed, numRuns: rounds(500) },
  );
});

/** Payloads that are nearly right, so that they get past the first checks. */
const nearlyRight = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(
      fc.constantFrom(1, 2, 3, 4, 5, 7, 20, 21, 30, 50, 80, 81, 90, 91, 93, 94, 95, 96, 97, 98, 99, 192),
      fc.uint8Array({ maxLength: 80 }),
    )
    .map(([number, bytes]) => Buffer.concat([formatByte(number), Buffer.from(bytes)])),
  fc
    .tuple(fc.constantFrom(93, 94, 96, 97), fc.nat(2), fc.oneof(fc.nat(70_000), fc.constant(0xffffffff)), fc.nat(300))
    .map(([number, channel, size, rest]) =>
      Buffer.concat([formatByte(number), formatUint32(channel), formatUint32(size), Buffer.alloc(rest)]),
    ),
  fc
    .tuple(fc.nat(2), fc.nat(60_000))
    .map(([channel, size]) => Buffer.concat([formatByte(94), formatUint32(channel), formatString(Buffer.alloc(size))])),
  fc
    .tuple(
      fc.nat(2),
      fc.constantFrom('subsystem', 'shell', 'env', 'exec'),
      fc.constantFrom('echo', 'sink', 'source:9999999', ''),
    )
    .map(([channel, type, name]) =>
      Buffer.concat([
        formatByte(98),
        formatUint32(channel),
        formatString(type),
        formatBoolean(true),
        formatString(name),
      ]),
    ),
  fc
    .tuple(
      fc.constantFrom('session', 'x11'),
      fc.nat(9),
      fc.constantFrom(0, 1, 40_000, 0xffffffff),
      fc.constantFrom(0, 1024, 32_768, 0xffffffff),
    )
    .map(([type, peerId, window, packet]) =>
      Buffer.concat([
        formatByte(90),
        formatString(type),
        formatUint32(peerId),
        formatUint32(window),
        formatUint32(packet),
      ]),
    ),
);

type Step =
  | { readonly kind: 'packet'; readonly payload: Buffer }
  | { readonly kind: 'rekey' | 'tick' | 'sign_in' | 'query' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: nearlyRight.map((payload) => ({ kind: 'packet', payload }) as const) },
  { weight: 1, arbitrary: fc.constantFrom('rekey', 'tick', 'sign_in', 'query').map((kind) => ({ kind }) as const) },
);

async function take(pair: Pair, { ...next }: Step): Promise<void> {
  if (next.kind === 'packet') timed(() => pair.send(next.payload));
  else if (next.kind === 'rekey') pair.exchangeKeys({ keyExchanges: looseOffer });
  else if (next.kind === 'tick') timed(() => pair.advance(5000));
  else if (next.kind === 'query') pair.send(formatQuery('u', createTestKey()));
  else pair.send(formatSignIn({ user: 'u', key: createTestKey(), sessionId: pair.sessionId }));
  await settle();
}

test('T20: packets in any order, before and after the sign-in, never make us throw, hang or keep more than the limits', async () => {
  const kinds = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, isSignedIn) => {
      const pair = openPair();
      if (isSignedIn) {
        await pair.ready();
        pair.openChannel(0);
        pair.openChannel(1, 0);
        pair.request(0, 'subsystem', formatString('echo'));
      } else {
        pair.handshake();
        pair.send(formatByte(5), formatString('ssh-userauth'));
      }
      for (const next of steps) {
        if (pair.endReason !== undefined) break;
        await take(pair, next);
        assert.ok(pair.connection.bufferedBytes < 16 * 1024 * 1024);
      }
      const kind = pair.endReason?.kind ?? 'open';
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      assert.notEqual(kind, 'internal_fault', JSON.stringify(pair.endReason));
      if (pair.endReason !== undefined) assert.equal(pair.connection.bufferedBytes, 0);
      const before = { isOver: pair.endReason !== undefined, sentBytes: pair.sentBytes };
      pair.raw(Buffer.alloc(100));
      pair.connection.lost();
      assert.equal(pair.ends.length, 1);
      if (before.isOver) assert.equal(pair.sentBytes, before.sentBytes);
    }),
    { seed, numRuns: rounds(400) },
  );
  console.log('fuzz: ends', Object.fromEntries(kinds));
  assert.ok((kinds.get('open') ?? 0) > 10 && (kinds.get('protocol_fault') ?? 0) > 10);
});

test('T20: a sign-in stream with any one byte changed ends or waits, and never signs in as somebody else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(10_000), fc.integer({ min: 1, max: 255 }), async (place, change) => {
      const pair = openPair();
      pair.handshake();
      const bytes = pair.seal(
        Buffer.concat([formatByte(5), formatString('ssh-userauth')]),
        formatSignIn({ user: 'u', key: createTestKey(), sessionId: pair.sessionId }),
      );
      bytes[place % bytes.length]! ^= change;
      pair.raw(bytes);
      await settle();
      assert.equal(pair.connection.isSignedIn, false);
      assert.notEqual(pair.endReason?.kind, 'internal_fault');
    }),
    { seed, numRuns: rounds(200) },
  );
});

/** One clear packet, as before the first NEWKEYS. */
const formatClear = (payload: Buffer): Buffer => {
  const padding = 8 - ((payload.length + 5) % 8) + 8;
  return Buffer.concat([
    formatUint32(payload.length + 1 + padding),
    formatByte(padding),
    payload,
    Buffer.alloc(padding),
  ]);
};

test('T20: the packet decoder gives the same packets for every cut, and its own fault or nothing for noise', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 2000 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 50 }),
      (payloads, cuts) => {
        const stream = Buffer.concat(payloads.map((payload) => formatClear(Buffer.from(payload))));
        const input = createPacketInput();
        const taken: Buffer[] = [];
        let at = 0;
        for (let turn = 0; at < stream.length; turn += 1) {
          const size = cuts[turn % cuts.length]!;
          input.push(stream.subarray(at, at + size));
          at += size;
          for (let next = input.takePacket(35_000); next !== undefined; next = input.takePacket(35_000))
            taken.push(next);
        }
        // Compared at the end: what was given out must not be written over by what came later.
        assert.deepEqual(
          taken.map((payload) => Buffer.from(payload)),
          payloads.map((payload) => Buffer.from(payload)),
        );
        assert.equal(input.bufferedBytes, 0);
      },
    ),
    { seed, numRuns: rounds(300) },
  );
});

test('T20: a large packet that comes byte by byte is put together without stalling', () => {
  const input = createPacketInput();
  const size = 256 * 1024;
  const packet = Buffer.concat([formatUint32(size + 12), formatByte(11), Buffer.alloc(size, 7), Buffer.alloc(11)]);
  const before = process.threadCpuUsage();
  let payload: Buffer | undefined;
  for (let at = 0; at < packet.length; at += 1) {
    input.push(packet.subarray(at, at + 1));
    payload = input.takePacket(300_000);
  }
  assert.equal(payload?.length, size);
  assert.ok(process.threadCpuUsage(before).user < 3_000_000);
});

test('T20: key blobs and key files of any bytes are judged, never thrown on', () => {
  const algorithms = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp521', 'rsa-sha2-512'];
  fc.assert(
    fc.property(
      fc.constantFrom(...algorithms),
      fc.uint8Array({ maxLength: 300 }),
      fc.boolean(),
      (algorithm, bytes, isNamed) => {
        const type = algorithm.startsWith('rsa') ? 'ssh-rsa' : algorithm;
        const blob = Buffer.concat([isNamed ? formatString(type) : Buffer.alloc(0), Buffer.from(bytes)]);
        const key = readClientKey(algorithm, blob);
        if (typeof key !== 'string') assert.equal(key.isSignedBy(Buffer.from(bytes), Buffer.alloc(1)), false);
        try {
          const text = Buffer.concat([Buffer.from('openssh-key-v1\0'), Buffer.from(bytes)]).toString('base64');
          parseHostKey(`-----BEGIN OPENSSH PRIVATE KEY-----\n${text}\n-----END OPENSSH PRIVATE KEY-----\n`);
        } catch (fault) {
          assert.ok(fault instanceof HostKeyFault && !(fault instanceof ConnectionFault));
        }
      },
    ),
    { seed, numRuns: rounds(1000) },
  );
});
