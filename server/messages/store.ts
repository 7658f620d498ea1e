// Rows of notices.
import type { Desk } from '../kernel/actor.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Sql } from '../kernel/sql.ts';

/** One notice; `readAtMs` is when the first of its readers read it. */
export interface Notice {
  readonly noticeId: string;
  readonly clientId: string | null;
  readonly desk: Desk | null;
  readonly kind: string;
  readonly params: JsonObject;
  readonly text: string;
  readonly createdAtMs: number;
  readonly readAtMs: number | null;
}

export async function insertNotice(sql: Sql, notice: Omit<Notice, 'readAtMs'>): Promise<void> {
  await sql`
    insert into notices (id, client_id, desk, kind, params, text, created_at_ms)
    values (${notice.noticeId}, ${notice.clientId}, ${notice.desk}, ${notice.kind}, ${JSON.stringify(notice.params)}::jsonb,
      ${notice.text}, ${notice.createdAtMs})`;
}

interface Readers {
  readonly clientId: string | null;
  readonly desks: readonly Desk[];
}

/** Newest first, of one client or of some desks: a page of each is read, and the newest of all are given. */
export async function listNotices(
  sql: Sql,
  readers: Readers,
  page: { after?: string | undefined; limit: number; isUnreadOnly: boolean },
): Promise<Notice[]> {
  return await sql<Notice>`
    select id as "noticeId", client_id as "clientId", desk, kind, params, text, created_at_ms as "createdAtMs",
      read_at_ms as "readAtMs"
    from (
      (select * from notices where client_id = ${readers.clientId}
        and (not ${page.isUnreadOnly}::boolean or read_at_ms is null)
        and (${page.after ?? null}::text is null or id < ${page.after ?? null})
      order by id desc limit ${page.limit})
      union all
      select of_desk.* from unnest(${readers.desks}::text[]) as reader (desk) cross join lateral (
        select * from notices where notices.desk = reader.desk
          and (not ${page.isUnreadOnly}::boolean or read_at_ms is null)
          and (${page.after ?? null}::text is null or id < ${page.after ?? null})
        order by id desc limit ${page.limit}) of_desk
    ) as own
    order by id desc limit ${page.limit}`;
}

/** False when there is no such notice for these readers; a notice that was read keeps its first reader. */
export async function updateRead(
  sql: Sql,
  noticeId: string,
  readers: Readers,
  read: { atMs: number; by: string },
): Promise<boolean> {
  const rows = await sql`
    update notices set read_at_ms = coalesce(read_at_ms, ${read.atMs}::bigint), read_by = coalesce(read_by, ${read.by})
    where id = ${noticeId} and (client_id = ${readers.clientId} or desk = any(${readers.desks}::text[])) returning id`;
  return rows.length > 0;
}

export async function deleteNoticesBefore(sql: Sql, beforeMs: number, limit: number): Promise<number> {
  const rows = await sql`
    delete from notices where id in (
      select id from notices where created_at_ms < ${beforeMs} and read_at_ms is not null limit ${limit}
    ) returning id`;
  return rows.length;
}
