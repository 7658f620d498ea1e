// One switch: whether every statement is encrypted to the client's OpenPGP key.
import { useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api } from '../api/client.ts';
import { Switch } from '../design/choices.tsx';
import { ConfirmDialog } from '../design/dialog.tsx';
import { Section } from '../design/section.tsx';
import { Refused } from '../design/states.tsx';
import { useText } from '../language/text.tsx';
import { useReadAgain } from './read-again.ts';

const usable: ReadonlySet<string> = new Set(['imported', 'enabled', 'expiring']);

export function Encryption(): ReactNode {
  const text = useText();
  const readAgain = useReadAgain();
  const keys = useQuery(api.one('/v1/delivery/keys'));
  const [isAsking, setAsking] = useState(false);
  const turn = useMutation({
    mutationFn: (encryption: 'on' | 'off') => api.put('/v1/delivery/encryption', { encryption }),
    async onSuccess() {
      setAsking(false);
      await readAgain();
    },
  });
  if (keys.data === undefined) return null;
  const { encryption, openPgpKeys } = keys.data;
  const hasKey = openPgpKeys.some(({ state }) => usable.has(state));
  const shown = turn.isPending ? turn.variables : encryption;
  return (
    <Section title={text('delivery.encryption.title')}>
      {turn.isError && <Refused problem={turn.error} />}
      <Switch
        label={text('delivery.encryption.switch')}
        description={text(hasKey ? 'delivery.encryption.lead' : 'delivery.encryption.noKey')}
        value={shown === 'on'}
        isDisabled={!hasKey && encryption === 'off'}
        onChange={(isOn) => (isOn ? turn.mutate('on') : setAsking(true))}
      />
      <ConfirmDialog
        title={text('delivery.encryption.off')}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => turn.mutate('off')}
        confirm={text('delivery.encryption.offDo')}
        variant="danger"
        isPending={turn.isPending}
      >
        {text('delivery.encryption.offLead')}
      </ConfirmDialog>
    </Section>
  );
}
