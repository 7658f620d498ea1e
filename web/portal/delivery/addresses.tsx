// The addresses that the client connects from: the one it is on now, others by hand, and those on file.
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { api } from '../api/client.ts';
import type { DeliveryAddress } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { ConfirmDialog } from '../design/dialog.tsx';
import { Field } from '../design/field.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { useToast } from '../design/toasts.tsx';
import { readForm } from '../frame/form-fields.ts';
import { useFormats, useProblemText, useText } from '../language/text.tsx';
import styles from './delivery.module.css';
import { useReadAgain } from './read-again.ts';

export function Addresses({ yourAddress }: { readonly yourAddress: string }): ReactNode {
  const text = useText();
  const toast = useToast();
  const readAgain = useReadAgain();
  const form = useRef<HTMLFormElement>(null);
  const onFile = useInfiniteQuery(api.list('/v1/delivery/addresses'));
  const add = useMutation({
    mutationFn: (addresses: string[]) => api.post('/v1/delivery/addresses', { addresses }),
    async onSuccess() {
      form.current?.reset();
      toast({ tone: 'good', text: text('delivery.addresses.done') });
      await readAgain();
    },
  });
  const says = useProblemText(add.error);
  const isListed = onFile.data?.some(({ network }) => network === yourAddress) ?? true;

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const typed = readForm(event.currentTarget, 'addresses')
      .addresses.split(/[\s,;]+/)
      .filter((one) => one !== '');
    if (typed.length > 0) add.mutate(typed);
  }

  return (
    <Section title={text('delivery.addresses.title')} lead={text('delivery.addresses.lead')}>
      <div className={styles.row}>
        <p>
          {text('delivery.addresses.now')} <bdi dir="ltr">{yourAddress}</bdi>
        </p>
        {isListed ? (
          onFile.data && <StatusMark tone="good" text={text('delivery.addresses.listed')} />
        ) : (
          <Button variant="primary" icon="address" onPress={() => add.mutate([yourAddress])} isPending={add.isPending}>
            {text('delivery.addresses.useNow')}
          </Button>
        )}
      </div>
      <form ref={form} onSubmit={submit} className={styles.form}>
        <Field
          label={text('delivery.addresses.others')}
          description={text('delivery.addresses.othersHint')}
          name="addresses"
          isCode
          error={add.isError ? says : undefined}
        />
        <Button type="submit" isPending={add.isPending}>
          {text('delivery.addresses.add')}
        </Button>
      </form>
      {onFile.isError && <Refused problem={onFile.error} onRetry={() => void onFile.refetch()} />}
      {onFile.isPending && <Loading />}
      {onFile.data?.length === 0 && <Empty title={text('delivery.addresses.none')} icon="address" />}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles -- WebKit takes a list without marks for no list */}
      <ul role="list" aria-label={text('delivery.addresses.title')}>
        {onFile.data?.map((entry) => (
          <Row key={entry.id} entry={entry} />
        ))}
      </ul>
    </Section>
  );
}

function Row({ entry }: { readonly entry: DeliveryAddress }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const readAgain = useReadAgain();
  const [isAsking, setAsking] = useState(false);
  const { id, network, state, submittedAt } = entry;
  const remove = useMutation({
    mutationFn: () => api.post('/v1/delivery/addresses/{entryId}/remove', {}, { params: { entryId: id } }),
    async onSuccess() {
      setAsking(false);
      await readAgain();
    },
  });
  return (
    <li className={styles.row}>
      <div className={styles.facts}>
        <p className={styles.name}>
          <bdi dir="ltr">{network}</bdi>
        </p>
        <p className={styles.detail}>{formats.instant(submittedAt)}</p>
      </div>
      <StatusMark tone={state === 'active' ? 'good' : 'wait'} text={text(`word.address_state.${state}`)} />
      <Button icon="trash" onPress={() => setAsking(true)}>
        {text('delivery.addresses.remove', { address: network })}
      </Button>
      <ConfirmDialog
        title={text('delivery.addresses.remove', { address: network })}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate()}
        confirm={text('delivery.addresses.removeDo')}
        variant="danger"
        isPending={remove.isPending}
      >
        {remove.isError ? <Refused problem={remove.error} /> : text('delivery.addresses.removeLead')}
      </ConfirmDialog>
    </li>
  );
}
