// How far something has come, and how much of a limit is used.
import type { ReactNode } from 'react';
import { Label } from 'react-aria-components/Label';
import { Meter as AriaMeter } from 'react-aria-components/Meter';
import { ProgressBar } from 'react-aria-components/ProgressBar';
import styles from './progress.module.css';

interface ProgressProps {
  readonly label: string;
  /** Undefined while nobody knows how much there is. */
  readonly value: number | undefined;
  readonly max?: number;
  /** The value in words: "12 of 40 files". */
  readonly text: string;
}

export function Progress({ label, value, max = 100, text }: ProgressProps): ReactNode {
  return (
    <ProgressBar
      className={styles.measure ?? ''}
      isIndeterminate={value === undefined}
      value={value ?? 0}
      maxValue={max}
      valueLabel={text}
    >
      {({ percentage }) => <Bar label={label} text={text} percentage={percentage} isFull={false} />}
    </ProgressBar>
  );
}

interface MeterProps {
  readonly label: string;
  readonly value: number;
  readonly max: number;
  readonly text: string;
  /** From here on the bar is drawn as a warning; the text says it in words. */
  readonly warnFrom?: number;
}

export function Meter({ label, value, max, text, warnFrom = Number.POSITIVE_INFINITY }: MeterProps): ReactNode {
  return (
    <AriaMeter className={styles.measure ?? ''} value={value} maxValue={max} valueLabel={text}>
      {({ percentage }) => <Bar label={label} text={text} percentage={percentage} isFull={value >= warnFrom} />}
    </AriaMeter>
  );
}

interface BarProps {
  readonly label: string;
  readonly text: string;
  readonly percentage: number | undefined;
  readonly isFull: boolean;
}

// SVG takes the length as an attribute, which no policy for styles refuses.
function Bar({ label, text, percentage, isFull }: BarProps): ReactNode {
  return (
    <>
      <div className={styles.words}>
        <Label>{label}</Label>
        <span className={styles.value}>{text}</span>
      </div>
      <svg className={styles.bar} aria-hidden="true">
        <rect className={styles.track} width="100%" height="100%" />
        {percentage === undefined ? (
          <rect className={styles.moving} width="25%" height="100%" />
        ) : (
          <rect className={isFull ? styles.warn : styles.fill} width={`${percentage}%`} height="100%" />
        )}
      </svg>
    </>
  );
}
