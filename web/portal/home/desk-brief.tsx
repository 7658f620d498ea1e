// What waits for the delivery desk: requests with their clock, and keys that end soon.
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { DeliveryRequest, EndingKey } from '../api/operations.ts';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { PageAction, PageLink } from '../frame/open-pages.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import styles from './home.module.css';

const shownMax = 5;
const endingWithinDays = 30;

export function DeskBrief(): ReactNode {
  const text = useText();
  const waiting = useQuery(api.one('/v1/delivery-desk/requests', { query: { state: 'unfinished', limit: shownMax } }));
  const ending = useQuery(
    api.one('/v1/delivery-desk/ending-keys', { query: { withinDays: endingWithinDays, limit: shownMax } }),
  );
  return (
    <>
      <Section
        title={text('home.desk.requests')}
        actions={
          <PageAction path="/desk/requests">
            <Text id="home.desk.allRequests" />
          </PageAction>
        }
      >
        {waiting.isError && <Refused problem={waiting.error} onRetry={() => void waiting.refetch()} />}
        {waiting.isPending && <Loading />}
        {waiting.data?.items.length === 0 && <Empty title={text('home.desk.noRequests')} icon="desk" />}
        {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles -- WebKit takes a list without marks for no list */}
        <ul role="list">
          {waiting.data?.items.map((request) => (
            <RequestRow key={request.id} request={request} />
          ))}
        </ul>
      </Section>
      <Section title={text('home.desk.keys')} lead={text('home.desk.keysLead', { days: endingWithinDays })}>
        {ending.isError && <Refused problem={ending.error} onRetry={() => void ending.refetch()} />}
        {ending.isPending && <Loading />}
        {ending.data?.items.length === 0 && <Empty title={text('home.desk.noKeys')} icon="key" />}
        {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles -- WebKit takes a list without marks for no list */}
        <ul role="list">
          {ending.data?.items.map((key) => (
            <KeyRow key={key.id} ending={key} />
          ))}
        </ul>
      </Section>
    </>
  );
}

function RequestRow({ request }: { readonly request: DeliveryRequest }): ReactNode {
  const text = useText();
  const formats = useFormats();
  return (
    <li className={styles.row}>
      <p className={styles.name}>
        <PageLink path="/desk/requests/$requestId" params={{ requestId: request.id }}>
          {text(`word.request_kind.${request.kind}`)}
        </PageLink>
      </p>
      <p className={styles.detail}>
        {text(`word.request_state.${request.state}`)} ·{' '}
        {text('home.desk.due', { due: formats.relative(request.dueAt) })}
      </p>
      <p className={styles.at}>{request.isLate && <StatusMark tone="bad" text={text('home.desk.late')} />}</p>
    </li>
  );
}

function KeyRow({ ending }: { readonly ending: EndingKey }): ReactNode {
  const text = useText();
  const formats = useFormats();
  return (
    <li className={styles.row}>
      <p className={styles.name}>{text(`word.key_sort.${ending.sort}`)}</p>
      <p className={styles.detail}>
        <bdi>{ending.fingerprint}</bdi>
      </p>
      <p className={styles.at}>
        <time dateTime={ending.expiresAt}>{formats.relative(ending.expiresAt)}</time>
      </p>
    </li>
  );
}
