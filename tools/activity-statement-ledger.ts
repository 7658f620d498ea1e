// The invented account of the statement generator: a portfolio that trades, pays and is paid day by day, from a seed.
import { divideHalfEven, inBase, partOf, quantityOne, rateOne, worth } from './activity-statement-amounts.ts';
import type { Cents, Price, Quantity, Rate } from './activity-statement-amounts.ts';
import { businessDays, drawBelow, findInstrument } from './activity-statement-market.ts';
import type { Currency, Instrument, Market } from './activity-statement-market.ts';

export interface Portfolio {
  readonly accountNumber: string;
  readonly holder: string;
  readonly address: readonly string[];
  readonly baseCurrency: Currency;
  readonly openedOn: Temporal.PlainDate;
  readonly deposit: Cents;
  readonly symbols: readonly string[];
  /** Most trades on one day. */
  readonly tradesMax: number;
}

interface Dated {
  readonly on: Temporal.PlainDate;
}

export interface Trade extends Dated {
  readonly kind: 'trade';
  /** Local time of the venue, `HH:MM:SS`. */
  readonly at: string;
  readonly instrument: Instrument;
  /** Negative for a sale. */
  readonly quantity: Quantity;
  readonly price: Price;
  /** What the account received; negative for a purchase. */
  readonly proceeds: Cents;
  readonly commission: Cents;
  /** Profit of a sale after its commission; zero for a purchase. */
  readonly realized: Cents;
}

export interface Conversion extends Dated {
  readonly kind: 'conversion';
  readonly at: string;
  readonly sold: { readonly currency: Currency; readonly amount: Cents };
  readonly bought: { readonly currency: Currency; readonly amount: Cents };
  readonly rate: Rate;
  readonly commission: Cents;
}

/** Money that came or went without a trade. */
export interface Movement extends Dated {
  readonly kind: 'deposit' | 'dividend' | 'tax' | 'interest' | 'fee';
  readonly currency: Currency;
  readonly amount: Cents;
  readonly description: string;
}

export type Entry = Trade | Conversion | Movement;

export interface Holding {
  readonly quantity: Quantity;
  /** What the pieces held cost, commissions included. */
  readonly cost: Cents;
}

/** An account at the end of a day. */
export interface Position {
  readonly cash: ReadonlyMap<Currency, Cents>;
  readonly holdings: ReadonlyMap<string, Holding>;
}

const empty: Position = { cash: new Map(), holdings: new Map() };

interface Book {
  readonly portfolio: Portfolio;
  readonly market: Market;
  readonly cash: Map<Currency, Cents>;
  readonly holdings: Map<string, Holding>;
  readonly entries: Entry[];
}

/** Plays the account from its opening to the end of `to`. Shape: all entries in order, and the account at both ends of the period. */
export function playLedger(portfolio: Portfolio, market: Market, from: Temporal.PlainDate, to: Temporal.PlainDate) {
  const book: Book = { portfolio, market, cash: new Map(), holdings: new Map(), entries: [] };
  let before = empty;
  for (const on of businessDays(portfolio.openedOn, to)) {
    if (Temporal.PlainDate.compare(on, from) < 0) {
      playDay(book, on);
      before = { cash: new Map(book.cash), holdings: new Map(book.holdings) };
    } else {
      playDay(book, on);
    }
  }
  const entries = book.entries.filter((entry) => Temporal.PlainDate.compare(entry.on, from) >= 0);
  const after: Position = { cash: book.cash, holdings: book.holdings };
  return { entries, before, after };
}

function playDay(book: Book, on: Temporal.PlainDate): void {
  const { portfolio, market } = book;
  const draw = (below: number, ...what: string[]): number =>
    drawBelow(below, market.seed, portfolio.accountNumber, on.toString(), ...what);

  if (on.equals(portfolio.openedOn)) {
    move(book, {
      kind: 'deposit',
      on,
      currency: portfolio.baseCurrency,
      amount: portfolio.deposit,
      description: 'Cash receipt by electronic transfer',
    });
    for (const [index, symbol] of portfolio.symbols.entries()) {
      const budget = partOf(portfolio.deposit, BigInt(Math.trunc(880_000 / portfolio.symbols.length)));
      buy(book, on, timeOf(index, 0), findInstrument(symbol), budget);
    }
    return;
  }
  payDividends(book, on);
  payMonthly(book, on);
  const trades = draw(portfolio.tradesMax + 1, 'trades');
  for (let index = 0; index < trades; index += 1) {
    const symbol = portfolio.symbols[draw(portfolio.symbols.length, 'symbol', String(index))]!;
    const instrument = findInstrument(symbol);
    const at = timeOf(index, draw(2_400, 'time', String(index)));
    const held = book.holdings.get(symbol)?.quantity ?? 0n;
    if (draw(100, 'side', String(index)) < 48 && held > 0n) {
      sell(
        book,
        on,
        at,
        instrument,
        inLots(instrument, partOf(held, BigInt(50_000 + draw(200_000, 'part', String(index))))),
      );
    } else {
      buy(book, on, at, instrument, partOf(portfolio.deposit, BigInt(4_000 + draw(12_000, 'budget', String(index)))));
    }
  }
}

/** Trading hours are cut into steps of 45 minutes, so that the trades of a day stay in order. */
function timeOf(step: number, second: number): string {
  const total = 9 * 3600 + 40 * 60 + (step % 8) * 2_700 + second;
  return Temporal.PlainTime.from('00:00').add({ seconds: total }).toString({ smallestUnit: 'second' });
}

/** Whole pieces; coins in steps of 0.0001. */
const inLots = (instrument: Instrument, quantity: Quantity): Quantity => {
  const lot = instrument.assetClass === 'Crypto' ? 10_000n : quantityOne;
  return (quantity / lot) * lot;
};

/** The price of a trade lies within half a percent of the close. */
function tradePrice(book: Book, on: Temporal.PlainDate, at: string, instrument: Instrument): Price {
  const close = book.market.close(instrument, on);
  const shift = drawBelow(10_001, book.market.seed, instrument.symbol, on.toString(), at) - 5_000;
  const tick = instrument.assetClass === 'Crypto' ? 2_500n : 100n;
  return ((close + (close * BigInt(shift)) / 1_000_000n) / tick) * tick;
}

/** Commission of a trade, never below the venue's least. */
export function commissionOf(instrument: Instrument, quantity: Quantity, proceeds: Cents): Cents {
  const value = proceeds < 0n ? -proceeds : proceeds;
  const pieces = quantity < 0n ? -quantity : quantity;
  if (instrument.assetClass === 'Crypto') return atLeast(175n, partOf(value, 1_800n));
  if (instrument.currency === 'USD') return atLeast(100n, divideHalfEven(pieces, quantityOne * 2n));
  return atLeast(300n, partOf(value, 500n));
}

const atLeast = (least: Cents, amount: Cents): Cents => (amount < least ? least : amount);

function buy(book: Book, on: Temporal.PlainDate, at: string, instrument: Instrument, budgetInBase: Cents): void {
  const price = tradePrice(book, on, at, instrument);
  const rate = book.market.rate(instrument.currency, book.portfolio.baseCurrency, on);
  const budget = divideHalfEven(budgetInBase * rateOne, rate);
  const quantity = inLots(instrument, (budget * 100n * quantityOne) / price);
  if (quantity === 0n) return;
  const proceeds = -worth(quantity, price);
  const commission = commissionOf(instrument, quantity, proceeds);
  if (!fund(book, on, at, instrument.currency, commission - proceeds)) return;
  add(book, instrument.currency, proceeds - commission);
  const held = book.holdings.get(instrument.symbol) ?? { quantity: 0n, cost: 0n };
  book.holdings.set(instrument.symbol, {
    quantity: held.quantity + quantity,
    cost: held.cost + commission - proceeds,
  });
  book.entries.push({
    kind: 'trade',
    on,
    at,
    instrument,
    quantity,
    price,
    proceeds,
    commission: -commission,
    realized: 0n,
  });
}

function sell(book: Book, on: Temporal.PlainDate, at: string, instrument: Instrument, quantity: Quantity): void {
  if (quantity === 0n) return;
  const price = tradePrice(book, on, at, instrument);
  const proceeds = worth(quantity, price);
  const commission = commissionOf(instrument, quantity, proceeds);
  const held = book.holdings.get(instrument.symbol)!;
  const cost = divideHalfEven(held.cost * quantity, held.quantity);
  book.holdings.set(instrument.symbol, { quantity: held.quantity - quantity, cost: held.cost - cost });
  add(book, instrument.currency, proceeds - commission);
  const realized = proceeds - commission - cost;
  book.entries.push({
    kind: 'trade',
    on,
    at,
    instrument,
    quantity: -quantity,
    price,
    proceeds,
    commission: -commission,
    realized,
  });
}

/** Makes sure of enough cash in a currency, by conversion from the base currency. False when there is not enough of that. */
function fund(book: Book, on: Temporal.PlainDate, at: string, currency: Currency, needed: Cents): boolean {
  const base = book.portfolio.baseCurrency;
  const missing = needed - (book.cash.get(currency) ?? 0n);
  if (missing <= 0n) return true;
  if (currency === base) return false;
  const rate = book.market.rate(currency, base, on);
  const bought = missing + partOf(missing, 150_000n);
  const sold = inBase(bought, rate);
  const commission = atLeast(200n, partOf(sold, 20n));
  if ((book.cash.get(base) ?? 0n) < sold + commission) return false;
  add(book, base, -sold - commission);
  add(book, currency, bought);
  book.entries.push({
    kind: 'conversion',
    on,
    at,
    sold: { currency: base, amount: -sold },
    bought: { currency, amount: bought },
    rate,
    commission: -commission,
  });
  return true;
}

/** Dividends fall due on the twelfth of a month, or the business day after; each instrument has two months of its own. */
function payDividends(book: Book, on: Temporal.PlainDate): void {
  if (!isDueOn(on, 12)) return;
  for (const [symbol, { quantity }] of book.holdings) {
    const instrument = findInstrument(symbol);
    const month = 1 + drawBelow(6, symbol);
    if (instrument.dividend === 0 || quantity === 0n || (on.month - month) % 6 !== 0) continue;
    const perPiece = partOf(book.market.close(instrument, on), BigInt(instrument.dividend / 2));
    const amount = worth(quantity, perPiece);
    const { currency } = instrument;
    move(book, { kind: 'dividend', on, currency, amount, description: `${symbol} (${instrument.isin}) cash dividend` });
    const tax = -partOf(amount, 150_000n);
    move(book, { kind: 'tax', on, currency, amount: tax, description: `${symbol} withholding tax 15 %` });
  }
}

/** Interest on the 4th, data subscription on the 15th, custody of coins on the 20th; each on the business day after a weekend. */
function payMonthly(book: Book, on: Temporal.PlainDate): void {
  const base = book.portfolio.baseCurrency;
  if (isDueOn(on, 4)) {
    for (const [currency, amount] of book.cash) {
      const interest = partOf(amount, currency === 'CHF' ? 100n : 1_900n);
      if (interest <= 0n) continue;
      move(book, { kind: 'interest', on, currency, amount: interest, description: `${currency} credit interest` });
    }
  }
  if (isDueOn(on, 15)) {
    move(book, { kind: 'fee', on, currency: base, amount: -1_450n, description: 'Market data subscription' });
  }
  if (!isDueOn(on, 20)) return;
  for (const [symbol, { quantity }] of book.holdings) {
    const instrument = findInstrument(symbol);
    if (instrument.assetClass !== 'Crypto' || quantity === 0n) continue;
    const fee = atLeast(1n, partOf(worth(quantity, book.market.close(instrument, on)), 100n));
    move(book, { kind: 'fee', on, currency: instrument.currency, amount: -fee, description: `${symbol} custody fee` });
  }
}

/** True on that day of the month, and on the Monday after when the day falls on a weekend. */
const isDueOn = (on: Temporal.PlainDate, day: number): boolean =>
  on.day === day ||
  (on.dayOfWeek === 1 && (on.subtract({ days: 1 }).day === day || on.subtract({ days: 2 }).day === day));

function move(book: Book, movement: Movement): void {
  add(book, movement.currency, movement.amount);
  book.entries.push(movement);
}

const add = (book: Book, currency: Currency, amount: Cents): void => {
  book.cash.set(currency, (book.cash.get(currency) ?? 0n) + amount);
};
