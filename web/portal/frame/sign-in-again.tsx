// A sign-in that ends while a page is open: the password is asked for over the page, and what was typed into it stays.
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { api, onSignInEnded } from '../api/client.ts';
import { useMe } from '../api/me.ts';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { Field } from '../design/field.tsx';
import { Text, useProblemText, useText } from '../language/text.tsx';
import { readForm } from './form-fields.ts';
import styles from './frame.module.css';

interface Waiting {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(reason: unknown): void;
}

export function SignInAgain(): ReactNode {
  const text = useText();
  const { login } = useMe();
  const [isOpen, setIsOpen] = useState(false);
  const [isPending, setIsPending] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const says = useProblemText(problem);
  // Everything that was declined meanwhile waits for the same answer.
  const waiting = useRef<Waiting | undefined>(undefined);

  useEffect(() => {
    onSignInEnded(() => {
      waiting.current ??= Promise.withResolvers<void>();
      setIsOpen(true);
      return waiting.current.promise;
    });
  }, []);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const { password } = readForm(event.currentTarget, 'password');
    setIsPending(true);
    try {
      await api.post('/v1/sign-ins', { login, password });
      setProblem(undefined);
      setIsOpen(false);
      waiting.current?.resolve();
      waiting.current = undefined;
    } catch (thrown) {
      setProblem(thrown);
    } finally {
      setIsPending(false);
    }
  }

  const leave = (): void => location.assign(`/sign-in?${new URLSearchParams({ next: here() }).toString()}`);
  return (
    <Dialog
      role="alertdialog"
      title={text('frame.ended.title')}
      isOpen={isOpen}
      onClose={() => undefined}
      actions={
        <>
          <Button onPress={leave}>{text('frame.ended.leave')}</Button>
          <Button variant="primary" type="submit" form="sign-in-again" isPending={isPending}>
            {text('frame.ended.submit')}
          </Button>
        </>
      }
    >
      <form id="sign-in-again" className={styles.form} onSubmit={(event) => void submit(event)}>
        <p>
          <Text id="frame.ended.lead" />
        </p>
        <Field label={text('frame.ended.login')} value={login} isReadOnly autoComplete="username" />
        <Field
          label={text('frame.ended.password')}
          name="password"
          type="password"
          autoComplete="current-password"
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog asks for this one thing
          autoFocus
          error={problem === undefined ? undefined : says}
        />
      </form>
    </Dialog>
  );
}

const here = (): string => `${location.pathname}${location.search}${location.hash}`;
