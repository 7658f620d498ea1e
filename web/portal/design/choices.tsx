// Choices that are on the page: a box to tick, one of several, and a switch that takes effect at once.
import type { ReactNode } from 'react';
import { Checkbox as AriaCheckbox, type CheckboxProps as AriaCheckboxProps } from 'react-aria-components/Checkbox';
import { Radio, RadioGroup as AriaRadioGroup } from 'react-aria-components/RadioGroup';
import { Switch as AriaSwitch } from 'react-aria-components/Switch';
import styles from './choices.module.css';
import fieldStyles from './field.module.css';
import { FieldLabel, FieldNotes } from './field.tsx';

interface CheckboxProps extends Pick<AriaCheckboxProps, 'isIndeterminate' | 'isRequired' | 'isDisabled' | 'name'> {
  readonly label: string;
  readonly description?: string;
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
}

/** A box without words beside it, named by `aria-label` or `aria-labelledby`: for the cells of a table. */
export function TickBox(props: AriaCheckboxProps): ReactNode {
  return (
    <AriaCheckbox {...props} className={styles.bare ?? ''}>
      <Box isIndeterminate={props.isIndeterminate} />
    </AriaCheckbox>
  );
}

function Box({ isIndeterminate }: { isIndeterminate: boolean | undefined }): ReactNode {
  return (
    <span className={styles.box}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {isIndeterminate ? <path d="M4 8h8" /> : <path d="m3.5 8.5 3 3 6-7" />}
      </svg>
    </span>
  );
}

export function Checkbox({ label, description, value, ...props }: CheckboxProps): ReactNode {
  return (
    <AriaCheckbox {...props} isSelected={value} className={styles.choice ?? ''}>
      <Box isIndeterminate={props.isIndeterminate} />
      <ChoiceText text={label} description={description} />
    </AriaCheckbox>
  );
}

interface RadioItem<Id extends string> {
  readonly id: Id;
  readonly text: string;
  readonly description?: string;
}

interface RadioGroupProps<Id extends string> {
  readonly label: string;
  readonly items: readonly RadioItem<Id>[];
  readonly value: Id | undefined;
  readonly onChange: (id: Id) => void;
  readonly description?: string;
  readonly error?: string | undefined;
  readonly isRequired?: boolean;
  readonly isDisabled?: boolean;
  readonly name?: string;
}

export function RadioGroup<Id extends string>(props: RadioGroupProps<Id>): ReactNode {
  const { label, items, value, onChange, description, error, ...rest } = props;
  return (
    <AriaRadioGroup
      {...rest}
      value={value ?? null}
      onChange={(id) => onChange(id as Id)}
      isInvalid={error !== undefined}
      validationBehavior="aria"
      className={fieldStyles.field ?? ''}
    >
      <FieldLabel isRequired={rest.isRequired}>{label}</FieldLabel>
      {items.map((item) => (
        <Radio key={item.id} value={item.id} className={styles.choice ?? ''}>
          <span className={styles.dot} />
          <ChoiceText text={item.text} description={item.description} />
        </Radio>
      ))}
      <FieldNotes description={description} error={error} />
    </AriaRadioGroup>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly description?: string;
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
  readonly isDisabled?: boolean;
}

export function Switch({ label, description, value, ...props }: SwitchProps): ReactNode {
  return (
    <AriaSwitch {...props} isSelected={value} className={styles.choice ?? ''}>
      <span className={styles.track}>
        <span className={styles.knob} />
      </span>
      <ChoiceText text={label} description={description} />
    </AriaSwitch>
  );
}

function ChoiceText({ text, description }: { text: string; description: string | undefined }): ReactNode {
  return (
    <span className={styles.text}>
      {text}
      {description !== undefined && <span className={styles.description}>{description}</span>}
    </span>
  );
}
