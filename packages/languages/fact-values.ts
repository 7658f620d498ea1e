// Turns the params of a refusal, a notice or a connection's record into what its text shows: sizes, times and days in the reader's language.
import type { Locale } from './languages.ts';

export type FactParam = string | number | boolean | null | readonly string[];

/** The values for a text. Shape: `…Bytes` and `bytes` become a size, `…Seconds` a short time, the day of `on` and `…On` is written out, a list is joined; numbers stay. */
export function factValues(
  locale: Locale,
  params: Readonly<Record<string, FactParam>>,
): Record<string, string | number> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, factValue(locale, name, value)]));
}

function factValue(locale: Locale, name: string, value: FactParam): string | number {
  if (typeof value === 'number') {
    if (/bytes(max|min)?$/i.test(name)) return formatSize(locale, value);
    if (/seconds$/i.test(name)) return formatWait(locale, value);
    return value;
  }
  if (typeof value === 'string') return /(^o|O)n$/.test(name) && isDay.test(value) ? formatDay(locale, value) : value;
  if (value === null || typeof value === 'boolean') return String(value ?? '');
  return new Intl.ListFormat(locale).format(value);
}

const isDay = /^\d{4}-\d\d-\d\d$/;

const sizeUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** Units: bytes; few of them are counted one by one, more are rounded to three digits. */
export function formatSize(locale: Locale, bytes: number): string {
  const power = bytes < 10_000 ? 0 : Math.min(sizeUnits.length - 1, Math.floor(Math.log10(bytes) / 3));
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: sizeUnits[power]!,
    ...(power === 0 ? { unitDisplay: 'long' } : { unitDisplay: 'short', maximumSignificantDigits: 3 }),
  }).format(bytes / 1000 ** power);
}

/** A time to wait, never too short: whole minutes from two on, else seconds. */
function formatWait(locale: Locale, seconds: number): string {
  const inMinutes = seconds >= 120;
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: inMinutes ? 'minute' : 'second',
    unitDisplay: 'short',
  }).format(Math.ceil(inMinutes ? seconds / 60 : seconds));
}

function formatDay(locale: Locale, day: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
}
