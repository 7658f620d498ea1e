// Asks for a reason before something is taken away or stopped; it is kept, and where the text says so the client reads it.
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { problemOf } from '../api/client.ts';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { Field } from '../design/field.tsx';
import { Refused } from '../design/states.tsx';
import { useProblemText, useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import styles from './desk.module.css';

const reasonLengthMax = 500;
const aboutReason = new Set(['delivery_reason_missing', 'reason_missing', 'request_invalid']);

interface ReasonDialogProps {
  readonly title: string;
  readonly lead: string;
  /** What is done, as a verb. */
  readonly confirm: string;
  readonly done: string;
  readonly touches: RegExp;
  readonly act: (reason: string) => Promise<unknown>;
  readonly onClose: () => void;
  readonly variant?: 'primary' | 'danger';
}

export function ReasonDialog(props: ReasonDialogProps): ReactNode {
  const { title, lead, confirm, done, touches, act, onClose, variant = 'danger' } = props;
  const text = useText();
  const formId = useId();
  const [reason, setReason] = useState('');
  const [isMissing, setMissing] = useState(false);
  const action = useAction({ act: () => act(reason.trim()), touches, done, onDone: onClose });
  const isAboutReason = aboutReason.has(problemOf(action.error)?.code ?? '');
  const says = useProblemText(action.error);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    setMissing(reason.trim() === '');
    if (reason.trim() !== '') action.mutate();
  }

  return (
    <Dialog
      title={title}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{text('design.cancel')}</Button>
          <Button variant={variant} type="submit" form={formId} isPending={action.isPending}>
            {confirm}
          </Button>
        </>
      }
    >
      {action.isError && !isAboutReason && <Refused problem={action.error} />}
      <p>{lead}</p>
      <form id={formId} className={styles.form} onSubmit={submit}>
        <Field
          label={text('desk.reason')}
          value={reason}
          onChange={setReason}
          maxLength={reasonLengthMax}
          isRequired
          error={isMissing ? text('refusal.reason_missing') : isAboutReason ? says : undefined}
        />
      </form>
    </Dialog>
  );
}
