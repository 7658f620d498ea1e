// What retention will take and took: the next purge, its clock, and the deletion log with its check.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { api } from '../api/client.ts';
import type { Deletion, DeletionCheck, PurgePreview } from '../api/operations.ts';
import { Banner } from '../design/banner.tsx';
import { Button } from '../design/button.tsx';
import { Facts } from '../design/facts.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import type { TableColumn } from '../design/table.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import { ClientNameById } from './client-name.tsx';
import { ListTable } from './list-table.tsx';

const keyOf = ({ number }: Deletion): string => String(number);

export default function Retention(): ReactNode {
  const text = useText();
  const preview = useQuery(api.one('/v1/retention'));
  return (
    <>
      <PageTitle title={text('page.deskRetention')} lead={<Text id="desk.retention.lead" />} />
      <Section title={text('desk.retention.next')}>
        {preview.isError && <Refused problem={preview.error} onRetry={() => void preview.refetch()} />}
        {preview.isPending && <Loading />}
        {preview.data && <NextPurge preview={preview.data} />}
      </Section>
      <DeletionLog />
    </>
  );
}

function NextPurge({ preview }: { readonly preview: PurgePreview }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const confirm = useAction({
    act: () => api.post('/v1/retention/clock', undefined),
    touches: /retention/,
    done: text('desk.retention.clockConfirmed'),
  });
  return (
    <>
      {preview.isHeld && (
        <Banner
          tone="warn"
          title={text('desk.retention.held')}
          actions={
            <Button onPress={() => confirm.mutate()} isPending={confirm.isPending}>
              {text('desk.retention.confirmClock')}
            </Button>
          }
        >
          {text('desk.retention.heldLead', { now: formats.instant(preview.now) })}
        </Banner>
      )}
      {confirm.isError && <Refused problem={confirm.error} />}
      <Facts
        items={[
          {
            term: text('desk.retention.files'),
            value: `${formats.number(preview.files)} (${formats.bytes(preview.fileBytes)})`,
          },
          { term: text('desk.retention.copies'), value: formats.number(preview.portalCopies) },
          { term: text('desk.retention.partial'), value: formats.number(preview.partialUploads) },
          {
            term: text('desk.retention.last'),
            value: preview.lastPurgeAt === null ? text('desk.notYet') : formats.instant(preview.lastPurgeAt),
          },
          { term: text('desk.retention.clock'), value: formats.instant(preview.now) },
        ]}
      />
    </>
  );
}

function DeletionLog(): ReactNode {
  const text = useText();
  const list = useInfiniteQuery(api.list('/v1/deletions'));
  const check = useAction({ act: () => api.post('/v1/deletions/check', undefined), touches: /deletions/ });
  const columns = useColumns();
  return (
    <Section
      title={text('desk.deletions')}
      lead={text('desk.deletions.lead')}
      actions={
        <Button icon="shield" onPress={() => check.mutate()} isPending={check.isPending}>
          {text('desk.deletions.check')}
        </Button>
      }
    >
      {check.isError && <Refused problem={check.error} />}
      {check.data && <Verdict verdict={check.data} />}
      <ListTable
        label={text('desk.deletions')}
        list={list}
        columns={columns}
        rowKey={keyOf}
        empty={<Empty title={text('desk.deletions.empty')} icon="trash" />}
      />
    </Section>
  );
}

function Verdict({ verdict }: { readonly verdict: DeletionCheck }): ReactNode {
  const text = useText();
  const { isWhole, rows, brokenAt } = verdict;
  return isWhole ? (
    <Banner tone="good" live="status" title={text('desk.deletions.whole', { rows: rows ?? 0 })} />
  ) : (
    <Banner tone="bad" live="status" title={text('desk.deletions.broken', { row: brokenAt ?? 0 })} />
  );
}

function useColumns(): readonly TableColumn<Deletion>[] {
  const text = useText();
  const formats = useFormats();
  return useMemo(
    () => [
      {
        id: 'number',
        title: text('desk.deletion.number'),
        align: 'end',
        width: '5rem',
        render: ({ number }) => formats.number(number),
      },
      {
        id: 'path',
        title: text('desk.file'),
        isRowHeader: true,
        width: 'minmax(12rem, 2fr)',
        render: ({ path }) => <bdi>{path}</bdi>,
      },
      {
        id: 'client',
        title: text('desk.client'),
        width: 'minmax(11rem, 1fr)',
        render: ({ clientId }) => <ClientNameById clientId={clientId} />,
      },
      {
        id: 'what',
        title: text('desk.deletion.what'),
        width: '10rem',
        render: ({ what }) => text(`word.deletion_what.${what}`),
      },
      {
        id: 'why',
        title: text('desk.deletion.why'),
        width: '10rem',
        render: ({ why }) => text(`word.deletion_why.${why}`),
      },
      {
        id: 'at',
        title: text('desk.deletion.at'),
        width: '14rem',
        render: ({ deletedAt }) => formats.instant(deletedAt),
      },
    ],
    [text, formats],
  );
}
