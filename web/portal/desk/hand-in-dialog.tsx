// Hands in for a client what it sent by another way: a key, addresses, or both. Nothing takes effect before the client confirms it.
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { api } from '../api/client.ts';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { Field } from '../design/field.tsx';
import { Refused } from '../design/states.tsx';
import { Text, useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import styles from './desk.module.css';

interface HandInDialogProps {
  readonly clientId: string;
  readonly onClose: () => void;
}

export function HandInDialog({ clientId, onClose }: HandInDialogProps): ReactNode {
  const text = useText();
  const navigate = useNavigate();
  const formId = useId();
  const [key, setKey] = useState('');
  const [typed, setTyped] = useState('');
  const handIn = useAction({
    act: () => {
      const addresses = typed.split(/[\s,;]+/).filter((each) => each !== '');
      return api.post(
        '/v1/clients/{clientId}/delivery/requests',
        { ...(key.trim() !== '' && { key }), ...(addresses.length > 0 && { addresses }) },
        { params: { clientId } },
      );
    },
    touches: /delivery/,
    done: text('desk.handIn.done'),
    onDone({ id }) {
      onClose();
      void navigate({ to: '/desk/requests/$requestId', params: { requestId: id } });
    },
  });

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    handIn.mutate();
  }

  return (
    <Dialog
      title={text('desk.handIn.title')}
      isOpen
      onClose={onClose}
      size="wide"
      actions={
        <>
          <Button onPress={onClose}>{text('design.cancel')}</Button>
          <Button variant="primary" type="submit" form={formId} isPending={handIn.isPending}>
            {text('desk.handIn.submit')}
          </Button>
        </>
      }
    >
      {handIn.isError && <Refused problem={handIn.error} />}
      <p>
        <Text id="desk.handIn.lead" />
      </p>
      <form id={formId} className={styles.form} onSubmit={submit}>
        <Field
          label={text('desk.handIn.key')}
          description={text('desk.handIn.keyLead')}
          value={key}
          onChange={setKey}
          multiline={{ rows: 4 }}
          isCode
        />
        <Field
          label={text('desk.handIn.addresses')}
          description={text('desk.handIn.addressesLead')}
          value={typed}
          onChange={setTyped}
          multiline={{ rows: 2 }}
          isCode
        />
      </form>
    </Dialog>
  );
}
