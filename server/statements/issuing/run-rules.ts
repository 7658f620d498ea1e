// What a run may hold, row by row, and how its outcome is written for a spreadsheet. Pure decisions.
import { defineRefusals, Refusal } from '../../kernel/refusal.ts';
import { checkKind, extensionOf, parsePeriod } from './rules.ts';

export const refusals = defineRefusals({
  run_reference_invalid: {
    kind: 'invalid',
    text: 'The run id "{given}" cannot be used. Use 1 to 64 letters, digits, dots, hyphens or underscores, such as 2026-11-24-daily.',
  },
  run_unreadable: {
    kind: 'invalid',
    text: 'This cannot be read as a run: {reason}. Send a tar, or name a folder, with run.csv and its files.',
  },
  run_csv_missing: {
    kind: 'invalid',
    text: 'There is no run.csv at the top. It lists account, kind, period, file and sha256, a row a statement.',
  },
  run_csv_invalid: { kind: 'invalid', text: 'run.csv cannot be read: {reason}.' },
  run_empty: { kind: 'invalid', text: 'run.csv has no rows. Nothing was issued.' },
  run_too_large: { kind: 'too_large', text: 'A run holds at most {rows} rows and {bytes} bytes. Split it.' },
  run_refused: {
    kind: 'invalid',
    text: '{faults} rows or files of this run are at fault, and nothing was issued. Read its outcomes, correct them, send it again under the same id.',
  },
  run_file_missing: { kind: 'invalid', text: 'The file {file} is not in the run. Add it, or correct the row.' },
  run_file_unlisted: {
    kind: 'invalid',
    text: 'No row of run.csv names the file {file}. Add a row, or leave the file out.',
  },
  run_file_name_invalid: {
    kind: 'invalid',
    text: 'The run holds something that is no plain file, or lies outside it: {file}. Leave it out.',
  },
  run_file_repeated: { kind: 'invalid', text: 'The file {file} comes twice in the run. Send it once.' },
  run_row_repeated: {
    kind: 'invalid',
    text: 'Row {row} is for the same account, kind, period and ending. Keep one of them; send a correction in a later run.',
  },
  run_hash_invalid: {
    kind: 'invalid',
    text: 'The sha256 of this row is not 64 hexadecimal digits. Write the output of sha256sum.',
  },
  run_reused: {
    kind: 'conflict',
    text: 'The run id {reference} was used for another run. Send this one under an id of its own.',
  },
  run_receiving: { kind: 'conflict', text: 'The run {reference} is being received now. Wait until that ends.' },
  run_not_found: { kind: 'not_found', text: 'There is no such run.' },
});

export const runLimits = {
  rows: 100_000,
  bytes: 50 * 1024 ** 3,
  csvBytes: 64 * 1024 * 1024,
  fieldCharacters: 1024,
} as const;
export const runCsvName = 'run.csv';
export const csvColumns = ['account', 'kind', 'period', 'file', 'sha256'] as const;
export type CsvRow = Readonly<Record<(typeof csvColumns)[number], string>>;

/** Refuses: run_reference_invalid. */
export function checkReference(reference: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(reference)) {
    throw refusals.run_reference_invalid({ given: reference.slice(0, 80) });
  }
  return reference;
}

/** The name of a file inside a run, as run.csv writes it. Refuses: run_file_name_invalid. */
export function checkFileName(name: string): string {
  const plain = name.replace(/^(\.\/)+/, '').normalize('NFC');
  const isOutside =
    plain.startsWith('/') || plain.split('/').some((part) => part === '' || part === '.' || part === '..');
  // oxlint-disable-next-line no-control-regex
  if (isOutside || plain.length > 512 || /[\u0000-\u001f\u007f]/.test(plain)) {
    throw refusals.run_file_name_invalid({ file: JSON.stringify(name.slice(0, 120)) });
  }
  return plain;
}

export interface RowFault {
  readonly code: string;
  readonly text: string;
}

const faultOf = (fault: unknown): RowFault => {
  if (!(fault instanceof Refusal)) throw fault;
  return { code: fault.code, text: fault.message };
};

/** What is wrong with one row by itself and with its file; undefined when nothing is. */
export function findRowFault(
  row: CsvRow,
  file: { readonly sha256: string; readonly sizeBytes: number } | undefined,
): RowFault | undefined {
  try {
    checkKind(row.kind);
    parsePeriod(row.period);
    checkFileName(row.file);
    extensionOf(row.file);
    if (!/^[0-9a-fA-F]{64}$/.test(row.sha256)) throw refusals.run_hash_invalid();
    if (file === undefined) throw refusals.run_file_missing({ file: row.file });
    return undefined;
  } catch (fault) {
    return faultOf(fault);
  }
}

/** What two rows of one run may not share: they would be versions of one statement. */
export function seriesOf(row: CsvRow): string {
  return JSON.stringify([row.account, row.kind, parsePeriod(row.period).to, extensionOf(row.file)]);
}

/**
 * One line of CSV. What a spreadsheet would run as a formula is told to be text by an apostrophe, also behind a
 * semicolon, which parts cells where the comma is a decimal sign. Source: RFC 4180 §2 for quoting.
 */
export const formatCsvLine = (cells: readonly string[]): string => `${cells.map(formatCell).join(',')}\r\n`;

// The full-width forms count as well where Japanese or Chinese is typed.
const formulaStart = /(^|;)(\s*)(?=[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])/g;

function formatCell(cell: string): string {
  const guarded = cell.replace(formulaStart, "$1'$2");
  return /[",;\r\n']/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
