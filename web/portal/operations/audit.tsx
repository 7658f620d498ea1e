// The audit trail, newest first, of one subject or one actor where asked for, and the check of its chain.
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { api } from '../api/client.ts';
import type { AuditCheck, AuditRow } from '../api/operations.ts';
import { Banner } from '../design/banner.tsx';
import { Button } from '../design/button.tsx';
import { Code } from '../design/code.tsx';
import { Dialog } from '../design/dialog.tsx';
import { Facts } from '../design/facts.tsx';
import { SearchField } from '../design/field.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Empty, Refused } from '../design/states.tsx';
import { Table, type TableColumn } from '../design/table.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import styles from './operations.module.css';

const keyOf = ({ sequence }: AuditRow): string => String(sequence);

export default function Audit(): ReactNode {
  const text = useText();
  const [subject, setSubject] = useState('');
  const [actor, setActor] = useState('');
  const [shown, setShown] = useState<AuditRow>();
  const check = useMutation({ mutationFn: () => api.post('/v1/operations/audit/check', undefined) });
  const trail = useInfiniteQuery(
    api.list('/v1/operations/audit', { query: { subject: subject.trim(), actor: actor.trim() } }),
  );
  const columns = useColumns();
  return (
    <>
      <PageTitle
        title={text('page.operationsAudit')}
        lead={<Text id="operations.audit.lead" />}
        actions={
          <Button icon="shield" onPress={() => check.mutate()} isPending={check.isPending}>
            {text('operations.audit.check')}
          </Button>
        }
      />
      {check.isError && <Refused problem={check.error} />}
      {check.data && <Verdict verdict={check.data} />}
      <div className={styles.filters}>
        <SearchField
          label={text('operations.audit.subject')}
          description={text('operations.audit.searchLead')}
          onSubmit={setSubject}
          onChange={(typed) => typed === '' && setSubject('')}
        />
        <SearchField
          label={text('operations.audit.actor')}
          description={text('operations.audit.searchLead')}
          onSubmit={setActor}
          onChange={(typed) => typed === '' && setActor('')}
        />
      </div>
      {trail.isError && <Refused problem={trail.error} onRetry={() => void trail.refetch()} />}
      {(trail.data !== undefined || trail.isPending) && (
        <Table
          label={text('page.operationsAudit')}
          columns={columns}
          rows={trail.data ?? []}
          rowKey={keyOf}
          onAction={setShown}
          isLoading={trail.isPending}
          loadMore={{
            hasMore: trail.hasNextPage,
            isLoading: trail.isFetchingNextPage,
            onLoadMore: () => void trail.fetchNextPage(),
          }}
          empty={<Empty title={text('operations.audit.empty')} icon="list" />}
        />
      )}
      {shown !== undefined && <RowDialog row={shown} onClose={() => setShown(undefined)} />}
    </>
  );
}

function Verdict({ verdict }: { readonly verdict: AuditCheck }): ReactNode {
  const text = useText();
  const { isWhole, rows, unsealed, hash, brokenAt } = verdict;
  if (!isWhole)
    return <Banner tone="bad" live="status" title={text('operations.audit.broken', { row: brokenAt ?? 0 })} />;
  return (
    <Banner tone="good" live="status" title={text('operations.audit.whole', { rows: rows ?? 0 })}>
      <p>{text('operations.audit.unsealed', { rows: unsealed ?? 0 })}</p>
      {hash !== null && <Code text={hash} label={text('operations.audit.hash')} />}
    </Banner>
  );
}

function RowDialog({ row, onClose }: { readonly row: AuditRow; readonly onClose: () => void }): ReactNode {
  const text = useText();
  const formats = useFormats();
  return (
    <Dialog title={text('operations.audit.row', { row: row.sequence })} isOpen onClose={onClose} size="wide">
      <Facts
        items={[
          { term: text('operations.audit.at'), value: formats.instant(row.at) },
          { term: text('operations.audit.action'), value: <bdi>{row.action}</bdi> },
          { term: text('operations.audit.subject'), value: <bdi className={styles.code}>{row.subject}</bdi> },
          { term: text('operations.audit.actor'), value: <bdi className={styles.code}>{row.actor}</bdi> },
          ...(row.address === null
            ? []
            : [{ term: text('operations.audit.address'), value: <bdi>{row.address}</bdi> }]),
        ]}
      />
      <Code text={row.detail} label={text('operations.audit.detail')} />
    </Dialog>
  );
}

function useColumns(): readonly TableColumn<AuditRow>[] {
  const text = useText();
  const formats = useFormats();
  return useMemo(
    () => [
      {
        id: 'sequence',
        title: text('operations.audit.sequence'),
        align: 'end',
        width: '6rem',
        render: ({ sequence }) => formats.number(sequence),
      },
      {
        id: 'action',
        title: text('operations.audit.action'),
        isRowHeader: true,
        width: 'minmax(11rem, 1fr)',
        render: ({ action }) => <bdi>{action}</bdi>,
      },
      {
        id: 'at',
        title: text('operations.audit.at'),
        width: '14rem',
        render: ({ at }) => formats.instant(at),
      },
      {
        id: 'actor',
        title: text('operations.audit.actor'),
        width: 'minmax(10rem, 1fr)',
        render: ({ actor }) => <bdi className={styles.code}>{actor}</bdi>,
      },
      {
        id: 'subject',
        title: text('operations.audit.subject'),
        width: 'minmax(10rem, 1fr)',
        render: ({ subject }) => <bdi className={styles.code}>{subject}</bdi>,
      },
      {
        id: 'address',
        title: text('operations.audit.address'),
        width: '9rem',
        render: ({ address }) => <bdi>{address}</bdi>,
      },
    ],
    [text, formats],
  );
}
