// What every section of an activity statement is made of: columns, and rows of decimal text that all formats write alike.
import type { Conversion, Entry, Movement, Trade } from './activity-statement-ledger.ts';

export interface Column {
  readonly title: string;
  readonly sort: 'text' | 'number';
  /** Name of the attribute in XML. */
  readonly attribute: string;
  /** Part of the line's width on paper. */
  readonly width: number;
}

export interface Row {
  readonly type: 'Data' | 'SubTotal' | 'Total';
  readonly cells: readonly string[];
}

export interface Section {
  readonly name: string;
  /** Element names in XML, list and item; sections of one list follow each other. Absent where XML says it elsewhere. */
  readonly element?: readonly [list: string, item: string];
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** A sentence below the table. */
  readonly note?: string;
}

export const textColumn = (title: string, attribute: string, width: number): Column => ({
  title,
  sort: 'text',
  attribute,
  width,
});
export const numberColumn = (title: string, attribute: string, width = 2): Column => ({
  title,
  sort: 'number',
  attribute,
  width,
});
export const data = (...cells: string[]): Row => ({ type: 'Data', cells });
export const total = (...cells: string[]): Row => ({ type: 'Total', cells });

export const isTrade = (entry: Entry): entry is Trade => entry.kind === 'trade';
export const isConversion = (entry: Entry): entry is Conversion => entry.kind === 'conversion';
export const movementsOf = (entries: readonly Entry[], kind: Movement['kind']): Movement[] =>
  entries.filter((entry): entry is Movement => entry.kind === kind);
