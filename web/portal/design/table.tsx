// A table of rows of one kind: a grid with real headers and its own keyboard where there is width, a list of cards where there is not.
import { type ReactNode, useSyncExternalStore } from 'react';
import { useText } from '../language/text.tsx';
import { Loading } from './states.tsx';
import { TableCards } from './table-cards.tsx';
import { TableGrid } from './table-grid.tsx';

export interface TableColumn<Row> {
  readonly id: string;
  readonly title: string;
  /** Where what is below needs no head, as the buttons of a row: the title is then read out and not drawn. */
  readonly isTitleHidden?: boolean;
  readonly render: (row: Row) => ReactNode;
  /** Numbers stand at the end, so that their digits are below each other. */
  readonly align?: 'start' | 'end';
  readonly sortable?: boolean;
  /** A track of a CSS grid: `8rem`, `minmax(10rem, 2fr)`. An equal share of the width where nothing is said. */
  readonly width?: string;
  /** The cell that names the row; the first column where none says so. */
  readonly isRowHeader?: boolean;
}

export interface TableSort {
  readonly columnId: string;
  readonly direction: 'ascending' | 'descending';
}

export interface TableProps<Row extends object> {
  readonly label: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  /** What tells a row from all others, however often the rows are read. */
  readonly rowKey: (row: Row) => string;
  /** What Enter or a click on a row does. NOTE: while rows are selected, a click selects; put a link into the row as well. */
  readonly onAction?: (row: Row) => void;
  readonly selection?: {
    readonly selected: ReadonlySet<string>;
    readonly onChange: (selected: ReadonlySet<string>) => void;
  };
  readonly sort?: TableSort;
  readonly onSort?: (sort: TableSort) => void;
  /** Asked for as the reader comes near the end of what is loaded. */
  readonly loadMore?: { readonly hasMore: boolean; readonly isLoading: boolean; readonly onLoadMore: () => void };
  /** Shown where there is no row. */
  readonly empty: ReactNode;
  /** Whether the first rows are still coming. */
  readonly isLoading?: boolean;
}

export function Table<Row extends object>(props: TableProps<Row>): ReactNode {
  const isNarrow = useSyncExternalStore(watchWidth, readWidth);
  const text = useText();
  if (props.rows.length === 0)
    return props.isLoading ? <Loading label={text('design.loadingOf', { label: props.label })} /> : props.empty;
  return isNarrow ? <TableCards {...props} /> : <TableGrid {...props} />;
}

const narrow = matchMedia('(width < 40rem)');
const readWidth = (): boolean => narrow.matches;
function watchWidth(listener: () => void): () => void {
  narrow.addEventListener('change', listener);
  return () => narrow.removeEventListener('change', listener);
}
