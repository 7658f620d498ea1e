// Dialogs: over the page, with a title, closed by Escape or a button; the focus goes in and comes back.
import type { ReactNode } from 'react';
import { Dialog as AriaDialog } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import { useText } from '../language/text.tsx';
import { Button, IconButton } from './button.tsx';
import styles from './dialog.module.css';

interface DialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Buttons, the one that goes on last. */
  readonly actions?: ReactNode;
  /** For what must be answered and read out at once. */
  readonly role?: 'dialog' | 'alertdialog';
  readonly size?: 'narrow' | 'wide';
}

export function Dialog({
  title,
  isOpen,
  onClose,
  children,
  actions,
  role = 'dialog',
  size = 'narrow',
}: DialogProps): ReactNode {
  const text = useText();
  return (
    <ModalOverlay
      className={styles.veil ?? ''}
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable={role === 'dialog'}
    >
      <Modal className={`${styles.modal} ${styles[size]}`}>
        <AriaDialog role={role} className={styles.dialog ?? ''}>
          <header className={styles.header}>
            <Heading slot="title" className={styles.title ?? ''}>
              {title}
            </Heading>
            {role === 'dialog' && <IconButton icon="close" label={text('design.close')} onPress={onClose} />}
          </header>
          <div className={styles.body}>{children}</div>
          {actions !== undefined && <footer className={styles.actions}>{actions}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

interface ConfirmDialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
  /** What follows, and whether it can be undone. */
  readonly children: ReactNode;
  /** What is done, as a verb: "Remove key". */
  readonly confirm: string;
  readonly variant?: 'primary' | 'danger';
  readonly isPending?: boolean;
}

/** Asks before something is done. The focus starts on the way back, so that Enter alone does no harm. */
export function ConfirmDialog({
  onConfirm,
  confirm,
  variant = 'primary',
  isPending = false,
  ...dialog
}: ConfirmDialogProps): ReactNode {
  const text = useText();
  return (
    <Dialog
      {...dialog}
      role="alertdialog"
      actions={
        <>
          {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- a dialog must take the focus, and this is the harmless place for it */}
          <Button onPress={dialog.onClose} autoFocus>
            {text('design.cancel')}
          </Button>
          <Button variant={variant} onPress={onConfirm} isPending={isPending}>
            {confirm}
          </Button>
        </>
      }
    />
  );
}
