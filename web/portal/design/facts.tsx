// Facts about one thing, as terms with their values.
import type { ReactNode } from 'react';
import styles from './facts.module.css';

interface Fact {
  readonly term: string;
  readonly value: ReactNode;
}

export function Facts({ items }: { items: readonly Fact[] }): ReactNode {
  return (
    <dl className={styles.facts}>
      {items.map(({ term, value }) => (
        <div key={term} className={styles.fact}>
          <dt className={styles.term}>{term}</dt>
          <dd className={styles.value}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
