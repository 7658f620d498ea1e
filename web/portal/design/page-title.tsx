// The head of a page: its one heading, what can be done on it, and a sentence that says what it is for.
import type { ReactNode } from 'react';
import styles from './page-title.module.css';

interface PageTitleProps {
  readonly title: ReactNode;
  readonly actions?: ReactNode;
  readonly lead?: ReactNode;
  /** What leads back to, such as the list this page is one of. */
  readonly back?: ReactNode;
}

export function PageTitle({ title, actions, lead, back }: PageTitleProps): ReactNode {
  return (
    <header className={styles.head}>
      {back !== undefined && <div className={styles.back}>{back}</div>}
      <div className={styles.row}>
        <h1 className={styles.title}>{title}</h1>
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </div>
      {lead !== undefined && <p className={styles.lead}>{lead}</p>}
    </header>
  );
}
