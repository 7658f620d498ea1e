// The state of a thing: a word with a shape before it, so that it is understood without colour.
import type { ReactNode } from 'react';
import styles from './status-mark.module.css';
import type { Tone } from './tone.ts';

export function StatusMark({ tone, text }: { tone: Tone; text: string }): ReactNode {
  return (
    <span className={`${styles.mark} ${styles[tone]}`}>
      <ToneShape tone={tone} />
      {text}
    </span>
  );
}

/** Full circle with a tick, triangle, square with a cross, half-full circle, ring: told apart in one colour and at a small size. */
export function ToneShape({ tone }: { tone: Tone }): ReactNode {
  return (
    <svg className={`${styles.shape} ${styles[tone]}`} viewBox="0 0 16 16" aria-hidden="true">
      {shapes[tone]}
    </svg>
  );
}

const shapes: Readonly<Record<Tone, ReactNode>> = {
  good: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" stroke="none" />
      <path d="m5 8.2 2.2 2.2 3.8-4.4" className={styles.cut} />
    </>
  ),
  warn: (
    <>
      <path d="M8 1.5 15.2 14.5H.8z" fill="currentColor" stroke="none" />
      <path d="M8 6v4M8 12.1v.2" className={styles.cut} />
    </>
  ),
  bad: (
    <>
      <path d="M1.5 1.5h13v13h-13z" fill="currentColor" stroke="none" />
      <path d="m5.3 5.3 5.4 5.4M10.7 5.3l-5.4 5.4" className={styles.cut} />
    </>
  ),
  wait: (
    <>
      <circle cx="8" cy="8" r="6.2" />
      <path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z" fill="currentColor" stroke="none" />
    </>
  ),
  quiet: <circle cx="8" cy="8" r="6.2" />,
};
