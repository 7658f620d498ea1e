// The open sign-ins of this login, where they came from and when, each with its end; those that ended are listed below on demand.
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api } from '../api/client.ts';
import type { SignIn } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { Switch } from '../design/choices.tsx';
import { ConfirmDialog } from '../design/dialog.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import styles from './security.module.css';

const isOpen = (signIn: SignIn): boolean => signIn.endedAt === null && Date.parse(signIn.expiresAt) > Date.now();

export function SignIns(): ReactNode {
  return <SignInList sort="password" titleId="security.signIns.title" leadId="security.signIns.lead" />;
}

/** Sign-ins with a password, or tokens: the same list with other words. */
export function SignInList({
  sort,
  titleId,
  leadId,
  actions,
}: {
  readonly sort: SignIn['sort'];
  readonly titleId: 'security.signIns.title' | 'security.tokens.title';
  readonly leadId: 'security.signIns.lead' | 'security.tokens.lead';
  readonly actions?: ReactNode;
}): ReactNode {
  const text = useText();
  const queryClient = useQueryClient();
  const [asked, setAsked] = useState<SignIn>();
  const [showsEnded, setShowsEnded] = useState(false);
  const signIns = useInfiniteQuery(api.list('/v1/sign-ins'));
  const end = useMutation({
    mutationFn: ({ id }: SignIn) => api.delete('/v1/sign-ins/{signInId}', { params: { signInId: id } }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['/v1/sign-ins'] }),
    onSuccess: () => setAsked(undefined),
  });
  const rows = signIns.data?.filter((each) => each.sort === sort && (showsEnded || isOpen(each)));
  return (
    <Section title={text(titleId)} lead={text(leadId)} actions={actions}>
      {signIns.isError && <Refused problem={signIns.error} onRetry={() => void signIns.refetch()} />}
      {signIns.isPending && <Loading />}
      {rows?.length === 0 && <Empty title={text(`security.${sort}.empty`)} />}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles -- WebKit takes a list without marks for no list */}
      <ul className={styles.list} role="list">
        {rows?.map((row) => (
          <SignInRow key={row.id} signIn={row} onEnd={() => setAsked(row)} />
        ))}
      </ul>
      {signIns.hasNextPage && (
        <Button onPress={() => void signIns.fetchNextPage()} isPending={signIns.isFetchingNextPage}>
          {text('security.more')}
        </Button>
      )}
      <Switch label={text('security.showEnded')} value={showsEnded} onChange={setShowsEnded} />
      <ConfirmDialog
        title={text(`security.${sort}.endTitle`)}
        isOpen={asked !== undefined}
        onClose={() => setAsked(undefined)}
        onConfirm={() => asked && end.mutate(asked)}
        confirm={text('security.end')}
        variant="danger"
        isPending={end.isPending}
      >
        {end.isError && <Refused problem={end.error} />}
        <p>
          <Text id={`security.${sort}.endLead`} />
        </p>
      </ConfirmDialog>
    </Section>
  );
}

function SignInRow({ signIn, onEnd }: { readonly signIn: SignIn; readonly onEnd: () => void }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const name = signIn.name ?? signIn.address ?? text('security.noAddress');
  return (
    <li className={styles.row}>
      <div className={styles.facts}>
        <p className={styles.name}>
          <bdi>{name}</bdi>
        </p>
        <p className={styles.detail}>
          {text('security.opened', { at: formats.instant(signIn.createdAt) })}
          {' · '}
          {text('security.used', { ago: formats.relative(signIn.usedAt) })}
          {isOpen(signIn) && ` · ${text('security.expires', { at: formats.instant(signIn.expiresAt) })}`}
        </p>
      </div>
      {signIn.isCurrent ? (
        <StatusMark tone="good" text={text('security.current')} />
      ) : isOpen(signIn) ? (
        <Button onPress={onEnd}>{text('security.endOf', { name })}</Button>
      ) : (
        <StatusMark tone="quiet" text={text('security.ended')} />
      )}
    </li>
  );
}
