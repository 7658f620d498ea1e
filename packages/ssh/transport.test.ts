// Identification, packets, key exchange and the messages of every state, under a client that breaks the rules.
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  detailOf,
  createNoise,
  formatSignIn,
  createTestKey,
  looseOffer,
  openPair,
  settle,
  strictOffer,
} from './test/adversary.ts';
import { formatBoolean, formatByte, formatString, formatUint32 } from './wire.ts';

test('The first bytes are one identification line and our KEXINIT, before the client says anything', () => {
  const pair = openPair();
  pair.connection.start();
  assert.equal(pair.received[0]?.[0], 20);
  assert.ok(pair.sentBytes < 2000);
});

const identifications: readonly (readonly [string, string | undefined])[] = [
  ['SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', 'OpenSSH_9.2p1 Debian-2'],
  ['SSH-2.0-bare_line_feed\n', 'bare_line_feed'],
  [`SSH-2.0-${'x'.repeat(245)}\r\n`, 'x'.repeat(245)],
  [`SSH-2.0-${'x'.repeat(246)}\r\n`, undefined],
  ['SSH-1.5-old\r\n', undefined],
  ['SSH-2.0-\r\n', undefined],
  ['SSH-2.0-nul\0byte\r\n', undefined],
  ['GET / HTTP/1.1\r\n', undefined],
  ['a line before\r\nSSH-2.0-x\r\n', undefined],
  ['\r\n', undefined],
  ['\x16\x03\x01'.repeat(100), undefined],
];

test('T7: one identification line of at most 255 bytes, in any cuts, and nothing else before it', () => {
  for (const [line, software] of identifications) {
    for (const step of [1, 7, 300]) {
      const pair = openPair();
      pair.connection.start();
      for (let at = 0; at < line.length; at += step) pair.raw(line.slice(at, at + step));
      assert.equal(pair.connection.summary.peerSoftware, software, JSON.stringify(line));
      assert.equal(pair.endReason?.kind, software === undefined ? 'not_ssh' : undefined, JSON.stringify(line));
    }
  }
});

test('Whatever is no SSH gets no answer beyond our first packet, and the line is kept for the operator', () => {
  const pair = openPair();
  pair.connection.start();
  const before = pair.sentBytes;
  pair.raw('GET /\x1b[2J HTTP/1.1\r\n');
  assert.deepEqual(pair.endReason, { kind: 'not_ssh', line: 'GET /?[2J HTTP/1.1' });
  assert.equal(pair.sentBytes, before);
});

test('Any cut of the byte stream leads to the same sign-in', async () => {
  for (const step of [1, 3, 16, 1000]) {
    const pair = openPair();
    const offer = pair.offer();
    pair.connection.start();
    const bytes = Buffer.concat([Buffer.from('SSH-2.0-Adversary_1\r\n'), pair.seal(offer)]);
    for (let at = 0; at < bytes.length; at += step) pair.raw(bytes.subarray(at, at + step));
    pair.finishExchange(offer);
    const rest = pair.seal(
      Buffer.concat([formatByte(5), formatString('ssh-userauth')]),
      formatSignIn({ user: 'u', key: createTestKey(), sessionId: pair.sessionId }),
    );
    for (let at = 0; at < rest.length; at += step) pair.raw(rest.subarray(at, at + step));
    await settle();
    assert.equal(pair.connection.isSignedIn, true, `cuts of ${step}`);
  }
});

test('The summary tells what was negotiated, which client it is, and how many bytes went each way', async () => {
  const pair = openPair();
  await pair.ready();
  const { summary } = pair.connection;
  assert.deepEqual(summary.negotiated, {
    keyExchange: 'curve25519-sha256',
    hostKeyAlgorithm: 'ssh-ed25519',
    cipherIn: 'aes128-gcm@openssh.com',
    cipherOut: 'aes128-gcm@openssh.com',
    macIn: 'implicit',
    macOut: 'implicit',
    isStrict: true,
  });
  assert.equal(summary.peerSoftware, 'Adversary_1');
  assert.equal(summary.keyExchanges, 1);
  assert.equal(summary.bytesOut, pair.sentBytes);
  assert.ok(summary.bytesIn > 500);
});

const strays: readonly (readonly [string, Buffer])[] = [
  ['IGNORE', Buffer.concat([formatByte(2), formatString('x')])],
  ['UNIMPLEMENTED', Buffer.concat([formatByte(3), formatUint32(0)])],
  ['DEBUG', Buffer.concat([formatByte(4), formatBoolean(false), formatString('x'), formatString('')])],
  ['SERVICE_REQUEST', Buffer.concat([formatByte(5), formatString('ssh-userauth')])],
  ['EXT_INFO', Buffer.concat([formatByte(7), formatUint32(0)])],
  ['PING', Buffer.concat([formatByte(192), formatString('x')])],
  ['USERAUTH_REQUEST', Buffer.concat([formatByte(50), Buffer.alloc(40)])],
  ['NEWKEYS too early', formatByte(21)],
  ['a number nobody knows', formatByte(250)],
];

test('T9: under strict key exchange a stray message before the first NEWKEYS disconnects, at every place', () => {
  for (const [name, stray] of strays) {
    const first = openPair();
    first.identify();
    first.send(stray);
    if (first.endReason === undefined) first.exchangeKeys({ keyExchanges: strictOffer });
    assert.equal(first.endReason?.kind, 'protocol_fault', `${name} before KEXINIT`);

    const second = openPair();
    second.identify();
    second.send(second.offer({ keyExchanges: strictOffer }));
    second.send(stray);
    assert.equal(second.endReason?.kind, 'protocol_fault', `${name} after KEXINIT`);

    const third = openPair();
    third.identify();
    if (stray[0] === 21) continue;
    third.exchangeKeys({ keyExchanges: strictOffer }, () => third.send(stray));
    assert.equal(third.endReason?.kind, 'protocol_fault', `${name} before NEWKEYS`);
  }
});

test('T9: without strict key exchange IGNORE and DEBUG are allowed there, as RFC 4253 says', () => {
  for (const [name, stray] of strays.slice(0, 3)) {
    const pair = openPair();
    pair.identify();
    pair.send(stray);
    pair.exchangeKeys({ keyExchanges: looseOffer }, () => pair.send(stray));
    assert.equal(pair.endReason, undefined, name);
    assert.equal(pair.connection.summary.negotiated?.isStrict, false);
  }
});

test('T9: sequence numbers start again with every NEWKEYS under strict key exchange', async () => {
  const pair = openPair();
  await pair.ready();
  pair.send(formatByte(199));
  // service request, sign-in and this one: the third packet since NEWKEYS.
  assert.equal(pair.find(3)?.readUInt32BE(1), 2);
  pair.forget();
  pair.exchangeKeys({ keyExchanges: looseOffer });
  pair.send(formatByte(199));
  assert.equal(pair.find(3)?.readUInt32BE(1), 0);
});

test('T9: a prefix truncation, an extra packet before and one less after NEWKEYS, does not go unnoticed', () => {
  const pair = openPair();
  pair.identify();
  // Terrapin: the injected IGNORE would make up for a later packet that is cut away.
  pair.raw(Buffer.concat([Buffer.from([0, 0, 0, 12, 6, 2, 0, 0, 0, 0]), Buffer.alloc(6)]));
  pair.exchangeKeys({ keyExchanges: strictOffer });
  assert.equal(detailOf(pair), 'strict: a packet came before KEXINIT');
});

test('T7: a second KEXINIT inside an exchange disconnects', () => {
  const pair = openPair();
  pair.identify();
  pair.send(pair.offer());
  pair.send(pair.offer());
  assert.equal(detailOf(pair), 'a second KEXINIT arrives inside a key exchange');
});

const badPackets: readonly (readonly [string, Buffer])[] = [
  ['length 0', Buffer.from('00000000000000000000000000000000', 'hex')],
  ['length 5', Buffer.from('00000005040000000000000000000000', 'hex')],
  ['length not in blocks', Buffer.from('0000000d060000000000000000000000000000', 'hex')],
  ['length over 35,000', Buffer.concat([formatUint32(35_004), Buffer.alloc(16)])],
  ['length over 2^31', Buffer.from('fffffffc000000000000000000000000', 'hex')],
  ['padding under 4', Buffer.from('0000000c030200000000000000000000', 'hex')],
  ['padding that leaves no payload', Buffer.from('0000000c0b0200000000000000000000', 'hex')],
  ['padding over the packet', Buffer.from('0000000cff0200000000000000000000', 'hex')],
];

test('T7 and T20: a packet whose length or padding is out of bounds disconnects at once', () => {
  for (const [name, bytes] of badPackets) {
    const pair = openPair();
    pair.identify();
    pair.raw(bytes);
    assert.equal(pair.endReason?.kind, 'protocol_fault', name);
  }
});

test('A flipped bit anywhere in a sealed packet disconnects', async () => {
  for (const at of [4, 10, 20, 35]) {
    const pair = openPair();
    await pair.ready();
    const bytes = pair.seal(Buffer.concat([formatByte(2), formatString('0123456789')]));
    bytes[at]! ^= 0x10;
    pair.raw(bytes);
    assert.equal(detailOf(pair), 'a packet fails its authentication', `byte ${at}`);
  }
});

test('A wrong guess of the client is dropped and the exchange goes on without it', () => {
  const pair = openPair();
  pair.identify();
  const offer = pair.offer({ isGuessing: true });
  pair.send(offer);
  pair.send(formatByte(30), formatString(Buffer.alloc(32, 1)));
  pair.finishExchange(offer);
  assert.deepEqual([pair.endReason, pair.connection.summary.keyExchanges], [undefined, 1]);
});

const badValues: readonly (readonly [string, string, Buffer])[] = [
  ['curve25519-sha256', 'all zeros, which has small order', formatString(Buffer.alloc(32))],
  ['curve25519-sha256', 'one, which has small order', formatString(Buffer.concat([formatByte(1), Buffer.alloc(31)]))],
  ['curve25519-sha256', 'too short', formatString(Buffer.alloc(31, 9))],
  ['mlkem768x25519-sha256', 'too short', formatString(Buffer.alloc(1215, 9))],
  ['mlkem768x25519-sha256', 'coefficients over the modulus', formatString(Buffer.alloc(1216, 0xff))],
  ['ecdh-sha2-nistp256', 'off the curve', formatString(Buffer.concat([formatByte(4), Buffer.alloc(64, 1)]))],
  ['ecdh-sha2-nistp256', 'the point at infinity', formatString(Buffer.alloc(1))],
  ['ecdh-sha2-nistp521', 'empty', formatString('')],
  ['diffie-hellman-group14-sha256', 'zero', formatString('')],
  ['diffie-hellman-group14-sha256', 'one', formatString(Buffer.from([1]))],
  ['diffie-hellman-group14-sha256', 'negative', formatString(Buffer.from([0x81]))],
  [
    'diffie-hellman-group14-sha256',
    'over the prime',
    formatString(Buffer.concat([Buffer.alloc(1), Buffer.alloc(256, 0xff)])),
  ],
  ['diffie-hellman-group16-sha512', 'longer than the prime', formatString(Buffer.alloc(600, 1))],
];

test('A key exchange value that is no valid one disconnects, in every method', () => {
  for (const [method, what, value] of badValues) {
    const pair = openPair();
    pair.identify();
    pair.send(pair.offer({ keyExchanges: [method] }));
    pair.send(formatByte(30), value);
    assert.equal(pair.endReason?.kind, 'protocol_fault', `${method}: ${what}`);
    assert.equal(pair.find(31), undefined);
  }
});

test('Without a common algorithm the reason names the slot and the offer, and the client gets a disconnect', () => {
  const pair = openPair();
  pair.identify();
  pair.send(pair.offer({ keyExchanges: ['diffie-hellman-group1-sha1'] }));
  assert.deepEqual(pair.endReason, {
    kind: 'no_common_algorithm',
    slot: 'key_exchange',
    offered: ['diffie-hellman-group1-sha1'],
  });
  assert.equal(pair.find(1)?.readUInt32BE(1), 3);
});

test('Padding is random, and drawn in batches', async () => {
  let draws = 0;
  const noise = createNoise('padding');
  const pair = openPair();
  await pair.ready();
  const { createPacketOutput } = await import('./packet-output.ts');
  const output = createPacketOutput((sizeBytes) => {
    draws += 1;
    return noise(sizeBytes);
  });
  for (let count = 0; count < 100; count += 1) output.pushPacket(formatByte(2));
  const packets = Buffer.concat(output.take());
  assert.ok(draws <= 2);
  assert.notDeepEqual(packets.subarray(0, 16), packets.subarray(16, 32));
});

test('T20: costly steps wait for their turn among all connections, and nothing is read or lost meanwhile', async () => {
  const waiting: (() => void)[] = [];
  const pair = openPair({ inTurn: (work) => void waiting.push(work) });
  const takeTurn = (): void => {
    assert.equal(waiting.length, 1);
    waiting.shift()!();
  };
  pair.identify();
  const offer = pair.offer();
  pair.send(offer);
  const begun = pair.beginExchange(offer);
  assert.equal(pair.find(31), undefined);
  takeTurn();
  pair.completeExchange(begun, pair.find(31)!);
  pair.send(formatByte(5), formatString('ssh-userauth'));
  pair.send(formatSignIn({ user: 'u', key: createTestKey(), sessionId: pair.sessionId }));
  // What comes behind a sign-in that waits is taken once it is decided.
  pair.openChannel();
  assert.deepEqual([pair.attempts.length, pair.find(91)], [0, undefined]);
  takeTurn();
  await settle();
  assert.equal(pair.connection.isSignedIn, true);
  assert.notEqual(pair.find(91), undefined);
  // A turn that comes when the connection is gone does nothing.
  const again = pair.offer();
  pair.send(again);
  pair.beginExchange(again);
  pair.forget();
  pair.connection.lost();
  takeTurn();
  assert.deepEqual([pair.received, pair.endReason?.kind], [[], 'connection_lost']);
});
