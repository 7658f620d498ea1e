// Addresses of all clients, the networks that the desk keeps out, and the list for the machine's own firewall.
import { useInfiniteQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useMemo, useState } from 'react';
import { api } from '../api/client.ts';
import type { DeliveryAddress } from '../api/operations.ts';
import { Button, LinkButton } from '../design/button.tsx';
import { Field } from '../design/field.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { TableColumn } from '../design/table.tsx';
import { Text, useFormats, useProblemText, useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import { ClientNameById } from './client-name.tsx';
import styles from './desk.module.css';
import { ListTable } from './list-table.tsx';
import { RemoveAddress } from './remove-address.tsx';
import { addressTones } from './tones.ts';

const keyOf = ({ id }: DeliveryAddress): string => id;

export default function Addresses(): ReactNode {
  const text = useText();
  const list = useInfiniteQuery(api.list('/v1/delivery/addresses'));
  const columns = useColumns();
  return (
    <>
      <PageTitle
        title={text('page.deskAddresses')}
        lead={<Text id="desk.addresses.lead" />}
        actions={
          <LinkButton href={api.address('/v1/delivery-desk/allow-list.nft')} icon="download" download>
            {text('desk.addresses.export')}
          </LinkButton>
        }
      />
      <Section title={text('desk.addresses.listed')}>
        <ListTable
          label={text('desk.addresses.listed')}
          list={list}
          columns={columns}
          rowKey={keyOf}
          empty={<Empty title={text('desk.addresses.empty')} icon="address" />}
        />
      </Section>
      <Blocks />
    </>
  );
}

function Blocks(): ReactNode {
  const text = useText();
  const [network, setNetwork] = useState('');
  const blocks = useInfiniteQuery(api.list('/v1/delivery-desk/blocks'));
  const block = useAction({
    act: () => api.post('/v1/delivery-desk/blocks', { network: network.trim() }),
    touches: /blocks/,
    done: text('desk.blocks.done'),
    onDone: () => setNetwork(''),
  });
  const says = useProblemText(block.error);
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    block.mutate();
  }
  return (
    <Section title={text('desk.blocks')} lead={text('desk.blocks.lead')}>
      <form className={styles.form} onSubmit={submit}>
        <Field
          label={text('desk.blocks.network')}
          value={network}
          onChange={setNetwork}
          maxLength={64}
          isCode
          isRequired
          error={block.isError ? says : undefined}
        />
        <div>
          <Button type="submit" isPending={block.isPending}>
            {text('desk.blocks.add')}
          </Button>
        </div>
      </form>
      {blocks.isError && <Refused problem={blocks.error} onRetry={() => void blocks.refetch()} />}
      {blocks.data?.length === 0 && <Empty title={text('desk.blocks.empty')} icon="shield" />}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles -- WebKit takes a list without marks for no list */}
      <ul role="list" aria-label={text('desk.blocks')}>
        {blocks.data?.map((each) => (
          <BlockRow key={each.id} block={each} />
        ))}
      </ul>
      {blocks.hasNextPage && (
        <Button onPress={() => void blocks.fetchNextPage()} isPending={blocks.isFetchingNextPage}>
          {text('desk.more')}
        </Button>
      )}
    </Section>
  );
}

function BlockRow({ block }: { readonly block: DeliveryAddress }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { network } = block;
  const lift = useAction({
    act: () => api.delete('/v1/delivery-desk/blocks/{entryId}', { params: { entryId: block.id } }),
    touches: /blocks/,
    done: text('desk.blocks.lifted', { network }),
  });
  return (
    <li className={styles.item}>
      <div className={styles.itemFacts}>
        <p className={styles.code}>
          <bdi dir="ltr">{network}</bdi>
        </p>
        <p className={styles.soft}>{formats.instant(block.submittedAt)}</p>
        {lift.isError && <Refused problem={lift.error} />}
      </div>
      <Button onPress={() => lift.mutate()} isPending={lift.isPending}>
        {text('desk.blocks.lift', { network })}
      </Button>
    </li>
  );
}

function useColumns(): readonly TableColumn<DeliveryAddress>[] {
  const text = useText();
  const formats = useFormats();
  return useMemo(
    () => [
      {
        id: 'network',
        title: text('desk.address'),
        isRowHeader: true,
        width: 'minmax(10rem, 1fr)',
        render: ({ network }) => (
          <bdi dir="ltr" className={styles.code}>
            {network}
          </bdi>
        ),
      },
      {
        id: 'client',
        title: text('desk.client'),
        width: 'minmax(12rem, 2fr)',
        render: ({ clientId }) => clientId !== null && <ClientNameById clientId={clientId} />,
      },
      {
        id: 'state',
        title: text('desk.state'),
        width: '8rem',
        render: ({ state }) => <StatusMark tone={addressTones[state]} text={text(`word.address_state.${state}`)} />,
      },
      {
        id: 'since',
        title: text('desk.addresses.since'),
        width: '14rem',
        render: ({ activatedAt, submittedAt }) => formats.instant(activatedAt ?? submittedAt),
      },
      {
        id: 'remove',
        title: text('desk.address.remove'),
        isTitleHidden: true,
        width: 'minmax(14rem, 1fr)',
        render: (address) => <RemoveAddress address={address} />,
      },
    ],
    [text, formats],
  );
}
