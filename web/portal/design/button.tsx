// Buttons: for what is done here, for what is an icon only, and for what leads elsewhere but looks like one.
import type { ReactNode } from 'react';
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from 'react-aria-components/Button';
import { Link } from 'react-aria-components/Link';
import { useText } from '../language/text.tsx';
import styles from './button.module.css';
import { Icon, type IconName } from './icons.tsx';
import { Spinner } from './spinner.tsx';

export type ButtonVariant = 'primary' | 'quiet' | 'danger';

interface ButtonProps
  extends Pick<AriaButtonProps, 'onPress' | 'isPending' | 'isDisabled' | 'autoFocus' | 'form' | 'slot'> {
  readonly children: ReactNode;
  readonly variant?: ButtonVariant;
  readonly type?: 'button' | 'submit';
  readonly icon?: IconName;
  /** Id of the text that says more, such as why it cannot be pressed now. */
  readonly 'aria-describedby'?: string;
}

/** While it is pending it keeps its place, its width and the focus, and cannot be pressed again. */
export function Button({ children, variant = 'quiet', icon, ...props }: ButtonProps): ReactNode {
  const text = useText();
  return (
    <AriaButton {...props} className={`${styles.button} ${styles[variant]}`}>
      {({ isPending }) => (
        <>
          <span className={styles.content}>
            {icon && <Icon name={icon} />}
            {children}
          </span>
          {isPending && (
            <span className={styles.pending}>
              <Spinner label={text('design.loading')} />
            </span>
          )}
        </>
      )}
    </AriaButton>
  );
}

interface IconButtonProps extends Pick<AriaButtonProps, 'onPress' | 'isPending' | 'isDisabled' | 'slot'> {
  /** What it does, with the name of what it does it to: "Remove key ed25519". */
  readonly label: string;
  readonly icon: IconName;
}

export function IconButton({ label, icon, ...props }: IconButtonProps): ReactNode {
  return (
    <AriaButton {...props} aria-label={label} className={`${styles.button} ${styles.icon}`}>
      <Icon name={icon} />
    </AriaButton>
  );
}

interface LinkButtonProps {
  readonly href: string;
  readonly children: ReactNode;
  readonly variant?: Exclude<ButtonVariant, 'danger'>;
  readonly icon?: IconName;
  /** The name to save a file under; the browser then downloads instead of leaving the page. */
  readonly download?: string | true;
}

export function LinkButton({ href, children, variant = 'quiet', icon, download }: LinkButtonProps): ReactNode {
  return (
    <Link href={href} className={`${styles.button} ${styles[variant]}`} {...(download && { download })}>
      <span className={styles.content}>
        {icon && <Icon name={icon} />}
        {children}
      </span>
    </Link>
  );
}
