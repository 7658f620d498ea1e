// Finds a client by name, account number or login.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { api } from '../api/client.ts';
import type { Client } from '../api/operations.ts';
import { SearchField } from '../design/field.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Select } from '../design/select.tsx';
import { Empty } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { TableColumn } from '../design/table.tsx';
import { PageLink } from '../frame/open-pages.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import styles from './desk.module.css';
import { ListTable } from './list-table.tsx';
import { useSettled } from './settled.ts';
import { clientTones } from './tones.ts';

const states = ['active', 'suspended', 'closed'] as const;
const keyOf = ({ id }: Client): string => id;

export default function Clients(): ReactNode {
  const text = useText();
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const [state, setState] = useState<(typeof states)[number] | 'all'>('all');
  const search = useSettled(typed.trim());
  const clients = useInfiniteQuery(
    api.list('/v1/clients', {
      query: { search: search === '' ? undefined : search, state: state === 'all' ? undefined : state },
    }),
  );
  const columns = useColumns();
  return (
    <>
      <PageTitle title={text('page.deskClients')} lead={<Text id="desk.clients.lead" />} />
      <div className={styles.filters}>
        <SearchField label={text('desk.clients.search')} value={typed} onChange={setTyped} />
        <Select
          label={text('desk.state')}
          items={[
            { id: 'all', text: text('desk.all') },
            ...states.map((id) => ({ id, text: text(`word.client_state.${id}`) })),
          ]}
          value={state}
          onChange={setState}
        />
      </div>
      <ListTable
        label={text('page.deskClients')}
        list={clients}
        columns={columns}
        rowKey={keyOf}
        onAction={({ id }) => void navigate({ to: '/desk/clients/$clientId', params: { clientId: id } })}
        empty={<Empty title={text(search === '' ? 'desk.clients.empty' : 'desk.clients.notFound')} icon="person" />}
      />
    </>
  );
}

function useColumns(): readonly TableColumn<Client>[] {
  const text = useText();
  const formats = useFormats();
  return useMemo(
    () => [
      {
        id: 'name',
        title: text('desk.client'),
        isRowHeader: true,
        width: 'minmax(12rem, 2fr)',
        render: ({ id, name }) => (
          <PageLink path="/desk/clients/$clientId" params={{ clientId: id }}>
            <bdi>{name}</bdi>
          </PageLink>
        ),
      },
      {
        id: 'accounts',
        title: text('desk.accounts'),
        width: 'minmax(9rem, 1fr)',
        render: ({ accountNumbers }) => <bdi>{formats.list(accountNumbers)}</bdi>,
      },
      {
        id: 'logins',
        title: text('desk.logins'),
        width: 'minmax(9rem, 1fr)',
        render: ({ logins }) => <bdi>{formats.list(logins.map(({ login }) => login))}</bdi>,
      },
      {
        id: 'kind',
        title: text('desk.client.kind'),
        width: '8rem',
        render: ({ kind }) => text(`word.client_kind.${kind}`),
      },
      {
        id: 'state',
        title: text('desk.state'),
        width: '9rem',
        render: ({ state }) => <StatusMark tone={clientTones[state]} text={text(`word.client_state.${state}`)} />,
      },
    ],
    [text, formats],
  );
}
