// Fuzz of each decoder below the connection: packets, sealed packets, offers, key exchange values, keys, signatures.
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import test from 'node:test';
import { fuzz, readCorpus } from '../../test/fuzz/campaign.ts';
import { readDialogues } from '../../test/fuzz/dialogues.ts';
import type { Dice } from '../../test/fuzz/dice.ts';
import { mutate, mutateField } from '../../test/fuzz/mutate.ts';
import {
  choose,
  type CipherName,
  cipherNames,
  keyExchangeNames,
  type MacName,
  macNames,
  parseOffer,
  signatureNames,
} from './algorithms.ts';
import { createOpener, createSealer, type DeriveKey } from './ciphers.ts';
import { ConnectionFault } from './faults.ts';
import { HostKeyFault } from './host-keys.ts';
import { keyExchangeMethods } from './key-exchange.ts';
import { createPacketInput, type PacketInput } from './packet-input.ts';
import { createPacketOutput } from './packet-output.ts';
import { readClientKey } from './signatures.ts';
import { formatHostKey, parseHostKey } from './ssh.ts';
import { createNoise } from './test/adversary.ts';
import { createReader, formatByte, formatMpint, formatString } from './wire.ts';

const dialogues = readDialogues();

/** The words of the decoder's own fault. Anything else that it throws fails the test. */
function faultOf(work: () => void): string {
  try {
    work();
    return '';
  } catch (fault) {
    if (!(fault instanceof ConnectionFault)) throw fault;
    return fault.reason.kind === 'protocol_fault' ? fault.reason.detail : fault.reason.kind;
  }
}

/** Feeds the bytes in cuts and takes what there is after each. */
function takeAll(input: PacketInput, bytes: Buffer, dice: Dice | undefined, hasLine: boolean) {
  const taken: Buffer[] = [];
  let line: string | undefined = hasLine ? undefined : '';
  let pushed = 0;
  const fault = faultOf(() => {
    while (pushed < bytes.length) {
      const size =
        dice === undefined ? bytes.length : 1 + dice.below(Math.min(bytes.length - pushed, 1 << dice.below(12)));
      input.push(bytes.subarray(pushed, pushed + size));
      pushed += size;
      line ??= input.takeLine(255)?.toString('latin1');
      if (line === undefined) continue;
      for (let next = input.takePacket(35_000); next !== undefined; next = input.takePacket(35_000)) taken.push(next);
    }
  });
  assert.ok(input.bufferedBytes <= bytes.length);
  // Copied at the end: what was given out must not be written over by what came later.
  return { line, fault, packets: taken.map((packet) => Buffer.from(packet)) };
}

const seal = (
  payloads: readonly Buffer[],
  sealer?: Parameters<ReturnType<typeof createPacketOutput>['setSealer']>[0],
) => {
  const output = createPacketOutput(createNoise('padding'));
  if (sealer !== undefined) output.setSealer(sealer);
  for (const payload of payloads) output.pushPacket(payload);
  return Buffer.concat(output.take());
};

const openings = dialogues.map(({ line, messages }) => {
  const clear = messages.slice(0, messages.findIndex((message) => message[0] === 21) + 1);
  return Buffer.concat([Buffer.from(`${line}\r\n`, 'latin1'), seal(clear)]);
});

test('T20: the first bytes of a connection are the same line and packets in every cut, or the same fault', (t) =>
  fuzz(t, {
    name: 'ssh clear packets',
    seeds: openings,
    words: ['SSH-2.0-', 'SSH-1.99-', '\r\n', '\n', Buffer.alloc(300, 0x41)],
    cases: 2500,
    run(input, dice) {
      const whole = takeAll(createPacketInput(), input, undefined, true);
      assert.deepEqual(takeAll(createPacketInput(), input, dice, true), whole);
      return `${whole.line === undefined ? 'no line' : 'line'} ${whole.fault}`;
    },
  }));

const derive: DeriveKey = (letter, sizeBytes) =>
  createNoise(`key ${letter === 'D' ? 'C' : letter === 'B' ? 'A' : letter === 'F' ? 'E' : letter}`)(sizeBytes);
const suites = cipherNames.flatMap((cipher): { cipher: CipherName; mac: MacName | 'implicit' }[] =>
  cipher.endsWith('-ctr') ? macNames.map((mac) => ({ cipher, mac })) : [{ cipher, mac: 'implicit' }],
);
const sealedPayloads = dialogues[0]!.messages.slice(0, 12);
const sealedStreams = suites.map(({ cipher, mac }, index) =>
  Buffer.concat([formatByte(index), seal(sealedPayloads, createSealer(cipher, mac, derive))]),
);

test('T20: under every cipher a changed stream gives a part of what was sent, in order, then waits or ends', (t) =>
  fuzz(t, {
    name: 'ssh sealed packets',
    seeds: sealedStreams,
    cases: 2500,
    run(input, dice) {
      const { cipher, mac } = suites[(input[0] ?? 0) % suites.length]!;
      const opened = createPacketInput();
      opened.setOpener(createOpener(cipher, mac, derive));
      const { packets, fault } = takeAll(opened, input.subarray(1), dice, false);
      assert.deepEqual(packets, sealedPayloads.slice(0, packets.length));
      return `${cipher} ${fault}`;
    },
  }));

const names = [...keyExchangeNames, ...cipherNames, ...macNames, 'none', ','].map((name) => Buffer.from(name));

test('T20: any KEXINIT is an offer of just the names it holds, or a fault, and the choice is ours', (t) =>
  fuzz(t, {
    name: 'ssh KEXINIT',
    seeds: dialogues.map(({ messages }) => messages[0]!),
    words: [...keyExchangeNames, 'none', 'zlib', ',,', ',', 'kex-strict-c-v00@openssh.com', 'a'.repeat(65)],
    cases: 4000,
    mutate: (dice, input, pool) => mutateField(dice, input, { pool, words: names, bytesMax: 20_000 }, 17),
    run(input) {
      const hostKeys = ['ssh-ed25519', 'rsa-sha2-512'];
      return faultOf(() => {
        const offer = parseOffer(input);
        const lists = [
          ...[offer.keyExchanges, offer.hostKeys, offer.ciphersIn, offer.ciphersOut],
          ...[offer.macsIn, offer.macsOut, offer.compressionsIn, offer.compressionsOut],
        ];
        let at = 17;
        for (const list of lists) {
          const end = at + 4 + input.readUInt32BE(at);
          const held = input.toString('latin1', at + 4, end).split(',');
          assert.deepEqual(
            list,
            held.filter((name) => name !== ''),
          );
          at = end;
        }
        const choice = choose(offer, hostKeys, true);
        assert.ok((keyExchangeNames as readonly string[]).includes(choice.keyExchange));
        assert.ok(offer.ciphersIn.includes(choice.cipherIn) && offer.hostKeys.includes(choice.hostKeyAlgorithm));
      });
    },
  }));

const point = (curve: string): Buffer => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  return publicKey
    .export({ format: 'der', type: 'spki' })
    .subarray({ 'P-256': -65, 'P-384': -97, 'P-521': -133 }[curve]);
};
const x25519 = generateKeyPairSync('x25519').publicKey.export({ format: 'raw-public' });
const mlkem = generateKeyPairSync('ml-kem-768').publicKey.export({ format: 'raw-public' });
const clientValues = [
  formatString(Buffer.concat([mlkem, x25519])),
  formatString(x25519),
  formatString(x25519),
  ...['P-256', 'P-384', 'P-521'].map((curve) => formatString(point(curve))),
  formatMpint(Buffer.alloc(512, 0x5a)),
  formatMpint(Buffer.alloc(256, 0x5a)),
];

test('T20: any value for a key exchange is answered or refused, in bounded time', (t) =>
  fuzz(t, {
    name: 'ssh key exchange values',
    seeds: clientValues.map((value, index) => Buffer.concat([formatByte(index), value])),
    words: [Buffer.alloc(32), Buffer.alloc(512, 0xff), Buffer.from([4]), Buffer.from([2])],
    bytesMax: 40_000,
    cases: 250,
    run(input) {
      const name = keyExchangeNames[(input[0] ?? 0) % keyExchangeNames.length]!;
      const fault = faultOf(() => {
        const answer = keyExchangeMethods[name].respond(createReader(input, Math.min(1, input.length)));
        // Some numbers have more than one form on the wire; the value that enters the hash has one.
        assert.ok(input.length >= answer.clientValue.length && answer.secret.length > 20);
      });
      return `${name} ${fault}`;
    },
  }));

const signedData = Buffer.from('what was signed');
const clientKeys: readonly (readonly [string, KeyObject])[] = signatureNames.map((algorithm) => [
  algorithm,
  algorithm === 'ssh-ed25519'
    ? generateKeyPairSync('ed25519').privateKey
    : algorithm.startsWith('rsa')
      ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
      : generateKeyPairSync('ec', { namedCurve: `P-${algorithm.slice(-3)}` }).privateKey,
]);

function blobOf(algorithm: string, key: KeyObject): Buffer {
  const jwk = key.export({ format: 'jwk' });
  const part = (name: 'x' | 'y' | 'n' | 'e'): Buffer => Buffer.from(jwk[name]!, 'base64url');
  if (algorithm === 'ssh-ed25519') return Buffer.concat([formatString(algorithm), formatString(part('x'))]);
  if (algorithm.startsWith('rsa'))
    return Buffer.concat([formatString('ssh-rsa'), formatMpint(part('e')), formatMpint(part('n'))]);
  const whole = formatString(Buffer.concat([Buffer.of(4), part('x'), part('y')]));
  return Buffer.concat([formatString(algorithm), formatString(algorithm.slice(-8)), whole]);
}

function signatureBy(algorithm: string, key: KeyObject): Buffer {
  const hash =
    algorithm === 'ssh-ed25519'
      ? null
      : { 256: 'sha256', 384: 'sha384', 521: 'sha512', 512: 'sha512' }[Number(algorithm.slice(-3))];
  const raw = sign(hash, signedData, algorithm.startsWith('ecdsa') ? { key, dsaEncoding: 'ieee-p1363' } : key);
  const half = raw.length / 2;
  const value = algorithm.startsWith('ecdsa')
    ? Buffer.concat([formatMpint(raw.subarray(0, half)), formatMpint(raw.subarray(half))])
    : raw;
  return Buffer.concat([formatString(algorithm), formatString(value)]);
}

test('T20: any client key and signature are judged, and no changed data is ever found signed', (t) => {
  let good = 0;
  return fuzz(t, {
    name: 'ssh client keys and signatures',
    seeds: clientKeys.map(([algorithm, key]) =>
      Buffer.concat([algorithm, blobOf(algorithm, key), signatureBy(algorithm, key), signedData].map(formatString)),
    ),
    words: [...signatureNames, 'ssh-rsa', 'ssh-dss', Buffer.alloc(64), Buffer.from([0, 0, 0, 1, 3])],
    cases: 3000,
    mutate: (dice, input, pool) => mutateField(dice, input, { pool, bytesMax: 20_000 }),
    run(input) {
      const reader = createReader(input);
      let parts: Buffer[] = [];
      if (faultOf(() => void (parts = Array.from({ length: 4 }, () => reader.string()))) !== '') return 'cut';
      const [algorithm, blob, signature, data] = parts as [Buffer, Buffer, Buffer, Buffer];
      const key = readClientKey(algorithm.toString('latin1'), blob);
      if (typeof key === 'string') return key;
      if (!key.isSignedBy(signature, data)) return 'not signed';
      assert.deepEqual(data, signedData);
      good++;
      return `signed ${algorithm.toString('latin1')}`;
    },
  }).then(() => assert.ok(good >= signatureNames.length, 'no unchanged signature was found good'));
});

const keyFiles = readCorpus('ssh-keys').filter((file) => file.includes('BEGIN OPENSSH PRIVATE'));
const pem = (bytes: Buffer): Buffer =>
  Buffer.from(`-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`);
const insideOf = (file: Buffer): Buffer =>
  Buffer.from(file.toString('latin1').replace(/-----[^-]+-----/g, ''), 'base64');

test('T20: any private key file is a host key that writes itself again, or is refused', (t) =>
  fuzz(t, {
    name: 'ssh host key files',
    seeds: keyFiles,
    words: ['ssh-rsa', 'ssh-ed25519', 'none', 'aes256-ctr', 'bcrypt', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    cases: 1200,
    // Most edits are made behind the base64.
    mutate: (dice, input, pool) =>
      pem(
        mutate(dice, insideOf(input), { pool: pool.map(insideOf), words: [Buffer.from('ssh-rsa')], bytesMax: 20_000 }),
      ),
    run(input) {
      try {
        const key = parseHostKey(input.toString('latin1'));
        assert.deepEqual(parseHostKey(formatHostKey(key)).blob, key.blob);
        return key.type;
      } catch (fault) {
        if (!(fault instanceof HostKeyFault)) throw fault;
        return fault.message.replace(/"[^"]*"/g, '…');
      }
    },
  }));
