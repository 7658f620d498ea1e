// The port itself: silence, holding, ends by ticket, closing with transfers under way, and peers that do not read.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { withClients } from '../../../test/clients.ts';
import { eventually } from '../../../test/eventually.ts';
import { client, createReplyReader, flags } from '../../../test/fakes/sftp-client.ts';
import { openTestFace } from '../../../test/fakes/sftp-face.ts';
import { createFakeClock } from '../../kernel/clock.ts';

interface Heard {
  readonly socket: net.Socket;
  readonly bytes: () => string;
  readonly end: () => string | undefined;
}

/** A raw peer that remembers what it got and how its connection ended. */
async function connect(port: number): Promise<Heard> {
  const socket = net.connect(port, '127.0.0.1');
  let text = '';
  let end: string | undefined;
  socket.on('data', (bytes) => (text += bytes.toString('latin1')));
  socket.on('end', () => (end ??= 'FIN'));
  socket.on('error', (fault) => (end = (fault as NodeJS.ErrnoException).code));
  await once(socket, 'connect');
  return { socket, bytes: () => text, end: () => end };
}

test('SF-26: an address that is not admitted gets silence for ten minutes, whatever it says, and then a plain end', async () => {
  const clock = createFakeClock();
  await using face = await openTestFace({ gate: { admit: async () => 'silence' }, parts: { clock } });
  const peer = await connect(face.port);
  peer.socket.write('SSH-2.0-probe\r\n');
  await eventually(() => face.listener.counts.held === 1);
  clock.advance(599_000);
  assert.deepEqual([peer.bytes(), peer.end(), face.listener.counts.held], ['', undefined, 1]);
  clock.advance(2000);
  await eventually(() => peer.end() !== undefined);
  assert.deepEqual([peer.bytes(), peer.end()], ['', 'FIN']);
  assert.deepEqual([face.attempts, face.summaries], [[], []]);
});

test('SF-26: OpenSSH with a connect time-out reports a time-out and no refusal', withClients, async () => {
  await using face = await openTestFace({ gate: { admit: async () => 'silence' } });
  const ran = await face.sftp(['ls'], { args: ['-oConnectTimeout=1'] });
  assert.equal(ran.status, 255);
  assert.match(ran.stderr, /timed out/);
  await eventually(() => face.listener.counts.held === 0);
});

test('a gate that fails is as silent as one that refuses, and the fault is kept', async () => {
  await using face = await openTestFace({ gate: { admit: () => Promise.reject(new Error('database down')) } });
  const peer = await connect(face.port);
  await eventually(() => face.listener.counts.held === 1);
  assert.deepEqual([peer.bytes(), face.faults.length], ['', 1]);
  peer.socket.destroy();
  await eventually(() => face.listener.counts.held === 0);
});

test('held connections have caps: the oldest of the same source goes first', async () => {
  const parts = { holdingLimits: { heldPerSourceMax: 2 } };
  await using face = await openTestFace({ gate: { admit: async () => 'silence' }, parts });
  const peers: Heard[] = [];
  for (let count = 1; count <= 3; count++) {
    peers.push(await connect(face.port));
    await eventually(() => face.listener.counts.held === Math.min(2, count));
  }
  await eventually(() => peers[0]!.end() === 'FIN');
  assert.deepEqual([peers[1]!.end(), peers[2]!.end()], [undefined, undefined]);
  for (const peer of peers) peer.socket.destroy();
});

test(
  'D-15: a sign-in that is to be held gets no further byte and leaves the counts of those signing in',
  withClients,
  async () => {
    await using face = await openTestFace({ gate: { authenticate: async () => ({ verdict: 'hold' }) } });
    const running = face.ssh(['-s', '127.0.0.1', 'sftp'], { timeoutMs: 1500 });
    await eventually(() => face.listener.counts.held === 1);
    assert.deepEqual(face.listener.counts, { connections: 0, signingIn: 0, held: 1 });
    assert.equal((await running).status, -1);
    await eventually(() => face.summaries.length === 1);
    assert.equal(face.summaries[0]?.endReason, 'held_and_left');
    assert.equal(face.listener.counts.held, 0);
  },
);

test('SF-21: a password is never taken, and the gate hears of the attempt', withClients, async () => {
  await using face = await openTestFace();
  const ran = await face.ssh(['-oPubkeyAuthentication=no', '-oPreferredAuthentications=password', '127.0.0.1']);
  assert.equal(ran.status, 255);
  assert.match(ran.stderr, /Permission denied \(publickey\)/);
  await eventually(() => face.failures.length === 1);
  assert.deepEqual([face.attempts[0]?.method, face.failures[0]?.reason], ['none', 'peer_left']);
});

test('T14: an unknown user is judged by the gate like a known one, step by step', withClients, async () => {
  await using face = await openTestFace();
  const steps = async (user: string): Promise<unknown[]> => {
    face.attempts.length = 0;
    const ran = await face.ssh(['-s', '127.0.0.1', 'sftp'], { user });
    assert.equal(ran.status, 255);
    return face.attempts.map(({ method, signed }) => [method, signed]);
  };
  const unknown = await steps('nobody');
  assert.deepEqual(unknown, [
    ['none', false],
    ['publickey', false],
  ]);
  assert.deepEqual(await steps('other'), unknown);
});

test('SF-24: connections are ended by their ticket at once, and a cut upload is kept', withClients, async () => {
  await using face = await openTestFace();
  writeFileSync(path.join(face.folder, 'big'), Buffer.alloc(4 * 1024 * 1024));
  const running = face.sftp(['put big /big'], { args: ['-l', '4000'] });
  await eventually(() => face.tree.calls.write > 0);
  assert.equal(
    face.listener.endConnections(({ user }) => user === 'someone else'),
    0,
  );
  assert.equal(
    face.listener.endConnections(({ user }) => user === face.user),
    1,
  );
  assert.notEqual((await running).status, 0);
  await eventually(() => face.summaries.length === 1 && face.tree.kept.has('/big'));
  assert.deepEqual([face.summaries[0]?.endReason, face.summaries[0]?.ticket?.user], ['ended_by_us', face.user]);
  assert.equal(face.tree.nodes.has('/big'), false);
});

test('closing lets a transfer end, takes no new peer, and cuts what is left at the deadline', withClients, async () => {
  await using face = await openTestFace();
  writeFileSync(path.join(face.folder, 'big'), Buffer.alloc(1024 * 1024));
  const running = face.sftp(['put big /big'], { args: ['-l', '8000'] });
  await eventually(() => face.tree.calls.write > 0);
  const closing = face.listener.close(30_000);
  await assert.rejects(connect(face.port));
  await closing;
  await running;
  assert.equal(face.tree.nodes.get('/big')?.bytes.length, 1024 * 1024);
  assert.equal(face.summaries[0]?.endReason, 'stopping');

  await using other = await openTestFace();
  writeFileSync(path.join(other.folder, 'big'), Buffer.alloc(8 * 1024 * 1024));
  const slow = other.sftp(['put big /big'], { args: ['-l', '4000'] });
  await eventually(() => other.tree.calls.write > 0);
  await other.listener.close(0);
  assert.notEqual((await slow).status, 0);
  assert.deepEqual([other.tree.nodes.has('/big'), other.tree.kept.has('/big')], [false, true]);
});

test('a PROXY header of a trusted balancer names the peer; without one the balancer is turned away', async () => {
  const admitted: string[] = [];
  const admit = async (address: string): Promise<'banner'> => {
    admitted.push(address);
    return 'banner';
  };
  await using face = await openTestFace({ gate: { admit }, parts: { trustedProxies: ['127.0.0.0/8'] } });
  const peer = await connect(face.port);
  peer.socket.write('PROXY TCP4 192.0.2.7 127.0.0.1 40000 32\r\n');
  await eventually(() => peer.bytes().startsWith('SSH-2.0-Broadgate_1\r\n'));
  assert.deepEqual(admitted, ['192.0.2.7']);
  peer.socket.destroy();
  const liar = await connect(face.port);
  liar.socket.write('SSH-2.0-direct\r\n');
  await eventually(() => liar.end() !== undefined);
  assert.deepEqual([liar.bytes(), admitted.length], ['', 1]);
});

test('a PROXY header of anyone else is no header at all', async () => {
  const admitted: string[] = [];
  const admit = async (address: string): Promise<'banner'> => {
    admitted.push(address);
    return 'banner';
  };
  await using face = await openTestFace({ gate: { admit }, parts: { trustedProxies: ['192.0.2.1'] } });
  const peer = await connect(face.port);
  peer.socket.write('PROXY TCP4 192.0.2.7 127.0.0.1 40000 32\r\n');
  await eventually(() => peer.end() !== undefined || face.failures.length > 0);
  assert.deepEqual(admitted, ['127.0.0.1']);
  assert.equal(face.failures[0]?.reason, 'protocol_error');
});

test('T18: a peer that leaves at any byte of the greeting leaves nothing behind', async () => {
  await using face = await openTestFace();
  const greeting = 'SSH-2.0-x\r\n';
  for (let cut = 0; cut <= greeting.length; cut += 3) {
    const half = await connect(face.port);
    half.socket.end(greeting.slice(0, cut));
    const reset = await connect(face.port);
    reset.socket.write(greeting.slice(0, cut));
    reset.socket.resetAndDestroy();
  }
  await eventually(() => face.summaries.length === 8 && face.listener.counts.connections === 0);
  assert.deepEqual(face.faults, []);
});

test('T3: a client that asks for much and reads nothing costs bounded memory', withClients, async () => {
  await using face = await openTestFace();
  face.tree.put('/big', Buffer.alloc(128 * 1024 * 1024));
  // Its output goes into a pipe that nobody empties, so that it stops reading from us.
  const peer = spawn('ssh', [...face.sshOptions, `-p${face.port}`, `-l${face.user}`, '-s', '127.0.0.1', 'sftp'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const greeting = Promise.withResolvers<Buffer>();
  const replies = createReplyReader();
  peer.stdout.on('data', (bytes: Buffer) => {
    const opened = replies.push(bytes).find((reply) => reply.type === 102);
    if (!opened) return;
    peer.stdout.pause();
    greeting.resolve(opened.string());
  });
  peer.stdin.write(Buffer.concat([client.init(), client.open(1, '/big', flags.read)]));
  const handle = await greeting.promise;
  const size = 255 * 1024;
  for (let index = 0; index < 400; index++) peer.stdin.write(client.read(index, handle, index * size, size));
  let [seen, quiet] = [-1, 0];
  await eventually(() => {
    quiet = face.tree.calls.read === seen ? quiet + 1 : 0;
    seen = face.tree.calls.read;
    return seen > 2 && quiet > 20;
  });
  assert.ok(seen <= 24, `${seen} blocks of at most 1 MiB were read`);
  peer.kill('SIGKILL');
  await eventually(() => face.tree.open.reads === 0 && face.summaries.length === 1);
  assert.equal(face.tree.fetched[0]?.fetched.end, 'cut');
});
