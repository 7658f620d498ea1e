// The transport of a running server under attack, over its real port: offers, floods, strays, and cuts before the sign-in.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parseOffer } from '../../packages/ssh/algorithms.ts';
import { createTestKey, formatSignIn, looseOffer } from '../../packages/ssh/test/client-core.ts';
import { createReader, formatBoolean, formatByte, formatString, formatUint32 } from '../../packages/ssh/wire.ts';
import { run, withClients } from '../clients.ts';
import { once } from '../once.ts';
import { connectPeer, type Peer, readBanner } from './peer.ts';
import { compareRanks } from './ranks.ts';
import { findings } from './ssh-audit-findings.ts';
import { openTarget } from './target.ts';

const target = await openTarget();
after(() => target[Symbol.asyncDispose]());
const { port, desk } = target;
const mib = 1024 * 1024;

/** The client that the signed-in attacks come from, and addresses that nobody signs in from: strangers. */
const account = once(() => target.addAccount('mallory', ['127.0.0.1', '127.0.1.0/24']));
const stranger = async (last: number): Promise<Peer> => {
  await account();
  return connectPeer(port, { localAddress: `127.0.1.${last}` });
};

/** A fresh stranger that has sent its first line. */
async function identified(last: number): Promise<Peer> {
  const peer = await stranger(last);
  peer.identify();
  await peer.next(20);
  return peer;
}

test('T4, T5, T15 and T16: the running server offers what is implemented, in order, and nothing else', async () => {
  using peer = await stranger(1);
  assert.equal(await peer.banner(), 'SSH-2.0-Broadgate');
  await peer.handshake();
  const offer = parseOffer(peer.serverOffer);
  // sntrup761x25519-sha512 is for later, and group exchange is not offered because its server half is not there.
  assert.deepEqual(offer.keyExchanges, [
    'mlkem768x25519-sha256',
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
    'kex-strict-s-v00@openssh.com',
  ]);
  assert.deepEqual(offer.hostKeys, ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256']);
  const ciphers = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com'];
  assert.deepEqual(offer.ciphersIn, [...ciphers, 'aes128-ctr', 'aes192-ctr', 'aes256-ctr']);
  assert.deepEqual(offer.ciphersOut, offer.ciphersIn);
  const macs = ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'];
  assert.deepEqual([offer.macsIn, offer.macsOut], [macs, macs]);
  assert.deepEqual([offer.compressionsIn, offer.compressionsOut], [['none'], ['none']]);
  const extInfo = createReader(await peer.next(7), 1);
  assert.equal(extInfo.uint32(), 2);
  assert.deepEqual(
    [extInfo.string().toString(), extInfo.string().toString()],
    [
      'server-sig-algs',
      'ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256',
    ],
  );
});

test('T7: one line of at most 255 bytes, packets of at most 35,000 and bounded name-lists, or the connection ends', async () => {
  const attacks: Record<string, (peer: Peer) => void> = {
    'a line without an end': (peer) => peer.raw('S'.repeat(256)),
    'a line that is not SSH': (peer) => peer.raw('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    'two lines': (peer) => peer.raw('hello\r\nSSH-2.0-x\r\n'),
    'SSH 1': (peer) => peer.raw('SSH-1.5-x\r\n'),
    'a packet of 4 GiB': (peer) => peer.raw(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(16, 0xff)])),
    'a packet of 35,001 bytes': (peer) => {
      peer.raw(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), formatUint32(35_008), Buffer.alloc(12)]));
    },
    'a name-list of 300 names': (peer) => {
      peer.identify();
      peer.send(peer.offer({ ciphers: Array.from({ length: 300 }, (_, index) => `c${index}`) }));
    },
    'a name of 65 characters': (peer) => {
      peer.identify();
      peer.send(peer.offer({ ciphers: ['c'.repeat(65)] }));
    },
    'no name at all': (peer) => {
      peer.identify();
      peer.send(peer.offer({ keyExchanges: [] }));
    },
  };
  let last = 10;
  for (const [what, attack] of Object.entries(attacks)) {
    using peer = await stranger((last += 1));
    attack(peer);
    await assert.doesNotReject(peer.ended(), what);
  }
});

test('CVE-2016-8858: a flood of KEXINIT ends at the second one, before anything is kept of it', async () => {
  await account();
  const before = await target.read();
  for (let last = 30; last < 40; last += 1) {
    using peer = await identified(last);
    // 20 MiB of them for ten peers, each offer as large as an offer may be.
    const ciphers = Array.from({ length: 120 }, (_, index) => `cipher-${index}-${'x'.repeat(40)}`);
    const offers = Array.from({ length: 60 }, () => peer.offer({ ciphers }));
    peer.raw(peer.seal(...offers));
    await peer.ended();
  }
  const after = await target.read();
  assert.ok(after.residentBytes - before.residentBytes < 32 * mib);
  assert.ok(after.processorSeconds - before.processorSeconds < 2);
});

test('T9: under strict key exchange a stray message at any place before NEWKEYS ends the connection', async () => {
  const strays = [
    Buffer.from([2, 0, 0, 0, 0]),
    Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.from([3, 0, 0, 0, 0]),
  ];
  let last = 40;
  for (const stray of strays) {
    using early = await stranger((last += 1));
    early.identify();
    early.send(stray);
    early.send(early.offer());
    assert.equal((await early.ended()).farewell, 'protocol error');
    using middle = await identified((last += 1));
    middle.send(middle.offer());
    middle.send(stray);
    assert.equal((await middle.ended()).farewell, 'protocol error');
    using late = await identified((last += 1));
    const offer = late.offer();
    late.send(offer);
    const begun = late.beginExchange(offer);
    late.completeExchange(begun, await late.next(31), () => late.send(stray));
    assert.notEqual((await late.ended()).end, undefined);
  }
});

test('CVE-2023-48795: a prefix truncation, an extra packet before and one less behind NEWKEYS, is noticed', async () => {
  for (const keyExchanges of [undefined, looseOffer]) {
    using peer = await identified(60);
    const offer = peer.offer(keyExchanges && { keyExchanges });
    peer.send(offer);
    const begun = peer.beginExchange(offer);
    const reply = await peer.next(31);
    // In the middle of the way: an IGNORE in, and the first sealed packet out.
    peer.completeExchange(begun, reply, () => peer.send(Buffer.from([2, 0, 0, 0, 0])));
    peer.seal(Buffer.concat([formatByte(5), formatString('ssh-userauth')]));
    peer.send(formatByte(5), formatString('ssh-userauth'));
    // Without strict key exchange it is the cipher that notices: AES-GCM counts for itself.
    await peer.ended();
    assert.equal(peer.find(6), undefined);
  }
});

test('T12 and CVE-2025-26466: a flood of PING ends the connection, with little processor time and memory', async () => {
  const mallory = await account();
  const ping = Buffer.concat([formatByte(192), formatString(Buffer.alloc(1024))]);
  const before = await target.read();
  for (let round = 0; round < 2; round += 1) {
    using peer = await target.enter(mallory);
    // The peer reads nothing of what it asks for.
    peer.socket.pause();
    peer.raw(peer.seal(...Array.from({ length: 5000 }, () => ping)));
    await peer.ended();
  }
  const after = await target.read();
  assert.ok(after.processorSeconds - before.processorSeconds < 2, '10,000 PINGs cost the server next to nothing');
  assert.ok(after.residentBytes - before.residentBytes < 64 * mib);
});

test('T12: each message that asks for an answer or does nothing is capped, before and after the sign-in', async () => {
  const mallory = await account();
  const floods: Record<string, Buffer> = {
    IGNORE: Buffer.concat([formatByte(2), formatString('')]),
    UNIMPLEMENTED: Buffer.concat([formatByte(3), formatUint32(0)]),
    DEBUG: Buffer.concat([formatByte(4), formatBoolean(false), formatString(''), formatString('')]),
    'an unknown message': formatByte(77),
    'a global request': Buffer.concat([formatByte(80), formatString('x'), formatBoolean(true)]),
  };
  for (const [what, flood] of Object.entries(floods)) {
    using peer = await target.enter(mallory);
    peer.raw(peer.seal(...Array.from({ length: 2000 }, () => flood)));
    assert.equal((await peer.ended()).farewell, 'too many requests', what);
  }
  using early = await stranger(61);
  await early.handshake();
  early.raw(early.seal(...Array.from({ length: 2000 }, () => floods['IGNORE']!)));
  assert.equal((await early.ended()).farewell, 'too many requests');
});

test('T13: no method but publickey is offered or taken, and a signature holds for its own connection alone', async () => {
  const { user, key } = await account();
  using peer = await connectPeer(port);
  await peer.handshake();
  await peer.askService();
  const methods: Record<string, Buffer> = {
    none: Buffer.alloc(0),
    password: Buffer.concat([formatBoolean(false), formatString('secret')]),
    'keyboard-interactive': Buffer.concat([formatString(''), formatString('')]),
    hostbased: Buffer.concat(['ssh-ed25519', key.blob, 'h', 'u', 'sig'].map((part) => formatString(part))),
  };
  for (const [method, rest] of Object.entries(methods)) {
    peer.send(formatByte(50), formatString(user), formatString('ssh-connection'), formatString(method), rest);
    const failure = createReader(await peer.next(51, 52), 1);
    assert.deepEqual([failure.nameList(), failure.boolean()], [['publickey'], false], method);
  }
  using other = await connectPeer(port);
  await other.handshake();
  await other.askService();
  // A signature that was made for `peer`, sent on `other`: a relay gains nothing.
  other.send(formatSignIn({ user, key, sessionId: peer.sessionId }));
  assert.equal((await other.next(51, 52))[0], 51);
  assert.equal(await other.trySignIn(user, key), 52);
});

test('T14: unknown user, wrong key and suspended user are answered alike: same bytes, and times that mix evenly', async (t) => {
  const mallory = await account();
  const suspended = await target.addAccount('susan');
  await desk.post(`/v1/clients/${suspended.client.clientId}/suspend`, { reason: 'A question is open.' });
  const tries = {
    'unknown user': () => ({ user: 'd0000000000000x', key: mallory.key }),
    'wrong key': () => ({ user: mallory.user, key: createTestKey() }),
    'suspended user': () => ({ user: suspended.user, key: suspended.key }),
  };
  const names = Object.keys(tries) as (keyof typeof tries)[];
  for (const step of ['trySignIn', 'tryQuery'] as const) {
    const times: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
    const answers = new Set<string>();
    for (let round = 0; round < 24; round += 1) {
      using peer = await connectPeer(port);
      await peer.handshake();
      await peer.askService();
      peer.forget();
      // Each of them is as often the first, the second and the third of a connection.
      for (let turn = 0; turn < names.length; turn += 1) {
        const name = names[(round + turn) % names.length]!;
        const { user, key } = tries[name]();
        const startedMs = performance.now();
        answers.add(String(await peer[step](user, key)));
        times[name]!.push(performance.now() - startedMs);
      }
    }
    assert.deepEqual([...answers], ['51']);
    for (const [at, one] of names.entries()) {
      const other = names[(at + 1) % names.length]!;
      const z = compareRanks(times[one]!, times[other]!);
      t.diagnostic(`${step}: ${one} against ${other}: ${z.toFixed(1)}`);
      assert.ok(Math.abs(z) < 4, `the times of ${one} and ${other} differ by ${z.toFixed(1)} deviations`);
    }
  }
});

test('T7: the sixth try ends the connection, and a channel before the sign-in does so at once', async () => {
  const { user } = await account();
  using peer = await connectPeer(port);
  await peer.handshake();
  await peer.askService();
  for (let tries = 1; tries < 6; tries += 1) assert.equal(await peer.trySignIn(user, createTestKey()), 51);
  peer.send(formatSignIn({ user, key: createTestKey(), sessionId: peer.sessionId }));
  assert.equal((await peer.ended()).farewell, 'too many sign-in tries');
  using early = await connectPeer(port);
  await early.handshake();
  early.openChannel();
  assert.equal((await early.ended()).farewell, 'protocol error');
});

test('T7: a crowd of strangers is dropped early, and an address that signed in is let in all the same', async () => {
  const mallory = await account();
  // This address has signed in within the hour; the crowd's have not.
  (await target.enter(mallory)).socket.destroy();
  const crowd = await Promise.all(
    Array.from({ length: 160 }, (_, index) => connectPeer(port, { localAddress: `127.0.1.${70 + (index % 160)}` })),
  );
  for (const peer of crowd)
    await peer.until(() => peer.serverLine !== '' || peer.end !== undefined || undefined, 'a verdict');
  const taken = crowd.filter((peer) => peer.serverLine !== '').length;
  assert.ok(taken >= 10 && taken <= 100, `${taken} of 160 strangers were taken`);
  for (let round = 0; round < 5; round += 1) (await target.enter(mallory)).socket.destroy();
  for (const peer of crowd) peer.socket.destroy();
});

test('T7: one source cannot have more than its share of connections that do not sign in', async () => {
  await account();
  const peers = await Promise.all(Array.from({ length: 80 }, () => connectPeer(port)));
  for (const peer of peers)
    await peer.until(() => peer.serverLine !== '' || peer.end !== undefined || undefined, 'a verdict');
  const taken = peers.filter((peer) => peer.serverLine !== '').length;
  assert.ok(taken <= 50, `${taken} connections of one source were taken`);
  assert.match(await readBanner(port, { localAddress: '127.0.1.250' }), /^SSH-2.0-/);
  for (const peer of peers) peer.socket.destroy();
});

test(
  'T4, T5, T15 and T16: ssh-audit finds what the checked-in list holds, each with its reason, and nothing else',
  withClients,
  async () => {
    await account();
    const audit = (...args: string[]) =>
      run('ssh-audit', [...args, '-p', String(port), '127.0.0.1'], { timeoutMs: 60_000 });
    const seen = JSON.parse((await audit('-j')).stdout.toString()) as Record<string, unknown>;
    assert.deepEqual(seen['compression'], ['none']);
    assert.deepEqual(seen['key'], [
      { algorithm: 'ssh-ed25519' },
      { algorithm: 'rsa-sha2-512', keysize: 3072 },
      { algorithm: 'rsa-sha2-256', keysize: 3072 },
    ]);
    // Its JSON lists what is offered, its text what is wrong with it; further remarks on a name stand below the first.
    let name = '';
    const found = (await audit('-n')).stdout
      .toString()
      .split('\n')
      .flatMap((line) => {
        name = /^(\((?:kex|key|enc|mac|aut|gen|sec|cve|rec)\) \S+)/.exec(line)?.[1] ?? name;
        const fault = /(?:--|`-) (\[(?:fail|warn)\] .*)$/.exec(line)?.[1];
        if (fault !== undefined) return [`${name} ${fault}`];
        return /^\((?:rec|sec|cve)\)/.test(line) ? [name] : [];
      });
    assert.deepEqual(found.toSorted(), findings.map(({ says }) => says).toSorted());
  },
);
