// Why a key, an address or a connection ended or was not taken: a word of ours, the code of a refusal, or what somebody wrote.
import { useIntl } from 'react-intl';

/** Shape: the areas `word` and `refusal` must be loaded. What was written by a person is shown as it is. */
export function useEndReason(): (reason: string) => string {
  const intl = useIntl();
  return (reason) => {
    const id = `word.end_reason.${reason}`;
    return Object.hasOwn(intl.messages, id) ? intl.formatMessage({ id }) : reason;
  };
}
