// The invented market of the statement generator: instruments, closing prices and exchange rates that repeat for a seed.
import { createHash } from 'node:crypto';
import type { Price, Rate } from './activity-statement-amounts.ts';

export type AssetClass = 'Stocks' | 'Funds' | 'Crypto';
export type Currency = 'USD' | 'EUR' | 'GBP' | 'CHF';

export interface Instrument {
  readonly symbol: string;
  readonly name: string;
  /** Invented, with a true check digit; empty for a coin. */
  readonly isin: string;
  readonly assetClass: AssetClass;
  readonly currency: Currency;
  readonly venue: string;
  /** Price on the first day of the market. */
  readonly startPrice: Price;
  /** Twice the size of a usual daily move. Units: parts per million. */
  readonly moveSize: number;
  /** Yearly dividend in two payments. Units: parts per million of the price. */
  readonly dividend: number;
}

/** The last digit of an ISIN. Source: ISO 6166 annex C (letters become two digits, then the Luhn formula). */
export function isinCheckDigit(elevenCharacters: string): number {
  const digits = Array.from(elevenCharacters, (character) => Number.parseInt(character, 36)).join('');
  const doubled = Array.from(digits, Number).map((digit, index) =>
    (digits.length - index) % 2 === 1 ? (digit * 2 > 9 ? digit * 2 - 9 : digit * 2) : digit,
  );
  return (10 - (doubled.reduce((total, digit) => total + digit, 0) % 10)) % 10;
}

const completeIsin = (start: string): string => (start === '' ? '' : `${start}${isinCheckDigit(start)}`);

const row = (
  symbol: string,
  name: string,
  isinStart: string,
  assetClass: AssetClass,
  currency: Currency,
  venue: string,
  startPrice: Price,
  moveSize: number,
  dividend: number,
): Instrument => ({
  symbol,
  name,
  isin: completeIsin(isinStart),
  assetClass,
  currency,
  venue,
  startPrice,
  moveSize,
  dividend,
});

export const instruments: readonly Instrument[] = [
  row('CDWL', 'Caldwell Paper Co.', 'US129550041', 'Stocks', 'USD', 'New York', 847_200n, 22_000, 24_000),
  row('LMNO', 'Lumen & Noble Optics Inc.', 'US550241208', 'Stocks', 'USD', 'New York', 2_164_500n, 28_000, 6_000),
  row('TBRF', 'Timberline Foods Corp.', 'US887231034', 'Stocks', 'USD', 'New York', 531_900n, 17_000, 31_000),
  row('HPZN', 'Helvetia Präzision AG', 'CH046331782', 'Stocks', 'CHF', 'Zürich', 3_418_000n, 19_000, 21_000),
  row('NVND', 'Nordvind Energi AB', 'SE001734491', 'Stocks', 'EUR', 'Frankfurt', 288_400n, 25_000, 28_000),
  row('ASHR', 'Ashgrove Rail plc', 'GB00BK9T4L6', 'Stocks', 'GBP', 'London', 96_350n, 18_000, 42_000),
  row('MWEQ', 'Meridian World Equity UCITS ETF', 'IE00BM5R7X2', 'Funds', 'USD', 'London', 1_127_600n, 11_000, 0),
  row(
    'MEAG',
    'Meridian Euro Aggregate Bond UCITS ETF',
    'IE00BL8C2J9',
    'Funds',
    'EUR',
    'Frankfurt',
    1_042_300n,
    4_000,
    19_000,
  ),
  row('BTC', 'Bitcoin', '', 'Crypto', 'USD', 'Crypto', 964_120_000n, 42_000, 0),
  row('ETH', 'Ether', '', 'Crypto', 'USD', 'Crypto', 36_512_000n, 51_000, 0),
];

export const findInstrument = (symbol: string): Instrument => {
  const found = instruments.find((instrument) => instrument.symbol === symbol);
  if (!found) throw new Error(`the invented market has no instrument ${symbol}`);
  return found;
};

/** A repeatable whole number from 0 up to but not including `below`, for a seed and whatever it stands for. */
export function drawBelow(below: number, ...seed: readonly string[]): number {
  const hash = createHash('sha256').update(seed.join('\0')).digest();
  return Number(hash.readBigUInt64BE() % BigInt(below));
}

const baseRates: Readonly<Record<Currency, Rate>> = {
  USD: 1_000_000n,
  EUR: 1_142_600n,
  GBP: 1_318_300n,
  CHF: 1_231_900n,
};

/** The market opens on this day; nothing is known before it. */
export const marketOpensOn = Temporal.PlainDate.from('2025-01-02');

const millionth = 10n ** 6n;

/** One day's move, most often small: the mean of four draws. Units: parts per million. */
function moveOf(moveSize: number, ...seed: readonly string[]): bigint {
  let total = 0;
  for (let draw = 0; draw < 4; draw += 1) total += drawBelow(2 * moveSize + 1, ...seed, String(draw)) - moveSize;
  return BigInt(Math.trunc(total / 2));
}

export type Market = ReturnType<typeof createMarket>;

/** A market for a seed: the same seed and day give the same close, whichever period is asked for. */
export function createMarket(seed: string) {
  const walks = new Map<string, bigint[]>();

  // A walk is extended day by day and kept, so that a year of closes costs one pass.
  function walk(name: string, start: bigint, moveSize: number, on: Temporal.PlainDate): bigint {
    const days = marketOpensOn.until(on, { largestUnit: 'days' }).days;
    if (days < 0) throw new Error(`the invented market opens on ${marketOpensOn.toString()}`);
    const closes = walks.get(name) ?? [start];
    walks.set(name, closes);
    while (closes.length <= days) {
      const day = marketOpensOn.add({ days: closes.length });
      const last = closes.at(-1)!;
      closes.push(isWeekend(day) ? last : last + (last * moveOf(moveSize, seed, name, day.toString())) / millionth);
    }
    return closes[days]!;
  }

  return {
    seed,
    close: (instrument: Instrument, on: Temporal.PlainDate): Price =>
      walk(instrument.symbol, instrument.startPrice, instrument.moveSize, on),
    /** How much base currency one unit of `currency` is. */
    rate(currency: Currency, base: Currency, on: Temporal.PlainDate): Rate {
      if (currency === base) return millionth;
      const inDollars = (name: Currency): Rate => (name === 'USD' ? millionth : walk(name, baseRates[name], 6_000, on));
      return (inDollars(currency) * millionth) / inDollars(base);
    },
  };
}

export const isWeekend = (on: Temporal.PlainDate): boolean => on.dayOfWeek > 5;

/** The business days from one date to another, both included. */
export function businessDays(from: Temporal.PlainDate, to: Temporal.PlainDate): Temporal.PlainDate[] {
  const days: Temporal.PlainDate[] = [];
  for (let on = from; Temporal.PlainDate.compare(on, to) <= 0; on = on.add({ days: 1 })) {
    if (!isWeekend(on)) days.push(on);
  }
  return days;
}
