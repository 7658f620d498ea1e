// What the client asked of the delivery desk: each request with its state and its clock.
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { DeliveryRequest } from '../api/operations.ts';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { Tone } from '../design/tone.ts';
import { Button } from '../design/button.tsx';
import { useFormats, useText } from '../language/text.tsx';
import styles from './delivery.module.css';

const toneOf: Readonly<Record<DeliveryRequest['state'], Tone>> = {
  open: 'wait',
  in_work: 'wait',
  done: 'good',
  refused: 'bad',
};

export function Requests(): ReactNode {
  const text = useText();
  const requests = useInfiniteQuery(api.list('/v1/delivery/requests'));
  return (
    <Section title={text('delivery.requests.title')}>
      {requests.isError && <Refused problem={requests.error} onRetry={() => void requests.refetch()} />}
      {requests.isPending && <Loading />}
      {requests.data?.length === 0 && <Empty title={text('delivery.requests.none')} icon="desk" />}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles -- WebKit takes a list without marks for no list */}
      <ul role="list" aria-label={text('delivery.requests.title')}>
        {requests.data?.map((request) => (
          <Row key={request.id} request={request} />
        ))}
      </ul>
      {requests.hasNextPage && (
        <Button onPress={() => void requests.fetchNextPage()} isPending={requests.isFetchingNextPage}>
          {text('delivery.more')}
        </Button>
      )}
    </Section>
  );
}

function Row({ request }: { readonly request: DeliveryRequest }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { kind, state, sshKeys, openPgpKeys, addresses, reason, reasonCode, isLate } = request;
  const parts = [
    ...sshKeys.map(() => text('word.key_sort.ssh')),
    ...openPgpKeys.map(() => text('word.key_sort.openpgp')),
    ...addresses.map(({ network }) => network),
  ];
  return (
    <li className={styles.row}>
      <div className={styles.facts}>
        <p className={styles.name}>{text(`word.request_kind.${kind}`)}</p>
        {parts.length > 0 && <p>{formats.list(parts)}</p>}
        <p className={styles.detail}>{useClock(request)}</p>
        {reasonCode !== null && reasonCode !== 'other' && <p>{text(`word.decline_code.${reasonCode}`)}</p>}
        {reason !== null && <p dir="auto">{reason}</p>}
      </div>
      {isLate && <StatusMark tone="warn" text={text('delivery.requests.late')} />}
      <StatusMark tone={toneOf[state]} text={text(`word.request_state.${state}`)} />
    </li>
  );
}

/** Whose turn it is, and until when. */
function useClock({
  confirmedAt,
  dueAt,
  finishedAt,
  openedAt,
  approvalsGiven,
  approvalsNeeded,
}: DeliveryRequest): string {
  const text = useText();
  const formats = useFormats();
  if (finishedAt !== null) return text('delivery.requests.finished', { at: formats.instant(finishedAt) });
  if (confirmedAt === null) return text('delivery.requests.yourTurn', { at: formats.instant(openedAt) });
  return text('delivery.requests.deskTurn', {
    due: formats.instant(dueAt),
    given: approvalsGiven,
    needed: approvalsNeeded,
  });
}
