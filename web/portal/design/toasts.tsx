// Short notes that something was done, at the edge of the page. Never the only place where a thing is said.
import { type ReactNode, useRef } from 'react';
import { useToast as useAriaToast, useToastRegion } from 'react-aria/useToast';
import { type QueuedToast, ToastQueue, type ToastState, useToastQueue } from 'react-stately/useToastState';
import { useText } from '../language/text.tsx';
import { Button, IconButton } from './button.tsx';
import { ToneShape } from './status-mark.tsx';
import styles from './toasts.module.css';
import type { Tone } from './tone.ts';

interface Note {
  readonly tone: Tone;
  readonly text: string;
  readonly action?: { readonly text: string; readonly onPress: () => void };
}

const shownMax = 3;
const shownMs = 8_000;
const queue = new ToastQueue<Note>({ maxVisibleToasts: shownMax });

/** Shows a note. One that offers an action, or tells of trouble, stays until it is closed: a time limit would take it away unread. */
export function useToast(): (note: Note) => void {
  return showNote;
}

function showNote(note: Note): void {
  const stays = note.action !== undefined || note.tone === 'bad' || note.tone === 'warn';
  queue.add(note, stays ? {} : { timeout: shownMs });
}

/** The region that the frame holds once; F6 leads to it. */
export function Toasts(): ReactNode {
  const state = useToastQueue(queue);
  return state.visibleToasts.length > 0 ? <Region state={state} /> : null;
}

function Region({ state }: { state: ToastState<Note> }): ReactNode {
  const text = useText();
  const ref = useRef<HTMLDivElement>(null);
  const { regionProps } = useToastRegion({ 'aria-label': text('design.notes') }, state, ref);
  return (
    <div {...regionProps} ref={ref} className={styles.region}>
      {state.visibleToasts.map((toast) => (
        <Toast key={toast.key} toast={toast} state={state} />
      ))}
    </div>
  );
}

function Toast({ toast, state }: { toast: QueuedToast<Note>; state: ToastState<Note> }): ReactNode {
  const text = useText();
  const ref = useRef<HTMLDivElement>(null);
  const { toastProps, contentProps, titleProps } = useAriaToast({ toast }, state, ref);
  const close = (): void => state.close(toast.key);
  const { tone, text: says, action } = toast.content;
  return (
    <div {...toastProps} ref={ref} className={styles.toast}>
      <ToneShape tone={tone} />
      <div {...contentProps} className={styles.text}>
        <div {...titleProps}>{says}</div>
      </div>
      {action && (
        <Button
          onPress={() => {
            action.onPress();
            close();
          }}
        >
          {action.text}
        </Button>
      )}
      <IconButton icon="close" label={text('design.close')} onPress={close} />
    </div>
  );
}
