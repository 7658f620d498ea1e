// CSV as a person looks at it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCsv, readTables } from './csv.ts';

test('cells keep what stands in quotes: separators, line ends and quotes themselves', () => {
  assert.deepEqual(parseCsv('a,"b, c","d ""e"""\r\n"two\nlines",,x\r\n'), [
    ['a', 'b, c', 'd "e"'],
    ['two\nlines', '', 'x'],
  ]);
});

test('semicolons and tabs part cells where the first line says so', () => {
  assert.deepEqual(parseCsv('a;b\n1,5;2'), [
    ['a', 'b'],
    ['1,5', '2'],
  ]);
  assert.deepEqual(parseCsv('a\tb\n1\t2'), [
    ['a', 'b'],
    ['1', '2'],
  ]);
});

test('a quote that never ends, and no text at all, are no reason to stop', () => {
  assert.deepEqual(parseCsv('a,"b'), [['a', 'b']]);
  assert.deepEqual(parseCsv(''), []);
  assert.deepEqual(readTables([]), []);
});

test('rows that name a section become a table for each of them', () => {
  const rows = parseCsv(
    'Trades,Header,Symbol,Price\nTrades,Data,LMNO,7.5\nTrades,Total,,7.5\nFees,Header,What\nFees,Data,Custody',
  );
  assert.deepEqual(readTables(rows), [
    {
      name: 'Trades',
      head: ['Symbol', 'Price'],
      rows: [
        ['LMNO', '7.5'],
        ['Total', '7.5'],
      ],
    },
    { name: 'Fees', head: ['What'], rows: [['Custody']] },
  ]);
  assert.equal(readTables(parseCsv('Symbol,Price\nLMNO,7.5')).length, 1);
});
