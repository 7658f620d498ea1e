// Tokens for scripts: made with the password typed again, shown once, listed and ended like sign-ins.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api, problemOf } from '../api/client.ts';
import { Button } from '../design/button.tsx';
import { Code } from '../design/code.tsx';
import { Dialog } from '../design/dialog.tsx';
import { Field } from '../design/field.tsx';
import { Select } from '../design/select.tsx';
import { Refused } from '../design/states.tsx';
import { readForm } from '../frame/form-fields.ts';
import { Text, useFormats, useProblemText, useText } from '../language/text.tsx';
import styles from './security.module.css';
import { SignInList } from './sign-ins.tsx';

const livesDays = ['30', '90', '366'] as const;
type Days = (typeof livesDays)[number];
const ofPassword = new Set(['password_wrong', 'sign_in_locked']);

export function Tokens(): ReactNode {
  const text = useText();
  const formats = useFormats();
  const queryClient = useQueryClient();
  const [isOpen, setIsOpen] = useState(false);
  const [days, setDays] = useState<Days>('90');
  const create = useMutation({
    mutationFn: (body: { name: string; expiresInDays: number; password: string }) => api.post('/v1/tokens', body),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['/v1/sign-ins'] }),
  });
  const code = problemOf(create.error)?.code ?? '';
  const says = useProblemText(create.error);
  const close = (): void => {
    setIsOpen(false);
    create.reset();
  };

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const { name, password } = readForm(event.currentTarget, 'name', 'password');
    create.mutate({ name: name.trim(), expiresInDays: Number(days), password });
  }

  const made = create.data;
  return (
    <>
      <SignInList
        sort="token"
        titleId="security.tokens.title"
        leadId="security.tokens.lead"
        actions={
          <Button icon="add" onPress={() => setIsOpen(true)}>
            {text('security.tokens.add')}
          </Button>
        }
      />
      <Dialog
        title={text('security.tokens.add')}
        isOpen={isOpen}
        onClose={close}
        // A token is shown once: only a button closes what shows it.
        role={made === undefined ? 'dialog' : 'alertdialog'}
        actions={
          made === undefined ? (
            <Button variant="primary" type="submit" form="new-token" isPending={create.isPending}>
              {text('security.tokens.make')}
            </Button>
          ) : (
            <Button variant="primary" onPress={close}>
              {text('security.tokens.kept')}
            </Button>
          )
        }
      >
        {made === undefined ? (
          <form id="new-token" className={styles.form} onSubmit={submit}>
            {create.isError && !ofPassword.has(code) && <Refused problem={create.error} />}
            <Field
              label={text('security.tokens.name')}
              description={text('security.tokens.nameHint')}
              name="name"
              maxLength={64}
              isRequired
            />
            <Select
              label={text('security.tokens.life')}
              items={livesDays.map((id) => ({ id, text: text('security.tokens.days', { days: Number(id) }) }))}
              value={days}
              onChange={setDays}
            />
            <Field
              label={text('security.tokens.password')}
              name="password"
              type="password"
              autoComplete="current-password"
              isRequired
              error={ofPassword.has(code) ? says : undefined}
            />
          </form>
        ) : (
          <div className={styles.form}>
            <p>
              <Text id="security.tokens.once" values={{ at: formats.instant(made.expiresAt) }} />
            </p>
            <Code label={text('security.tokens.token')} text={made.token} />
          </div>
        )}
      </Dialog>
    </>
  );
}
