// The states of a part that has nothing to show: nothing there, still coming, declined, and no connection.
import type { ReactNode } from 'react';
import { useProblemText, useText } from '../language/text.tsx';
import { Banner } from './banner.tsx';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icons.tsx';
import { Spinner } from './spinner.tsx';
import styles from './states.module.css';

interface EmptyProps {
  readonly title: string;
  /** When something will be here, or how to make it be. */
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
  readonly icon?: IconName;
}

export function Empty({ title, children, actions, icon }: EmptyProps): ReactNode {
  return (
    <div className={styles.empty}>
      {icon && <Icon name={icon} />}
      <p className={styles.title}>{title}</p>
      {children !== undefined && <div className={styles.text}>{children}</div>}
      {actions !== undefined && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}

/** It appears only after a moment, so that what comes quickly does not flicker. */
export function Loading({ label }: { label?: string }): ReactNode {
  const text = useText();
  const name = label ?? text('design.loading');
  return (
    <div className={styles.loading} role="status">
      <Spinner label={name} />
      <span aria-hidden="true">{name}</span>
    </div>
  );
}

interface RefusedProps {
  /** What was thrown: a refusal, or anything else, which is then a fault of ours. */
  readonly problem: unknown;
  readonly title?: string;
  /** Given where the same may be answered otherwise when it is asked again. */
  readonly onRetry?: () => void;
  readonly isRetrying?: boolean;
}

export function Refused({ problem, title, onRetry, isRetrying = false }: RefusedProps): ReactNode {
  const text = useText();
  const says = useProblemText(problem);
  return (
    <Banner
      tone="bad"
      live="alert"
      title={title ?? text('design.refused')}
      actions={
        onRetry && (
          <Button onPress={onRetry} icon="refresh" isPending={isRetrying}>
            {text('design.retry')}
          </Button>
        )
      }
    >
      {says}
    </Banner>
  );
}

/** A bar above the page while the server cannot be reached. */
export function Offline({ onRetry }: { onRetry?: () => void }): ReactNode {
  const text = useText();
  return (
    <div className={styles.offline} role="status">
      <Icon name="offline" />
      <span>{text('design.offline')}</span>
      {onRetry && <Button onPress={onRetry}>{text('design.retry')}</Button>}
    </div>
  );
}
