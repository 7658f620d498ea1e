// Notices over HTTPS, for clients and desks.
import * as shapes from '@broadgate/contract/notices.ts';
import { listRoute, noBody, type Route, route } from '../faces/https/route.ts';
import { formatInstant } from '../kernel/clock.ts';
import type { Messages, Notice } from './messages.ts';

export const createNoticeRoutes = ({ messages }: { messages: Messages }): Route[] => [
  listRoute({
    path: '/v1/notices',
    operationId: 'listNotices',
    tag: 'Notices',
    summary: 'List your notices, or those of your desks, newest first.',
    who: 'signed_in',
    query: shapes.noticeFilter,
    item: shapes.notice,
    refusals: ['notices_forbidden'],
    async handle({ actor, query, page }) {
      const found = await messages.listNotices(actor, { ...page, isUnreadOnly: query.unread === 'true' });
      return { items: found.items.map(formatNotice), next: found.next };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/notices/:noticeId/read',
    operationId: 'markNoticeRead',
    tag: 'Notices',
    summary: 'Note that a notice was read.',
    who: 'signed_in',
    params: shapes.noticePath,
    answers: { 204: noBody },
    refusals: ['notice_not_found', 'notices_forbidden'],
    async handle({ actor, params }) {
      await messages.markRead(actor, params.noticeId);
      return { status: 204 };
    },
  }),
];

type Value = string | number | boolean | null | string[];

const formatNotice = (notice: Notice) => ({
  id: notice.noticeId,
  desk: notice.desk,
  kind: notice.kind,
  params: notice.params as Record<string, Value>,
  text: notice.text,
  createdAt: formatInstant(notice.createdAtMs),
  readAt: notice.readAtMs === null ? null : formatInstant(notice.readAtMs),
});
