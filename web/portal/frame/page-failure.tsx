// What stands in place of a page that could not be drawn or read.
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PageTitle } from '../design/page-title.tsx';
import { Refused } from '../design/states.tsx';
import { useText } from '../language/text.tsx';

export function PageFailure({ error, reset }: ErrorComponentProps): ReactNode {
  const text = useText();
  const router = useRouter();
  const again = (): void => {
    reset();
    void router.invalidate();
  };
  return (
    <>
      <PageTitle title={text('frame.failure.title')} />
      <Refused problem={error} onRetry={again} />
    </>
  );
}
