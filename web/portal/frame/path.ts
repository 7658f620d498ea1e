// What the address of a page says, for the page: its parameters, and the filters kept in it so that a link leads back to them.
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';

/** A parameter of the path, such as `statementId`. */
export function usePathParam(name: string): string {
  const params: Record<string, string | undefined> = useParams({ strict: false });
  return params[name] ?? '';
}

type Search = Readonly<Record<string, unknown>>;

/**
 * The filters in the address, and how to change some of them without a new step in the history.
 * Shape: `read` takes whatever the address says and answers only with what the page understands.
 */
export function useFilters<Filters extends Search>(
  read: (search: Search) => Filters,
): [Filters, (changed: Partial<Filters>) => void] {
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (changed: Partial<Filters>): void => {
    const next = Object.entries({ ...search, ...changed }).filter(([, value]) => value !== undefined && value !== '');
    void navigate({ to: '.', search: Object.fromEntries(next), replace: true });
  };
  return [read(search), change];
}
