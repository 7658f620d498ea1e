// What all workers together did in the last hours, as small charts.
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { useIntl } from 'react-intl';
import { api } from '../api/client.ts';
import type { Series } from '../api/operations.ts';
import { PageTitle } from '../design/page-title.tsx';
import { Select } from '../design/select.tsx';
import { type ChartPoint, SmallChart } from '../design/small-chart.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import { freshMs } from './fresh.ts';
import styles from './operations.module.css';

const spans = ['1', '6', '24'] as const;
const measures = ['answers', 'refused', 'failed', 'connections', 'streams', 'rssBytes', 'lagMs'] as const;
type Measure = (typeof measures)[number];
type Point = Series['points'][number];

// One point draws no line.
const pointsMin = 2;
const millisecond = { style: 'unit', unit: 'millisecond', maximumFractionDigits: 1 } as const;

export default function Load(): ReactNode {
  const text = useText();
  const [hours, setHours] = useState<(typeof spans)[number]>('1');
  const series = useQuery({
    ...api.one('/v1/operations/series', { query: { hours: Number(hours) } }),
    refetchInterval: freshMs,
  });
  return (
    <>
      <PageTitle title={text('page.operationsLoad')} lead={<Text id="operations.load.lead" />} />
      <div className={styles.filters}>
        <Select
          label={text('operations.load.span')}
          items={spans.map((id) => ({ id, text: text('operations.load.hours', { hours: Number(id) }) }))}
          value={hours}
          onChange={setHours}
        />
      </div>
      {series.isError && <Refused problem={series.error} onRetry={() => void series.refetch()} />}
      {series.isPending && <Loading />}
      {series.data && series.data.points.length < pointsMin && (
        <Empty title={text('operations.load.empty')} icon="clock" />
      )}
      {series.data && series.data.points.length >= pointsMin && <Charts points={series.data.points} />}
    </>
  );
}

function Charts({ points }: { readonly points: readonly Point[] }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const intl = useIntl();
  const charts = useMemo(() => {
    const say = (measure: Measure, value: number): string => {
      if (measure === 'rssBytes') return formats.bytes(value);
      return measure === 'lagMs' ? formats.number(value, millisecond) : formats.number(value);
    };
    // A day and a minute tell the points of any span apart.
    const clock = (at: string): string =>
      intl.formatDate(at, { weekday: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
    return measures.map((measure) => ({
      measure,
      points: points.map(
        (point): ChartPoint => ({
          text: clock(point.at),
          value: point[measure],
          valueText: say(measure, point[measure]),
        }),
      ),
    }));
  }, [points, formats, intl]);
  return (
    <div className={styles.charts}>
      {charts.map(({ measure, points: drawn }) => (
        <SmallChart
          key={measure}
          label={text(`operations.load.${measure}`)}
          points={drawn}
          table={{ point: text('operations.load.at'), value: text(`operations.load.${measure}`) }}
        />
      ))}
    </div>
  );
}
