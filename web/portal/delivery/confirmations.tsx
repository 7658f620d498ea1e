// What was handed in and waits until the client has compared it: each fingerprint and address, and the password typed again.
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useRef } from 'react';
import { api, problemOf } from '../api/client.ts';
import { useMe } from '../api/me.ts';
import type { DeliveryRequest } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { Code } from '../design/code.tsx';
import { Field } from '../design/field.tsx';
import { Section } from '../design/section.tsx';
import { Refused } from '../design/states.tsx';
import { useToast } from '../design/toasts.tsx';
import { readForm } from '../frame/form-fields.ts';
import { Text, useProblemText, useText } from '../language/text.tsx';
import styles from './delivery.module.css';
import { useReadAgain } from './read-again.ts';

const ofPassword = new Set(['password_wrong', 'sign_in_locked']);

export function Confirmations(): ReactNode {
  const requests = useInfiniteQuery(api.list('/v1/delivery/requests'));
  const waiting = requests.data?.filter(
    ({ awaiting, state }) => awaiting.length > 0 && (state === 'open' || state === 'in_work'),
  );
  return waiting !== undefined && waiting.length > 0 && <Confirmation requests={waiting} />;
}

function Confirmation({ requests }: { readonly requests: readonly DeliveryRequest[] }): ReactNode {
  const text = useText();
  const toast = useToast();
  const readAgain = useReadAgain();
  const { login } = useMe();
  const form = useRef<HTMLFormElement>(null);
  const confirm = useMutation({
    async mutationFn(password: string) {
      for (const { id, awaiting } of requests) {
        // Bound to what is on the page: had something else been handed in meanwhile, the server would refuse.
        const body = { shown: awaiting, password };
        await api.post('/v1/delivery/requests/{requestId}/confirm', body, { params: { requestId: id } });
      }
    },
    onSuccess: () => toast({ tone: 'good', text: text('delivery.confirm.done') }),
    async onSettled() {
      form.current?.reset();
      await readAgain();
    },
  });
  const code = problemOf(confirm.error)?.code ?? '';
  const says = useProblemText(confirm.error);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    confirm.mutate(readForm(event.currentTarget, 'password').password);
  }

  return (
    <Section title={text('delivery.confirm.title')} lead={text('delivery.confirm.lead')}>
      {requests.map((request) =>
        request.awaiting.map((item) => (
          <div key={item}>
            <p className={styles.detail}>{text(labelOf(request, item))}</p>
            <Code label={text(labelOf(request, item))} text={item} />
          </div>
        )),
      )}
      <p className={styles.detail}>
        <Text id="delivery.confirm.how" values={{ command: <code dir="ltr">ssh-keygen -l -f KEY.pub</code> }} />
      </p>
      {confirm.isError && !ofPassword.has(code) && <Refused problem={confirm.error} />}
      <form ref={form} onSubmit={submit} className={styles.line}>
        <Field
          label={text('delivery.confirm.password')}
          name="password"
          type="password"
          autoComplete="current-password"
          isRequired
          error={ofPassword.has(code) ? says : undefined}
        />
        <input type="hidden" name="username" autoComplete="username" value={login} readOnly />
        <Button variant="primary" type="submit" isPending={confirm.isPending}>
          {text('delivery.confirm.submit')}
        </Button>
      </form>
    </Section>
  );
}

function labelOf({ sshKeys, openPgpKeys }: DeliveryRequest, item: string) {
  if (sshKeys.some(({ fingerprint }) => fingerprint === item)) return 'word.key_sort.ssh' as const;
  if (openPgpKeys.some(({ fingerprint }) => fingerprint === item)) return 'word.key_sort.openpgp' as const;
  return 'delivery.addresses.address' as const;
}
