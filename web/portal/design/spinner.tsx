// The sign that something is under way. With reduced motion it stands still; its name says the rest.
import type { ReactNode } from 'react';
import { ProgressBar } from 'react-aria-components/ProgressBar';
import styles from './spinner.module.css';

export function Spinner({ label }: { label: string }): ReactNode {
  return (
    <ProgressBar aria-label={label} isIndeterminate className={styles.spinner ?? ''}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="10" cy="10" r="7" />
        <path d="M10 3a7 7 0 0 1 7 7" />
      </svg>
    </ProgressBar>
  );
}
