// A file that a client uploads: adjacent WRITEs that wait for their turn become one write of the mount.
import { type BatchBuffers, batchBytesMax } from './batch-buffers.ts';
import type { Exchange } from './exchange.ts';
import type { WriteHandle } from './mount.ts';
import type { Work, WorkQueue } from './work-queue.ts';

export type Writing = ReturnType<typeof createWriting>;

interface WritePiece {
  readonly exchange: Exchange;
  readonly offset: number;
  readonly payload: readonly Buffer[];
  readonly payloadBytes: number;
}

interface WriteBatch extends Work {
  readonly pieces: WritePiece[];
  sizeBytes: number;
  /** Where the next piece must begin to be adjacent. */
  end: number;
}

export function createWriting(
  handle: WriteHandle,
  mode: { readonly append: boolean; readonly read: boolean },
  buffers: BatchBuffers,
  countWritten: (sizeBytes: number) => void,
) {
  const batches = new WeakSet<Work>();

  async function write(piece: Omit<WritePiece, 'exchange'>): Promise<void> {
    if (piece.payloadBytes === 0) return;
    // Draft §6.3: with APPEND every write goes to the end, whatever its offset says.
    const offset = mode.append ? (await handle.attributes()).sizeBytes : piece.offset;
    await buffers.join(piece.payload, piece.payloadBytes, (bytes) => handle.write(offset, bytes));
    countWritten(piece.payloadBytes);
  }

  async function writeOne(piece: WritePiece): Promise<void> {
    try {
      await write(piece);
      piece.exchange.ok();
    } catch (thrown) {
      piece.exchange.fail(thrown);
    }
  }

  async function writeBatch(batch: WriteBatch): Promise<void> {
    const { pieces } = batch;
    if (pieces.length === 1) return writeOne(pieces[0]!);
    const payload = pieces.flatMap((piece) => piece.payload);
    try {
      await write({ offset: pieces[0]!.offset, payload, payloadBytes: batch.sizeBytes });
    } catch {
      // Nothing of the batch is kept then. Each piece gets the answer that it would have had alone.
      for (const piece of pieces) await writeOne(piece);
      return;
    }
    for (const piece of pieces) piece.exchange.ok();
  }

  return {
    handle,
    canRead: mode.read,
    /** Queues one WRITE, joined to the one before it where both wait and touch. */
    push(queue: WorkQueue, piece: WritePiece): void {
      const last = queue.last;
      if (last !== undefined && batches.has(last)) {
        const batch = last as WriteBatch;
        const isAdjacent = mode.append || batch.end === piece.offset;
        if (isAdjacent && batch.sizeBytes + piece.payloadBytes <= batchBytesMax) {
          batch.pieces.push(piece);
          batch.sizeBytes += piece.payloadBytes;
          batch.end += piece.payloadBytes;
          return;
        }
      }
      const batch: WriteBatch = {
        pieces: [piece],
        sizeBytes: piece.payloadBytes,
        end: piece.offset + piece.payloadBytes,
        run: () => writeBatch(batch),
      };
      batches.add(batch);
      queue.push(batch);
    },
  };
}
