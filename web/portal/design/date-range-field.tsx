// A span of calendar days, typed in the order of the reader's language or chosen in a calendar.
import { parseDate } from '@internationalized/date';
import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import {
  CalendarCell,
  CalendarGrid,
  CalendarGridBody,
  CalendarGridHeader,
  CalendarHeaderCell,
  CalendarHeading,
} from 'react-aria-components/Calendar';
import { DateInput, DateSegment } from 'react-aria-components/DateField';
import { DateRangePicker } from 'react-aria-components/DateRangePicker';
import { Dialog } from 'react-aria-components/Dialog';
import { Group } from 'react-aria-components/Group';
import { Popover } from 'react-aria-components/Popover';
import { RangeCalendar } from 'react-aria-components/RangeCalendar';
import { useText } from '../language/text.tsx';
import buttonStyles from './button.module.css';
import styles from './date-range-field.module.css';
import { FieldLabel, FieldNotes } from './field.tsx';
import fieldStyles from './field.module.css';
import { Icon } from './icons.tsx';
import menuStyles from './menu.module.css';

/** Shape: calendar dates such as `2026-05-31`, both included. */
export interface DateRange {
  readonly from: string;
  readonly to: string;
}

interface DateRangeFieldProps {
  readonly label: string;
  readonly value: DateRange | undefined;
  /** Undefined when the reader has emptied the field. */
  readonly onChange: (value: DateRange | undefined) => void;
  readonly min?: string;
  readonly max?: string;
  readonly description?: ReactNode;
  readonly error?: string | undefined;
}

export function DateRangeField({
  label,
  value,
  onChange,
  min,
  max,
  description,
  error,
}: DateRangeFieldProps): ReactNode {
  const text = useText();
  return (
    <DateRangePicker
      className={fieldStyles.field ?? ''}
      value={value === undefined ? null : { start: parseDate(value.from), end: parseDate(value.to) }}
      onChange={(range) =>
        onChange(range === null ? undefined : { from: range.start.toString(), to: range.end.toString() })
      }
      isInvalid={error !== undefined}
      validationBehavior="aria"
      {...(min !== undefined && { minValue: parseDate(min) })}
      {...(max !== undefined && { maxValue: parseDate(max) })}
    >
      <FieldLabel>{label}</FieldLabel>
      <Group className={styles.group ?? ''}>
        <div className={styles.dates}>
          <Day slot="start" />
          <span aria-hidden="true">–</span>
          <Day slot="end" />
        </div>
        {value !== undefined && (
          <AriaButton
            slot={null}
            className={styles.button ?? ''}
            aria-label={text('design.clearOf', { label })}
            onPress={() => onChange(undefined)}
          >
            <Icon name="close" />
          </AriaButton>
        )}
        <AriaButton className={styles.button ?? ''}>
          <Icon name="calendar" />
        </AriaButton>
      </Group>
      <FieldNotes description={description} error={error} />
      <Popover className={menuStyles.popover ?? ''} offset={4}>
        <Dialog className={styles.dialog ?? ''}>
          <RangeCalendar className={styles.calendar ?? ''}>
            <header className={styles.head}>
              <AriaButton slot="previous" className={`${buttonStyles.button} ${buttonStyles.icon}`}>
                <Icon name="back" />
              </AriaButton>
              <CalendarHeading className={styles.heading ?? ''} />
              <AriaButton slot="next" className={`${buttonStyles.button} ${buttonStyles.icon}`}>
                <Icon name="forward" />
              </AriaButton>
            </header>
            <CalendarGrid weekdayStyle="narrow">
              <CalendarGridHeader>
                {(day) => <CalendarHeaderCell className={styles.weekday ?? ''}>{day}</CalendarHeaderCell>}
              </CalendarGridHeader>
              <CalendarGridBody>{(date) => <CalendarCell date={date} className={styles.day ?? ''} />}</CalendarGridBody>
            </CalendarGrid>
          </RangeCalendar>
        </Dialog>
      </Popover>
    </DateRangePicker>
  );
}

function Day({ slot }: { slot: 'start' | 'end' }): ReactNode {
  return (
    <DateInput slot={slot} className={styles.input ?? ''}>
      {(segment) => <DateSegment segment={segment} className={styles.segment ?? ''} />}
    </DateInput>
  );
}
