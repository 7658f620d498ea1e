// Fuzz of the writer's readers: packets, armour, recipient keys, signing keys, signatures, the outline of a message.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fuzz, readCorpus, readKept } from '../../test/fuzz/campaign.ts';
import type { Dice } from '../../test/fuzz/dice.ts';
import { mutatePackets } from '../../test/fuzz/openpgp-mutator.ts';
import {
  armorCertificate,
  createMessageReader,
  describeMessage,
  encryptMessage,
  exportCertificate,
  exportSigningKey,
  importSigningKey,
  OpenPgpFormatError,
  readPackets,
  type RecipientKey,
  recipientKeyOf,
  sealSessionKey,
  signDetached,
  unarmorCertificate,
  verifyDetached,
} from './openpgp-writer.ts';
import { formatPacket } from './packets.ts';

const atMs = Date.UTC(2026, 0, 5, 12);
const signer = importSigningKey(readKept('openpgp/broadgate-signer.private.pgp'));
const certificate = exportCertificate(signer);
const data = Buffer.from('what was signed');
const signature = signDetached({ signer, data, signedAtMs: atMs });
const files = readCorpus('openpgp');
const binary = files.filter((file) => (file[0]! & 0x80) !== 0);
const armored = files.filter((file) => (file[0]! & 0x80) === 0);

/** The decoder's value, or the words of its own fault. Any other throw fails the test. */
function decode<Value>(work: () => Value): Value | string {
  try {
    return work();
  } catch (fault) {
    if (!(fault instanceof OpenPgpFormatError)) throw fault;
    return fault.message;
  }
}

const ofPackets = (dice: Dice, input: Buffer, pool: readonly Buffer[]): Buffer => mutatePackets(dice, input, pool);

test('T20: any bytes are packets that write themselves again, or no packets', (t) =>
  fuzz(t, {
    name: 'openpgp packets',
    seeds: [...binary, exportSigningKey(signer)],
    cases: 5000,
    mutate: ofPackets,
    run(input) {
      const packets = decode(() => readPackets(input));
      if (typeof packets === 'string') return packets;
      const again = readPackets(Buffer.concat(packets.map(({ tag, body }) => formatPacket(tag, body))));
      assert.deepEqual(again, packets);
      return `${packets.map(({ tag }) => tag).slice(0, 6)}`;
    },
  }));

test('T20: any text is one armoured block of just its bytes, or none', (t) =>
  fuzz(t, {
    name: 'openpgp armour',
    seeds: [...armored, Buffer.from(armorCertificate(certificate))],
    words: [
      '-----BEGIN PGP PUBLIC KEY BLOCK-----',
      '-----END PGP PUBLIC KEY BLOCK-----',
      '\r\n',
      '=',
      'Version: 1\n',
      ' ',
    ],
    cases: 4000,
    run(input) {
      const bytes = decode(() => unarmorCertificate(input.toString('latin1')));
      if (typeof bytes === 'string') return bytes;
      assert.deepEqual(unarmorCertificate(armorCertificate(bytes)), bytes);
      return 'bytes';
    },
  }));

const keyBodies = binary.flatMap((file) => {
  const packets = decode(() => readPackets(file));
  return typeof packets === 'string'
    ? []
    : packets.filter(({ tag }) => tag === 6 || tag === 14).map(({ body }) => body);
});

test('T20: any body of a key is a recipient that can be sealed to, or is refused', (t) =>
  fuzz(t, {
    name: 'openpgp recipient keys',
    // A version 4 key of 64 KiB is one byte more than its fingerprint can tell.
    seeds: [...keyBodies, Buffer.concat([keyBodies[0]!, Buffer.alloc(65_536)], 65_536)],
    words: ['032b656f', '0a2b060104019755010501', '082a8648ce3d030107', '03010809', '0100'].map((hex) =>
      Buffer.from(hex, 'hex'),
    ),
    cases: 3000,
    run(input) {
      const options = { cipher: 'aes256', container: 'seipd1' } as const;
      const recipient = decode(() => recipientKeyOf(input, options));
      if (typeof recipient === 'string') return recipient;
      // What OpenSSL makes of the numbers is tried before a key is accepted; it may say no in its own words.
      try {
        const packet = sealSessionKey(recipient, 'aes256', Buffer.alloc(32, 1), 3);
        assert.equal(readPackets(packet)[0]!.tag, 1);
        return `sealed to ${recipient.key.kind}`;
      } catch (fault) {
        assert.ok(fault instanceof Error && !(fault instanceof assert.AssertionError), String(fault));
        return `${recipient.key.kind} that OpenSSL refuses`;
      }
    },
  }));

test('T20: any signing key is one that Broadgate made, or is refused', (t) =>
  fuzz(t, {
    name: 'openpgp signing keys',
    seeds: [exportSigningKey(signer), ...binary.slice(0, 3)],
    cases: 3000,
    mutate: ofPackets,
    run(input) {
      const key = decode(() => importSigningKey(input));
      if (typeof key === 'string') return key;
      assert.deepEqual(exportSigningKey(key), input);
      assert.equal(readPackets(exportCertificate(key)).length, 3);
      return 'key';
    },
  }));

test('T20: no changed signature, certificate or data is found good', (t) => {
  let good = 0;
  const join = (...parts: Buffer[]): Buffer =>
    Buffer.concat(parts.flatMap((part) => [Buffer.of(part.length >> 8, part.length & 255), part]));
  const split = (input: Buffer): Buffer[] => {
    const first = input.length < 2 ? 0 : input.readUInt16BE(0);
    const rest = input.subarray(2 + first);
    return [input.subarray(2, 2 + first), rest.subarray(2)];
  };
  return fuzz(t, {
    name: 'openpgp signatures',
    seeds: [join(certificate, signature), join(certificate, readKept('openpgp/gpg-detached.sig'))],
    cases: 3000,
    mutate(dice, input, pool) {
      const parts = split(input);
      const which = dice.below(2);
      const others = pool.map((other) => split(other)[which]!).filter((other) => other.length > 0);
      parts[which] = mutatePackets(dice, parts[which]!, [signature, ...others]);
      return join(...parts.map((part) => part.subarray(0, 20_000)));
    },
    run(input) {
      const [key, sealed] = split(input) as [Buffer, Buffer];
      const verdict = decode(() => verifyDetached({ certificate: key, signature: sealed, data }));
      if (typeof verdict === 'string') return verdict;
      if (!verdict.good) return 'not good';
      good++;
      // What is not signed may change (other packets, the hint of the key); who signed, when and what may not.
      assert.deepEqual([verdict.fingerprint, verdict.signedAtMs], [signer.fingerprint, atMs]);
      assert.equal(verifyDetached({ certificate: key, signature: sealed, data: Buffer.from('other') }).good, false);
      return 'good';
    },
  }).then(() => assert.ok(good > 0, 'the unchanged signature was not good'));
});

const recipient: RecipientKey = {
  keyVersion: 4,
  fingerprint: 'AB'.repeat(20),
  keyId: 'AB'.repeat(8),
  cipher: 'aes256',
  container: 'seipd1',
  key: { kind: 'x25519', point: Buffer.from([9, ...Buffer.alloc(31)]).toString('base64url') },
};
const messages = (['seipd1', 'seipd2-gcm', 'seipd2-ocb'] as const).map((container) =>
  encryptMessage({
    recipients: [{ ...recipient, container, keyVersion: container === 'seipd1' ? 4 : 6 }],
    data: Buffer.alloc(300, 7),
    signedAtMs: atMs,
    modifiedAtMs: atMs,
    fileName: 'a.pdf',
  }),
);

test('T20: a message has the same outline in every cut, or is refused in every cut', (t) =>
  fuzz(t, {
    name: 'openpgp outline',
    seeds: [...messages, ...binary.filter((file) => file[0] !== 0x99)],
    cases: 4000,
    mutate: ofPackets,
    run(input, dice) {
      const whole = decode(() => describeMessage(input));
      const pieces = decode(() => {
        const reader = createMessageReader();
        for (let at = 0; at < input.length; ) {
          const size = 1 + dice.below(Math.min(input.length - at, 1 << dice.below(10)));
          reader.push(input.subarray(at, at + size));
          at += size;
        }
        return reader.end();
      });
      // A fault may be found earlier or later in its packet, but it is found.
      if (typeof whole === 'string') assert.equal(typeof pieces, 'string');
      else assert.deepEqual(pieces, whole);
      return typeof whole === 'string' ? whole : `outline ${whole.container}`;
    },
  }));
