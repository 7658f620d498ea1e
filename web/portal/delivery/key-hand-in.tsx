// Handing in a public key by file or by its text, with the verdict at once. A private key is caught here and goes nowhere.
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api } from '../api/client.ts';
import type { DeliveryRequest } from '../api/operations.ts';
import { Banner } from '../design/banner.tsx';
import { Button } from '../design/button.tsx';
import { RadioGroup } from '../design/choices.tsx';
import { Code } from '../design/code.tsx';
import { Field } from '../design/field.tsx';
import { FileDrop } from '../design/file-drop.tsx';
import { Select } from '../design/select.tsx';
import { Refused } from '../design/states.tsx';
import { useFormats, useText } from '../language/text.tsx';
import styles from './delivery.module.css';
import { holdsPrivateKey } from './private-key.ts';
import { useReadAgain } from './read-again.ts';

/** Units: bytes. As the intake takes at most. */
const keyMax = 65_536;
const livesDays = ['30', '90', '180', '365'] as const;
type Days = (typeof livesDays)[number];
const dayMs = 86_400_000;

export function KeyHandIn({ hasSshKey }: { readonly hasSshKey: boolean }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const readAgain = useReadAgain();
  const [typed, setTyped] = useState('');
  const [isPrivate, setPrivate] = useState(false);
  const [purpose, setPurpose] = useState<'replace' | 'add'>('replace');
  const [days, setDays] = useState<Days>('90');
  const handIn = useMutation({
    mutationFn: (key: Blob) =>
      api.post('/v1/delivery/keys', new Blob([key], { type: 'application/octet-stream' }), {
        query:
          hasSshKey && purpose === 'add'
            ? { purpose, expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() }
            : {},
      }),
    async onSuccess() {
      setTyped('');
      await readAgain();
    },
  });

  async function check(file: Blob): Promise<string | undefined> {
    handIn.reset();
    const isOne = await holdsPrivateKey(new Uint8Array(await file.arrayBuffer()));
    setPrivate(isOne);
    if (isOne) return text('delivery.keys.privateShort');
    if (file.size > keyMax) return text('refusal.key_too_large', { limitBytes: formats.bytes(keyMax) });
    return undefined;
  }

  /** What is pasted is looked at before it stands in the field. */
  async function type(value: string): Promise<void> {
    setTyped(value);
    if (value === '') return;
    if ((await check(new Blob([value]))) !== undefined) setTyped('');
  }

  /** Looked at once more: it may be pressed before the first look is over. */
  async function handInTyped(): Promise<void> {
    const key = new Blob([typed]);
    if ((await check(key)) === undefined) handIn.mutate(key);
    else setTyped('');
  }

  return (
    <div className={styles.form}>
      {hasSshKey && (
        <RadioGroup
          label={text('delivery.keys.purpose')}
          description={text('delivery.keys.purposeHint')}
          items={[
            { id: 'replace', text: text('delivery.keys.replace') },
            { id: 'add', text: text('delivery.keys.addBeside') },
          ]}
          value={purpose}
          onChange={setPurpose}
        />
      )}
      {hasSshKey && purpose === 'add' && (
        <Select
          label={text('delivery.keys.ends')}
          items={livesDays.map((id) => ({ id, text: text('delivery.keys.days', { days: Number(id) }) }))}
          value={days}
          onChange={setDays}
        />
      )}
      <FileDrop
        label={text('delivery.keys.drop')}
        description={text('delivery.keys.dropHint')}
        accept=".pub,.asc,.key,.txt,.pgp,.gpg,.pem"
        check={check}
        onFile={(file) => handIn.mutate(file)}
        isPending={handIn.isPending}
      />
      <Field
        label={text('delivery.keys.paste')}
        description={text('delivery.keys.pasteHint')}
        multiline={{ rows: 3 }}
        isCode
        value={typed}
        onChange={(value) => void type(value)}
      />
      <div>
        <Button
          variant="primary"
          isDisabled={typed.trim() === ''}
          isPending={handIn.isPending}
          onPress={() => void handInTyped()}
        >
          {text('delivery.keys.handIn')}
        </Button>
      </div>
      {isPrivate && (
        <Banner tone="bad" live="alert" title={text('delivery.keys.private')}>
          {text('delivery.keys.privateLead')}
        </Banner>
      )}
      {handIn.isError && <Refused problem={handIn.error} title={text('delivery.keys.refused')} />}
      {handIn.data && <Taken request={handIn.data} />}
    </div>
  );
}

/** The verdict on what was taken: which key it is, and what comes next. */
function Taken({ request }: { readonly request: DeliveryRequest }): ReactNode {
  const text = useText();
  const byTime = (one: { submittedAt: string }, other: { submittedAt: string }): number =>
    Date.parse(other.submittedAt) - Date.parse(one.submittedAt);
  const [key] = [...request.sshKeys, ...request.openPgpKeys].toSorted(byTime);
  if (key === undefined) return null;
  return (
    <Banner
      tone="good"
      live="status"
      title={text('delivery.keys.taken', { algorithm: key.algorithm ?? '', bits: 'bits' in key ? (key.bits ?? 0) : 0 })}
    >
      {text('delivery.keys.takenLead')}
      <Code label={text('delivery.keys.fingerprint')} text={key.fingerprint ?? ''} />
    </Banner>
  );
}
