// What happened to a statement, from its issue to the day it will be gone: who fetched it, from where and how much.
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { Receipt, TimelineStep } from '../api/operations.ts';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { Timeline } from '../design/timeline.tsx';
import type { Tone } from '../design/tone.ts';
import { useFormats, useText } from '../language/text.tsx';

const toneOf: Readonly<Record<TimelineStep['step'], Tone>> = {
  issued: 'good',
  waiting: 'wait',
  encrypted: 'good',
  published: 'good',
  fetched: 'good',
  withdrawn: 'warn',
  expired: 'quiet',
  expires: 'quiet',
};

export function StatementTimeline({ statementId }: { readonly statementId: string }): ReactNode {
  const text = useText();
  const timeline = useQuery(api.one('/v1/statements/{statementId}/timeline', { params: { statementId } }));
  const detailOf = useDetail();
  const steps = timeline.data?.steps ?? [];
  return (
    <Section title={text('statements.timeline')}>
      {timeline.isError && (
        <Refused problem={timeline.error} onRetry={() => void timeline.refetch()} isRetrying={timeline.isFetching} />
      )}
      {timeline.isPending && <Loading />}
      {timeline.data && steps.length === 0 && <Empty title={text('statements.timelineEmpty')} icon="clock" />}
      {steps.length > 0 && (
        <Timeline
          label={text('statements.timeline')}
          items={steps.map((step) => ({
            at: step.at,
            title: text(`word.timeline_step.${step.step}`),
            detail: detailOf(step),
            tone: step.receipt?.isCut ? 'warn' : toneOf[step.step],
          }))}
        />
      )}
    </Section>
  );
}

function useDetail(): (step: TimelineStep) => ReactNode {
  const text = useText();
  const receiptText = useReceiptText();
  const formats = useFormats();
  return ({ step, at, waitsFor, subkeyId, receipt }) => {
    if (receipt !== undefined) return receiptText(receipt);
    if (step === 'expires') return formats.relative(at);
    if (subkeyId !== undefined) return text('statements.encryptedFor', { key: subkeyId.toUpperCase() });
    if (waitsFor === 'connection' || waitsFor === 'usable_key' || waitsFor === 'encryption')
      return text(`word.waits_for.${waitsFor}`);
    return undefined;
  };
}

/** "SFTP from 203.0.113.7, 48 kB of 48 kB, with the key SHA256:…". */
function useReceiptText(): (receipt: Receipt) => ReactNode {
  const text = useText();
  const formats = useFormats();
  return ({ face, address, sentBytes, sizeBytes, isWhole, keyFingerprint }) => (
    <>
      <p>
        {text('statements.fetchedBy', {
          face: text(`word.face.${face}`),
          address: address ?? '–',
        })}
      </p>
      {!isWhole && (
        <p>{text('statements.fetchedPart', { sent: formats.bytes(sentBytes), size: formats.bytes(sizeBytes) })}</p>
      )}
      {keyFingerprint !== null && (
        <p>
          <bdi dir="ltr">{keyFingerprint}</bdi>
        </p>
      )}
    </>
  );
}
