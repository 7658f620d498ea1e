// What a statement is called: its own title, or else the name of its kind in the reader's language.
import { useCallback } from 'react';
import { useIntl } from 'react-intl';
import type { Statement } from '../api/operations.ts';

/** Shape: the area `word` must be loaded; a kind that has no name of ours is shown as it is. */
export function useStatementTitle(): (statement: Pick<Statement, 'title' | 'kind'>) => string {
  const intl = useIntl();
  return useCallback(
    ({ title, kind }) => {
      const id = `word.statement_kind.${kind}`;
      return title ?? (Object.hasOwn(intl.messages, id) ? intl.formatMessage({ id }) : kind);
    },
    [intl],
  );
}
