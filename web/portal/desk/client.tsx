// One client as the desk sees it: how far its delivery is, its keys and addresses, requests, log-ins and refused connections.
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../api/client.ts';
import type { Client, DeliveryView } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { Facts } from '../design/facts.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { Tabs } from '../design/tabs.tsx';
import { PageLink } from '../frame/open-pages.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import { ClientActions } from './client-actions.tsx';
import { ClientConnections, ClientRefusals, ClientRequests } from './client-lists.tsx';
import { ClientManifests } from './client-manifests.tsx';
import styles from './desk.module.css';
import { HandInDialog } from './hand-in-dialog.tsx';
import { RemoveAddress } from './remove-address.tsx';
import { RequestItems } from './request-items.tsx';
import { SetUpSteps } from './set-up-steps.tsx';
import { clientTones } from './tones.ts';

export default function ClientPage(): ReactNode {
  const { clientId = '' } = useParams({ strict: false }) as { clientId?: string };
  const text = useText();
  const client = useQuery(api.one('/v1/clients/{clientId}', { params: { clientId } }));
  const view = useQuery(api.one('/v1/clients/{clientId}/delivery/view', { params: { clientId } }));
  const problem = client.error ?? view.error;
  const retry = (): void => {
    void client.refetch();
    void view.refetch();
  };
  return (
    <>
      <PageTitle
        title={client.data ? <bdi>{client.data.name}</bdi> : text('page.deskClient')}
        back={
          <PageLink path="/desk/clients">
            <Text id="page.deskClients" />
          </PageLink>
        }
        actions={client.data && view.data && <ClientActions client={client.data} delivery={view.data.delivery} />}
      />
      {problem !== null && <Refused problem={problem} onRetry={retry} />}
      {(client.isPending || view.isPending) && problem === null && <Loading />}
      {client.data && view.data && <ClientView client={client.data} view={view.data} />}
    </>
  );
}

interface ClientViewProps {
  readonly client: Client;
  readonly view: DeliveryView;
}

function ClientView({ client, view }: ClientViewProps): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { keys, addresses, requests, connections, refusals } = view;
  const count = (list: readonly unknown[]): string => formats.number(list.length);
  return (
    <Tabs
      label={text('page.deskClient')}
      items={[
        {
          id: 'state',
          text: text('desk.client.overview'),
          content: (
            <div className={styles.panel}>
              <ClientFacts client={client} view={view} />
              <SetUpSteps clientId={client.id} delivery={view.delivery} />
            </div>
          ),
        },
        {
          id: 'keys',
          text: text('desk.client.keys'),
          count: formats.number(keys.sshKeys.length + keys.openPgpKeys.length + addresses.length),
          content: (
            <div className={styles.panel}>
              <KeysAndAddresses client={client} view={view} />
            </div>
          ),
        },
        {
          id: 'requests',
          text: text('page.deskRequests'),
          count: count(requests),
          content: <ClientRequests requests={requests} />,
        },
        {
          id: 'connections',
          text: text('desk.client.logIns'),
          count: count(connections),
          content: <ClientConnections connections={connections} />,
        },
        {
          id: 'refusals',
          text: text('desk.client.refusals'),
          count: count(refusals),
          content: <ClientRefusals refusals={refusals} />,
        },
        {
          id: 'manifests',
          text: text('desk.manifests'),
          content: (
            <div className={styles.panel}>
              <ClientManifests clientId={client.id} />
            </div>
          ),
        },
      ]}
    />
  );
}

function ClientFacts({ client, view }: ClientViewProps): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { channels, contact, encryption } = view.delivery;
  const chosen = (['portal', 'sftp', 'ftp', 'email'] as const).filter((channel) => channels[channel]);
  return (
    <Section title={text('desk.client.facts')}>
      <Facts
        items={[
          {
            term: text('desk.state'),
            value: <StatusMark tone={clientTones[client.state]} text={text(`word.client_state.${client.state}`)} />,
          },
          ...(client.stateReason === null
            ? []
            : [{ term: text('desk.reason'), value: <span dir="auto">{client.stateReason}</span> }]),
          { term: text('desk.client.kind'), value: text(`word.client_kind.${client.kind}`) },
          { term: text('desk.accounts'), value: <bdi>{formats.list(client.accountNumbers)}</bdi> },
          { term: text('desk.logins'), value: <bdi>{formats.list(client.logins.map(({ login }) => login))}</bdi> },
          ...(client.email === null ? [] : [{ term: text('desk.client.email'), value: <bdi>{client.email}</bdi> }]),
          { term: text('desk.client.language'), value: formats.language(client.locale) },
          {
            term: text('desk.client.channels'),
            value:
              chosen.length === 0
                ? text('desk.client.noChannel')
                : formats.list(chosen.map((channel) => text(`word.channel.${channel}`))),
          },
          { term: text('desk.client.encryption'), value: text(`word.encryption.${encryption}`) },
          ...(contact === null || contact === ''
            ? []
            : [{ term: text('desk.client.contact'), value: <bdi>{contact}</bdi> }]),
        ]}
      />
    </Section>
  );
}

function KeysAndAddresses({ client, view }: ClientViewProps): ReactNode {
  const text = useText();
  const [asks, setAsks] = useState(false);
  const { keys, addresses } = view;
  const isEmpty = keys.sshKeys.length + keys.openPgpKeys.length + addresses.length === 0;
  return (
    <Section
      title={text('desk.client.keys')}
      lead={text('desk.client.keysLead')}
      actions={
        <Button icon="add" onPress={() => setAsks(true)}>
          {text('desk.handIn.title')}
        </Button>
      }
    >
      {isEmpty && <Empty title={text('desk.client.noKeys')} icon="key" />}
      <RequestItems items={{ ...keys, addresses }} label={text('desk.client.keys')} AddressAction={RemoveAddress} />
      {asks && <HandInDialog clientId={client.id} onClose={() => setAsks(false)} />}
    </Section>
  );
}
