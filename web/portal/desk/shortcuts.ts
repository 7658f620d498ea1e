// Single keys for what is done most, heard only while the focus is within the part that they belong to.
import { type RefObject, useEffect, useEffectEvent } from 'react';

const typing = 'input, textarea, select, [contenteditable], [role=textbox], [role=spinbutton]';
const isLatin = /^[a-z]$/i;

/** Shape: `keys` by small Latin letter; what is pressed is told the element that has the focus. */
export function useShortcuts(
  part: RefObject<HTMLElement | null>,
  keys: Readonly<Record<string, (focused: HTMLElement) => void>>,
): void {
  const press = useEffectEvent((event: KeyboardEvent) => {
    const { target } = event;
    if (!(target instanceof HTMLElement) || target.matches(typing)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    // On a keyboard of another script it is the key in the same place.
    const letter = isLatin.test(event.key) ? event.key : event.code.replace(/^Key/, '');
    const act = keys[letter.toLowerCase()];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act(target);
  });
  useEffect(() => {
    const element = part.current;
    const hear = (event: KeyboardEvent): void => press(event);
    // Before the table hears it, which looks for a row that begins with the letter.
    element?.addEventListener('keydown', hear, { capture: true });
    return () => element?.removeEventListener('keydown', hear, { capture: true });
  }, [part]);
}
