// Examples of what is filled in.
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { Checkbox, RadioGroup, Switch } from '../choices.tsx';
import { Field, SearchField } from '../field.tsx';
import { FileDrop } from '../file-drop.tsx';
import { Section } from '../section.tsx';
import { Select } from '../select.tsx';
import type { Sample } from './sample.ts';
import styles from './showcase.module.css';

const DateRangeField = lazy(async () => ({ default: (await import('../date-range-field.tsx')).DateRangeField }));

export function Fields({ sample }: { sample: Sample }): ReactNode {
  const [language, setLanguage] = useState<string>('en');
  const [none, setNone] = useState<string>();
  const [how, setHow] = useState<'daily' | 'monthly'>('daily');
  const [isOn, setOn] = useState(true);
  const [period, setPeriod] = useState({ from: '2026-11-01', to: '2026-11-24' });
  const languages = [
    { id: 'en', text: 'English', lang: 'en' },
    { id: 'ar', text: 'العربية', lang: 'ar' },
    { id: 'zh-Hans', text: '简体中文', lang: 'zh-Hans' },
  ];
  return (
    <Section title="Fields">
      <div className={styles.grid}>
        <Field label={sample.name} description={sample.nameHelp} isRequired />
        <Field label={sample.name} defaultValue="id_ed25519" error={sample.wrong} />
        <Field label={sample.name} defaultValue="Office" isDisabled />
        <Field label={sample.name} defaultValue="SHA256:x1m0…" isReadOnly isCode />
        <Field label={sample.name} multiline={{ rows: 3 }} description={sample.nameHelp} />
        <SearchField label={sample.search} value={undefined} />
        <Select label={sample.language} items={languages} value={language} onChange={setLanguage} />
        <Select
          label={sample.language}
          items={languages}
          value={none}
          onChange={setNone}
          error={sample.wrong}
          isRequired
          placeholder={sample.language}
        />
        <Suspense>
          <DateRangeField label={sample.period} value={period} onChange={(next) => next && setPeriod(next)} />
        </Suspense>
        <RadioGroup
          label={sample.period}
          items={[
            { id: 'daily', text: sample.daily, description: sample.agreeHelp },
            { id: 'monthly', text: sample.monthly },
          ]}
          value={how}
          onChange={setHow}
        />
        <div>
          <Checkbox label={sample.agree} description={sample.agreeHelp} value={isOn} onChange={setOn} />
          <Checkbox label={sample.daily} isIndeterminate value={false} onChange={setOn} />
          <Checkbox label={sample.monthly} value={!isOn} onChange={(on) => setOn(!on)} />
          <Checkbox label={sample.withdrawn} value={false} onChange={setOn} isDisabled />
        </div>
        <div>
          <Switch label={sample.agree} description={sample.agreeHelp} value={isOn} onChange={setOn} />
          <Switch label={sample.daily} value={!isOn} onChange={(on) => setOn(!on)} />
          <Switch label={sample.monthly} value={false} onChange={setOn} isDisabled />
        </div>
      </div>
      <FileDrop
        label={sample.name}
        accept=".pub,.asc"
        description={sample.nameHelp}
        onFile={() => {}}
        check={async () => sample.wrong}
      />
      <FileDrop label={sample.name} accept=".pub,.asc" error={sample.wrong} onFile={() => {}} />
    </Section>
  );
}
