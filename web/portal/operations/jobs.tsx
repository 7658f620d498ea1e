// Jobs: how many of each task wait and run, and what was given up, to be tried again.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { api } from '../api/client.ts';
import type { FailedWork, JobQueue } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { Table, type TableColumn } from '../design/table.tsx';
import { useToast } from '../design/toasts.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import { freshMs } from './fresh.ts';
import styles from './operations.module.css';

const keyOf = ({ task }: JobQueue): string => task;

export default function Jobs(): ReactNode {
  const text = useText();
  const jobs = useQuery({ ...api.one('/v1/operations/jobs'), refetchInterval: freshMs });
  const failed = useInfiniteQuery({ ...api.list('/v1/operations/failed'), refetchInterval: freshMs });
  const columns = useColumns();
  return (
    <>
      <PageTitle title={text('page.operationsJobs')} lead={<Text id="operations.jobs.lead" />} />
      <Section title={text('operations.failed')} lead={text('operations.failed.lead')}>
        {failed.isError && <Refused problem={failed.error} onRetry={() => void failed.refetch()} />}
        {failed.isPending && <Loading />}
        {failed.data?.length === 0 && <Empty title={text('operations.failed.empty')} icon="check" />}
        {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles -- WebKit takes a list without marks for no list */}
        <ul role="list" aria-label={text('operations.failed')}>
          {failed.data?.map((work) => (
            <FailedRow key={work.id} work={work} />
          ))}
        </ul>
      </Section>
      <Section title={text('operations.queues')}>
        {jobs.isError && <Refused problem={jobs.error} onRetry={() => void jobs.refetch()} />}
        {(jobs.data !== undefined || jobs.isPending) && (
          <Table
            label={text('operations.queues')}
            columns={columns}
            rows={jobs.data?.queues ?? []}
            rowKey={keyOf}
            isLoading={jobs.isPending}
            empty={<Empty title={text('operations.queues.empty')} icon="clock" />}
          />
        )}
      </Section>
    </>
  );
}

function FailedRow({ work }: { readonly work: FailedWork }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const toast = useToast();
  const queryClient = useQueryClient();
  const { id, name, attempts, since, fault, sort } = work;
  const retry = useMutation({
    mutationFn: () => api.post('/v1/operations/failed/{workId}/retry', undefined, { params: { workId: id } }),
    onSuccess: () => toast({ tone: 'good', text: text('operations.failed.retried', { name }) }),
    onSettled: () =>
      queryClient.invalidateQueries({
        predicate: ({ queryKey }) => /operations\/(failed|jobs|health)/.test(String(queryKey[0])),
      }),
  });
  return (
    <li className={styles.item}>
      <div className={styles.facts}>
        <p className={styles.name}>
          <bdi>{name}</bdi>
        </p>
        <p className={styles.soft}>
          {text(`word.work_sort.${sort}`)} · {text('operations.failed.attempts', { attempts })} ·{' '}
          {formats.instant(since)}
        </p>
        <p className={styles.fault} dir="ltr">
          {fault}
        </p>
        {retry.isError && <Refused problem={retry.error} />}
      </div>
      <Button icon="refresh" onPress={() => retry.mutate()} isPending={retry.isPending}>
        {text('operations.failed.retry', { name })}
      </Button>
    </li>
  );
}

function useColumns(): readonly TableColumn<JobQueue>[] {
  const text = useText();
  const formats = useFormats();
  return useMemo(
    () => [
      {
        id: 'task',
        title: text('operations.task'),
        isRowHeader: true,
        width: 'minmax(12rem, 2fr)',
        render: ({ task }) => <bdi>{task}</bdi>,
      },
      {
        id: 'waiting',
        title: text('operations.waiting'),
        align: 'end',
        width: '7rem',
        render: ({ waiting }) => formats.number(waiting),
      },
      {
        id: 'running',
        title: text('operations.running'),
        align: 'end',
        width: '7rem',
        render: ({ running }) => formats.number(running),
      },
      {
        id: 'failed',
        title: text('operations.givenUp'),
        align: 'end',
        width: '8rem',
        render: ({ failed }) =>
          failed === 0 ? formats.number(0) : <StatusMark tone="bad" text={formats.number(failed)} />,
      },
      {
        id: 'next',
        title: text('operations.next'),
        width: '14rem',
        render: ({ nextAt }) => (nextAt === null ? null : formats.instant(nextAt)),
      },
    ],
    [text, formats],
  );
}
