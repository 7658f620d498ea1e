// Real clients against the connection behind a socket: every algorithm, both ways, with keys renewed meanwhile.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { KeyPair, SSHClient, SshTransport } from 'russh';
import { eventually } from '../../test/eventually.ts';
import { openTempFolder, type Ran, run, withClients } from '../../test/clients.ts';
import { formatHostKey, formatPublicKeyLine, generateHostKey } from './ssh.ts';
import { cipherNames, keyExchangeNames, macNames } from './algorithms.ts';
import { type EchoServer, makePattern, openEchoServer } from './test/echo-server.ts';

/** A key of that kind, made by ssh-keygen. */
async function makeKey(folder: string, name: string, ...kind: string[]): Promise<string> {
  const file = path.join(folder, name);
  const made = await run('ssh-keygen', ['-q', ...kind, '-N', '', '-f', file]);
  assert.equal(made.status, 0, made.stderr);
  return file;
}

interface Dial {
  readonly server: EchoServer;
  readonly keyFile: string;
  readonly subsystem: string;
  readonly options?: readonly string[];
  readonly input?: Buffer;
}

function dial({ server, keyFile, subsystem, options = [], input = Buffer.alloc(0) }: Dial): Promise<Ran> {
  const set = [
    'UserKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=no',
    'IdentitiesOnly=yes',
    'LogLevel=ERROR',
    ...options,
  ];
  const args = ['-F', 'none', ...set.flatMap((option) => ['-o', option]), '-i', keyFile, '-p', String(server.port)];
  return run('ssh', [...args, 'u@127.0.0.1', '-s', subsystem], { input, timeoutMs: 60_000 });
}

test('OpenSSH signs in with every key exchange that it knows and every host key algorithm', withClients, async () => {
  using temp = openTempFolder();
  const keyFile = await makeKey(temp.folder, 'key', '-t', 'ed25519');
  await using server = await openEchoServer();
  const known = (await run('ssh', ['-Q', 'kex'])).stdout.toString().split('\n');
  for (const keyExchange of keyExchangeNames.filter((name) => known.includes(name))) {
    for (const hostKey of ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256']) {
      const options = [`KexAlgorithms=${keyExchange}`, `HostKeyAlgorithms=${hostKey}`];
      const ran = await dial({ server, keyFile, subsystem: 'echo', options, input: Buffer.from('hello') });
      assert.equal(ran.stdout.toString(), 'hello', `${keyExchange} ${hostKey}: ${ran.stderr}`);
      assert.equal(ran.status, 0);
      const { negotiated } = server.connections.at(-1)!.summary;
      assert.deepEqual([negotiated?.keyExchange, negotiated?.hostKeyAlgorithm], [keyExchange, hostKey]);
      assert.equal(negotiated?.isStrict, true);
    }
  }
});

test(
  'T8 and T15: OpenSSH moves megabytes both ways with every cipher and MAC while it renews keys',
  withClients,
  async () => {
    using temp = openTempFolder();
    const keyFile = await makeKey(temp.folder, 'key', '-t', 'ed25519');
    await using server = await openEchoServer();
    const input = randomBytes(3 * 1024 * 1024 + 17);
    const pairs: (readonly [string, string | undefined])[] = [];
    for (const cipher of cipherNames) {
      if (cipher.endsWith('-ctr')) for (const mac of macNames) pairs.push([cipher, mac]);
      else pairs.push([cipher, undefined]);
    }
    for (const [cipher, mac] of pairs) {
      const options = [`Ciphers=${cipher}`, ...(mac === undefined ? [] : [`MACs=${mac}`]), 'RekeyLimit=1M'];
      const ran = await dial({ server, keyFile, subsystem: 'echo', options, input });
      assert.ok(ran.stdout.equals(input), `${cipher} ${mac}: ${ran.stdout.length} bytes, ${ran.stderr}`);
      const { negotiated, keyExchanges } = server.connections.at(-1)!.summary;
      assert.deepEqual([negotiated?.cipherIn, negotiated?.macOut], [cipher, mac ?? 'implicit']);
      assert.ok(keyExchanges > 2);
    }
  },
);

test('T8: we renew keys ourselves in the middle of a transfer each way, and OpenSSH follows', withClients, async () => {
  using temp = openTempFolder();
  const keyFile = await makeKey(temp.folder, 'key', '-t', 'ed25519');
  await using server = await openEchoServer({ limits: { rekeyBytes: 1024 * 1024 } });
  const sizeBytes = 12 * 1024 * 1024;
  const got = await dial({ server, keyFile, subsystem: `source:${sizeBytes}` });
  const block = makePattern(256 * 1024);
  assert.equal(got.stdout.length, sizeBytes);
  for (let at = 0; at < sizeBytes; at += block.length) {
    assert.ok(got.stdout.subarray(at, at + block.length).equals(block), `at ${at}`);
  }
  assert.ok(server.connections.at(-1)!.summary.keyExchanges > 5);
  const put = await dial({ server, keyFile, subsystem: 'sink', input: randomBytes(sizeBytes) });
  assert.equal(put.stdout.toString(), `${sizeBytes}\n`);
  assert.ok(server.connections.at(-1)!.summary.keyExchanges > 5);
});

const keyKinds: readonly (readonly [string, readonly string[]])[] = [
  ['ssh-ed25519', ['-t', 'ed25519']],
  ['ecdsa-sha2-nistp256', ['-t', 'ecdsa', '-b', '256']],
  ['ecdsa-sha2-nistp384', ['-t', 'ecdsa', '-b', '384']],
  ['ecdsa-sha2-nistp521', ['-t', 'ecdsa', '-b', '521']],
  ['rsa-sha2-512', ['-t', 'rsa', '-b', '2048']],
];

test(
  'T4: OpenSSH signs in with every kind of key, and picks rsa-sha2-512 for RSA from server-sig-algs',
  withClients,
  async () => {
    using temp = openTempFolder();
    await using server = await openEchoServer();
    for (const [algorithm, kind] of keyKinds) {
      const keyFile = await makeKey(temp.folder, algorithm, ...kind);
      const ran = await dial({ server, keyFile, subsystem: 'echo', input: Buffer.from(algorithm) });
      assert.equal(ran.stdout.toString(), algorithm, ran.stderr);
      const { summary } = server.connections.at(-1)!;
      assert.equal(summary.signatureAlgorithm, algorithm);
      const printed = (await run('ssh-keygen', ['-l', '-f', `${keyFile}.pub`])).stdout.toString();
      assert.equal(summary.keyFingerprint, printed.split(' ')[1]);
    }
  },
);

test('OpenSSH is told the next host keys and keeps them after it has proof', withClients, async () => {
  using temp = openTempFolder();
  const keyFile = await makeKey(temp.folder, 'key', '-t', 'ed25519');
  const next = await generateHostKey('ed25519');
  await using server = await openEchoServer({ hostKeys: [await generateHostKey('ed25519')], nextHostKeys: [next] });
  const knownHosts = path.join(temp.folder, 'known_hosts');
  // OpenSSH takes further keys only from a host that it knew before.
  writeFileSync(knownHosts, `[127.0.0.1]:${server.port} ${formatPublicKeyLine(server.hostKeys[0]!)}\n`);
  const options = [`UserKnownHostsFile=${knownHosts}`, 'UpdateHostKeys=yes', 'IdentitiesOnly=yes'];
  const args = ['-F', 'none', ...options.flatMap((option) => ['-o', option]), '-i', keyFile];
  const ran = await run('ssh', [...args, '-p', String(server.port), 'u@127.0.0.1', '-s', 'source:40000000']);
  assert.equal(ran.status, 0, ran.stderr);
  await eventually(() => readFileSync(knownHosts, 'utf8').includes(formatPublicKeyLine(next)));
});

test(
  'The end says which algorithms a client without common ones offered, and the client says so too',
  withClients,
  async () => {
    using temp = openTempFolder();
    const keyFile = await makeKey(temp.folder, 'key', '-t', 'ed25519');
    await using server = await openEchoServer();
    const options = ['Ciphers=aes128-cbc,3des-cbc'];
    const ran = await dial({ server, keyFile, subsystem: 'echo', options });
    assert.equal(ran.status, 255);
    await eventually(() => server.ends.length === 1);
    assert.deepEqual(server.ends[0], {
      kind: 'no_common_algorithm',
      slot: 'cipher_in',
      offered: ['aes128-cbc', '3des-cbc'],
    });
  },
);

test('T18: OpenSSH killed in the middle of a transfer leaves nothing open', withClients, async () => {
  using temp = openTempFolder();
  const keyFile = await makeKey(temp.folder, 'key', '-t', 'ed25519');
  await using server = await openEchoServer();
  const args = ['-F', 'none', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'StrictHostKeyChecking=no', '-i', keyFile];
  const ran = await run('ssh', [...args, '-p', String(server.port), 'u@127.0.0.1', '-s', 'source:100000000000'], {
    timeoutMs: 700,
  });
  assert.equal(ran.status, -1);
  await eventually(() => server.ends.length === 1);
  assert.equal(server.connections[0]!.bufferedBytes, 0);
});

test('PuTTY plink signs in with an RSA key of puttygen and moves data both ways', withClients, async () => {
  using temp = openTempFolder();
  const file = path.join(temp.folder, 'key.ppk');
  const made = await run('puttygen', ['-t', 'rsa', '-b', '2048', '-o', file, '--new-passphrase', '/dev/null']);
  assert.equal(made.status, 0, made.stderr);
  await using server = await openEchoServer({ banner: 'Welcome.\n' });
  const args = ['-ssh', '-batch', '-P', String(server.port), '-i', file, '-hostkey', server.hostKeys[0]!.fingerprint];
  const env = { HOME: temp.folder };
  const input = randomBytes(2 * 1024 * 1024);
  const ran = await run('plink', [...args, '-s', 'u@127.0.0.1', 'echo'], { input, env });
  assert.ok(ran.stdout.equals(input), ran.stderr);
  const { summary } = server.connections.at(-1)!;
  assert.match(summary.peerSoftware ?? '', /^PuTTY/);
  assert.match(summary.signatureAlgorithm ?? '', /^rsa-sha2-/);
});

test('A Rust client signs in over mlkem768x25519-sha256', async () => {
  const key = await KeyPair.parse(formatHostKey(await generateHostKey('ed25519')));
  await using server = await openEchoServer();
  const transport = await SshTransport.newSocket(`127.0.0.1:${server.port}`);
  const client = await SSHClient.connect(transport, async () => true, {
    preferred: { kex: ['mlkem768x25519-sha256'], ciphers: ['aes256-gcm@openssh.com'] },
  });
  const signedIn = await client.authenticateWithKeyPair('u', key, null);
  assert.ok('openSessionChannel' in signedIn);
  const channel = await signedIn.activateChannel(await signedIn.openSessionChannel());
  await eventually(() => server.connections[0]!.isSignedIn);
  const { summary } = server.connections[0]!;
  assert.equal(summary.negotiated?.keyExchange, 'mlkem768x25519-sha256');
  assert.equal(summary.signatureAlgorithm, 'ssh-ed25519');
  await channel.close();
  await signedIn.disconnect();
});
