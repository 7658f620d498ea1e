// "Why was I refused" and the sign-in history: what a client reads about its own connections, and the desk about all.
import { type Actor, isAtDesk } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Database } from '../../kernel/sql.ts';
import type { IdentityDoor } from '../delivery/delivery.ts';
import { explain, refusals, type RefusalDetail, type RefusalReason } from './rules.ts';
import {
  type CountedRefusal,
  deleteBefore,
  listActiveFingerprints,
  listAttributedRefusals,
  listConnections,
  listRefusals,
  type SignedInConnection,
} from './store.ts';

export type { SignedInConnection };
export type Connections = ReturnType<typeof createConnections>;

/** One line: how often, when last, and in words why and what to do. */
export interface ExplainedRefusal {
  readonly refusalId: string;
  readonly reason: RefusalReason;
  readonly cause: string;
  readonly whatToDo: string;
  readonly address: string | null;
  readonly clientId: string | null;
  /** The issued user name it came with; empty when it was none of ours. */
  readonly userName: string;
  readonly detail: RefusalDetail;
  /** For a key that was not accepted: the fingerprints that are registered, to compare. */
  readonly registered: readonly string[];
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

interface Page {
  readonly after: string | undefined;
  readonly limit: number;
}

const dayMs = 86_400_000;
const deletedAtOnce = 1000;

export function createConnections(parts: {
  database: Database;
  clock: Clock;
  identity: Pick<IdentityDoor, 'lastSignInAddresses'>;
  settings: { readonly historyKeptDays: number };
}) {
  const { database, clock } = parts;

  /** Words beside each line, and the registered fingerprints beside an offered one. */
  async function show(lines: readonly CountedRefusal[], actor: Actor): Promise<ExplainedRefusal[]> {
    const fingerprints = new Map<string, string[]>();
    const shown: ExplainedRefusal[] = [];
    for (const line of lines) {
      const { clientId } = line;
      if (clientId !== null && !fingerprints.has(clientId)) {
        fingerprints.set(clientId, await listActiveFingerprints(database.sql, clientId));
      }
      const isAboutKey = 'fingerprint' in line.detail;
      shown.push({
        refusalId: line.id,
        reason: line.reason,
        ...explain(line.reason, { ...line.detail, address: line.address ?? 'unknown' }),
        address: line.address,
        clientId,
        userName: line.userName,
        // What a stranger typed as a name may be somebody's secret: for the desk alone.
        detail: actor.kind === 'client' ? withoutName(line.detail) : line.detail,
        registered: clientId !== null && isAboutKey ? fingerprints.get(clientId)! : [],
        count: line.count,
        firstAtMs: line.firstAtMs,
        lastAtMs: line.lastAtMs,
      });
    }
    return shown;
  }

  return {
    /**
     * Refused and failed connections, latest first. A client reads those that can be attributed to it, the delivery desk
     * all, or those of one client as that client sees them. Refuses: connections_forbidden.
     */
    async listRefusals(
      actor: Actor,
      filter: { clientId?: string | undefined },
      page: Page,
    ): Promise<{ items: ExplainedRefusal[]; next: string | undefined }> {
      checkReader(actor);
      const clientId = actor.kind === 'client' ? actor.clientId : filter.clientId;
      const place = readPlace(page.after);
      const after = place && { lastAtMs: place.atMs, id: place.id };
      const asked = { after, limit: page.limit + 1 };
      const lines =
        clientId === undefined
          ? await listRefusals(database.sql, {}, asked)
          : await listAttributedRefusals(
              database.sql,
              { clientId, signInAddresses: await parts.identity.lastSignInAddresses(database.sql, clientId) },
              asked,
            );
      const items = lines.slice(0, page.limit);
      const last = items.at(-1);
      const next = lines.length > page.limit && last !== undefined ? `${last.lastAtMs}:${last.id}` : undefined;
      return { items: await show(items, actor), next };
    },

    /** Connections that signed in, latest first. */
    async listConnections(
      actor: Actor,
      filter: { clientId?: string | undefined },
      page: Page,
    ): Promise<{ items: SignedInConnection[]; next: string | undefined }> {
      checkReader(actor);
      const clientId = actor.kind === 'client' ? actor.clientId : filter.clientId;
      const place = readPlace(page.after);
      const after = place && { openedAtMs: place.atMs, id: place.id };
      const rows = await listConnections(database.sql, { clientId, after, limit: page.limit + 1 });
      const items = rows.slice(0, page.limit);
      const last = items.at(-1);
      const next =
        rows.length > page.limit && last !== undefined ? `${last.openedAtMs}:${last.connectionId}` : undefined;
      return { items, next };
    },

    /** Deletes what is older than it is kept. Shape: how many lines went. */
    async purgeHistory(): Promise<number> {
      const beforeMs = clock.nowMs() - parts.settings.historyKeptDays * dayMs;
      let purged = 0;
      for (;;) {
        const count = await deleteBefore(database.sql, beforeMs, deletedAtOnce);
        purged += count;
        if (count < deletedAtOnce) return purged;
      }
    },
  };
}

function readPlace(after: string | undefined): { atMs: number; id: string } | undefined {
  if (after === undefined) return undefined;
  const [atMs = '', id = ''] = after.split(':');
  return { atMs: Number(atMs), id };
}

function checkReader(actor: Actor): void {
  if (actor.kind !== 'client' && !isAtDesk(actor, 'delivery')) throw refusals.connections_forbidden();
}

function withoutName(detail: RefusalDetail): RefusalDetail {
  const { user: _, ...rest } = detail;
  return rest;
}
