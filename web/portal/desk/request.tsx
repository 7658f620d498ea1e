// One request: its clock, what was handed in, and its answer. A approves and D declines here too.
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type ReactNode, useRef, useState } from 'react';
import { api } from '../api/client.ts';
import type { DeliveryRequest } from '../api/operations.ts';
import { Banner } from '../design/banner.tsx';
import { Button } from '../design/button.tsx';
import { Facts } from '../design/facts.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Meter } from '../design/progress.tsx';
import { Section } from '../design/section.tsx';
import { Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { PageLink } from '../frame/open-pages.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import { ApproveDialog } from './approve-dialog.tsx';
import { ClientNameById } from './client-name.tsx';
import { DeclineDialog } from './decline-dialog.tsx';
import styles from './desk.module.css';
import { RemoveAddress } from './remove-address.tsx';
import { keyCaps } from './key-caps.tsx';
import { RequestClock } from './request-clock.tsx';
import { RequestItems } from './request-items.tsx';
import { SetUpSteps } from './set-up-steps.tsx';
import { useShortcuts } from './shortcuts.ts';
import { requestTones } from './tones.ts';

// Two business days; a business day has 24 hours.
const allowedSeconds = 2 * 86_400;
const warnSeconds = 1.5 * 86_400;

export default function RequestPage(): ReactNode {
  const { requestId = '' } = useParams({ strict: false }) as { requestId?: string };
  const text = useText();
  const part = useRef<HTMLDivElement>(null);
  const [asked, setAsked] = useState<'approve' | 'decline'>();
  const request = useQuery(api.one('/v1/delivery/requests/{requestId}', { params: { requestId } }));
  const isOpen = request.data !== undefined && request.data.finishedAt === null;
  const ask = (answer: 'approve' | 'decline') => () => isOpen && setAsked(answer);
  useShortcuts(part, { a: ask('approve'), d: ask('decline') });
  const close = (): void => setAsked(undefined);
  return (
    <div ref={part}>
      <PageTitle
        title={request.data ? text(`word.request_kind.${request.data.kind}`) : text('page.deskRequest')}
        back={
          <PageLink path="/desk/requests">
            <Text id="page.deskRequests" />
          </PageLink>
        }
        lead={request.data && <ClientNameById clientId={request.data.clientId} />}
        actions={isOpen && <Answers request={request.data} onAsk={setAsked} />}
      />
      {request.isError && <Refused problem={request.error} onRetry={() => void request.refetch()} />}
      {request.isPending && <Loading />}
      {request.data && <RequestView request={request.data} />}
      {asked === 'approve' && request.data && <ApproveDialog request={request.data} onClose={close} />}
      {asked === 'decline' && request.data && <DeclineDialog request={request.data} onClose={close} />}
    </div>
  );
}

interface AnswersProps {
  readonly request: DeliveryRequest;
  readonly onAsk: (answer: 'approve' | 'decline') => void;
}

function Answers({ request, onAsk }: AnswersProps): ReactNode {
  const text = useText();
  const take = useAction({
    act: () =>
      api.post('/v1/delivery-desk/requests/{requestId}/take', undefined, { params: { requestId: request.id } }),
    touches: /delivery/,
    done: text('desk.request.taken'),
  });
  return (
    <>
      {request.state === 'open' && (
        <Button onPress={() => take.mutate()} isPending={take.isPending}>
          {text('desk.request.take')}
        </Button>
      )}
      <Button variant="danger" onPress={() => onAsk('decline')}>
        {text('desk.decline')}
      </Button>
      {request.approvedAt === null && (
        <Button variant="primary" onPress={() => onAsk('approve')}>
          {text('desk.approve')}
        </Button>
      )}
    </>
  );
}

function RequestView({ request }: { readonly request: DeliveryRequest }): ReactNode {
  const text = useText();
  const { finishedAt } = request;
  return (
    <>
      {finishedAt === null && (
        <p className={styles.keys}>
          <Text id="desk.request.keys" values={keyCaps} />
        </p>
      )}
      {request.awaiting.length > 0 && finishedAt === null && (
        <Banner tone="wait" title={text('desk.request.unconfirmed')}>
          <Text id="desk.request.unconfirmedLead" />
        </Banner>
      )}
      <Section title={text('desk.request.facts')}>
        <RequestFacts request={request} />
      </Section>
      <Section title={text('desk.request.items')} lead={<Text id="desk.request.itemsLead" />}>
        <RequestItems items={request} label={text('desk.request.items')} AddressAction={RemoveAddress} />
      </Section>
      {request.kind === 'set_up' && request.state !== 'refused' && <SetUpOf clientId={request.clientId} />}
    </>
  );
}

function RequestFacts({ request }: { readonly request: DeliveryRequest }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { state, reason, reasonCode, confirmedAt, approvedAt, finishedAt } = request;
  const instant = (at: string | null): string => (at === null ? text('desk.notYet') : formats.instant(at));
  const hours = { hours: Math.floor(request.businessSeconds / 3600) };
  return (
    <>
      {confirmedAt !== null && finishedAt === null && (
        <Meter
          label={text('desk.clock')}
          value={Math.min(request.businessSeconds, allowedSeconds)}
          max={allowedSeconds}
          warnFrom={warnSeconds}
          text={text('desk.clock.used', hours)}
        />
      )}
      <Facts
        items={[
          {
            term: text('desk.state'),
            value: <StatusMark tone={requestTones[state]} text={text(`word.request_state.${state}`)} />,
          },
          { term: text('desk.clock'), value: <RequestClock request={request} /> },
          { term: text('desk.request.channel'), value: text(`word.request_channel.${request.channel}`) },
          { term: text('desk.request.openedAt'), value: instant(request.openedAt) },
          { term: text('desk.request.confirmedAt'), value: instant(confirmedAt) },
          ...(confirmedAt === null ? [] : [{ term: text('desk.request.dueAt'), value: instant(request.dueAt) }]),
          {
            term: text('desk.request.approvals'),
            value: text('desk.request.approvalsOf', {
              given: request.approvalsGiven,
              needed: request.approvalsNeeded,
            }),
          },
          { term: text('desk.request.approvedAt'), value: instant(approvedAt) },
          ...(finishedAt === null ? [] : [{ term: text('desk.request.finishedAt'), value: instant(finishedAt) }]),
          ...(reasonCode === null || reasonCode === 'other'
            ? []
            : [{ term: text('desk.decline.code'), value: text(`word.decline_code.${reasonCode}`) }]),
          ...(reason === null ? [] : [{ term: text('desk.decline.words'), value: <span dir="auto">{reason}</span> }]),
        ]}
      />
    </>
  );
}

function SetUpOf({ clientId }: { readonly clientId: string }): ReactNode {
  const delivery = useQuery(api.one('/v1/clients/{clientId}/delivery', { params: { clientId } }));
  if (delivery.isError) return <Refused problem={delivery.error} onRetry={() => void delivery.refetch()} />;
  return delivery.data ? <SetUpSteps clientId={clientId} delivery={delivery.data} /> : <Loading />;
}
