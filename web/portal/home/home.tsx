// The first page: what is new and what waits for the person, each with the way to it.
import type { ReactNode } from 'react';
import { useMe } from '../api/me.ts';
import { PageTitle } from '../design/page-title.tsx';
import { useText } from '../language/text.tsx';
import { DeliveryBrief } from './delivery-brief.tsx';
import { DeskBrief } from './desk-brief.tsx';
import { NewNotices } from './new-notices.tsx';
import { NewStatements } from './new-statements.tsx';

export default function Home(): ReactNode {
  const text = useText();
  const { kind, name, desks } = useMe();
  return (
    <>
      <PageTitle title={text('page.home')} lead={text('home.lead', { name })} />
      {desks.includes('delivery') && <DeskBrief />}
      <NewNotices />
      {kind === 'client' && (
        <>
          <NewStatements />
          <DeliveryBrief />
        </>
      )}
    </>
  );
}
