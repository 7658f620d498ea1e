// The page of real clients, from what the runs of the matrix left behind: who can do what, with which algorithms.

export type Cell = 'yes' | { readonly cannot: string };

/** What is known of one client; each part of the matrix fills some of it. */
export interface ClientReport {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly cells: Readonly<Record<string, Cell>>;
  /** Of each slot: what it offers, what it comes to with us by itself, and what it was told to use and used. */
  readonly algorithms: Readonly<Record<string, SlotReport>>;
  /** Connections that were made to try algorithms. */
  readonly sweptConnections: number;
}

export interface SlotReport {
  readonly offered: readonly string[];
  readonly picked: string;
  readonly exercised: readonly string[];
  /** Why it cannot be told, where it cannot. */
  readonly noChoice?: string;
}

export const columns = [
  'sign-in',
  'wrong key',
  'list',
  'get',
  'put',
  'rename',
  'resume get',
  'resume put',
  'abort',
  '1 GiB',
  '10,000 files',
  'rekey by us',
  'rekey by it',
] as const;

const slotTitles: Readonly<Record<string, string>> = {
  keyExchange: 'Key exchanges',
  cipher: 'Ciphers',
  mac: 'MACs, with a cipher that needs one',
  hostKey: 'Host keys',
};

/** Prints the page. Shape: `ours` names what the server has of each slot, in its order. */
export function formatClientsPage(
  reports: readonly ClientReport[],
  ours: Readonly<Record<string, readonly string[]>>,
): string {
  const notes: string[] = [];
  const noteOf = (reason: string): number => {
    if (!notes.includes(reason)) notes.push(reason);
    return notes.indexOf(reason) + 1;
  };
  const mark = (cell: Cell | undefined): string => {
    if (cell === undefined) return '?';
    return cell === 'yes' ? '✓' : `cannot (${noteOf(cell.cannot)})`;
  };
  const verbRows = reports.map((report) => row([report.name, ...columns.map((column) => mark(report.cells[column]))]));
  return [
    '# Real clients',
    '',
    'Printed by `npm run docs -- --clients` from a run of `npm run test:long` (`test/clients-matrix-long.test.ts`), with every',
    'byte compared. `npm test` does the everyday part again and fails where it contradicts this page.',
    '',
    '- **wrong key**: a key that is not registered opens nothing, and the refusal is in the client’s own list.',
    '- **abort**: killed in the middle of an upload; nothing of it is in any list, and the next try ends whole.',
    '- **resume**: goes on where a killed transfer stopped; the server counts that only the rest was moved.',
    '- **rekey**: new keys in mid-transfer, both ways, after every MiB: by the server’s wish, and by the client’s own.',
    '- **?**: not run yet.',
    '',
    row(['Client', ...columns]),
    rule(columns.length + 1),
    ...verbRows,
    '',
    ...notes.map((note, index) => `${index + 1}. ${note}.`),
    '',
    'FileZilla itself signs in, lists and gets under a virtual display in `test/journeys/filezilla.test.ts`; every transfer of',
    'it is done by its `fzsftp`, which is driven here as FileZilla drives it.',
    '',
    '## Algorithms',
    '',
    'Read from the server’s record of each connection and from what the client offers on the wire. **●** what the client comes',
    'to by itself; **✓** told to use it and used it, with a file there and back; **○** offers it and cannot be told to use it;',
    '**–** does not offer it; **?** was not run.',
    '',
    ...Object.entries(slotTitles).flatMap(([slot, title]) => formatSlot(reports, slot, title, ours[slot] ?? [])),
    '## Offered by clients and not by the server',
    '',
    ...formatStrangers(reports, ours),
    '',
    '## Versions',
    '',
    row(['Client', 'Version', 'Connections made to try algorithms']),
    rule(3),
    ...reports.map((report) => row([report.name, report.version, `${report.sweptConnections}`])),
    '',
  ].join('\n');
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const rule = (cells: number): string => `|${'---|'.repeat(cells)}`;

function formatSlot(reports: readonly ClientReport[], slot: string, title: string, names: readonly string[]): string[] {
  const mark = (report: ClientReport, name: string): string => {
    const { offered, picked, exercised, noChoice } = report.algorithms[slot]!;
    const isUntried = noChoice === undefined && report.sweptConnections === 0;
    const told = exercised.includes(name) ? '✓' : '';
    if (picked === name) return `●${told}`;
    if (told !== '') return told;
    return offered.includes(name) ? (isUntried ? '?' : '○') : '–';
  };
  const reasons = reports.flatMap((report) => {
    const reason = report.algorithms[slot]!.noChoice;
    return reason === undefined ? [] : [`${report.id}: ${reason}`];
  });
  return [
    `### ${title}`,
    '',
    row(['', ...reports.map((report) => report.id)]),
    rule(reports.length + 1),
    ...names.map((name) => row([`\`${name}\``, ...reports.map((report) => mark(report, name))])),
    '',
    ...(reasons.length > 0 ? [`No choice — ${reasons.join('; ')}.`, ''] : []),
  ];
}

// Marks in a list of key exchanges that are no algorithms (RFC 8308, OpenSSH PROTOCOL §1.10).
const isMark = (name: string): boolean => /^(ext-info-|kex-strict-)/.test(name);

function formatStrangers(
  reports: readonly ClientReport[],
  ours: Readonly<Record<string, readonly string[]>>,
): string[] {
  return Object.keys(slotTitles).map((slot) => {
    const strangers = new Set(reports.flatMap((report) => report.algorithms[slot]!.offered));
    const names = [...strangers].filter((name) => !ours[slot]!.includes(name) && !isMark(name)).sort();
    const shown = names.map((name) => `\`${name}\``).join(', ');
    return `- ${slotTitles[slot]!.split(',')[0]}: ${shown || 'none'}.`;
  });
}

/** Reads the table of verbs back. Shape: by the client's name, then by column; what was not run is left out. */
export function readClientsPage(text: string): Map<string, Record<string, Cell>> {
  const lines = text.split('\n');
  const notes = lines.flatMap((line) => /^\d+\. (.*)\.$/.exec(line)?.[1] ?? []);
  const header = lines.findIndex((line) => line.startsWith('| Client | sign-in'));
  const found = new Map<string, Record<string, Cell>>();
  for (const line of lines.slice(header + 2)) {
    if (!line.startsWith('| ')) break;
    const [name, ...cells] = line.slice(2, -2).split(' | ');
    const byColumn = columns.flatMap((column, index): [string, Cell][] => {
      const cell = cells[index] ?? '';
      const note = /^cannot \((\d+)\)$/.exec(cell)?.[1];
      if (note !== undefined) return [[column, { cannot: notes[Number(note) - 1] ?? '' }]];
      return cell === '✓' ? [[column, 'yes']] : [];
    });
    found.set(name!, Object.fromEntries(byColumn));
  }
  return found;
}
