// What the message domain declines, and the limits of a notice.
import { defineRefusals } from '../kernel/refusal.ts';

export const refusals = defineRefusals({
  notice_not_found: {
    kind: 'not_found',
    text: 'There is no such notice among yours. List them and use an id from there.',
  },
  notices_forbidden: { kind: 'forbidden', text: 'Notices are read by the client or the desk that they are for.' },
});

/** Units: characters of a notice's text, so that it stays a pointer and never becomes a letter. */
export const noticeLengthMax = 1000;

/** The readable form of a kind, for notices that bring no text of their own. */
export const textOfKind = (kind: string): string => {
  const words = kind.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
};
