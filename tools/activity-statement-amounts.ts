// Decimal arithmetic of the statement generator: whole numbers of the smallest unit, never floating point.

/** Money. Units: hundredths of the currency. */
export type Cents = bigint;
/** Price of one piece. Units: ten-thousandths of the currency. */
export type Price = bigint;
/** Pieces or coins. Units: 10⁻⁸. */
export type Quantity = bigint;
/** Exchange rate to the base currency. Units: 10⁻⁶. */
export type Rate = bigint;

export const quantityOne = 10n ** 8n;
export const rateOne = 10n ** 6n;

/** Division rounded half to even, as a bank rounds. */
export function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const isNegative = dividend < 0n !== divisor < 0n;
  const [over, under] = [dividend < 0n ? -dividend : dividend, divisor < 0n ? -divisor : divisor];
  const whole = over / under;
  const twice = (over % under) * 2n;
  const rounded = twice > under || (twice === under && whole % 2n === 1n) ? whole + 1n : whole;
  return isNegative ? -rounded : rounded;
}

/** What a quantity is worth at a price. */
export const worth = (quantity: Quantity, price: Price): Cents => divideHalfEven(quantity * price, quantityOne * 100n);

/** Money of another currency in the base currency. */
export const inBase = (amount: Cents, rate: Rate): Cents => divideHalfEven(amount * rate, rateOne);

/** A part of an amount. Units: `partsPerMillion` of it. */
export const partOf = (amount: Cents, partsPerMillion: bigint): Cents =>
  divideHalfEven(amount * partsPerMillion, 10n ** 6n);

/** Plain decimal text with a full stop: `-1234.50`; zeros beyond `placesMin` are dropped. */
export function formatDecimal(units: bigint, places: number, placesMin = places): string {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  let fraction = digits.slice(digits.length - places);
  while (fraction.length > placesMin && fraction.endsWith('0')) fraction = fraction.slice(0, -1);
  return `${units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

export const formatCents = (amount: Cents): string => formatDecimal(amount, 2);
export const formatPrice = (price: Price): string => formatDecimal(price, 4);
export const formatQuantity = (quantity: Quantity): string => formatDecimal(quantity, 8, 0);
export const formatRate = (rate: Rate): string => formatDecimal(rate, 6, 4);

/** The same for the eye: thousands apart, a true minus sign. */
export function formatForReading(decimal: string): string {
  const [whole = '', fraction] = decimal.replace('-', '').split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const isZero = /^[0.]*$/.test(decimal.replace('-', ''));
  return `${decimal.startsWith('-') && !isZero ? '\u2212' : ''}${grouped}${fraction === undefined ? '' : `.${fraction}`}`;
}

export const sum = (amounts: Iterable<bigint>): bigint => {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
};
