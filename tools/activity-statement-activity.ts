// The sections of an activity statement that list what happened: trades, conversions, commissions, money in and out.
import { formatCents, formatPrice, formatQuantity, formatRate, sum } from './activity-statement-amounts.ts';
import {
  data,
  isConversion,
  isTrade,
  movementsOf,
  numberColumn,
  textColumn,
  total,
} from './activity-statement-rows.ts';
import type { Section } from './activity-statement-rows.ts';
import type { Entry, Movement, Portfolio } from './activity-statement-ledger.ts';

/** What happened in the period, in order. */
interface Activity {
  readonly entries: readonly Entry[];
  readonly portfolio: Portfolio;
}

export function trades({ entries }: Activity): Section {
  const rows = entries
    .filter(isTrade)
    .map(({ instrument, on, at, quantity, price, proceeds, commission, realized }) =>
      data(
        instrument.assetClass,
        instrument.currency,
        instrument.symbol,
        `${on.toString()}, ${at}`,
        formatQuantity(quantity),
        formatPrice(price),
        formatCents(proceeds),
        formatCents(commission),
        formatCents(realized),
      ),
    );
  for (const currency of new Set(entries.filter(isTrade).map((trade) => trade.instrument.currency))) {
    const own = entries.filter(isTrade).filter((trade) => trade.instrument.currency === currency);
    const [proceeds, fee, realized] = (['proceeds', 'commission', 'realized'] as const).map((name) =>
      sum(own.map((trade) => trade[name])),
    );
    rows.push(
      total('Total', currency, '', '', '', '', formatCents(proceeds!), formatCents(fee!), formatCents(realized!)),
    );
  }
  return {
    name: 'Trades',
    element: ['Trades', 'Trade'],
    columns: [
      textColumn('Asset Class', 'assetCategory', 1.4),
      textColumn('Currency', 'currency', 1.2),
      textColumn('Symbol', 'symbol', 1.2),
      textColumn('Date/Time', 'dateTime', 3.2),
      numberColumn('Quantity', 'quantity', 1.5),
      numberColumn('T. Price', 'tradePrice', 1.8),
      numberColumn('Proceeds', 'proceeds', 2.1),
      numberColumn('Comm.', 'ibCommission', 1.5),
      numberColumn('Realized P/L', 'fifoPnlRealized', 1.9),
    ],
    rows,
    note: 'Proceeds and results are in the currency of the trade. Times are those of the venue.',
  };
}

export const conversions = ({ entries }: Activity): Section => ({
  name: 'Currency Conversions',
  element: ['FxTransactions', 'FxTransaction'],
  columns: [
    textColumn('Date/Time', 'dateTime', 3),
    textColumn('Pair', 'symbol', 1.6),
    numberColumn('Bought', 'quantity'),
    numberColumn('Rate', 'rate', 1.6),
    numberColumn('Sold', 'proceeds'),
    numberColumn('Comm.', 'commission', 1.4),
  ],
  rows: entries
    .filter(isConversion)
    .map(({ on, at, bought, sold, rate, commission }) =>
      data(
        `${on.toString()}, ${at}`,
        `${bought.currency}.${sold.currency}`,
        formatCents(bought.amount),
        formatRate(rate),
        formatCents(sold.amount),
        formatCents(commission),
      ),
    ),
});

export function commissions({ entries, portfolio }: Activity): Section {
  const charged = entries.flatMap((entry) =>
    isTrade(entry)
      ? [
          {
            on: entry.on,
            name: entry.instrument.assetClass,
            what: entry.instrument.symbol,
            currency: entry.instrument.currency,
            amount: entry.commission,
          },
        ]
      : isConversion(entry)
        ? [
            {
              on: entry.on,
              name: 'Currencies',
              what: `${entry.bought.currency}.${entry.sold.currency}`,
              currency: portfolio.baseCurrency,
              amount: entry.commission,
            },
          ]
        : [],
  );
  const rows = charged.map((item) =>
    data(item.on.toString(), item.name, item.what, item.currency, formatCents(item.amount)),
  );
  for (const currency of new Set(charged.map((item) => item.currency))) {
    const amount = sum(charged.filter((item) => item.currency === currency).map((item) => item.amount));
    rows.push(total('Total', '', '', currency, formatCents(amount)));
  }
  return {
    name: 'Commissions',
    columns: [
      textColumn('Date', 'date', 2),
      textColumn('Asset Class', 'assetCategory', 2),
      textColumn('Symbol', 'symbol', 2),
      textColumn('Currency', 'currency', 2),
      numberColumn('Amount', 'amount'),
    ],
    rows,
  };
}

const movementSections: readonly [name: string, kind: Movement['kind']][] = [
  ['Deposits and Withdrawals', 'deposit'],
  ['Dividends', 'dividend'],
  ['Withholding Tax', 'tax'],
  ['Interest', 'interest'],
  ['Fees', 'fee'],
];

export const movements = ({ entries }: Activity): Section[] =>
  movementSections.map(([name, kind]) => {
    const own = movementsOf(entries, kind);
    const rows = own.map((entry) =>
      data(name, entry.on.toString(), entry.currency, entry.description, formatCents(entry.amount)),
    );
    for (const currency of new Set(own.map((entry) => entry.currency))) {
      const amount = sum(own.filter((entry) => entry.currency === currency).map((entry) => entry.amount));
      rows.push(total('Total', '', currency, '', formatCents(amount)));
    }
    return {
      name,
      element: ['CashTransactions', 'CashTransaction'],
      columns: [
        textColumn('Type', 'type', 2.4),
        textColumn('Date', 'dateTime', 1.6),
        textColumn('Currency', 'currency', 1.3),
        textColumn('Description', 'description', 5),
        numberColumn('Amount', 'amount'),
      ],
      rows,
    };
  });
