// The head of each page about delivery, with the way to the others.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PageTitle } from '../design/page-title.tsx';
import { Text, type TextId, useText } from '../language/text.tsx';
import styles from './delivery.module.css';

const ways = [
  ['/delivery', 'delivery.way.setUp'],
  ['/delivery/guide', 'delivery.way.guide'],
  ['/delivery/log', 'delivery.way.log'],
  ['/delivery/files', 'delivery.way.files'],
] as const satisfies readonly (readonly [string, TextId])[];

export function DeliveryTitle({ titleId, leadId }: { readonly titleId: TextId; readonly leadId: TextId }): ReactNode {
  const text = useText();
  return (
    <>
      <PageTitle title={text(titleId)} lead={text(leadId)} />
      <nav className={styles.ways} aria-label={text('delivery.ways')}>
        {ways.map(([path, id]) => (
          <Link
            key={path}
            to={path}
            activeOptions={{ exact: true, includeSearch: false }}
            activeProps={{ 'aria-current': 'page' }}
          >
            <Text id={id} />
          </Link>
        ))}
      </nav>
    </>
  );
}
