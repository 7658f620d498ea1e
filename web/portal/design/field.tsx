// Fields for typed text. The label, the description and the error are tied to the input; pasting is never blocked.
import type { HTMLInputAutoCompleteAttribute, ReactNode, Ref } from 'react';
import { FieldError } from 'react-aria-components/FieldError';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { Button as AriaButton } from 'react-aria-components/Button';
import { SearchField as AriaSearchField } from 'react-aria-components/SearchField';
import { Text } from 'react-aria-components/Text';
import { TextArea } from 'react-aria-components/TextArea';
import { TextField, type TextFieldProps } from 'react-aria-components/TextField';
import { useText } from '../language/text.tsx';
import styles from './field.module.css';
import { Icon } from './icons.tsx';

interface FieldProps
  extends Pick<
    TextFieldProps,
    | 'value'
    | 'defaultValue'
    | 'onChange'
    | 'name'
    | 'isDisabled'
    | 'isReadOnly'
    | 'autoFocus'
    | 'inputMode'
    | 'maxLength'
    | 'onBlur'
  > {
  readonly label: string;
  readonly description?: ReactNode;
  /** What is wrong and what to do; the field counts as wrong while it is given. */
  readonly error?: string | undefined;
  readonly type?: 'text' | 'password' | 'email' | 'tel' | 'url';
  readonly autoComplete?: HTMLInputAutoCompleteAttribute;
  readonly isRequired?: boolean;
  readonly multiline?: boolean | { readonly rows: number };
  /** Text in a fixed width, left to right: keys, addresses, fingerprints. */
  readonly isCode?: boolean;
  readonly inputRef?: Ref<HTMLInputElement>;
}

export function Field({
  label,
  description,
  error,
  multiline,
  isCode,
  inputRef,
  type = 'text',
  ...props
}: FieldProps): ReactNode {
  const inputClass = `${styles.input} ${isCode ? styles.code : ''}`;
  const direction = isCode ? 'ltr' : 'auto';
  return (
    // The server decides what is wrong; a browser's own bubble would say it in another language.
    <TextField
      {...props}
      type={type}
      isInvalid={error !== undefined}
      validationBehavior="aria"
      className={styles.field ?? ''}
    >
      <FieldLabel isRequired={props.isRequired}>{label}</FieldLabel>
      {multiline ? (
        <TextArea
          className={inputClass}
          dir={direction}
          rows={multiline === true ? 4 : multiline.rows}
          spellCheck={!isCode}
        />
      ) : (
        <Input className={inputClass} dir={direction} {...(inputRef && { ref: inputRef })} spellCheck={!isCode} />
      )}
      <FieldNotes description={description} error={error} />
    </TextField>
  );
}

interface SearchFieldProps {
  readonly label: string;
  readonly value?: string;
  readonly onChange?: (value: string) => void;
  /** Called when Enter is pressed. */
  readonly onSubmit?: (value: string) => void;
  readonly description?: ReactNode;
}

export function SearchField({ label, description, ...props }: SearchFieldProps): ReactNode {
  const text = useText();
  return (
    <AriaSearchField {...props} className={styles.field ?? ''}>
      <FieldLabel>{label}</FieldLabel>
      <div className={styles.search}>
        <Icon name="search" />
        <Input className={styles.bare ?? ''} dir="auto" />
        <AriaButton className={styles.clear ?? ''} aria-label={text('design.clear')}>
          <Icon name="close" />
        </AriaButton>
      </div>
      <FieldNotes description={description} error={undefined} />
    </AriaSearchField>
  );
}

/** The label of a field of any kind; says when something must be given. */
export function FieldLabel({
  children,
  isRequired,
}: {
  children: string;
  isRequired?: boolean | undefined;
}): ReactNode {
  const text = useText();
  return (
    <Label className={styles.label ?? ''}>
      {children}
      {isRequired && <span className={styles.required}> {text('design.required')}</span>}
    </Label>
  );
}

/** What is said below a field of any kind; React Aria ties both to the input. */
export function FieldNotes({ description, error }: { description: ReactNode; error: string | undefined }): ReactNode {
  return (
    <>
      {description !== undefined && (
        <Text slot="description" className={styles.description ?? ''}>
          {description}
        </Text>
      )}
      <FieldError className={styles.error ?? ''}>
        <Icon name="error" />
        <span>{error}</span>
      </FieldError>
    </>
  );
}
