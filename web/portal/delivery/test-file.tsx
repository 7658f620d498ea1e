// A test file through the real delivery, and what becomes of it as it happens.
import { useMutation, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { Delivery } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { Section } from '../design/section.tsx';
import { Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { PageLink } from '../frame/open-pages.tsx';
import { useText } from '../language/text.tsx';
import styles from './delivery.module.css';

export function TestFile({ delivery }: { readonly delivery: Delivery }): ReactNode {
  const text = useText();
  const send = useMutation({ mutationFn: () => api.post('/v1/delivery/test-file', undefined) });
  const { state } = delivery.connection;
  if (state !== 'configured' && state !== 'proven') return null;
  return (
    <Section title={text('delivery.test.title')} lead={text('delivery.test.lead')}>
      {send.isError && <Refused problem={send.error} />}
      <div>
        <Button icon="document" onPress={() => send.mutate()} isPending={send.isPending}>
          {text('delivery.test.send')}
        </Button>
      </div>
      {send.data && <Sent statementId={send.data.id} />}
    </Section>
  );
}

function Sent({ statementId }: { readonly statementId: string }): ReactNode {
  const text = useText();
  const sent = useQuery(api.one('/v1/statements/{statementId}', { params: { statementId } }));
  const delivery = sent.data?.delivery;
  return (
    <div className={styles.row} role="status">
      <p>
        <PageLink path="/statements/$statementId" params={{ statementId }}>
          {text('delivery.test.sent')}
        </PageLink>
      </p>
      {delivery?.state === 'placed' ? (
        <>
          <StatusMark tone="good" text={text('delivery.test.placed')} />
          <bdi dir="ltr">{delivery.path}</bdi>
        </>
      ) : (
        <StatusMark tone="wait" text={text('delivery.test.onItsWay')} />
      )}
    </div>
  );
}
