// Setting delivery up: channels, keys, addresses, the confirmation with the password, encryption, a test, and what the desk still has.
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { Delivery as DeliveryShape } from '../api/operations.ts';
import { Facts } from '../design/facts.tsx';
import { Section } from '../design/section.tsx';
import { Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { Tone } from '../design/tone.ts';
import { useFormats, useText } from '../language/text.tsx';
import { Addresses } from './addresses.tsx';
import { Confirmations } from './confirmations.tsx';
import { DeliveryTitle } from './delivery-title.tsx';
import { Election } from './election.tsx';
import { Encryption } from './encryption.tsx';
import { useEndReason } from './end-reason.ts';
import { Keys } from './keys.tsx';
import { Requests } from './requests.tsx';
import { TestFile } from './test-file.tsx';

const toneOf: Readonly<Record<DeliveryShape['connection']['state'], Tone>> = {
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

export default function Delivery(): ReactNode {
  const delivery = useQuery(api.one('/v1/delivery'));
  return (
    <>
      <DeliveryTitle titleId="page.delivery" leadId="delivery.lead" />
      {delivery.isError && (
        <Refused problem={delivery.error} onRetry={() => void delivery.refetch()} isRetrying={delivery.isFetching} />
      )}
      {delivery.isPending && <Loading />}
      {delivery.data && (
        <>
          <State delivery={delivery.data} />
          <Confirmations />
          <Election delivery={delivery.data} />
          <Keys />
          {delivery.data.channels.sftp && <Addresses yourAddress={delivery.data.yourAddress} />}
          <Encryption />
          <TestFile delivery={delivery.data} />
          <Requests />
        </>
      )}
    </>
  );
}

function State({ delivery }: { readonly delivery: DeliveryShape }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const reasonOf = useEndReason();
  const { state, reason, userName, configuredAt, provenAt } = delivery.connection;
  return (
    <Section title={text('delivery.state.title')} lead={text(`delivery.next.${state}`)}>
      <Facts
        items={[
          {
            term: text('delivery.state.connection'),
            value: <StatusMark tone={toneOf[state]} text={text(`word.connection_state.${state}`)} />,
          },
          ...(reason === null ? [] : [{ term: text('delivery.state.reason'), value: reasonOf(reason) }]),
          ...(userName === null
            ? []
            : [{ term: text('delivery.state.userName'), value: <bdi dir="ltr">{userName}</bdi> }]),
          ...(configuredAt === null
            ? []
            : [{ term: text('delivery.state.configured'), value: formats.instant(configuredAt) }]),
          ...(provenAt === null ? [] : [{ term: text('delivery.state.proven'), value: formats.instant(provenAt) }]),
        ]}
      />
    </Section>
  );
}
