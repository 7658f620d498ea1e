// A choice of one from a list that opens.
import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { Select as AriaSelect, SelectValue } from 'react-aria-components/Select';
import { FieldLabel, FieldNotes } from './field.tsx';
import fieldStyles from './field.module.css';
import { Icon } from './icons.tsx';
import menuStyles from './menu.module.css';
import styles from './select.module.css';

interface SelectItem<Id extends string> {
  readonly id: Id;
  readonly text: string;
  /** The language of the text, where it is not the page's: the name of a language in itself. */
  readonly lang?: string;
}

interface SelectProps<Id extends string> {
  readonly label: string;
  readonly items: readonly SelectItem<Id>[];
  readonly value: Id | undefined;
  readonly onChange: (id: Id) => void;
  readonly description?: ReactNode;
  readonly error?: string | undefined;
  readonly placeholder?: string;
  readonly isRequired?: boolean;
  readonly isDisabled?: boolean;
  readonly name?: string;
}

export function Select<Id extends string>({
  label,
  items,
  value,
  onChange,
  description,
  error,
  ...props
}: SelectProps<Id>): ReactNode {
  return (
    <AriaSelect
      {...props}
      value={value ?? null}
      onChange={(key) => key !== null && onChange(key as Id)}
      isInvalid={error !== undefined}
      validationBehavior="aria"
      className={fieldStyles.field ?? ''}
    >
      <FieldLabel isRequired={props.isRequired}>{label}</FieldLabel>
      <AriaButton className={styles.button ?? ''}>
        <SelectValue className={styles.value ?? ''} />
        <Icon name="down" />
      </AriaButton>
      <FieldNotes description={description} error={error} />
      <Popover className={menuStyles.popover ?? ''} offset={4}>
        <ListBox items={items} className={menuStyles.list ?? ''}>
          {(item) => (
            <ListBoxItem id={item.id} textValue={item.text} className={menuStyles.item ?? ''}>
              {({ isSelected }) => (
                <>
                  <span lang={item.lang} className={menuStyles.text}>
                    {item.text}
                  </span>
                  {isSelected && <Icon name="check" />}
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
