// The queue of the delivery desk: what waits, the soonest due first, answered with the keyboard alone.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import { api } from '../api/client.ts';
import type { DeskRequest } from '../api/operations.ts';
import { PageTitle } from '../design/page-title.tsx';
import { Select } from '../design/select.tsx';
import { Empty } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { TableColumn } from '../design/table.tsx';
import { PageLink } from '../frame/open-pages.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import { ApproveDialog } from './approve-dialog.tsx';
import { ClientName } from './client-name.tsx';
import { DeclineDialog } from './decline-dialog.tsx';
import styles from './desk.module.css';
import { keyCaps } from './key-caps.tsx';
import { ListTable, type ReadList } from './list-table.tsx';
import { RequestClock } from './request-clock.tsx';
import { useShortcuts } from './shortcuts.ts';
import { requestTones } from './tones.ts';

const filters = ['desk', 'client', 'done', 'refused'] as const;
type Filter = (typeof filters)[number];

const keyOf = ({ id }: DeskRequest): string => id;

function useRequests(filter: Filter): ReadList<DeskRequest> {
  const isFinished = filter === 'done' || filter === 'refused';
  const waiting = useInfiniteQuery({
    ...api.list('/v1/delivery-desk/queue', { query: { waitsFor: isFinished ? undefined : filter } }),
    enabled: !isFinished,
  });
  const finished = useInfiniteQuery({
    ...api.list('/v1/delivery-desk/requests', { query: { state: isFinished ? filter : undefined } }),
    enabled: isFinished,
  });
  return isFinished ? finished : waiting;
}

interface Asked {
  readonly answer: 'approve' | 'decline';
  readonly request: DeskRequest;
}

export default function Queue(): ReactNode {
  const text = useText();
  const navigate = useNavigate();
  const [filter, setFilter] = useState<Filter>('desk');
  const [asked, setAsked] = useState<Asked>();
  const part = useRef<HTMLDivElement>(null);
  const requests = useRequests(filter);
  const rows = requests.data ?? [];
  const columns = useColumns();

  const ask = (answer: Asked['answer'], focused: HTMLElement): void => {
    const id = focused.closest('[role=row], li')?.querySelector<HTMLElement>('[data-request]')?.dataset['request'];
    const request = rows.find((row) => row.id === id);
    if (request !== undefined && request.finishedAt === null) setAsked({ answer, request });
  };
  useShortcuts(part, { a: (focused) => ask('approve', focused), d: (focused) => ask('decline', focused) });
  useFocusKept(part, asked === undefined);

  const close = (): void => setAsked(undefined);
  return (
    <>
      <PageTitle title={text('page.deskRequests')} lead={<Text id="desk.queue.lead" />} />
      <div className={styles.filters}>
        <Select
          label={text('desk.queue.filter')}
          items={filters.map((id) => ({ id, text: text(`desk.queue.filter.${id}`) }))}
          value={filter}
          onChange={setFilter}
        />
      </div>
      <p className={styles.keys}>
        <Text id="desk.queue.keys" values={keyCaps} />
      </p>
      <div ref={part}>
        <ListTable
          label={text('page.deskRequests')}
          list={requests}
          columns={columns}
          rowKey={keyOf}
          onAction={({ id }) => void navigate({ to: '/desk/requests/$requestId', params: { requestId: id } })}
          empty={
            <Empty title={text(`desk.queue.empty.${filter}`)} icon="desk">
              {filter === 'desk' && <Text id="desk.queue.emptyLead" />}
            </Empty>
          }
        />
      </div>
      {asked?.answer === 'approve' && <ApproveDialog request={asked.request} onClose={close} />}
      {asked?.answer === 'decline' && <DeclineDialog request={asked.request} onClose={close} />}
    </>
  );
}

/** The row that was answered is gone, and the focus with it: it goes on to a row that is left. */
function useFocusKept(part: RefObject<HTMLElement | null>, isClosed: boolean): void {
  const wasOpen = useRef(false);
  useEffect(() => {
    const hasClosed = isClosed && wasOpen.current;
    wasOpen.current = !isClosed;
    if (!hasClosed) return undefined;
    // The dialog gives the focus back first, and the list is read again.
    const watch = new MutationObserver(() => settle());
    const settle = (): void => {
      if (document.activeElement !== document.body) return;
      const next = part.current?.querySelector<HTMLElement>('[role=rowgroup] [role=row], li a');
      (next ?? document.querySelector<HTMLElement>('main h1'))?.focus();
    };
    if (part.current !== null) watch.observe(part.current, { childList: true, subtree: true });
    const frame = requestAnimationFrame(settle);
    return () => {
      watch.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [part, isClosed]);
}

function useColumns(): readonly TableColumn<DeskRequest>[] {
  const text = useText();
  const formats = useFormats();
  return useMemo(
    () => [
      {
        id: 'client',
        title: text('desk.client'),
        isRowHeader: true,
        width: 'minmax(11rem, 2fr)',
        render: ({ id, client }) => (
          <span data-request={id}>
            <ClientName client={client} />
          </span>
        ),
      },
      {
        id: 'kind',
        title: text('desk.request'),
        width: 'minmax(9rem, 1fr)',
        render: (row) => (
          <PageLink path="/desk/requests/$requestId" params={{ requestId: row.id }}>
            {text(`word.request_kind.${row.kind}`)}
          </PageLink>
        ),
      },
      {
        id: 'items',
        title: text('desk.request.items'),
        width: 'minmax(12rem, 1.5fr)',
        render: (row) => listItems(row, text, formats.list),
      },
      {
        id: 'state',
        title: text('desk.state'),
        width: 'minmax(7rem, 1fr)',
        render: ({ state }) => <StatusMark tone={requestTones[state]} text={text(`word.request_state.${state}`)} />,
      },
      {
        id: 'clock',
        title: text('desk.clock'),
        width: 'minmax(17rem, 2fr)',
        render: (row) => <RequestClock request={row} />,
      },
    ],
    [text, formats],
  );
}

function listItems(
  { sshKeys, openPgpKeys, addresses }: DeskRequest,
  text: ReturnType<typeof useText>,
  join: (items: readonly string[]) => string,
): string {
  return join([
    ...sshKeys.map(() => text('word.key_sort.ssh')),
    ...openPgpKeys.map(() => text('word.key_sort.openpgp')),
    ...(addresses.length > 0 ? [text('desk.request.addresses', { count: addresses.length })] : []),
  ]);
}
