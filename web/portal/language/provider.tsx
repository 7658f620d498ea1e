// Gives the pages their language: texts, formats and direction, for our own parts and for React Aria's.
import { regionOf } from '@broadgate/languages';
import { type ReactNode, useSyncExternalStore } from 'react';
import { I18nProvider } from 'react-aria-components';
import { IntlProvider } from 'react-intl';
import { readLanguage, watchLanguage } from './catalogues.ts';
import { readZone, watchZone } from './zone.ts';

export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const { locale, texts } = useSyncExternalStore(watchLanguage, readLanguage);
  const zone = useSyncExternalStore(watchZone, readZone);
  return (
    <IntlProvider locale={locale} messages={texts} timeZone={zone} onError={reportText} defaultRichTextElements={tags}>
      <I18nProvider locale={regionOf(locale)}>{children}</I18nProvider>
    </IntlProvider>
  );
}

/** The tags that any text may hold; one that leads somewhere is given by the page. */
const tags = {
  b: (inside: ReactNode) => <strong>{inside}</strong>,
  code: (inside: ReactNode) => <code dir="ltr">{inside}</code>,
};

/** A text that is missing or cannot be formatted is a fault of ours, and the tests of the pages fail on it. */
function reportText(fault: unknown): void {
  console.error(fault);
}
