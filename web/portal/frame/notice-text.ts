// What a notice says in the reader's language; one that this page has no words for says it in English, and says so.
import type { Locale } from '@broadgate/languages';
import { factValues } from '@broadgate/languages/fact-values.ts';
import { useIntl } from 'react-intl';
import type { Notice } from '../api/operations.ts';

/** Shape: the area `notice` must be loaded. */
export function useNoticeText(): (notice: Notice) => string {
  const intl = useIntl();
  return ({ kind, params, text }) => {
    const id = `notice.${kind}`;
    if (!Object.hasOwn(intl.messages, id)) return intl.formatMessage({ id: 'notice.other' }, { text });
    return intl.formatMessage({ id }, factValues(intl.locale as Locale, params));
  };
}
