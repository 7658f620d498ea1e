// Reads CSV for the eye: rows of cells, and the tables that they make.

export interface CsvTable {
  /** The section, where the file has sections. */
  readonly name: string | undefined;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Total: whatever the text is, it gives rows. Source: RFC 4180 §2; semicolons and tabs are taken as well. */
export function parseCsv(text: string): string[][] {
  const separator = separatorOf(text);
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let isQuoted = false;
  const endRow = (): void => {
    row.push(cell);
    cell = '';
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += '"';
        at++;
      } else isQuoted = false;
    } else if (character === '"' && cell === '') isQuoted = true;
    else if (character === separator) {
      row.push(cell);
      cell = '';
    } else if (character === '\n') endRow();
    else if (character !== '\r') cell += character;
  }
  endRow();
  return rows;
}

/** The one that stands most often in the first line. */
function separatorOf(text: string): string {
  const line = text.slice(0, text.search(/[\r\n]|$/));
  const count = (mark: string): number => line.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

/** Activity statements put many tables into one file: each row begins with its section and its type, as `Trades,Header,…`. */
export function readTables(rows: readonly (readonly string[])[]): CsvTable[] {
  const [first, ...others] = rows;
  if (first === undefined) return [];
  if (first[1] !== 'Header') return [{ name: undefined, head: first, rows: others }];
  const tables: { name: string; head: readonly string[]; rows: (readonly string[])[] }[] = [];
  for (const [name = '', type = '', ...cells] of rows) {
    const last = tables.at(-1);
    if (type === 'Header' || last?.name !== name) tables.push({ name, head: cells, rows: [] });
    if (type === 'Header') continue;
    // What sums up stands with its word where the first cell leaves room for it.
    tables.at(-1)!.rows.push(type !== 'Data' && cells[0] === '' ? [type, ...cells.slice(1)] : cells);
  }
  return tables;
}
