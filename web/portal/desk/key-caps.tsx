// How a text draws the keys that it names.
import type { ReactNode } from 'react';

/** For the values of a text: what stands in `code` is a key of the keyboard. */
export const keyCaps = { code: (inside: ReactNode[]): ReactNode => <kbd>{inside}</kbd> };
