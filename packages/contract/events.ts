// What crosses the wire about changes: which sort of thing changed, and its id. What it is now is read where it is kept.
import { type Static, Type } from 'typebox';
import { closed, id, line, nullable, oneOf } from './contract.ts';

export const changeKinds = [
  'notice',
  'statement',
  'delivery',
  'request',
  'key',
  'address',
  'connection',
  'refusal',
  'receipt',
  'run',
  'deletion',
  'client',
  'sign_in',
  'preferences',
] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** The data of an event. */
export const change = closed(
  {
    kind: oneOf(
      changeKinds,
      'What sort of thing changed. Kinds may be added: ignore those that you do not know. The event `ready` comes first; `reset` says that changes may have been missed, so that everything is to be read again.',
    ),
    id: nullable(Type.String({ description: 'Which one; null where it is of the kind as a whole.' })),
  },
  { title: 'Change' },
);
export type Change = Static<typeof change>;

export const eventQuery = closed({
  client: Type.Optional(id('client')),
  since: Type.Optional(line(64, 'The same as Last-Event-ID, for callers that cannot set a header.')),
});
