// Changes the password, after the present one was typed again.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { api, problemOf } from '../api/client.ts';
import { useMe } from '../api/me.ts';
import { Button } from '../design/button.tsx';
import { Field } from '../design/field.tsx';
import { Section } from '../design/section.tsx';
import { Refused } from '../design/states.tsx';
import { useToast } from '../design/toasts.tsx';
import { readForm } from '../frame/form-fields.ts';
import { useProblemText, useText } from '../language/text.tsx';
import styles from './security.module.css';

/** Codes that are about the present password; the others are about the new one. */
const ofPresent = new Set(['password_wrong', 'sign_in_locked']);
const ofNew = new Set(['password_too_short', 'password_too_long', 'password_too_plain']);

export function ChangePassword(): ReactNode {
  const text = useText();
  const toast = useToast();
  const { login } = useMe();
  const queryClient = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const [isDifferent, setIsDifferent] = useState(false);
  const change = useMutation({
    mutationFn: (body: { currentPassword: string; newPassword: string }) => api.post('/v1/password', body),
    async onSuccess() {
      form.current?.reset();
      toast({ tone: 'good', text: text('security.password.done') });
      await queryClient.invalidateQueries({ queryKey: ['/v1/sign-ins'] });
    },
  });
  const code = problemOf(change.error)?.code ?? '';
  const says = useProblemText(change.error);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const fields = readForm(event.currentTarget, 'present', 'new', 'repeat');
    setIsDifferent(fields.new !== fields.repeat);
    if (fields.new !== fields.repeat) return;
    change.mutate({ currentPassword: fields.present, newPassword: fields.new });
  }

  return (
    <Section title={text('security.password.title')} lead={text('security.password.lead')}>
      {change.isError && !ofPresent.has(code) && !ofNew.has(code) && <Refused problem={change.error} />}
      <form ref={form} className={styles.form} onSubmit={submit}>
        <input type="hidden" name="username" autoComplete="username" value={login} readOnly />
        <Field
          label={text('security.password.present')}
          name="present"
          type="password"
          autoComplete="current-password"
          isRequired
          error={ofPresent.has(code) ? says : undefined}
        />
        <Field
          label={text('security.password.new')}
          name="new"
          type="password"
          autoComplete="new-password"
          isRequired
          error={ofNew.has(code) ? says : undefined}
        />
        <Field
          label={text('security.password.repeat')}
          name="repeat"
          type="password"
          autoComplete="new-password"
          isRequired
          error={isDifferent ? text('security.password.differ') : undefined}
        />
        <div>
          <Button variant="primary" type="submit" isPending={change.isPending}>
            {text('security.password.submit')}
          </Button>
        </div>
      </form>
    </Section>
  );
}
