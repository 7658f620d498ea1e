// Page cursors: opaque, signed, and good only for the list, the filter and the actor they were given to.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { refusals } from './rules.ts';

/** What a cursor is bound to. */
export interface CursorScope {
  readonly operationId: string;
  /** One word for who asks. */
  readonly actor: string;
  /** Every query and path value but limit and cursor. */
  readonly filter: Readonly<Record<string, unknown>>;
}

export type Cursors = ReturnType<typeof createCursors>;

const tagSizeBytes = 16;
const positionLengthMax = 500;

/** Shape: `key` is at least 32 secret bytes, the same in every worker, so that a cursor outlives the process that gave it. */
export function createCursors(parts: { key: Uint8Array }) {
  const sign = (position: string, scope: CursorScope): Buffer =>
    createHmac('sha256', parts.key)
      .update(JSON.stringify([scope.operationId, scope.actor, sortedEntries(scope.filter), position]))
      .digest()
      .subarray(0, tagSizeBytes);
  return {
    /** The cursor for where a page ended. */
    seal(position: string, scope: CursorScope): string {
      if (position.length > positionLengthMax) throw new Error('a page position is longer than a cursor may be');
      return Buffer.concat([sign(position, scope), Buffer.from(position)]).toString('base64url');
    },
    /** The position it was sealed with. Refuses: cursor_invalid. */
    open(cursor: string, scope: CursorScope): string {
      const bytes = Buffer.from(cursor, 'base64url');
      // base64url has several spellings of one value; only the one we wrote counts.
      if (bytes.length < tagSizeBytes || bytes.toString('base64url') !== cursor) throw refusals.cursor_invalid();
      const position = bytes.subarray(tagSizeBytes).toString();
      if (!timingSafeEqual(bytes.subarray(0, tagSizeBytes), sign(position, scope))) throw refusals.cursor_invalid();
      return position;
    },
  };
}

const sortedEntries = (values: Readonly<Record<string, unknown>>): [string, unknown][] =>
  Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
