// A small chart: one line or one row of bars, and the same figures as a table for whoever would rather read.
import { type ReactNode, useId } from 'react';
import { useText } from '../language/text.tsx';
import styles from './small-chart.module.css';

export interface ChartPoint {
  /** Where on the axis, in words: a day, an hour. */
  readonly text: string;
  readonly value: number;
  /** The value in words, with its unit. */
  readonly valueText: string;
}

interface SmallChartProps {
  readonly label: string;
  readonly points: readonly ChartPoint[];
  /** The heads of the two columns of the table. */
  readonly table: { readonly point: string; readonly value: string };
  readonly kind?: 'line' | 'bars';
}

const width = 100;
const height = 40;

export function SmallChart({ label, points, table, kind = 'line' }: SmallChartProps): ReactNode {
  const text = useText();
  const id = useId();
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return null;
  // The axis begins at nought, so that a small change does not look like a large one.
  const top = points.reduce((most, point) => (point.value > most.value ? point : most), first);
  return (
    <figure className={styles.chart}>
      <figcaption className={styles.caption}>
        <span id={id} className={styles.label}>
          {label}
        </span>
        <span>{last.valueText}</span>
      </figcaption>
      <div className={styles.plot}>
        <span className={styles.top} aria-hidden="true">
          {top.valueText}
        </span>
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-labelledby={id}>
          <path d={`M0 0H${width}M0 ${height}H${width}`} className={styles.rule} />
          {kind === 'line' ? <Line points={points} max={top.value} /> : <Bars points={points} max={top.value} />}
        </svg>
        <div className={styles.axis} aria-hidden="true">
          <span>{first.text}</span>
          <span>{last.text}</span>
        </div>
      </div>
      <details className={styles.figures}>
        <summary>{text('design.figuresOf', { label })}</summary>
        <table aria-labelledby={id}>
          <thead>
            <tr>
              <th scope="col">{table.point}</th>
              <th scope="col">{table.value}</th>
            </tr>
          </thead>
          <tbody>
            {points.map((point) => (
              <tr key={point.text}>
                <th scope="row">{point.text}</th>
                <td>{point.valueText}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

interface DrawnProps {
  readonly points: readonly ChartPoint[];
  readonly max: number;
}

const heightOf = (value: number, max: number): number => (max <= 0 ? 0 : (Math.max(0, value) / max) * height);
const round = (value: number): number => Math.round(value * 100) / 100;

function Line({ points, max }: DrawnProps): ReactNode {
  const step = width / Math.max(1, points.length - 1);
  const line = points
    .map(({ value }, index) => `${round(index * step)} ${round(height - heightOf(value, max))}`)
    .join('L');
  return (
    <>
      <path d={`M0 ${height}L${line}L${round((points.length - 1) * step)} ${height}Z`} className={styles.area} />
      <path d={`M${line}`} className={styles.line} />
    </>
  );
}

function Bars({ points, max }: DrawnProps): ReactNode {
  const step = width / points.length;
  const bars = points.map(({ value }, index) => {
    const x = round((index + 0.15) * step);
    return `M${x} ${height}V${round(height - heightOf(value, max))}H${round(x + step * 0.7)}V${height}Z`;
  });
  return <path d={bars.join('')} className={styles.bar} />;
}
