// What an activity statement says: sections of rows, in decimal text, that every format writes alike.
import {
  formatCents,
  formatPrice,
  formatQuantity,
  formatRate,
  inBase,
  sum,
  worth,
} from './activity-statement-amounts.ts';
import type { Cents } from './activity-statement-amounts.ts';
import { playLedger } from './activity-statement-ledger.ts';
import type { Entry, Movement, Portfolio, Position } from './activity-statement-ledger.ts';
import { commissions, conversions, movements, trades } from './activity-statement-activity.ts';
import {
  data,
  isConversion,
  isTrade,
  movementsOf,
  numberColumn,
  textColumn,
  total,
} from './activity-statement-rows.ts';
import type { Row, Section } from './activity-statement-rows.ts';
import { findInstrument } from './activity-statement-market.ts';
import type { AssetClass, Currency, Market } from './activity-statement-market.ts';

export type Period = 'daily' | 'monthly' | 'annual';

export interface ActivityStatement {
  readonly period: Period;
  readonly fromOn: Temporal.PlainDate;
  readonly toOn: Temporal.PlainDate;
  readonly generatedAt: Temporal.ZonedDateTime;
  readonly broker: string;
  readonly portfolio: Portfolio;
  readonly endingValue: Cents;
  readonly startingValue: Cents;
  readonly sections: readonly Section[];
}

export interface StatementRequest {
  readonly portfolio: Portfolio;
  readonly market: Market;
  readonly period: Period;
  readonly fromOn: Temporal.PlainDate;
  readonly toOn: Temporal.PlainDate;
  readonly generatedAt: Temporal.ZonedDateTime;
  readonly broker: string;
}

interface Valuation {
  readonly request: StatementRequest;
  readonly entries: readonly Entry[];
  readonly before: Position;
  readonly after: Position;
  /** The day whose closes value the account before the period. */
  readonly beforeOn: Temporal.PlainDate;
}

/** Gathers what the statement of that account and period says. */
export function composeStatement(request: StatementRequest): ActivityStatement {
  const { portfolio, market, fromOn, toOn } = request;
  const ledger = playLedger(portfolio, market, fromOn, toOn);
  const valuation: Valuation = { request, ...ledger, beforeOn: fromOn.subtract({ days: 1 }) };
  const activity = { entries: ledger.entries, portfolio };
  const startingValue = sum(valueByClass(valuation, ledger.before, valuation.beforeOn).values());
  const endingValue = sum(valueByClass(valuation, ledger.after, toOn).values());
  const sections = [
    netAssetValue(valuation),
    change(valuation, startingValue, endingValue),
    cashReport(valuation),
    positions(valuation),
    trades(activity),
    conversions(activity),
    commissions(activity),
    ...movements(activity),
    rates(valuation),
    instrumentInformation(valuation),
  ].filter((section) => section.rows.length > 0);
  const { period, generatedAt, broker } = request;
  return { period, fromOn, toOn, generatedAt, broker, portfolio, startingValue, endingValue, sections };
}

const rateOn = ({ request }: Valuation, currency: Currency, on: Temporal.PlainDate) =>
  request.market.rate(currency, request.portfolio.baseCurrency, on);

function valueByClass(
  valuation: Valuation,
  position: Position,
  on: Temporal.PlainDate,
): Map<AssetClass | 'Cash', Cents> {
  const values = new Map<AssetClass | 'Cash', Cents>();
  const add = (name: AssetClass | 'Cash', amount: Cents): unknown =>
    values.set(name, (values.get(name) ?? 0n) + amount);
  for (const [currency, amount] of position.cash) add('Cash', inBase(amount, rateOn(valuation, currency, on)));
  for (const [symbol, { quantity }] of position.holdings) {
    const instrument = findInstrument(symbol);
    const value = worth(quantity, valuation.request.market.close(instrument, on));
    add(instrument.assetClass, inBase(value, rateOn(valuation, instrument.currency, on)));
  }
  return values;
}

function netAssetValue(valuation: Valuation): Section {
  const prior = valueByClass(valuation, valuation.before, valuation.beforeOn);
  const current = valueByClass(valuation, valuation.after, valuation.request.toOn);
  const rows = (['Cash', 'Stocks', 'Funds', 'Crypto'] as const)
    .filter((name) => prior.has(name) || current.has(name))
    .map((name) => [name, prior.get(name) ?? 0n, current.get(name) ?? 0n] as const)
    .map(([name, was, is]) => data(name, formatCents(was), formatCents(is), formatCents(is - was)));
  const [was, is] = [sum(prior.values()), sum(current.values())];
  return {
    name: 'Net Asset Value',
    element: ['EquitySummaryInBase', 'EquitySummaryByAssetClassInBase'],
    columns: [
      textColumn('Asset Class', 'assetClass', 4),
      numberColumn('Prior Total', 'priorTotal'),
      numberColumn('Current Total', 'total'),
      numberColumn('Change', 'change'),
    ],
    rows: [...rows, total('Total', formatCents(was), formatCents(is), formatCents(is - was))],
  };
}

function change(valuation: Valuation, startingValue: Cents, endingValue: Cents): Section {
  const { entries, request } = valuation;
  const base = request.portfolio.baseCurrency;
  const inBaseOn = (currency: Currency, amount: Cents): Cents =>
    inBase(amount, rateOn(valuation, currency, request.toOn));
  const moved = (kind: Movement['kind']): Cents =>
    sum(movementsOf(entries, kind).map((entry) => inBaseOn(entry.currency, entry.amount)));
  const commission = sum(
    entries.map((entry) =>
      isTrade(entry)
        ? inBaseOn(entry.instrument.currency, entry.commission)
        : isConversion(entry)
          ? inBaseOn(base, entry.commission)
          : 0n,
    ),
  );
  const named: [string, Cents][] = [
    ['Deposits and Withdrawals', moved('deposit')],
    ['Dividends', moved('dividend')],
    ['Withholding Tax', moved('tax')],
    ['Interest', moved('interest')],
    ['Commissions', commission],
    ['Fees', moved('fee')],
  ];
  const market = endingValue - startingValue - sum(named.map(([, amount]) => amount));
  const shown = named.filter(([, amount]) => amount !== 0n).map(([name, amount]) => data(name, formatCents(amount)));
  return {
    name: 'Change in Net Asset Value',
    element: ['ChangeInNAV', 'ChangeInNAVLine'],
    columns: [textColumn('Field', 'field', 8), numberColumn(base, 'amount')],
    rows: [
      data('Starting Value', formatCents(startingValue)),
      data('Mark-to-Market and Exchange Rates', formatCents(market)),
      ...shown,
      total('Ending Value', formatCents(endingValue)),
    ],
  };
}

function cashReport({ entries, before, after }: Valuation): Section {
  const rows: Row[] = [];
  for (const currency of new Set([...before.cash.keys(), ...after.cash.keys()])) {
    const moved = (kind: Movement['kind']): Cents =>
      sum(
        movementsOf(entries, kind)
          .filter((entry) => entry.currency === currency)
          .map((entry) => entry.amount),
      );
    const traded = entries.filter(isTrade).filter((entry) => entry.instrument.currency === currency);
    const converted = entries.filter(isConversion).flatMap((entry) => [entry.sold, entry.bought]);
    const conversionFees = entries.filter(isConversion).filter((entry) => entry.sold.currency === currency);
    const lines: [string, Cents][] = [
      ['Deposits', moved('deposit')],
      ['Trades (Sales)', sum(traded.filter((trade) => trade.proceeds > 0n).map((trade) => trade.proceeds))],
      ['Trades (Purchases)', sum(traded.filter((trade) => trade.proceeds < 0n).map((trade) => trade.proceeds))],
      ['Currency Conversions', sum(converted.filter((side) => side.currency === currency).map((side) => side.amount))],
      ['Commissions', sum([...traded, ...conversionFees].map((entry) => entry.commission))],
      ['Dividends', moved('dividend')],
      ['Withholding Tax', moved('tax')],
      ['Interest', moved('interest')],
      ['Fees', moved('fee')],
    ];
    rows.push(data('Starting Cash', currency, formatCents(before.cash.get(currency) ?? 0n)));
    for (const [name, amount] of lines) if (amount !== 0n) rows.push(data(name, currency, formatCents(amount)));
    rows.push({ type: 'SubTotal', cells: ['Ending Cash', currency, formatCents(after.cash.get(currency) ?? 0n)] });
  }
  return {
    name: 'Cash Report',
    element: ['CashReport', 'CashReportCurrency'],
    columns: [
      textColumn('Currency Summary', 'line', 6),
      textColumn('Currency', 'currency', 2),
      numberColumn('Amount', 'amount'),
    ],
    rows,
  };
}

function positions(valuation: Valuation): Section {
  const { after, request } = valuation;
  const rows: Row[] = [];
  for (const currency of currenciesOf(after)) {
    let [cost, value] = [0n, 0n];
    for (const [symbol, held] of after.holdings) {
      const instrument = findInstrument(symbol);
      if (instrument.currency !== currency || held.quantity === 0n) continue;
      const close = request.market.close(instrument, request.toOn);
      const worthNow = worth(held.quantity, close);
      const costPrice = (held.cost * 100n * 10n ** 8n) / held.quantity;
      cost += held.cost;
      value += worthNow;
      rows.push(
        data(
          instrument.assetClass,
          currency,
          symbol,
          formatQuantity(held.quantity),
          formatPrice(costPrice),
          formatCents(held.cost),
          formatPrice(close),
          formatCents(worthNow),
          formatCents(worthNow - held.cost),
        ),
      );
    }
    rows.push(
      total('Total', currency, '', '', '', formatCents(cost), '', formatCents(value), formatCents(value - cost)),
    );
  }
  return {
    name: 'Open Positions',
    element: ['OpenPositions', 'OpenPosition'],
    columns: [
      textColumn('Asset Class', 'assetCategory', 1.5),
      textColumn('Currency', 'currency', 1.3),
      textColumn('Symbol', 'symbol', 1.4),
      numberColumn('Quantity', 'position', 1.7),
      numberColumn('Cost Price', 'costBasisPrice', 1.9),
      numberColumn('Cost Basis', 'costBasisMoney', 2.2),
      numberColumn('Close Price', 'markPrice', 1.9),
      numberColumn('Value', 'positionValue', 2.2),
      numberColumn('Unrealized P/L', 'fifoPnlUnrealized', 2.1),
    ],
    rows,
  };
}

const currenciesOf = (position: Position): Set<Currency> =>
  new Set(
    [...position.holdings].filter(([, held]) => held.quantity > 0n).map(([symbol]) => findInstrument(symbol).currency),
  );

function rates(valuation: Valuation): Section {
  const { toOn, portfolio } = valuation.request;
  const others = [...valuation.after.cash.keys()].filter((currency) => currency !== portfolio.baseCurrency);
  return {
    name: 'Base Currency Exchange Rates',
    element: ['ConversionRates', 'ConversionRate'],
    columns: [
      textColumn('From Currency', 'fromCurrency', 3),
      textColumn('To Currency', 'toCurrency', 3),
      numberColumn('Rate', 'rate'),
    ],
    rows: others.map((currency) =>
      data(currency, portfolio.baseCurrency, formatRate(rateOn(valuation, currency, toOn))),
    ),
  };
}

function instrumentInformation({ entries, after }: Valuation): Section {
  const symbols = new Set([
    ...after.holdings.keys(),
    ...entries.filter(isTrade).map((trade) => trade.instrument.symbol),
  ]);
  return {
    name: 'Financial Instrument Information',
    element: ['SecuritiesInfo', 'SecurityInfo'],
    columns: [
      textColumn('Asset Class', 'assetCategory', 1.6),
      textColumn('Symbol', 'symbol', 1.4),
      textColumn('Description', 'description', 5),
      textColumn('ISIN', 'isin', 2.4),
      textColumn('Venue', 'listingExchange', 2),
    ],
    rows: [...symbols]
      .map(findInstrument)
      .map((item) => data(item.assetClass, item.symbol, item.name, item.isin, item.venue)),
  };
}
