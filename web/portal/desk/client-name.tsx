// A client by name and account number, leading to its page. The name is the client's own text and is shown as such.
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { ClientBrief } from '../api/operations.ts';
import { PageLink } from '../frame/open-pages.tsx';
import styles from './desk.module.css';

export function ClientName({ client }: { readonly client: ClientBrief }): ReactNode {
  const [accountNumber] = client.accountNumbers;
  return (
    <>
      <PageLink path="/desk/clients/$clientId" params={{ clientId: client.id }}>
        <bdi>{client.name}</bdi>
      </PageLink>
      {accountNumber !== undefined && (
        <>
          {' '}
          <bdi className={styles.soft}>{accountNumber}</bdi>
        </>
      )}
    </>
  );
}

/** The same where only the id is at hand; rows of one client ask once. */
export function ClientNameById({ clientId }: { readonly clientId: string }): ReactNode {
  const client = useQuery(api.one('/v1/clients/{clientId}', { params: { clientId } }));
  return client.data ? <ClientName client={client.data} /> : <span aria-hidden="true">…</span>;
}
