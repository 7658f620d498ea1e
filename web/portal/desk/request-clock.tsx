// How much of its two business days a request has left: the clock runs from the client's confirmation.
import type { ReactNode } from 'react';
import type { DeliveryRequest } from '../api/operations.ts';
import { StatusMark } from '../design/status-mark.tsx';
import { useFormats, useText } from '../language/text.tsx';
import { useMinute } from './minute.ts';

// From here on somebody should look at it today.
const soonMs = 6 * 3_600_000;

type Timed = Pick<DeliveryRequest, 'confirmedAt' | 'dueAt' | 'finishedAt' | 'isLate'>;

export function RequestClock({ request }: { readonly request: Timed }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const nowMs = useMinute();
  const { confirmedAt, dueAt, finishedAt, isLate } = request;
  if (finishedAt !== null)
    return (
      <StatusMark
        tone={isLate ? 'warn' : 'quiet'}
        text={text(isLate ? 'desk.clock.finishedLate' : 'desk.clock.finished', {
          ago: formats.relative(finishedAt, nowMs),
        })}
      />
    );
  if (confirmedAt === null) return <StatusMark tone="quiet" text={text('desk.clock.stands')} />;
  const due = formats.instant(dueAt);
  if (isLate || Date.parse(dueAt) < nowMs) return <StatusMark tone="bad" text={text('desk.clock.late', { due })} />;
  const isSoon = Date.parse(dueAt) - nowMs < soonMs;
  return <StatusMark tone={isSoon ? 'warn' : 'wait'} text={text('desk.clock.due', { due })} />;
}
