// The filters of the list, as the address of the page holds them; what the address says and nobody understands is left out.

export const statementKinds = [
  'activity-daily',
  'activity-monthly',
  'activity-annual',
  'daily',
  'monthly',
  'annual',
  'confirmation',
  'document',
  'test',
] as const;

type Filters = {
  readonly kind: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
};

const day = /^\d{4}-\d{2}-\d{2}$/;
const isKind = (value: unknown): value is string => statementKinds.some((kind) => kind === value);

const dayOf = (value: unknown): string | undefined =>
  typeof value === 'string' && day.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined;

/** Shape: both ends of a period, or none. */
export function readFilters(search: Readonly<Record<string, unknown>>): Filters {
  const [from, to] = [dayOf(search['from']), dayOf(search['to'])];
  const isPeriod = from !== undefined && to !== undefined && from <= to;
  return {
    kind: isKind(search['kind']) ? search['kind'] : undefined,
    from: isPeriod ? from : undefined,
    to: isPeriod ? to : undefined,
  };
}
