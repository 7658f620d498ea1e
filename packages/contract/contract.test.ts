// What the shapes shared by all operations take and refuse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { line } from './contract.ts';

test('a line takes any writing, and nothing that a terminal or the direction of text would obey', () => {
  const { pattern } = line(100, 'Why.') as { pattern?: string };
  const taken = (text: string): boolean => new RegExp(pattern!, 'u').test(text);
  for (const text of ['wrong file', 'errada — número', '錯誤的檔案', 'ملف خاطئ', '👩‍👩‍👧'])
    assert.ok(taken(text), text);
  for (const code of [0x00, 0x0a, 0x0d, 0x1b, 0x7f, 0x85, 0x9b, 0x9d, 0x061c, 0x200e, 0x2028, 0x202e, 0x2066, 0x2069]) {
    assert.ok(!taken(`a${String.fromCodePoint(code)}b`), code.toString(16));
  }
});
