// Which ways statements take, and whom the desk may ask. A switch takes effect at once; giving up a connection that works asks first.
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api } from '../api/client.ts';
import type { Delivery } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { Switch } from '../design/choices.tsx';
import { ConfirmDialog } from '../design/dialog.tsx';
import { Field } from '../design/field.tsx';
import { Section } from '../design/section.tsx';
import { Refused } from '../design/states.tsx';
import { useToast } from '../design/toasts.tsx';
import { readForm } from '../frame/form-fields.ts';
import { useText } from '../language/text.tsx';
import styles from './delivery.module.css';
import { useReadAgain } from './read-again.ts';

interface Chosen {
  readonly sftp: boolean;
  readonly portal: boolean;
  readonly contact: string;
}

export function Election({ delivery }: { readonly delivery: Delivery }): ReactNode {
  const text = useText();
  const toast = useToast();
  const readAgain = useReadAgain();
  const [isGivingUp, setGivingUp] = useState(false);
  const { channels, contact, connection } = delivery;
  const now: Chosen = { sftp: channels.sftp, portal: channels.portal, contact: contact ?? '' };
  const elect = useMutation({
    mutationFn: ({ contact, ...ways }: Chosen) => api.put('/v1/delivery', contact === '' ? ways : { ...ways, contact }),
    async onSuccess() {
      setGivingUp(false);
      toast({ tone: 'good', text: text('delivery.election.done') });
      await readAgain();
    },
  });
  // While an answer is on its way, the switches show what was asked for.
  const shown = elect.isPending ? elect.variables : now;
  const hasConnection = !['none', 'elected', 'closed'].includes(connection.state);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    elect.mutate({ ...now, contact: readForm(event.currentTarget, 'contact').contact.trim() });
  }

  return (
    <Section title={text('delivery.election.title')} lead={text('delivery.election.lead')}>
      {elect.isError && <Refused problem={elect.error} />}
      <Switch
        label={text('delivery.election.sftp')}
        description={text('delivery.election.sftpHint')}
        value={shown.sftp}
        onChange={(sftp) => (!sftp && hasConnection ? setGivingUp(true) : elect.mutate({ ...now, sftp }))}
      />
      <Switch
        label={text('delivery.election.portal')}
        description={text('delivery.election.portalHint')}
        value={shown.portal}
        onChange={(portal) => elect.mutate({ ...now, portal })}
      />
      <form onSubmit={submit} className={styles.form}>
        <Field
          label={text('delivery.election.contact')}
          description={text('delivery.election.contactHint')}
          name="contact"
          defaultValue={now.contact}
          maxLength={200}
        />
        <Button type="submit" isPending={elect.isPending}>
          {text('delivery.election.save')}
        </Button>
      </form>
      <ConfirmDialog
        title={text('delivery.election.giveUp')}
        isOpen={isGivingUp}
        onClose={() => setGivingUp(false)}
        onConfirm={() => elect.mutate({ ...now, sftp: false })}
        confirm={text('delivery.election.giveUpDo')}
        variant="danger"
        isPending={elect.isPending}
      >
        {text('delivery.election.giveUpLead')}
      </ConfirmDialog>
    </Section>
  );
}
