// Addresses as people write them: one canonical spelling, the limits of a range, and which entry decides.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { createSeededRandom, randomBelow } from '../../kernel/random.ts';
import { Refusal } from '../../kernel/refusal.ts';
import { canonicalAddress, checkEntry, formatNetwork, parseNetwork } from './address-rules.ts';
import { createPrefixTable } from './prefix-table.ts';

const limits = { widest: { ipv4: 24, ipv6: 48 }, privateAddresses: false };
const verdict = (text: string, allowed = limits): string => {
  try {
    return checkEntry(text, allowed);
  } catch (fault) {
    return fault instanceof Refusal ? fault.code : 'not a refusal';
  }
};

test('every spelling of an address becomes one', () => {
  const table: [string, string][] = [
    ['203.0.113.7', '203.0.113.7'],
    [' 203.0.113.7\n', '203.0.113.7'],
    ['203.0.113.7/32', '203.0.113.7'],
    ['203.0.113.77/28', '203.0.113.64/28'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['::ffff:203.0.113.77/124', '203.0.113.64/28'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::1/128', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:1:2:3:4:5:6/64', '2001:db8:1:2::/64'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::198.51.100.1', '2001:db8::c633:6401'],
    ['1::', '1::'],
  ];
  for (const [written, canonical] of table) assert.equal(formatNetwork(parseNetwork(written)), canonical, written);
});

test('what is no address is refused, however nearly it is one', () => {
  const malformed =
    `203.0.113 203.0.113.256 203.0.113.07 0x7f.0.0.1 203.0.113.7/33 203.0.113.7/-1 203.0.113.7/ 203.0.113.7/08
    203.0.113.7:32 example.com 2001:db8:::1 2001:db8::1::2 :1:: 2001:db8::g 2001:db8:1:2:3:4:5:6:7 1:2:3:4:5:6:7::8:9
    2001:db8::1/129 2001:db8::12345 [::1] fe80::1%eth0 1.2.3.4:: ::1.2.3 203.0.113.7\0 ２０３.0.113.7 ::ffff:1.2.3.4/64
    ${'a'.repeat(1000)}`.split(/\s+/);
  malformed.push('', ' ');
  for (const written of malformed) {
    assert.equal(verdict(written), 'address_malformed', JSON.stringify(written));
  }
});

test('SF-X8: ranges are taken up to the widest prefix, and only of addresses that can arrive', () => {
  const table: [string, string][] = [
    ['198.51.100.0/24', '198.51.100.0/24'],
    ['198.51.100.0/23', 'address_too_wide'],
    ['0.0.0.0/0', 'address_too_wide'],
    ['::/0', 'address_too_wide'],
    ['2001:db8::/48', '2001:db8::/48'],
    ['2001:db8::/47', 'address_too_wide'],
    ['10.0.0.1', 'address_private'],
    ['172.31.255.255', 'address_private'],
    ['172.32.0.0', '172.32.0.0'],
    ['192.168.1.10', 'address_private'],
    ['100.64.0.1', 'address_private'],
    ['100.128.0.1', '100.128.0.1'],
    ['127.0.0.1', 'address_private'],
    ['::1', 'address_private'],
    ['fd00::1', 'address_private'],
    ['fe80::1', 'address_private'],
    ['0.1.2.3', 'address_unusable'],
    ['224.0.0.1', 'address_unusable'],
    ['223.255.255.255', '223.255.255.255'],
    ['255.255.255.255', 'address_unusable'],
    ['ff02::1', 'address_unusable'],
    ['::', 'address_unusable'],
  ];
  for (const [written, expected] of table) assert.equal(verdict(written), expected, written);
  assert.equal(verdict('127.0.0.1', { ...limits, privateAddresses: true }), '127.0.0.1');
});

test('the parser takes exactly what the platform takes, for random texts near an address', () => {
  const seed = randomBytes(8).toString('hex');
  const random = createSeededRandom(seed);
  const pick = (letters: string): string => letters[randomBelow(random, letters.length)]!;
  for (let round = 0; round < 20_000; round += 1) {
    const isFour = round % 2 === 0;
    const parts = Array.from({ length: isFour ? 4 : 1 + randomBelow(random, 8) }, () =>
      isFour ? String(randomBelow(random, 300)) : pick('0123456789abcdef') + (randomBelow(random, 3) ? '' : pick('f:')),
    );
    const text = parts.join(isFour ? '.' : ':');
    assert.equal(canonicalAddress(text) !== undefined, isIP(text) !== 0, `${text} (seed ${seed})`);
  }
});

test('a canonical text is read back as itself, for random networks', () => {
  const seed = randomBytes(8).toString('hex');
  const random = createSeededRandom(seed);
  for (let round = 0; round < 5000; round += 1) {
    const groups = Array.from({ length: 8 }, () => (randomBelow(random, 3) ? '0' : random.bytes(2).toString('hex')));
    const text = `${groups.join(':')}/${randomBelow(random, 129)}`;
    const once = formatNetwork(parseNetwork(text));
    assert.equal(formatNetwork(parseNetwork(once)), once, `${text} (seed ${seed})`);
  }
});

test('the longest prefix decides between conflicting entries, and a block between equals', () => {
  const table = createPrefixTable([
    { network: '203.0.113.0/24', effect: 'allow' },
    { network: '203.0.113.64/26', effect: 'block' },
    { network: '203.0.113.70', effect: 'allow' },
    { network: '203.0.113.71', effect: 'allow' },
    { network: '203.0.113.71', effect: 'block' },
    { network: '203.0.113.72', effect: 'block' },
    { network: '203.0.113.72', effect: 'allow' },
    { network: '2001:db8::/48', effect: 'allow' },
  ]);
  const expected: [string, string | undefined][] = [
    ['203.0.113.1', 'allow'],
    ['203.0.113.65', 'block'],
    ['203.0.113.70', 'allow'],
    ['203.0.113.71', 'block'],
    ['203.0.113.72', 'block'],
    ['203.0.114.1', undefined],
    ['::ffff:203.0.113.70', 'allow'],
    ['2001:db8:0:ffff::1', 'allow'],
    ['2001:db8:1::1', undefined],
    ['not an address', undefined],
  ];
  for (const [address, effect] of expected) assert.equal(table.find(address), effect, address);
});
