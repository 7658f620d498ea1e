// A place to drop a file on, or to choose one by keyboard or mouse. What a check refuses never reaches `onFile`.
import { type DragEvent, type ReactNode, useId, useRef, useState } from 'react';
import { useText } from '../language/text.tsx';
import { Button } from './button.tsx';
import styles from './file-drop.module.css';
import { Icon } from './icons.tsx';

interface FileDropProps {
  /** What to drop: "Public SSH key". */
  readonly label: string;
  /** As of the input's attribute: `.pub,.asc`. It only narrows the dialog; anything can be dropped. */
  readonly accept: string;
  readonly onFile: (file: File) => void;
  /** Says why a file is refused before any of it is sent, or nothing. */
  readonly check?: (file: File) => Promise<string | undefined>;
  readonly description?: ReactNode;
  /** What the server said about the last one. */
  readonly error?: string | undefined;
  readonly isPending?: boolean;
}

export function FileDrop({
  label,
  accept,
  onFile,
  check,
  description,
  error,
  isPending = false,
}: FileDropProps): ReactNode {
  const text = useText();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const [refused, setRefused] = useState<string>();
  const id = useId();
  const wrong = refused ?? error;

  const take = async (files: FileList | null): Promise<void> => {
    setOver(false);
    const file = files?.[0];
    if (file === undefined || isPending) return;
    const answer = files!.length > 1 ? text('design.oneFile') : await check?.(file);
    setRefused(answer);
    if (answer === undefined) onFile(file);
  };

  return (
    // What is dropped here can be chosen with the button as well.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      className={styles.drop}
      data-over={isOver || undefined}
      data-wrong={wrong !== undefined || undefined}
      role="group"
      aria-labelledby={`${id}label`}
      aria-describedby={`${id}notes`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => leaves(event) && setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        void take(event.dataTransfer.files);
      }}
    >
      <Icon name="upload" />
      <div className={styles.words}>
        <p id={`${id}label`} className={styles.label}>
          {label}
        </p>
        <div id={`${id}notes`}>
          {description !== undefined && <div className={styles.description}>{description}</div>}
          <div role="alert" className={styles.error}>
            {wrong !== undefined && (
              <>
                <Icon name="error" />
                <span>{wrong}</span>
              </>
            )}
          </div>
        </div>
      </div>
      <input
        ref={input}
        type="file"
        hidden
        accept={accept}
        aria-label={label}
        onChange={(event) => {
          void take(event.currentTarget.files);
          // The same file can be chosen again after it was put right.
          event.currentTarget.value = '';
        }}
      />
      <Button isPending={isPending} onPress={() => input.current?.click()} aria-describedby={`${id}label ${id}notes`}>
        {text('design.chooseFile')}
      </Button>
    </div>
  );
}

const leaves = (event: DragEvent<HTMLElement>): boolean =>
  !(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget));
