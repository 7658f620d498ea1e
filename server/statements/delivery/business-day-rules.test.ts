// The two-business-day clock over evenings, weekends, holidays and changes of daylight saving time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addBusinessDays, businessTimeBetween } from './business-day-rules.ts';

const zone = 'America/New_York';
const at = (text: string, inZone = zone): number =>
  Temporal.PlainDateTime.from(text).toZonedDateTime(inZone).epochMilliseconds;
const show = (atMs: number, inZone = zone): string =>
  Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(inZone).toPlainDateTime().toString();
const hourMs = 3_600_000;

test('SF-X6: two business days leave out weekends and the operator’s holidays', () => {
  const holidays = ['2026-11-26', '2026-12-25', '2027-01-01'];
  const table: [string, string][] = [
    ['2026-11-23T15:00', '2026-11-25T15:00:00'],
    // Thanksgiving is left out.
    ['2026-11-24T15:00', '2026-11-27T15:00:00'],
    ['2026-11-25T23:59:59', '2026-11-30T23:59:59'],
    // Friday: the weekend is left out.
    ['2026-12-04T09:00', '2026-12-08T09:00:00'],
    // What comes on a day off starts at the next business day’s midnight.
    ['2026-12-05T09:00', '2026-12-09T00:00:00'],
    ['2026-12-06T23:59', '2026-12-09T00:00:00'],
    ['2026-11-26T10:00', '2026-12-01T00:00:00'],
    // Christmas on a Friday, and the weekend behind it.
    ['2026-12-23T12:00', '2026-12-28T12:00:00'],
  ];
  for (const [start, due] of table) assert.equal(show(addBusinessDays(at(start), 2, { zone, holidays })), due, start);
});

test('the due time keeps its time of day when daylight saving changes at the weekend between', () => {
  const calendar = { zone, holidays: [] };
  const start = at('2026-10-30T15:00');
  const due = addBusinessDays(start, 2, calendar);
  assert.equal(show(due), '2026-11-03T15:00:00');
  assert.equal(due - start, 97 * hourMs);
  assert.equal(businessTimeBetween(start, due, calendar), 48 * hourMs);
});

test('another zone and its own holidays decide for themselves', () => {
  const calendar = { zone: 'Asia/Tokyo', holidays: ['2026-11-23'] };
  const due = addBusinessDays(at('2026-11-20T18:00', 'Asia/Tokyo'), 2, calendar);
  assert.equal(show(due, 'Asia/Tokyo'), '2026-11-25T18:00:00');
});

test('business time counts nothing on days off and nothing backwards', () => {
  const calendar = { zone, holidays: ['2026-11-26'] };
  const table: [string, string, number][] = [
    ['2026-11-23T10:00', '2026-11-23T12:30', 2.5],
    ['2026-11-27T12:00', '2026-11-30T12:00', 24],
    ['2026-11-28T00:00', '2026-11-29T23:59', 0],
    ['2026-11-25T12:00', '2026-11-27T12:00', 24],
    ['2026-11-24T12:00', '2026-11-24T12:00', 0],
    ['2026-11-24T12:00', '2026-11-23T12:00', 0],
  ];
  for (const [start, end, hours] of table) {
    assert.equal(businessTimeBetween(at(start), at(end), calendar), hours * hourMs, `${start} to ${end}`);
  }
});

test('a calendar of nothing but holidays ends all the same', () => {
  const holidays = Array.from({ length: 800 }, (_, days) =>
    Temporal.PlainDate.from('2026-11-24').add({ days }).toString(),
  );
  assert.ok(addBusinessDays(at('2026-11-24T12:00'), 2, { zone, holidays }) > at('2026-11-24T12:00'));
});
