// What must be read before going on, in the page and not over it.
import type { ReactNode } from 'react';
import styles from './banner.module.css';
import { ToneShape } from './status-mark.tsx';
import type { Tone } from './tone.ts';

interface BannerProps {
  readonly tone: Tone;
  readonly title: string;
  readonly children?: ReactNode;
  /** Buttons or links that put it right. */
  readonly actions?: ReactNode;
  /** Whether it comes while the page is open: `status` is read when the reader pauses, `alert` at once. */
  readonly live?: 'status' | 'alert';
}

export function Banner({ tone, title, children, actions, live }: BannerProps): ReactNode {
  return (
    <div className={`${styles.banner} ${styles[tone]}`} role={live}>
      <ToneShape tone={tone} />
      <div className={styles.body}>
        <p className={styles.title}>{title}</p>
        {children !== undefined && <div className={styles.text}>{children}</div>}
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </div>
    </div>
  );
}
