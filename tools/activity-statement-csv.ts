// The CSV form of an activity statement: section name, row type, then the columns of that section.
import type { ActivityStatement } from './activity-statement-contents.ts';
import { describePeriod, titleOf } from './activity-statement-words.ts';

/** Shape: RFC 4180 with CRLF line ends, UTF-8 with a byte-order mark, so that spreadsheets read the names right. */
export function writeCsv(statement: ActivityStatement): Buffer {
  const lines: string[][] = [];
  const table = (name: string, columns: readonly string[], rows: readonly (readonly string[])[]): void => {
    lines.push([name, 'Header', ...columns]);
    for (const row of rows) lines.push([name, ...row]);
  };
  const { portfolio } = statement;
  table(
    'Statement',
    ['Field Name', 'Field Value'],
    [
      ['Data', 'BrokerName', statement.broker],
      ['Data', 'Title', titleOf(statement)],
      ['Data', 'Period', describePeriod(statement)],
      ['Data', 'WhenGenerated', statement.generatedAt.toString({ smallestUnit: 'second', calendarName: 'never' })],
    ],
  );
  table(
    'Account Information',
    ['Field Name', 'Field Value'],
    [
      ['Data', 'Name', portfolio.holder],
      ['Data', 'Account', portfolio.accountNumber],
      ['Data', 'Base Currency', portfolio.baseCurrency],
      ['Data', 'Opened', portfolio.openedOn.toString()],
    ],
  );
  for (const section of statement.sections) {
    table(
      section.name,
      section.columns.map((column) => column.title),
      section.rows.map((row) => [row.type, ...row.cells]),
    );
    if (section.note !== undefined) lines.push([section.name, 'Notes', section.note]);
  }
  return Buffer.from(`\uFEFF${lines.map((cells) => cells.map(formatCell).join(',')).join('\r\n')}\r\n`);
}

const decimal = /^-?\d+(\.\d+)?$/;

/**
 * One cell. A text that a spreadsheet would take for a formula gets an apostrophe in front; a negative number is none.
 * Source: RFC 4180 §2 for the quotes.
 */
export function formatCell(cell: string): string {
  const guarded = /^[=+\-@\t\r]/.test(cell) && !decimal.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
