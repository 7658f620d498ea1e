// What happened to one thing, in the order it happened.
import type { ReactNode } from 'react';
import { useFormats } from '../language/text.tsx';
import { ToneShape } from './status-mark.tsx';
import styles from './timeline.module.css';
import type { Tone } from './tone.ts';

interface TimelineItem {
  /** Shape: an instant of RFC 3339, or undefined for what is still to come. */
  readonly at: string | undefined;
  readonly title: ReactNode;
  readonly detail?: ReactNode;
  readonly tone: Tone;
}

export function Timeline({ label, items }: { label: string; items: readonly TimelineItem[] }): ReactNode {
  const formats = useFormats();
  return (
    // WebKit takes a list without marks for no list, unless the role is said.
    // oxlint-disable-next-line jsx-a11y/no-redundant-roles
    <ol className={styles.line} aria-label={label} role="list">
      {items.map((item, index) => (
        // Two steps may have the same instant and title; their order is fixed.
        // oxlint-disable-next-line react/no-array-index-key
        <li key={index} className={styles.step}>
          <ToneShape tone={item.tone} />
          <div className={styles.body}>
            <p className={styles.title}>{item.title}</p>
            {item.at !== undefined && (
              <time className={styles.at} dateTime={item.at}>
                {formats.instant(item.at)}
              </time>
            )}
            {item.detail !== undefined && <div className={styles.detail}>{item.detail}</div>}
          </div>
        </li>
      ))}
    </ol>
  );
}
