// Text that is copied rather than read: a command, a key, a fingerprint. Left to right in every language.
import { type ReactNode, useState } from 'react';
import { useText } from '../language/text.tsx';
import { IconButton } from './button.tsx';
import styles from './code.module.css';

interface CodeProps {
  readonly text: string;
  /** What it is, for the name of the copy button. */
  readonly label: string;
}

export function Code({ text, label }: CodeProps): ReactNode {
  const say = useText();
  const [state, setState] = useState<'idle' | 'copied' | 'refused'>('idle');
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setState('copied'),
      () => setState('refused'),
    );
  };
  return (
    <div className={styles.code}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a long line scrolls, and what scrolls must be reached by keyboard */}
      <pre className={styles.text} dir="ltr" tabIndex={0} role="group" aria-label={label}>
        <bdi>
          <code>{text}</code>
        </bdi>
      </pre>
      <IconButton icon={state === 'copied' ? 'check' : 'copy'} label={say('design.copyOf', { label })} onPress={copy} />
      <span role="status" className={state === 'idle' ? styles.silent : styles.said}>
        {state === 'copied' && say('design.copied')}
        {state === 'refused' && say('design.copyRefused')}
      </span>
    </div>
  );
}
