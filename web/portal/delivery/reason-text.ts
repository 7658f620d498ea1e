// Why a connection was refused and what to do, in the reader's language.
import type { Locale } from '@broadgate/languages';
import { factValues } from '@broadgate/languages/fact-values.ts';
import { useIntl } from 'react-intl';
import type { RefusedConnection } from '../api/operations.ts';

/** Shape: the area `reason` must be loaded. A reason that this page has no words for is told in English, as the server does. */
export function useReasonText(): (refusal: RefusedConnection) => { readonly cause: string; readonly advice: string } {
  const intl = useIntl();
  return ({ reason, address, detail, cause, whatToDo }) => {
    const ids = { cause: `reason.${reason}.cause`, advice: `reason.${reason}.advice` };
    if (!Object.hasOwn(intl.messages, ids.cause)) return { cause, advice: whatToDo };
    // What a record lacks, the text still has a place for.
    const values = {
      ...Object.fromEntries(['fingerprint', 'on', 'method', 'detail', 'algorithm'].map((name) => [name, '–'])),
      ...factValues(intl.locale as Locale, { address: address ?? '–', ...detail }),
    };
    return {
      cause: intl.formatMessage({ id: ids.cause }, values),
      advice: intl.formatMessage({ id: ids.advice }, values),
    };
  };
}
