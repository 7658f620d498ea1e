// Every part in every state, in the order in which a page is put together.
import { type ReactNode, useState } from 'react';
import { Icon, iconNames } from '../icons.tsx';
import { PageTitle } from '../page-title.tsx';
import { Section } from '../section.tsx';
import { Toasts } from '../toasts.tsx';
import { Actions } from './actions.tsx';
import { Fields } from './fields.tsx';
import { Lists } from './lists.tsx';
import { Notes } from './notes.tsx';
import { type Sample, sampleOf } from './sample.ts';
import styles from './showcase.module.css';
import { Tables } from './tables.tsx';

export function Showcase(): ReactNode {
  const [sample] = useState<Sample>(() => sampleOf(document.documentElement.lang));
  return (
    <>
      <main className={styles.page}>
        <PageTitle title={sample.title} lead={sample.lead} />
        <Type sample={sample} />
        <Actions sample={sample} />
        <Fields sample={sample} />
        <Notes sample={sample} />
        <Lists sample={sample} />
        <Tables sample={sample} />
        <Section title="Icons">
          <ul className={styles.icons}>
            {iconNames.map((name) => (
              <li key={name}>
                <Icon name={name} />
                <span>{name}</span>
              </li>
            ))}
          </ul>
        </Section>
      </main>
      <Toasts />
    </>
  );
}

const colours = [
  'paper',
  'paper-raised',
  'paper-sunken',
  'ink',
  'ink-soft',
  'hairline',
  'edge',
  'accent',
  'accent-wash',
  'good',
  'warn',
  'bad',
];

function Type({ sample }: { sample: Sample }): ReactNode {
  return (
    <Section title="Type and colour" lead={sample.lead}>
      <p>
        {sample.sentence} <strong>{sample.sentence}</strong>
      </p>
      <p lang="ru">Выписки по счёту за ноябрь готовы. Ключ доставки принят 24 ноября 2026 г.</p>
      <p lang="ar" dir="rtl">
        كشوف الحساب لشهر نوفمبر جاهزة. قُبل مفتاح التسليم في 24 نوفمبر 2026.
      </p>
      <p lang="ja">11月の取引明細書が用意できました。配信キーは2026年11月24日に受理されました。</p>
      <ul className={styles.colours}>
        {colours.map((name) => (
          <li key={name}>
            <svg className={styles.swatch} aria-hidden="true">
              <rect width="100%" height="100%" fill={`var(--${name})`} />
            </svg>
            {name}
          </li>
        ))}
      </ul>
    </Section>
  );
}
