// The wire types: forms that the RFC prints, properties, and bounds.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConnectionFault } from './faults.ts';
import { createReader, formatMpint, formatNameList, formatString, formatUint32, toPlainText } from './wire.ts';

const seed = 20_261_124;
console.log(`wire: seed ${seed}`);

// RFC 4251 §5 prints these.
const printedNumbers: readonly (readonly [string, string])[] = [
  ['', '00000000'],
  ['09a378f9b2e332a7', '0000000809a378f9b2e332a7'],
  ['80', '000000020080'],
];

test('Numbers have the wire form that RFC 4251 prints, and are read back from it', () => {
  for (const [value, wire] of printedNumbers) {
    assert.equal(formatMpint(Buffer.from(value, 'hex')).toString('hex'), wire);
    assert.equal(createReader(Buffer.from(wire, 'hex')).mpint(64).toString('hex'), value);
  }
});

test('A negative number is refused', () => {
  assert.throws(() => createReader(Buffer.from('00000002edcc', 'hex')).mpint(64), ConnectionFault);
});

test('Any positive number survives its wire form without leading zeros', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const value = Buffer.from(bytes);
      const read = createReader(formatMpint(value)).mpint(80);
      const first = value.findIndex((byte) => byte !== 0);
      assert.deepEqual(Buffer.from(read), first < 0 ? Buffer.alloc(0) : value.subarray(first));
    }),
    { seed },
  );
});

test('A string that claims more bytes than follow is refused, whatever it claims', () => {
  for (const claim of [1, 5, 0x7fffffff, 0xffffffff]) {
    assert.throws(() => createReader(formatUint32(claim)).string(), ConnectionFault);
  }
});

const badLists: readonly (readonly [string, string])[] = [
  ['a name of 65 characters', 'x'.repeat(65)],
  ['a blank', 'a b'],
  ['a control character', 'a\0b'],
  ['a character beyond US-ASCII', 'é'],
  ['257 names', Array.from({ length: 257 }, (_, index) => `n${index}`).join(',')],
  ['more than 8192 bytes', Array.from({ length: 200 }, () => 'x'.repeat(60)).join(',')],
];

test('an empty name in a list is left out, as libssh ends its list of ciphers with a comma', () => {
  for (const list of ['a,,b', 'a,b,', ',a,b']) {
    assert.deepEqual(createReader(formatString(list)).nameList(), ['a', 'b'], list);
  }
  assert.deepEqual(createReader(formatString(',')).nameList(), []);
});

test('T7: name-lists are bounded in names, length of a name and length of the list', () => {
  for (const [what, list] of badLists) {
    assert.throws(() => createReader(formatString(list)).nameList(), ConnectionFault, what);
  }
  const longest = Array.from({ length: 256 }, (_, index) => `n${index}`);
  assert.deepEqual(createReader(formatNameList(longest)).nameList(), longest);
  assert.deepEqual(createReader(formatNameList([])).nameList(), []);
  assert.deepEqual(createReader(formatNameList(['x'.repeat(64)])).nameList(), ['x'.repeat(64)]);
});

test('T20: every reader ends in a value or in its own refusal, for any bytes', () => {
  const readers = ['byte', 'boolean', 'uint32', 'string', 'nameList', 'rest', 'end'] as const;
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.array(fc.constantFrom(...readers), { maxLength: 8 }),
      (bytes, steps) => {
        const reader = createReader(Buffer.from(bytes));
        try {
          for (const step of steps) reader[step]();
        } catch (fault) {
          assert.ok(fault instanceof ConnectionFault);
        }
      },
    ),
    { seed, numRuns: 2000 },
  );
});

test('Text of the peer is cut and holds printable characters only', () => {
  assert.equal(toPlainText(Buffer.from('a\x1b[2Jé\n', 'utf8'), 64), 'a?[2J???');
  assert.equal(toPlainText(Buffer.from('x'.repeat(300)), 255).length, 255);
});
