// How a table asks for further rows, and the line below it that says they are coming.
import { type ReactNode, useEffect, useEffectEvent, useRef } from 'react';
import { useText } from '../language/text.tsx';
import { Spinner } from './spinner.tsx';
import type { TableProps } from './table.tsx';
import styles from './table.module.css';

/** Asks once for what follows a row. When that fails nothing is asked by itself again: the page offers to. */
export function useMoreAsked(isNearEnd: boolean, last: object | null, loadMore: TableProps<object>['loadMore']): void {
  const asked = useRef<object>(null);
  const ask = useEffectEvent(() => loadMore?.onLoadMore());
  const wants = isNearEnd && loadMore?.hasMore === true && !loadMore.isLoading;
  useEffect(() => {
    if (!wants || asked.current === last) return;
    asked.current = last;
    ask();
  }, [wants, last]);
}

export function More({ isLoading }: { isLoading: boolean }): ReactNode {
  const text = useText();
  return (
    <div role="status" className={styles.more}>
      {isLoading && (
        <>
          <Spinner label={text('design.loading')} />
          <span aria-hidden="true">{text('design.loading')}</span>
        </>
      )}
    </div>
  );
}
