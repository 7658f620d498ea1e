// The rows behind a table: keys and neighbours without a node for every row, and the window of those that are drawn.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TableRows } from './table-rows.ts';
import { windowAt } from './table-window.ts';

interface Row {
  readonly id: string;
}
const columns = ['a', 'b'].map((id) => ({ id, title: id, render: () => null }));
const rowKey = ({ id }: Row): string => id;
const rowsOf = (count: number): Row[] => Array.from({ length: count }, (_, index) => ({ id: `r:${index}` }));
const collect = (rows: readonly Row[], isSelectable = false) => new TableRows({ columns, rows, rowKey, isSelectable });

test('a row is found by its key, with its neighbours and its cells', () => {
  const rows = collect(rowsOf(3));
  const middle = rows.getItem('row:r:1')!;
  assert.equal(middle.index, 1);
  assert.equal(rows.getKeyBefore(middle.key), 'row:r:0');
  assert.equal(rows.getKeyAfter(middle.key), 'row:r:2');
  assert.equal(rows.getKeyAfter('row:r:2'), null);
  const [, second] = Array.from(rows.getChildren(middle.key));
  assert.equal(rows.getItem(second!.key), second);
  assert.equal(rows.getKeyBefore(second!.key), 'cell:0:row:r:1');
  assert.equal(rows.getItem('row:gone'), null);
});

test('a list that grew at its end keeps the nodes of the rows it had, and one that changed does not mislead', () => {
  const all = rowsOf(6);
  const before = collect(all.slice(0, 4));
  const node = before.at(2);
  const grown = collect(all);
  assert.equal(grown.at(2), node);
  assert.equal(grown.getItem('row:r:5')?.index, 5);
  const without = collect(all.filter((_, index) => index !== 2));
  assert.equal(without.getItem('row:r:2'), null);
  assert.equal(without.getItem('row:r:3')?.index, 2);
});

test('the boxes to tick are a column before the others, and name no row', () => {
  const rows = collect(rowsOf(1), true);
  assert.deepEqual(
    rows.columns.map(({ key }) => key),
    ['column:select', 'column:a', 'column:b'],
  );
  assert.deepEqual([...rows.rowHeaderColumnKeys], ['column:a']);
});

test('every row in view is drawn, and never many more', () => {
  fc.assert(
    fc.property(
      fc.nat(5_000_000),
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: 24, max: 96 }),
      fc.nat(100_000),
      (topPx, viewPx, rowPx, size) => {
        const { first, end } = windowAt(topPx, viewPx, rowPx, size);
        const seenFirst = Math.min(size, Math.floor(topPx / rowPx));
        const seenEnd = Math.min(size, Math.ceil((topPx + viewPx) / rowPx));
        assert.ok(first <= seenFirst && end >= seenEnd, `${first}–${end} leaves out some of ${seenFirst}–${seenEnd}`);
        assert.ok(end - first <= (2 * viewPx) / rowPx + 10);
      },
    ),
  );
});
