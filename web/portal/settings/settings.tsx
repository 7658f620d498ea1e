// Language, time zone and theme of whoever is signed in; each choice shows at once and is kept with the login.
import { type ReactNode, useState } from 'react';

import type { Preferences } from '../api/operations.ts';
import { RadioGroup } from '../design/choices.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Select } from '../design/select.tsx';
import { Refused } from '../design/states.tsx';
import { languageItems } from '../frame/footer.tsx';
import { usePreferences } from '../frame/preferences.ts';
import { readLanguage } from '../language/catalogues.ts';
import { Text, useFormats, useText } from '../language/text.tsx';
import styles from './settings.module.css';

const deviceZone = 'device';

export default function Settings(): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { preferences, change } = usePreferences();
  const [openedAtMs] = useState(() => Date.now());
  const [problem, setProblem] = useState<unknown>();
  const choose = (changed: Partial<Preferences>): void => {
    change(changed).then(() => setProblem(undefined), setProblem);
  };
  const zones = [
    { id: deviceZone, text: text('settings.zone.device') },
    ...Intl.supportedValuesOf('timeZone').map((zone) => ({ id: zone, text: zone.replaceAll('_', ' ') })),
  ];
  return (
    <>
      <PageTitle title={text('page.settings')} lead={<Text id="settings.lead" />} />
      {problem !== undefined && <Refused problem={problem} />}
      <div className={styles.form}>
        <Select
          label={text('settings.language')}
          items={languageItems}
          value={readLanguage().locale}
          onChange={(locale) => choose({ locale })}
        />
        <Select
          label={text('settings.zone')}
          description={text('settings.zone.now', { now: formats.instant(openedAtMs) })}
          items={zones}
          value={preferences.timeZone ?? deviceZone}
          onChange={(zone) => choose({ timeZone: zone === deviceZone ? null : zone })}
        />
        <RadioGroup
          label={text('settings.theme')}
          items={[
            { id: 'system', text: text('settings.theme.system') },
            { id: 'light', text: text('settings.theme.light') },
            { id: 'dark', text: text('settings.theme.dark') },
          ]}
          value={preferences.theme}
          onChange={(theme) => choose({ theme })}
        />
      </div>
    </>
  );
}
