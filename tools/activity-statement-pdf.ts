// The PDF form of an activity statement: the broker's stationery, tables with figures in line, as many pages as it takes.
import { formatCents, formatForReading } from './activity-statement-amounts.ts';
import type { ActivityStatement } from './activity-statement-contents.ts';
import type { Column, Row, Section } from './activity-statement-rows.ts';
import { fitText, widthOf } from './activity-statement-fonts.ts';
import { createPages, pageSize } from './activity-statement-pages.ts';
import type { Colour, Page, TextStyle } from './activity-statement-pages.ts';
import { describeDate, describePeriod, titleOf } from './activity-statement-words.ts';

const ink: Colour = [0.11, 0.13, 0.16];
const quiet: Colour = [0.42, 0.45, 0.49];
const accent: Colour = [0.07, 0.25, 0.32];
const hairline: Colour = [0.82, 0.84, 0.86];
const tint: Colour = [0.955, 0.965, 0.968];

const margin = { left: 54, right: 54, top: 58, bottom: 64 };
const right = pageSize.width - margin.right;
const room = right - margin.left;
const rowHeight = 14.6;

const style = {
  broker: { font: 'serif', size: 19, colour: accent, spacing: 0.4 },
  title: { font: 'serif', size: 13, colour: ink, align: 'right' },
  period: { font: 'sans', size: 8.5, colour: quiet, align: 'right' },
  label: { font: 'sans', size: 7, colour: quiet, spacing: 0.35 },
  address: { font: 'sans', size: 9, colour: ink },
  figure: { font: 'serif', size: 22, colour: ink },
  heading: { font: 'serif', size: 12.5, colour: accent },
  column: { font: 'sans', size: 7, colour: quiet },
  cell: { font: 'sans', size: 8.2, colour: ink },
  strong: { font: 'sansBold', size: 8.2, colour: ink },
  note: { font: 'serifItalic', size: 8.6, colour: quiet },
  foot: { font: 'sans', size: 7, colour: quiet },
} satisfies Record<string, TextStyle>;

/** Draws the statement on A4 pages. */
export function writePdf(statement: ActivityStatement): Buffer {
  const pages = createPages();
  const sheet = { pages, page: pages.add(), y: 0 };
  drawLetterhead(sheet, statement);
  for (const section of statement.sections) drawSection(sheet, section, statement);
  drawClosing(sheet, statement);
  for (let index = 0; index < pages.count; index += 1) drawFoot(pages.page(index), statement, index + 1, pages.count);
  return pages.write({
    title: `${titleOf(statement)}, ${describePeriod(statement)}`,
    author: statement.broker,
    createdAt: statement.generatedAt,
  });
}

interface Sheet {
  readonly pages: ReturnType<typeof createPages>;
  page: Page;
  /** The next free line. Units: points from the top. */
  y: number;
}

function drawLetterhead(sheet: Sheet, statement: ActivityStatement): void {
  const { page } = sheet;
  const { portfolio } = statement;
  page.text(statement.broker, margin.left, margin.top + 14, style.broker);
  page.text(titleOf(statement), right, margin.top + 4, style.title);
  page.text(describePeriod(statement), right, margin.top + 17, style.period);
  page.line(margin.left, margin.top + 28, right, margin.top + 28, accent, 0.9);

  let y = margin.top + 62;
  for (const line of [portfolio.holder, ...portfolio.address]) {
    page.text(line, margin.left, y, style.address);
    y += 13;
  }
  const facts: [string, string][] = [
    ['ACCOUNT', portfolio.accountNumber],
    ['BASE CURRENCY', portfolio.baseCurrency],
    ['OPENED', describeDate(portfolio.openedOn)],
  ];
  for (const [index, [label, value]] of facts.entries()) {
    const x = right - 196;
    page.text(label, x, margin.top + 62 + index * 17, style.label);
    page.text(value, right, margin.top + 62 + index * 17, { ...style.address, align: 'right' });
    page.line(x, margin.top + 67 + index * 17, right, margin.top + 67 + index * 17, hairline, 0.4);
  }
  drawSummary(sheet, statement, margin.top + 136);
  sheet.y = margin.top + 136 + 84;
}

const money = (amount: bigint): string => formatForReading(formatCents(amount));

/** Net asset value large, its change beside it: what most readers came for. */
function drawSummary({ page }: Sheet, statement: ActivityStatement, top: number): void {
  const { startingValue, endingValue, portfolio } = statement;
  page.box(margin.left, top, room, 58, tint);
  page.box(margin.left, top, 2.2, 58, accent);
  page.text('NET ASSET VALUE', margin.left + 16, top + 18, style.label);
  const figure = money(endingValue);
  page.text(figure, margin.left + 16, top + 44, style.figure);
  const after = margin.left + 16 + widthOf(figure, 'serif', style.figure.size) + 6;
  page.text(portfolio.baseCurrency, after, top + 44, { ...style.cell, colour: quiet });
  const moved = endingValue - startingValue;
  const facts: [string, string][] = [
    ['STARTING VALUE', money(startingValue)],
    ['CHANGE', `${moved > 0n ? '+' : ''}${money(moved)}`],
  ];
  for (const [index, [label, value]] of facts.entries()) {
    const x = right - 16 - (1 - index) * 110;
    page.text(label, x, top + 18, { ...style.label, align: 'right' });
    page.text(value, x, top + 44, { ...style.cell, size: 10, align: 'right' });
  }
}

function drawSection(sheet: Sheet, section: Section, statement: ActivityStatement): void {
  // A heading never stands alone at the foot of a page: it needs room for its columns and two rows.
  startPageUnlessRoom(sheet, 46 + rowHeight * Math.min(2, section.rows.length), statement);
  sheet.y += 16;
  sheet.page.text(section.name, margin.left, sheet.y, style.heading);
  sheet.y += 16;
  const places = placeColumns(section.columns);
  drawColumns(sheet, section, places);
  for (const [index, row] of section.rows.entries()) {
    if (startPageUnlessRoom(sheet, rowHeight + 2, statement)) {
      sheet.y += 6;
      sheet.page.text(`${section.name}, continued`, margin.left, sheet.y, { ...style.note, size: 10 });
      sheet.y += 15;
      drawColumns(sheet, section, places);
    }
    drawRow(sheet, section, row, places, index > 0 && section.rows[index - 1]?.type !== 'Data');
  }
  if (section.note !== undefined) {
    startPageUnlessRoom(sheet, 14, statement);
    sheet.page.text(section.note, margin.left, sheet.y + 3, style.note);
    sheet.y += 10;
  }
  sheet.y += 8;
}

interface Place {
  readonly x: number;
  readonly width: number;
}

function placeColumns(columns: readonly Column[]): Place[] {
  const parts = columns.reduce((total, column) => total + column.width, 0);
  let x = margin.left;
  return columns.map((column) => {
    const width = (column.width / parts) * room;
    x += width;
    return { x: x - width, width };
  });
}

function drawColumns(sheet: Sheet, section: Section, places: readonly Place[]): void {
  for (const [index, column] of section.columns.entries()) {
    drawCell(sheet.page, column.title, column, places[index]!, sheet.y, style.column);
  }
  sheet.page.line(margin.left, sheet.y + 4.5, right, sheet.y + 4.5, accent, 0.5);
  sheet.y += rowHeight;
}

function drawRow(sheet: Sheet, section: Section, row: Row, places: readonly Place[], startsGroup: boolean): void {
  const isTotal = row.type !== 'Data';
  if (isTotal && !startsGroup) sheet.page.line(margin.left, sheet.y - 10, right, sheet.y - 10, quiet, 0.35);
  for (const [index, column] of section.columns.entries()) {
    const cell = row.cells[index] ?? '';
    const shown = column.sort === 'number' ? formatForReading(cell) : cell;
    drawCell(sheet.page, shown, column, places[index]!, sheet.y, isTotal ? style.strong : style.cell);
  }
  if (!isTotal) sheet.page.line(margin.left, sheet.y + 4.4, right, sheet.y + 4.4, hairline, 0.3);
  sheet.y += isTotal ? rowHeight + 2 : rowHeight;
}

/** Figures end at the right edge of their column, so that digits stand under digits. */
function drawCell(page: Page, text: string, column: Column, place: Place, y: number, look: TextStyle): void {
  const shown = fitText(text, look.font, look.size, place.width - 5);
  const isNumber = column.sort === 'number';
  page.text(shown, isNumber ? place.x + place.width : place.x, y, { ...look, align: isNumber ? 'right' : 'left' });
}

/** True when a new page was begun. */
function startPageUnlessRoom(sheet: Sheet, needed: number, statement: ActivityStatement): boolean {
  if (sheet.y + needed <= pageSize.height - margin.bottom) return false;
  sheet.page = sheet.pages.add();
  sheet.page.text(statement.broker, margin.left, margin.top, { ...style.broker, size: 11.5 });
  const about = `${titleOf(statement)}, ${describePeriod(statement)}`;
  sheet.page.text(about, right, margin.top, style.period);
  sheet.page.line(margin.left, margin.top + 8, right, margin.top + 8, accent, 0.5);
  sheet.y = margin.top + 24;
  return true;
}

function drawClosing(sheet: Sheet, statement: ActivityStatement): void {
  startPageUnlessRoom(sheet, 40, statement);
  const lines = [
    'Please compare this statement with your own records and tell the delivery desk of any difference within ten days.',
    'Values are in the currency shown beside them; totals in the base currency use the exchange rates of the last day.',
  ];
  for (const line of lines) {
    sheet.y += 12;
    sheet.page.text(line, margin.left, sheet.y, style.note);
  }
}

function drawFoot(page: Page, statement: ActivityStatement, number: number, count: number): void {
  const y = pageSize.height - 40;
  page.line(margin.left, y - 11, right, y - 11, hairline, 0.4);
  const made = statement.generatedAt.toPlainDateTime().toString({ smallestUnit: 'minute' }).replace('T', ' ');
  page.text(`${statement.broker} · account ${statement.portfolio.accountNumber}`, margin.left, y, style.foot);
  page.text(`prepared ${made} ${statement.generatedAt.timeZoneId}`, pageSize.width / 2, y, {
    ...style.foot,
    align: 'centre',
  });
  page.text(`${number} / ${count}`, right, y, { ...style.foot, align: 'right' });
}
