// Shows that the invented statements add up, say the same in every format, and survive awkward names.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inflateSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { divideHalfEven, formatCents, formatDecimal, formatForReading } from './activity-statement-amounts.ts';
import { formatCell } from './activity-statement-csv.ts';
import { instruments, isinCheckDigit } from './activity-statement-market.ts';
import { composeStatement, createMarket, startOfPeriod, writeStatement } from './activity-statement.ts';
import type { Period, Portfolio } from './activity-statement.ts';

const portfolio: Portfolio = {
  accountNumber: 'U7041826',
  holder: 'Clara <Lindqvist> & Söner "AB"',
  address: ['Lilla Nygatan 14', '111 28 Stockholm'],
  baseCurrency: 'EUR',
  openedOn: Temporal.PlainDate.from('2025-06-02'),
  deposit: 40_000_000n,
  symbols: instruments.map((instrument) => instrument.symbol),
  tradesMax: 5,
};

const compose = (period: Period, on: string, changes: Partial<Portfolio> = {}) => {
  const toOn = Temporal.PlainDate.from(on);
  return composeStatement({
    portfolio: { ...portfolio, ...changes },
    market: createMarket('test'),
    period,
    fromOn: startOfPeriod(period, toOn),
    toOn,
    generatedAt: toOn.toZonedDateTime({ timeZone: 'America/New_York', plainTime: '23:10' }),
    broker: 'Harbour & Vale',
  });
};

const readCsv = (bytes: Buffer): string[][] => parse(bytes, { bom: true, relax_column_count: true }) as string[][];

/** The texts drawn on the pages of a PDF. */
function wordsOf(pdf: Buffer): Set<string> {
  const words = new Set<string>();
  for (let at = pdf.indexOf('stream\n'); at >= 0; at = pdf.indexOf('\nstream\n', at + 7)) {
    const start = pdf.indexOf('stream\n', at) + 7;
    const operators = inflateSync(pdf.subarray(start, pdf.indexOf('\nendstream', start))).toString();
    for (const [, hex] of operators.matchAll(/<([0-9a-f]*)> Tj/g))
      words.add(Buffer.from(hex!, 'hex').toString('latin1'));
  }
  return words;
}

const rowsOf = (lines: string[][], section: string, type = 'Data'): string[][] =>
  lines.filter((line) => line[0] === section && line[1] === type).map((line) => line.slice(2));

const cents = (text: string): bigint => BigInt(text.replace('.', ''));

for (const period of ['daily', 'monthly', 'annual'] as const) {
  test(`RP-03: the ${period} activity statement states positions, cash, trades, commissions and fees of its period as PDF, CSV and XML`, () => {
    const statement = compose(period, '2026-10-30');
    const lines = readCsv(writeStatement(statement, 'csv'));
    const xml = writeStatement(statement, 'xml').toString();
    for (const section of ['Open Positions', 'Cash Report', 'Trades', 'Commissions']) {
      assert.ok(rowsOf(lines, section).length > 0, section);
    }
    for (const element of ['OpenPosition', 'CashReportCurrency', 'Trade'])
      assert.match(xml, new RegExp(`<${element} `));
    // Fees fall on some days of the month only.
    if (period !== 'daily') assert.match(xml, /<CashTransaction type="Fees" /);

    const words = wordsOf(writeStatement(statement, 'pdf'));
    for (const heading of ['Net Asset Value', 'Cash Report', 'Open Positions', 'Trades', 'Commissions']) {
      assert.ok(words.has(heading), heading);
    }
    assert.ok(words.has(formatForReading(formatCents(statement.endingValue))));
  });

  test(`the ${period} statement adds up: cash, positions and the change in value`, () => {
    const lines = readCsv(writeStatement(compose(period, '2026-10-30'), 'csv'));
    const value = rowsOf(lines, 'Net Asset Value');
    const [total] = rowsOf(lines, 'Net Asset Value', 'Total');
    assert.equal(
      value.reduce((sum, row) => sum + cents(row[2]!), 0n),
      cents(total![2]!),
    );
    const change = rowsOf(lines, 'Change in Net Asset Value').reduce((sum, row) => sum + cents(row[1]!), 0n);
    assert.equal(change, cents(rowsOf(lines, 'Change in Net Asset Value', 'Total')[0]![1]!));
    for (const ending of rowsOf(lines, 'Cash Report', 'SubTotal')) {
      const own = rowsOf(lines, 'Cash Report').filter((row) => row[1] === ending[1]);
      assert.equal(
        own.reduce((sum, row) => sum + cents(row[2]!), 0n),
        cents(ending[2]!),
        ending[1] ?? '',
      );
    }
  });
}

test('RP-04: a crypto trade with its commission, and the custody fee, stand on the statement of their period', () => {
  const lines = readCsv(writeStatement(compose('monthly', '2026-10-30', { symbols: ['BTC', 'ETH'] }), 'csv'));
  const trades = rowsOf(lines, 'Trades').filter((row) => row[0] === 'Crypto');
  assert.ok(trades.length > 0 && trades.every((row) => cents(row[7]!) < 0n));
  assert.ok(rowsOf(lines, 'Commissions').some((row) => row[1] === 'Crypto'));
  assert.ok(rowsOf(lines, 'Fees').some((row) => row[3] === 'BTC custody fee' && cents(row[4]!) < 0n));
});

test('the days of a month, one after the other, end where the month ends', () => {
  const month = compose('monthly', '2026-10-30');
  const days = ['2026-10-29', '2026-10-30'].map((on) => compose('daily', on));
  assert.equal(days[0]!.endingValue, days[1]!.startingValue);
  assert.equal(days[1]!.endingValue, month.endingValue);
});

test('the same seed writes the same bytes', () => {
  for (const format of ['pdf', 'csv', 'xml'] as const) {
    const write = (): string => writeStatement(compose('daily', '2026-11-20'), format).toString('hex');
    assert.equal(write(), write());
  }
});

test('a statement of an account that was opened that day starts at nothing', () => {
  const statement = compose('daily', '2025-06-02');
  assert.equal(statement.startingValue, 0n);
  assert.ok(statement.endingValue > 39_000_000n);
});

test('a name with markup in it is text in XML', () => {
  const xml = writeStatement(compose('daily', '2026-11-20'), 'xml').toString();
  assert.ok(xml.includes('name="Clara &lt;Lindqvist&gt; &amp; Söner &quot;AB&quot;"'));
});

test('a cell that a spreadsheet would run as a formula is guarded, a negative number is not', () => {
  const cases: [string, string][] = [
    ['=1+1', "'=1+1"],
    ['+44 20', "'+44 20"],
    ['-2.50', '-2.50'],
    ['-cmd', "'-cmd"],
    ['@sum', "'@sum"],
    ['\t=1', "'\t=1"],
    ['a,"b"', '"a,""b"""'],
    ['plain', 'plain'],
  ];
  for (const [given, written] of cases) assert.equal(formatCell(given), written);
});

test('division rounds half to even on both sides of zero', () => {
  const cases: [bigint, bigint, bigint][] = [
    [5n, 10n, 0n],
    [15n, 10n, 2n],
    [25n, 10n, 2n],
    [-5n, 10n, 0n],
    [-15n, 10n, -2n],
    [16n, 10n, 2n],
    [-16n, -10n, 2n],
  ];
  for (const [over, under, rounded] of cases) assert.equal(divideHalfEven(over, under), rounded);
});

test('decimals keep their sign and their zeros', () => {
  assert.equal(formatDecimal(-5n, 2), '-0.05');
  assert.equal(formatDecimal(10_000_000n, 8, 0), '0.1');
  assert.equal(formatForReading('-1234567.50'), '\u22121,234,567.50');
  assert.equal(formatForReading('-0.00'), '0.00');
});

test('every invented ISIN has its true check digit', () => {
  assert.equal(isinCheckDigit('US037833100'), 5);
  for (const { isin } of instruments) if (isin !== '') assert.match(isin, /^[A-Z]{2}[A-Z0-9]{9}\d$/);
});
