// The table as a grid: React Aria's keyboard, focus and selection over rows of fixed height, of which only those near the view are drawn.
import { type CSSProperties, memo, type ReactNode, type RefObject, useMemo, useRef, useState } from 'react';
import {
  useTable,
  useTableCell,
  useTableColumnHeader,
  useTableHeaderRow,
  useTableRow,
  useTableRowGroup,
  useTableSelectionCheckbox,
} from 'react-aria/useTable';
import { type TableState, useTableState } from 'react-stately/useTableState';
import { Icon } from './icons.tsx';
import type { TableColumn, TableProps } from './table.tsx';
import styles from './table.module.css';
import { callerKeyOf, rowKeyOf, TableRows } from './table-rows.ts';
import { More, useMoreAsked } from './table-more.tsx';
import { useText } from '../language/text.tsx';
import { TickBox } from './choices.tsx';
import { useRowWindow } from './table-window.ts';

type State = TableState<object>;
type Node = State['collection']['rows'][number];

// As --row in the tokens.
const rowRem = 3;

export function TableGrid<Row extends object>(props: TableProps<Row>): ReactNode {
  const { label, columns, rows, rowKey, onAction, selection, sort, onSort, loadMore } = props;
  const isSelectable = selection !== undefined;
  const collection = useMemo(
    () => new TableRows({ columns, rows, rowKey, isSelectable }),
    [columns, rows, rowKey, isSelectable],
  );
  const selected = selection?.selected;
  // Made once for each selection: a row is drawn again when it is another.
  const selectedKeys = useMemo(() => Array.from(selected ?? [], rowKeyOf), [selected]);
  const state = useTableState<object>({
    collection: collection as State['collection'],
    children: [] as never,
    selectionMode: selection ? 'multiple' : 'none',
    selectionBehavior: 'toggle',
    showSelectionCheckboxes: selection !== undefined,
    selectedKeys,
    onSelectionChange: (keys) =>
      selection?.onChange(new Set(keys === 'all' ? rows.map(rowKey) : Array.from(keys, callerKeyOf))),
    ...(sort && { sortDescriptor: { column: `column:${sort.columnId}`, direction: sort.direction } }),
    onSortChange: ({ column, direction }) => onSort?.({ columnId: String(column).slice('column:'.length), direction }),
  });

  const ref = useRef<HTMLDivElement>(null);
  const rowPx = rowRem * useRemPx();
  // It reads the element only when a key is pressed.
  // oxlint-disable-next-line react/refs
  const layoutDelegate = useMemo(() => createLayout(ref, state.collection, rowPx), [state.collection, rowPx]);
  const { gridProps } = useTable(
    {
      'aria-label': label,
      isVirtualized: true,
      layoutDelegate,
      disallowTypeAhead: true,
      ...(onAction && { onRowAction: (key) => onAction(state.collection.getItem(key)!.value as Row) }),
    },
    state,
    ref,
  );
  // ARIA 1.2 §aria-rowcount: -1 says that the number of rows is not known.
  const rowCount = loadMore?.hasMore ? { 'aria-rowcount': -1 } : {};
  const tracks = [...(selection ? ['3rem'] : []), ...columns.map(({ width }) => width ?? 'minmax(6rem, 1fr)')];
  return (
    <>
      <div
        {...gridProps}
        {...rowCount}
        ref={ref}
        className={styles.grid}
        style={{ '--tracks': tracks.join(' '), '--least': `${leastRem(tracks)}rem` } as CSSProperties}
      >
        <Head state={state} />
        <Body
          state={state}
          columns={columns as readonly TableColumn<never>[]}
          rowPx={rowPx}
          isPressable={onAction !== undefined}
          loadMore={loadMore}
        />
      </div>
      {loadMore && <More isLoading={loadMore.isLoading} />}
    </>
  );
}

/** How wide the tracks are at least together; where there is less room, the table is moved sideways and cuts nothing. */
function leastRem(tracks: readonly string[]): number {
  return tracks.reduce((sum, track) => sum + Number(/([\d.]+)rem/.exec(track)?.[1] ?? 0), 0);
}

/** Where rows stand, for Page Up and Page Down over rows that are not drawn. */
function createLayout(scroller: RefObject<HTMLElement | null>, collection: State['collection'], rowPx: number) {
  const rect = (y: number, height: number) => ({ x: 0, y, width: scroller.current?.clientWidth ?? 0, height });
  return {
    getItemRect: (key: string | number) => {
      const node = collection.getItem(key);
      const row = node?.type === 'cell' ? collection.getItem(node.parentKey!) : node;
      return row === null ? null : rect(row.index * rowPx, rowPx);
    },
    getVisibleRect: () => rect(scroller.current?.scrollTop ?? 0, (scroller.current?.clientHeight ?? 0) - rowPx),
    getContentSize: () => ({ width: scroller.current?.clientWidth ?? 0, height: collection.size * rowPx }),
  };
}

function Head({ state }: { state: State }): ReactNode {
  const ref = useRef<HTMLDivElement>(null);
  const { rowGroupProps } = useTableRowGroup();
  const node = state.collection.headerRows[0]!;
  const { rowProps } = useTableHeaderRow({ node, isVirtualized: true }, state, ref);
  return (
    <div {...rowGroupProps} className={styles.head}>
      <div {...rowProps} ref={ref} className={styles.row}>
        {state.collection.columns.map((column) => (
          <HeadCell key={column.key} node={column} state={state} />
        ))}
      </div>
    </div>
  );
}

function HeadCell({ node, state }: { node: Node; state: State }): ReactNode {
  const ref = useRef<HTMLDivElement>(null);
  const { columnHeaderProps } = useTableColumnHeader({ node, isVirtualized: true }, state, ref);
  const column = node.props.column as TableColumn<never>;
  const direction = state.sortDescriptor?.column === node.key ? state.sortDescriptor.direction : undefined;
  return (
    <div
      {...columnHeaderProps}
      ref={ref}
      className={styles.headCell}
      data-align={column.align}
      data-sortable={column.sortable}
    >
      {node.props.isSelectionCell ? (
        <SelectAll state={state} />
      ) : (
        <span className={column.isTitleHidden ? styles.hidden : styles.words}>{column.title}</span>
      )}
      {column.sortable && (
        <span className={styles.sort} data-sorted={direction}>
          <Icon name={direction === 'descending' ? 'sort_down' : 'sort_up'} />
        </span>
      )}
    </div>
  );
}

// NOTE: React Aria's own box looks at every row to see whether all are selected; what is counted here costs nothing.
function SelectAll({ state }: { state: State }): ReactNode {
  const text = useText();
  const { selectionManager, collection } = state;
  const count = selectionManager.rawSelection === 'all' ? collection.size : selectionManager.rawSelection.size;
  const isAll = count >= collection.size;
  return (
    <TickBox
      aria-label={text('design.selectAll')}
      isSelected={isAll}
      isIndeterminate={count > 0 && !isAll}
      onChange={(all) => (all ? selectionManager.selectAll() : selectionManager.clearSelection())}
    />
  );
}

interface BodyProps {
  readonly state: State;
  readonly columns: readonly TableColumn<never>[];
  readonly rowPx: number;
  readonly isPressable: boolean;
  readonly loadMore: TableProps<object>['loadMore'];
}

// Near the end begins this many rows before it.
const endRows = 100;

function Body({ state, columns, rowPx, isPressable, loadMore }: BodyProps): ReactNode {
  const { rowGroupProps } = useTableRowGroup();
  const { collection, selectionManager } = state;
  const ref = useRef<HTMLDivElement>(null);
  const { first, end } = useRowWindow(ref, rowPx, collection.size);

  const last = collection.at!(collection.size - 1)?.value ?? null;
  useMoreAsked(end > collection.size - endRows, last, loadMore);

  const places = Array.from({ length: end - first }, (_, index) => first + index);
  // The row that has the focus stays drawn while it is out of view, or the focus would be lost.
  const focused = placeOf(state, selectionManager.focusedKey);
  if (focused !== undefined && focused < first) places.unshift(focused);
  if (focused !== undefined && focused >= end) places.push(focused);
  return (
    <div {...rowGroupProps} ref={ref} className={styles.body} style={{ '--size': collection.size } as CSSProperties}>
      {places.map((place) => {
        const node = collection.at!(place)!;
        return (
          <GridRow
            key={node.key}
            node={node}
            state={state}
            columns={columns}
            isPressable={isPressable}
            focused={place === focused ? selectionManager.focusedKey : null}
          />
        );
      })}
    </div>
  );
}

function placeOf({ collection }: State, key: string | number | null): number | undefined {
  const node = key === null ? null : collection.getItem(key);
  if (node?.type === 'item') return node.index;
  return node?.type === 'cell' ? collection.getItem(node.parentKey!)?.index : undefined;
}

interface GridRowProps {
  readonly node: Node;
  readonly state: State;
  readonly columns: readonly TableColumn<never>[];
  readonly isPressable: boolean;
  /** The row or cell that has the focus, where it is in this row. */
  readonly focused: string | number | null;
}

const GridRow = memo(function GridRow({ node, state, columns, isPressable }: GridRowProps): ReactNode {
  const ref = useRef<HTMLDivElement>(null);
  const { rowProps, isSelected, isPressed } = useTableRow({ node, isVirtualized: true }, state, ref);
  return (
    <div
      {...rowProps}
      ref={ref}
      className={styles.row}
      style={{ '--at': node.index } as CSSProperties}
      data-selected={isSelected || undefined}
      data-pressed={isPressed || undefined}
      data-pressable={isPressable || undefined}
    >
      {Array.from(node.childNodes, (cell) => (
        <GridCell key={cell.key} node={cell} state={state} columns={columns} />
      ))}
    </div>
  );
}, isDrawnAlike);

// The state is another object at each move of the focus, but a row reads of it only what is compared here.
function isDrawnAlike(before: GridRowProps, after: GridRowProps): boolean {
  const managers = [before.state.selectionManager, after.state.selectionManager] as const;
  return (
    before.node === after.node &&
    before.columns === after.columns &&
    before.isPressable === after.isPressable &&
    before.focused === after.focused &&
    managers[0].rawSelection === managers[1].rawSelection &&
    managers[0].isFocused === managers[1].isFocused &&
    before.state.collection === after.state.collection
  );
}

interface GridCellProps {
  readonly node: Node;
  readonly state: State;
  readonly columns: readonly TableColumn<never>[];
}

function GridCell({ node, state, columns }: GridCellProps): ReactNode {
  const ref = useRef<HTMLDivElement>(null);
  const { gridCellProps } = useTableCell({ node, isVirtualized: true }, state, ref);
  const column = columns[node.index - (state.collection.columnCount - columns.length)];
  return (
    <div {...gridCellProps} ref={ref} className={styles.cell} data-align={column?.align}>
      {column === undefined ? (
        <SelectRow state={state} rowKey={node.parentKey!} />
      ) : (
        <span className={styles.words}>{column.render(node.value as never)}</span>
      )}
    </div>
  );
}

function SelectRow({ state, rowKey }: { state: State; rowKey: string | number }): ReactNode {
  const { checkboxProps } = useTableSelectionCheckbox({ key: rowKey }, state);
  return <TickBox {...checkboxProps} />;
}

/** Units: pixels of 1 rem, which is larger where the reader asks for larger text. */
function useRemPx(): number {
  const [remPx] = useState(() => Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
  return remPx;
}
