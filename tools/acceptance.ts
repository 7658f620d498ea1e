// The acceptance table against a test run: which rows a test proves, which have none, and which tests name no row.

export interface AcceptanceRow {
  readonly id: string;
  readonly item: string;
}

export interface Outcome {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
}

const idPattern = /^((?:SF|FT|EN|RP|MC|IK|DG|CR|HP)-X?\d+)\b/;

/** Reads the rows of docs/acceptance.md: a table line whose first cell is an id. */
export const readRows = (text: string): AcceptanceRow[] =>
  [...text.matchAll(/^\| ((?:SF|FT|EN|RP|MC|IK|DG|CR|HP)-\d+) \| (.+) \|$/gm)].map((match) => ({
    id: match[1]!,
    item: match[2]!,
  }));

export const readOutcomes = (text: string): Outcome[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Outcome);

/** A name may carry several ids: `SF-03, EN-11: …`. */
function idsOf(name: string): string[] {
  const head = name.split(':', 1)[0] ?? '';
  return head.split(/,\s*|\s+and\s+/).flatMap((part) => idPattern.exec(part.trim())?.[1] ?? []);
}

/** Prints the reference page. Shape: Markdown; the order of the rows is that of the table, so that a change shows as a small diff. */
export function formatAcceptance(rows: readonly AcceptanceRow[], outcomes: readonly Outcome[]): string {
  const known = new Set(rows.map((row) => row.id));
  const byId = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    for (const id of idsOf(outcome.name)) byId.set(id, [...(byId.get(id) ?? []), outcome]);
  }
  const isProved = (id: string): boolean => {
    const tests = byId.get(id) ?? [];
    return tests.length > 0 && tests.every((one) => one.outcome === 'passed');
  };
  const unproved = rows.filter((row) => byId.has(row.id) && !isProved(row.id));
  const missing = rows.filter((row) => !byId.has(row.id));
  const strangers = [...byId.keys()].filter((id) => !known.has(id) && !id.includes('-X')).sort();
  const extras = [...byId.keys()].filter((id) => id.includes('-X')).sort();
  const prefixes = [...new Set(rows.map((row) => row.id.slice(0, 2)))];
  const lines = [
    '# Acceptance, as the tests prove it',
    '',
    'Printed from a test run by `npm run docs -- --acceptance`; `npm test` fails where a run says something else.',
    '',
    '| Group | Items | Proved | Missing |',
    '|---|---|---|---|',
    ...prefixes.map((prefix) => {
      const group = rows.filter((row) => row.id.startsWith(prefix));
      const proved = group.filter((row) => isProved(row.id)).length;
      return `| ${prefix} | ${group.length} | ${proved} | ${group.length - proved} |`;
    }),
    '',
    '## Proved',
    '',
    ...rows
      .filter((row) => isProved(row.id))
      .flatMap((row) => [`- **${row.id}**`, ...testLines(byId.get(row.id)!, row.id)]),
    '',
    '## Failing or skipped',
    '',
    ...listOr(unproved.map((row) => `- **${row.id}** ${row.item}`)),
    '',
    '## Tests whose id is not in the table',
    '',
    ...listOr(strangers.map((id) => `- ${id}`)),
    '',
    '## Wider features with a test',
    '',
    ...listOr(extras.flatMap((id) => [`- **${id}**`, ...testLines(byId.get(id)!, id)])),
    '',
    '## Approximated or proved by a stand-in (≈, †)',
    '',
    ...listOr(
      rows.filter((row) => /[≈†]/.test(row.item)).map((row) => `- ${row.id}${isProved(row.id) ? '' : ' (missing)'}`),
    ),
    '',
    '## Without a test',
    '',
    ...listOr(missing.map((row) => `- ${row.id} ${row.item}`)),
    '',
  ];
  return lines.join('\n');
}

const testLines = (tests: readonly Outcome[], id: string): string[] =>
  [...new Set(tests.map((one) => one.name))]
    .sort()
    .map((name) => `  - ${name.startsWith(`${id}: `) ? name.slice(id.length + 2) : name}`);

const listOr = (lines: readonly string[]): readonly string[] => (lines.length > 0 ? lines : ['None.']);
