// Canonical JSON: the same value has the same text, however it was built.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { canonicalJson, type JsonValue, storableJson } from './json.ts';

test('The example of the specification comes out as the specification says', () => {
  // RFC 8785 §3.2.3, members ordered by UTF-16 code units.
  const value = {
    '\u20ac': 'Euro',
    '\r': 'CR',
    '\ufb33': 'Dalet',
    '1': 'One',
    '\ud83d\ude00': 'Smile',
    '\u0080': 'Ctl',
    '\u00f6': 'o',
  };
  const names = [...canonicalJson(value).matchAll(/"([A-Z]\w+|o)"/g)].map((match) => match[1]);
  assert.deepEqual(names, ['CR', 'One', 'Ctl', 'o', 'Euro', 'Smile', 'Dalet']);
  // RFC 8785 §3.2.2.3
  assert.equal(
    canonicalJson([Number('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27, -0]),
    '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
  );
});

test('The order in which members were added does not matter, and parsing gives the value back', () => {
  const seed = Date.now();
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const reversed = JSON.parse(JSON.stringify(value), (_, member: unknown) =>
        member !== null && typeof member === 'object' && !Array.isArray(member)
          ? Object.fromEntries(Object.entries(member).toReversed())
          : member,
      ) as JsonValue;
      assert.equal(canonicalJson(reversed), canonicalJson(value as JsonValue));
      assert.deepEqual(JSON.parse(canonicalJson(value as JsonValue)), JSON.parse(JSON.stringify(value)));
    }),
    { seed, numRuns: 200 },
  );
});

test('What jsonb cannot hold is replaced, and nothing else is touched', () => {
  assert.deepEqual(storableJson({ a: ['x\0y', '\udc00'], b: 1, c: null, d: '\ud83d\ude00' }), {
    a: ['x\ufffdy', '\ufffd'],
    b: 1,
    c: null,
    d: '\ud83d\ude00',
  });
});
