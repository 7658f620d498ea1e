// The board of keys that end soon, the soonest first.
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { api } from '../api/client.ts';
import type { EndingKey } from '../api/operations.ts';
import { PageTitle } from '../design/page-title.tsx';
import { Select } from '../design/select.tsx';
import { Empty } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { TableColumn } from '../design/table.tsx';
import type { Tone } from '../design/tone.ts';
import { Text, useFormats, useText } from '../language/text.tsx';
import { ClientName } from './client-name.tsx';
import styles from './desk.module.css';
import { ListTable } from './list-table.tsx';
import { useMinute } from './minute.ts';

const spans = ['30', '60', '90', '365'] as const;
const dayMs = 86_400_000;
const keyOf = ({ id }: EndingKey): string => id;

function toneOf(daysLeft: number): Tone {
  if (daysLeft < 7) return 'bad';
  return daysLeft < 30 ? 'warn' : 'wait';
}

export default function EndingKeys(): ReactNode {
  const text = useText();
  const formats = useFormats();
  const nowMs = useMinute();
  const [within, setWithin] = useState<(typeof spans)[number]>('60');
  const list = useInfiniteQuery(api.list('/v1/delivery-desk/ending-keys', { query: { withinDays: Number(within) } }));
  const columns: readonly TableColumn<EndingKey>[] = useMemo(
    () => [
      {
        id: 'client',
        title: text('desk.client'),
        isRowHeader: true,
        width: 'minmax(12rem, 2fr)',
        render: ({ client }) => <ClientName client={client} />,
      },
      { id: 'sort', title: text('desk.key'), width: '9rem', render: ({ sort }) => text(`word.key_sort.${sort}`) },
      {
        id: 'fingerprint',
        title: text('desk.fingerprint'),
        width: 'minmax(12rem, 2fr)',
        render: ({ fingerprint }) => (
          <bdi dir="ltr" className={styles.code}>
            {fingerprint}
          </bdi>
        ),
      },
      {
        id: 'ends',
        title: text('desk.keys.endsAt'),
        width: '14rem',
        render: ({ expiresAt }) => formats.instant(expiresAt),
      },
      {
        id: 'left',
        title: text('desk.keys.left'),
        width: '9rem',
        render: ({ expiresAt }) => {
          const days = Math.floor((Date.parse(expiresAt) - nowMs) / dayMs);
          return <StatusMark tone={toneOf(days)} text={formats.relative(expiresAt, nowMs)} />;
        },
      },
    ],
    [text, formats, nowMs],
  );
  return (
    <>
      <PageTitle title={text('page.deskKeys')} lead={<Text id="desk.keys.lead" />} />
      <div className={styles.filters}>
        <Select
          label={text('desk.keys.within')}
          items={spans.map((id) => ({ id, text: text('desk.keys.days', { days: Number(id) }) }))}
          value={within}
          onChange={setWithin}
        />
      </div>
      <ListTable
        label={text('page.deskKeys')}
        list={list}
        columns={columns}
        rowKey={keyOf}
        empty={<Empty title={text('desk.keys.empty')} icon="key" />}
      />
    </>
  );
}
