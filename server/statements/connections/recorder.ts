// Records refused connections without ever waiting in their path: counts in memory, written a moment later, bounded on both sides.
import { tellChanges } from '../../kernel/changes.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Log } from '../../kernel/log.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import { detailKeyOf, hourOf, type RefusalDetail, type RefusalReason } from './rules.ts';
import { type CountedRefusal, listClientsOfNetworks, upsertRefusals } from './store.ts';

export type Recorder = ReturnType<typeof createRecorder>;

/** One refusal; everything a stranger chose is printable and short already. */
export interface RefusedConnection {
  /** Canonical text. */
  readonly address: string;
  /** Present when the user name was issued to somebody. */
  readonly clientId?: string | undefined;
  /** An issued user name; empty when it was none. */
  readonly userName: string;
  readonly reason: RefusalReason;
  readonly detail: RefusalDetail;
}

/** Bounds of memory and of rows; beyond them lines are counted together as overflow. */
export interface RecorderLimits {
  /** Different lines held in memory between two writes. */
  readonly linesMax: number;
  readonly rowsPerHourMax: { readonly strangers: number; readonly client: number };
}

export const recorderDefaults: RecorderLimits = { linesMax: 2000, rowsPerHourMax: { strangers: 2000, client: 200 } };

// Whoever was refused looks for the reason at once.
const writtenEveryMs = 300;
// A flood of strangers concerns nobody in particular: it is told as far as this, and read as a whole.
const addressesToldMax = 200;
const clientsToldMax = 1000;

export function createRecorder(parts: {
  database: Database;
  clock: Clock;
  ids: Ids;
  log: Log;
  identity: {
    listClientsSignedInFrom(sql: Sql, addresses: readonly string[]): Promise<{ clientId: string; address: string }[]>;
  };
  limits?: RecorderLimits;
}) {
  const { database, clock, ids, log } = parts;
  const limits = parts.limits ?? recorderDefaults;
  let lines = new Map<string, CountedRefusal>();
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();

  /** Counts a line up, or starts it where there is room. */
  function add(given: Omit<CountedRefusal, 'id'>): void {
    const isRoom = lines.has(keyOf(given)) || lines.size < limits.linesMax;
    const line = isRoom ? given : overflowOf(given);
    const known = lines.get(keyOf(line));
    lines.set(keyOf(line), {
      ...line,
      id: known?.id ?? ids.next(),
      count: (known?.count ?? 0) + line.count,
      firstAtMs: Math.min(known?.firstAtMs ?? line.firstAtMs, line.firstAtMs),
    });
  }

  function arm(): void {
    timer ??= clock.after(writtenEveryMs, () => {
      timer = undefined;
      flush().catch((fault: unknown) => log.fault('refused connections could not be recorded', fault));
    });
  }

  async function write(): Promise<void> {
    const batch = [...lines.values()];
    lines = new Map();
    if (batch.length === 0) return;
    try {
      const dropped = new Set(await upsertRefusals(database.sql, batch, limits.rowsPerHourMax));
      await tell(batch);
      if (dropped.size === 0) return;
      const overflow = new Map<string, CountedRefusal>();
      for (const line of batch.filter(({ id }) => dropped.has(id))) {
        const key = `${line.hourMs} ${line.userName}`;
        const known = overflow.get(key);
        overflow.set(key, { ...overflowOf(line), id: line.id, count: (known?.count ?? 0) + line.count });
      }
      await upsertRefusals(database.sql, [...overflow.values()], limits.rowsPerHourMax);
    } catch (fault) {
      // Kept for the next write; what came meanwhile is added to it within the same bound.
      for (const line of batch) add(line);
      arm();
      throw fault;
    }
  }

  /** Tells the desk, and every client that the new lines can be attributed to: it may be waiting for just that. */
  async function tell(batch: readonly CountedRefusal[]): Promise<void> {
    const { sql } = database;
    const strange = new Set(batch.flatMap(({ clientId, address }) => (clientId === null && address ? [address] : [])));
    const addresses = [...strange].slice(0, addressesToldMax);
    const concerned = new Set(batch.flatMap(({ clientId }) => (clientId === null ? [] : [clientId])));
    if (addresses.length > 0) {
      for (const { clientId } of await parts.identity.listClientsSignedInFrom(sql, addresses)) concerned.add(clientId);
      for (const clientId of await listClientsOfNetworks(sql, addresses, clientsToldMax)) concerned.add(clientId);
    }
    const audiences = [
      'desk:delivery',
      ...[...concerned].slice(0, clientsToldMax).map((clientId) => `client:${clientId}`),
    ];
    await tellChanges(
      sql,
      audiences.map((audience) => ({ kind: 'refusal', audiences: [audience] })),
      ids,
    );
  }

  /** Writes everything recorded so far. */
  function flush(): Promise<void> {
    writing = writing.catch(() => undefined).then(write);
    return writing;
  }

  return {
    flush,

    record(refused: RefusedConnection): void {
      const atMs = clock.nowMs();
      const line = {
        hourMs: hourOf(atMs),
        address: refused.address,
        clientId: refused.clientId ?? null,
        userName: refused.userName,
        reason: refused.reason,
        detailKey: detailKeyOf(refused.detail),
        detail: refused.detail,
        count: 1,
        firstAtMs: atMs,
        lastAtMs: atMs,
      };
      add(line);
      arm();
    },

    /** Writes what is left. */
    async close(): Promise<void> {
      timer?.close();
      timer = undefined;
      await flush();
    },
  };
}

const overflowOf = (line: Omit<CountedRefusal, 'id'>): Omit<CountedRefusal, 'id'> => ({
  ...line,
  address: null,
  reason: 'overflow',
  detailKey: '',
  detail: {},
});

const keyOf = (line: Omit<CountedRefusal, 'id'>): string =>
  [line.hourMs, line.address, line.userName, line.reason, line.detailKey].join(' ');
