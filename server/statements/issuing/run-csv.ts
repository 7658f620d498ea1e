// Reads run.csv: UTF-8 with or without a byte-order mark, comma or semicolon, five named columns in any order.
import { CsvError, parse } from 'csv-parse/sync';
import { csvColumns, type CsvRow, refusals, runLimits } from './run-rules.ts';

/** The rows in order; row 1 is the first after the heading. Refuses: run_csv_invalid, run_empty, run_too_large. */
export function parseRunCsv(bytes: Uint8Array): CsvRow[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refusals.run_csv_invalid({ reason: 'it is not UTF-8' });
  }
  const heading = text.slice(0, 4096).split(/\r?\n/, 1)[0] ?? '';
  try {
    const rows: CsvRow[] = parse(text, {
      bom: true,
      delimiter: heading.includes(';') && !heading.includes(',') ? ';' : ',',
      columns: checkHeading,
      skip_empty_lines: true,
      trim: true,
      max_record_size: runLimits.fieldCharacters * csvColumns.length,
      to: runLimits.rows + 1,
    });
    if (rows.length === 0) throw refusals.run_empty();
    if (rows.length > runLimits.rows) throw refusals.run_too_large({ rows: runLimits.rows, bytes: runLimits.bytes });
    return rows;
  } catch (fault) {
    if (!(fault instanceof CsvError)) throw fault;
    const line = typeof fault['lines'] === 'number' ? ` near line ${fault['lines']}` : '';
    throw refusals.run_csv_invalid({ reason: `${reasons[fault.code] ?? 'it is not well-formed CSV'}${line}` });
  }
}

const reasons: Readonly<Record<string, string>> = {
  CSV_RECORD_INCONSISTENT_COLUMNS: 'a row has more or fewer cells than the heading',
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: 'a row has more or fewer cells than the heading',
  CSV_QUOTE_NOT_CLOSED: 'a quote is not closed',
  CSV_MAX_RECORD_SIZE: 'a row is too long',
};

function checkHeading(cells: string[]): string[] {
  const names = cells.map((cell) => cell.trim().toLowerCase());
  const isRight = names.length === csvColumns.length && csvColumns.every((column) => names.includes(column));
  if (!isRight) throw refusals.run_csv_invalid({ reason: `its first line must name ${csvColumns.join(', ')}` });
  return names;
}
