// The life of a statement: issued, encrypted for which key, published, fetched by whom, and when it goes.
import type { ReactNode } from 'react';
import { useIntl } from 'react-intl';
import type { Receipt, TimelineStep } from '../api/operations.ts';
import { Timeline } from '../design/timeline.tsx';
import type { Tone } from '../design/tone.ts';
import { useFormats, useText } from '../language/text.tsx';
import styles from './desk.module.css';

const tones: Readonly<Record<TimelineStep['step'], Tone>> = {
  issued: 'good',
  waiting: 'wait',
  encrypted: 'good',
  published: 'good',
  fetched: 'good',
  withdrawn: 'bad',
  expired: 'quiet',
  expires: 'quiet',
};

export function StatementTimeline({ steps }: { readonly steps: readonly TimelineStep[] }): ReactNode {
  const text = useText();
  return (
    <Timeline
      label={text('desk.timeline')}
      items={steps.map((step) => ({
        at: step.at,
        title: text(`word.timeline_step.${step.step}`),
        tone: step.receipt?.isCut ? 'warn' : tones[step.step],
        ...(hasDetail(step) && { detail: <StepDetail step={step} /> }),
      }))}
    />
  );
}

const hasDetail = ({ waitsFor, certificateFingerprint, reason, receipt }: TimelineStep): boolean =>
  waitsFor !== undefined || certificateFingerprint !== undefined || reason !== undefined || receipt !== undefined;

function StepDetail({ step }: { readonly step: TimelineStep }): ReactNode {
  const text = useText();
  const intl = useIntl();
  const { waitsFor, certificateFingerprint, subkeyId, reason, receipt } = step;
  if (receipt !== undefined) return <ReceiptDetail receipt={receipt} />;
  if (reason !== undefined) return <span dir="auto">{reason}</span>;
  if (certificateFingerprint !== undefined)
    return (
      <>
        {text('desk.timeline.key')}{' '}
        <bdi dir="ltr" className={styles.code}>
          {certificateFingerprint}
          {subkeyId !== undefined && ` / ${subkeyId}`}
        </bdi>
      </>
    );
  const id = `word.waits_for.${waitsFor}`;
  return Object.hasOwn(intl.messages, id) ? intl.formatMessage({ id }) : waitsFor;
}

function ReceiptDetail({ receipt }: { readonly receipt: Receipt }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const isClient = receipt.actor.startsWith('client:');
  return (
    <>
      <p>
        {formats.list([
          text(isClient ? 'word.who.client' : 'word.who.operator'),
          text(`word.face.${receipt.face}`),
          text(`word.receipt_form.${receipt.form}`),
          receipt.isWhole
            ? formats.bytes(receipt.sentBytes)
            : text('desk.timeline.part', {
                sent: formats.bytes(receipt.sentBytes),
                whole: formats.bytes(receipt.sizeBytes),
              }),
        ])}
      </p>
      {receipt.address !== null && (
        <p>
          {text('desk.timeline.from')} <bdi dir="ltr">{receipt.address}</bdi>
        </p>
      )}
      {receipt.keyFingerprint !== null && (
        <p className={styles.code}>
          <bdi dir="ltr">{receipt.keyFingerprint}</bdi>
        </p>
      )}
    </>
  );
}
