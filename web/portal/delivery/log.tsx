// What connects, as it happens: who signed in, who was refused, why and what to do; and who fetched what.
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { RefusedConnection, SftpConnection } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { Timeline } from '../design/timeline.tsx';
import type { Tone } from '../design/tone.ts';
import { PageLink } from '../frame/open-pages.tsx';
import { type TextId, useFormats, useText } from '../language/text.tsx';
import styles from './delivery.module.css';
import { DeliveryTitle } from './delivery-title.tsx';
import { useReadAgain } from './read-again.ts';
import { useReasonText } from './reason-text.ts';
import { Receipts } from './receipts.tsx';

export default function Log(): ReactNode {
  return (
    <>
      <DeliveryTitle titleId="page.deliveryLog" leadId="delivery.log.lead" />
      <Connections />
      <Receipts />
    </>
  );
}

type Entry =
  | { readonly at: string; readonly connection: SftpConnection }
  | { readonly at: string; readonly refusal: RefusedConnection };

function Connections(): ReactNode {
  const text = useText();
  const connections = useInfiniteQuery(api.list('/v1/delivery/connections'));
  const refusals = useInfiniteQuery(api.list('/v1/delivery/refusals'));
  const entries: readonly Entry[] = [
    ...(connections.data ?? []).map((connection) => ({ at: connection.openedAt, connection })),
    ...(refusals.data ?? []).map((refusal) => ({ at: refusal.lastAt, refusal })),
  ].toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at));
  const failed = connections.isError ? connections : refusals;
  return (
    <Section title={text('delivery.log.title')} lead={text('delivery.log.live')}>
      {failed.isError && <Refused problem={failed.error} onRetry={() => void failed.refetch()} />}
      {(connections.isPending || refusals.isPending) && <Loading />}
      {connections.data && refusals.data && entries.length === 0 && (
        <Empty title={text('delivery.log.none')} icon="clock">
          {text('delivery.log.noneLead')}
        </Empty>
      )}
      <div role="log" aria-label={text('delivery.log.title')}>
        {entries.length > 0 && (
          <Timeline
            label={text('delivery.log.title')}
            items={entries.map((entry) =>
              'refusal' in entry
                ? {
                    at: entry.at,
                    tone: 'bad',
                    title: text('delivery.log.refused', { count: entry.refusal.count }),
                    detail: <RefusalDetail refusal={entry.refusal} />,
                  }
                : {
                    at: entry.at,
                    tone: toneOf(entry.connection),
                    title: text(entry.connection.endedAt === null ? 'delivery.log.open' : 'delivery.log.signedIn'),
                    detail: <ConnectionDetail connection={entry.connection} />,
                  },
            )}
          />
        )}
      </div>
      {(connections.hasNextPage || refusals.hasNextPage) && (
        <div>
          <Button
            isPending={connections.isFetchingNextPage || refusals.isFetchingNextPage}
            onPress={() => {
              if (connections.hasNextPage) void connections.fetchNextPage();
              if (refusals.hasNextPage) void refusals.fetchNextPage();
            }}
          >
            {text('delivery.more')}
          </Button>
        </div>
      )}
    </Section>
  );
}

const toneOf = ({ endedAt, endReason }: SftpConnection): Tone => {
  if (endedAt === null) return 'wait';
  return unexpectedEnds[endReason ?? ''] === undefined ? 'good' : 'warn';
};

const unlisted: ReadonlySet<string> = new Set(['address_not_listed', 'address_not_yours']);

function RefusalDetail({ refusal }: { readonly refusal: RefusedConnection }): ReactNode {
  const text = useText();
  const reasonText = useReasonText();
  const { cause, advice } = reasonText(refusal);
  const { address, reason, detail, registeredFingerprints } = refusal;
  return (
    <>
      <p dir="auto">{cause}</p>
      <p dir="auto">
        <strong>{text('delivery.log.whatToDo')}</strong> {advice}
      </p>
      {detail['fingerprint'] !== undefined && registeredFingerprints.length > 0 && (
        <dl className={styles.detail}>
          <dt>{text('delivery.log.offered')}</dt>
          <dd>
            <bdi dir="ltr">{detail['fingerprint']}</bdi>
          </dd>
          <dt>{text('delivery.log.registered')}</dt>
          {registeredFingerprints.map((fingerprint) => (
            <dd key={fingerprint}>
              <bdi dir="ltr">{fingerprint}</bdi>
            </dd>
          ))}
        </dl>
      )}
      {address !== null && (
        <p className={styles.detail}>
          {text('delivery.log.from')} <bdi dir="ltr">{address}</bdi>
        </p>
      )}
      {address !== null && unlisted.has(reason) && <AllowAddress address={address} />}
    </>
  );
}

/** Hands the refused address in; it counts once it is confirmed and approved. */
function AllowAddress({ address }: { readonly address: string }): ReactNode {
  const text = useText();
  const readAgain = useReadAgain();
  const onFile = useQuery(api.one('/v1/delivery/addresses', { query: { limit: 200 } }));
  const add = useMutation({
    mutationFn: () => api.post('/v1/delivery/addresses', { addresses: [address] }),
    onSuccess: readAgain,
  });
  const isListed = onFile.data?.items.some(({ network }) => network === address) ?? true;
  if (add.isError) return <Refused problem={add.error} />;
  if (isListed)
    return (
      <p>
        <PageLink path="/delivery">{text('delivery.log.allowed')}</PageLink>
      </p>
    );
  return (
    <Button icon="address" onPress={() => add.mutate()} isPending={add.isPending}>
      {text('delivery.log.allow', { address })}
    </Button>
  );
}

/** Those that the client did not bring about itself. */
const unexpectedEnds: Readonly<Record<string, TextId>> = {
  idle: 'delivery.log.end.idle',
  ended_by_us: 'delivery.log.end.ended_by_us',
  stopping: 'delivery.log.end.stopping',
  protocol_error: 'delivery.log.end.protocol_error',
  internal: 'delivery.log.end.internal',
};

function ConnectionDetail({ connection }: { readonly connection: SftpConnection }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { address, fingerprint, clientSoftware, bytesIn, bytesOut, endedAt } = connection;
  const end = unexpectedEnds[connection.endReason ?? ''];
  return (
    <>
      <p>
        {text('delivery.log.from')} <bdi dir="ltr">{address}</bdi>
        {clientSoftware !== null && (
          <>
            {' · '}
            <bdi>{clientSoftware}</bdi>
          </>
        )}
      </p>
      {end !== undefined && <p>{text(end)}</p>}
      {endedAt !== null && bytesOut !== null && bytesIn !== null && (
        <p>{text('delivery.log.moved', { out: formats.bytes(bytesOut), in: formats.bytes(bytesIn) })}</p>
      )}
      <p className={styles.detail}>
        <bdi dir="ltr">{fingerprint}</bdi>
      </p>
    </>
  );
}
