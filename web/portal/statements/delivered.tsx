// Where a statement is on its way to the client, and for which key it is encrypted.
import type { ReactNode } from 'react';
import type { Statement } from '../api/operations.ts';
import { StatusMark } from '../design/status-mark.tsx';
import { useText } from '../language/text.tsx';

export function Delivered({ statement }: { readonly statement: Statement }): ReactNode {
  const text = useText();
  const { state, delivery } = statement;
  if (state !== 'available') return <StatusMark tone="quiet" text={text(`word.statement_state.${state}`)} />;
  if (delivery === null) return <StatusMark tone="quiet" text={text('statements.inPortal')} />;
  if (delivery.state === 'waiting') return <StatusMark tone="wait" text={text('statements.waiting')} />;
  if (!delivery.isEncrypted) return <StatusMark tone="good" text={text('statements.inClear')} />;
  return <StatusMark tone="good" text={text('statements.encryptedFor', { key: shortKey(delivery.subkeyId ?? '') })} />;
}

/** The last 8 digits, as OpenPGP programs show a key in lists. */
const shortKey = (id: string): string => id.slice(-8).toUpperCase();
