// Fuzz of key intake: key text, SSH keys, OpenPGP certificates, and private keys in any wrapping, with second readers.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { readPackets } from '@broadgate/openpgp-writer';
import { withClients } from '../../../test/clients.ts';
import { fuzz, isLong, readCorpus, readKept } from '../../../test/fuzz/campaign.ts';
import type { Dice } from '../../../test/fuzz/dice.ts';
import { mutate, mutateField } from '../../../test/fuzz/mutate.ts';
import { mutatePackets } from '../../../test/fuzz/openpgp-mutator.ts';
import { Refusal } from '../../kernel/refusal.ts';
import { checkDeliveryKey } from './intake.ts';
import { describeKey, readCertificatePackets } from './key-packets.ts';
import { decodeKeyText, stripQuoting } from './key-text.ts';
import { type OpenPgpCertificate, readCertificate } from './openpgp-certificate.ts';
import { findPrivateKey } from './private-key.ts';
import { parseSshKey } from './ssh-key.ts';

const nowMs = Date.UTC(2026, 10, 26);
const sshKeys = readCorpus('ssh-keys');
const openPgpKeys = readCorpus('openpgp');
const everything = [...sshKeys, ...openPgpKeys];

/** The value, or the code of the refusal. Any other throw fails the test. */
function decode<Value>(work: () => Value): Value | string {
  try {
    return work();
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    return fault.code;
  }
}

async function decodeLater<Value>(work: Promise<Value>): Promise<Value | string> {
  try {
    return await work;
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    return fault.code;
  }
}

test('T20: key text of any bytes is plain text or none', (t) =>
  fuzz(t, {
    name: 'key text',
    seeds: everything.slice(0, 40),
    words: ['\r\n', '\uFEFF', '> > ', '\0', Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff]), Buffer.from([0x81])],
    cases: 2500,
    run(input) {
      const text = decodeKeyText(input);
      if (text === undefined) return 'none';
      assert.ok(!/[\0\r]/.test(text));
      assert.ok(stripQuoting(text).length <= text.length);
      return 'text';
    },
  }));

test('T20: the search for private keys ends for any bytes, in bounded time', (t) =>
  fuzz(t, {
    name: 'private keys',
    seeds: [...everything, gzipSync(sshKeys[3]!), zip('a.key', sshKeys[3]!), zip('b.txt', sshKeys[5]!, 0)],
    words: [Buffer.from('504b0304', 'hex'), Buffer.from('1f8b08', 'hex'), '=\n', '=2D', '-----', 'PRIVATE KEY-----'],
    bytesMax: 200 * 1024,
    cases: 2500,
    run: (input) => findPrivateKey(input) ?? 'none',
  }));

const isPrivate = (file: Buffer): boolean => findPrivateKey(file) !== undefined;
const derOf = (pem: Buffer): Buffer => Buffer.from(pem.toString('latin1').replace(/-----[^-]+-----/g, ''), 'base64');
const privateKeys = [
  ...everything.filter(isPrivate),
  ...['rsa.private.pem', 'rsa.private.pkcs8', 'ed25519.private.openssh'].map((name) =>
    derOf(readKept(`ssh-keys/${name}`)),
  ),
];
const isText = (bytes: Buffer): boolean => bytes.every((byte) => byte < 0x80 && byte !== 0);

function zip(name: string, bytes: Buffer, method = 8): Buffer {
  const head = Buffer.alloc(30);
  head.write('PK\u0003\u0004', 'latin1');
  head.writeUInt16LE(method, 8);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, Buffer.from(name), method === 0 ? bytes : deflateRawSync(bytes)]);
}

const layers: Readonly<Record<string, (bytes: Buffer, dice: Dice) => Buffer>> = {
  base64: (bytes, dice) =>
    Buffer.from(
      bytes.toString('base64').replace(dice.isOneIn(2) ? /.{64}/g : /.{76}/g, dice.isOneIn(2) ? '$&\n' : '$&\r\n'),
    ),
  gzip: (bytes, dice) =>
    Buffer.concat(
      dice.isOneIn(2) ? [gzipSync(bytes)] : [gzipSync('first'), gzipSync(bytes), dice.bytes(dice.below(4))],
    ),
  zip: (bytes, dice) => Buffer.concat([zip('other', Buffer.from('first'), 0), zip('k', bytes, dice.pick([0, 8]))]),
  mail: (bytes) => Buffer.concat([Buffer.from('Subject: key\n\nHello,\n\n'), bytes, Buffer.from('\n\nBye\n')]),
  quoted: (bytes) => Buffer.from(`> ${bytes.toString('latin1').replace(/\n/g, '\n> ')}`, 'latin1'),
  utf16: (bytes, dice) => {
    const wide = Buffer.from(`\uFEFF${bytes.toString('latin1')}`, 'utf16le');
    return dice.isOneIn(2) ? wide : wide.swap16();
  },
};

test('T20: a private key is found in every form and every wrapping of up to three layers', (t) =>
  fuzz(t, {
    name: 'private keys in layers',
    cases: 1500,
    run(_, dice) {
      let bytes = dice.pick(privateKeys);
      const names: string[] = [];
      for (let layer = dice.below(4); layer > 0; layer--) {
        // A mail and its quoting hold text only; anything else travels in base64.
        const name = dice.pick(isText(bytes) ? Object.keys(layers) : ['base64', 'gzip', 'zip']);
        names.push(name);
        bytes = layers[name]!(bytes, dice);
      }
      assert.ok(
        findPrivateKey(bytes),
        `not found behind ${names.join(' in ')}: ${bytes.subarray(0, 300).toString('latin1')}`,
      );
      return `found in ${names.length}`;
    },
  }));

/** Changes the key behind the base64 of an OpenSSH line, and sometimes the line around it. */
function mutateLine(dice: Dice, input: Buffer, pool: readonly Buffer[]): Buffer {
  const [type, body, ...rest] = input.toString('latin1').trim().split(' ');
  const options = { pool: [Buffer.from('ssh-rsa'), Buffer.from('ssh-ed25519'), Buffer.alloc(32)], bytesMax: 8000 };
  if (body === undefined || !/^[a-z0-9@.-]+$/.test(type!)) return mutate(dice, input, { pool, bytesMax: 65_536 });
  const blob = mutateField(dice, Buffer.from(body, 'base64'), options);
  const named = blob.length > 4 && dice.isOneIn(2) ? blob.toString('latin1', 4, 4 + blob.readUInt32BE(0)) : type;
  return Buffer.from([named, blob.toString('base64'), ...rest].join(' '), 'latin1');
}

test('T20: any bytes are one SSH key that ssh-keygen reads alike, or are refused', withClients, async (t) => {
  const accepted = new Map<string, { fingerprint: string; bits: number }>();
  await fuzz(t, {
    name: 'ssh keys',
    seeds: sshKeys,
    words: [
      'ssh-rsa ',
      'ecdsa-sha2-nistp256',
      'sk-ssh-ed25519@openssh.com',
      '\n',
      '---- BEGIN SSH2 PUBLIC KEY ----',
      '\\\n',
    ],
    cases: 3000,
    mutate: mutateLine,
    run(input) {
      const key = decode(() => parseSshKey(input));
      if (typeof key === 'string') return key;
      const again = parseSshKey(Buffer.from(key.line));
      // A line parts its words by blanks of any number; the comment of another form may hold several.
      const plain = key.line.replace(/\s+/g, ' ');
      assert.deepEqual([again.fingerprint, again.bits, again.line], [key.fingerprint, key.bits, plain]);
      assert.ok(!/\p{Cc}/u.test(key.line));
      if (accepted.size < (isLong ? 5000 : 500)) accepted.set(key.line.split(' ').slice(0, 2).join(' '), key);
      return `${key.algorithm} ${key.remarks.join()}`;
    },
  });
  compareWithKeygen(accepted);
});

function compareWithKeygen(accepted: ReadonlyMap<string, { fingerprint: string; bits: number }>): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-keys-'));
  try {
    const file = path.join(folder, 'keys');
    writeFileSync(file, [...accepted.keys()].join('\n'));
    const lines = execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' }).trim().split('\n');
    const read = lines.map((line) => line.split(' ').slice(0, 2));
    assert.deepEqual(
      read,
      [...accepted.values()].map(({ fingerprint, bits }) => [`${bits}`, fingerprint]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const binaryKeys = openPgpKeys.filter((file) => (file[0]! & 0x80) !== 0);

test('T20: any packets are described as those of one certificate, or are refused', (t) =>
  fuzz(t, {
    name: 'openpgp key packets',
    seeds: binaryKeys,
    cases: 3000,
    mutate: mutatePackets,
    run(input) {
      const packets = decode(() => readCertificatePackets(input));
      if (typeof packets === 'string') return packets;
      assert.ok(packets.every(({ tag }) => tag !== 5 && tag !== 7));
      const described = packets.filter(({ tag }) => tag === 6 || tag === 14).map(({ body }) => describeKey(body));
      return described.map(({ name, problem }) => problem?.code ?? name.slice(0, 20)).join(', ');
    },
  }));

test(
  'T20: any bytes are one certificate that GnuPG would encrypt to as well, or are refused',
  withClients,
  async (t) => {
    const accepted = new Map<string, { bytes: Buffer; certificate: OpenPgpCertificate }>();
    await fuzz(t, {
      name: 'openpgp certificates',
      seeds: openPgpKeys,
      words: ['-----BEGIN PGP PUBLIC KEY BLOCK-----', '-----BEGIN PGP PRIVATE KEY BLOCK-----', '\n> ', '=abcd'],
      cases: 500,
      // In the server a worker thread reads them, with this limit.
      cpuMsMax: 1000,
      mutate: (dice, input, pool) => mutatePackets(dice, input, pool.slice(0, openPgpKeys.length)),
      async run(input) {
        const certificate = await decodeLater(readCertificate(input, nowMs));
        if (typeof certificate === 'string') return certificate;
        const again = await readCertificate(Buffer.from(certificate.armored), nowMs);
        assert.deepEqual(again, certificate);
        const bytes = Buffer.from(input);
        if (accepted.size < (isLong ? 2000 : 60))
          accepted.set(createHash('sha256').update(bytes).digest('hex'), { bytes, certificate });
        return `accepted ${certificate.algorithm}`;
      },
    });
    compareWithGnupg([...accepted.values()]);
  },
);

/** GnuPG 2.2 knows no version 6 and no X448. */
const isForGnupg = ({ certificate }: { certificate: OpenPgpCertificate }): boolean =>
  certificate.keyVersion === 4 && !['X448', 'X25519'].includes(certificate.algorithm);

function compareWithGnupg(accepted: readonly { bytes: Buffer; certificate: OpenPgpCertificate }[]): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-gpg-'));
  try {
    for (const { bytes, certificate } of accepted.filter(isForGnupg)) {
      const home = ['--homedir', folder, '--batch', '--faked-system-time', `${Math.floor(nowMs / 1000)}`];
      const ran = spawnSync('gpg', [...home, '--show-keys', '--with-colons'], { input: bytes, encoding: 'utf8' });
      const shown = ran.stdout + ran.stderr;
      const rows = shown.split('\n').map((line) => line.split(':'));
      // GnuPG gives up at a packet of a version that it does not know, or in an unusual place; those have no say for us.
      if (!rows.some(([sort]) => sort === 'pub')) continue;
      const chosen = rows.find(([sort, , , , id]) => (sort === 'pub' || sort === 'sub') && id === certificate.subkeyId);
      const told = `${certificate.subkeyId} of ${bytes.toString('hex')}\n${shown}`;
      assert.ok(
        rows.some(([sort, , , , , , , , , value]) => sort === 'fpr' && value === certificate.fingerprint),
        told,
      );
      // A subkey whose binding GnuPG does not like (for what its unsigned part says) is not shown at all.
      // Field 2 is the validity, 12 what the key may do.
      if (chosen) assert.ok(!['r', 'e', 'i'].includes(chosen[1]!) && chosen[11]!.includes('e'), told);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('T20: whatever is handed in as a key, no private one is accepted and every no is a refusal', (t) =>
  fuzz(t, {
    name: 'key intake',
    seeds: everything,
    words: ['PRIVATE KEY-----', '-----BEGIN PGP ', 'ssh-rsa ', Buffer.from([0x95]), Buffer.from([0xc5])],
    bytesMax: 100 * 1024,
    cases: 600,
    cpuMsMax: 1000,
    async run(input) {
      const key = await decodeLater(checkDeliveryKey(input, { nowMs }));
      if (typeof key === 'string') return key;
      assert.equal(findPrivateKey(input), undefined);
      if (key.sort === 'openpgp')
        assert.ok(readPackets(unarmored(key.certificate)).every(({ tag }) => tag !== 5 && tag !== 7));
      return key.sort;
    },
  }));

const unarmored = ({ armored }: OpenPgpCertificate): Buffer =>
  Buffer.from(armored.split('\n\n')[1]!.split('\n=')[0]!, 'base64');
