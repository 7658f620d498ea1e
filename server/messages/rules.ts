// What the message domain declines, whose changes somebody hears of, and the limits of a notice.
import type { Actor } from '../kernel/actor.ts';
import { defineRefusals } from '../kernel/refusal.ts';

export const refusals = defineRefusals({
  notice_not_found: {
    kind: 'not_found',
    text: 'There is no such notice among yours. List them and use an id from there.',
  },
  notices_forbidden: { kind: 'forbidden', text: 'Notices are read by the client or the desk that they are for.' },
  events_forbidden: {
    kind: 'forbidden',
    text: 'Changes are followed by whoever is signed in; those of one client by the delivery desk as well.',
  },
  streams_too_many: {
    kind: 'too_many',
    text: 'This sign-in listens for changes {streamsMax} times already. Close a page, or share one stream between pages.',
  },
});

/** How many streams one sign-in may hold in each process. */
export const streamsOfSignInMax = 10;

/** Whose changes an actor hears of. */
export function audiencesOf(actor: Actor, followedClientId?: string): string[] {
  if (actor.kind === 'client') {
    return [`client:${actor.clientId}`, ...(actor.loginId === undefined ? [] : [`login:${actor.loginId}`])];
  }
  if (actor.kind === 'system') return [];
  return [
    `operator:${actor.operatorId}`,
    ...actor.desks.map((desk) => `desk:${desk}`),
    ...(followedClientId === undefined ? [] : [`client:${followedClientId}`]),
  ];
}

/** Units: characters of a notice's text, so that it stays a pointer and never becomes a letter. */
export const noticeLengthMax = 1000;

/** The readable form of a kind, for notices that bring no text of their own. */
export const textOfKind = (kind: string): string => {
  const words = kind.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
};
