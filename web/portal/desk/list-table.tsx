// A list of the server as a table, with every state that it can be in: coming, empty, declined, and longer than what was read.
import type { ReactNode } from 'react';
import { Refused } from '../design/states.tsx';
import { Table, type TableProps } from '../design/table.tsx';

/** The part of an infinite query that a table needs. */
export interface ReadList<Row> {
  readonly data: readonly Row[] | undefined;
  readonly error: Error | null;
  readonly isPending: boolean;
  readonly isFetching: boolean;
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  refetch(): Promise<unknown>;
  fetchNextPage(): Promise<unknown>;
}

interface ListTableProps<Row extends object>
  extends Pick<TableProps<Row>, 'label' | 'columns' | 'onAction' | 'rowKey' | 'empty'> {
  readonly list: ReadList<Row>;
}

export function ListTable<Row extends object>({ list, ...props }: ListTableProps<Row>): ReactNode {
  const { data, error } = list;
  return (
    <>
      {error !== null && <Refused problem={error} onRetry={() => void list.refetch()} isRetrying={list.isFetching} />}
      {/* What was read before stays while the server is away. */}
      {(error === null || data !== undefined) && (
        <Table
          {...props}
          rows={data ?? []}
          isLoading={list.isPending}
          loadMore={{
            hasMore: list.hasNextPage,
            isLoading: list.isFetchingNextPage,
            onLoadMore: () => void list.fetchNextPage(),
          }}
        />
      )}
    </>
  );
}
