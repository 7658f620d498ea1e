// Writes realistic activity statements from a seed, as PDF, CSV and XML: for the demo, for tests and for load.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { composeStatement } from './activity-statement-contents.ts';
import type { ActivityStatement, Period } from './activity-statement-contents.ts';
import { writeCsv } from './activity-statement-csv.ts';
import { createMarket, instruments } from './activity-statement-market.ts';
import { writePdf } from './activity-statement-pdf.ts';
import { writeXml } from './activity-statement-xml.ts';

export { composeStatement } from './activity-statement-contents.ts';
export type { ActivityStatement, Period } from './activity-statement-contents.ts';
export type { Portfolio } from './activity-statement-ledger.ts';
export { businessDays, createMarket } from './activity-statement-market.ts';

export const formats = ['pdf', 'csv', 'xml'] as const;
export type Format = (typeof formats)[number];

const writers: Readonly<Record<Format, (statement: ActivityStatement) => Buffer>> = {
  pdf: writePdf,
  csv: writeCsv,
  xml: writeXml,
};

export const writeStatement = (statement: ActivityStatement, format: Format): Buffer => writers[format](statement);

/** The days that a statement of that kind covers when it ends on `toOn`. */
export function startOfPeriod(period: Period, toOn: Temporal.PlainDate): Temporal.PlainDate {
  if (period === 'daily') return toOn;
  return toOn.with(period === 'monthly' ? { day: 1 } : { day: 1, month: 1 });
}

const usage = `Usage: node tools/activity-statement.ts --out FOLDER [--account U1234567] [--holder NAME] [--period daily|monthly|annual]
                                         [--on YYYY-MM-DD] [--seed TEXT] [--broker NAME]
Writes one invented statement as PDF, CSV and XML.`;

const isPeriod = (text: string): text is Period => ['daily', 'monthly', 'annual'].includes(text);

function main(): void {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      account: { type: 'string', default: 'U7041826' },
      holder: { type: 'string', default: 'Clara Lindqvist' },
      period: { type: 'string', default: 'daily' },
      on: { type: 'string', default: '2026-11-20' },
      seed: { type: 'string', default: 'broadgate' },
      broker: { type: 'string', default: 'Harbour & Vale' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || values.out === undefined || !isPeriod(values.period)) {
    process.stdout.write(`${usage}\n`);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const toOn = Temporal.PlainDate.from(values.on);
  const statement = composeStatement({
    portfolio: {
      accountNumber: values.account,
      holder: values.holder,
      address: ['Lilla Nygatan 14', '111 28 Stockholm', 'Sweden'],
      baseCurrency: 'EUR',
      openedOn: Temporal.PlainDate.from('2025-03-03'),
      deposit: 40_000_000n,
      symbols: instruments.map((instrument) => instrument.symbol),
      tradesMax: 6,
    },
    market: createMarket(values.seed),
    period: values.period,
    fromOn: startOfPeriod(values.period, toOn),
    toOn,
    generatedAt: toOn.add({ days: 1 }).toZonedDateTime({ timeZone: 'America/New_York', plainTime: '04:12' }),
    broker: values.broker,
  });
  mkdirSync(values.out, { recursive: true });
  for (const format of formats) {
    const name = `activity-${values.period}-${values.on}.${format}`;
    writeFileSync(join(values.out, name), writeStatement(statement, format));
  }
}

if (import.meta.main) main();
