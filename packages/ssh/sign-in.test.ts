// The sign-in, driven packet by packet by a client that may lie.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Verdict } from './ssh.ts';
import {
  createTestKey,
  formatQuery,
  formatSignIn,
  openPair,
  type Pair,
  type PairOptions,
  settle,
  testHostKeys,
} from './test/adversary.ts';
import { createReader, formatBoolean, formatByte, formatString } from './wire.ts';

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

const request = (user: string, method: string, rest: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([formatByte(50), formatString(user), formatString('ssh-connection'), formatString(method), rest]);

test('T13: password, keyboard-interactive, none and hostbased fail, and publickey is the only method named', async () => {
  const pair = openSignIn({ authenticate: () => 'accept' });
  pair.send(request('u', 'none'));
  pair.send(request('u', 'password', Buffer.concat([formatBoolean(false), formatString('secret')])));
  await settle();
  pair.send(request('u', 'keyboard-interactive', Buffer.concat([formatString(''), formatString('')])));
  pair.send(request('u', 'hostbased'));
  await settle();
  assert.deepEqual(readAnswers(pair), [failure, failure, failure, failure]);
  assert.deepEqual(
    pair.attempts.map((attempt) => [attempt.method, attempt.fault, attempt.signed]),
    ['none', 'password', 'keyboard-interactive', 'hostbased'].map((name) => [name, 'method_not_offered', false]),
  );
  assert.equal(pair.connection.summary.tries, 3);
});

test('T13: the query and the signed step are both put to the handler, and only the signed one signs in', async () => {
  const pair = openSignIn();
  const key = createTestKey();
  pair.send(formatQuery('u', key));
  await settle();
  assert.deepEqual(readAnswers(pair), [60]);
  assert.deepEqual(
    pair.received[0],
    Buffer.concat([formatByte(60), formatString(key.algorithm), formatString(key.blob)]),
  );
  assert.equal(pair.connection.isSignedIn, false);
  pair.send(formatSignIn({ user: 'u', key, sessionId: pair.sessionId }));
  await settle();
  assert.deepEqual(readAnswers(pair).slice(0, 2), [60, 52]);
  assert.equal(pair.connection.isSignedIn, true);
  assert.deepEqual(
    pair.attempts.map((attempt) => [attempt.user, attempt.service, attempt.key?.algorithm, attempt.signed]),
    [
      ['u', 'ssh-connection', 'ssh-ed25519', false],
      ['u', 'ssh-connection', 'ssh-ed25519', true],
    ],
  );
  assert.equal(pair.connection.summary.user, 'u');
  assert.equal(pair.connection.summary.signatureAlgorithm, 'ssh-ed25519');
  assert.equal(pair.connection.summary.keyFingerprint, pair.attempts[0]?.key?.fingerprint);
});

test('T14: an unknown user, a wrong key and a suspended user get the same messages of the same size', async () => {
  const transcripts = [];
  for (const user of ['known', 'nobody', 'paused']) {
    const pair = openSignIn({ authenticate: () => 'reject' });
    const startBytes = pair.sentBytes;
    pair.send(formatQuery(user, createTestKey()));
    await settle();
    pair.send(formatSignIn({ user, key: createTestKey(), sessionId: pair.sessionId }));
    await settle();
    transcripts.push({ answers: readAnswers(pair), bytes: pair.sentBytes - startBytes });
  }
  assert.deepEqual(transcripts[1], transcripts[0]);
  assert.deepEqual(transcripts[2], transcripts[0]);
});

test('T7: the sixth failed try ends the connection, and the opening none is not a try', async () => {
  const pair = openSignIn({ authenticate: () => 'reject' });
  pair.send(request('u', 'none'));
  await settle();
  for (let tries = 1; tries <= 6; tries += 1) {
    assert.equal(pair.endReason, undefined);
    pair.send(formatQuery('u', createTestKey()));
    await settle();
  }
  assert.deepEqual(pair.endReason, { kind: 'too_many_tries', tries: 6 });
  assert.equal(pair.received.at(-1)?.[0], 1);
  assert.equal(pair.received.filter((payload) => payload[0] === 51).length, 6);
});

test('T7: queries that a key passes are bounded too', async () => {
  const pair = openSignIn();
  const key = createTestKey();
  for (let count = 0; count < 40 && pair.endReason === undefined; count += 1) {
    pair.send(formatQuery('u', key));
    await settle();
  }
  assert.equal(pair.endReason?.kind, 'too_many_tries');
  assert.equal(pair.attempts.length, 24);
});

test('T7: the login grace ends a connection at any stage before the sign-in, and not after it', async () => {
  const stages: ((pair: Pair) => void)[] = [
    (pair) => pair.connection.start(),
    (pair) => pair.identify(),
    (pair) => pair.handshake(),
  ];
  for (const reach of stages) {
    const pair = openPair();
    reach(pair);
    pair.advance(29_999);
    assert.equal(pair.endReason, undefined);
    pair.advance(1);
    assert.deepEqual(pair.endReason, { kind: 'grace_expired' });
  }
  const signedIn = openPair();
  await signedIn.ready();
  signedIn.advance(30_000);
  assert.equal(signedIn.endReason, undefined);
});

test("After 'hold' no byte is ever sent: not for packets, not at the time limits, not at the end", async () => {
  for (const step of ['none', 'query', 'signed'] as const) {
    const pair = openSignIn({ authenticate: () => 'hold' });
    const key = createTestKey();
    if (step === 'none') pair.send(request('u', 'none'));
    else if (step === 'query') pair.send(formatQuery('u', key));
    else pair.send(formatSignIn({ user: 'u', key, sessionId: pair.sessionId }));
    await settle();
    const heldAt = pair.sentBytes;
    pair.send(request('u', 'none'));
    pair.send(formatByte(192), formatString('ping'));
    pair.raw(Buffer.alloc(1000, 7));
    pair.advance(600_000);
    pair.connection.end('goodbye');
    await settle();
    assert.equal(pair.sentBytes, heldAt, step);
    assert.deepEqual([pair.connection.summary.isHeld, pair.ends], [true, [{ kind: 'stopped' }]]);
  }
});

test("A wrong signature still reaches the handler, so that its 'hold' is obeyed", async () => {
  const pair = openSignIn({ authenticate: () => 'hold' });
  const before = pair.sentBytes;
  pair.send(formatSignIn({ user: 'u', key: createTestKey(), sessionId: Buffer.alloc(32) }));
  await settle();
  assert.deepEqual([pair.sentBytes, pair.connection.summary.isHeld], [before, true]);
});

test('Tries are decided one at a time, in order, however they are packed', async () => {
  const waiting: ((verdict: Verdict) => void)[] = [];
  const pair = openSignIn({ authenticate: () => new Promise<Verdict>((resolve) => waiting.push(resolve)) });
  const key = createTestKey();
  const signIn = formatSignIn({ user: 'u', key, sessionId: pair.sessionId });
  pair.raw(pair.seal(request('a', 'none'), request('b', 'none'), signIn));
  await settle();
  assert.equal(waiting.length, 1);
  waiting[0]!('reject');
  await settle();
  assert.deepEqual(
    pair.attempts.map((attempt) => attempt.user),
    ['a', 'b'],
  );
  waiting[1]!('reject');
  await settle();
  waiting[2]!('accept');
  await settle();
  assert.deepEqual(readAnswers(pair).slice(0, 3), [failure, failure, 52]);
});

test('T7: what a peer sends while its try is decided is bounded', async () => {
  const pair = openSignIn({ authenticate: () => new Promise<Verdict>(() => undefined) });
  pair.send(request('u', 'none'));
  for (let count = 0; count < 10 && pair.endReason === undefined; count += 1) pair.raw(Buffer.alloc(65_536));
  assert.equal(pair.endReason?.kind, 'flood');
  assert.ok(pair.connection.bufferedBytes < 65_536);
});

test('A handler that throws ends the connection as an internal fault, with what it threw', async () => {
  const thrown = new Error('the database is on fire');
  const pair = openSignIn({
    authenticate: () => {
      throw thrown;
    },
  });
  pair.send(request('u', 'none'));
  await settle();
  assert.deepEqual(pair.endReason, { kind: 'internal_fault', fault: thrown });
});

test('Another service than the sign-in and the connection is refused with a disconnect', () => {
  const early = openPair();
  early.handshake();
  early.send(formatByte(5), formatString('ssh-connection'));
  assert.equal(early.endReason?.kind, 'protocol_fault');
  const late = openSignIn();
  late.send(formatByte(50), formatString('u'), formatString('ssh-other'), formatString('none'));
  assert.equal(late.endReason?.kind, 'protocol_fault');
});

test('Nothing of the connection protocol is heard before the sign-in', () => {
  for (const number of [80, 90, 94, 98]) {
    const pair = openSignIn();
    pair.send(formatByte(number), Buffer.alloc(32));
    assert.equal(pair.endReason?.kind, 'protocol_fault', String(number));
  }
});

test('The banner is shown once, after the service is granted and before any answer', async () => {
  const pair = openPair({ banner: 'Welcome to the broker.\n' });
  pair.handshake();
  pair.forget();
  pair.send(formatByte(5), formatString('ssh-userauth'));
  pair.send(formatByte(5), formatString('ssh-userauth'));
  pair.send(request('u', 'none'));
  await settle();
  assert.deepEqual(
    pair.received.map((payload) => payload[0]),
    [6, 53, 6, 51],
  );
  assert.equal(createReader(pair.received[1]!, 1).string().toString(), 'Welcome to the broker.\n');
});

test('After the sign-in further requests are ignored, and the host keys are announced', async () => {
  const pair = openPair();
  pair.handshake();
  await pair.signIn();
  assert.deepEqual(
    pair.received.slice(-2).map((payload) => payload[0]),
    [52, 80],
  );
  const announced = createReader(pair.find(80)!, 1);
  assert.equal(announced.string().toString(), 'hostkeys-00@openssh.com');
  assert.equal(announced.boolean(), false);
  assert.deepEqual(
    [announced.string(), announced.string()],
    testHostKeys.map((key) => key.blob),
  );
  pair.forget();
  pair.send(request('other', 'none'));
  await settle();
  assert.deepEqual([pair.received.length, pair.attempts.length], [0, 1]);
});
