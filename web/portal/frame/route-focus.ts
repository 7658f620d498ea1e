// What a new page does to the browser: its title in the tab, the focus on its heading, so that a screen reader begins there.
import { useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useText } from '../language/text.tsx';
import { brokerName } from './brand.ts';

export function useRouteFocus(): void {
  const text = useText();
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const titleId = useRouterState({ select: (state) => state.matches.at(-1)?.staticData.page?.titleId });
  const before = useRef<string | undefined>(undefined);

  const title = text('frame.title', { page: text(titleId ?? 'frame.notFound.title'), broker: brokerName });
  useEffect(() => {
    document.title = title;
  }, [title]);

  useEffect(() => {
    if (path === undefined || path === before.current) return;
    const isFirst = before.current === undefined;
    before.current = path;
    // A page that was opened by its address is read from its beginning anyway.
    if (isFirst) return;
    const heading = document.querySelector<HTMLElement>('main h1');
    if (heading === null) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }, [path]);
}
