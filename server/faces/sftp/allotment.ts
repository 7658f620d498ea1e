// What the channels of one connection share, so that opening more of them gives nobody more.
import { type ReadBudget, readAheadBytesMax } from './reading.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

export interface Allotment {
  /** Handles that are open or being opened. */
  handles: number;
  readonly readAhead: ReadBudget;
  /** Entries of folders that were read and not yet told. */
  listedEntries: number;
  /** Hashes and copies take turns: each may move a whole file. */
  readonly heavy: WorkQueue;
  /** Runs a costly step among those of all connections (costly-turns.ts). */
  readonly inTurn: (work: () => void) => void;
}

/** What an entry takes in memory, its name and path included, when both are long. */
const entryBytes = 2048;

/** Without `inTurn` costly steps run at once. */
export const createAllotment = (inTurn: Allotment['inTurn'] = (work) => work()): Allotment => ({
  handles: 0,
  readAhead: { leftBytes: readAheadBytesMax },
  listedEntries: 0,
  heavy: createWorkQueue(),
  inTurn,
});

/** Memory in use for it. Units: bytes. */
export const allottedBytes = ({ readAhead, listedEntries }: Allotment): number =>
  readAheadBytesMax - readAhead.leftBytes + listedEntries * entryBytes;
