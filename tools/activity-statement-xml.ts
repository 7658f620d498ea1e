// The XML form of an activity statement, in the skeleton that existing open-source parsers of broker reports read.
import type { ActivityStatement } from './activity-statement-contents.ts';
import type { Column, Row } from './activity-statement-rows.ts';

/** Shape: FlexQueryResponse > FlexStatements > FlexStatement, sections as lists; dates `YYYYMMDD`, times `YYYYMMDD;HHMMSS`. */
export function writeXml(statement: ActivityStatement): Buffer {
  const { portfolio, fromOn, toOn, generatedAt } = statement;
  const head = {
    accountId: portfolio.accountNumber,
    fromDate: compact(fromOn.toString()),
    toDate: compact(toOn.toString()),
    period: statement.period,
    whenGenerated: compact(generatedAt.toPlainDateTime().toString({ smallestUnit: 'second' }).replace('T', ', ')),
  };
  const lists = new Map<string, string[]>();
  for (const { element, columns, rows } of statement.sections) {
    if (!element) continue;
    const [list, item] = element;
    const written = rows
      .filter((row) => row.type === 'Data')
      .map((row) => `        ${tag(item, attributesOf(columns, row), '/')}`);
    lists.set(list, [...(lists.get(list) ?? []), ...written]);
  }
  const account = {
    accountId: portfolio.accountNumber,
    name: portfolio.holder,
    currency: portfolio.baseCurrency,
    dateOpened: compact(portfolio.openedOn.toString()),
  };
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    tag('FlexQueryResponse', { queryName: 'Activity', type: 'AF' }),
    `  ${tag('FlexStatements', { count: '1' })}`,
    `    ${tag('FlexStatement', head)}`,
    `      ${tag('AccountInformation', account, '/')}`,
    ...[...lists].flatMap(([list, items]) => [`      <${list}>`, ...items, `      </${list}>`]),
    '    </FlexStatement>',
    '  </FlexStatements>',
    '</FlexQueryResponse>',
  ];
  return Buffer.from(`${lines.join('\n')}\n`);
}

const attributesOf = (columns: readonly Column[], row: Row): Record<string, string> =>
  Object.fromEntries(columns.map((column, index) => [column.attribute, compact(row.cells[index] ?? '')]));

/** `2026-11-20, 09:41:00` becomes `20261120;094100`, as the skeleton has it. */
const compact = (text: string): string =>
  text.replace(/^(\d{4})-(\d\d)-(\d\d)(?:, (\d\d):(\d\d):(\d\d))?$/, (_whole, ...parts: (string | undefined)[]) => {
    const [year, month, day, hour, minute, second] = parts;
    return `${year}${month}${day}${hour === undefined ? '' : `;${hour}${minute}${second}`}`;
  });

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

function tag(name: string, attributes: Readonly<Record<string, string>>, end = ''): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${value.replace(/[&<>"\n]/g, (character) => entities[character]!)}"`,
  );
  return `<${name}${written.join('')}${end === '' ? '' : ' /'}>`;
}
