// How an activity statement names itself and its period, in words.
import type { ActivityStatement } from './activity-statement-contents.ts';

const titles = {
  daily: 'Daily Activity Statement',
  monthly: 'Monthly Activity Statement',
  annual: 'Annual Activity Statement',
};

export const titleOf = (statement: Pick<ActivityStatement, 'period'>): string => titles[statement.period];

export const describeDate = (on: Temporal.PlainDate): string => on.toLocaleString('en-GB', { dateStyle: 'long' });

/** One day as itself; a longer period as from and to. */
export const describePeriod = ({ fromOn, toOn }: Pick<ActivityStatement, 'fromOn' | 'toOn'>): string =>
  fromOn.equals(toOn) ? describeDate(toOn) : `${describeDate(fromOn)} \u2013 ${describeDate(toOn)}`;
