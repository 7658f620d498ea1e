// Channels under a client that opens, fills, starves and closes them in every wrong way.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Channel } from './ssh.ts';
import { detailOf, openPair, type Pair, type PairOptions, settle } from './test/adversary.ts';
import { makePattern } from './test/echo-server.ts';
import { createReader, formatBoolean, formatByte, formatString, formatUint32 } from './wire.ts';

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

test('T6: on EOF the queued data, exit-status, EOF and CLOSE go out, once and in that order', async () => {
  const pair = await openSubsystem('echo');
  pair.forget();
  pair.raw(
    pair.seal(
      Buffer.concat([formatByte(94), formatUint32(0), formatString('last words')]),
      Buffer.concat([formatByte(96), formatUint32(0)]),
    ),
  );
  await settle();
  assert.deepEqual(
    pair.received.map((payload) => payload[0]),
    [94, 98, 96, 97],
  );
  const status = createReader(pair.received[1]!, 5);
  assert.deepEqual([status.string().toString(), status.boolean(), status.uint32()], ['exit-status', false, 0]);
  pair.send(formatByte(97), formatUint32(0));
  assert.equal(pair.endReason, undefined);
  pair.send(adjust(0, 1));
  assert.equal(detailOf(pair), 'a message names a channel that is not open');
});

test('T6: the goodbye waits for the peer window and is not lost', async () => {
  const pair = await openSubsystem('source:5000', {}, 2000);
  await settle();
  assert.equal(pair.find(96), undefined);
  pair.send(adjust(0, 3000));
  assert.deepEqual(pair.dataOf(0), makePattern(5000));
  assert.deepEqual(
    pair.received.slice(-3).map((payload) => payload[0]),
    [98, 96, 97],
  );
});

test('T6: a CLOSE of the peer is answered with CLOSE at once and the channel hears it, whatever is queued', async () => {
  let closed = 0;
  const pair = await openSubsystem(
    'x',
    {
      subsystem(channel) {
        channel.onClosed = () => (closed += 1);
        channel.write(Buffer.alloc(50_000));
        return true;
      },
    },
    100,
  );
  pair.forget();
  pair.send(formatByte(97), formatUint32(0));
  assert.deepEqual([pair.received.map((payload) => payload[0]), closed], [[97], 1]);
  assert.equal(pair.connection.bufferedBytes, 0);
});

test('T18: when the connection is lost every channel hears it once and can be used without harm', async () => {
  const channels: Channel[] = [];
  let closed = 0;
  const pair = await openReady({
    subsystem(channel) {
      channels.push(channel);
      channel.onData = () => undefined;
      channel.onClosed = () => (closed += 1);
      return true;
    },
  });
  for (const id of [0, 1, 2]) {
    pair.openChannel(id);
    pair.request(id, 'subsystem', formatString('x'));
    pair.data(id, Buffer.alloc(100));
  }
  pair.connection.lost();
  pair.connection.lost();
  assert.deepEqual([closed, pair.ends], [3, [{ kind: 'connection_lost' }]]);
  for (const channel of channels) {
    channel.consume(100);
    channel.write(Buffer.from('x'));
    channel.exit(1);
    channel.close();
  }
  await settle();
  assert.equal(pair.connection.bufferedBytes, 0);
});

test('T10: the eleventh channel is refused, and a closed one makes room', async () => {
  const pair = await openReady();
  for (let id = 0; id < 11; id += 1) pair.openChannel(id);
  assert.equal(pair.received.filter((payload) => payload[0] === 91).length, 10);
  assert.equal(pair.find(92)?.readUInt32BE(1), 10);
  assert.equal(pair.find(92)?.readUInt32BE(5), 4);
  pair.send(formatByte(97), formatUint32(3));
  pair.forget();
  pair.openChannel(12);
  assert.equal(pair.find(91)?.readUInt32BE(5), 3);
});

const declinedRequests: readonly (readonly [string, Buffer])[] = [
  ['shell', Buffer.alloc(0)],
  ['exec', formatString('rm -rf /')],
  ['pty-req', Buffer.alloc(7)],
  ['env', Buffer.concat([formatString('LANG'), formatString('C')])],
  ['auth-agent-req@openssh.com', Buffer.alloc(0)],
  ['x11-req', Buffer.from([1, 2])],
  ['subsystem', formatString('unknown')],
  ['subsystem', formatString('')],
  ['subsystem', formatString('x'.repeat(65))],
  ['subsystem', Buffer.alloc(0)],
  ['subsystem', Buffer.from([0, 0])],
  ['subsystem', Buffer.from([0xff, 0xff, 0xff, 0xff, 1])],
  ['subsystem', Buffer.concat([formatString('echo'), Buffer.alloc(1)])],
  ['nobody-knows@this', Buffer.alloc(500, 9)],
];

test('T11: malformed or unknown requests get CHANNEL_FAILURE, and the channel still serves afterwards', async () => {
  const pair = await openReady();
  pair.openChannel();
  for (const [type, rest] of declinedRequests) {
    pair.forget();
    pair.request(0, type, rest);
    assert.deepEqual(
      pair.received.map((payload) => payload[0]),
      [100],
      type,
    );
    pair.forget();
    pair.request(0, type, rest, false);
    assert.deepEqual([pair.received.length, pair.endReason], [0, undefined], type);
  }
  pair.forget();
  pair.request(0, 'subsystem', formatString('echo'));
  pair.request(0, 'subsystem', formatString('echo'));
  assert.deepEqual(
    pair.received.map((payload) => payload[0]),
    [99, 100],
  );
  const { declined } = pair.connection.summary;
  assert.ok(declined.includes('shell') && declined.includes('exec') && !declined.includes('env'));
  assert.ok(declined.length <= 16);
});

test('T11: forwarding, agent and X11 channels are refused, each with its code, and remembered', async () => {
  const pair = await openReady();
  for (const [type, code] of [
    ['direct-tcpip', 1],
    ['x11', 3],
    ['auth-agent@openssh.com', 3],
    ['tun@openssh.com', 1],
  ] as const) {
    pair.forget();
    pair.openChannel(9, 1 << 20, 32_768, type);
    assert.equal(pair.find(92)?.readUInt32BE(5), code, type);
  }
  assert.deepEqual(pair.connection.summary.declined.length, 4);
});

test('T11: global requests for forwarding fail, in order, and only when an answer is wanted', async () => {
  const pair = await openReady();
  const names = [
    'tcpip-forward',
    'no-more-sessions@openssh.com',
    'keepalive@openssh.com',
    'hostkeys-prove-00@openssh.com',
  ];
  for (const name of names) {
    pair.forget();
    pair.send(formatByte(80), formatString(name), formatBoolean(true));
    assert.deepEqual(
      pair.received.map((payload) => payload[0]),
      [82],
      name,
    );
    pair.forget();
    pair.send(formatByte(80), formatString(name), formatBoolean(false));
    assert.equal(pair.received.length, 0, name);
  }
});

const badOrders: readonly (readonly [string, readonly Buffer[]])[] = [
  [
    'data after EOF',
    [
      Buffer.concat([formatByte(96), formatUint32(0)]),
      Buffer.concat([formatByte(94), formatUint32(0), formatString('x')]),
    ],
  ],
  ['EOF twice', [Buffer.concat([formatByte(96), formatUint32(0)]), Buffer.concat([formatByte(96), formatUint32(0)])]],
  ['data for a channel that is not there', [Buffer.concat([formatByte(94), formatUint32(77), formatString('x')])]],
  [
    'a request for a channel that is not there',
    [Buffer.concat([formatByte(98), formatUint32(1), formatString('x'), formatByte(1)])],
  ],
  ['CLOSE twice', [Buffer.concat([formatByte(97), formatUint32(0)]), Buffer.concat([formatByte(97), formatUint32(0)])]],
  ['an answer nobody waits for', [formatByte(81)]],
];

const quiet = (channel: Channel): boolean => {
  channel.onData = () => undefined;
  return true;
};

test('Messages that contradict the state of a channel disconnect', async () => {
  for (const [name, payloads] of badOrders) {
    const pair = await openSubsystem('x', { subsystem: quiet });
    for (const payload of payloads) pair.send(payload);
    assert.equal(pair.endReason?.kind, 'protocol_fault', name);
  }
});

test('A handler that throws in a callback ends its own connection as an internal fault', async () => {
  const thrown = new Error('a bug of ours');
  const pair = await openSubsystem('x', {
    subsystem(channel) {
      channel.onData = () => {
        throw thrown;
      };
      return true;
    },
  });
  pair.data(0, Buffer.from('x'));
  assert.deepEqual(pair.endReason, { kind: 'internal_fault', fault: thrown });
});
