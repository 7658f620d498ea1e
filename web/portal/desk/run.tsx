// One run as it goes: how far it is, what became of each row, and the outcomes as a file.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import { useIntl } from 'react-intl';
import { api } from '../api/client.ts';
import type { Run, RunRow } from '../api/operations.ts';
import { Banner } from '../design/banner.tsx';
import { LinkButton } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { Facts } from '../design/facts.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Progress } from '../design/progress.tsx';
import { Section } from '../design/section.tsx';
import { Select } from '../design/select.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { TableColumn } from '../design/table.tsx';
import { PageLink } from '../frame/open-pages.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import styles from './desk.module.css';
import { ListTable } from './list-table.tsx';
import { runRowTones, runTones } from './tones.ts';

// Rows are done faster than changes are told.
const againMs = 1_000;
const isMoving = (run: Run | undefined): boolean => run?.state === 'receiving' || run?.state === 'running';
const rowStates = ['waiting', 'issued', 'failed', 'refused'] as const;
const keyOf = ({ row }: RunRow): string => String(row);

export default function RunPage(): ReactNode {
  const { runId = '' } = useParams({ strict: false }) as { runId?: string };
  const text = useText();
  const run = useQuery({
    ...api.one('/v1/runs/{runId}', { params: { runId } }),
    refetchInterval: (query) => (isMoving(query.state.data) ? againMs : false),
  });
  const { data } = run;
  return (
    <>
      <PageTitle
        title={data ? <bdi>{data.reference}</bdi> : text('page.deskRun')}
        back={
          <PageLink path="/desk/runs">
            <Text id="page.deskRuns" />
          </PageLink>
        }
        actions={
          <LinkButton
            href={api.address('/v1/runs/{runId}/outcomes.csv', { params: { runId } })}
            icon="download"
            download
          >
            {text('desk.run.outcomes')}
          </LinkButton>
        }
      />
      {run.isError && <Refused problem={run.error} onRetry={() => void run.refetch()} />}
      {run.isPending && <Loading />}
      {data && <RunFacts run={data} />}
      {data && <RunRows runId={runId} isMoving={isMoving(data)} />}
    </>
  );
}

function RunFacts({ run }: { readonly run: Run }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { state, rows, isDryRun } = run;
  return (
    <>
      {state === 'checked' && (
        <Banner tone="good" title={text('desk.run.checked')} live="status">
          <Text id="desk.run.checkedLead" />
        </Banner>
      )}
      {state === 'refused' && (
        <Banner tone="bad" title={text('desk.run.refused')} live="status">
          <Text id="desk.run.refusedLead" />
        </Banner>
      )}
      <Section title={text('desk.run.progress')}>
        {!isDryRun && state !== 'refused' && (
          <Progress
            label={text('desk.run.progress')}
            value={state === 'receiving' ? undefined : rows.done}
            max={Math.max(1, rows.total)}
            text={text('desk.run.doneOf', { done: rows.done, total: rows.total })}
          />
        )}
        <Facts
          items={[
            {
              term: text('desk.state'),
              value: <StatusMark tone={runTones[state]} text={text(`word.run_state.${state}`)} />,
            },
            { term: text('desk.run.sort'), value: text(isDryRun ? 'desk.run.isDry' : 'desk.run.isReal') },
            { term: text('desk.run.rows'), value: formats.number(rows.total) },
            { term: text('desk.run.failed'), value: formats.number(rows.failed) },
            { term: text('desk.run.waiting'), value: formats.number(rows.waiting) },
            { term: text('desk.run.begunAt'), value: formats.instant(run.begunAt) },
            ...(run.doneAt === null ? [] : [{ term: text('desk.run.doneAt'), value: formats.instant(run.doneAt) }]),
          ]}
        />
      </Section>
    </>
  );
}

function RunRows({ runId, isMoving }: { readonly runId: string; readonly isMoving: boolean }): ReactNode {
  const text = useText();
  const [state, setState] = useState<(typeof rowStates)[number] | 'all'>('all');
  const rows = useInfiniteQuery({
    ...api.list('/v1/runs/{runId}/rows', {
      params: { runId },
      query: { state: state === 'all' ? undefined : state },
    }),
    refetchInterval: isMoving ? againMs : false,
  });
  const columns = useRowColumns();
  const say = useRowReason();
  const [shown, setShown] = useState<RunRow>();
  return (
    <Section title={text('desk.run.rowsTitle')}>
      <div className={styles.filters}>
        <Select
          label={text('desk.state')}
          items={[
            { id: 'all', text: text('desk.all') },
            ...rowStates.map((id) => ({ id, text: text(`word.run_row_state.${id}`) })),
          ]}
          value={state}
          onChange={setState}
        />
      </div>
      <ListTable
        label={text('desk.run.rowsTitle')}
        list={rows}
        columns={columns}
        rowKey={keyOf}
        onAction={setShown}
        empty={<Empty title={text('desk.run.noRows')} />}
      />
      {shown !== undefined && (
        <Dialog
          title={text('desk.run.rowOf', { row: shown.row })}
          isOpen
          onClose={() => setShown(undefined)}
          size="wide"
        >
          <Facts
            items={[
              { term: text('desk.file'), value: <bdi>{shown.file}</bdi> },
              { term: text('desk.account'), value: <bdi>{shown.account}</bdi> },
              { term: text('desk.statement.kind'), value: <bdi>{shown.kind}</bdi> },
              { term: text('desk.period'), value: <bdi>{shown.period}</bdi> },
              {
                term: text('desk.state'),
                value: <StatusMark tone={runRowTones[shown.state]} text={text(`word.run_row_state.${shown.state}`)} />,
              },
              ...(shown.code === null
                ? []
                : [{ term: text('desk.reason'), value: <span dir="auto">{say(shown)}</span> }]),
            ]}
          />
        </Dialog>
      )}
    </Section>
  );
}

function useRowColumns(): readonly TableColumn<RunRow>[] {
  const text = useText();
  const formats = useFormats();
  const say = useRowReason();
  return useMemo(
    () => [
      {
        id: 'row',
        title: text('desk.run.row'),
        align: 'end',
        width: '4.5rem',
        render: ({ row }) => formats.number(row),
      },
      {
        id: 'file',
        title: text('desk.file'),
        isRowHeader: true,
        width: 'minmax(12rem, 2fr)',
        render: ({ statementId, file }) =>
          statementId === null ? (
            <bdi>{file}</bdi>
          ) : (
            <PageLink path="/desk/statements/$statementId" params={{ statementId }}>
              <bdi>{file}</bdi>
            </PageLink>
          ),
      },
      { id: 'account', title: text('desk.account'), width: '8rem', render: ({ account }) => <bdi>{account}</bdi> },
      { id: 'period', title: text('desk.period'), width: '10rem', render: ({ period }) => <bdi>{period}</bdi> },
      {
        id: 'state',
        title: text('desk.state'),
        width: '8rem',
        render: ({ state }) => <StatusMark tone={runRowTones[state]} text={text(`word.run_row_state.${state}`)} />,
      },
      {
        id: 'reason',
        title: text('desk.reason'),
        width: 'minmax(10rem, 2fr)',
        render: (row) => <span dir="auto">{say(row)}</span>,
      },
    ],
    [text, formats, say],
  );
}

/** The detail holds the facts of this row, in English; a refusal without facts has words in every language. */
function useRowReason(): (row: RunRow) => string {
  const intl = useIntl();
  return useCallback(
    ({ code, detail }) => {
      if (code === null) return '';
      const id = `refusal.${code}`;
      const words = intl.messages[id];
      const isPlain = typeof words === 'string' && !words.includes('{');
      return isPlain ? intl.formatMessage({ id }) : (detail ?? code);
    },
    [intl],
  );
}
