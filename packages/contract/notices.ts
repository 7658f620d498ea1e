// What crosses the wire about notices: short texts that tell a client or a desk that something happened.
import { Type } from 'typebox';
import { closed, id, instant, nullable, oneOf } from './contract.ts';
import { deskWords } from './identity.ts';

/** What a notice may tell; the reader's words are chosen by it. */
export const noticeKinds = [
  'certificate_expired',
  'certificate_expiring',
  'certificate_imported',
  'connection_configured',
  'connection_resumed',
  'connection_suspended',
  'delivery_key_ended',
  'delivery_request_done',
  'delivery_request_ready',
  'delivery_request_refused',
  'retention_held',
  'run_ended',
  'ssh_key_expired',
  'ssh_key_expiring',
  'statement_new',
  'statement_withdrawn',
  'statements_waiting',
] as const;
export type NoticeKind = (typeof noticeKinds)[number];

const value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null(), Type.Array(Type.String())]);

export const notice = closed(
  {
    id: id('notice'),
    desk: nullable(oneOf(deskWords, 'The desk it is for; null for a client.')),
    kind: Type.String({ description: 'What happened, in snake case; choose the reader’s words by it.' }),
    params: Type.Record(Type.String(), value, { description: 'Facts to fill the words with.' }),
    text: Type.String({ description: 'The same in English.' }),
    createdAt: instant('When it happened.'),
    readAt: nullable(instant('When it was first read.')),
  },
  { title: 'Notice' },
);

export const noticeFilter = closed({
  unread: Type.Optional(oneOf(['true', 'false'], 'Only those that nobody has read.')),
});

export const noticePath = closed({ noticeId: id('notice') });
