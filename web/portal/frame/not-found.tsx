// The page for an address that has none.
import type { ReactNode } from 'react';
import { LinkButton } from '../design/button.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Text, useText } from '../language/text.tsx';

export function NotFound(): ReactNode {
  const text = useText();
  return (
    <>
      <PageTitle title={text('frame.notFound.title')} lead={<Text id="frame.notFound.lead" />} />
      <LinkButton href="/">{text('frame.notFound.home')}</LinkButton>
    </>
  );
}
