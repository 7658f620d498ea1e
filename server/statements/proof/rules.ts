// Pure decisions of proof: what was fetched, what is too old, what a deletion's hash is, whether the clock can be believed.
import { createHash } from 'node:crypto';
import { defineRefusals } from '../../kernel/refusal.ts';

export const refusals = defineRefusals({
  retention_clock_jumped: {
    kind: 'unavailable',
    text: 'Nothing was purged: the clock stands {hours} hours after the last purge. Check the time of the machine, then confirm it as the operations desk.',
  },
  proof_not_yours: { kind: 'forbidden', text: 'This record is for the desk that works with it.' },
  manifest_not_found: { kind: 'not_found', text: 'There is no manifest of that day.' },
});

export interface Range {
  readonly startBytes: number;
  readonly endBytes: number;
}

/** Ranges that a receipt keeps; with more the nearest are joined by dropping the smallest, so nothing is claimed that was not sent. */
export const rangesMax = 64;

/** Sorted, joined where they touch, cut to the file. */
export function mergeRanges(ranges: readonly Range[], sizeBytes: number): Range[] {
  const sorted = ranges
    .map((range) => ({ startBytes: Math.max(0, range.startBytes), endBytes: Math.min(range.endBytes, sizeBytes) }))
    .filter((range) => range.endBytes > range.startBytes)
    .sort((a, b) => a.startBytes - b.startBytes);
  const merged: { startBytes: number; endBytes: number }[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && range.startBytes <= last.endBytes)
      last.endBytes = Math.max(last.endBytes, range.endBytes);
    else merged.push({ ...range });
  }
  if (merged.length <= rangesMax) return merged;
  const longest = [...merged]
    .sort((a, b) => b.endBytes - b.startBytes - (a.endBytes - a.startBytes))
    .slice(0, rangesMax);
  return longest.sort((a, b) => a.startBytes - b.startBytes);
}

/** True when merged ranges cover the file; an empty file is covered by nothing. */
export const isWhole = (merged: readonly Range[], sizeBytes: number): boolean =>
  sizeBytes === 0 || (merged.length === 1 && merged[0]!.startBytes === 0 && merged[0]!.endBytes === sizeBytes);

const hourMs = 3_600_000;

/** D-24: every file is kept while younger than this, counted from the moment it was placed. Units: ms. */
export const keptMs = 100 * 24 * hourMs;

/** Unfinished uploads nobody went on with. They are in no list, so D-24 does not count for them. Units: ms. */
export const partialKeptMs = 7 * 24 * hourMs;

/** What was placed at or before this instant is due. */
export const dueBefore = (nowMs: number): number => nowMs - keptMs;

/** How far the wall clock may stand from the last purge before a person must confirm it. Units: ms. */
export const clockJumpMaxMs = 48 * hourMs;

/** True when the clock can be believed: purging in a wrong future would delete what is to be kept. */
export const isClockPlausible = (lastSeenAtMs: number | undefined, nowMs: number): boolean =>
  lastSeenAtMs === undefined || nowMs - lastSeenAtMs <= clockJumpMaxMs;

export interface DeletionFacts {
  readonly number: number;
  readonly clientId: string;
  readonly what: 'file' | 'portal_copy' | 'partial_upload';
  readonly why: 'retention' | 'withdrawn';
  readonly path: string;
  readonly sha256: string | null;
  readonly sizeBytes: number;
  readonly statementId: string | null;
  readonly placedAtMs: number;
  readonly deletedAtMs: number;
}

/** Hash of one row of the deletion log, over the hash before it and every field in this order. */
export function hashDeletion(previousHash: string, row: DeletionFacts): string {
  const fields = [
    previousHash,
    row.number,
    row.clientId,
    row.what,
    row.why,
    row.path,
    row.sha256,
    row.sizeBytes,
    row.statementId,
    row.placedAtMs,
    row.deletedAtMs,
  ];
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/** What the first row of the deletion log follows. */
export const firstHash = '0'.repeat(64);

/** What a seal of the deletion log signs. */
export const sealText = (seal: { number: number; hash: string; sealedAtMs: number }): string =>
  `${JSON.stringify({ deletions: seal.number, hash: seal.hash, sealedAtMs: seal.sealedAtMs })}\n`;
