// How statements reach the client: the state of its connection, and requests that are with the delivery desk.
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { Delivery } from '../api/operations.ts';
import { Facts } from '../design/facts.tsx';
import { Section } from '../design/section.tsx';
import { Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { Tone } from '../design/tone.ts';
import { PageAction } from '../frame/open-pages.tsx';
import { Text, useText } from '../language/text.tsx';

type State = Delivery['connection']['state'];

const toneOf: Readonly<Record<State, Tone>> = {
  none: 'quiet',
  elected: 'wait',
  waiting_for_keys: 'wait',
  checking: 'wait',
  refused: 'bad',
  waiting_for_confirmation: 'warn',
  waiting_for_approval: 'wait',
  configured: 'good',
  proven: 'good',
  suspended: 'bad',
  closed: 'quiet',
};

export function DeliveryBrief(): ReactNode {
  const text = useText();
  const delivery = useQuery(api.one('/v1/delivery'));
  return (
    <Section
      title={text('home.delivery.title')}
      actions={
        <PageAction path="/delivery">
          <Text id="home.delivery.open" />
        </PageAction>
      }
    >
      {delivery.isError && <Refused problem={delivery.error} onRetry={() => void delivery.refetch()} />}
      {delivery.isPending && <Loading />}
      {delivery.data && <DeliveryFacts delivery={delivery.data} />}
    </Section>
  );
}

function DeliveryFacts({ delivery }: { readonly delivery: Delivery }): ReactNode {
  const text = useText();
  const { state } = delivery.connection;
  return (
    <Facts
      items={[
        {
          term: text('home.delivery.connection'),
          value: <StatusMark tone={toneOf[state]} text={text(`word.connection_state.${state}`)} />,
        },
        { term: text('home.delivery.encryption'), value: text(`word.encryption.${delivery.encryption}`) },
        { term: text('home.delivery.yourAddress'), value: <bdi>{delivery.yourAddress}</bdi> },
      ]}
    />
  );
}
