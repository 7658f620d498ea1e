// The service clock of the delivery desk: two business days, Monday to Friday without the operator's holidays.

export interface BusinessCalendar {
  readonly zone: string;
  /** Dates that are not business days, as `YYYY-MM-DD`. */
  readonly holidays: readonly string[];
}

/** Longest search for a business day, so that a calendar made of holidays cannot hold the caller. */
const daysSearchedMax = 400;

const saturday = 6;

export function isBusinessDay(on: Temporal.PlainDate, calendar: BusinessCalendar): boolean {
  return on.dayOfWeek < saturday && !calendar.holidays.includes(on.toString());
}

const atZone = (atMs: number, zone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone);

function nextBusinessDay(after: Temporal.PlainDate, calendar: BusinessCalendar): Temporal.PlainDate {
  let on = after.add({ days: 1 });
  for (let searched = 0; !isBusinessDay(on, calendar) && searched < daysSearchedMax; searched += 1) {
    on = on.add({ days: 1 });
  }
  return on;
}

/**
 * The instant `days` business days later at the same time of day; what starts on a day off starts at its next
 * business day's midnight, so a request of Saturday is due at the end of Tuesday.
 * Units: ms since the epoch.
 */
export function addBusinessDays(startMs: number, days: number, calendar: BusinessCalendar): number {
  const start = atZone(startMs, calendar.zone);
  let on = start.toPlainDate();
  let time = start.toPlainTime();
  if (!isBusinessDay(on, calendar)) {
    on = nextBusinessDay(on, calendar);
    time = new Temporal.PlainTime();
  }
  for (let added = 0; added < days; added += 1) on = nextBusinessDay(on, calendar);
  return on.toZonedDateTime({ timeZone: calendar.zone, plainTime: time }).epochMilliseconds;
}

/** Business time between two instants: only what fell on business days counts. Units: ms; 0 when the end is not later. */
export function businessTimeBetween(startMs: number, endMs: number, calendar: BusinessCalendar): number {
  let total = 0;
  let on = atZone(startMs, calendar.zone).toPlainDate();
  for (let searched = 0; searched < daysSearchedMax; searched += 1) {
    const dayStartMs = on.toZonedDateTime(calendar.zone).epochMilliseconds;
    if (dayStartMs >= endMs) break;
    const following = on.add({ days: 1 });
    const dayEndMs = following.toZonedDateTime(calendar.zone).epochMilliseconds;
    if (isBusinessDay(on, calendar)) total += Math.max(0, Math.min(endMs, dayEndMs) - Math.max(startMs, dayStartMs));
    on = following;
  }
  return total;
}
