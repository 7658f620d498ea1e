// Windows and packet sizes of channels under a client that overfills and starves them.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Channel } from './ssh.ts';
import { detailOf, openPair, type Pair, type PairOptions, settle } from './test/adversary.ts';
import { makePattern } from './test/echo-server.ts';
import { formatByte, formatString, formatUint32 } from './wire.ts';

const seed = 20_261_124;
console.log(`channels: seed ${seed}`);

const adjust = (channel: number, bytes: number): Buffer =>
  Buffer.concat([formatByte(93), formatUint32(channel), formatUint32(bytes)]);

async function openReady(options: PairOptions = {}): Promise<Pair> {
  const pair = openPair(options);
  await pair.ready();
  return pair;
}

/** A pair with channel 0 open and one subsystem running on it. */
async function openSubsystem(name: string, options: PairOptions = {}, windowBytes = 1 << 21): Promise<Pair> {
  const pair = await openReady(options);
  pair.openChannel(0, windowBytes);
  pair.request(0, 'subsystem', formatString(name));
  return pair;
}

test('T1: a channel whose maximum packet is 0 or below the floor is refused, and one at the floor works', async () => {
  const pair = await openReady();
  for (const packetBytes of [0, 1, 1023]) {
    pair.forget();
    pair.openChannel(5, 1 << 21, packetBytes);
    assert.equal(pair.received[0]?.[0], 92, String(packetBytes));
    assert.equal(pair.received[0]?.readUInt32BE(1), 5);
  }
  pair.openChannel(6, 1 << 21, 1024);
  pair.request(0, 'subsystem', formatString('source:10000'));
  await settle();
  assert.deepEqual(pair.dataOf(6), makePattern(10_000));
  const sizes = pair.received.filter((payload) => payload[0] === 94).map((payload) => payload.length - 9);
  assert.equal(Math.max(...sizes), 1024);
});

/** Takes everything and gives nothing back to the window. */
const greedy = (channel: Channel): boolean => {
  channel.onData = () => undefined;
  return true;
};

test('T2: data beyond the window disconnects, and data up to its last byte does not', async () => {
  const limits = { windowBytes: 40_000, windowBytesMax: 40_000 };
  const full = await openSubsystem('x', { limits, subsystem: greedy });
  full.data(0, Buffer.alloc(20_000));
  full.data(0, Buffer.alloc(20_000));
  assert.equal(full.endReason, undefined);
  full.data(0, Buffer.alloc(1));
  assert.equal(detailOf(full), 'channel data exceeds the window');
});

test('T2: data beyond the maximum packet, or that does not fill its packet, disconnects', async () => {
  const large = await openSubsystem('sink', { limits: { channelPacketBytes: 32_768 } });
  large.data(0, Buffer.alloc(32_768));
  assert.equal(large.endReason, undefined);
  large.data(0, Buffer.alloc(32_769));
  assert.equal(detailOf(large), 'channel data exceeds the maximum packet size');
  const odd = await openSubsystem('sink');
  odd.send(formatByte(94), formatUint32(0), formatUint32(3), Buffer.from('four'));
  assert.equal(detailOf(odd), 'channel data does not fill its packet');
});

test('T2: a WINDOW_ADJUST up to 2^32-1 is taken and one byte more disconnects', async () => {
  const pair = await openSubsystem('echo', {}, 10);
  pair.send(adjust(0, 0xffffffff - 10));
  assert.equal(pair.endReason, undefined);
  pair.send(adjust(0, 1));
  assert.equal(detailOf(pair), 'a window grows past 2^32 - 1');
});

test('T7: packets of up to 256 KiB are taken after the sign-in, and of 35,000 bytes before it', async () => {
  const limits = { channelPacketBytes: 256 * 1024 };
  const late = await openSubsystem('sink', { limits });
  late.data(0, Buffer.alloc(256 * 1024));
  assert.equal(late.endReason, undefined);
  late.send(formatByte(2), formatString(Buffer.alloc(263_200)));
  assert.equal(detailOf(late), 'a packet length is out of range');
  const early = openPair({ limits });
  early.handshake();
  early.send(formatByte(2), formatString(Buffer.alloc(34_900)));
  assert.equal(early.endReason, undefined);
  early.send(formatByte(2), formatString(Buffer.alloc(35_000)));
  assert.equal(detailOf(early), 'a packet length is out of range');
});

test('T2: the window is announced again as bytes are consumed, and its sum is what was promised', async () => {
  const pair = await openSubsystem('sink', { limits: { windowBytes: 100_000, windowBytesMax: 100_000 } });
  let left = 100_000;
  for (let count = 0; count < 50; count += 1) {
    pair.forget();
    pair.data(0, Buffer.alloc(20_000));
    left -= 20_000;
    for (const payload of pair.received) if (payload[0] === 93) left += payload.readUInt32BE(5);
    assert.ok(left >= 40_000 && left <= 100_000);
  }
  assert.equal(pair.endReason, undefined);
});

test('The window grows while a steady stream is consumed as it comes, up to its limit, and not for a slow consumer', async () => {
  const limits = { windowBytes: 100_000, windowBytesMax: 400_000 };
  const grown = await openSubsystem('sink', { limits });
  let promised = 100_000;
  let sent = 0;
  while (sent < 4_000_000) {
    grown.forget();
    grown.data(0, Buffer.alloc(20_000));
    sent += 20_000;
    for (const payload of grown.received) if (payload[0] === 93) promised += payload.readUInt32BE(5);
  }
  assert.ok(promised - sent > 200_000 && promised - sent <= 400_000);

  let held = 0;
  const slow = await openSubsystem('x', {
    limits,
    subsystem(channel) {
      channel.onData = (bytes) => {
        held += bytes.length;
        if (held > 40_000) channel.consume(bytes.length);
      };
      return true;
    },
  });
  promised = 100_000;
  for (sent = 0; sent < 4_000_000; sent += 20_000) {
    slow.forget();
    slow.data(0, Buffer.alloc(20_000));
    for (const payload of slow.received) if (payload[0] === 93) promised += payload.readUInt32BE(5);
  }
  assert.ok(promised - sent <= 100_000);
});

test('T3: a peer that never opens its window costs at most the high mark, and gets what the window takes', async () => {
  const pair = await openSubsystem('source:100000000', {}, 5000);
  await settle();
  assert.equal(pair.dataOf(0).length, 5000);
  assert.ok(pair.connection.bufferedBytes <= 1024 * 1024 + 256 * 1024);
  pair.send(adjust(0, 3));
  assert.equal(pair.dataOf(0).length, 5003);
});

test('T3: a peer whose socket is full gets no more channel data until it drains', async () => {
  let isTaking = true;
  const pair = await openSubsystem('echo', { takes: () => isTaking });
  isTaking = false;
  pair.data(0, Buffer.alloc(1000));
  const sentBytes = pair.sentBytes;
  for (let count = 0; count < 100; count += 1) pair.data(0, Buffer.alloc(1000));
  await settle();
  assert.equal(pair.sentBytes, sentBytes);
  isTaking = true;
  pair.connection.drained();
  await settle();
  assert.equal(pair.dataOf(0).length, 101_000);
});

test('T10: WINDOW_ADJUST and transport messages are read while a channel takes nothing', async () => {
  const pair = await openSubsystem(
    'x',
    {
      subsystem(channel) {
        channel.onData = () => undefined;
        channel.write(Buffer.alloc(30_000));
        return true;
      },
    },
    10_000,
  );
  pair.data(0, Buffer.alloc(100_000));
  pair.send(adjust(0, 20_000));
  pair.send(formatByte(192), formatString('x'));
  assert.equal(pair.dataOf(0).length, 30_000);
  assert.notEqual(pair.find(193), undefined);
});

test('Data before any subsystem and extended data are dropped, and count against the window', async () => {
  const pair = await openReady({ limits: { windowBytes: 50_000, windowBytesMax: 50_000 } });
  pair.openChannel();
  pair.data(0, Buffer.alloc(30_000));
  assert.equal(pair.find(93)?.readUInt32BE(5), 30_000);
  pair.send(formatByte(95), formatUint32(0), formatUint32(1), formatString(Buffer.alloc(50_000)));
  assert.deepEqual(pair.ends, []);
  pair.data(0, Buffer.alloc(50_001));
  assert.equal(pair.endReason?.kind, 'protocol_fault');
});

test('Several channels share the connection: each byte arrives on its own channel, in order, under any windows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ size: fc.integer({ min: 0, max: 200_000 }), window: fc.integer({ min: 0, max: 50_000 }) }), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.integer({ min: 1000, max: 70_000 }),
      async (channels, step) => {
        const pair = await openReady();
        for (const [id, { size, window }] of channels.entries()) {
          pair.openChannel(id, window, 4096);
          pair.request(id, 'subsystem', formatString(`source:${size}`));
        }
        for (let round = 0; round < 250; round += 1) {
          const waiting = channels.flatMap(({ size }, id) => (pair.dataOf(id).length < size ? [id] : []));
          if (waiting.length === 0) break;
          for (const id of waiting) pair.send(adjust(id, step));
          await settle();
        }
        for (const [id, { size }] of channels.entries()) {
          assert.deepEqual(pair.dataOf(id), Buffer.from(makePattern(256 * 1024).subarray(0, size)));
        }
        assert.equal(pair.endReason, undefined);
      },
    ),
    { seed, numRuns: 15 },
  );
});
