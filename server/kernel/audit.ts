// The audit trail: who did what to what, appended with the change itself, and sealed into a chain that shows tampering.
import { createHash } from 'node:crypto';
import { type Actor, formatActor } from './actor.ts';
import type { Clock } from './clock.ts';
import { canonicalJson, type JsonObject, type JsonValue, storableJson } from './json.ts';
import { withLease } from './lease.ts';
import type { Database, Sql } from './sql.ts';

export interface AuditEntry {
  readonly actor: Actor;
  /** What was done, as `noun.verb`: `ssh_key.approve`. */
  readonly action: string;
  /** What it was done to, as `noun:id`. */
  readonly subject: string;
  /** Plain facts beside them; never a secret. */
  readonly detail?: JsonObject;
}

export interface AuditRow {
  readonly sequence: number;
  readonly atMs: number;
  readonly actor: string;
  readonly origin: JsonValue;
  readonly action: string;
  readonly subject: string;
  readonly detail: JsonValue;
}

interface SealedRow extends AuditRow {
  readonly sealIndex: number;
  readonly sealHash: string;
}

/** The last sealed row: noted elsewhere, it also shows when the end of the trail was cut off. */
export interface AuditHead {
  readonly index: number;
  readonly hash: string;
}

export type AuditVerdict =
  | { readonly whole: true; readonly head: AuditHead; readonly unsealed: number }
  | { readonly whole: false; readonly index: number; readonly sequence: number | undefined; readonly reason: string };

export type Audit = ReturnType<typeof createAudit>;

const start: AuditHead = { index: 0, hash: '0'.repeat(64) };
const pageRows = 500;
const detailBytesMax = 64 * 1024;

export function createAudit(parts: { clock: Clock }) {
  return {
    /** Appends an entry in the caller's transaction, so that it stands exactly when the change does. */
    async append(sql: Sql, entry: AuditEntry): Promise<void> {
      const detail = JSON.stringify(storableJson(entry.detail ?? {}));
      if (detail.length > detailBytesMax) throw new Error(`the audit detail of ${entry.action} is too long`);
      const { actor } = entry;
      const login = actor.kind === 'client' && actor.loginId !== undefined ? { login: actor.loginId } : {};
      const origin = JSON.stringify(storableJson({ ...actor.origin, ...login } as JsonObject));
      await sql`insert into audit (at_ms, actor, origin, action, subject, detail)
        values (${parts.clock.nowMs()}, ${formatActor(actor)}, ${origin}::jsonb, ${entry.action}, ${entry.subject}, ${detail}::jsonb)`;
    },

    /** Entries, newest first: about a subject, by an actor as `formatActor` writes it, or all. */
    list: (
      sql: Sql,
      query: {
        subject?: string | undefined;
        actor?: string | undefined;
        beforeSequence?: number | undefined;
        limit: number;
      },
    ): Promise<AuditRow[]> =>
      sql<AuditRow>`
        select sequence, at_ms as "atMs", actor, origin, action, subject, detail from audit
        where (${query.subject ?? null}::text is null or subject = ${query.subject ?? null})
          and (${query.actor ?? null}::text is null or actor = ${query.actor ?? null})
          and sequence < ${query.beforeSequence ?? Number.MAX_SAFE_INTEGER}
        order by sequence desc limit ${Math.min(query.limit, 1000)}`,

    /**
     * Seals what was appended, in the order in which it is found: a transaction that commits late is sealed late, and
     * numbers that were rolled back leave no gap. One process at a time; 0 when another is at it.
     */
    async seal(database: Database): Promise<number> {
      const sealed = await withLease(database, 'audit seal', async ({ signal }) => {
        for (let count = 0; ; ) {
          signal.throwIfAborted();
          const added = await database.transaction(sealPage);
          count += added;
          if (added < pageRows) return count;
        }
      });
      return sealed ?? 0;
    },

    /** The last sealed row. */
    findHead,

    /**
     * Recomputes the whole chain. `noted` are heads written down earlier, which must still be part of it.
     * Shape: the first row that does not fit, or the head and how many rows are not sealed yet.
     */
    async verify(sql: Sql, noted: readonly AuditHead[] = []): Promise<AuditVerdict> {
      let head = start;
      const expected = new Map(noted.map(({ index, hash }) => [index, hash]));
      for (;;) {
        const page = await sql<SealedRow>`
          select sequence, at_ms as "atMs", actor, origin, action, subject, detail,
            seal_index as "sealIndex", seal_hash as "sealHash"
          from audit where seal_index > ${head.index} order by seal_index limit ${pageRows}`;
        for (const row of page) {
          const reason = findFault(head, row, expected);
          if (reason) return { whole: false, index: head.index + 1, sequence: row.sequence, reason };
          head = { index: row.sealIndex, hash: row.sealHash };
        }
        if (page.length < pageRows) break;
      }
      const cut = Math.max(0, ...expected.keys());
      if (cut > head.index) {
        return {
          whole: false,
          index: head.index + 1,
          sequence: undefined,
          reason: `rows up to ${cut} were sealed once`,
        };
      }
      const [row] = await sql<{ count: number }>`select count(*)::int as count from audit where seal_index is null`;
      return { whole: true, head, unsealed: row!.count };
    },
  };
}

function findFault(head: AuditHead, row: SealedRow, noted: ReadonlyMap<number, string>): string | undefined {
  if (row.sealIndex !== head.index + 1) return `row ${head.index + 1} is missing`;
  if (hashRow(head.hash, row.sealIndex, row) !== row.sealHash) return 'the row does not match its hash';
  const hash = noted.get(row.sealIndex);
  return hash !== undefined && hash !== row.sealHash ? 'the chain is not the one whose head was noted' : undefined;
}

async function findHead(sql: Sql): Promise<AuditHead> {
  const [head] = await sql<AuditHead>`
    select seal_index as index, seal_hash as hash from audit where seal_index is not null order by seal_index desc limit 1`;
  return head ?? start;
}

async function sealPage(sql: Sql): Promise<number> {
  let head = await findHead(sql);
  const rows = await sql<AuditRow>`
    select sequence, at_ms as "atMs", actor, origin, action, subject, detail
    from audit where seal_index is null order by sequence limit ${pageRows}`;
  const seals = rows.map((row) => {
    head = { index: head.index + 1, hash: hashRow(head.hash, head.index + 1, row) };
    return { sequence: row.sequence, ...head };
  });
  await sql`
    update audit set seal_index = seal.index, seal_hash = seal.hash
    from jsonb_to_recordset(${JSON.stringify(seals)}::jsonb) as seal(sequence bigint, index bigint, hash text)
    where audit.sequence = seal.sequence`;
  return rows.length;
}

/** SHA-256 over the previous hash, the place in the chain, and the row's canonical JSON. Shape: lower-case hex. */
function hashRow(previous: string, index: number, row: AuditRow): string {
  const { sequence, atMs, actor, origin, action, subject, detail } = row;
  const text = canonicalJson({ previous, index, sequence, atMs, actor, origin, action, subject, detail });
  return createHash('sha256').update(text).digest('hex');
}
