// Every cipher and MAC: what one side seals the other opens, whole and in any cuts, and nothing that was changed.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { type CipherName, cipherNames, type MacName, macNames } from './algorithms.ts';
import { createOpener, createSealer, type DeriveKey } from './ciphers.ts';
import { ConnectionFault } from './faults.ts';
import { createPacketInput } from './packet-input.ts';
import { createPacketOutput } from './packet-output.ts';
import { createNoise } from './test/adversary.ts';

const seed = 20_261_124;
console.log(`ciphers: seed ${seed}`);

const suites = cipherNames.flatMap((cipher): (readonly [CipherName, MacName | 'implicit'])[] =>
  cipher.endsWith('-ctr') ? macNames.map((mac) => [cipher, mac] as const) : [[cipher, 'implicit'] as const],
);

const deriveFrom =
  (letters: string): DeriveKey =>
  (letter, sizeBytes) =>
    createHash('shake256', { outputLength: Math.max(1, sizeBytes) })
      .update(String(letters.indexOf(letter)))
      .digest()
      .subarray(0, sizeBytes);

/** Both ends with the same keys: letters A, C, E of the opener are B, D, F of the sealer. */
function openLink(cipher: CipherName, mac: MacName | 'implicit') {
  const output = createPacketOutput(createNoise(cipher));
  const input = createPacketInput();
  output.setSealer(createSealer(cipher, mac, deriveFrom('BDF')));
  input.setOpener(createOpener(cipher, mac, deriveFrom('ACE')));
  const seal = (...payloads: readonly Uint8Array[]): Buffer => {
    for (const payload of payloads) output.pushPacket(Buffer.from(payload));
    return Buffer.concat(output.take());
  };
  return { input, seal };
}

const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { minLength: 1, maxLength: 6 });

test('T15: every cipher and MAC opens what it seals, packet after packet, in any cuts', () => {
  for (const [cipher, mac] of suites) {
    fc.assert(
      fc.property(payloads, fc.integer({ min: 1, max: 4000 }), (sent, step) => {
        const link = openLink(cipher, mac);
        const wire = link.seal(...sent);
        const opened: Buffer[] = [];
        for (let at = 0; at < wire.length; at += step) {
          link.input.push(wire.subarray(at, at + step));
          for (let next = link.input.takePacket(35_000); next !== undefined; next = link.input.takePacket(35_000)) {
            opened.push(next);
          }
        }
        assert.deepEqual(
          opened.map((payload) => Buffer.from(payload)),
          sent.map((payload) => Buffer.from(payload)),
        );
      }),
      { seed, numRuns: 20 },
    );
  }
});

test('T15: a changed bit, a repeated packet or one left out is never opened as something else', () => {
  for (const [cipher, mac] of suites) {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(10_000), fc.nat(7), (payload, place, bit) => {
        const link = openLink(cipher, mac);
        const [first, second] = [link.seal(payload), link.seal(payload)];
        const changed = Buffer.from(first);
        changed[place % changed.length]! ^= 1 << bit;
        for (const wire of [changed, Buffer.concat([first, first]), second]) {
          const fresh = openLink(cipher, mac);
          fresh.input.push(wire);
          const opened: Buffer[] = [];
          try {
            for (let next = fresh.input.takePacket(35_000); next !== undefined; next = fresh.input.takePacket(35_000)) {
              opened.push(next);
            }
          } catch (fault) {
            assert.ok(fault instanceof ConnectionFault);
          }
          // Only the first packet, and only where it is whole and in its place.
          assert.equal(opened.length, wire.length > changed.length ? 1 : 0);
        }
      }),
      { seed, numRuns: 20 },
    );
  }
});

test('The same payload never looks the same twice on the wire', () => {
  for (const [cipher, mac] of suites) {
    const link = openLink(cipher, mac);
    assert.notDeepEqual(link.seal(Buffer.alloc(64)), link.seal(Buffer.alloc(64)), `${cipher} ${mac}`);
  }
});

test('Packets are padded with at least 4 bytes to the block of the cipher', () => {
  for (const [cipher, mac] of suites) {
    const tagBytes = mac === 'implicit' ? 16 : mac.includes('512') ? 64 : 32;
    const isLengthApart = mac === 'implicit' || mac.includes('etm');
    for (let size = 1; size < 40; size += 1) {
      const wire = openLink(cipher, mac).seal(Buffer.alloc(size));
      const countedBytes = wire.length - tagBytes - (isLengthApart ? 4 : 0);
      assert.equal(countedBytes % (cipher.startsWith('chacha') ? 8 : 16), 0, `${cipher} ${mac} ${size}`);
      assert.ok(wire.length - tagBytes - 5 - size >= 4);
    }
  }
});
