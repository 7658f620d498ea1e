// Examples of tables: one that grows to 100,000 rows page by page, one that is empty, one that loads.
import { type ReactNode, useMemo, useState } from 'react';
import { useFormats } from '../../language/text.tsx';
import { IconButton } from '../button.tsx';
import { Section } from '../section.tsx';
import { Empty } from '../states.tsx';
import { StatusMark } from '../status-mark.tsx';
import { Table, type TableColumn, type TableSort } from '../table.tsx';
import { useToast } from '../toasts.tsx';
import type { Tone } from '../tone.ts';
import type { Sample } from './sample.ts';

interface Statement {
  readonly id: string;
  readonly number: number;
  readonly on: string;
  readonly sizeBytes: number;
  readonly tone: Tone;
}

const asked = new URLSearchParams(location.search);
const rowsMax = Number(asked.get('rows') ?? 100_000);
const pageRows = Number(asked.get('page') ?? 200);
const tones: readonly Tone[] = ['good', 'good', 'good', 'wait', 'good', 'warn', 'good', 'bad'];
const all = Array.from({ length: rowsMax }, (_, index): Statement => {
  const on = new Date(Date.UTC(2026, 10, 24) - index * 36e5).toISOString().slice(0, 10);
  return {
    id: `s${index}`,
    number: index + 1,
    on,
    sizeBytes: 1000 + ((index * 7919) % 90_000),
    tone: tones[index % tones.length]!,
  };
});
const keyOf = ({ id }: Statement): string => id;

export function Tables({ sample }: { sample: Sample }): ReactNode {
  const formats = useFormats();
  const toast = useToast();
  const [count, setCount] = useState(pageRows);
  const [isLoading, setLoading] = useState(false);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set(['s1']));
  const [sort, setSort] = useState<TableSort>({ columnId: 'period', direction: 'descending' });
  const words: Readonly<Record<Tone, string>> = {
    good: sample.delivered,
    wait: sample.waiting,
    warn: sample.expiring,
    bad: sample.refused,
    quiet: sample.withdrawn,
  };
  const [name, account, period, size, state] = sample.columns;
  const columns: readonly TableColumn<Statement>[] = [
    {
      id: 'name',
      title: name!,
      isRowHeader: true,
      width: 'minmax(10rem, 2fr)',
      render: (row) => `${sample.statement} ${formats.number(row.number)}`,
    },
    { id: 'account', title: account!, render: () => <bdi>U1234567</bdi> },
    { id: 'period', title: period!, sortable: true, render: (row) => formats.date(row.on) },
    {
      id: 'size',
      title: size!,
      sortable: true,
      align: 'end',
      width: '7rem',
      render: (row) => formats.bytes(row.sizeBytes),
    },
    { id: 'state', title: state!, render: (row) => <StatusMark tone={row.tone} text={words[row.tone]} /> },
    {
      id: 'actions',
      title: sample.download,
      isTitleHidden: true,
      width: '4.5rem',
      render: (row) => <IconButton icon="download" label={`${sample.download}: ${sample.statement} ${row.number}`} />,
    },
  ];
  const rows = useMemo(() => all.slice(0, count), [count]);
  const loadMore = async (): Promise<void> => {
    setLoading(true);
    // A page comes from a server in turn, not in the same instant.
    await new Promise(requestAnimationFrame);
    setCount((now) => Math.min(rowsMax, now + pageRows));
    setLoading(false);
  };
  return (
    <Section title="Tables">
      <Table
        label={sample.emptyTitle}
        columns={columns}
        rows={rows}
        rowKey={keyOf}
        onAction={(row) => toast({ tone: 'good', text: `${sample.statement} ${row.number}` })}
        selection={{ selected, onChange: setSelected }}
        sort={sort}
        onSort={setSort}
        loadMore={{ hasMore: count < rowsMax, isLoading, onLoadMore: () => void loadMore() }}
        empty={null}
      />
      <Table
        label={sample.statement}
        columns={columns.slice(0, 4)}
        rows={all.slice(0, 3)}
        rowKey={keyOf}
        empty={null}
      />
      <Table
        label={sample.emptyTitle}
        columns={columns}
        rows={[]}
        rowKey={keyOf}
        empty={<Empty title={sample.emptyTitle}>{sample.emptyText}</Empty>}
      />
      <Table label={sample.statement} columns={columns} rows={[]} rowKey={keyOf} empty={null} isLoading />
    </Section>
  );
}
