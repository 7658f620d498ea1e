// Which rows of fixed height are drawn: those in view and half a screen to either side, settled before the browser paints a scroll.
import { type RefObject, useLayoutEffect, useState } from 'react';
import { flushSync } from 'react-dom';

export interface RowWindow {
  readonly first: number;
  /** One after the last. */
  readonly end: number;
}

const groupRows = 4;

/** Pure: the rows to draw for a position. Rows are drawn in whole groups, so that most scrolling changes nothing. */
export function windowAt(topPx: number, viewPx: number, rowPx: number, size: number): RowWindow {
  const sidePx = viewPx / 2;
  const first = Math.floor((topPx - sidePx) / rowPx / groupRows) * groupRows;
  const end = Math.ceil((topPx + viewPx + sidePx) / rowPx / groupRows) * groupRows;
  return { first: Math.min(Math.max(0, first), size), end: Math.max(0, Math.min(size, end)) };
}

/** `body` holds the rows and stands in what scrolls. */
export function useRowWindow(body: RefObject<HTMLElement | null>, rowPx: number, size: number): RowWindow {
  const [view, setView] = useState({ topPx: 0, viewPx: 800 });
  useLayoutEffect(() => {
    const element = body.current!.parentElement!;
    const read = (): void => {
      const next = { topPx: element.scrollTop, viewPx: element.clientHeight };
      setView((now) => (isSameWindow(now, next, rowPx) ? now : next));
    };
    // Without this the browser may paint the new place once before React has drawn its rows.
    const onScroll = (): void => flushSync(read);
    const observer = new ResizeObserver(read);
    read();
    observer.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [body, rowPx]);
  return windowAt(view.topPx, view.viewPx, rowPx, size);
}

interface View {
  readonly topPx: number;
  readonly viewPx: number;
}

function isSameWindow(a: View, b: View, rowPx: number): boolean {
  const [one, other] = [a, b].map(({ topPx, viewPx }) => windowAt(topPx, viewPx, rowPx, Number.MAX_SAFE_INTEGER));
  return a.viewPx === b.viewPx && one!.first === other!.first && one!.end === other!.end;
}
