// Examples of what is told: marks, banners, states, progress.
import type { ReactNode } from 'react';
import { Problem } from '../../api/problem.ts';
import { Banner } from '../banner.tsx';
import { Button } from '../button.tsx';
import { Meter, Progress } from '../progress.tsx';
import { Section } from '../section.tsx';
import { Empty, Loading, Offline, Refused } from '../states.tsx';
import { StatusMark } from '../status-mark.tsx';
import type { Sample } from './sample.ts';
import styles from './showcase.module.css';

export function Notes({ sample }: { sample: Sample }): ReactNode {
  return (
    <Section title="States and notes">
      <div className={styles.row}>
        <StatusMark tone="good" text={sample.delivered} />
        <StatusMark tone="wait" text={sample.waiting} />
        <StatusMark tone="warn" text={sample.expiring} />
        <StatusMark tone="bad" text={sample.refused} />
        <StatusMark tone="quiet" text={sample.withdrawn} />
      </div>
      <Offline onRetry={() => {}} />
      <Banner tone="warn" title={sample.bannerTitle} actions={<Button>{sample.save}</Button>}>
        {sample.bannerText}
      </Banner>
      <Banner tone="good" title={sample.sentence} />
      <Banner tone="wait" title={sample.waiting}>
        {sample.lead}
      </Banner>
      <Banner tone="quiet" title={sample.withdrawn} />
      <Refused problem={new Problem({ status: 0, code: 'unreachable' })} onRetry={() => {}} />
      <Loading />
      <Empty title={sample.emptyTitle} icon="document" actions={<Button>{sample.save}</Button>}>
        {sample.emptyText}
      </Empty>
      <div className={styles.grid}>
        <Progress label={sample.download} value={12} max={40} text="12 / 40" />
        <Progress label={sample.download} value={undefined} text="…" />
        <Meter label={sample.account} value={30} max={100} text="30 / 100" warnFrom={90} />
        <Meter label={sample.account} value={93} max={100} text="93 / 100" warnFrom={90} />
      </div>
    </Section>
  );
}
