// The rows as React Aria's table sees them: a node is made when it is asked for, never for all rows at once.
// NOTE: the collection that React Aria builds by itself keeps a hidden copy of every cell; decision 0014 has the figures.
import type { TableState } from 'react-stately/useTableState';
import type { TableColumn } from './table.tsx';

type Collection = TableState<object>['collection'];
type Node = Collection['rows'][number];
type Key = Node['key'];

const bodyKey = 'body';
const headKey = 'head';
const selectColumn: TableColumn<object> = { id: 'select', title: '', render: () => null };

export const rowKeyOf = (key: string): string => `row:${key}`;
/** The caller's key of a row, from the grid's. */
export const callerKeyOf = (key: Key): string => String(key).slice('row:'.length);

interface Options<Row> {
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Whether the first column holds the boxes to tick. */
  readonly isSelectable: boolean;
}

interface KnownRows {
  readonly rows: readonly object[];
  readonly places: Map<string, number>;
}

// By the first row: a list that grows at its end keeps it.
const known = new WeakMap<object, KnownRows>();

/** Where each key stands. Of a list that only grew at its end, the keys are not made again. */
function findPlaces<Row extends object>(
  rows: readonly Row[],
  rowKey: (row: Row) => string,
): ReadonlyMap<string, number> {
  const head = rows[0];
  if (head === undefined) return new Map();
  const before = known.get(head);
  const grew =
    before !== undefined &&
    before.rows.length <= rows.length &&
    before.rows.every((row, index) => row === rows[index]) &&
    before.places.get(rowKeyOf(rowKey(head))) === 0;
  const places = grew ? before.places : new Map<string, number>();
  for (let index = places.size; index < rows.length; index += 1) places.set(rowKeyOf(rowKey(rows[index]!)), index);
  known.set(head, { rows, places });
  return places;
}

// The node of each row, and the columns that it was made for.
const made = new WeakMap<object, { readonly node: Node; readonly shape: string }>();

export class TableRows<Row extends object> implements Collection {
  readonly columns: Node[];
  readonly headerRows: Node[];
  readonly rowHeaderColumnKeys: Set<Key>;
  readonly body: Node;
  readonly columnCount: number;
  readonly size: number;
  readonly #options: Options<Row>;
  readonly #shown: readonly TableColumn<Row>[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #shape: string;

  constructor(options: Options<Row>) {
    this.#options = options;
    this.#places = findPlaces(options.rows, options.rowKey);
    this.#shown = options.isSelectable ? [selectColumn, ...options.columns] : options.columns;
    const named = options.columns.filter((column) => column.isRowHeader);
    const naming = new Set<string>((named.length > 0 ? named : options.columns.slice(0, 1)).map((column) => column.id));
    this.columns = this.#shown.map((column, index) =>
      makeNode('column', `column:${column.id}`, index, {
        parentKey: headKey,
        textValue: column.title,
        prevKey: index > 0 ? `column:${this.#shown[index - 1]!.id}` : null,
        nextKey: index < this.#shown.length - 1 ? `column:${this.#shown[index + 1]!.id}` : null,
        props: { allowsSorting: column.sortable === true, isSelectionCell: column === selectColumn, column },
      }),
    );
    this.rowHeaderColumnKeys = new Set(
      this.columns.filter((_, index) => naming.has(this.#shown[index]!.id)).map(({ key }) => key),
    );
    this.headerRows = [makeNode('headerrow', headKey, 0, { hasChildNodes: true, childNodes: this.columns })];
    this.body = makeNode('body', bodyKey, 0, { hasChildNodes: true });
    this.columnCount = this.columns.length;
    this.#shape = this.columns.map(({ key }) => key).join(' ');
    this.size = options.rows.length;
  }

  /** NOTE: makes every node; React Aria asks for it only when the focused row is gone. */
  get rows(): Node[] {
    return Array.from(this);
  }

  *[Symbol.iterator](): IterableIterator<Node> {
    for (let index = 0; index < this.size; index += 1) yield this.at(index)!;
  }

  *getKeys(): IterableIterator<Key> {
    for (const { key } of this) yield key;
  }

  getItem(key: Key): Node | null {
    const text = String(key);
    if (text.startsWith('row:')) return this.at(this.#places.get(text) ?? -1);
    if (text.startsWith('cell:')) {
      const end = text.indexOf(':', 'cell:'.length);
      const row = this.getItem(text.slice(end + 1));
      return (row?.childNodes as Node[] | undefined)?.[Number(text.slice('cell:'.length, end))] ?? null;
    }
    if (text.startsWith('column:')) return this.columns.find((column) => column.key === key) ?? null;
    return key === headKey ? this.headerRows[0]! : key === bodyKey ? this.body : null;
  }

  /** A row that stayed where it was keeps its node, so that it is not drawn again. */
  at(index: number): Node | null {
    const row = this.#options.rows[index];
    if (row === undefined) return null;
    const key = rowKeyOf(this.#options.rowKey(row));
    const before = made.get(row);
    if (before?.node.index === index && before.node.key === key && before.shape === this.#shape) return before.node;
    const node = makeNode('item', key, index, {
      value: row,
      parentKey: bodyKey,
      hasChildNodes: true,
      childNodes: this.columns.map((column, place) =>
        makeNode('cell', `cell:${place}:${key}`, place, {
          value: row,
          parentKey: key,
          column,
          prevKey: place > 0 ? `cell:${place - 1}:${key}` : null,
          nextKey: place < this.columnCount - 1 ? `cell:${place + 1}:${key}` : null,
          props: { isSelectionCell: column.props.isSelectionCell },
        }),
      ),
    });
    made.set(row, { node, shape: this.#shape });
    return node;
  }

  getChildren(key: Key): Iterable<Node> {
    return key === bodyKey ? this : (this.getItem(key)?.childNodes ?? []);
  }

  getFirstKey(): Key | null {
    return this.at(0)?.key ?? null;
  }

  getLastKey(): Key | null {
    return this.at(this.size - 1)?.key ?? null;
  }

  getKeyBefore(key: Key): Key | null {
    return this.#beside(key, -1);
  }

  getKeyAfter(key: Key): Key | null {
    return this.#beside(key, 1);
  }

  getTextValue(key: Key): string {
    return this.getItem(key)?.textValue ?? '';
  }

  #beside(key: Key, step: 1 | -1): Key | null {
    const node = this.getItem(key);
    if (node?.type === 'item') return this.at(node.index + step)?.key ?? null;
    return (step === 1 ? node?.nextKey : node?.prevKey) ?? null;
  }
}

function makeNode(type: string, key: string, index: number, rest: Partial<Node>): Node {
  return {
    type,
    key,
    index,
    value: null,
    level: 0,
    hasChildNodes: false,
    childNodes: [],
    rendered: null,
    textValue: '',
    props: {},
    ...rest,
  };
}
