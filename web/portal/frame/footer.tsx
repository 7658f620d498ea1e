// Below every page: the language, for whoever cannot read this one, and the time zone that all times are in.
import { languages, type Locale } from '@broadgate/languages';
import { type ReactNode, useState } from 'react';
import { Icon } from '../design/icons.tsx';
import { Menu } from '../design/menu.tsx';
import { readLanguage } from '../language/catalogues.ts';
import { Text, useFormats, useText } from '../language/text.tsx';
import styles from './frame.module.css';
import { usePreferences } from './preferences.ts';

export const languageItems: readonly { readonly id: Locale; readonly text: string; readonly lang: string }[] =
  languages.map(({ locale, name }) => ({ id: locale, text: name, lang: locale }));

export function Footer(): ReactNode {
  const text = useText();
  const { zone } = useFormats();
  const { change } = usePreferences();
  const [isKept, setIsKept] = useState(true);
  const { locale } = readLanguage();
  const shown = languageItems.find(({ id }) => id === locale)!;
  const entries = languageItems.map(({ id, ...item }) => ({
    id,
    ...item,
    isCurrent: id === locale,
    onAction: () =>
      change({ locale: id }).then(
        () => setIsKept(true),
        () => setIsKept(false),
      ),
  }));
  return (
    <footer className={styles.footer}>
      <Menu label={text('frame.language', { language: shown.text })} groups={[{ id: 'languages', title: '', entries }]}>
        <Icon name="globe" />
        <span lang={shown.lang}>{shown.text}</span>
      </Menu>
      {!isKept && (
        <p role="alert">
          <Text id="frame.notKept" />
        </p>
      )}
      <p className={styles.zone}>
        <Text id="frame.zone" values={{ zone: <bdi key="zone">{zone.replaceAll('_', ' ')}</bdi> }} />
      </p>
    </footer>
  );
}
