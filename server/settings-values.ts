// The kinds of value a setting can have: each reads a text from outside and either gives the value or says what it wants.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseMasterKeys } from './kernel/master-key.ts';

/** What a reader throws: half a sentence that follows "must be". */
export class WantedValue extends Error {}

export type ReadValue<Value> = (text: string) => Value;

export const text: ReadValue<string> = (given) => given;

export const path: ReadValue<string> = (given) => {
  if (given === '') throw new WantedValue('the path of a folder');
  return resolve(given);
};

export function integer(min: number, max: number): ReadValue<number> {
  return (given) => {
    const value = Number(given);
    if (!/^\d+$/.test(given) || value < min || value > max) {
      throw new WantedValue(`a whole number from ${format(min)} to ${format(max)}`);
    }
    return value;
  };
}

const format = (value: number): string => value.toLocaleString('en');

/** Port 0 asks the system for any free one. */
export const port: ReadValue<number> = integer(0, 65_535);

export function oneOf<const Word extends string>(...words: readonly Word[]): ReadValue<Word> {
  return (given) => {
    const found = words.find((word) => word === given);
    if (found === undefined) throw new WantedValue(`one of ${words.join(', ')}`);
    return found;
  };
}

export const onOff: ReadValue<boolean> = (given) => oneOf('on', 'off')(given) === 'on';

const unitBytes: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** A size with a binary unit, as in `5 GiB`. Units: bytes. */
export const size: ReadValue<number> = (given) => {
  const [, digits, unit] = /^(\d{1,12}) ?(|KiB|MiB|GiB|TiB)$/.exec(given) ?? [];
  const value = Number(digits) * (unitBytes[unit ?? ''] ?? Number.NaN);
  if (!Number.isSafeInteger(value)) throw new WantedValue('a size such as 500 MiB or 5 GiB');
  return value;
};

/** Values between commas; none when the text is empty. */
export function list<Value>(readOne: ReadValue<Value>): ReadValue<readonly Value[]> {
  return (given) =>
    given
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(readOne);
}

export const address: ReadValue<string> = (given) => {
  if (isIP(given) === 0) throw new WantedValue('an IP address such as 127.0.0.1, or :: for all');
  return given;
};

/** An address or a CIDR range. */
export const network: ReadValue<string> = (given) => {
  const [host = '', bits, ...rest] = given.split('/');
  const family = isIP(host);
  const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
  if (family === 0 || rest.length > 0 || !isRange) {
    throw new WantedValue('addresses or ranges such as 10.0.0.7 or 10.0.0.0/8, separated by commas');
  }
  return given;
};

export const zone: ReadValue<string> = (given) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: given }).resolvedOptions().timeZone;
  } catch {
    throw new WantedValue('a time zone such as America/New_York');
  }
};

export const date: ReadValue<string> = (given) => {
  try {
    return Temporal.PlainDate.from(given).toString();
  } catch {
    throw new WantedValue('dates such as 2026-12-25, separated by commas');
  }
};

/** Minutes that divide an hour, or whole hours that divide a day, so that a schedule of wall-clock times fits. */
export const partOfDay: ReadValue<number> = (given) => {
  const minutes = Number(given);
  const fits =
    Number.isInteger(minutes) && minutes > 0 && (60 % minutes === 0 || (minutes % 60 === 0 && 1440 % minutes === 0));
  if (!fits)
    throw new WantedValue('minutes that divide an hour, or whole hours that divide a day, such as 15, 60 or 360');
  return minutes;
};

export const hostName: ReadValue<string> = (given) => {
  const isName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(given);
  if (!isName && isIP(given) === 0) throw new WantedValue('a host name or an address, without port');
  return given;
};

export const emailAddress: ReadValue<string> = (given) => {
  if (!/^[^\s@<>()"]{1,64}@[^\s@<>()"]{1,190}$/.test(given))
    throw new WantedValue('an address such as statements@broker.example');
  return given;
};

export const databaseUrl: ReadValue<string> = (given) => {
  const url = URL.parse(given);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new WantedValue('an address such as postgresql://name:password@host:5432/broadgate');
  }
  return given;
};

/** One master key a line, the current one first. Shape: the text as given, since only the vault reads keys. */
export const masterKeys: ReadValue<string> = (given) => {
  try {
    parseMasterKeys(given);
    return given;
  } catch {
    throw new WantedValue('32 bytes in base64 or hexadecimal (openssl rand -base64 32), one key a line');
  }
};

/** A file that is there and can be read; the value is its absolute path. */
export const readableFile: ReadValue<string> = (given) => {
  const file = resolve(given);
  try {
    readFileSync(file);
  } catch (fault) {
    throw new WantedValue(`a file that can be read (${(fault as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
  return file;
};
