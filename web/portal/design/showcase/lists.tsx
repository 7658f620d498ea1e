// Examples of what is read: facts, code, a timeline, a chart.
import { lazy, type ReactNode, Suspense } from 'react';
import { useFormats } from '../../language/text.tsx';
import { Code } from '../code.tsx';
import { Facts } from '../facts.tsx';
import { Section } from '../section.tsx';
import { StatusMark } from '../status-mark.tsx';
import { Timeline } from '../timeline.tsx';
import type { Sample } from './sample.ts';

const SmallChart = lazy(async () => ({ default: (await import('../small-chart.tsx')).SmallChart }));
const command = 'sftp -i ~/.ssh/id_ed25519 -P 2222 u1234567@statements.example.com:/statements/2026/11/';
const amounts = [12, 18, 9, 24, 31, 28, 35, 22, 40, 38, 44, 51];

export function Lists({ sample }: { sample: Sample }): ReactNode {
  const formats = useFormats();
  const [issued, encrypted, published, fetched, expires] = sample.timeline;
  return (
    <Section title="Facts, code, timeline, chart">
      <Facts
        items={[
          { term: sample.name, value: <bdi>Office</bdi> },
          { term: sample.account, value: formats.number(1234567.5, { minimumFractionDigits: 2 }) },
          { term: sample.period, value: formats.date('2026-11-24') },
          { term: sample.columns[4]!, value: <StatusMark tone="good" text={sample.delivered} /> },
        ]}
      />
      <Code label={sample.download} text={command} />
      <Timeline
        label={sample.statement}
        items={[
          { at: '2026-11-24T06:00:00Z', title: issued, tone: 'good' },
          { at: '2026-11-24T06:00:02Z', title: encrypted, detail: sample.nameHelp, tone: 'good' },
          { at: '2026-11-24T06:00:03Z', title: published, tone: 'good' },
          { at: '2026-11-24T07:12:40Z', title: fetched, detail: <bdi>203.0.113.7</bdi>, tone: 'warn' },
          { at: undefined, title: expires, tone: 'quiet' },
        ]}
      />
      <Suspense>
        <SmallChart
          label={sample.statement}
          points={amounts.map((value, month) => ({
            text: formats.date(`2026-${String(month + 1).padStart(2, '0')}-01`),
            value,
            valueText: formats.number(value),
          }))}
          table={{ point: sample.period, value: sample.columns[3]! }}
        />
        <SmallChart
          kind="bars"
          label={sample.delivered}
          points={amounts.map((value, month) => ({
            text: formats.date(`2026-${String(month + 1).padStart(2, '0')}-01`),
            value,
            valueText: formats.number(value),
          }))}
          table={{ point: sample.period, value: sample.columns[3]! }}
        />
      </Suspense>
    </Section>
  );
}
