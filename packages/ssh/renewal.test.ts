// Key renewal, floods and signs of life of a signed-in connection.
import assert from 'node:assert/strict';
import test from 'node:test';
import { detailOf, looseOffer, openPair, settle, testHostKeys } from './test/adversary.ts';
import { generateHostKey } from './ssh.ts';
import { createReader, formatBoolean, formatByte, formatString, formatUint32 } from './wire.ts';

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

test('T8: keys are renewed at the byte limit and at the time limit, in both directions', async () => {
  const byBytes = openPair({ limits: { rekeyBytes: 100_000 } });
  await byBytes.ready();
  byBytes.openChannel();
  byBytes.request(0, 'subsystem', formatString('sink'));
  byBytes.forget();
  while (byBytes.find(20) === undefined && byBytes.connection.summary.bytesIn < 200_000) {
    byBytes.data(0, Buffer.alloc(10_000));
  }
  assert.ok(byBytes.find(20) !== undefined && byBytes.connection.summary.bytesIn > 100_000);

  const bySent = openPair({ limits: { rekeyBytes: 100_000 } });
  await bySent.ready();
  bySent.openChannel(0, 1 << 20);
  bySent.request(0, 'subsystem', formatString('source:150000'));
  await settle();
  bySent.advance(1000);
  assert.notEqual(bySent.find(20), undefined);

  const byTime = openPair({ limits: { keepaliveMs: Infinity, idleMs: Infinity } });
  await byTime.ready();
  byTime.advance(3_599_999);
  assert.equal(byTime.find(20), undefined);
  byTime.advance(1);
  assert.notEqual(byTime.find(20), undefined);
});

test('T8: no channel data goes out inside a key exchange, and what waited follows it', async () => {
  const pair = openPair();
  await pair.ready();
  pair.openChannel();
  pair.request(0, 'subsystem', formatString('echo'));
  pair.forget();
  const offer = pair.offer({ keyExchanges: looseOffer });
  // The data is on its way before our KEXINIT, so it is legal; its echo has to wait.
  pair.raw(pair.seal(Buffer.concat([formatByte(94), formatUint32(0), formatString('before')]), offer));
  await settle();
  const numbers = pair.received.map((payload) => payload[0]);
  assert.deepEqual(numbers, [20]);
  pair.finishExchange(offer);
  await settle();
  assert.equal(pair.dataOf(0).toString(), 'before');
  assert.equal(pair.connection.summary.keyExchanges, 2);
});

test('T8: channel data between the KEXINIT and the NEWKEYS of the client disconnects', async () => {
  const pair = openPair();
  await pair.ready();
  pair.openChannel();
  pair.request(0, 'subsystem', formatString('echo'));
  pair.send(pair.offer({ keyExchanges: looseOffer }));
  pair.data(0, Buffer.from('late'));
  assert.equal(detailOf(pair), 'a message does not belong inside a key exchange');
});

test('T8: a key exchange of ours that the client does not answer ends after its time', async () => {
  const pair = openPair({ limits: { rekeyMs: 1000 } });
  await pair.ready();
  pair.advance(1000);
  assert.notEqual(pair.find(20), undefined);
  pair.advance(29_999);
  assert.equal(pair.endReason, undefined);
  pair.advance(1);
  assert.equal(detailOf(pair), 'a key exchange takes too long');
});

test('T12: key exchanges without data between them are bounded', async () => {
  const pair = openPair();
  await pair.ready();
  for (let count = 0; count < 50 && pair.endReason === undefined; count += 1) {
    pair.exchangeKeys({ keyExchanges: looseOffer });
  }
  assert.equal(pair.endReason?.kind, 'flood');
  assert.ok(pair.connection.summary.keyExchanges <= 22);
});

const chatter: readonly (readonly [string, Buffer])[] = [
  ...strays.slice(0, 3),
  ['PING', Buffer.concat([formatByte(192), formatString('x')])],
  ['unknown message', formatByte(250)],
  ['EXT_INFO', Buffer.concat([formatByte(7), formatUint32(0)])],
  ['global request', Buffer.concat([formatByte(80), formatString('tcpip-forward'), formatBoolean(true)])],
  ['late sign-in', Buffer.concat([formatByte(50), Buffer.alloc(40)])],
  ['refused channel', Buffer.concat([formatByte(90), formatString('x11'), Buffer.alloc(12)])],
];

test('T12: every message that asks for an answer or does nothing is rate-capped, and a slow trickle of it is fine', async () => {
  for (const [name, bytes] of chatter) {
    const flood = openPair();
    await flood.ready();
    let count = 0;
    while (flood.endReason === undefined && count < 1000) {
      flood.send(bytes);
      count += 1;
    }
    assert.equal(flood.endReason?.kind, 'flood', name);
    assert.ok(count <= 501, name);

    const trickle = openPair();
    await trickle.ready();
    for (let step = 0; step < 1000; step += 1) {
      trickle.send(bytes);
      trickle.advance(20);
    }
    assert.equal(trickle.endReason, undefined, name);
  }
});

test('T12: an IGNORE before each packet of data is free, as AsyncSSH sends them, and two of them are not', async () => {
  const ignore = Buffer.concat([formatByte(2), formatString('')]);
  for (const [ignores, end] of [
    [1, undefined],
    [2, 'flood'],
  ] as const) {
    const pair = openPair();
    await pair.ready();
    pair.openChannel();
    pair.request(0, 'subsystem', formatString('sink'));
    for (let count = 0; count < 2000 && pair.endReason === undefined; count += 1) {
      for (let sent = 0; sent < ignores; sent += 1) pair.send(ignore);
      pair.data(0, Buffer.from('some'));
    }
    assert.equal(pair.endReason?.kind, end);
  }
});

test('T12: a large PING costs more, one over 16 KiB disconnects, and an ordinary one is echoed', async () => {
  const pair = openPair();
  await pair.ready();
  pair.send(formatByte(192), formatString('sign of life'));
  assert.equal(createReader(pair.find(193)!, 1).string().toString(), 'sign of life');
  let count = 0;
  while (pair.endReason === undefined && count < 100) {
    pair.send(formatByte(192), formatString(Buffer.alloc(16_384)));
    count += 1;
  }
  assert.equal(pair.endReason?.kind, 'flood');
  assert.ok(count <= 8);
  const huge = openPair();
  await huge.ready();
  huge.send(formatByte(192), formatString(Buffer.alloc(16_385)));
  assert.equal(huge.endReason?.kind, 'protocol_fault');
});

test('T12: replies to a peer that does not read are bounded', async () => {
  let isTaking = true;
  const pair = openPair({
    takes: () => isTaking,
    limits: { chatterMax: 1e6, controlQueueBytesMax: 50_000 },
  });
  await pair.ready();
  isTaking = false;
  let most = 0;
  for (let count = 0; count < 5000 && pair.endReason === undefined; count += 1) {
    pair.send(formatByte(192), formatString('x'));
    most = Math.max(most, pair.connection.bufferedBytes);
  }
  assert.equal(pair.endReason?.kind, 'flood');
  assert.ok(most < 60_000);
  assert.equal(pair.connection.bufferedBytes, 0);
});

test('T12: replies that wait for the end of a key exchange are bounded too', async () => {
  const pair = openPair({ limits: { rekeyMs: 1000, chatterMax: 1e6, controlQueueBytesMax: 50_000 } });
  await pair.ready();
  pair.advance(1000);
  for (let count = 0; count < 10_000 && pair.endReason === undefined; count += 1) {
    pair.send(formatByte(192), formatString('0123456789'));
  }
  assert.equal(pair.endReason?.kind, 'flood');
});

test('A silent peer is asked for signs of life and then let go; any answer keeps it', async () => {
  const pair = openPair({ limits: { idleMs: Infinity } });
  await pair.ready();
  pair.advance(0);
  for (let count = 0; count < 3; count += 1) pair.advance(60_000);
  assert.equal(pair.received.filter((payload) => payload[0] === 80).length, 3);
  assert.equal(pair.endReason, undefined);
  pair.send(formatByte(82));
  pair.advance(0);
  for (let count = 0; count < 3; count += 1) pair.advance(60_000);
  assert.equal(pair.endReason, undefined);
  pair.advance(60_000);
  assert.deepEqual(pair.endReason, { kind: 'peer_silent' });
});

test('T18: a connection without channel data ends when it has been idle for long enough, however it chats', async () => {
  const pair = openPair();
  await pair.ready();
  for (let count = 0; count < 59; count += 1) {
    pair.send(formatByte(192), formatString('x'));
    pair.advance(30_000);
  }
  assert.equal(pair.endReason, undefined);
  pair.advance(30_000);
  assert.deepEqual(pair.endReason, { kind: 'idle' });
});

test('The goodbye of the peer is kept, made harmless', async () => {
  const pair = openPair();
  await pair.ready();
  pair.send(formatByte(1), formatUint32(11), formatString('bye\x1b[0m'), formatString(''));
  assert.deepEqual(pair.endReason, { kind: 'peer_disconnected', code: 11, text: 'bye?[0m' });
  assert.equal(pair.find(1), undefined);
});

test('The next host keys are announced, and a client that asks gets proofs that check', async () => {
  const next = await generateHostKey('ed25519');
  const pair = openPair({ nextHostKeys: [next] });
  pair.handshake();
  await pair.signIn();
  const announced = createReader(pair.find(80)!, 1);
  announced.string();
  announced.boolean();
  assert.deepEqual(
    [announced.string(), announced.string(), announced.string()],
    [...testHostKeys, next].map((key) => key.blob),
  );
  pair.send(
    formatByte(80),
    formatString('hostkeys-prove-00@openssh.com'),
    formatBoolean(true),
    formatString(next.blob),
  );
  const proof = createReader(pair.find(81)!, 1);
  const signature = createReader(proof.string());
  proof.end();
  assert.equal(signature.string().toString(), 'ssh-ed25519');
  const { createPublicKey, verify } = await import('node:crypto');
  const proved = ['hostkeys-prove-00@openssh.com', pair.sessionId, next.blob].map(formatString);
  assert.equal(verify(null, Buffer.concat(proved), createPublicKey(next.privateKey), signature.string()), true);
  pair.forget();
  const foreign = (await generateHostKey('ed25519')).blob;
  pair.send(formatByte(80), formatString('hostkeys-prove-00@openssh.com'), formatBoolean(true), formatString(foreign));
  assert.notEqual(pair.find(82), undefined);
});
