// Rows of preferences, and the few words about a client that the lists of a desk show.
import type { Sql } from '../kernel/sql.ts';
import type { Preferences } from './rules.ts';

export async function findPreferences(sql: Sql, loginId: string): Promise<Preferences | undefined> {
  const [row] = await sql<{ locale: string | null; timeZone: string | null; theme: Preferences['theme'] }>`
    select locale, time_zone as "timeZone", theme from preferences where login_id = ${loginId}`;
  return row && { locale: row.locale ?? undefined, timeZone: row.timeZone ?? undefined, theme: row.theme };
}

export async function upsertPreferences(
  sql: Sql,
  loginId: string,
  { locale, timeZone, theme }: Preferences,
  nowMs: number,
): Promise<void> {
  await sql`
    insert into preferences (login_id, locale, time_zone, theme, changed_at_ms)
    values (${loginId}, ${locale ?? null}, ${timeZone ?? null}, ${theme}, ${nowMs})
    on conflict (login_id) do update set locale = excluded.locale, time_zone = excluded.time_zone, theme = excluded.theme,
      changed_at_ms = excluded.changed_at_ms`;
}

export interface ClientBrief {
  readonly clientId: string;
  readonly name: string;
  readonly accountNumbers: readonly string[];
}

export const listBriefs = (sql: Sql, clientIds: readonly string[]): Promise<ClientBrief[]> => sql<ClientBrief>`
  select c.id as "clientId", c.name,
    array(select number from accounts a where a.client_id = c.id order by number limit 100) as "accountNumbers"
  from clients c where c.id = any(${clientIds}::text[])`;
