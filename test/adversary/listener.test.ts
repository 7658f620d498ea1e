// The SFTP listener alone under attack, over real sockets: what needs its clock, its keys or its limits in hand.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { formatPublicKeyLine, generateHostKey } from '@broadgate/ssh';
import { checkHostSignature, createTestKey, formatSignIn } from '../../packages/ssh/test/client-core.ts';
import { createReader, formatBoolean, formatByte, formatString } from '../../packages/ssh/wire.ts';
import { createFakeClock } from '../../server/kernel/clock.ts';
import { type Ran, run, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { client as packets, flags } from '../fakes/sftp-client.ts';
import { openTestFace } from '../fakes/sftp-face.ts';
import { once } from '../once.ts';
import { connectPeer, type Peer } from './peer.ts';

const makeKeys = async () => [await generateHostKey('ed25519'), await generateHostKey('rsa')];
const keys = once(makeKeys);
const nextKeys = once(makeKeys);
/** Takes everybody as who they say they are. */
const named = {
  authenticate: async ({ user }: { readonly user: string }) =>
    ({ verdict: 'accept', ticket: { user, fingerprint: 'f' } }) as const,
};
const anybody = { authenticate: async () => ({ verdict: 'accept', ticket: { user: 'u', fingerprint: 'f' } }) as const };

test('T17: the exchange is signed by the host key that the client asked for, Ed25519 or RSA with SHA-2', async () => {
  await using face = await openTestFace({ parts: { hostKeys: await keys() } });
  const [ed25519, rsa] = await keys();
  const asked = { 'ssh-ed25519': ed25519!, 'rsa-sha2-512': rsa!, 'rsa-sha2-256': rsa! };
  for (const [algorithm, key] of Object.entries(asked)) {
    using peer = await connectPeer(face.port);
    // The handshake refuses a signature that is wrong.
    await peer.handshake({ hostKeys: [algorithm] });
    assert.ok(peer.hostKeyBlob.equals(key.blob), algorithm);
  }
  using old = await connectPeer(face.port);
  old.identify();
  old.send(old.offer({ hostKeys: ['ssh-rsa', 'ssh-dss'] }));
  assert.equal((await old.ended()).farewell, 'no algorithm in common');
});

test('T17: present and coming host keys are announced after the sign-in, and each is proved for this connection', async () => {
  const [all, stranger] = [[...(await keys()), ...(await nextKeys())], await generateHostKey('ed25519')];
  await using face = await openTestFace({
    gate: anybody,
    parts: { hostKeys: await keys(), nextHostKeys: await nextKeys() },
  });
  using peer = await connectPeer(face.port);
  await peer.signIn({ user: 'u', key: createTestKey() });
  const announced = createReader(await peer.next(80), 1);
  assert.deepEqual([announced.ascii(64), announced.boolean()], ['hostkeys-00@openssh.com', false]);
  for (const key of all) assert.ok(announced.string().equals(key.blob));
  announced.end();
  const ask = async (blobs: readonly Buffer[]): Promise<Buffer> => {
    const name = 'hostkeys-prove-00@openssh.com';
    peer.send(formatByte(80), formatString(name), formatBoolean(true), ...blobs.map((blob) => formatString(blob)));
    return peer.next(81, 82);
  };
  const proof = createReader(await ask(all.map((key) => key.blob)), 1);
  for (const { blob } of all) {
    const data = [formatString('hostkeys-prove-00@openssh.com'), formatString(peer.sessionId), formatString(blob)];
    checkHostSignature(blob, proof.string(), Buffer.concat(data));
  }
  proof.end();
  for (const foreign of [[stranger.blob], [all[0]!.blob, stranger.blob], [Buffer.alloc(0)], []])
    assert.equal((await ask(foreign))[0], 82, 'nothing but our own keys is signed for');
});

test(
  'T17: OpenSSH with UpdateHostKeys learns the next keys, and meets the change without a question',
  withClients,
  async () => {
    const [present, next] = [await keys(), await nextKeys()];
    const lines = (from: readonly { readonly blob: Buffer }[]): string[] =>
      from.map((key) => `broker ${formatPublicKeyLine({ blob: key.blob })}`);
    await using before = await openTestFace({ gate: anybody, parts: { hostKeys: present, nextHostKeys: next } });
    const file = path.join(before.folder, 'known_hosts');
    // It knows the one key that it was told at set-up.
    writeFileSync(file, `${lines(present)[0]}\n`);
    const args = [
      ...[
        '-oHostKeyAlias=broker',
        `-oUserKnownHostsFile=${file}`,
        '-oStrictHostKeyChecking=yes',
        '-oUpdateHostKeys=yes',
      ],
      '-oCheckHostIP=no',
    ];
    const known = (): string[] =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(' ').slice(0, 3).join(' '));
    assert.equal((await listWith(before, before.port, args)).status, 0);
    await eventually(() => known().length === 4);
    assert.deepEqual(known().toSorted(), [...lines(present), ...lines(next)].toSorted());
    await using after = await openTestFace({ gate: anybody, parts: { hostKeys: next } });
    const ran = await listWith(before, after.port, args);
    assert.equal(ran.status, 0, ran.stderr);
    await eventually(() => known().length === 2);
    assert.deepEqual(known().toSorted(), lines(next).toSorted(), 'keys that are no longer announced are forgotten');
  },
);

/** Lists a folder some times over: the client must be there long enough to ask for proof. */
function listWith(face: Awaited<ReturnType<typeof openTestFace>>, port: number, args: readonly string[]): Promise<Ran> {
  const own = face.sshOptions.filter((option) => !/StrictHostKeyChecking|UserKnownHostsFile/.test(option));
  return run('sftp', [...args, ...own, '-P', String(port), '-b', '-', 'u@127.0.0.1'], {
    input: 'ls\nls\nls\npwd\nls\n',
    cwd: face.folder,
  });
}

/** Peers that have come as far as the number says, out of: nothing, a line, keys, the service, a sign-in under way. */
async function comeAsFar(peer: Peer, stage: number): Promise<void> {
  if (stage > 0) peer.identify();
  if (stage > 1) await peer.exchangeKeys();
  if (stage > 2) await peer.askService();
  if (stage > 3) peer.send(formatSignIn({ user: 'u', key: createTestKey(), sessionId: peer.sessionId }));
}

test('CVE-2024-6387: the login grace ends under load at every stage, sign-ins under way included, and all places come back', async () => {
  const clock = createFakeClock();
  const verdicts: ((
    verdict: { verdict: 'reject' } | { verdict: 'accept'; ticket: { user: string; fingerprint: string } },
  ) => void)[] = [];
  await using face = await openTestFace({
    gate: { isKnown: () => true, authenticate: () => new Promise((decide) => verdicts.push(decide)) },
    parts: { clock, hostKeys: await keys(), admissionLimits: { knownSigningInMax: 50 } },
  });
  for (let round = 0; round < 3; round += 1) {
    const peers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const peer = await connectPeer(face.port);
        await comeAsFar(peer, index % 5);
        return peer;
      }),
    );
    await eventually(() => verdicts.length === 10);
    using late = await connectPeer(face.port);
    await late.ended();
    assert.equal(face.listener.counts.signingIn, 50, 'every place is taken');
    clock.advance(29_000);
    assert.equal(face.listener.counts.signingIn, 50);
    // The verdicts of half of the sign-ins under way come in the very turn in which their time ends.
    const [early, tardy] = [verdicts.splice(0, 5), verdicts.splice(0)];
    const ticket = { user: 'u', fingerprint: 'f' };
    for (const decide of early) decide({ verdict: 'accept', ticket });
    clock.advance(2000);
    for (const decide of tardy) decide({ verdict: 'accept', ticket });
    const isSignedIn = (peer: Peer): boolean => peer.find(52) !== undefined;
    await eventually(() => peers.every((peer) => isSignedIn(peer) || peer.end !== undefined));
    for (const peer of peers) peer.socket.destroy();
    await eventually(() => face.listener.counts.connections === 0 && face.listener.counts.signingIn === 0);
  }
  assert.deepEqual(face.faults, []);
  // Told once each: of the 150, and of the three that found no place.
  assert.equal(face.summaries.length, 150);
  assert.ok(face.failures.length <= 153);
});

const mib = 1024 * 1024;

test('T3 and T20: when all that peers hold is too much, the heaviest owner gives way, connection by connection', async () => {
  const clock = createFakeClock();
  await using face = await openTestFace({
    gate: { ...named, open: async () => face.tree.mount() },
    parts: { clock, hostKeys: await keys(), ledgerLimits: { heldBytesMax: 24 * mib } },
  });
  face.tree.put('/big', Buffer.alloc(16 * mib));
  const greedy = async (user: string): Promise<Peer> => {
    const peer = await connectPeer(face.port);
    await peer.signIn({ user, key: createTestKey() });
    const sftp = await peer.openSftp(20_000);
    const handle = await sftp.handle((id) => packets.open(id, '/big', flags.read));
    // The window takes 20,000 bytes of the answers, and the server's own window is filled with what it cannot take.
    await sftp.send(
      Buffer.concat(Array.from({ length: 40 }, (_, id) => packets.read(id, handle, id * 200_000, 200_000))),
    );
    await sftp.send(Buffer.alloc(sftp.windowLeft));
    return peer;
  };
  const vera = await greedy('vera');
  clock.advance(1000);
  assert.equal(vera.end, undefined, 'one alone fits');
  const crowd = await Promise.all(Array.from({ length: 6 }, () => greedy('mallory')));
  await eventually(() => {
    clock.advance(1000);
    return crowd.filter((peer) => peer.end !== undefined).length >= 2;
  });
  assert.equal(vera.end, undefined, 'the lighter owner stays');
  assert.ok(
    crowd.some((peer) => peer.end === undefined),
    'no more go than must',
  );
  for (const peer of [vera, ...crowd]) peer.socket.destroy();
  await eventually(() => face.tree.open.reads === 0 && face.listener.counts.connections === 0);
});

test('T7: no owner has more connections than its share, and others still get in', async () => {
  await using face = await openTestFace({
    gate: named,
    parts: { hostKeys: await keys(), ledgerLimits: { ownerConnectionsMax: 3 } },
  });
  const enter = async (user: string): Promise<Peer> => {
    const peer = await connectPeer(face.port);
    await peer.signIn({ user, key: createTestKey() });
    return peer;
  };
  const first = await Promise.all([enter('mallory'), enter('mallory'), enter('mallory')]);
  using fourth = await enter('mallory');
  assert.match((await fourth.ended()).farewell, /Too many connections/);
  using other = await enter('vera');
  assert.equal(other.end, undefined);
  first[0]!.socket.destroy();
  await eventually(() => face.listener.counts.connections === 3);
  using again = await enter('mallory');
  await again.openSession();
  for (const peer of first) peer.socket.destroy();
});
