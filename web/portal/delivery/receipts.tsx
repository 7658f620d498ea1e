// Who fetched what: proof of each reading, with the key that signed in.
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { Receipt } from '../api/operations.ts';
import { Section } from '../design/section.tsx';
import { Empty, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { Table } from '../design/table.tsx';
import { useFormats, useText } from '../language/text.tsx';

const keyOf = ({ id }: Receipt): string => id;

export function Receipts(): ReactNode {
  const text = useText();
  const formats = useFormats();
  const receipts = useInfiniteQuery(api.list('/v1/receipts'));
  return (
    <Section title={text('delivery.receipts.title')} lead={text('delivery.receipts.lead')}>
      {receipts.isError && <Refused problem={receipts.error} onRetry={() => void receipts.refetch()} />}
      <Table
        label={text('delivery.receipts.title')}
        rows={receipts.data ?? []}
        rowKey={keyOf}
        isLoading={receipts.isPending}
        loadMore={{
          hasMore: receipts.hasNextPage,
          isLoading: receipts.isFetchingNextPage,
          onLoadMore: () => void receipts.fetchNextPage(),
        }}
        empty={receipts.isError ? null : <Empty title={text('delivery.receipts.none')} icon="download" />}
        columns={[
          {
            id: 'file',
            title: text('delivery.receipts.file'),
            isRowHeader: true,
            width: 'minmax(10rem, 2fr)',
            render: ({ path }) => <bdi dir="ltr">{path.slice(path.lastIndexOf('/') + 1)}</bdi>,
          },
          {
            id: 'at',
            title: text('delivery.receipts.at'),
            width: 'minmax(9rem, 1.4fr)',
            render: ({ closedAt }) => formats.instant(closedAt),
          },
          {
            id: 'face',
            title: text('delivery.receipts.way'),
            width: '6rem',
            render: ({ face }) => text(`word.face.${face}`),
          },
          {
            id: 'address',
            title: text('delivery.addresses.address'),
            width: 'minmax(7rem, 1fr)',
            render: ({ address }) => <bdi dir="ltr">{address ?? '–'}</bdi>,
          },
          {
            id: 'whole',
            title: text('delivery.receipts.how'),
            width: 'minmax(8rem, 1.2fr)',
            render: ({ isWhole, sentBytes, sizeBytes }) =>
              isWhole ? (
                <StatusMark tone="good" text={text('delivery.receipts.whole')} />
              ) : (
                <StatusMark
                  tone="warn"
                  text={text('delivery.receipts.part', {
                    sent: formats.bytes(sentBytes),
                    size: formats.bytes(sizeBytes),
                  })}
                />
              ),
          },
        ]}
      />
    </Section>
  );
}
