// The newest requests, log-ins and refused connections of a client.
import { type ReactNode, useMemo } from 'react';
import type { DeliveryRequest, RefusedConnection, SftpConnection } from '../api/operations.ts';
import { Empty } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { Table, type TableColumn } from '../design/table.tsx';
import { PageLink } from '../frame/open-pages.tsx';
import { useFormats, useText } from '../language/text.tsx';
import styles from './desk.module.css';
import { useRefusalReason } from './refusal-reason.ts';
import { RequestClock } from './request-clock.tsx';
import { requestTones } from './tones.ts';

const keyOf = ({ id }: { readonly id: string }): string => id;

export function ClientRequests({ requests }: { readonly requests: readonly DeliveryRequest[] }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const columns: readonly TableColumn<DeliveryRequest>[] = useMemo(
    () => [
      {
        id: 'kind',
        title: text('desk.request'),
        isRowHeader: true,
        render: ({ id, kind }) => (
          <PageLink path="/desk/requests/$requestId" params={{ requestId: id }}>
            {text(`word.request_kind.${kind}`)}
          </PageLink>
        ),
      },
      {
        id: 'state',
        title: text('desk.state'),
        width: '9rem',
        render: ({ state }) => <StatusMark tone={requestTones[state]} text={text(`word.request_state.${state}`)} />,
      },
      { id: 'opened', title: text('desk.request.openedAt'), render: ({ openedAt }) => formats.instant(openedAt) },
      {
        id: 'clock',
        title: text('desk.clock'),
        width: 'minmax(14rem, 2fr)',
        render: (row) => <RequestClock request={row} />,
      },
    ],
    [text, formats],
  );
  return (
    <Table
      label={text('page.deskRequests')}
      columns={columns}
      rows={requests}
      rowKey={keyOf}
      empty={<Empty title={text('desk.client.noRequests')} icon="desk" />}
    />
  );
}

export function ClientConnections({ connections }: { readonly connections: readonly SftpConnection[] }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const columns: readonly TableColumn<SftpConnection>[] = useMemo(
    () => [
      {
        id: 'opened',
        title: text('desk.connection.openedAt'),
        isRowHeader: true,
        width: 'minmax(14rem, 1fr)',
        render: ({ openedAt }) => formats.instant(openedAt),
      },
      { id: 'address', title: text('desk.address'), render: ({ address }) => <bdi>{address}</bdi> },
      {
        id: 'key',
        title: text('word.key_sort.ssh'),
        width: 'minmax(10rem, 2fr)',
        render: ({ fingerprint }) => <bdi className={styles.code}>{fingerprint}</bdi>,
      },
      {
        id: 'program',
        title: text('desk.connection.program'),
        render: ({ clientSoftware }) => <bdi>{clientSoftware}</bdi>,
      },
      {
        id: 'end',
        title: text('desk.connection.end'),
        render: ({ endedAt }) =>
          endedAt === null ? <StatusMark tone="good" text={text('desk.connection.open')} /> : formats.relative(endedAt),
      },
    ],
    [text, formats],
  );
  return (
    <Table
      label={text('desk.client.logIns')}
      columns={columns}
      rows={connections}
      rowKey={keyOf}
      empty={<Empty title={text('desk.client.noLogIns')} />}
    />
  );
}

export function ClientRefusals({ refusals }: { readonly refusals: readonly RefusedConnection[] }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const say = useRefusalReason();
  if (refusals.length === 0) return <Empty title={text('desk.client.noRefusals')} />;
  return (
    // oxlint-disable-next-line jsx-a11y/no-redundant-roles -- WebKit takes a list without marks for no list
    <ul role="list" aria-label={text('desk.client.refusals')}>
      {refusals.map((refused) => {
        const { cause, advice } = say(refused);
        return (
          <li key={refused.id} className={styles.item}>
            <div className={styles.itemFacts}>
              <p className={styles.name}>{cause}</p>
              <p>{advice}</p>
              <p className={styles.soft}>
                {formats.instant(refused.lastAt)} · {text('desk.refusal.times', { count: refused.count })}
                {refused.userName !== null && (
                  <>
                    {' · '}
                    <bdi>{refused.userName}</bdi>
                  </>
                )}
              </p>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
