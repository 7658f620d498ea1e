// The door of messages. So far it holds notices: short texts that tell a client or a desk that something happened. A notice
// belongs to one client or one desk, is written in the transaction of what it tells, and is unread until somebody reads it.
import type { NoticeKind } from '@broadgate/contract/notices.ts';
import { type Actor, type Desk, desks, formatActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import { type JsonObject, storableJson } from '../kernel/json.ts';
import type { Database, Sql } from '../kernel/sql.ts';
import { noticeLengthMax, refusals, textOfKind } from './rules.ts';
import { deleteNoticesBefore, insertNotice, listNotices, type Notice, updateRead } from './store.ts';

export type Messages = ReturnType<typeof createMessages>;
export type { Notice };

/** What happened, to whom it matters. It holds no secret: a notice may leave the portal. */
export interface NewNotice {
  /** Exactly one of client and desk. */
  readonly clientId?: string;
  readonly desk?: Desk;
  /** Snake case; what a reader's language is chosen by. */
  readonly kind: NoticeKind;
  readonly params: JsonObject;
  /** English; where it is left out the kind is written out. */
  readonly text?: string;
  readonly atMs: number;
}

const dayMs = 86_400_000;
const deletedAtOnce = 1000;

export function createMessages(parts: { database: Database; clock: Clock; ids: Ids; readNoticesKeptDays?: number }) {
  const { database, clock, ids } = parts;

  return {
    /** Writes a notice in the caller's transaction. */
    async notify(sql: Sql, notice: NewNotice): Promise<void> {
      await insertNotice(sql, {
        noticeId: ids.next(),
        clientId: notice.clientId ?? null,
        desk: notice.desk ?? null,
        kind: notice.kind,
        params: storableJson(notice.params),
        text: storableJson((notice.text ?? textOfKind(notice.kind)).slice(0, noticeLengthMax)),
        createdAtMs: notice.atMs,
      });
    },

    /** The actor's notices, newest first: a client's own, an operator's desks'. */
    async listNotices(
      actor: Actor,
      page: { after?: string | undefined; limit: number; isUnreadOnly?: boolean },
    ): Promise<{ items: Notice[]; next: string | undefined }> {
      const { after, limit, isUnreadOnly = false } = page;
      const rows = await listNotices(database.sql, readersOf(actor), { after, limit: limit + 1, isUnreadOnly });
      const items = rows.slice(0, limit);
      return { items, next: rows.length > limit ? items.at(-1)?.noticeId : undefined };
    },

    /** Refuses: notice_not_found. */
    async markRead(actor: Actor, noticeId: string): Promise<void> {
      const read = { atMs: clock.nowMs(), by: formatActor(actor) };
      if (!(await updateRead(database.sql, noticeId, readersOf(actor), read))) throw refusals.notice_not_found();
    },

    /** Deletes notices that were read and are older than they are kept. Shape: how many went. */
    async purge(): Promise<number> {
      const beforeMs = clock.nowMs() - (parts.readNoticesKeptDays ?? 400) * dayMs;
      let purged = 0;
      for (;;) {
        const count = await deleteNoticesBefore(database.sql, beforeMs, deletedAtOnce);
        purged += count;
        if (count < deletedAtOnce) return purged;
      }
    },
  };
}

function readersOf(actor: Actor): { clientId: string | null; desks: readonly Desk[] } {
  if (actor.kind === 'client') {
    if (actor.origin.face === 'sftp' || actor.origin.face === 'ftp') throw refusals.notices_forbidden();
    return { clientId: actor.clientId, desks: [] };
  }
  return { clientId: null, desks: actor.kind === 'operator' ? actor.desks : desks };
}
