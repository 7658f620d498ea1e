// How the installation is: its checks, its workers, and what waits.
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { useIntl } from 'react-intl';
import { api } from '../api/client.ts';
import type { Health, Worker } from '../api/operations.ts';
import { Banner } from '../design/banner.tsx';
import { Facts } from '../design/facts.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { Table, type TableColumn } from '../design/table.tsx';
import type { Tone } from '../design/tone.ts';
import { Text, useFormats, useText } from '../language/text.tsx';
import { freshMs } from './fresh.ts';

const checkTones: Readonly<Record<Health['checks'][number]['state'], Tone>> = {
  ok: 'good',
  failed: 'bad',
  late: 'warn',
  stopping: 'quiet',
};
const keyOf = ({ id }: Worker): string => id;

export default function HealthPage(): ReactNode {
  const text = useText();
  const health = useQuery({ ...api.one('/v1/operations/health'), refetchInterval: freshMs });
  return (
    <>
      <PageTitle title={text('page.operationsHealth')} lead={<Text id="operations.health.lead" />} />
      {health.isError && <Refused problem={health.error} onRetry={() => void health.refetch()} />}
      {health.isPending && <Loading />}
      {health.data && <HealthView health={health.data} />}
    </>
  );
}

function HealthView({ health }: { readonly health: Health }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const nameOf = useCheckName();
  const { queues, database, freeBytes } = health;
  return (
    <>
      <Banner
        tone={health.isReady ? 'good' : 'bad'}
        title={text(health.isReady ? 'operations.health.ready' : 'operations.health.notReady')}
      />
      <Section title={text('operations.checks')}>
        <Facts
          items={health.checks.map(({ name, state }) => ({
            term: nameOf(name),
            value: <StatusMark tone={checkTones[state]} text={text(`word.check_state.${state}`)} />,
          }))}
        />
      </Section>
      <Section title={text('operations.workers')}>
        <Workers workers={health.workers} now={health.now} />
      </Section>
      <Section title={text('operations.waits')}>
        <Facts
          items={[
            { term: text('operations.jobsWaiting'), value: formats.number(queues.jobsWaiting) },
            { term: text('operations.jobsFailed'), value: <Count count={queues.jobsFailed} /> },
            { term: text('operations.eventsWaiting'), value: formats.number(queues.eventsWaiting) },
            { term: text('operations.eventsFailed'), value: <Count count={queues.eventsFailed} /> },
            ...(queues.oldestEventAt === null
              ? []
              : [{ term: text('operations.oldestEvent'), value: formats.relative(queues.oldestEventAt) }]),
            { term: text('operations.auditUnsealed'), value: formats.number(queues.auditUnsealed) },
          ]}
        />
      </Section>
      <Section title={text('operations.machine')}>
        <Facts
          items={[
            { term: text('operations.version'), value: <bdi>{health.version}</bdi> },
            { term: 'Node', value: <bdi>{health.node}</bdi> },
            { term: 'PostgreSQL', value: <bdi>{database.version}</bdi> },
            { term: text('operations.databaseSize'), value: formats.bytes(database.sizeBytes) },
            {
              term: text('operations.freeRoom'),
              value: freeBytes === null ? text('operations.unknown') : formats.bytes(freeBytes),
            },
            { term: text('operations.clock'), value: formats.instant(health.now) },
          ]}
        />
      </Section>
    </>
  );
}

/** What was given up is never nothing to worry about. */
function Count({ count }: { readonly count: number }): ReactNode {
  const formats = useFormats();
  return count === 0 ? formats.number(0) : <StatusMark tone="bad" text={formats.number(count)} />;
}

/** Checks have names of the code; those that we have words for get them. */
function useCheckName(): (name: string) => string {
  const intl = useIntl();
  return (name) => {
    const id = `operations.check.${name}`;
    return Object.hasOwn(intl.messages, id) ? intl.formatMessage({ id }) : name;
  };
}

function Workers({ workers, now }: { readonly workers: readonly Worker[]; readonly now: string }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const nowMs = Date.parse(now);
  const columns: readonly TableColumn<Worker>[] = useMemo(
    () => [
      {
        id: 'host',
        title: text('operations.worker'),
        isRowHeader: true,
        width: 'minmax(10rem, 2fr)',
        render: ({ host, pid }) => (
          <bdi>
            {host} {String(pid)}
          </bdi>
        ),
      },
      {
        id: 'state',
        title: text('operations.state'),
        width: '9rem',
        render: ({ isSilent }) => (
          <StatusMark
            tone={isSilent ? 'bad' : 'good'}
            text={text(isSilent ? 'operations.worker.silent' : 'operations.worker.runs')}
          />
        ),
      },
      {
        id: 'since',
        title: text('operations.worker.since'),
        width: '9rem',
        render: ({ startedAt }) => formats.relative(startedAt, nowMs),
      },
      {
        id: 'memory',
        title: text('operations.memory'),
        align: 'end',
        width: '7rem',
        render: ({ rssBytes }) => formats.bytes(rssBytes),
      },
      {
        id: 'lag',
        title: text('operations.lag'),
        align: 'end',
        width: '8rem',
        render: ({ lagMs }) => formats.number(lagMs, millisecond),
      },
      {
        id: 'connections',
        title: text('operations.connections'),
        align: 'end',
        width: '9rem',
        render: ({ connections }) => formats.number(connections),
      },
      {
        id: 'streams',
        title: text('operations.streams'),
        align: 'end',
        width: '8rem',
        render: ({ streams }) => formats.number(streams),
      },
    ],
    [text, formats, nowMs],
  );
  return (
    <Table
      label={text('operations.workers')}
      columns={columns}
      rows={workers}
      rowKey={keyOf}
      empty={<Empty title={text('operations.noWorkers')} />}
    />
  );
}

const millisecond = { style: 'unit', unit: 'millisecond', maximumFractionDigits: 1 } as const;
