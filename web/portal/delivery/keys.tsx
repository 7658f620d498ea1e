// The keys on file: what they are, since when, and how to end one.
import { useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api } from '../api/client.ts';
import type { OpenPgpKey, SshKey } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { Switch } from '../design/choices.tsx';
import { ConfirmDialog } from '../design/dialog.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { Tone } from '../design/tone.ts';
import { useFormats, useText } from '../language/text.tsx';
import styles from './delivery.module.css';
import { useEndReason } from './end-reason.ts';
import { KeyHandIn } from './key-hand-in.tsx';
import { useReadAgain } from './read-again.ts';

type Key = { readonly sort: 'ssh'; readonly key: SshKey } | { readonly sort: 'openpgp'; readonly key: OpenPgpKey };

const toneOf: Readonly<Record<Key['key']['state'], Tone>> = {
  submitted: 'wait',
  checked: 'warn',
  confirmed: 'wait',
  approved: 'wait',
  active: 'good',
  imported: 'good',
  enabled: 'good',
  expiring: 'warn',
  refused: 'bad',
  replaced: 'quiet',
  revoked: 'quiet',
  expired: 'quiet',
};
const inForce: ReadonlySet<string> = new Set(['active', 'imported', 'enabled', 'expiring']);
const ended: ReadonlySet<string> = new Set(['refused', 'replaced', 'revoked', 'expired']);

export function Keys(): ReactNode {
  const text = useText();
  const keys = useQuery(api.one('/v1/delivery/keys'));
  const [isAll, setAll] = useState(false);
  const all: readonly Key[] = [
    ...(keys.data?.sshKeys ?? []).map((key) => ({ sort: 'ssh', key }) as const),
    ...(keys.data?.openPgpKeys ?? []).map((key) => ({ sort: 'openpgp', key }) as const),
  ];
  const shown = all.filter(({ key }) => isAll || !ended.has(key.state));
  return (
    <Section title={text('delivery.keys.title')} lead={text('delivery.keys.lead')} id="keys">
      <KeyHandIn hasSshKey={all.some(({ sort, key }) => sort === 'ssh' && key.state === 'active')} />
      {keys.isError && <Refused problem={keys.error} onRetry={() => void keys.refetch()} />}
      {keys.isPending && <Loading />}
      {keys.data && shown.length === 0 && <Empty title={text('delivery.keys.none')} icon="key" />}
      {shown.length > 0 && (
        // oxlint-disable-next-line jsx-a11y/no-redundant-roles -- WebKit takes a list without marks for no list
        <ul role="list" aria-label={text('delivery.keys.title')}>
          {shown.map((one) => (
            <Row key={one.key.id} one={one} />
          ))}
        </ul>
      )}
      {all.some(({ key }) => ended.has(key.state)) && (
        <Switch label={text('delivery.keys.showEnded')} value={isAll} onChange={setAll} />
      )}
    </Section>
  );
}

function Row({ one }: { readonly one: Key }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const reasonOf = useEndReason();
  const readAgain = useReadAgain();
  const [isAsking, setAsking] = useState(false);
  const { sort, key } = one;
  const end = useMutation({
    mutationFn: () => api.post('/v1/delivery/keys/{keyId}/end', {}, { params: { keyId: key.id } }),
    async onSuccess() {
      setAsking(false);
      await readAgain();
    },
  });
  const names = one.sort === 'ssh' ? [one.key.comment ?? ''] : one.key.userIds;
  return (
    <li className={styles.row}>
      <div className={styles.facts}>
        <p className={styles.name}>
          {text(`word.key_sort.${sort}`)} {key.algorithm !== null && <bdi>{key.algorithm}</bdi>}
        </p>
        {names.filter(Boolean).map((name) => (
          <p key={name} dir="auto">
            {name}
          </p>
        ))}
        <p className={styles.detail}>
          <bdi dir="ltr">{key.fingerprint}</bdi>
        </p>
        <p className={styles.detail}>
          {text('delivery.keys.handedIn', { at: formats.instant(key.submittedAt) })}
          {key.expiresAt !== null && ` · ${text('delivery.keys.expires', { at: formats.instant(key.expiresAt) })}`}
        </p>
        {key.reason !== null && <p dir="auto">{reasonOf(key.reason)}</p>}
      </div>
      <StatusMark
        tone={toneOf[key.state]}
        text={
          one.sort === 'ssh'
            ? text(`word.ssh_key_state.${one.key.state}`)
            : text(`word.certificate_state.${one.key.state}`)
        }
      />
      {inForce.has(key.state) && (
        <Button icon="close" onPress={() => setAsking(true)}>
          {text('delivery.keys.end', { fingerprint: shortOf(key.fingerprint ?? '') })}
        </Button>
      )}
      <ConfirmDialog
        title={text('delivery.keys.endTitle')}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => end.mutate()}
        confirm={text('delivery.keys.endDo')}
        variant="danger"
        isPending={end.isPending}
      >
        {end.isError ? <Refused problem={end.error} /> : text('delivery.keys.endLead')}
      </ConfirmDialog>
    </li>
  );
}

const shortOf = (fingerprint: string): string => fingerprint.replace(/^SHA256:/, '').slice(0, 8);
