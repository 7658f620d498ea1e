// Why a connection was refused and what helps, in the words that the client reads.
import type { Locale } from '@broadgate/languages';
import { factValues } from '@broadgate/languages/fact-values.ts';
import { useIntl } from 'react-intl';
import type { RefusedConnection } from '../api/operations.ts';

/** Shape: the area `reason` must be loaded; a reason that has no words of ours is said as the server says it. */
export function useRefusalReason(): (refused: RefusedConnection) => {
  readonly cause: string;
  readonly advice: string;
} {
  const intl = useIntl();
  return ({ reason, cause, whatToDo, detail, address }) => {
    const ids = { cause: `reason.${reason}.cause`, advice: `reason.${reason}.advice` };
    if (!Object.hasOwn(intl.messages, ids.cause)) return { cause, advice: whatToDo };
    const values = factValues(intl.locale as Locale, {
      fingerprint: '',
      detail: '',
      on: '',
      ...detail,
      address: address ?? '',
    });
    return {
      cause: intl.formatMessage({ id: ids.cause }, values),
      advice: intl.formatMessage({ id: ids.advice }, values),
    };
  };
}
