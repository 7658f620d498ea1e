// Texts and formats for the pages: nothing that a reader sees is written in a page itself.
import type { Locale } from '@broadgate/languages';
import { factValues, formatSize } from '@broadgate/languages/fact-values.ts';
import type { TextId } from '@broadgate/languages/text-ids.ts';
import { type ReactNode, useCallback, useMemo } from 'react';
import { FormattedMessage, useIntl } from 'react-intl';
import { Problem } from '../api/problem.ts';

export type { TextId };

/** What fills a text's places; a function stands for a tag of the text, as in `<b>…</b>`. */
export type Values = Readonly<Record<string, ReactNode | ((inside: ReactNode[]) => ReactNode)>>;
export type PlainValues = Readonly<Record<string, string | number | boolean | Date | null | undefined>>;

export const Text = ({ id, values }: { readonly id: TextId; readonly values?: Values }) => (
  <FormattedMessage id={id} values={values as never} />
);

/** For attributes and labels: the text itself. */
export function useText(): (id: TextId, values?: PlainValues) => string {
  const intl = useIntl();
  // The same for as long as the language is, so that what is made with it need not be made again.
  return useCallback((id, values) => intl.formatMessage({ id }, values), [intl]);
}

/** A refusal in the reader's words; the raw code only where we have no words for it, to be quoted. */
export function useProblemText(problem: unknown): string {
  const intl = useIntl();
  if (problem === null || problem === undefined) return '';
  const { code, params, instance = '' } = problem instanceof Problem ? problem : faultOfOurs;
  if (code === 'unreachable') return intl.formatMessage({ id: 'frame.problem.unreachable' });
  const id = `refusal.${code}`;
  if (!Object.hasOwn(intl.messages, id)) return intl.formatMessage({ id: 'frame.problem.unknown' }, { code });
  return intl.formatMessage({ id }, factValues(intl.locale as Locale, { ...params, instance }));
}

const faultOfOurs = { code: 'internal', params: {}, instance: undefined } as const;

type Instant = string | number | Date;

/** Formats in the reader's language and time zone. */
export function useFormats() {
  const intl = useIntl();
  return useMemo(() => {
    const zone = intl.timeZone ?? 'UTC';
    return {
      /** A calendar date such as `2026-05-31`, which belongs to no time zone. */
      date: (day: string) => intl.formatDate(`${day}T00:00:00Z`, { dateStyle: 'medium', timeZone: 'UTC' }),
      /** From one calendar date to another, what they share said once. */
      period: (from: string, to: string) =>
        intl.formatDateTimeRange(new Date(`${from}T00:00:00Z`), new Date(`${to}T00:00:00Z`), {
          dateStyle: 'medium',
          timeZone: 'UTC',
        }),
      /** Date and time to the minute, with the zone named. */
      instant: (at: Instant) =>
        intl.formatDate(at, {
          year: 'numeric',
          month: 'short',
          day: 'numeric',
          hour: '2-digit',
          minute: '2-digit',
          timeZoneName: 'short',
        }),
      number: (value: number | bigint, options?: Intl.NumberFormatOptions) =>
        intl.formatNumber(value, options as never),
      bytes: (sizeBytes: number) => formatSize(intl.locale as Locale, sizeBytes),
      /** "in 3 days", "2 hours ago". */
      relative: (at: Instant, nowMs = Date.now()) => formatRelative(intl.locale, new Date(at).getTime() - nowMs),
      /** Each item keeps its own direction: Unicode's FSI and PDI around it. */
      list: (items: readonly string[]) => {
        const isolated = items.map((item) => `\u2068${item}\u2069`);
        return intl.formatList(isolated, { type: 'conjunction' });
      },
      /** The name of a language. */
      language: (locale: string) => intl.formatDisplayName(locale, { type: 'language' }) ?? locale,
      collator: new Intl.Collator(intl.locale, { numeric: true }),
      zone,
    };
  }, [intl]);
}

const relativeUnits: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

function formatRelative(locale: string, distanceMs: number): string {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const found = relativeUnits.find(([, length]) => Math.abs(distanceMs) >= length);
  // Within a minute it is "now".
  if (found === undefined) return format.format(0, 'second');
  const [unit, lengthMs] = found;
  return format.format(Math.trunc(distanceMs / lengthMs), unit);
}
