// The whole page when not even the first question to the server was answered.
import type { ReactNode } from 'react';
import { Refused } from '../design/states.tsx';
import styles from './frame.module.css';

export const Unavailable = ({ problem }: { readonly problem: unknown }): ReactNode => (
  <main className={styles.unavailable}>
    <Refused problem={problem} onRetry={() => location.reload()} />
  </main>
);
